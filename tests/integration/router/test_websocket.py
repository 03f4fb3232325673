from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from router.config import RouterConfig, load_config
from tests.testkit.market import Market, open_market
from tests.testkit.router_server import running_market_router
from tests.testkit.router_tokens import TokenIssuer

SUBPROTOCOL = "graphql-transport-ws"


@pytest.fixture
def market() -> Market:
    return open_market()


class Socket:
    """A client of the protocol, which says only what a test tells it to say."""

    def __init__(self, connection: aiohttp.ClientWebSocketResponse) -> None:
        self.connection = connection

    async def say(self, **message: Any) -> None:
        await self.connection.send_json(message)

    async def hear(self) -> Any:
        return await self.connection.receive_json()

    async def initialise(self, **payload: Any) -> None:
        await self.say(type="connection_init", payload=payload)
        assert await self.hear() == {"type": "connection_ack"}

    async def subscribe(self, id_: str, query: str, **payload: Any) -> None:
        await self.say(type="subscribe", id=id_, payload={"query": query, **payload})

    async def close_code(self) -> int | None:
        """Return the code with which the router closes; fail when it says anything else first."""
        message = await self.connection.receive()
        assert message.type in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED}, message
        return self.connection.close_code


@asynccontextmanager
async def connected(
    market: Market,
    config: RouterConfig | None = None,
    *,
    headers: dict[str, str] | None = None,
    protocols: tuple[str, ...] = (SUBPROTOCOL,),
) -> AsyncIterator[Socket]:
    async with (
        running_market_router(market, config) as url,
        aiohttp.ClientSession() as session,
        session.ws_connect(
            url, protocols=protocols, headers=headers, timeout=aiohttp.ClientWSTimeout(ws_close=1)
        ) as ws,
    ):
        yield Socket(ws)


def configure(**fields: Any) -> RouterConfig:
    return load_config(environ={}, overrides=fields)


async def test_a_subscription_is_next_for_each_event_and_then_complete(market: Market) -> None:
    async with connected(market) as socket:
        await socket.initialise()
        await socket.subscribe("1", "subscription { ticks(count: 2) }")
        assert [await socket.hear() for _ in range(3)] == [
            {"type": "next", "id": "1", "payload": {"data": {"ticks": 0}}},
            {"type": "next", "id": "1", "payload": {"data": {"ticks": 1}}},
            {"type": "complete", "id": "1"},
        ]
        # The id is free again
        await socket.subscribe("1", "{ __typename }")
        assert await socket.hear() == {"type": "next", "id": "1", "payload": {"data": {"__typename": "Query"}}}
        assert await socket.hear() == {"type": "complete", "id": "1"}


async def test_queries_and_mutations_run_too(market: Market) -> None:
    async with connected(market) as socket:
        await socket.initialise()
        query = "mutation M($name: String!) { login(name: $name) }"
        await socket.subscribe("m", query, variables={"name": "x"}, operationName="M", extensions=None)
        assert (await socket.hear())["payload"] == {"data": {"login": "token-of-x"}}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nonsense }", "GRAPHQL_VALIDATION_FAILED"),
        ("query ($n: Int!) { products(first: $n) { id } }", "BAD_USER_INPUT"),
        ("subscription ($n: Int!) { ticks(count: $n) }", "BAD_USER_INPUT"),
    ],
)
async def test_an_operation_that_never_runs_is_an_error_without_complete(market: Market, query: str, code: str) -> None:
    async with connected(market) as socket:
        await socket.initialise()
        await socket.subscribe("1", query)
        message = await socket.hear()
        assert (message["type"], message["id"], message["payload"][0]["extensions"]["code"]) == ("error", "1", code)
        await socket.say(type="ping")
        assert await socket.hear() == {"type": "pong"}


async def test_a_client_that_completes_closes_the_subgraphs_stream(market: Market) -> None:
    async with connected(market) as socket:
        await socket.initialise()
        await socket.subscribe("1", "subscription { ticks(count: 1000) }")
        for _ in range(100):
            await socket.hear()
        await socket.say(type="complete", id="1")
        await market.catalog.stream_closed.wait()
        # Nothing more is said about it
        await socket.say(type="ping", payload={"n": 1})
        assert await socket.hear() == {"type": "pong", "payload": {"n": 1}}


async def test_a_client_that_goes_away_closes_its_streams(market: Market) -> None:
    async with connected(market) as socket:
        await socket.initialise()
        await socket.subscribe("1", "subscription { ticks(count: 1000) }")
        await socket.hear()
        await socket.connection.close()
        await market.catalog.stream_closed.wait()
    assert market.catalog.open_streams == 0


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("nonsense", 4400),
        ("{}", 4400),
        ('{"type": "unknown"}', 4400),
        ('{"type": "subscribe", "payload": {"query": "{a}"}}', 4400),
        ('{"type": "subscribe", "id": "1"}', 4400),
        ('{"type": "subscribe", "id": "1", "payload": {"query": 1}}', 4400),
        ('{"type": "connection_init"}', 4429),
    ],
)
async def test_what_the_protocol_does_not_allow_closes_the_connection(market: Market, message: str, code: int) -> None:
    async with connected(market) as socket:
        await socket.initialise()
        await socket.connection.send_str(message)
        assert await socket.close_code() == code


async def test_binary_messages_close_the_connection(market: Market) -> None:
    async with connected(market) as socket:
        await socket.initialise()
        await socket.connection.send_bytes(b'{"type": "ping"}')
        assert await socket.close_code() == 4400


async def test_subscribing_before_the_acknowledgement_is_unauthorised(market: Market) -> None:
    async with connected(market) as socket:
        await socket.say(type="ping")
        assert await socket.hear() == {"type": "pong"}
        await socket.subscribe("1", "{ users { id } }")
        assert await socket.close_code() == 4401
    assert market.request_counts == {"accounts": 0, "catalog": 0}


async def test_an_id_that_is_in_use_closes_the_connection(market: Market) -> None:
    async with connected(market) as socket:
        await socket.initialise()
        await socket.subscribe("1", "subscription { ticks(count: 1000) }")
        for _ in range(100):
            await socket.hear()
        await socket.subscribe("1", "{ __typename }")
        assert await socket.close_code() == 4409
        await market.catalog.stream_closed.wait()


async def test_who_does_not_initialise_in_time_is_disconnected(market: Market) -> None:
    async with connected(market, configure(timeouts={"websocket_init_s": 0.05})) as socket:
        assert await socket.close_code() == 4408


async def test_a_client_of_another_protocol_is_told(market: Market) -> None:
    async with connected(market, protocols=("graphql-ws",)) as socket:
        assert await socket.close_code() == 4406


async def test_a_connection_has_a_limited_number_of_operations(market: Market) -> None:
    async with connected(market, configure(subscriptions={"max_per_connection": 1})) as socket:
        await socket.initialise()
        await socket.subscribe("1", "subscription { ticks(count: 1000) }")
        for _ in range(100):
            await socket.hear()
        await socket.subscribe("2", "{ __typename }")
        message = await socket.hear()
        assert (message["type"], message["id"]) == ("error", "2")
        assert message["payload"][0]["extensions"]["code"] == "MAX_SUBSCRIPTIONS_LIMIT"


async def test_another_sites_page_may_not_connect(market: Market) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
        async with connected(market, headers={"origin": "https://evil.example"}):
            pass
    assert refusal.value.status == 403


async def name_of_me(socket: Socket) -> Any:
    await socket.subscribe("1", "{ me { name } }")
    return (await socket.hear())["payload"]["data"]["me"]


async def test_the_token_is_read_from_the_first_message(market: Market, tmp_path: Path) -> None:
    issuer = TokenIssuer(tmp_path)
    for payload in (
        {"Authorization": f"Bearer {issuer.token()}"},
        {"headers": {"authorization": f"Bearer {issuer.token()}"}},
    ):
        async with connected(market, configure(authentication=issuer.authentication)) as socket:
            await socket.initialise(**payload)
            assert await name_of_me(socket) == {"name": "Ani"}


async def test_the_token_is_read_from_the_cookie(market: Market, tmp_path: Path) -> None:
    issuer = TokenIssuer(tmp_path)
    async with connected(
        market, configure(authentication=issuer.authentication), headers={"cookie": f"pasar_access={issuer.token()}"}
    ) as socket:
        await socket.initialise()
        assert await name_of_me(socket) == {"name": "Ani"}


async def test_without_a_token_the_caller_is_anonymous(market: Market, tmp_path: Path) -> None:
    async with connected(market, configure(authentication=TokenIssuer(tmp_path).authentication)) as socket:
        await socket.initialise()
        assert await name_of_me(socket) is None


async def test_a_token_that_is_not_valid_is_forbidden(market: Market, tmp_path: Path) -> None:
    async with connected(market, configure(authentication=TokenIssuer(tmp_path).authentication)) as socket:
        await socket.say(type="connection_init", payload={"Authorization": "Bearer x.y.z"})
        assert await socket.close_code() == 4403
