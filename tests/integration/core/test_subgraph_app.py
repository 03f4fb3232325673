"""A subgraph over HTTP, alone and as its peers reach it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import aiohttp
import pytest
import strawberry
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from core.event_stream import encode_events
from core.identity import Identity, service_identity
from core.mongo import connect
from core.peers import HttpPeers, InProcessPeers, PeerError, PeerUnavailable
from core.settings import Settings
from core.subgraph import Call, Subgraph
from core.subgraph_app import MAX_BODY_BYTES, build_subgraph_app
from core.tokens import AssertionSigner, AssertionVerifier
from pasar.free_ports import pick_free_port
from router.transports.base import SubgraphRequest
from router.transports.sse import open_event_stream
from schema.build import build_schema
from tests.testkit.asgi_server import running_asgi
from tests.testkit.clock import FixedClock
from tests.testkit.store import MakeRuntime, build_runtime

SECRET = b"x" * 32
NOW = datetime(2026, 11, 1, tzinfo=UTC)


@strawberry.federation.type(keys=["id"])
class Thing:
    id: strawberry.ID

    @classmethod
    def resolve_reference(cls, id: strawberry.ID) -> "Thing":
        return cls(id=id)


@strawberry.type
class Query:
    @strawberry.field
    def me(self, info: strawberry.Info[Call, None]) -> str:
        return f"{info.context.identity.subject} {info.context.trusted} {info.context.request_id}"

    @strawberry.field
    def thing(self) -> Thing:
        return Thing(id=strawberry.ID("1"))

    @strawberry.field
    async def slow(self) -> str:
        await asyncio.Event().wait()
        return "never"


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def count(self, info: strawberry.Info[Call, None], to: int) -> AsyncIterator[str]:
        for number in range(to):
            yield f"{number} for {info.context.identity.subject}"

    @strawberry.subscription
    async def silence(self) -> AsyncIterator[str]:
        await asyncio.Event().wait()
        yield "never"


async def show_page(_: Request) -> Response:
    return PlainTextResponse("a page")


@pytest.fixture
def subgraph(make_runtime: MakeRuntime) -> Subgraph:
    return Subgraph(
        name="things",
        schema=build_schema(Query, subscription=Subscription),
        runtime=make_runtime("things", clock=FixedClock(NOW)),
        documents=(),
        context=lambda call: call,
        routes=(Route("/page", show_page),),
    )


@pytest.fixture
async def base_url(subgraph: Subgraph) -> AsyncIterator[str]:
    async with running_asgi(build_subgraph_app(subgraph, AssertionVerifier(SECRET, "things"))) as url:
        yield url


@pytest.fixture
def url(base_url: str) -> str:
    return f"{base_url}/graphql"


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def peers_at(*urls: str, secret: bytes = SECRET, timeout_s: float = 10.0) -> HttpPeers:
    return HttpPeers(
        service_identity("order"),
        {"things": urls},
        signer=AssertionSigner(secret),
        clock=FixedClock(NOW),
        timeout_s=timeout_s,
    )


async def ask(http: aiohttp.ClientSession, url: str, document: str, **headers: str) -> tuple[int, dict[str, Any]]:
    async with http.post(url, json={"query": document}, headers=headers) as answer:
        return answer.status, await answer.json()


async def test_without_an_assertion_a_caller_is_nobody(url: str, http: aiohttp.ClientSession) -> None:
    claims = {"x-pasar-subject": "usr_1", "authorization": "Bearer me", "x-request-id": "r-1"}
    assert await ask(http, url, "{ me }", **claims) == (200, {"data": {"me": "None False r-1"}})
    entities = '{ _entities(representations: [{__typename: "Thing", id: "1"}]) { __typename } }'
    _, answer = await ask(http, url, entities)
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_an_assertion_says_who_is_calling(url: str, http: aiohttp.ClientSession) -> None:
    assertion = AssertionSigner(SECRET).sign(Identity("usr_1"), audience="things", now=NOW)
    status, answer = await ask(http, url, "{ me }", **{"x-pasar-identity": assertion})
    assert (status, answer) == (200, {"data": {"me": "usr_1 True "}})


async def test_a_subscription_is_an_event_stream_that_the_router_reads(url: str) -> None:
    assertion = AssertionSigner(SECRET).sign(Identity("usr_1"), audience="things", now=NOW)
    headers = {"content-type": "application/json", "x-pasar-identity": assertion}
    async with aiohttp.ClientSession() as session:
        for document, expected in (
            ("subscription { count(to: 2) }", [{"count": "0 for usr_1"}, {"count": "1 for usr_1"}]),
            ("subscription { count(to: 0) }", []),
        ):
            stream = open_event_stream(session, url, SubgraphRequest(document, {}), headers)
            assert [response.data async for response in stream] == expected
        for document, code in (("{ me }", "BAD_REQUEST"), ("subscription {", "GRAPHQL_PARSE_FAILED")):
            stream = open_event_stream(session, url, SubgraphRequest(document, {}), headers)
            (response,) = [response async for response in stream]
            assert [error["extensions"]["code"] for error in response.errors] == [code]


async def test_a_silent_subscription_shows_signs_of_life_and_ends_with_its_reader(subgraph: Subgraph) -> None:
    events = subgraph.subscribe("subscription { silence }", None, None, Call())
    stream = encode_events(events, keepalive_s=0.001)
    assert [await anext(stream), await anext(stream)] == [b":\n\n", b":\n\n"]
    await stream.aclose()
    assert [event async for event in events] == []


async def test_a_subscription_without_an_event_stream_is_refused(url: str, http: aiohttp.ClientSession) -> None:
    _, answer = await ask(http, url, "subscription { count(to: 2) }")
    assert answer["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


@pytest.mark.parametrize("flaw", ["audience", "secret", "expired", "garbage"])
async def test_an_assertion_with_a_flaw_is_refused(url: str, http: aiohttp.ClientSession, flaw: str) -> None:
    assertion = AssertionSigner(b"y" * 32 if flaw == "secret" else SECRET).sign(
        Identity("usr_1"),
        audience="other" if flaw == "audience" else "things",
        now=datetime(2026, 10, 1, tzinfo=UTC) if flaw == "expired" else NOW,
    )
    header = "garbage" if flaw == "garbage" else assertion
    status, answer = await ask(http, url, "{ me }", **{"x-pasar-identity": header})
    assert status == 401
    assert "data" not in answer
    assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"no json", 400),
        (b"[]", 400),
        (b"{}", 400),
        (b'{"query": 1}', 400),
        (b'{"query": "{ me }", "variables": []}', 400),
        (b" " * (MAX_BODY_BYTES + 1), 413),
        (b'{"query": "{ me }", "unknown": 1}', 200),
    ],
)
async def test_a_body_is_a_graphql_request_of_bounded_size(
    url: str, http: aiohttp.ClientSession, body: bytes, status: int
) -> None:
    async with http.post(url, data=BytesIO(body)) as answer:
        assert answer.status == status
        assert (await answer.json()).keys() == ({"data"} if status == 200 else {"errors"})


async def test_health_and_public_routes(url: str, http: aiohttp.ClientSession) -> None:
    base = url.removesuffix("/graphql")
    for path, text in (("/health/live", '{"status":"ok"}'), ("/health/ready", '{"status":"ok"}'), ("/page", "a page")):
        async with http.get(base + path) as answer:
            assert (answer.status, await answer.text()) == (200, text)
    async with http.get(url) as answer:
        assert answer.status == 405


async def test_without_its_database_a_subgraph_lives_and_is_not_ready(
    store_settings: Settings, http: aiohttp.ClientSession, subgraph: Subgraph
) -> None:
    away = connect(f"mongodb://127.0.0.1:{pick_free_port()}/?serverSelectionTimeoutMS=50")
    lonely = Subgraph(
        name="things",
        schema=subgraph.schema,
        runtime=build_runtime("things", away, store_settings),
        documents=(),
        context=lambda call: call,
    )
    app = build_subgraph_app(lonely, AssertionVerifier(SECRET, "things"))
    # Its start needs the database: leave the lifespan out, as if the database had gone away later

    async def without_lifespan(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await app(scope, receive, send)

    async with running_asgi(without_lifespan) as base:
        async with http.get(f"{base}/health/live") as answer:
            assert answer.status == 200
        async with http.get(f"{base}/health/ready") as answer:
            assert (answer.status, await answer.json()) == (503, {"status": "database is out of reach"})
    await away.close()


async def test_peers_call_with_their_service_identity(url: str, subgraph: Subgraph) -> None:
    peers = peers_at(url)
    assert await peers.query("things", "{ me }", {}) == {"me": "service:order True "}
    entities = "query($r: [_Any!]!) { _entities(representations: $r) { ... on Thing { id } } }"
    asked = {"r": [{"__typename": "Thing", "id": "7"}]}
    assert await peers.query("things", entities, asked) == {"_entities": [{"id": "7"}]}
    await peers.aclose()

    async def call(document: str, variables: Any, identity: Identity) -> dict[str, Any]:
        return await subgraph.execute(document, variables, None, Call(identity=identity, trusted=True))

    in_process = InProcessPeers(service_identity("order"), {"things": call})
    assert await in_process.query("things", entities, asked) == {"_entities": [{"id": "7"}]}
    with pytest.raises(PeerError) as refused:
        await in_process.query("things", "{ nothing }", {})
    assert refused.value.codes == ("GRAPHQL_VALIDATION_FAILED",)
    with pytest.raises(PeerUnavailable):
        await in_process.query("unknown", "{ me }", {})


async def test_peers_pass_over_a_dead_url_and_take_turns(url: str) -> None:
    dead = f"http://127.0.0.1:{pick_free_port()}/graphql"
    peers = peers_at(dead, url, dead)
    for _ in range(4):
        assert await peers.query("things", "{ thing { id } }", {}) == {"thing": {"id": "1"}}
    await peers.aclose()


async def test_peers_that_cannot_be_reached_are_unavailable(url: str) -> None:
    dead = f"http://127.0.0.1:{pick_free_port()}/graphql"
    no_graphql = url.replace("/graphql", "/page")
    missing = url.replace("/graphql", "/missing")
    for urls in ((dead, dead), (), (no_graphql,), (missing,)):
        peers = peers_at(*urls)
        with pytest.raises(PeerUnavailable):
            await peers.query("things", "{ me }", {})
        await peers.aclose()


async def test_peers_are_told_what_was_refused(url: str) -> None:
    peers = peers_at(url, secret=b"z" * 32)
    with pytest.raises(PeerError) as refused:
        await peers.query("things", "{ me }", {})
    assert refused.value.codes == ("UNAUTHENTICATED",)
    assert not isinstance(refused.value, PeerUnavailable)
    await peers.aclose()


async def test_peers_do_not_wait_for_ever(url: str) -> None:
    peers = peers_at(url, timeout_s=0.2)
    with pytest.raises(PeerUnavailable, match="TimeoutError"):
        await peers.query("things", "{ slow }", {})
    await peers.aclose()
