"""Schedules: when they are due. No I/O, no clock."""

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from core.errors import BadUserInput

MAX_NAME_LENGTH = 100

_TIME_OF_DAY = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")


class Frequency(StrEnum):
    """How often a schedule is due."""

    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"
    YEARLY = "YEARLY"


class Weekday(StrEnum):
    """A day of the week."""

    MONDAY = "MONDAY"
    TUESDAY = "TUESDAY"
    WEDNESDAY = "WEDNESDAY"
    THURSDAY = "THURSDAY"
    FRIDAY = "FRIDAY"
    SATURDAY = "SATURDAY"
    SUNDAY = "SUNDAY"


_WEEKDAY_NUMBERS = {day: number for number, day in enumerate(Weekday)}


@dataclass(frozen=True, slots=True)
class Recurrence:
    """When a schedule is due, on the wall clocks of *timezone*.

    *day_of_week* belongs to WEEKLY, *day_of_month* to MONTHLY and YEARLY, *month* to YEARLY; elsewhere they are None.
    """

    frequency: Frequency
    time_of_day: str
    timezone: str
    day_of_week: Weekday | None = None
    day_of_month: int | None = None
    month: int | None = None


def check_recurrence(recurrence: Recurrence) -> Recurrence:
    """Return *recurrence*; raise BadUserInput for a value that is wrong, missing, or of another frequency."""
    if not _TIME_OF_DAY.fullmatch(recurrence.time_of_day):
        raise BadUserInput("the time of day is not like 03:30", field="timeOfDay")
    _zone(recurrence.timezone)
    frequency = recurrence.frequency
    weekly = frequency is Frequency.WEEKLY
    monthly = frequency in (Frequency.MONTHLY, Frequency.YEARLY)
    yearly = frequency is Frequency.YEARLY
    _check_presence("dayOfWeek", recurrence.day_of_week, wanted=weekly, frequency=frequency)
    _check_presence("dayOfMonth", recurrence.day_of_month, wanted=monthly, frequency=frequency)
    _check_presence("month", recurrence.month, wanted=yearly, frequency=frequency)
    if recurrence.month is not None and not 1 <= recurrence.month <= 12:
        raise BadUserInput(f"month is {recurrence.month}; it must be between 1 and 12", field="month")
    day = recurrence.day_of_month
    # A leap year, so that 29 February is accepted; in other years it is the 28th
    longest = 31 if recurrence.month is None else calendar.monthrange(2024, recurrence.month)[1]
    if day is not None and not 1 <= day <= longest:
        raise BadUserInput(f"day {day} is not between 1 and {longest}", field="dayOfMonth")
    return recurrence


def next_run(recurrence: Recurrence, *, after: datetime) -> datetime:
    """Return the first moment in UTC later than *after* at which *recurrence* is due.

    A day that the month does not have is its last day. A time that the clocks skip is as much later as they skip
    (02:30 becomes 03:30); of a time that they show twice, the first one counts. So there is one run a day, always.
    """
    zone = _zone(recurrence.timezone)
    at = time.fromisoformat(recurrence.time_of_day)
    # The day before, because west of a date line's jump a day's moment can lie on the next
    start = after.astimezone(zone).date() - timedelta(days=1)
    for day in _due_days(recurrence, start):
        # fold=0 gives both: the first of two equal times, and the offset before a gap for a time inside it
        moment = datetime.combine(day, at, tzinfo=zone).astimezone(UTC)
        if moment > after:
            return moment
    raise BadUserInput("the schedule is never due again", field="frequency")


def check_name(name: str) -> str:
    """Return *name* with its blanks tidied; raise BadUserInput when it is empty, too long or not printable."""
    tidy = " ".join(name.split())
    if not tidy or len(tidy) > MAX_NAME_LENGTH or not tidy.isprintable():
        raise BadUserInput(f"a name has 1 to {MAX_NAME_LENGTH} printable characters", field="name")
    return tidy


def _due_days(recurrence: Recurrence, start: date) -> Iterator[date]:
    """Yield the days from *start* on at which *recurrence* is due, until the end of the calendar."""
    match recurrence.frequency:
        case Frequency.DAILY:
            step, first = timedelta(days=1), start
        case Frequency.WEEKLY:
            assert recurrence.day_of_week is not None
            step = timedelta(days=7)
            first = start + timedelta(days=(_WEEKDAY_NUMBERS[recurrence.day_of_week] - start.weekday()) % 7)
        case Frequency.MONTHLY | Frequency.YEARLY:
            yield from _due_days_of_months(recurrence, start)
            return
    day = first
    while day <= date.max - step:
        yield day
        day += step


def _due_days_of_months(recurrence: Recurrence, start: date) -> Iterator[date]:
    assert recurrence.day_of_month is not None
    year, month = start.year, start.month
    while year < date.max.year:
        if recurrence.month is None or recurrence.month == month:
            last = calendar.monthrange(year, month)[1]
            day = date(year, month, min(recurrence.day_of_month, last))
            if day >= start:
                yield day
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)


def _check_presence(field: str, value: object, *, wanted: bool, frequency: Frequency) -> None:
    if wanted and value is None:
        raise BadUserInput(f"a {frequency} schedule needs {field}", field=field)
    if not wanted and value is not None:
        raise BadUserInput(f"a {frequency} schedule has no {field}", field=field)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    # ValueError: a path; OSError: a folder of the timezone database, or a name too long for a file
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadUserInput(f"{name!r:.60} is not a timezone such as Asia/Jakarta", field="timezone") from None
