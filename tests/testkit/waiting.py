"""Waiting for what another program does."""

import asyncio
from collections.abc import Awaitable, Callable

# Far longer than anything takes: a test that waits so long has failed
PATIENCE_S = 30.0


async def eventually(condition: Callable[[], Awaitable[bool]]) -> None:
    """Return as soon as *condition* holds; fail when it does not come to hold."""
    async with asyncio.timeout(PATIENCE_S):
        while not await condition():  # noqa: ASYNC110  # another program has no Event to wait for
            await asyncio.sleep(0.01)
