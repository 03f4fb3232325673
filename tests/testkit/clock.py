"""A clock that stands still until it is moved."""

from datetime import datetime, timedelta

from core.clock import truncate_to_milliseconds


class FixedClock:
    """Tells the time it was given. Mutable: `advance` moves it."""

    def __init__(self, now: datetime) -> None:
        if now.tzinfo is None:
            raise ValueError("the time needs a timezone")
        self._now = truncate_to_milliseconds(now)

    def now(self) -> datetime:
        """Return the time."""
        return self._now

    def advance(self, by: timedelta | None = None, **units: float) -> datetime:
        """Move the clock by *by*, or by the units of a timedelta (`seconds=5`), and return the new time."""
        self._now = truncate_to_milliseconds(self._now + (timedelta(**units) if by is None else by))
        return self._now
