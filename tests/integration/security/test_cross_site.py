"""What a page of another site can do with a visitor's cookies: nothing. And what it must not cost everybody else."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from router.app import build_app
from router.auth import build_authenticator
from router.config import RouterConfig
from router.transports.in_process import InProcessTransport
from tests.integration.security.world import World, execute_for_router
from tests.testkit.asgi_server import running_asgi
from tests.testkit.shop import ANI

EVIL = "https://evil.example"
APP = "https://app.example"
CHANGE = 'mutation { updateProfile(input: {name: "Hijacked"}) { __typename } }'
ME = "{ me { id email } }"
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Victim:
    """A router as the store configures it, and a browser that has ANI's cookies for it."""

    world: World
    url: str
    refresh_token: str

    @property
    def cookie(self) -> str:
        return f"pasar_access={self.world.token(ANI)}; pasar_refresh={self.refresh_token}"

    async def send(
        self, method: str = "POST", body: bytes | None = None, query: str = "", **headers: str
    ) -> tuple[int, Any]:
        """Send a request with ANI's cookies; header names are written with underscores."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with (
            aiohttp.ClientSession(skip_auto_headers=("content-type",)) as http,
            http.request(method, f"{self.url}{query}", data=body, headers={"cookie": self.cookie, **named}) as answer,
        ):
            text = await answer.text()
            return answer.status, json.loads(text) if text.startswith("{") else text


@pytest.fixture(scope="module")
async def victim(world: World) -> AsyncIterator[Victim]:
    user = world.subgraphs["user"]
    config = RouterConfig.model_validate(
        {
            "authentication": {
                "jwks_file": world.config.authentication.jwks_file,
                "cookie_setting_subgraphs": ["user"],
            },
            "cors": {"origins": [APP]},
        }
    )
    app = build_app(
        config,
        supergraph_sdl=world.supergraph_sdl,
        transports={name: InProcessTransport(execute_for_router(each)) for name, each in world.subgraphs.items()},
        authenticator=build_authenticator(config.authentication, now=world.clock.now),
    )
    database = user.runtime.database
    async with running_asgi(app) as base:
        login = {"email": "ani@example.org", "password": PASSWORD, "transport": "BEARER"}
        document = "mutation($input: LoginInput!) { login(input: $input) { ... on AuthSession { refreshToken } } }"
        async with (
            aiohttp.ClientSession() as http,
            http.post(f"{base}/graphql", json={"query": document, "variables": {"input": login}}) as answer,
        ):
            token = (await answer.json())["data"]["login"]["refreshToken"]
        yield Victim(world, f"{base}/graphql", token)
    for collection in ("sessions", "refresh_tokens"):
        await database[collection].delete_many({})


PASSWORD = "correct horse battery"


def body(document: str) -> bytes:
    return json.dumps({"query": document}).encode()


MULTIPART = (
    b'--x\r\ncontent-disposition: form-data; name="operations"\r\n\r\n'
    + body(CHANGE)
    + b"\r\n--x\r\ncontent-disposition:"
    b' form-data; name="map"\r\n\r\n{}\r\n--x--\r\n'
)

# What a page can make a browser send without asking first: a form, an image, a fetch in mode no-cors, a beacon
SIMPLE: dict[str, tuple[str, bytes | None, str, dict[str, str]]] = {
    "a form as text": ("POST", body(CHANGE), "", {"content_type": "text/plain"}),
    "a form as text that looks like JSON": ("POST", body(CHANGE), "", {"content_type": "text/plain; application/json"}),
    "a form": ("POST", b"query=" + CHANGE.encode(), "", {"content_type": "application/x-www-form-urlencoded"}),
    "a form with a file": ("POST", MULTIPART, "", {"content_type": "multipart/form-data; boundary=x"}),
    "a blob without a type": ("POST", body(CHANGE), "", {}),
    "a beacon of a browser with a gap": ("POST", body(CHANGE), "", {"content_type": JSON}),
    "an image": ("GET", None, f"?query={ME}", {"accept": "image/*"}),
    "a script": ("GET", None, f"?query={ME}", {"accept": "*/*"}),
    "an event source": ("GET", None, f"?query={ME}", {"accept": "text/event-stream"}),
    "a mutation in an image": ("GET", None, f"?query={CHANGE}", {"accept": "*/*"}),
}
# How browsers tell where it comes from; the first is one that is older than both headers, which still has the rest
TELLING: dict[str, dict[str, str]] = {
    "an old browser": {},
    "a browser that names the origin": {"origin": EVIL},
    "a browser that hides the origin": {"origin": "null"},
    "a browser that names the site": {"origin": EVIL, "sec_fetch_site": "cross-site"},
    "a sibling site": {"origin": "https://blog.example", "sec_fetch_site": "same-site"},
}


# Without either header a beacon looks like a program's request; a browser so old knows no beacons
ATTACKS = [(a, t) for a in SIMPLE for t in TELLING if (a, TELLING[t]) != ("a beacon of a browser with a gap", {})]


@pytest.mark.parametrize(("attack", "telling"), ATTACKS)
async def test_a_page_of_another_site_reads_and_changes_nothing(victim: Victim, attack: str, telling: str) -> None:
    method, payload, query, headers = SIMPLE[attack]
    before = await victim.world.snapshot()
    status, answer = await victim.send(method, payload, query, **headers, **TELLING[telling])
    assert status in {400, 405, 406, 415}, answer
    assert "data" not in answer
    assert "usr_ani" not in str(answer)
    assert await victim.world.snapshot() == before


@pytest.mark.parametrize("mutation", ["refresh { __typename }", "logout"])
async def test_a_refresh_token_alone_is_a_login_too(victim: Victim, mutation: str) -> None:
    before = await victim.world.snapshot()
    headers = {"content_type": JSON, "origin": EVIL, "sec_fetch_site": "cross-site"}
    cookie = f"pasar_refresh={victim.refresh_token}"
    status, answer = await victim.send("POST", body(f"mutation {{ {mutation} }}"), cookie=cookie, **headers)
    assert (status, "data" in answer) == (400, False)
    assert await victim.world.snapshot() == before


async def test_a_preflight_of_another_site_is_not_granted(victim: Victim) -> None:
    asked = {
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type,apollo-require-preflight,authorization",
    }
    async with aiohttp.ClientSession() as http:
        async with http.options(victim.url, headers={"origin": EVIL, **asked}) as answer:
            assert [name for name in answer.headers if name.lower().startswith("access-control-")] == []
        async with http.options(victim.url, headers={"origin": APP, **asked}) as answer:
            assert answer.headers["access-control-allow-origin"] == APP
            assert answer.headers["access-control-allow-credentials"] == "true"


@pytest.mark.parametrize("origin", [EVIL, "null", "http://127.0.0.1:1"])
async def test_a_page_of_another_site_opens_no_websocket(victim: Victim, origin: str) -> None:
    async with aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
            await http.ws_connect(
                victim.url, protocols=("graphql-transport-ws",), headers={"origin": origin, "cookie": victim.cookie}
            )
    assert refusal.value.status == 403


async def ask_over_websocket(victim: Victim, document: str, **headers: str) -> Any:
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(victim.url, protocols=("graphql-transport-ws",), headers=headers) as socket,
    ):
        await socket.send_json({"type": "connection_init"})
        assert (await socket.receive_json())["type"] == "connection_ack"
        await socket.send_json({"type": "subscribe", "id": "1", "payload": {"query": document}})
        return (await socket.receive_json())["payload"]


async def test_a_websocket_of_our_own_page_is_its_visitors(victim: Victim) -> None:
    own = victim.url.removesuffix("/graphql")
    answer = await ask_over_websocket(victim, "{ me { id } }", origin=own, cookie=victim.cookie)
    assert answer == {"data": {"me": {"id": "usr_ani"}}}


async def test_a_refresh_over_a_websocket_uses_up_no_cookie(victim: Victim) -> None:
    # The new one could not be set
    before = await victim.world.snapshot()
    answer = await ask_over_websocket(victim, "mutation { refresh { __typename } }", cookie=victim.cookie)
    assert answer == {"data": {"refresh": {"__typename": "InvalidRefreshTokenProblem"}}}
    assert await victim.world.snapshot() == before


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_site": "same-origin"},
        {"sec_fetch_site": "none"},
        {"origin": "own"},
        {"origin": APP, "sec_fetch_site": "cross-site"},
        {},
    ],
    ids=["our page", "the address bar", "our page in an older browser", "a page that may", "a program"],
)
async def test_our_own_pages_are_not_hindered(victim: Victim, headers: dict[str, str]) -> None:
    named = {name: victim.url.removesuffix("/graphql") if value == "own" else value for name, value in headers.items()}
    status, answer = await victim.send("POST", body("{ me { id } }"), content_type=JSON, **named)
    assert (status, answer) == (200, {"data": {"me": {"id": "usr_ani"}}})


@pytest.mark.parametrize("headers", [{}, {"origin": EVIL, "sec-fetch-site": "cross-site"}, {"origin": "null"}])
async def test_whoever_carries_the_token_themselves_is_not_hindered(victim: Victim, headers: dict[str, str]) -> None:
    # A page of another site has no token of a visitor's. What it may read of the answer, CORS decides
    bearer = {"authorization": f"Bearer {victim.world.token(ANI)}", **headers}
    async with aiohttp.ClientSession() as http:
        async with http.post(victim.url, json={"query": "{ me { id } }"}, headers=bearer) as answer:
            assert await answer.json() == {"data": {"me": {"id": "usr_ani"}}}
            assert "access-control-allow-origin" not in answer.headers
        preflighted = {**bearer, "apollo-require-preflight": "1"}
        async with http.get(victim.url, params={"query": "{ me { id } }"}, headers=preflighted) as answer:
            assert await answer.json() == {"data": {"me": {"id": "usr_ani"}}}
