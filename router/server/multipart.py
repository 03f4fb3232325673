"""Answers in parts as `multipart/mixed`, which is how clients read `@defer` over HTTP.

https://github.com/graphql/graphql-over-http/blob/main/rfcs/IncrementalDelivery.md
"""

from collections.abc import AsyncGenerator
from typing import Any

from starlette.types import Receive, Send

from router.server.media import Media
from router.server.origins import RawHeaders
from router.server.streaming import send_stream, start_stream


class _Parts:
    content_type = f'{Media.MULTIPART.value}; boundary="-"'
    opening = b"---"
    ending = b"--\r\n"

    def frame(self, body: bytes) -> bytes:
        # The boundary follows at once, for a client knows by it that the part is whole
        return b"\r\nContent-Type: application/json; charset=utf-8\r\n\r\n" + body + b"\r\n---"


_PARTS = _Parts()


async def send_single_part(body: bytes, send: Send, *, headers: RawHeaders) -> None:
    """Answer an operation that has one result to a client that takes parts only."""
    await start_stream(_PARTS, send, headers)
    await send({"type": "http.response.body", "body": _PARTS.opening + _PARTS.frame(body) + _PARTS.ending})


async def send_parts(
    parts: AsyncGenerator[dict[str, Any], None], receive: Receive, send: Send, *, headers: RawHeaders
) -> None:
    """Send *parts* as they come until the last one, or until the client goes away; close them in any case."""
    await send_stream(parts, _PARTS, receive, send, headers=headers)
