"""Responses that go on for a while: sent piece by piece, until they end or the client goes away."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec
import structlog
from starlette.types import Receive, Send

from router.server.closing import Closing
from router.server.origins import RawHeaders

log = structlog.get_logger(__name__)

_ENCODER = msgspec.json.Encoder()


class Framing(Protocol):
    """How pieces of JSON are put into one HTTP body."""

    @property
    def content_type(self) -> str:
        """Return the value of the `Content-Type` header."""
        ...

    @property
    def opening(self) -> bytes:
        """Return what comes before the first piece."""
        ...

    @property
    def ending(self) -> bytes:
        """Return what comes after the last piece."""
        ...

    def frame(self, body: bytes) -> bytes:
        """Return a piece as it is sent."""
        ...


@dataclass(frozen=True, slots=True)
class SignOfLife:
    """What is sent after *every_s* seconds of silence, so that nobody takes the connection for dead."""

    every_s: float
    body: bytes


async def send_stream(
    pieces: AsyncGenerator[dict[str, Any], None],
    framing: Framing,
    receive: Receive,
    send: Send,
    *,
    headers: RawHeaders,
    sign_of_life: SignOfLife | None = None,
    closing: Closing | None = None,
) -> None:
    """Send *pieces* until they end, the client goes away or *closing* begins, and close them in any case."""
    # One task runs the iterator from its first step to its closing: time-outs inside belong to the task they began in
    arrived: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue(maxsize=1)
    pumping = asyncio.create_task(_pump(pieces, arrived))
    leaving = asyncio.create_task(_wait_for_disconnect(receive))
    ending = asyncio.create_task(closing.wait() if closing is not None else asyncio.Event().wait())
    waiting = asyncio.create_task(arrived.get())
    try:
        await start_stream(framing, send, headers)
        await send({"type": "http.response.body", "body": framing.opening, "more_body": True})
        while True:
            done, _ = await asyncio.wait(
                {waiting, leaving, ending},
                timeout=sign_of_life.every_s if sign_of_life is not None else None,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if leaving in done:
                return
            if waiting in done:
                piece = waiting.result()
                if piece is None:
                    break
                body = framing.frame(_ENCODER.encode(piece))
                await send({"type": "http.response.body", "body": body, "more_body": True})
                waiting = asyncio.create_task(arrived.get())
            elif ending in done:
                break
            elif sign_of_life is not None:
                await send({"type": "http.response.body", "body": sign_of_life.body, "more_body": True})
        await send({"type": "http.response.body", "body": framing.ending})
    finally:
        for task in (waiting, leaving, ending, pumping):
            task.cancel()
        await asyncio.gather(waiting, leaving, ending, pumping, return_exceptions=True)


async def start_stream(framing: Framing, send: Send, headers: RawHeaders) -> None:
    """Send the status and the headers."""
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [
                (b"content-type", framing.content_type.encode()),
                (b"cache-control", b"no-store"),
                # nginx would otherwise collect pieces until its buffer is full
                (b"x-accel-buffering", b"no"),
                *headers,
            ],
        }
    )


async def _pump(pieces: AsyncGenerator[dict[str, Any], None], arrived: asyncio.Queue[dict[str, Any] | None]) -> None:
    try:
        async with aclosing(pieces) as open_pieces:
            async for piece in open_pieces:
                await arrived.put(piece)
    except Exception:
        log.exception("a stream broke")
    await arrived.put(None)


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
