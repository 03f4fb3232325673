"""Days, months and years in a timezone, exactly as local calendars showed them.

The database is not asked where a month begins: mongod carries timezone tables of its own, and those of 6.0.5 place the
months of 24 zones (Mexico City, Cairo, Almaty, Amman ...) an hour off. Python's tables are one package to update.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from itertools import pairwise
from typing import Any, Generic, TypeVar, cast
from zoneinfo import ZoneInfo

from core.errors import BadUserInput

# A year and a month, fifty years, fifty years: enough to compare, few enough for one answer
MAX_DAYS, MAX_MONTHS, MAX_YEARS = 400, 600, 50
# A change of offset this close to a period's start is looked at closely; zones have skipped or repeated whole days
_NEAR = timedelta(hours=26)
# No zone has changed its offset twice within so long (the shortest was 95 hours, Freetown's in 1941)
_STEP = timedelta(hours=24)


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


# A day is a date, a year its number
P = TypeVar("P", Month, date, int)


@dataclass(frozen=True, slots=True)
class Calendar(Generic[P]):
    """How time is divided into periods of one length.

    *of* gives the period of a local time, *start* its first local time, written as if it were one of UTC. *count* and
    *at_count* number all periods without a gap. *earliest* and *latest* are those that datetimes can hold with all that
    is near them.
    """

    name: str
    of: Callable[[datetime], P]
    start: Callable[[P], datetime]
    count: Callable[[P], int]
    at_count: Callable[[int], P]
    earliest: P
    latest: P
    most: int

    def after(self, period: P, by: int = 1) -> P:
        """Return the period that is *by* after *period*, or before it."""
        return self.at_count(self.count(period) + by)


def _first_moment(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


DAYS: Calendar[date] = Calendar(
    name="days",
    of=datetime.date,
    start=_first_moment,
    count=date.toordinal,
    at_count=date.fromordinal,
    earliest=date(1, 2, 1),
    latest=date(9998, 12, 31),
    most=MAX_DAYS,
)
MONTHS: Calendar[Month] = Calendar(
    name="months",
    of=lambda local: Month(local.year, local.month),
    start=lambda month: datetime(month.year, month.number, 1, tzinfo=UTC),
    count=lambda month: month.year * 12 + month.number - 1,
    at_count=lambda count: Month(count // 12, count % 12 + 1),
    earliest=Month(1, 2),
    latest=Month(9998, 12),
    most=MAX_MONTHS,
)
YEARS: Calendar[int] = Calendar(
    name="years",
    of=lambda local: local.year,
    start=lambda year: datetime(year, 1, 1, tzinfo=UTC),
    count=lambda year: year,
    at_count=lambda count: count,
    earliest=2,
    latest=9998,
    most=MAX_YEARS,
)


@dataclass(frozen=True, slots=True)
class Segment(Generic[P]):
    """A stretch of time, *start* included and *end* not, in which local calendars show *period*."""

    start: datetime
    end: datetime
    period: P


def parse_month(text: str) -> Month:
    """Read `2026-11`."""
    year, number = text.split("-")
    return Month(int(year), int(number))


def period_at(calendar: Calendar[P], moment: datetime, zone: tzinfo) -> P:
    """Return the period that calendars in *zone* show at *moment*."""
    return calendar.of(moment.astimezone(zone))


def list_periods(calendar: Calendar[P], first: P, last: P) -> tuple[P, ...]:
    """Return the periods from *first* to *last*, both included.

    Raises:
        BadUserInput: they are in the wrong order, too many, or outside the years that can be reckoned with.
    """
    if last < first:
        raise BadUserInput(f"the range ends in {last}, before it begins in {first}", field="to")
    if first < calendar.earliest or last > calendar.latest:
        message = f"{calendar.name} from {_show(calendar.earliest)} to {calendar.latest} can be asked for"
        raise BadUserInput(message, field="from" if first < calendar.earliest else "to")
    low, high = calendar.count(first), calendar.count(last)
    if high - low + 1 > calendar.most:
        message = f"{high - low + 1} {calendar.name} are too many; at most {calendar.most} can be asked for"
        raise BadUserInput(message, field="to")
    return tuple(calendar.at_count(count) for count in range(low, high + 1))


def _show(period: object) -> str:
    return f"{period:04}" if isinstance(period, int) else str(period)


def load_zone(name: str) -> ZoneInfo:
    """Return a timezone of the IANA database; raise BadUserInput for a name that it lacks."""
    try:
        # `localtime` is the machine's own zone on some systems: the answer must not depend on where it is computed
        if name == "localtime":
            raise ValueError
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise BadUserInput(f"{name!r} is not a timezone such as Asia/Jakarta", field="timezone") from None


def divide(calendar: Calendar[P], first: P, last: P, zone: tzinfo) -> tuple[Segment[P], ...]:
    """Return the segments of the periods from *first* to *last*, in the order of time.

    A period is one segment, except where clocks were set back across its first midnight: in St. John's the calendar
    showed 2009-11-01 for a minute, then 2009-10-31 again for 59. Such a period has several. A day that a zone skipped,
    as Apia did 2011-12-30, has none.
    """
    return cast(tuple[Segment[P], ...], _divide(calendar, first, last, zone))


# A report is asked for again and again, and cutting a year into days takes milliseconds
@lru_cache(maxsize=256)
def _divide(calendar: Calendar[Any], first: Any, last: Any, zone: tzinfo) -> tuple[Segment[Any], ...]:
    wanted = list_periods(calendar, first, last)
    changes: list[tuple[datetime, Any]] = []
    for low, high, bounds in _windows(calendar, (*wanted, calendar.after(last)), zone):
        if len(bounds) == 1 and low.astimezone(zone).utcoffset() == high.astimezone(zone).utcoffset():
            changes += bounds
        else:
            changes += _list_changes(calendar, low, high, zone)
    segments = [Segment(start, end, period) for (start, period), (end, _) in pairwise(changes) if start < end]
    return tuple(segment for segment in segments if first <= segment.period <= last)


def _windows(
    calendar: Calendar[P], periods: tuple[P, ...], zone: tzinfo
) -> Iterator[tuple[datetime, datetime, list[tuple[datetime, P]]]]:
    """Yield the stretches of time around the starts of *periods*, with these; those that touch are one."""
    low = high = None
    bounds: list[tuple[datetime, P]] = []
    for period in periods:
        start = calendar.start(period).replace(tzinfo=zone).astimezone(UTC)
        if low is not None and high is not None and start - _NEAR > high:
            yield low, high, bounds
            low, bounds = None, []
        low = start - _NEAR if low is None else low
        high = start + _NEAR
        bounds.append((start, period))
    if low is not None and high is not None:
        yield low, high, bounds


def _list_changes(calendar: Calendar[P], low: datetime, high: datetime, zone: tzinfo) -> list[tuple[datetime, P]]:
    """Return (moment, period shown from then on) for every change of the shown period between *low* and *high*."""
    changes: list[tuple[datetime, P]] = []
    for start, end, offset in _list_offsets(low, high, zone):
        moment = start
        while moment < end:
            period = calendar.of(moment + offset)
            if not changes or changes[-1][1] != period:
                changes.append((moment, period))
            moment = min(end, calendar.start(calendar.after(period)) - offset)
    # What was shown at *low* already is no change
    return changes[1:]


def _list_offsets(low: datetime, high: datetime, zone: tzinfo) -> list[tuple[datetime, datetime, timedelta]]:
    """Return the stretches between *low* and *high* with their offsets from UTC."""
    stretches = []
    start, moment, offset = low, low, _offset(low, zone)
    while moment < high:
        later = min(moment + _STEP, high)
        if _offset(later, zone) != offset:
            change = _bisect_change(moment, later, offset, zone)
            stretches.append((start, change, offset))
            start, later, offset = change, change, _offset(change, zone)
        moment = later
    return [*stretches, (start, high, offset)]


def _offset(moment: datetime, zone: tzinfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta(0)


def _bisect_change(low: datetime, high: datetime, offset: timedelta, zone: tzinfo) -> datetime:
    # Offsets of old local mean times have seconds; nothing finer exists
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low).total_seconds() // 2)
        low, high = (middle, high) if _offset(middle, zone) == offset else (low, middle)
    return high
