"""Subscriptions over WebSocket, in the protocol `graphql-transport-ws`: one connection per subscription.

https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Any

import aiohttp
import msgspec

from router.transports.base import MalformedResponse, SubgraphRequest, SubgraphResponse, SubgraphUnreachable
from router.transports.responses import read_response

SUBPROTOCOL = "graphql-transport-ws"
#: Servers close a connection that is not initialised within about this time.
ACKNOWLEDGE_TIMEOUT_S = 10.0
#: Notices a peer that is gone without a word, below the idle time-out of common proxies (60 s).
HEARTBEAT_S = 30.0
MAX_MESSAGE_BYTES = 16 * 1024 * 1024

_SUBSCRIPTION_ID = "1"
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


async def open_websocket(
    session: aiohttp.ClientSession, url: str, request: SubgraphRequest, headers: Mapping[str, str]
) -> AsyncIterator[SubgraphResponse]:
    """Open a subscription at *url* (http(s) or ws(s)) and yield each event's response.

    *headers* go with the handshake and, for servers that look there, as the payload of `connection_init`. Closing the
    iterator completes the subscription at the subgraph.

    Raises:
        SubgraphUnreachable: no connection, no acknowledgement in time, or the connection closed before the end.
        MalformedResponse: a message that the protocol does not know at this point.
    """
    handshake = {name: value for name, value in headers.items() if name not in {"accept", "content-type"}}
    try:
        connection = await session.ws_connect(
            url,
            protocols=(SUBPROTOCOL,),
            headers=handshake,
            heartbeat=HEARTBEAT_S,
            max_msg_size=MAX_MESSAGE_BYTES,
        )
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise SubgraphUnreachable(f"WebSocket to {url}: {type(error).__name__}: {error}") from error
    is_subscribed = False
    try:
        if connection.protocol != SUBPROTOCOL:
            raise MalformedResponse(f"{url} does not speak {SUBPROTOCOL}")
        await _initialise(connection, handshake)
        await _send(connection, {"id": _SUBSCRIPTION_ID, "type": "subscribe", "payload": _payload(request)})
        is_subscribed = True
        while True:
            message = await _receive(connection)
            match message:
                case {"type": "next", "payload": payload}:
                    yield read_response(payload)
                case {"type": "error", "payload": errors}:
                    is_subscribed = False
                    yield read_response({"data": None, "errors": errors})
                    return
                case {"type": "complete"}:
                    is_subscribed = False
                    return
                case {"type": kind}:
                    raise MalformedResponse(f"{url}: unexpected message of type {kind!r}")
    finally:
        if is_subscribed and not connection.closed:
            with suppress(aiohttp.ClientError, ConnectionError):
                await _send(connection, {"id": _SUBSCRIPTION_ID, "type": "complete"})
        await connection.close()


async def _initialise(connection: aiohttp.ClientWebSocketResponse, payload: Mapping[str, str]) -> None:
    await _send(connection, {"type": "connection_init", "payload": payload})
    try:
        async with asyncio.timeout(ACKNOWLEDGE_TIMEOUT_S):
            message = await _receive(connection)
    except TimeoutError as error:
        raise SubgraphUnreachable(f"no acknowledgement in {ACKNOWLEDGE_TIMEOUT_S} s") from error
    if message["type"] != "connection_ack":
        raise MalformedResponse(f"{message['type']!r} instead of an acknowledgement")


async def _receive(connection: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
    """Return the next message that is about the subscription; pings are answered on the way."""
    while True:
        frame = await connection.receive()
        if frame.type is not aiohttp.WSMsgType.TEXT:
            reason = f"{connection.close_code} {frame.extra or ''}".strip()
            raise SubgraphUnreachable(f"the connection closed before the subscription ended: {reason}")
        try:
            message = _decode(frame.data)
        except msgspec.DecodeError as error:
            raise MalformedResponse(f"a message is no JSON: {error}") from error
        match message:
            case {"type": "ping"}:
                await _send(connection, {"type": "pong"})
            case {"type": "pong"}:
                pass
            case {"type": str()}:
                return dict(message)
            case _:
                raise MalformedResponse("a message has no type")


async def _send(connection: aiohttp.ClientWebSocketResponse, message: Mapping[str, Any]) -> None:
    await connection.send_str(_encode(message).decode())


def _payload(request: SubgraphRequest) -> dict[str, Any]:
    payload: dict[str, Any] = {"query": request.document}
    if request.variables:
        payload["variables"] = request.variables
    if request.operation_name is not None:
        payload["operationName"] = request.operation_name
    return payload
