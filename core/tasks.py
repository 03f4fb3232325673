"""Ending asyncio tasks for certain."""

import asyncio
from collections.abc import Iterable
from typing import Any

# How long a task may take to notice before it is cancelled again
NOTICE_S = 0.1


async def end_tasks(tasks: Iterable["asyncio.Task[Any]"]) -> None:
    """Cancel *tasks* until they have ended; their results and errors are nobody's any more.

    Once is not always enough: `asyncio.wait_for` of Python 3.11 loses a cancellation that meets the end of what it
    waits for, and database drivers use it for every command.
    """
    waiting = set(tasks)
    while waiting:
        for task in waiting:
            task.cancel()
        done, waiting = await asyncio.wait(waiting, timeout=NOTICE_S)
        for task in done:
            if not task.cancelled():
                # Nobody else looks at it, and asyncio would complain
                task.exception()
