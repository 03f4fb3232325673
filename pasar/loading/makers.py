"""Programs that make rows, beside the one that writes them."""

import asyncio
import gc
import multiprocessing
import os
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from typing import Any, TypeVar

A = TypeVar("A")
B = TypeVar("B")

# What is made and waits to be written: enough to keep everybody busy, a few megabytes each
AHEAD_PER_MAKER = 2


async def make_all(
    make: Callable[[A], B],
    tasks: Iterable[A],
    *,
    makers: int,
    prepare: Callable[..., Callable[[], None]],
    arguments: tuple[Any, ...],
) -> AsyncIterator[B]:
    """Yield `make(task)` for each of *tasks*, in their order, made by *makers* programs; 0 makes them here.

    *prepare* is called once with *arguments* wherever *make* is called, and returns what gives back what it has opened.
    All of them are functions of a module.
    """
    if makers == 0:
        end = prepare(*arguments)
        try:
            for task in tasks:
                yield make(task)
        finally:
            end()
        return
    # Forking a program that has threads and connections would copy them in the middle of what they do
    context = multiprocessing.get_context("spawn")
    loop = asyncio.get_running_loop()
    waiting: deque[asyncio.Future[B]] = deque()
    with ProcessPoolExecutor(makers, context, _begin_maker, (prepare, arguments)) as pool:
        try:
            for task in tasks:
                waiting.append(loop.run_in_executor(pool, make, task))
                if len(waiting) > makers * AHEAD_PER_MAKER:
                    yield await waiting.popleft()
            while waiting:
                yield await waiting.popleft()
        except BaseException:
            for future in waiting:
                future.cancel()
            raise


def _begin_maker(prepare: Callable[..., Callable[[], None]], arguments: tuple[Any, ...]) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # Rows are many and form no cycles: looking for some takes half of the time
    gc.disable()
    # What it opens ends with the program
    prepare(*arguments)


def _end_with_parent() -> None:
    """End when the writing program has ended, however it did: its queue would be waited at for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
