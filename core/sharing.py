"""Running once what several callers want at the same time."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from core.tasks import end_tasks

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class _Wanted(Generic[T]):
    """What several callers want. Mutable: counts the callers, and the runs that have begun."""

    callers: int = 0
    begun: int = 0
    # The last run that has begun, under way or over, and the one that waits for its end
    current: asyncio.Task[T] | None = None
    following: asyncio.Task[T] | None = None


@dataclass(frozen=True, slots=True)
class Arrival(Generic[T]):
    """One caller, who has seen *begun* runs begin."""

    _wanted: _Wanted[T]
    begun: int = field(kw_only=True)

    async def run(self, compute: Callable[[], Awaitable[T]]) -> T:
        """Return what *compute* returns, begun after the caller arrived.

        An error of *compute* reaches every caller that waits for it. A caller that is cancelled leaves the others with
        their result.
        """
        wanted = self._wanted
        if wanted.current is not None and wanted.begun > self.begun:
            return await asyncio.shield(wanted.current)
        if wanted.following is None:
            wanted.following = asyncio.create_task(_run_after(wanted, compute))
            # With every caller cancelled nobody else would look at its error, and asyncio would complain
            wanted.following.add_done_callback(lambda task: task.cancelled() or task.exception())
        return await asyncio.shield(wanted.following)


async def _run_after(wanted: _Wanted[T], compute: Callable[[], Awaitable[T]]) -> T:
    if wanted.current is not None:
        await asyncio.wait([wanted.current])
    wanted.current, wanted.following = wanted.following, None
    wanted.begun += 1
    return await compute()


class SharedRuns(Generic[T]):
    """Runs what callers ask for under one key a single time for all of them. Mutable: knows who is there.

    A caller shares a run that began after the caller arrived, also when it is over by then: what it read holds all that
    the caller may know of. Who comes while one is under way waits for the next, with all others that come meanwhile.
    """

    def __init__(self) -> None:
        self._wanted: dict[str, _Wanted[T]] = {}

    @contextmanager
    def arrive(self, key: str) -> Iterator[Arrival[T]]:
        """Yield the caller's arrival; results are kept until the last caller of *key* has left the block."""
        wanted = self._wanted.setdefault(key, _Wanted())
        wanted.callers += 1
        try:
            yield Arrival(wanted, begun=wanted.begun)
        finally:
            wanted.callers -= 1
            if not wanted.callers:
                del self._wanted[key]

    async def aclose(self) -> None:
        """Stop what runs and what waits."""
        each = self._wanted.values()
        await end_tasks(task for one in each for task in (one.current, one.following) if task is not None)
