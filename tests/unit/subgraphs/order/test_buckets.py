"""Sums of buckets are sums of what happened in a stretch of time, whatever the timezone."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subgraphs.order.buckets import Bucket, Cover, Grain, bucket_of, buckets_of, cover
from subgraphs.order.periods import MONTHS, divide, parse_month
from tests.integration.order.test_totals import ZONES

START = datetime(2024, 1, 1, tzinfo=UTC)
EXAMPLES = settings(max_examples=60, derandomize=True, deadline=None, database=None)


def months_of(first: str, last: str, zone: str) -> list[tuple[datetime, datetime]]:
    segments = divide(MONTHS, parse_month(first), parse_month(last), ZoneInfo(zone))
    return [(segment.start, segment.end) for segment in segments]


def count(covered: Cover, moments: list[datetime], segments: int) -> list[int]:
    """Add up *moments* per segment by buckets and rests, as the rollup does."""
    sums = [0] * segments
    stretches = [(bucket.start, bucket.end, weights) for bucket, weights in covered.buckets]
    stretches += [(rest.start, rest.end, rest.weights) for rest in covered.rests]
    for start, end, weights in stretches:
        inside = sum(start <= moment < end for moment in moments)
        for number, factor in weights:
            sums[number] += factor * inside
    return sums


@pytest.mark.parametrize(
    ("grain", "key", "end"),
    [
        (Grain.QUARTER, "q/2024-02-29T23:45", datetime(2024, 3, 1, tzinfo=UTC)),
        (Grain.HOUR, "h/2024-02-29T23", datetime(2024, 3, 1, tzinfo=UTC)),
        (Grain.DAY, "d/2024-02-29", datetime(2024, 3, 1, tzinfo=UTC)),
        (Grain.MONTH, "m/2024-02", datetime(2024, 3, 1, tzinfo=UTC)),
    ],
)
def test_a_bucket_is_named_after_its_first_moment_in_utc(grain: Grain, key: str, end: datetime) -> None:
    bucket = bucket_of(datetime(2024, 3, 1, 6, 59, 59, tzinfo=ZoneInfo("Asia/Jakarta")), grain)
    assert (bucket.key, bucket.end) == (key, end)


def test_keys_sort_by_time_in_all_years() -> None:
    keys = [bucket_of(datetime(year, 12, 1, tzinfo=UTC), Grain.MONTH).key for year in (1, 99, 999, 1000, 9998)]
    assert keys == ["m/0001-12", "m/0099-12", "m/0999-12", "m/1000-12", "m/9998-12"]


def test_a_month_of_jakarta_is_the_utc_month_with_seven_hours_moved() -> None:
    months = months_of("2024-03", "2024-03", "Asia/Jakarta")
    covered = cover(months, Grain.MONTH)
    before = [Bucket(Grain.HOUR, datetime(2024, 2, 29, hour, tzinfo=UTC)) for hour in range(17, 24)]
    after = [Bucket(Grain.HOUR, datetime(2024, 3, 31, hour, tzinfo=UTC)) for hour in range(17, 24)]
    assert dict(covered.buckets) == {
        Bucket(Grain.MONTH, datetime(2024, 3, 1, tzinfo=UTC)): ((0, 1),),
        **dict.fromkeys(before, ((0, 1),)),
        **dict.fromkeys(after, ((0, -1),)),
    }
    assert covered.rests == ()
    assert covered.keys == tuple(bucket.key for bucket, _ in covered.buckets)


def test_two_years_of_jakarta_take_two_hundred_buckets() -> None:
    months = months_of("2024-01", "2025-12", "Asia/Jakarta")
    assert len(cover(months, Grain.MONTH).buckets) == 24 + 25 * 7


@EXAMPLES
@given(
    zone=st.sampled_from(ZONES),
    first=st.integers(0, 11),
    length=st.integers(1, 14),
    base=st.sampled_from([Grain.DAY, Grain.MONTH]),
    finest=st.sampled_from([Grain.QUARTER, Grain.DAY]),
    minutes=st.lists(st.integers(-70_000, 900_000), max_size=60),
)
def test_months_of_every_zone_are_sums_of_buckets(
    zone: str, first: int, length: int, base: Grain, finest: Grain, minutes: list[int]
) -> None:
    last = first + length - 1
    months = months_of(f"{2024 + first // 12}-{first % 12 + 1:02}", f"{2024 + last // 12}-{last % 12 + 1:02}", zone)
    moments = [START + timedelta(minutes=each) for each in minutes]
    moments += [edge for start, end in months for edge in (start, end, end - timedelta(milliseconds=1))]
    covered = cover(months, base, finest)
    expected = [sum(start <= moment < end for moment in moments) for start, end in months]
    assert count(covered, moments, len(months)) == expected
    if finest is Grain.QUARTER:
        assert covered.rests == ()


@EXAMPLES
@given(bounds=st.lists(st.integers(0, 5_000_000), min_size=2, max_size=6, unique=True).map(sorted))
def test_any_stretches_of_seconds_also_overlapping_ones_are_sums_of_buckets_and_rests(bounds: list[int]) -> None:
    edges = [START + timedelta(seconds=each) for each in bounds]
    segments = [*pairwise(edges), (edges[0], edges[-1])]
    moments = [START + timedelta(seconds=each) for each in range(0, 5_000_000, 40_009)] + edges
    expected = [sum(start <= moment < end for moment in moments) for start, end in segments]
    for base in (Grain.HOUR, Grain.DAY, Grain.MONTH):
        assert count(cover(segments, base), moments, len(segments)) == expected


def test_local_mean_time_leaves_a_rest_of_seconds() -> None:
    # Jakarta was at +7:07:12 until 1923
    months = months_of("1900-01", "1900-01", "Asia/Jakarta")
    rests = cover(months, Grain.MONTH).rests
    assert [(rest.end - rest.start, rest.weights) for rest in rests] == [
        (timedelta(minutes=7, seconds=12), ((0, 1),)),
        (timedelta(minutes=7, seconds=12), ((0, -1),)),
    ]


def test_a_moment_is_in_one_bucket_of_each_grain() -> None:
    moment = datetime(2024, 2, 29, 12, 50, tzinfo=UTC)
    assert [bucket.key for bucket in buckets_of(moment)] == [
        "q/2024-02-29T12:45",
        "h/2024-02-29T12",
        "d/2024-02-29",
        "m/2024-02",
    ]
    assert [bucket.key for bucket in buckets_of(moment, Grain.DAY)] == ["d/2024-02-29", "m/2024-02"]
