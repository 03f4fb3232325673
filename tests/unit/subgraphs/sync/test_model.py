from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadUserInput
from subgraphs.sync.model import Frequency, Recurrence, Weekday, check_name, check_recurrence, next_run


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def runs(recurrence: Recurrence, after: str, count: int) -> list[str]:
    """Return the next *count* runs on the wall clock of the schedule, with offset."""
    moment, found = utc(after), []
    for _ in range(count):
        moment = next_run(check_recurrence(recurrence), after=moment)
        found.append(moment.astimezone(ZoneInfo(recurrence.timezone)).isoformat(timespec="minutes"))
    return found


def daily(time_of_day: str, timezone: str = "UTC") -> Recurrence:
    return Recurrence(Frequency.DAILY, time_of_day, timezone)


def weekly(day: Weekday, time_of_day: str = "03:00", timezone: str = "UTC") -> Recurrence:
    return Recurrence(Frequency.WEEKLY, time_of_day, timezone, day_of_week=day)


def monthly(day: int, time_of_day: str = "03:00", timezone: str = "UTC") -> Recurrence:
    return Recurrence(Frequency.MONTHLY, time_of_day, timezone, day_of_month=day)


def yearly(month: int, day: int, time_of_day: str = "03:00", timezone: str = "UTC") -> Recurrence:
    return Recurrence(Frequency.YEARLY, time_of_day, timezone, day_of_month=day, month=month)


def test_a_daily_run_is_today_or_tomorrow() -> None:
    assert next_run(daily("03:00"), after=utc("2026-05-01T02:59:59.999")) == utc("2026-05-01T03:00")
    assert next_run(daily("03:00"), after=utc("2026-05-01T03:00")) == utc("2026-05-02T03:00")
    assert next_run(daily("23:59"), after=utc("2026-12-31T23:59")) == utc("2027-01-01T23:59")


def test_the_time_of_day_is_that_of_the_timezone() -> None:
    assert next_run(daily("03:00", "Asia/Jakarta"), after=utc("2026-05-01T00:00")) == utc("2026-05-01T20:00")
    assert next_run(daily("03:00", "Asia/Jakarta"), after=utc("2026-05-01T20:00")) == utc("2026-05-02T20:00")
    # At 22:00 UTC it is the next day in Auckland and still the day before in Honolulu
    assert runs(daily("09:00", "Pacific/Auckland"), "2026-05-01T22:00", 1) == ["2026-05-03T09:00+12:00"]
    assert runs(daily("13:00", "Pacific/Honolulu"), "2026-05-01T22:00", 1) == ["2026-05-01T13:00-10:00"]


def test_a_time_that_the_clocks_skip_is_later_by_as_much() -> None:
    # Berlin, 2026-03-29: 02:00 becomes 03:00
    assert runs(daily("02:30", "Europe/Berlin"), "2026-03-27T12:00", 3) == [
        "2026-03-28T02:30+01:00",
        "2026-03-29T03:30+02:00",
        "2026-03-30T02:30+02:00",
    ]


def test_a_time_that_the_clocks_show_twice_is_run_once() -> None:
    # Berlin, 2026-10-25: 03:00 becomes 02:00
    assert runs(daily("02:30", "Europe/Berlin"), "2026-10-23T12:00", 3) == [
        "2026-10-24T02:30+02:00",
        "2026-10-25T02:30+02:00",
        "2026-10-26T02:30+01:00",
    ]
    # From between the two 02:30 of that night
    assert runs(daily("02:30", "Europe/Berlin"), "2026-10-25T00:45", 1) == ["2026-10-26T02:30+01:00"]


def test_a_time_beside_a_change_of_clocks_stays_on_the_wall_clock() -> None:
    assert runs(daily("03:00", "America/New_York"), "2026-03-07T12:00", 2) == [
        "2026-03-08T03:00-04:00",
        "2026-03-09T03:00-04:00",
    ]
    # Half an hour only, on Lord Howe Island
    assert runs(daily("02:15", "Australia/Lord_Howe"), "2026-10-02T20:00", 2) == [
        "2026-10-04T02:45+11:00",
        "2026-10-05T02:15+11:00",
    ]


def test_a_day_that_a_timezone_skips_is_run_once() -> None:
    # Samoa went from 2011-12-29 to 2011-12-31
    assert runs(daily("10:00", "Pacific/Apia"), "2011-12-29T00:00", 3) == [
        "2011-12-29T10:00-10:00",
        "2011-12-31T10:00+14:00",
        "2012-01-01T10:00+14:00",
    ]


def test_a_weekly_run_is_on_its_day() -> None:
    # 2026-05-01 is a Friday
    assert runs(weekly(Weekday.FRIDAY), "2026-05-01T02:00", 2) == ["2026-05-01T03:00+00:00", "2026-05-08T03:00+00:00"]
    assert runs(weekly(Weekday.FRIDAY), "2026-05-01T03:00", 1) == ["2026-05-08T03:00+00:00"]
    assert runs(weekly(Weekday.THURSDAY), "2026-05-01T03:00", 1) == ["2026-05-07T03:00+00:00"]
    assert runs(weekly(Weekday.SUNDAY), "2026-12-30T00:00", 1) == ["2027-01-03T03:00+00:00"]
    # Monday in Jakarta begins on Sunday in UTC
    assert next_run(weekly(Weekday.MONDAY, "01:00", "Asia/Jakarta"), after=utc("2026-05-01T00:00")) == utc(
        "2026-05-03T18:00"
    )


def test_a_monthly_run_is_on_the_last_day_of_a_month_that_is_too_short() -> None:
    assert runs(monthly(31), "2026-01-15T00:00", 5) == [
        "2026-01-31T03:00+00:00",
        "2026-02-28T03:00+00:00",
        "2026-03-31T03:00+00:00",
        "2026-04-30T03:00+00:00",
        "2026-05-31T03:00+00:00",
    ]
    assert runs(monthly(29), "2028-02-01T00:00", 1) == ["2028-02-29T03:00+00:00"]
    assert runs(monthly(1), "2026-12-01T03:00", 1) == ["2027-01-01T03:00+00:00"]


def test_a_yearly_run_on_a_leap_day_is_on_the_28th_in_other_years() -> None:
    assert runs(yearly(2, 29), "2026-01-01T00:00", 3) == [
        "2026-02-28T03:00+00:00",
        "2027-02-28T03:00+00:00",
        "2028-02-29T03:00+00:00",
    ]
    assert runs(yearly(12, 31, "23:59"), "2026-12-31T23:59", 1) == ["2027-12-31T23:59+00:00"]


ZONES = (
    "UTC",
    "Asia/Jakarta",
    "Asia/Kathmandu",
    "Europe/Berlin",
    "America/New_York",
    "America/Santiago",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Kiritimati",
    "Africa/Casablanca",
)
TIMES = st.times().map(lambda moment: moment.isoformat(timespec="minutes")[:5])
RECURRENCES = st.one_of(
    st.builds(daily, TIMES, st.sampled_from(ZONES)),
    st.builds(weekly, st.sampled_from(Weekday), TIMES, st.sampled_from(ZONES)),
    st.builds(monthly, st.integers(1, 31), TIMES, st.sampled_from(ZONES)),
    st.builds(yearly, st.integers(1, 12), st.integers(1, 28), TIMES, st.sampled_from(ZONES)),
)
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # aware by then


@given(RECURRENCES, MOMENTS)
def test_the_next_run_is_later_and_shows_the_wall_clock_unless_the_clocks_skip_it(
    recurrence: Recurrence, after: datetime
) -> None:
    found = next_run(recurrence, after=after)
    assert found > after
    assert found.tzinfo is UTC
    local = found.astimezone(ZoneInfo(recurrence.timezone))
    wanted = time.fromisoformat(recurrence.time_of_day)
    if local.time() != wanted:
        # Then the wanted time does not exist on that day: it does not survive the way to UTC and back
        for day in (local.date(), local.date() - timedelta(days=1)):
            asked = datetime.combine(day, wanted, tzinfo=local.tzinfo)
            if asked.astimezone(UTC) == found:
                assert asked.astimezone(UTC).astimezone(local.tzinfo).time() != wanted
                break
        else:
            pytest.fail("the run is at a time that was not asked for")


@given(RECURRENCES, MOMENTS)
def test_no_run_is_skipped_between_two_runs(recurrence: Recurrence, after: datetime) -> None:
    first = next_run(recurrence, after=after)
    second = next_run(recurrence, after=first)
    # From anywhere before the second run, the next one is the first or the second
    for fraction in (0.0, 0.25, 0.5, 0.999):
        between = first + (second - first) * fraction
        assert next_run(recurrence, after=between) == second
    assert next_run(recurrence, after=first - timedelta(milliseconds=1)) == first


@given(RECURRENCES, MOMENTS)
def test_runs_are_as_far_apart_as_their_frequency_says(recurrence: Recurrence, after: datetime) -> None:
    first = next_run(recurrence, after=after)
    gap = next_run(recurrence, after=first) - first
    # Clocks move by an hour, and in Samoa by a day
    slack = timedelta(hours=25)
    shortest, longest = {
        Frequency.DAILY: (1, 1),
        Frequency.WEEKLY: (7, 7),
        Frequency.MONTHLY: (28, 31),
        Frequency.YEARLY: (365, 366),
    }[recurrence.frequency]
    assert timedelta(days=shortest) - slack <= gap <= timedelta(days=longest) + slack


@pytest.mark.parametrize(
    ("recurrence", "field"),
    [
        (daily("24:00"), "timeOfDay"),
        (daily("3:00"), "timeOfDay"),
        (daily("03:60"), "timeOfDay"),
        (daily("03:00:00"), "timeOfDay"),
        (daily("\u0660\u0663:\u0660\u0660"), "timeOfDay"),
        (daily(""), "timeOfDay"),
        (daily("03:00", "Mars/Olympus"), "timezone"),
        (daily("03:00", ""), "timezone"),
        (daily("03:00", "../../etc/passwd"), "timezone"),
        (daily("03:00", "/etc/localtime"), "timezone"),
        (daily("03:00", "Europe"), "timezone"),
        (daily("03:00", "x" * 5000), "timezone"),
        (daily("03:00", "UTC\x00"), "timezone"),
        (Recurrence(Frequency.WEEKLY, "03:00", "UTC"), "dayOfWeek"),
        (Recurrence(Frequency.MONTHLY, "03:00", "UTC"), "dayOfMonth"),
        (Recurrence(Frequency.YEARLY, "03:00", "UTC", day_of_month=1), "month"),
        (Recurrence(Frequency.YEARLY, "03:00", "UTC", month=1), "dayOfMonth"),
        (Recurrence(Frequency.DAILY, "03:00", "UTC", day_of_week=Weekday.MONDAY), "dayOfWeek"),
        (Recurrence(Frequency.DAILY, "03:00", "UTC", day_of_month=1), "dayOfMonth"),
        (Recurrence(Frequency.MONTHLY, "03:00", "UTC", day_of_month=1, month=1), "month"),
        (monthly(0), "dayOfMonth"),
        (monthly(32), "dayOfMonth"),
        (yearly(0, 1), "month"),
        (yearly(13, 1), "month"),
        (yearly(2, 30), "dayOfMonth"),
        (yearly(4, 31), "dayOfMonth"),
    ],
    ids=str,
)
def test_a_recurrence_that_cannot_be_names_its_field(recurrence: Recurrence, field: str) -> None:
    with pytest.raises(BadUserInput) as refusal:
        check_recurrence(recurrence)
    assert refusal.value.field == field


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\x00b"])
def test_a_name_that_cannot_be_shown_is_refused(name: str) -> None:
    with pytest.raises(BadUserInput) as refusal:
        check_name(name)
    assert refusal.value.field == "name"


def test_a_name_is_tidied() -> None:
    assert check_name("  To  the ERP ") == "To the ERP"
