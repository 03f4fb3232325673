"""Subscriptions, and answers in parts, as server-sent events, one operation per connection.

https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md#distinct-connections-mode
"""

from collections.abc import AsyncGenerator
from typing import Any

from starlette.types import Receive, Send

from router.server.closing import Closing
from router.server.media import Media
from router.server.origins import RawHeaders
from router.server.streaming import SignOfLife, send_stream, start_stream

# A comment: nobody reads it, but proxies and browsers see that the connection is alive
_KEEPALIVE = b":\n\n"


class _Events:
    content_type = Media.EVENT_STREAM.content_type
    opening = _KEEPALIVE
    ending = b"event: complete\ndata: \n\n"

    def frame(self, body: bytes) -> bytes:
        return b"event: next\ndata: " + body + b"\n\n"


_EVENTS = _Events()


async def send_single_event(body: bytes, send: Send, *, headers: RawHeaders) -> None:
    """Answer an operation that has one result to a client that wanted a stream."""
    await start_stream(_EVENTS, send, headers)
    await send({"type": "http.response.body", "body": _EVENTS.frame(body) + _EVENTS.ending})


async def send_events(
    events: AsyncGenerator[dict[str, Any], None],
    receive: Receive,
    send: Send,
    *,
    headers: RawHeaders,
    keepalive_s: float,
    closing: Closing | None,
) -> None:
    """Send *events* until they end, the client goes away or the router goes down, and close them in any case.

    Without *closing* they may end by themselves.
    """
    await send_stream(
        events,
        _EVENTS,
        receive,
        send,
        headers=headers,
        sign_of_life=SignOfLife(keepalive_s, _KEEPALIVE),
        closing=closing,
    )
