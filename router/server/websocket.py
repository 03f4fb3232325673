"""GraphQL over WebSocket, sub-protocol `graphql-transport-ws`.

https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
"""

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any

import msgspec
import structlog
from starlette.types import Receive, Scope, Send

from router.config import RouterConfig
from router.errors import LimitExceeded, RouterError
from router.exchange import Answer, Caller, EventStream, GraphQLRequest, Outcome, PartStream
from router.pipeline import EXPOSE_PLAN_HEADER, Pipeline
from router.server.addresses import AddressReader
from router.server.http import request_id_of
from router.server.origins import OriginRules
from router.server.reading import read_cookies, read_headers

log = structlog.get_logger(__name__)

SUBPROTOCOL = "graphql-transport-ws"


class CloseCode(IntEnum):
    """Why the router closes a WebSocket."""

    NORMAL = 1000
    TOO_BIG = 1009
    INTERNAL = 1011
    INVALID_MESSAGE = 4400
    UNAUTHORIZED = 4401
    FORBIDDEN = 4403
    SUBPROTOCOL_NOT_ACCEPTABLE = 4406
    INIT_TIMEOUT = 4408
    DUPLICATE_ID = 4409
    TOO_MANY_INITS = 4429


class _Close(Exception):
    """End the connection with a code."""

    def __init__(self, code: CloseCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class _Gone(Exception):
    """The client has ended the connection."""


class _Payload(msgspec.Struct, rename="camel"):
    query: str
    operation_name: str | None = None
    variables: dict[str, Any] | None = None
    extensions: dict[str, Any] | None = None


class _Message(msgspec.Struct):
    type: str
    id: str | None = None
    payload: Any = None


# What a client may say in its first message instead of in the handshake, for all operations of the connection
_HEADERS_IN_PAYLOAD = ("authorization", EXPOSE_PLAN_HEADER)

_MESSAGE = msgspec.json.Decoder(_Message)
_ENCODER = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class WebSocketEndpoint:
    """Answers WebSocket connections at the GraphQL path."""

    pipeline: Pipeline
    config: RouterConfig
    origins: OriginRules
    addresses: AddressReader

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection from its handshake to its end."""
        headers = read_headers(scope["headers"])
        if (await receive())["type"] != "websocket.connect":
            return
        if not self.origins.allows_websocket(headers):
            # Closing before accepting makes the server answer the handshake with HTTP 403
            await send({"type": "websocket.close", "code": CloseCode.FORBIDDEN})
            return
        # Not for subgraphs: cookies that they answer with could not be set here, so that a refresh token would be used
        # up for nothing
        cookie_header = headers.pop("cookie", None)
        caller = Caller(
            address=self.addresses.client_address(scope, headers),
            headers=headers,
            cookies=read_cookies(cookie_header) if self.origins.believes_cookies(headers) else {},
            request_id=request_id_of(headers),
            takes_parts=True,
        )
        if SUBPROTOCOL not in scope.get("subprotocols", ()):
            await send({"type": "websocket.accept"})
            reason = f"the sub-protocol must be {SUBPROTOCOL}"
            await send({"type": "websocket.close", "code": CloseCode.SUBPROTOCOL_NOT_ACCEPTABLE, "reason": reason})
            return
        await send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL})
        await _Connection(self.pipeline, self.config, caller, receive, send).serve()


class _Connection:
    """One accepted connection. Mutable: knows its operations by the client's ids."""

    def __init__(self, pipeline: Pipeline, config: RouterConfig, caller: Caller, receive: Receive, send: Send) -> None:
        self._pipeline = pipeline
        self._config = config
        self._caller = caller
        self._receive = receive
        self._send = send
        self._operations: dict[str, asyncio.Task[None]] = {}

    async def serve(self) -> None:
        try:
            await self._initialise()
            while True:
                await self._react(await self._next_message())
        except _Gone:
            pass
        except _Close as close:
            await self._close(close.code, close.reason)
        finally:
            operations = tuple(self._operations.values())
            for operation in operations:
                operation.cancel()
            await asyncio.gather(*operations, return_exceptions=True)

    async def _initialise(self) -> None:
        try:
            async with asyncio.timeout(self._config.timeouts.websocket_init_s):
                message = await self._next_message()
                while message.type in {"ping", "pong"}:
                    await self._react(message)
                    message = await self._next_message()
        except TimeoutError:
            raise _Close(CloseCode.INIT_TIMEOUT, "Connection initialisation timeout") from None
        if message.type != "connection_init":
            raise _Close(CloseCode.UNAUTHORIZED, "Unauthorized")
        told = {name: value for name in _HEADERS_IN_PAYLOAD if (value := _header_in(message.payload, name))}
        authorization = told.get("authorization") or self._caller.headers.get("authorization")
        try:
            await self._pipeline.identify(self._caller, authorization)
        except RouterError as error:
            raise _Close(CloseCode.FORBIDDEN, f"Forbidden: {error}") from None
        if told:
            # The token rather than whom it proved: a connection may last for days, a token must not. Every operation
            # verifies it again, and is refused once it has expired
            self._caller = replace(self._caller, headers={**self._caller.headers, **told})
        await self._write({"type": "connection_ack"})

    async def _next_message(self) -> _Message:
        event = await self._receive()
        if event["type"] == "websocket.disconnect":
            raise _Gone
        text = event.get("text")
        if text is None:
            raise _Close(CloseCode.INVALID_MESSAGE, "Messages are text")
        if len(text) > self._config.limits.max_body_bytes:
            raise _Close(CloseCode.TOO_BIG, "The message is too big")
        try:
            return _MESSAGE.decode(text)
        except (msgspec.DecodeError, RecursionError):
            raise _Close(CloseCode.INVALID_MESSAGE, "Invalid message received") from None

    async def _react(self, message: _Message) -> None:
        match message.type:
            case "subscribe":
                await self._start_operation(message)
            case "complete":
                operation = self._operations.pop(message.id or "", None)
                if operation is not None:
                    operation.cancel()
            case "ping":
                pong = {"type": "pong"} if message.payload is None else {"type": "pong", "payload": message.payload}
                await self._write(pong)
            case "pong":
                pass
            case "connection_init":
                raise _Close(CloseCode.TOO_MANY_INITS, "Too many initialisation requests")
            case _:
                raise _Close(CloseCode.INVALID_MESSAGE, "Invalid message type")

    async def _start_operation(self, message: _Message) -> None:
        operation_id = message.id
        if not operation_id:
            raise _Close(CloseCode.INVALID_MESSAGE, "A subscribe message needs an id")
        try:
            payload = msgspec.convert(message.payload, _Payload)
        except msgspec.ValidationError as error:
            raise _Close(CloseCode.INVALID_MESSAGE, f"Invalid payload: {error}") from None
        if operation_id in self._operations:
            raise _Close(CloseCode.DUPLICATE_ID, f"Subscriber for {operation_id} already exists")
        allowed = self._config.subscriptions.max_per_connection
        if len(self._operations) >= allowed:
            refusal = LimitExceeded(
                f"this connection has {allowed} operations under way already", code="MAX_SUBSCRIPTIONS_LIMIT"
            )
            await self._write({"type": "error", "id": operation_id, "payload": refusal.to_graphql()})
            return
        request = GraphQLRequest(
            query=payload.query,
            operation_name=payload.operation_name or None,
            variables=payload.variables or {},
            extensions=payload.extensions or {},
        )
        self._operations[operation_id] = asyncio.create_task(self._run_operation(operation_id, request))

    async def _run_operation(self, operation_id: str, request: GraphQLRequest) -> None:
        try:
            refusal = await self._deliver(operation_id, await self._pipeline.handle(request, self._caller))
            # The client may use the id again as soon as it has read the last message
            self._operations.pop(operation_id, None)
            if refusal is None:
                await self._write({"type": "complete", "id": operation_id})
            else:
                # After `error` there is no `complete`
                await self._write({"type": "error", "id": operation_id, "payload": refusal})
        except Exception:
            log.exception("operation failed", request_id=self._caller.request_id)
            self._operations.pop(operation_id, None)
            await self._close(CloseCode.INTERNAL, "Internal server error")

    async def _deliver(self, operation_id: str, outcome: Outcome) -> list[dict[str, Any]] | None:
        """Send every result of an operation; return the errors of one that never ran."""
        match outcome:
            case Answer(error=None):
                await self._write({"type": "next", "id": operation_id, "payload": msgspec.Raw(outcome.encoded)})
            case Answer():
                return list(outcome.body["errors"])
            case PartStream(parts=parts):
                async with aclosing(parts) as open_parts:
                    async for part in open_parts:
                        await self._write({"type": "next", "id": operation_id, "payload": part})
            case EventStream(events=events):
                async with aclosing(events) as open_events:
                    async for body in open_events:
                        if "data" not in body:
                            return list(body["errors"])
                        await self._write({"type": "next", "id": operation_id, "payload": body})
        return None

    async def _write(self, message: Mapping[str, Any]) -> None:
        await self._send({"type": "websocket.send", "text": _ENCODER.encode(message).decode()})

    async def _close(self, code: CloseCode, reason: str) -> None:
        # RFC 6455, section 5.5: a control frame has at most 125 bytes, two of which are the code
        await self._send(
            {"type": "websocket.close", "code": int(code), "reason": reason.encode()[:123].decode("utf-8", "ignore")}
        )


def _header_in(payload: Any, header: str) -> str | None:
    """Return the header that a browser's client puts into the first message: it cannot send headers."""
    if not isinstance(payload, dict):
        return None
    for holder in (payload, payload.get("headers")):
        if isinstance(holder, dict):
            for name, value in holder.items():
                if isinstance(name, str) and name.lower() == header and isinstance(value, str) and value:
                    return value
    return None
