"""What was read a moment ago, for rows that every request asks for and that hardly ever change.

A process sees what it changes itself at once, if it says so; what another one changes, FRESH later at most, as if the
request had come before. Not for what must be exact: stock, prices, limits.
"""

from datetime import datetime, timedelta
from typing import Generic, TypeVar

from core.clock import Clock

K = TypeVar("K")
V = TypeVar("V")

FRESH = timedelta(seconds=2)


class ShortMemory(Generic[K, V]):
    """Values by key. Mutable; it holds what is asked for within FRESH."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[K, V] = {}
        self._fresh_until: datetime | None = None

    def recall(self) -> dict[K, V]:
        """Return what is known.

        What a read brings belongs into the dict that was recalled before it: if somebody made a change meanwhile, that
        one is forgotten, and with it what may be from before the change.
        """
        now = self._clock.now()
        if self._fresh_until is None or now >= self._fresh_until:
            self._known, self._fresh_until = {}, now + FRESH
        return self._known

    def forget(self) -> None:
        """Know nothing any more; to be called after a change."""
        self._fresh_until = None
