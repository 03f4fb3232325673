"""A subgraph's subscriptions over HTTP: server-sent events, in the "distinct connections mode" of graphql-sse.

https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md
"""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import msgspec

from core.tasks import end_tasks

# Below the idle time-out of common proxies (60 s); it also finds out that the other side is gone
KEEPALIVE_S = 15.0


async def encode_events(
    responses: AsyncGenerator[dict[str, Any], None], *, keepalive_s: float = KEEPALIVE_S
) -> AsyncGenerator[bytes, None]:
    """Yield each of *responses* as a `next` event, a comment after every silence, and `complete` at the end."""
    waiting: asyncio.Task[dict[str, Any] | None] | None = None
    try:
        while True:
            waiting = waiting or asyncio.create_task(_take(responses))
            done, _ = await asyncio.wait([waiting], timeout=keepalive_s)
            if not done:
                yield b":\n\n"
                continue
            response, waiting = waiting.result(), None
            if response is None:
                yield b"event: complete\ndata:\n\n"
                return
            yield b"event: next\ndata: " + msgspec.json.encode(response) + b"\n\n"
    finally:
        if waiting is not None:
            await end_tasks([waiting])
        await responses.aclose()


async def _take(responses: AsyncGenerator[dict[str, Any], None]) -> dict[str, Any] | None:
    return await anext(responses, None)
