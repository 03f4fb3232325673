"""Months as local calendars show them."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadUserInput
from subgraphs.order.months import (
    Month,
    Segment,
    divide_into_months,
    list_months,
    load_zone,
    month_of,
    parse_month,
    segment_expression,
)

ZONES = sorted(available_timezones() - {"localtime", "Factory"})


def evaluate(expression: Any, moment: datetime) -> Any:
    """Evaluate what segment_expression makes, as MongoDB does."""
    while isinstance(expression, dict):
        condition, then, otherwise = expression["$cond"]
        expression = then if moment < condition["$lt"][1] else otherwise
    return expression


@given(
    st.sampled_from(ZONES),
    st.integers(1880, 2100),
    st.integers(1, 12),
    st.integers(0, 14),
    st.lists(st.integers(-40 * 86_400, 500 * 86_400), min_size=1, max_size=30),
)
def test_every_moment_falls_into_the_month_that_its_calendar_shows(
    name: str, year: int, number: int, count: int, offsets: list[int]
) -> None:
    zone, first = ZoneInfo(name), Month(year, number)
    last = first
    for _ in range(count):
        last = last.next()
    segments = divide_into_months(first, last, zone)
    expression = segment_expression(segments, "$placed_at")
    edges = [
        edge + timedelta(milliseconds=by) for each in segments for edge in (each.start, each.end) for by in (-1, 0)
    ]
    start = datetime(year, number, 1, tzinfo=UTC)
    for moment in (*edges, *(start + timedelta(seconds=offset) for offset in offsets)):
        shown = month_of(moment, zone)
        number = evaluate(expression, moment)
        assert (None if number is None else segments[number].month) == (shown if first <= shown <= last else None)


@pytest.mark.parametrize("name", ["America/St_Johns", "Asia/Manila", "Pacific/Apia", "Pacific/Kwajalein"])
def test_segments_are_in_order_and_do_not_overlap(name: str) -> None:
    segments = divide_into_months(Month(1985, 1), Month(2012, 12), ZoneInfo(name))
    for earlier, later in pairwise(segments):
        assert earlier.start < earlier.end <= later.start


def test_a_month_that_a_calendar_showed_twice_has_two_segments() -> None:
    def at(hour: int, minute: int) -> datetime:
        return datetime(2009, 11, 1, hour, minute, tzinfo=UTC)

    segments = divide_into_months(Month(2009, 10), Month(2009, 11), ZoneInfo("America/St_Johns"))
    assert [(segment.start, segment.end, segment.month.number) for segment in segments] == [
        (datetime(2009, 10, 1, 2, 30, tzinfo=UTC), at(2, 30), 10),
        (at(2, 30), at(2, 31), 11),
        (at(2, 31), at(3, 30), 10),
        (at(3, 30), datetime(2009, 12, 1, 3, 30, tzinfo=UTC), 11),
    ]


def test_an_ordinary_month_is_one_segment() -> None:
    assert divide_into_months(Month(2026, 11), Month(2026, 11), ZoneInfo("Asia/Jakarta")) == (
        Segment(datetime(2026, 10, 31, 17, tzinfo=UTC), datetime(2026, 11, 30, 17, tzinfo=UTC), Month(2026, 11)),
    )


def test_a_tree_for_fifty_years_is_ten_comparisons_deep() -> None:
    def depth(expression: Any) -> int:
        return 1 + max(map(depth, expression["$cond"][1:])) if isinstance(expression, dict) else 0

    assert depth(segment_expression(divide_into_months(Month(1990, 1), Month(2039, 12), UTC), "$placed_at")) == 10


def test_months_are_listed_with_both_ends() -> None:
    assert [str(month) for month in list_months(Month(2025, 11), Month(2026, 2))] == [
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
        (Month(9998, 12), Month(9999, 1), "from"),
    ],
)
def test_a_range_that_cannot_be_answered_is_refused(first: Month, last: Month, field: str) -> None:
    with pytest.raises(BadUserInput) as caught:
        list_months(first, last)
    assert caught.value.field == field


def test_six_hundred_months_are_allowed() -> None:
    assert len(list_months(Month(1900, 1), Month(1949, 12))) == 600


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../etc/passwd", "/etc/localtime", "localtime", "+07:00", "a\0b"])
def test_names_that_are_no_timezones_are_refused(name: str) -> None:
    with pytest.raises(BadUserInput, match="is not a timezone"):
        load_zone(name)
