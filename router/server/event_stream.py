"""Subscriptions as server-sent events, one operation per connection.

https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md#distinct-connections-mode
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import msgspec
import structlog
from starlette.types import Receive, Send

from router.server.closing import Closing
from router.server.media import Media
from router.server.origins import RawHeaders

log = structlog.get_logger(__name__)

_COMPLETE = b"event: complete\ndata: \n\n"
# A comment: nobody reads it, but proxies and browsers see that the connection is alive
_KEEPALIVE = b":\n\n"

_ENCODER = msgspec.json.Encoder()


async def send_single_event(body: bytes, send: Send, *, headers: RawHeaders) -> None:
    """Answer an operation that has one result to a client that wanted a stream."""
    await _start(send, headers)
    await send({"type": "http.response.body", "body": _next_event(body) + _COMPLETE})


async def send_events(
    events: AsyncGenerator[dict[str, Any], None],
    receive: Receive,
    send: Send,
    *,
    headers: RawHeaders,
    keepalive_s: float,
    closing: Closing,
) -> None:
    """Send *events* until they end, the client goes away or the router goes down, and close them in any case."""
    # One task runs the iterator from its first step to its closing: time-outs inside belong to the task they began in
    arrived: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue(maxsize=1)
    pumping = asyncio.create_task(_pump(events, arrived))
    leaving = asyncio.create_task(_wait_for_disconnect(receive))
    ending = asyncio.create_task(closing.wait())
    waiting = asyncio.create_task(arrived.get())
    try:
        await _start(send, headers)
        await send({"type": "http.response.body", "body": _KEEPALIVE, "more_body": True})
        while True:
            done, _ = await asyncio.wait(
                {waiting, leaving, ending}, timeout=keepalive_s, return_when=asyncio.FIRST_COMPLETED
            )
            if leaving in done:
                return
            if waiting in done:
                event = waiting.result()
                if event is None:
                    break
                body = _next_event(_ENCODER.encode(event))
                await send({"type": "http.response.body", "body": body, "more_body": True})
                waiting = asyncio.create_task(arrived.get())
            elif ending in done:
                break
            else:
                await send({"type": "http.response.body", "body": _KEEPALIVE, "more_body": True})
        await send({"type": "http.response.body", "body": _COMPLETE})
    finally:
        for task in (waiting, leaving, ending, pumping):
            task.cancel()
        await asyncio.gather(waiting, leaving, ending, pumping, return_exceptions=True)


async def _pump(events: AsyncGenerator[dict[str, Any], None], arrived: asyncio.Queue[dict[str, Any] | None]) -> None:
    try:
        async with aclosing(events) as open_events:
            async for event in open_events:
                await arrived.put(event)
    except Exception:
        log.exception("an event stream broke")
    await arrived.put(None)


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _start(send: Send, headers: RawHeaders) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [
                (b"content-type", Media.EVENT_STREAM.content_type.encode()),
                (b"cache-control", b"no-store"),
                # nginx would otherwise collect events until its buffer is full
                (b"x-accel-buffering", b"no"),
                *headers,
            ],
        }
    )


def _next_event(body: bytes) -> bytes:
    return b"event: next\ndata: " + body + b"\n\n"
