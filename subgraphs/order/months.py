"""Calendar months in a timezone, exactly as local calendars showed them.

The database is not asked where a month begins: mongod carries timezone tables of its own, and those of 6.0.5 place the
months of 24 zones (Mexico City, Cairo, Almaty, Amman ...) an hour off. Python's tables are one package to update.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from core.errors import BadUserInput

# Fifty years: more than any order history, few enough for one answer
MAX_MONTHS = 600
# A change of offset this close to a month's start is looked at closely; zones have skipped or repeated whole days
_NEAR = timedelta(hours=26)


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A month of the calendar; *number* is 1 to 12."""

    year: int
    number: int

    def __str__(self) -> str:
        return f"{self.year:04}-{self.number:02}"

    def next(self) -> "Month":
        """Return the month after this."""
        return Month(self.year + 1, 1) if self.number == 12 else Month(self.year, self.number + 1)


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of time, *start* included and *end* not, in which local calendars show *month*."""

    start: datetime
    end: datetime
    month: Month


def parse_month(text: str) -> Month:
    """Read `2026-11`."""
    year, number = text.split("-")
    return Month(int(year), int(number))


def month_of(moment: datetime, zone: tzinfo) -> Month:
    """Return the month that calendars in *zone* show at *moment*."""
    local = moment.astimezone(zone)
    return Month(local.year, local.month)


def list_months(first: Month, last: Month) -> tuple[Month, ...]:
    """Return the months from *first* to *last*, both included.

    Raises:
        BadUserInput: they are in the wrong order, more than MAX_MONTHS, or outside the years 1 to 9998.
    """
    if last < first:
        raise BadUserInput(f"the range ends in {last}, before it begins in {first}", field="to")
    if first < Month(1, 2) or last > Month(9998, 12):
        raise BadUserInput("months from 0001-02 to 9998-12 can be asked for", field="from")
    count = (last.year - first.year) * 12 + last.number - first.number + 1
    if count > MAX_MONTHS:
        raise BadUserInput(f"{count} months are too many; at most {MAX_MONTHS} can be asked for", field="to")
    months = [first]
    while months[-1] < last:
        months.append(months[-1].next())
    return tuple(months)


def load_zone(name: str) -> ZoneInfo:
    """Return a timezone of the IANA database; raise BadUserInput for a name that it lacks."""
    try:
        # `localtime` is the machine's own zone on some systems: the answer must not depend on where it is computed
        if name == "localtime":
            raise ValueError
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise BadUserInput(f"{name!r} is not a timezone such as Asia/Jakarta", field="timezone") from None


def divide_into_months(first: Month, last: Month, zone: tzinfo) -> tuple[Segment, ...]:
    """Return the segments of the months from *first* to *last*, in the order of time.

    A month is one segment, except where clocks were set back across midnight of the first: in St. John's the calendar
    showed 2009-11-01 for a minute, then 2009-10-31 again for 59. Such a month has several.
    """
    wanted = list_months(first, last)
    changes: list[tuple[datetime, Month]] = []
    for month in (*wanted, last.next()):
        changes += _changes_around(month, zone)
    segments = [Segment(start, end, month) for (start, month), (end, _) in pairwise(changes) if start < end]
    return tuple(segment for segment in segments if first <= segment.month <= last)


def _changes_around(month: Month, zone: tzinfo) -> list[tuple[datetime, Month]]:
    # (moment, month shown from then on), for every change of the shown month around the start of *month*
    start = datetime(month.year, month.number, 1, tzinfo=zone).astimezone(UTC)
    before, after = start - _NEAR, start + _NEAR
    if before.astimezone(zone).utcoffset() == after.astimezone(zone).utcoffset():
        return [(start, month)]
    changes = []
    moment, shown = before, month_of(before, zone)
    while moment < after:
        later = moment + timedelta(minutes=1)
        showing = month_of(later, zone)
        if showing != shown:
            changes.append((_bisect_change(moment, later, shown, zone), showing))
            shown = showing
        moment = later
    return changes


def _bisect_change(low: datetime, high: datetime, shown: Month, zone: tzinfo) -> datetime:
    # Offsets of old local mean times have seconds; nothing finer exists
    low, high = low.replace(microsecond=0), high.replace(microsecond=0)
    while high - low > timedelta(seconds=1):
        middle = (low + timedelta(seconds=(high - low).seconds // 2)).replace(microsecond=0)
        low, high = (middle, high) if month_of(middle, zone) == shown else (low, middle)
    return high


def segment_expression(segments: Sequence[Segment], field: str) -> Any:
    """Return a MongoDB expression that gives a row the number of its segment, or null outside of all *segments*.

    It is a balanced tree of comparisons: a row costs the logarithm of the number of segments.
    """
    edges: list[tuple[datetime, int | None]] = []
    for number, segment in enumerate(segments):
        if edges and edges[-1][0] == segment.start:
            edges.pop()
        edges += [(segment.start, number), (segment.end, None)]

    def tree(low: int, high: int) -> Any:
        # Rows of edges[low - 1] up to edges[high - 1]; edge 0 is the time before all
        if low == high:
            return None if low == 0 else edges[low - 1][1]
        middle = (low + high + 1) // 2
        return {"$cond": [{"$lt": [field, edges[middle - 1][0]]}, tree(low, middle - 1), tree(middle, high)]}

    return tree(0, len(edges))
