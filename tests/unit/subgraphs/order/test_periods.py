"""Days, months and years as local calendars show them."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadUserInput
from subgraphs.order.periods import (
    DAYS,
    MONTHS,
    YEARS,
    Calendar,
    Month,
    Segment,
    divide,
    list_periods,
    load_zone,
    parse_month,
    period_at,
)

ZONES = sorted(available_timezones() - {"localtime", "Factory"})


@given(
    st.sampled_from(ZONES),
    st.sampled_from([DAYS, MONTHS, YEARS]),
    st.datetimes(datetime(1880, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001
    st.integers(0, 14),
    st.lists(st.integers(-40 * 86_400, 500 * 86_400), min_size=1, max_size=30),
)
def test_every_moment_falls_into_the_period_that_its_calendar_shows(
    name: str, calendar: Calendar[Any], at: datetime, count: int, offsets: list[int]
) -> None:
    zone, first = ZoneInfo(name), calendar.of(at)
    last = calendar.after(first, count)
    segments = divide(calendar, first, last, zone)
    edges = [
        edge + timedelta(milliseconds=by) for each in segments for edge in (each.start, each.end) for by in (-1, 0)
    ]
    start = calendar.start(first)
    for moment in (*edges, *(start + timedelta(seconds=offset) for offset in offsets)):
        shown = period_at(calendar, moment, zone)
        found = [each.period for each in segments if each.start <= moment < each.end]
        assert found == ([shown] if first <= shown <= last else [])


@pytest.mark.parametrize("name", ["America/St_Johns", "Asia/Manila", "Pacific/Apia", "Pacific/Kwajalein"])
def test_segments_are_in_order_and_do_not_overlap(name: str) -> None:
    segments = divide(MONTHS, Month(1985, 1), Month(2012, 12), ZoneInfo(name))
    for earlier, later in pairwise(segments):
        assert earlier.start < earlier.end <= later.start


def test_a_month_that_a_calendar_showed_twice_has_two_segments() -> None:
    def at(hour: int, minute: int) -> datetime:
        return datetime(2009, 11, 1, hour, minute, tzinfo=UTC)

    segments = divide(MONTHS, Month(2009, 10), Month(2009, 11), ZoneInfo("America/St_Johns"))
    assert [(segment.start, segment.end, segment.period.number) for segment in segments] == [
        (datetime(2009, 10, 1, 2, 30, tzinfo=UTC), at(2, 30), 10),
        (at(2, 30), at(2, 31), 11),
        (at(2, 31), at(3, 30), 10),
        (at(3, 30), datetime(2009, 12, 1, 3, 30, tzinfo=UTC), 11),
    ]


def test_an_ordinary_month_is_one_segment() -> None:
    assert divide(MONTHS, Month(2026, 11), Month(2026, 11), ZoneInfo("Asia/Jakarta")) == (
        Segment(datetime(2026, 10, 31, 17, tzinfo=UTC), datetime(2026, 11, 30, 17, tzinfo=UTC), Month(2026, 11)),
    )


def test_a_day_that_a_zone_skipped_has_no_segment() -> None:
    # Apia went from one side of the date line to the other
    days = divide(DAYS, date(2011, 12, 29), date(2011, 12, 31), ZoneInfo("Pacific/Apia"))
    assert [segment.period for segment in days] == [date(2011, 12, 29), date(2011, 12, 31)]
    assert divide(DAYS, date(2011, 12, 30), date(2011, 12, 30), ZoneInfo("Pacific/Apia")) == ()


def test_days_of_a_clock_change_are_an_hour_shorter_and_longer() -> None:
    for day, hours in ((date(2024, 3, 31), 23), (date(2024, 10, 27), 25), (date(2024, 7, 1), 24)):
        (segment,) = divide(DAYS, day, day, ZoneInfo("Europe/London"))
        assert segment.end - segment.start == timedelta(hours=hours)


def test_months_are_listed_with_both_ends() -> None:
    assert [str(month) for month in list_periods(MONTHS, Month(2025, 11), Month(2026, 2))] == [
        "2025-11",
        "2025-12",
        "2026-01",
        "2026-02",
    ]
    assert parse_month("2026-02") == Month(2026, 2)


@pytest.mark.parametrize(
    ("first", "last", "field"),
    [
        (Month(2026, 2), Month(2026, 1), "to"),
        (Month(1900, 1), Month(1950, 1), "to"),
        (Month(1, 1), Month(1, 2), "from"),
        (Month(9998, 12), Month(9999, 1), "to"),
    ],
)
def test_a_range_that_cannot_be_answered_is_refused(first: Month, last: Month, field: str) -> None:
    with pytest.raises(BadUserInput) as caught:
        list_periods(MONTHS, first, last)
    assert caught.value.field == field


def test_as_many_periods_as_allowed_can_be_asked_for_and_not_one_more() -> None:
    assert len(list_periods(MONTHS, Month(1900, 1), Month(1949, 12))) == 600
    assert len(list_periods(DAYS, date(2024, 1, 1), date(2025, 2, 3))) == 400
    assert len(list_periods(YEARS, 1951, 2000)) == 50
    with pytest.raises(BadUserInput, match="601 months are too many; at most 600 can be asked for"):
        list_periods(MONTHS, Month(1900, 1), Month(1950, 1))
    with pytest.raises(BadUserInput, match="401 days are too many; at most 400 can be asked for"):
        list_periods(DAYS, date(2024, 1, 1), date(2025, 2, 4))
    with pytest.raises(BadUserInput, match="51 years are too many; at most 50 can be asked for"):
        list_periods(YEARS, 1950, 2000)
    with pytest.raises(BadUserInput, match="years from 0002 to 9998 can be asked for"):
        list_periods(YEARS, -5, 3)


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../etc/passwd", "/etc/localtime", "localtime", "+07:00", "a\0b"])
def test_names_that_are_no_timezones_are_refused(name: str) -> None:
    with pytest.raises(BadUserInput, match="is not a timezone"):
        load_zone(name)
