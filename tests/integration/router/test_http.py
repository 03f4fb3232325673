import json
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from router.app import build_app
from router.config import RouterConfig, load_config
from tests.testkit.market import MARKET_SDL, Market, open_market
from tests.testkit.router_server import running_market_router, running_router
from tests.testkit.router_tokens import TokenIssuer

GRAPHQL = "application/graphql-response+json"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def configure(**fields: Any) -> RouterConfig:
    return load_config(environ={}, overrides=fields)


@pytest.fixture
def market() -> Market:
    return open_market()


@pytest.fixture
async def url(market: Market) -> AsyncIterator[str]:
    async with running_market_router(market) as url:
        yield url


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield session


class Reply:
    """A response, read."""

    def __init__(self, response: aiohttp.ClientResponse, body: bytes) -> None:
        self.status = response.status
        self.headers = response.headers
        self.text = body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def codes(self) -> list[str]:
        return [error["extensions"]["code"] for error in self.json["errors"]]


async def request(
    http: aiohttp.ClientSession, method: str, url: str, *, headers: Mapping[str, str] | None = None, **body: Any
) -> Reply:
    async with http.request(method, url, headers=headers, allow_redirects=False, **body) as response:
        return Reply(response, await response.read())


async def post(http: aiohttp.ClientSession, url: str, query: str, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await request(http, "POST", url, headers=named, json={"query": query})


async def test_a_query_is_answered(http: aiohttp.ClientSession, url: str) -> None:
    reply = await post(http, url, "{ products(first: 1) { name } }")
    assert reply.status == 200
    assert reply.json == {"data": {"products": [{"name": "Teapot"}]}}
    assert reply.headers["content-type"] == "application/json; charset=utf-8"
    assert reply.headers["cache-control"] == "no-store"
    assert len(reply.headers["x-request-id"]) == 16


async def test_a_proxy_names_the_request_unless_the_name_is_no_name(http: aiohttp.ClientSession, url: str) -> None:
    assert (await post(http, url, "{ __typename }", x_request_id="abc-1")).headers["x-request-id"] == "abc-1"
    assert (await post(http, url, "{ __typename }", x_request_id="a b")).headers["x-request-id"] != "a b"


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("{", 400, "GRAPHQL_PARSE_FAILED"),
        ("{ nonsense }", 400, "GRAPHQL_VALIDATION_FAILED"),
        ("query ($n: Int!) { products(first: $n) { id } }", 400, "BAD_USER_INPUT"),
        ("query A { __typename } query B { __typename }", 400, "OPERATION_RESOLUTION_FAILURE"),
    ],
)
async def test_a_refused_document_has_a_status_for_those_who_accept_the_newer_media_type(
    http: aiohttp.ClientSession, url: str, query: str, status: int, code: str
) -> None:
    newer = await post(http, url, query, accept=GRAPHQL)
    assert (newer.status, newer.codes) == (status, [code])
    assert newer.headers["content-type"] == f"{GRAPHQL}; charset=utf-8"
    assert "data" not in newer.json
    older = await post(http, url, query, accept="application/json")
    assert (older.status, older.codes) == (200, [code])


async def test_partial_success_is_success(http: aiohttp.ClientSession, url: str) -> None:
    reply = await post(http, url, "{ me { id } products { id } }", accept=GRAPHQL)
    assert (reply.status, reply.codes) == (200, ["UNAUTHENTICATED"])


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("{ nonsense }", 422),
        ("query ($n: Int!) { products(first: $n) { id } }", 422),
        ("{", 400),
        ("{ me { id } }", 294),
    ],
)
async def test_the_newest_draft_has_statuses_of_its_own(
    http: aiohttp.ClientSession, market: Market, query: str, status: int
) -> None:
    async with running_market_router(market, configure(status_codes="draft")) as url:
        assert (await post(http, url, query, accept=GRAPHQL)).status == status
        assert (await post(http, url, query, accept="application/json")).status == 200


@pytest.mark.parametrize(
    ("method", "status", "allow"), [("PUT", 405, "GET, POST, OPTIONS"), ("OPTIONS", 405, "GET, POST, OPTIONS")]
)
async def test_other_methods_are_not_allowed(
    http: aiohttp.ClientSession, url: str, method: str, status: int, allow: str
) -> None:
    reply = await request(http, method, url)
    assert (reply.status, reply.headers["allow"], reply.codes) == (status, allow, ["BAD_REQUEST"])


async def test_a_mutation_over_get_is_not_allowed(http: aiohttp.ClientSession, url: str, market: Market) -> None:
    reply = await request(http, "GET", f"{url}?query=mutation%7Blogin(name:%22x%22)%7D")
    assert (reply.status, reply.headers["allow"]) == (405, "POST")
    assert market.request_counts == {"accounts": 0, "catalog": 0}


async def test_nothing_that_we_could_answer_in_is_not_acceptable(http: aiohttp.ClientSession, url: str) -> None:
    reply = await post(http, url, "{ __typename }", accept="image/png")
    assert (reply.status, reply.codes) == (406, ["BAD_REQUEST"])


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded"])
async def test_what_a_page_can_post_without_a_preflight_is_refused(
    http: aiohttp.ClientSession, url: str, market: Market, content_type: str
) -> None:
    body = json.dumps({"query": 'mutation { login(name: "x") }'}).encode()
    reply = await request(http, "POST", url, headers={"content-type": content_type}, data=body)
    assert (reply.status, reply.codes) == (415, ["BAD_REQUEST"])
    assert market.request_counts == {"accounts": 0, "catalog": 0}


async def test_a_body_beyond_the_limit_is_too_large(http: aiohttp.ClientSession, market: Market) -> None:
    async with running_market_router(market, configure(limits={"max_body_bytes": 100})) as url:
        assert (await post(http, url, "{ __typename }")).status == 200
        announced = await post(http, url, "{ __typename }" + " " * 100)

        async def chunks() -> AsyncIterator[bytes]:
            for _ in range(20):
                yield b" " * 10

        headers = {"content-type": "application/json"}
        streamed = await request(http, "POST", url, headers=headers, data=chunks())
    assert [(reply.status, reply.codes) for reply in (announced, streamed)] == [(413, ["BAD_REQUEST"])] * 2


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"query": 1}', b"{}"])
async def test_a_body_that_is_no_graphql_request_is_a_bad_request(
    http: aiohttp.ClientSession, url: str, body: bytes
) -> None:
    for accept in ("application/json", GRAPHQL):
        headers = {"content-type": "application/json", "accept": accept}
        reply = await request(http, "POST", url, headers=headers, data=body)
        assert (reply.status, reply.codes) == (400, ["BAD_REQUEST"])


async def test_a_query_over_get_is_answered_but_not_to_other_sites(http: aiohttp.ClientSession, url: str) -> None:
    address = f"{url}?query=query($n:Int)%7Bproducts(first:$n)%7Bid%7D%7D&variables=%7B%22n%22:1%7D"
    assert (await request(http, "GET", address)).json == {"data": {"products": [{"id": "p1"}]}}
    foreign = await request(http, "GET", address, headers={"sec-fetch-site": "cross-site"})
    assert (foreign.status, foreign.codes) == (400, ["BAD_REQUEST"])


async def test_cors_is_for_the_configured_origins(http: aiohttp.ClientSession, market: Market) -> None:
    shop = "https://shop.example"
    asked = {"origin": shop, "access-control-request-method": "POST", "access-control-request-headers": "content-type"}
    async with running_market_router(market, configure(cors={"origins": [shop]})) as url:
        granted = await request(http, "OPTIONS", url, headers=asked)
        refused = await request(http, "OPTIONS", url, headers={**asked, "origin": "https://evil.example"})
        answered = await post(http, url, "{ __typename }", origin=shop)
    assert (granted.status, granted.headers["access-control-allow-origin"]) == (204, shop)
    assert (refused.status, "access-control-allow-origin" in refused.headers) == (204, False)
    assert answered.headers["access-control-allow-origin"] == shop


async def test_a_browser_gets_the_page_and_everybody_else_does_not(
    http: aiohttp.ClientSession, market: Market, tmp_path: Path
) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<html>GraphiQL</html>")
    (tmp_path / "assets" / "index.js").write_text("1;")
    app = build_app(RouterConfig(), supergraph_sdl=MARKET_SDL, transports=market.transports, graphiql_folder=tmp_path)
    async with running_router(app) as base:
        page = await request(http, "GET", f"{base}/graphql", headers={"accept": BROWSER})
        script = await request(http, "GET", f"{base}/_graphiql/assets/index.js")
        tool = await request(http, "GET", f"{base}/graphql", headers={"accept": "application/json"})
        query = await request(http, "GET", f"{base}/graphql?query=%7B__typename%7D", headers={"accept": BROWSER})
        home = await request(http, "GET", base)
    assert (page.status, page.text) == (200, "<html>GraphiQL</html>")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert (script.status, script.text) == (200, "1;")
    assert tool.status == 400
    assert query.json == {"data": {"__typename": "Query"}}
    assert (home.status, home.headers["location"]) == (307, "/graphql")


async def test_the_page_can_be_switched_off(http: aiohttp.ClientSession, market: Market) -> None:
    async with running_market_router(market, configure(graphiql=False)) as url:
        assert (await request(http, "GET", url, headers={"accept": BROWSER})).status == 400


async def test_health_is_readiness_once_a_supergraph_is_loaded(http: aiohttp.ClientSession, market: Market) -> None:
    app = build_app(RouterConfig())
    async with running_router(app) as base:
        assert (await request(http, "GET", f"{base}/health/live")).json == {"status": "ok"}
        assert (await request(http, "GET", f"{base}/health/ready")).status == 503
        assert (await post(http, f"{base}/graphql", "{ __typename }")).status == 503
        app.load_supergraph(MARKET_SDL, market.transports)
        assert (await request(http, "GET", f"{base}/health/ready")).json == {"status": "ok"}
        assert (await post(http, f"{base}/graphql", "{ __typename }")).status == 200
        app.closing.begin()
        assert (await request(http, "GET", f"{base}/health/ready")).status == 503


async def test_metrics_are_served(http: aiohttp.ClientSession, url: str) -> None:
    await post(http, url, "{ __typename }")
    reply = await request(http, "GET", url.replace("/graphql", "/metrics"))
    assert 'pasar_router_operations_total{kind="query",outcome="ok"} 1.0' in reply.text


async def test_unknown_paths_are_not_found(http: aiohttp.ClientSession, url: str) -> None:
    assert (await request(http, "GET", f"{url}/more")).status == 404


def believing(issuer: TokenIssuer) -> RouterConfig:
    return configure(authentication={**issuer.authentication, "cookie_setting_subgraphs": ["accounts"]})


async def test_a_token_in_header_or_cookie_tells_who_is_asking(
    http: aiohttp.ClientSession, market: Market, tmp_path: Path
) -> None:
    issuer = TokenIssuer(tmp_path)
    query = "{ me { name email } }"
    expected = {"data": {"me": {"name": "Ani", "email": "ani@example.org"}}}
    async with running_market_router(market, believing(issuer)) as url:
        bearer = await post(http, url, query, authorization=f"Bearer {issuer.token('u1', 'profile')}")
        cookie = await post(http, url, query, cookie=f"pasar_access={issuer.token('u1', 'profile')}")
        foreign = await request(
            http,
            "GET",
            f"{url}?query=%7Bme%7Bname%7D%7D",
            headers={"cookie": f"pasar_access={issuer.token('u1', 'profile')}"},
        )
    assert bearer.json == cookie.json == expected
    assert (foreign.status, foreign.codes) == (400, ["BAD_REQUEST"])


@pytest.mark.parametrize("accept", ["application/json", GRAPHQL])
async def test_an_expired_token_is_unauthorised_for_every_client(
    http: aiohttp.ClientSession, market: Market, tmp_path: Path, accept: str
) -> None:
    issuer = TokenIssuer(tmp_path)
    async with running_market_router(market, believing(issuer)) as url:
        old = issuer.token(age=timedelta(hours=1))
        reply = await post(http, url, "{ users { id } }", authorization=f"Bearer {old}", accept=accept)
    assert (reply.status, reply.codes) == (401, ["UNAUTHENTICATED"])
    assert reply.headers["www-authenticate"].startswith('Bearer error="invalid_token"')
    assert market.request_counts == {"accounts": 0, "catalog": 0}


@pytest.mark.parametrize(
    ("name", "forgotten"),
    [
        ("pasar_access", "pasar_access=; Path=/; SameSite=Lax; Max-Age=0; HttpOnly"),
        ("__Host-pasar_access", "__Host-pasar_access=; Path=/; SameSite=Lax; Max-Age=0; HttpOnly; Secure"),
    ],
)
async def test_a_cookie_whose_token_is_refused_is_removed_so_that_a_browser_can_get_another(
    http: aiohttp.ClientSession, market: Market, tmp_path: Path, name: str, forgotten: str
) -> None:
    issuer = TokenIssuer(tmp_path)
    authentication = {**issuer.authentication, "cookie_setting_subgraphs": ["accounts"], "cookie_name": name}
    cookie, old = f"{name}=no token", issuer.token(age=timedelta(hours=1))
    login = 'mutation { login(name: "x") }'
    async with running_market_router(market, configure(authentication=authentication)) as url:
        refused = await post(http, url, login, cookie=cookie)
        by_header = await post(http, url, login, cookie=cookie, authorization=f"Bearer {old}")
        allowed = await post(http, url, login, cookie=f"{name}={issuer.token()}")
    assert (refused.status, refused.codes) == (401, ["UNAUTHENTICATED"])
    assert refused.headers.getall("set-cookie") == [forgotten]
    # Another token was refused than the cookie's
    assert (by_header.status, by_header.headers.getall("set-cookie", [])) == (401, [])
    assert (allowed.status, allowed.headers.getall("set-cookie", [])) == (200, [])
    assert market.request_counts == {"accounts": 1, "catalog": 0}


async def test_a_login_sets_a_cookie(http: aiohttp.ClientSession, market: Market, tmp_path: Path) -> None:
    market.accounts.extensions = {
        "pasar": {"setCookies": [{"name": "a", "value": "1"}, {"name": "b", "value": "2", "max_age_s": 60}]}
    }
    async with running_market_router(market, believing(TokenIssuer(tmp_path))) as url:
        reply = await post(http, url, 'mutation { login(name: "x") }')
    assert reply.headers.getall("set-cookie") == [
        "a=1; Path=/; SameSite=Lax; HttpOnly; Secure",
        "b=2; Path=/; SameSite=Lax; Max-Age=60; HttpOnly; Secure",
    ]
    assert reply.json == {"data": {"login": "token-of-x"}}


async def test_who_asks_too_often_is_told_when_to_come_back(http: aiohttp.ClientSession, market: Market) -> None:
    async with running_market_router(market, configure(rate={"per_address": "1/hour"})) as url:
        first = await post(http, url, "{ __typename }")
        second = await post(http, url, "{ __typename }")
    assert (first.status, second.status, second.codes) == (200, 429, ["RATE_LIMITED"])
    assert int(second.headers["retry-after"]) >= 1


async def test_a_subscription_is_a_stream_of_events(http: aiohttp.ClientSession, url: str, market: Market) -> None:
    reply = await post(http, url, "subscription { ticks(count: 2) }", accept="text/event-stream")
    assert (reply.status, reply.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    assert reply.text == (
        ":\n\n"
        'event: next\ndata: {"data":{"ticks":0}}\n\n'
        'event: next\ndata: {"data":{"ticks":1}}\n\n'
        "event: complete\ndata: \n\n"
    )
    assert market.catalog.open_streams == 0


async def test_a_query_to_a_client_that_wants_a_stream_is_a_stream_of_one(
    http: aiohttp.ClientSession, url: str
) -> None:
    reply = await post(http, url, "{ __typename }", accept="text/event-stream")
    assert reply.text == 'event: next\ndata: {"data":{"__typename":"Query"}}\n\nevent: complete\ndata: \n\n'
    refused = await post(http, url, "{ nonsense }", accept="text/event-stream")
    assert refused.status == 200
    assert '"code":"GRAPHQL_VALIDATION_FAILED"' in refused.text
    unauthorised = await post(http, url, "{ __typename }", accept="text/event-stream", authorization="Bearer x")
    assert (unauthorised.status, unauthorised.codes) == (401, ["UNAUTHENTICATED"])


async def test_a_subscription_without_a_stream_is_not_acceptable(
    http: aiohttp.ClientSession, url: str, market: Market
) -> None:
    reply = await post(http, url, "subscription { ticks(count: 2) }")
    assert (reply.status, reply.codes) == (406, ["BAD_REQUEST"])
    assert market.request_counts == {"accounts": 0, "catalog": 0}


async def test_a_client_that_goes_away_closes_the_subgraphs_stream(
    http: aiohttp.ClientSession, url: str, market: Market
) -> None:
    body = {"query": "subscription { ticks(count: 1000) }"}
    async with http.post(url, json=body, headers={"accept": "text/event-stream"}) as response:
        await response.content.readuntil(b'{"data":{"ticks":99}}\n\n')
        assert market.catalog.open_streams == 1
        response.close()
    await market.catalog.stream_closed.wait()
    assert market.catalog.open_streams == 0


async def test_a_silent_stream_gets_signs_of_life(http: aiohttp.ClientSession, market: Market) -> None:
    body = {"query": "subscription { ticks(count: 1000) }"}
    async with (
        running_market_router(market, configure(subscriptions={"keepalive_s": 0.01})) as url,
        http.post(url, json=body, headers={"accept": "text/event-stream"}) as response,
    ):
        await response.content.readuntil(b'{"data":{"ticks":99}}\n\n')
        assert await response.content.readuntil(b"\n\n") == b":\n\n"
        response.close()


async def test_streams_end_when_the_router_goes_down(http: aiohttp.ClientSession, market: Market) -> None:
    app = build_app(RouterConfig(), supergraph_sdl=MARKET_SDL, transports=market.transports)
    body = {"query": "subscription { ticks(count: 1000) }"}
    async with (
        running_router(app) as base,
        http.post(f"{base}/graphql", json=body, headers={"accept": "text/event-stream"}) as response,
    ):
        await response.content.readuntil(b'{"data":{"ticks":99}}\n\n')
        app.closing.begin()
        assert await response.content.read() == b"event: complete\ndata: \n\n"
    assert market.catalog.open_streams == 0
