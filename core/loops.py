"""What the worker's loops have in common: they look again by themselves, and they outlast whatever fails.

Each of them ends when `finish` is set, not only when it is cancelled: up to Python 3.11 `wait_for`, which drivers use,
swallows a cancellation that comes when what it waits for has just happened
(https://github.com/python/cpython/issues/86296).
"""

import asyncio
from contextlib import suppress
from typing import Any

import structlog
from pymongo.errors import PyMongoError
from redis.exceptions import RedisError
from taskiq.exceptions import TaskiqError

from core.errors import Unavailable

log = structlog.get_logger(__name__)

# The relay looks this often when no change stream wakes it, and jobs are checked as often
POLL_S = 1.0


async def wait_for_poll(event: asyncio.Event) -> None:
    """Wait for *event*, at most for POLL_S."""
    # Not asyncio.wait_for: in Python 3.11 it swallows a cancellation that comes as the event is set
    with suppress(TimeoutError):
        async with asyncio.timeout(POLL_S):
            await event.wait()


def warn(sentence: str, error: Exception, **values: Any) -> None:
    """Log what failed and will be tried again; what outages do needs no traceback."""
    outage = isinstance(error, Unavailable | PyMongoError | TaskiqError | RedisError | ExceptionGroup)
    log.warning(sentence, **values, error=type(error).__name__, exc_info=None if outage else error)
