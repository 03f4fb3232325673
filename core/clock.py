"""The present, as something that can be handed in."""

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Whatever tells the time."""

    def now(self) -> datetime:
        """Return the present as an aware UTC datetime, cut to milliseconds as MongoDB stores it."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the machine's time."""
        return truncate_to_milliseconds(datetime.now(UTC))


def truncate_to_milliseconds(moment: datetime) -> datetime:
    """Cut *moment* to what a BSON date can hold, so that a value compares equal after a round trip."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
