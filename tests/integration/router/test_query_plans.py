"""Answers that carry their plan, against a real server: who gets one, over which protocol, and what is in it."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from inline_snapshot import snapshot

from core.identity import Role
from router.app import build_app, build_http_transports
from router.config import RouterConfig, load_config
from router.transports.http import LARGE_BYTES, SubgraphSession
from tests.testkit.market import MARKET_SDL, Market, open_market
from tests.testkit.router_server import running_market_router, running_router
from tests.testkit.router_tokens import TokenIssuer
from tests.testkit.waiting import eventually
from tests.unit.router.transports.servers import serving

HEADER = {"Pasar-Expose-Query-Plan": "true"}
QUERY = "query Wares($n: Int) { products(first: $n) { name seller { name } } }"
DATA = {"products": [{"name": "Teapot", "seller": {"name": "Ani"}}]}
DEFERRED = '{ user(id: "u1") { name ... @defer { products { name } } } }'


def configure(**fields: Any) -> RouterConfig:
    return load_config(environ={}, overrides=fields)


DEVELOPMENT = configure(expose_query_plan="everybody")


def configure_over(subgraph_url: str) -> RouterConfig:
    urls = {name: [subgraph_url] for name in ("catalog", "accounts")}
    return configure(subgraph_urls=urls, expose_query_plan="everybody")


@pytest.fixture
def market() -> Market:
    return open_market()


@pytest.fixture
def issuer(tmp_path: Path) -> TokenIssuer:
    return TokenIssuer(tmp_path)


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield session


async def ask(http: aiohttp.ClientSession, url: str, query: str = QUERY, **headers: str) -> Any:
    body = {"query": query, "variables": {"n": 1} if query == QUERY else {}}
    async with http.post(url, json=body, headers={"accept": "application/json", **headers}) as response:
        return await response.json()


def without_times(plan: Mapping[str, Any]) -> dict[str, Any]:
    """Return *plan* without what differs from run to run, which is asserted to be there."""
    assert plan["durationMs"] > 0
    fetches = []
    for fetch in plan["fetches"]:
        if fetch["state"] != "skipped":
            assert fetch["startMs"] >= 0
            assert fetch["durationMs"] >= 0
            assert fetch["startMs"] + fetch["durationMs"] <= plan["durationMs"] + 0.002
        fetches.append({name: value for name, value in fetch.items() if name not in {"startMs", "durationMs"}})
    return {**{name: value for name, value in plan.items() if name != "durationMs"}, "fetches": fetches}


async def test_in_development_whoever_asks_gets_the_plan_and_how_it_went(
    http: aiohttp.ClientSession, market: Market
) -> None:
    async with running_market_router(market, DEVELOPMENT) as url:
        answer = await ask(http, url, **HEADER)
    assert answer["data"] == DATA
    told = without_times(answer["extensions"]["queryPlan"])
    plan = told.pop("plan")
    assert (plan["kind"], [node["kind"] for node in plan["nodes"]]) == ("Sequence", ["Fetch", "Flatten"])
    assert told == snapshot(
        {
            "version": 1,
            "operation": {"kind": "query", "name": "Wares"},
            "labels": [],
            "requests": 2,
            "depth": 2,
            "text": """\
Sequence
  Fetch(catalog) { products(first: $n) { name seller { __typename id } } }
  Flatten(products.@.seller)
    Fetch(accounts) { __typename id } => { ... on User { name } }\
""",
            "fetches": [
                {
                    "number": 1,
                    "subgraph": "catalog",
                    "state": "ok",
                    "representations": 0,
                    "shared": False,
                    "answerBytes": None,
                },
                {
                    "number": 2,
                    "subgraph": "accounts",
                    "state": "ok",
                    "representations": 1,
                    "shared": False,
                    "answerBytes": None,
                },
            ],
        }
    )


async def test_otherwise_admins_get_it_and_nobody_else_notices(
    http: aiohttp.ClientSession, market: Market, issuer: TokenIssuer
) -> None:
    admin, staff = (issuer.token("a1", roles=frozenset({role})) for role in (Role.ADMIN, Role.STAFF))
    customer = issuer.token("u1", "profile", roles=frozenset({Role.CUSTOMER}))
    async with running_market_router(market, configure(authentication=issuer.authentication)) as url:
        plain = await ask(http, url)
        assert plain == {"data": DATA}
        for headers in (
            {},
            {"authorization": f"Bearer {customer}"},
            {"authorization": f"Bearer {staff}"},
            {"cookie": f"pasar_access={customer}"},
        ):
            assert await ask(http, url, **HEADER, **headers) == plain
        for headers in ({"authorization": f"Bearer {admin}"}, {"cookie": f"pasar_access={admin}"}):
            assert await ask(http, url, **headers) == plain
            answer = await ask(http, url, **HEADER, **headers)
            assert answer["data"] == DATA
            assert [fetch["subgraph"] for fetch in answer["extensions"]["queryPlan"]["fetches"]] == [
                "catalog",
                "accounts",
            ]


@pytest.mark.parametrize("value", ["false", "1", "", "true, true", "yes"])
async def test_only_the_value_true_asks(http: aiohttp.ClientSession, market: Market, value: str) -> None:
    async with running_market_router(market, DEVELOPMENT) as url:
        assert await ask(http, url, **{"Pasar-Expose-Query-Plan": value}) == {"data": DATA}
        assert "extensions" in await ask(http, url, **{"pasar-expose-query-plan": " TRUE "})


async def test_it_can_be_kept_from_admins_too(http: aiohttp.ClientSession, market: Market, issuer: TokenIssuer) -> None:
    admin = {"authorization": f"Bearer {issuer.token(roles=frozenset({Role.ADMIN}))}"}
    config = configure(authentication=issuer.authentication, expose_query_plan="nobody")
    async with running_market_router(market, config) as url:
        assert await ask(http, url, **HEADER, **admin) == {"data": DATA}


async def test_a_refused_request_has_no_plan(http: aiohttp.ClientSession, market: Market) -> None:
    async with running_market_router(market, DEVELOPMENT) as url:
        for query in ("{", "{ nonsense }", "query ($n: Int!) { products(first: $n) { name } }"):
            assert set(await ask(http, url, query, **HEADER)) == {"errors"}
    assert market.request_counts == {"accounts": 0, "catalog": 0}


async def test_what_may_not_be_seen_is_not_in_the_plan(http: aiohttp.ClientSession, market: Market) -> None:
    async with running_market_router(market, DEVELOPMENT) as url:
        answer = await ask(http, url, "{ users { name email } me { name } }", **HEADER)
    assert [error["path"] for error in answer["errors"]] == [["users", 0, "email"], ["users", 1, "email"], ["me"]]
    told = answer["extensions"]["queryPlan"]
    assert told["text"] == "Fetch(accounts) { users { name } }"


async def test_it_has_no_values_of_variables_or_answers(http: aiohttp.ClientSession, market: Market) -> None:
    query = "query ($id: ID!) { product(id: $id) { seller { name products { id } } } fails }"
    body = {"query": query, "variables": {"id": "p1"}}
    async with (
        running_market_router(market, DEVELOPMENT) as url,
        http.post(url, json=body, headers=HEADER) as response,
    ):
        answer = await response.json()
    told = json.dumps(answer["extensions"]["queryPlan"])
    assert answer["data"]["product"] == {"seller": {"name": "Ani", "products": [{"id": "p1"}, {"id": "p3"}]}}
    assert [value for value in ('"p1"', "u1", "Ani", "hunter2") if value in told] == []


async def test_the_same_plan_serves_those_who_ask_and_those_who_do_not(
    http: aiohttp.ClientSession, market: Market
) -> None:
    app = build_app(DEVELOPMENT, supergraph_sdl=MARKET_SDL, transports=market.transports)
    async with running_router(app) as url:
        for headers in ({}, HEADER, {}):
            await ask(http, f"{url}/graphql", **headers)
    look_ups = [
        app.telemetry.registry.get_sample_value("pasar_router_operation_cache_total", {"event": event})
        for event in ("miss", "hit")
    ]
    assert look_ups == [1.0, 2.0]


async def test_identical_queries_share_requests_but_never_what_is_told_about_them(
    http: aiohttp.ClientSession,
) -> None:
    gate = asyncio.Event()
    body = b'{"data":{"products":[{"name":"Teapot"}]}}'

    async def answer(_: web.Request) -> web.Response:
        await gate.wait()
        return web.Response(body=body, content_type="application/json")

    async with serving(answer) as catalog, SubgraphSession() as session:
        config = configure_over(catalog.url)
        transports = build_http_transports(MARKET_SDL, config, session)
        app = build_app(config, supergraph_sdl=MARKET_SDL, transports=transports)

        async def all_have_come() -> bool:
            return app.telemetry.registry.get_sample_value("pasar_router_in_flight") == 4

        async with running_router(app) as url, asyncio.TaskGroup() as tasks:
            clients = []
            for headers in ({}, HEADER, {}, HEADER):
                asking = ask(http, f"{url}/graphql", "{ products { name } }", **headers)
                clients.append(tasks.create_task(asking))
                await asyncio.sleep(0)
            await eventually(all_have_come)
            gate.set()
            answers = [await client for client in clients]
        executions_joined = app.telemetry.registry.get_sample_value("pasar_router_operations_shared_total")
    plain = {"data": {"products": [{"name": "Teapot"}]}}
    assert [answers[0], answers[2]] == [plain, plain]
    told = [answers[position]["extensions"]["queryPlan"]["fetches"] for position in (1, 3)]
    assert [answers[position]["data"] for position in (1, 3)] == [plain["data"]] * 2
    assert (catalog.count, executions_joined) == (1, 1.0)
    assert [[fetch["answerBytes"] for fetch in fetches] for fetches in told] == [[len(body)]] * 2
    # Who came first made the request; at least one of these two was answered by somebody else's
    assert any(fetch["shared"] for fetches in told for fetch in fetches)


async def test_a_large_answer_has_its_plan_beside_it(http: aiohttp.ClientSession) -> None:
    name = "x" * LARGE_BYTES

    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"data": {"products": [{"name": name}]}})

    async with serving(answer) as catalog, SubgraphSession() as session:
        config = configure_over(catalog.url)
        transports = build_http_transports(MARKET_SDL, config, session)
        app = build_app(config, supergraph_sdl=MARKET_SDL, transports=transports)
        async with running_router(app) as url:
            told = await ask(http, f"{url}/graphql", "{ products { name } }", **HEADER)
    assert told["data"] == {"products": [{"name": name}]}
    [fetch] = told["extensions"]["queryPlan"]["fetches"]
    assert (fetch["state"], fetch["answerBytes"] > LARGE_BYTES) == ("ok", True)


async def test_of_an_answer_in_parts_the_last_one_has_the_plan(http: aiohttp.ClientSession, market: Market) -> None:
    headers = {**HEADER, "accept": "text/event-stream"}
    async with (
        running_market_router(market, DEVELOPMENT) as url,
        http.post(url, json={"query": DEFERRED}, headers=headers) as response,
    ):
        lines = (await response.text()).splitlines()
    first, last = [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: {")]
    assert (first["hasNext"], "extensions" in first, last["hasNext"]) == (True, False, False)
    told = without_times(last["extensions"]["queryPlan"])
    assert told["plan"]["kind"] == "Defer"
    assert [(fetch["number"], fetch["subgraph"], fetch["state"]) for fetch in told["fetches"]] == [
        (1, "accounts", "ok"),
        (2, "catalog", "ok"),
    ]


async def test_parts_over_multipart_have_it_too(http: aiohttp.ClientSession, market: Market) -> None:
    headers = {**HEADER, "accept": "multipart/mixed"}
    async with (
        running_market_router(market, DEVELOPMENT) as url,
        http.post(url, json={"query": DEFERRED}, headers=headers) as response,
    ):
        pieces = (await response.text()).split("\r\n---")
    assert ["queryPlan" in piece for piece in pieces if "hasNext" in piece] == [False, True]


@pytest.mark.parametrize("place", ["handshake", "payload", "payload.headers"])
async def test_over_a_websocket_every_answer_and_every_event_has_one(
    http: aiohttp.ClientSession, market: Market, issuer: TokenIssuer, place: str
) -> None:
    admin = {**HEADER, "Authorization": f"Bearer {issuer.token('a1', roles=frozenset({Role.ADMIN}))}"}
    payloads = {"handshake": {}, "payload": admin, "payload.headers": {"headers": admin}}
    config = configure(authentication=issuer.authentication)
    async with (
        running_market_router(market, config) as url,
        http.ws_connect(
            url, protocols=("graphql-transport-ws",), headers=admin if place == "handshake" else {}
        ) as socket,
    ):
        await socket.send_json({"type": "connection_init", "payload": payloads[place]})
        assert await socket.receive_json() == {"type": "connection_ack"}
        query = "subscription { priceChanges { seller { name } } }"
        await socket.send_json({"type": "subscribe", "id": "1", "payload": {"query": query}})
        events = [(await socket.receive_json())["payload"] for _ in range(3)]
        assert (await socket.receive_json())["type"] == "complete"
        await socket.send_json({"type": "subscribe", "id": "2", "payload": {"query": "{ users { name } }"}})
        answer = (await socket.receive_json())["payload"]
    assert [event["data"]["priceChanges"]["seller"]["name"] for event in events] == ["Ani", "Budi", "Ani"]
    for event in events:
        told = event["extensions"]["queryPlan"]
        assert [(fetch["subgraph"], fetch["representations"]) for fetch in told["fetches"]] == [
            ("catalog", 0),
            ("accounts", 1),
        ]
        # The event itself took no time: the clock starts when it arrives
        assert told["fetches"][0]["durationMs"] < told["fetches"][1]["durationMs"]
    assert answer["extensions"]["queryPlan"]["text"] == "Fetch(accounts) { users { name } }"


async def test_a_page_of_an_allowed_origin_may_send_the_header(http: aiohttp.ClientSession, market: Market) -> None:
    asked = {
        "origin": "https://dev.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type, pasar-expose-query-plan",
    }
    async with (
        running_market_router(market, configure(cors={"origins": ["https://dev.example"]})) as url,
        http.options(url, headers=asked) as response,
    ):
        allowed = response.headers["access-control-allow-headers"]
    assert allowed == "content-type, pasar-expose-query-plan"
