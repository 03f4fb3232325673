import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from router.transports import websocket
from router.transports.base import (
    MalformedResponse,
    RequestContext,
    SubgraphRequest,
    SubgraphResponse,
    SubgraphUnreachable,
)
from router.transports.http import HttpTransport, SubgraphSession
from router.transports.websocket import open_websocket
from tests.unit.router.transports.servers import Server, free_url, serving, text_handler

Talk = Callable[[web.WebSocketResponse], Awaitable[None]]
REQUEST = SubgraphRequest("subscription($a:Int){x(a:$a)}", {"a": 1}, "S")


@pytest.fixture
async def session() -> AsyncIterator[SubgraphSession]:
    opened = SubgraphSession()
    yield opened
    await opened.aclose()


@asynccontextmanager
async def talking(talk: Talk, *, protocol: str = "graphql-transport-ws") -> AsyncIterator[Server]:
    """Serve a WebSocket that follows *talk* once it is open."""

    async def handle(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=(protocol,))
        await socket.prepare(request)
        await talk(socket)
        await socket.close()
        return socket

    async with serving(handle, reads_bodies=False) as server:
        yield server


async def accept(socket: web.WebSocketResponse) -> Any:
    """Acknowledge the connection and return the subscribe message."""
    assert (await socket.receive_json())["type"] == "connection_init"
    await socket.send_json({"type": "connection_ack"})
    return await socket.receive_json()


async def collect(session: SubgraphSession, url: str, **headers: str) -> list[SubgraphResponse]:
    return [event async for event in open_websocket(session.streams, url, REQUEST, headers)]


async def test_a_subscription_is_opened_its_events_yielded_and_its_end_understood(
    session: SubgraphSession,
) -> None:
    got: list[Any] = []

    async def talk(socket: web.WebSocketResponse) -> None:
        got.append(await socket.receive_json())
        await socket.send_json({"type": "connection_ack"})
        got.append(await socket.receive_json())
        await socket.send_json({"type": "ping"})
        got.append(await socket.receive_json())
        for number in (1, 2):
            await socket.send_json({"id": "1", "type": "next", "payload": {"data": {"x": number}}})
        await socket.send_json({"type": "pong"})
        await socket.send_json({"id": "1", "type": "complete"})

    async with talking(talk) as server:
        events = await collect(session, server.url, authorization="Assertion x", accept="y")
    assert events == [SubgraphResponse({"x": 1}, [], {}), SubgraphResponse({"x": 2}, [], {})]
    assert got == [
        {"type": "connection_init", "payload": {"authorization": "Assertion x"}},
        {
            "id": "1",
            "type": "subscribe",
            "payload": {"query": REQUEST.document, "variables": {"a": 1}, "operationName": "S"},
        },
        {"type": "pong"},
    ]
    assert server.headers[0]["authorization"] == "Assertion x"
    assert server.headers[0]["sec-websocket-protocol"] == "graphql-transport-ws"


async def test_the_http_transport_opens_it_where_subscriptions_are(session: SubgraphSession) -> None:
    async def talk(socket: web.WebSocketResponse) -> None:
        await accept(socket)
        await socket.send_json({"id": "1", "type": "next", "payload": {"data": {"x": 1}}})
        await socket.send_json({"id": "1", "type": "complete"})

    async with talking(talk) as server:
        transport = HttpTransport(
            "a",
            (await free_url(),),
            session,
            open_subscription=open_websocket,
            subscription_url=server.url.replace("http:", "ws:"),
        )
        events = [event async for event in transport.subscribe(REQUEST, RequestContext(request_id="r1"))]
    assert events == [SubgraphResponse({"x": 1}, [], {})]
    assert server.headers[0]["x-request-id"] == "r1"


async def test_a_refused_subscription_is_an_answer_with_errors(session: SubgraphSession) -> None:
    async def talk(socket: web.WebSocketResponse) -> None:
        await accept(socket)
        await socket.send_json({"id": "1", "type": "error", "payload": [{"message": "no"}]})

    async with talking(talk) as server:
        assert await collect(session, server.url) == [SubgraphResponse(None, [{"message": "no"}], {})]


async def test_closing_the_stream_completes_the_subscription_at_the_subgraph(session: SubgraphSession) -> None:
    last: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def talk(socket: web.WebSocketResponse) -> None:
        await accept(socket)
        await socket.send_json({"id": "1", "type": "next", "payload": {"data": {"x": 1}}})
        last.set_result(await socket.receive_json())
        await socket.receive()

    async with talking(talk) as server:
        stream = open_websocket(session.streams, server.url, REQUEST, {})
        assert (await anext(stream)).data == {"x": 1}
        await stream.aclose()  # type: ignore[attr-defined]
        assert await last == {"id": "1", "type": "complete"}


async def test_a_connection_that_closes_before_the_end_is_a_broken_stream(session: SubgraphSession) -> None:
    async def talk(socket: web.WebSocketResponse) -> None:
        await accept(socket)
        await socket.send_json({"id": "1", "type": "next", "payload": {"data": {"x": 1}}})
        await socket.close(code=4403, message=b"Forbidden")

    async with talking(talk) as server:
        stream = open_websocket(session.streams, server.url, REQUEST, {})
        assert (await anext(stream)).data == {"x": 1}
        with pytest.raises(SubgraphUnreachable, match="4403"):
            await anext(stream)


@pytest.mark.parametrize(
    "frame", ["no json", "[]", '{"type": 3}', '{"type": "gone"}', '{"type": "next", "payload": []}', '{"type": "next"}']
)
async def test_a_message_that_the_protocol_does_not_know_is_malformed(session: SubgraphSession, frame: str) -> None:
    async def talk(socket: web.WebSocketResponse) -> None:
        await accept(socket)
        await socket.send_str(frame)
        await socket.receive()

    async with talking(talk) as server:
        with pytest.raises(MalformedResponse):
            await collect(session, server.url)


async def test_another_message_than_the_acknowledgement_is_malformed(session: SubgraphSession) -> None:
    async def talk(socket: web.WebSocketResponse) -> None:
        await socket.send_json({"id": "1", "type": "complete"})
        await socket.receive()

    async with talking(talk) as server:
        with pytest.raises(MalformedResponse, match="instead of an acknowledgement"):
            await collect(session, server.url)


async def test_a_missing_acknowledgement_is_waited_for_only_so_long(
    session: SubgraphSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "ACKNOWLEDGE_TIMEOUT_S", 0.01)

    async def talk(socket: web.WebSocketResponse) -> None:
        await socket.receive()
        await socket.receive()

    async with talking(talk) as server:
        with pytest.raises(SubgraphUnreachable, match="no acknowledgement"):
            await collect(session, server.url)


async def test_a_server_that_speaks_another_protocol_is_not_used(session: SubgraphSession) -> None:
    async def talk(socket: web.WebSocketResponse) -> None:
        await socket.receive()

    async with talking(talk, protocol="graphql-ws") as server:
        with pytest.raises(MalformedResponse, match="does not speak graphql-transport-ws"):
            await collect(session, server.url)


async def test_no_connection_and_no_websocket_are_unreachable(session: SubgraphSession) -> None:
    with pytest.raises(SubgraphUnreachable):
        await collect(session, await free_url())
    async with serving(text_handler("x"), reads_bodies=False) as server:
        with pytest.raises(SubgraphUnreachable):
            await collect(session, server.url)
