"""Subscriptions end with the token that they were opened with, over WebSocket and as server-sent events."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from core.identity import Identity
from core.tokens import LEEWAY_S, AccessTokenIssuer, generate_private_key, load_signing_key
from router.app import build_app
from router.auth import build_authenticator
from router.config import AuthenticationConfig, RouterConfig
from router.revocations import Revocation, Revocations
from tests.testkit.market import MARKET_SDL, Market, open_market
from tests.testkit.revocation_feed import MemoryFeed
from tests.testkit.router_server import running_router

TTL_S = 600
# Never comes to its end by itself
TICKS = "subscription { ticks(count: 1000) }"
REVOKED = {"message": "the access token has been revoked", "extensions": {"code": "UNAUTHENTICATED"}}
EXPIRED = {"message": "the access token has expired", "extensions": {"code": "UNAUTHENTICATED"}}


def now() -> datetime:
    return datetime.now(UTC)


class Setting:
    """A router over the market that believes an issuer with a list of revocations."""

    def __init__(self, folder: Path) -> None:
        self.market: Market = open_market()
        self.feed = MemoryFeed()
        key = load_signing_key(generate_private_key("EdDSA"), "EdDSA")
        self._issuer = AccessTokenIssuer(key, issuer="pasar", audience="pasar", ttl_s=TTL_S)
        (folder / "jwks.json").write_text(json.dumps(self._issuer.jwks()))
        self.config = RouterConfig(authentication=AuthenticationConfig(jwks_file=folder / "jwks.json"))
        self.revocations = Revocations(self.feed, every_s=3600, now=now)
        self.url = ""

    def token(self, session_id: str, *, left: timedelta = timedelta(seconds=TTL_S)) -> str:
        """Return a token that is refused in *left*."""
        issued_at = now() + left - timedelta(seconds=TTL_S + LEEWAY_S)
        return self._issuer.issue(Identity("u1", token_id=f"{session_id}.0.a"), now=issued_at)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Setting"]:
        authenticator = build_authenticator(self.config.authentication, revocations=self.revocations)
        app = build_app(
            self.config, supergraph_sdl=MARKET_SDL, transports=self.market.transports, authenticator=authenticator
        )
        async with running_router(app) as url:
            self.url = f"{url}/graphql"
            yield self

    async def revoke(self, session_id: str) -> None:
        self.feed.add(Revocation(session_id, now().timestamp() + 900))
        await self.revocations.read()


@pytest.fixture
async def setting(tmp_path: Path) -> AsyncIterator[Setting]:
    async with Setting(tmp_path).running() as running:
        yield running


@asynccontextmanager
async def websocket(setting: Setting, token: str) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(setting.url, protocols=("graphql-transport-ws",)) as socket,
    ):
        await socket.send_json({"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}})
        assert await socket.receive_json() == {"type": "connection_ack"}
        yield socket


async def subscribe(socket: aiohttp.ClientWebSocketResponse, id_: str = "1", query: str = TICKS) -> None:
    """Subscribe and take the events until it stays silent."""
    await socket.send_json({"type": "subscribe", "id": id_, "payload": {"query": query}})
    for number in range(100):
        assert await socket.receive_json() == {"type": "next", "id": id_, "payload": {"data": {"ticks": number}}}


async def test_a_subscription_over_websocket_ends_when_its_session_is_revoked(setting: Setting) -> None:
    async with websocket(setting, setting.token("ses_1")) as one, websocket(setting, setting.token("ses_2")) as other:
        await subscribe(one)
        await subscribe(other)
        assert setting.market.catalog.open_streams == 2
        await setting.revoke("ses_1")
        assert await one.receive_json() == {"type": "error", "id": "1", "payload": [REVOKED]}
        await setting.market.catalog.stream_closed.wait()
        assert setting.market.catalog.open_streams == 1
        # The connection knows no other token, so that nothing can be asked over it any more
        await one.send_json({"type": "subscribe", "id": "2", "payload": {"query": "{ __typename }"}})
        assert await one.receive_json() == {"type": "error", "id": "2", "payload": [REVOKED]}
        await other.send_json({"type": "subscribe", "id": "2", "payload": {"query": "{ __typename }"}})
        assert (await other.receive_json())["payload"] == {"data": {"__typename": "Query"}}


async def test_a_subscription_over_websocket_ends_when_its_token_expires(setting: Setting) -> None:
    async with websocket(setting, setting.token("ses_1", left=timedelta(seconds=2))) as socket:
        await socket.send_json({"type": "subscribe", "id": "1", "payload": {"query": TICKS}})
        while (message := await socket.receive_json())["type"] == "next":
            pass
        assert message == {"type": "error", "id": "1", "payload": [EXPIRED]}
    assert setting.market.catalog.open_streams == 0


@asynccontextmanager
async def events(setting: Setting, token: str | None) -> AsyncIterator[aiohttp.StreamReader]:
    headers = {"accept": "text/event-stream"} | ({"authorization": f"Bearer {token}"} if token else {})
    async with (
        aiohttp.ClientSession() as http,
        http.post(setting.url, json={"query": TICKS}, headers=headers) as answer,
    ):
        assert answer.status == 200
        yield answer.content


async def data_of(stream: aiohttp.StreamReader) -> Any:
    """Return the data of the next event that has some."""
    while True:
        line = await stream.readline()
        assert line, "the stream has ended"
        if line.startswith(b"data: {"):
            return json.loads(line.removeprefix(b"data: "))


async def test_an_event_stream_ends_when_its_session_is_revoked(setting: Setting) -> None:
    async with events(setting, setting.token("ses_1")) as stream:
        for number in range(100):
            assert await data_of(stream) == {"data": {"ticks": number}}
        await setting.revoke("ses_1")
        assert await data_of(stream) == {"errors": [REVOKED]}
        assert await stream.read() == b"\nevent: complete\ndata: \n\n"
    assert setting.market.catalog.open_streams == 0


async def test_an_event_stream_ends_when_its_token_expires(setting: Setting) -> None:
    async with events(setting, setting.token("ses_1", left=timedelta(seconds=2))) as stream:
        while "errors" not in (event := await data_of(stream)):
            pass
        assert event == {"errors": [EXPIRED]}
        assert await stream.read() == b"\nevent: complete\ndata: \n\n"
    assert setting.market.catalog.open_streams == 0


async def test_a_subscription_without_a_token_has_no_end_of_its_own(setting: Setting) -> None:
    async with events(setting, None) as stream:
        for number in range(100):
            assert await data_of(stream) == {"data": {"ticks": number}}
        await setting.revoke("ses_1")
        assert setting.market.catalog.open_streams == 1
    await setting.market.catalog.stream_closed.wait()


async def test_a_subscription_that_comes_to_its_end_is_no_longer_watched(setting: Setting) -> None:
    async with websocket(setting, setting.token("ses_1")) as socket:
        await socket.send_json(
            {"type": "subscribe", "id": "1", "payload": {"query": "subscription { ticks(count: 1) }"}}
        )
        assert (await socket.receive_json())["payload"] == {"data": {"ticks": 0}}
        assert await socket.receive_json() == {"type": "complete", "id": "1"}
        assert setting.revocations._watchers == {}


async def test_a_router_reads_its_list_as_long_as_it_runs(tmp_path: Path) -> None:
    setting = Setting(tmp_path)
    setting.revocations = Revocations(setting.feed, every_s=0.001, now=now)
    async with setting.running(), asyncio.timeout(30):
        while len(setting.feed.asked) < 3:  # noqa: ASYNC110  # the list has no Event to wait for
            await asyncio.sleep(0.001)
    asked = len(setting.feed.asked)
    await asyncio.sleep(0.01)
    assert len(setting.feed.asked) == asked
