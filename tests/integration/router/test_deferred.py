"""Operations with `@defer` against a real server: what arrives when, in which format, and what subgraphs are asked."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from core.identity import Identity
from router.app import build_app
from router.config import RouterConfig, load_config
from router.exchange import Answer, Caller, GraphQLRequest, PartStream
from router.transports.base import RequestContext, SubgraphRequest, SubgraphResponse, SubgraphTransport
from tests.testkit.federation.parts import assemble
from tests.testkit.market import MARKET_SDL, Market, open_market
from tests.testkit.router_server import running_router

QUERY = '{ user(id: "u1") { name ... @defer(label: "wares") { products { name } } } }'
FIRST = {
    "data": {"user": {"name": "Ani"}},
    "pending": [{"id": "0", "path": ["user"], "label": "wares"}],
    "hasNext": True,
}
LATER = {
    "incremental": [{"id": "0", "data": {"products": [{"name": "Teapot"}, {"name": "Spoon"}]}}],
    "completed": [{"id": "0"}],
    "hasNext": False,
}
WHOLE = {"data": {"user": {"name": "Ani", "products": [{"name": "Teapot"}, {"name": "Spoon"}]}}}


class HeldTransport:
    """Lets a request go only when it is told to. *held* is set when one waits, *dropped* when one was given up."""

    def __init__(self, inner: SubgraphTransport) -> None:
        self.held, self.free, self.dropped = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._inner = inner

    async def send(self, request: SubgraphRequest, context: RequestContext) -> SubgraphResponse:
        self.held.set()
        try:
            await self.free.wait()
        except asyncio.CancelledError:
            self.dropped.set()
            raise
        return await self._inner.send(request, context)

    def subscribe(self, request: SubgraphRequest, context: RequestContext) -> AsyncIterator[SubgraphResponse]:
        return self._inner.subscribe(request, context)

    async def aclose(self) -> None:
        await self._inner.aclose()


@pytest.fixture
def market() -> Market:
    return open_market()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def slow(market: Market) -> HeldTransport:
    return HeldTransport(market.catalog.transport())


@asynccontextmanager
async def running(market: Market, slow: SubgraphTransport | None = None, **fields: Any) -> AsyncIterator[str]:
    config: RouterConfig = load_config(environ={}, overrides=fields)
    transports = {**market.transports, **({"catalog": slow} if slow is not None else {})}
    app = build_app(config, supergraph_sdl=MARKET_SDL, transports=transports)
    async with running_router(app) as url:
        yield f"{url}{app.config.path}"


async def ask(http: aiohttp.ClientSession, url: str, query: str, accept: str, **body: Any) -> tuple[str, str, int]:
    """Return content type, body and status."""
    async with http.post(url, json={"query": query, **body}, headers={"accept": accept}) as response:
        return response.headers["content-type"], await response.text(), response.status


def read_multipart(body: str) -> list[Any]:
    assert body.startswith("---\r\n")
    assert body.endswith("\r\n-----\r\n")
    pieces = body.removeprefix("---\r\n").removesuffix("\r\n-----\r\n").split("\r\n---\r\n")
    parts = []
    for piece in pieces:
        head, content = piece.split("\r\n\r\n")
        assert head == "Content-Type: application/json; charset=utf-8"
        parts.append(json.loads(content))
    return parts


async def test_the_first_part_is_there_before_a_slow_subgraph_has_answered(
    http: aiohttp.ClientSession, market: Market, slow: HeldTransport
) -> None:
    async with running(market, slow) as url:
        headers = {"accept": "multipart/mixed, application/json"}
        async with http.post(url, json={"query": QUERY}, headers=headers) as response:
            assert response.headers["content-type"] == 'multipart/mixed; boundary="-"'
            await response.content.readuntil(b"\r\n\r\n")
            assert json.loads((await response.content.readuntil(b"\r\n---"))[:-5]) == FIRST
            await slow.held.wait()
            assert market.request_counts == {"accounts": 1, "catalog": 0}
            slow.free.set()
            await response.content.readuntil(b"\r\n\r\n")
            assert json.loads((await response.content.readuntil(b"\r\n---"))[:-5]) == LATER
            assert await response.content.read() == b"--\r\n"
    assert market.request_counts == {"accounts": 1, "catalog": 1}


async def test_a_client_that_leaves_gives_up_what_was_deferred(
    http: aiohttp.ClientSession, market: Market, slow: HeldTransport
) -> None:
    async with running(market, slow) as url:
        async with http.post(url, json={"query": QUERY}, headers={"accept": "multipart/mixed"}) as response:
            await response.content.readuntil(b"\r\n\r\n")
            await slow.held.wait()
        async with asyncio.timeout(10):
            await slow.dropped.wait()
    assert market.request_counts == {"accounts": 1, "catalog": 0}


@pytest.mark.parametrize(
    "accept", ["application/json", "*/*", "", "multipart/mixed;deferSpec=20220824, application/json"]
)
async def test_a_client_that_takes_no_parts_gets_the_whole_answer(
    http: aiohttp.ClientSession, market: Market, accept: str
) -> None:
    async with running(market) as url:
        kind, body, status = await ask(http, url, QUERY, accept)
    assert (kind, json.loads(body), status) == ("application/json; charset=utf-8", WHOLE, 200)
    assert market.request_counts == {"accounts": 1, "catalog": 1}


async def test_parts_are_events_for_a_client_that_wants_a_stream(http: aiohttp.ClientSession, market: Market) -> None:
    async with running(market) as url:
        kind, body, _ = await ask(http, url, QUERY, "text/event-stream")
    assert kind == "text/event-stream; charset=utf-8"
    events = [line.removeprefix("data: ") for line in body.splitlines() if line.startswith("data: {")]
    assert [json.loads(event) for event in events] == [FIRST, LATER]
    assert body.endswith("event: complete\ndata: \n\n")


async def test_parts_are_messages_on_a_websocket(http: aiohttp.ClientSession, market: Market) -> None:
    async with (
        running(market) as url,
        http.ws_connect(url, protocols=("graphql-transport-ws",)) as socket,
    ):
        await socket.send_json({"type": "connection_init"})
        assert await socket.receive_json() == {"type": "connection_ack"}
        await socket.send_json({"type": "subscribe", "id": "7", "payload": {"query": QUERY}})
        messages = [await socket.receive_json() for _ in range(3)]
    assert messages == [
        {"type": "next", "id": "7", "payload": FIRST},
        {"type": "next", "id": "7", "payload": LATER},
        {"type": "complete", "id": "7"},
    ]


@pytest.mark.parametrize(
    ("variables", "is_deferred"),
    [({"later": True}, True), ({"later": False}, False), ({}, True), ({"later": None}, False)],
)
async def test_a_variable_decides_about_defer(
    http: aiohttp.ClientSession, market: Market, variables: dict[str, Any], is_deferred: bool
) -> None:
    query = QUERY.replace("(label", "(if: $later, label")
    async with running(market) as url:
        # Twice: the second answer comes of a remembered plan
        for _ in range(2):
            kind, body, _ = await ask(
                http,
                url,
                f"query ($later: Boolean = true) {query}",
                "multipart/mixed, application/json",
                variables=variables,
            )
            if is_deferred:
                assert read_multipart(body) == [FIRST, LATER]
            else:
                assert (kind, json.loads(body)) == ("application/json; charset=utf-8", WHOLE)


async def test_an_answer_without_deferred_parts_is_one_part_for_a_client_that_takes_nothing_else(
    http: aiohttp.ClientSession, market: Market
) -> None:
    async with running(market) as url:
        for query, expected in (
            ('{ user(id: "u1") { name } }', {"data": {"user": {"name": "Ani"}}}),
            # There is nobody whose products could come later
            ('{ user(id: "u9") { name ... @defer { products { name } } } }', {"data": {"user": None}}),
        ):
            _, body, status = await ask(http, url, query, "multipart/mixed")
            assert (read_multipart(body), status) == ([expected], 200)
    assert market.request_counts == {"accounts": 2, "catalog": 0}


async def test_what_may_not_be_seen_comes_in_a_whole_answer(http: aiohttp.ClientSession, market: Market) -> None:
    query = '{ user(id: "u1") { name ... @defer { email products { name } } } }'
    async with running(market) as url:
        kind, body, _ = await ask(http, url, query, "multipart/mixed, application/json")
    assert kind == "application/json; charset=utf-8"
    answer = json.loads(body)
    assert answer["data"] == {"user": {**WHOLE["data"]["user"], "email": None}}
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["UNAUTHENTICATED"]


async def test_an_internal_error_of_a_deferred_field_keeps_its_message_to_itself(
    http: aiohttp.ClientSession, market: Market
) -> None:
    async with running(market) as url:
        _, body, _ = await ask(http, url, "{ users { id } ... @defer { fails } }", "multipart/mixed")
    assert "hunter2" not in body
    first, later = read_multipart(body)
    assert first["data"] == {"users": [{"id": "u1"}, {"id": "u2"}]}
    error = {
        "message": "Internal server error",
        "path": ["fails"],
        "extensions": {"code": "INTERNAL_SERVER_ERROR", "serviceName": "accounts"},
    }
    assert later == {
        "incremental": [{"id": "0", "errors": [error], "data": {"fails": None}}],
        "completed": [{"id": "0"}],
        "hasNext": False,
    }


async def test_an_unreachable_subgraph_costs_the_deferred_fragment_only(
    http: aiohttp.ClientSession, market: Market
) -> None:
    transports = {"accounts": market.accounts.transport()}
    app = build_app(load_config(environ={}), supergraph_sdl=MARKET_SDL, transports=transports)
    async with running_router(app) as url:
        _, body, _ = await ask(http, f"{url}/graphql", QUERY, "multipart/mixed")
    first, later = read_multipart(body)
    assert first == FIRST
    assert later == {
        "completed": [
            {
                "id": "0",
                "errors": [
                    {
                        "message": "The request to subgraph 'catalog' failed.",
                        "path": ["user"],
                        "extensions": {"code": "SUBREQUEST_HTTP_ERROR", "serviceName": "catalog"},
                    }
                ],
            }
        ],
        "hasNext": False,
    }


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ('mutation { ... @defer { login(name: "a") } }', "Defer directive cannot be used on root mutation type"),
        ("subscription { ... @defer { ticks(count: 1) } }", "Defer directive cannot be used on root subscription type"),
        ('{ users { ...U @defer(label: "a") ...U @defer(label: "a") } } fragment U on User { id }', "must be unique"),
        ("{ users @defer { id } }", "Directive '@defer' may not be used on field"),
    ],
)
async def test_defer_in_the_wrong_place_is_refused(
    http: aiohttp.ClientSession, market: Market, query: str, message: str
) -> None:
    async with running(market) as url:
        _, body, status = await ask(http, url, query, "application/graphql-response+json")
    assert status == 400
    assert message in " ".join(error["message"] for error in json.loads(body)["errors"])
    assert market.request_counts == {"accounts": 0, "catalog": 0}


async def test_what_follows_a_mutation_can_be_deferred(market: Market) -> None:
    app = build_app(load_config(environ={}), supergraph_sdl=MARKET_SDL, transports=market.transports)
    query = 'mutation { rename(id: "p1", name: "Pot") { name seller { id ... @defer { name } } } }'
    caller = Caller(identity=Identity(subject="u1"), takes_parts=True)
    outcome = await app.pipeline.handle(GraphQLRequest(query), caller)
    assert isinstance(outcome, PartStream)
    whole = assemble([part async for part in outcome.parts])
    assert whole.first == {"rename": {"name": "Pot", "seller": {"id": "u1"}}}
    assert whole.data == {"rename": {"name": "Pot", "seller": {"id": "u1", "name": "Ani"}}}
    assert (whole.errors, market.request_counts) == ([], {"accounts": 1, "catalog": 1})


async def test_introspection_shows_defer(market: Market) -> None:
    app = build_app(load_config(environ={}), supergraph_sdl=MARKET_SDL, transports=market.transports)
    query = "{ __schema { directives { name args { name } } } }"
    outcome = await app.pipeline.handle(GraphQLRequest(query), Caller())
    assert isinstance(outcome, Answer)
    directives = {one["name"]: one["args"] for one in outcome.body["data"]["__schema"]["directives"]}
    assert directives["defer"] == [{"name": "if"}, {"name": "label"}]
    assert "stream" not in directives
