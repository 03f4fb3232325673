"""Buckets of time at several grains, and which of them add up to a stretch of time.

Sums are kept per UTC quarter-hour, hour, day and month. Calendars of every timezone in use change their day at a
quarter-hour, so any range of local days or months is a sum of whole buckets. A month of Jakarta, for example, is the
UTC month, plus the seven hours before it, less its own last seven: fifteen buckets rather than the 720 hours.
What no quarter-hour fits (local mean times of old, with seconds) is left over as *rests*, for the orders themselves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise


class Grain(StrEnum):
    """How long a bucket is; the value begins its key."""

    QUARTER = "q"
    HOUR = "h"
    DAY = "d"
    MONTH = "m"


FINEST_FIRST = (Grain.QUARTER, Grain.HOUR, Grain.DAY, Grain.MONTH)
_LENGTHS = {
    Grain.QUARTER: timedelta(minutes=15),
    Grain.HOUR: timedelta(hours=1),
    Grain.DAY: timedelta(days=1),
}
_FORMATS = {Grain.QUARTER: "%Y-%m-%dT%H:%M", Grain.HOUR: "%Y-%m-%dT%H", Grain.DAY: "%Y-%m-%d", Grain.MONTH: "%Y-%m"}


@dataclass(frozen=True, slots=True, order=True)
class Bucket:
    """One bucket, by its grain and its first moment in UTC."""

    grain: Grain
    start: datetime

    @property
    def key(self) -> str:
        """Return its name, such as `h/2026-11-24T05`; those of one grain sort by time."""
        # strftime writes years before 1000 with less than four digits
        text = self.start.strftime(_FORMATS[self.grain])
        return f"{self.grain}/{text.rjust(len(text) + 4 - len(text.partition('-')[0]), '0')}"

    @property
    def end(self) -> datetime:
        """Return the first moment after it."""
        if self.grain is not Grain.MONTH:
            return self.start + _LENGTHS[self.grain]
        return bucket_of(self.start + timedelta(days=31), Grain.MONTH).start


@dataclass(frozen=True, slots=True)
class Rest:
    """A stretch of time that is no bucket, *start* included and *end* not; *weights* are as in Cover."""

    start: datetime
    end: datetime
    weights: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Cover:
    """Which buckets add up to several stretches of time.

    A bucket counts for the stretch *number* with the factor 1 or -1 for each of its weights (number, factor). *keys*
    are those of the buckets, in their order.
    """

    buckets: tuple[tuple[Bucket, tuple[tuple[int, int], ...]], ...]
    rests: tuple[Rest, ...]
    keys: tuple[str, ...]


def bucket_of(moment: datetime, grain: Grain) -> Bucket:
    """Return the bucket of *grain* that holds *moment*."""
    day = moment.astimezone(UTC).replace(second=0, microsecond=0)
    match grain:
        case Grain.QUARTER:
            return Bucket(grain, day.replace(minute=day.minute - day.minute % 15))
        case Grain.HOUR:
            return Bucket(grain, day.replace(minute=0))
        case Grain.DAY:
            return Bucket(grain, day.replace(hour=0, minute=0))
        case Grain.MONTH:
            return Bucket(grain, day.replace(day=1, hour=0, minute=0))


def buckets_of(moment: datetime, finest: Grain = Grain.QUARTER) -> tuple[Bucket, ...]:
    """Return the buckets that hold *moment*, from the *finest* grain on."""
    return tuple(bucket_of(moment, grain) for grain in FINEST_FIRST[FINEST_FIRST.index(finest) :])


def cover(segments: Sequence[tuple[datetime, datetime]], base: Grain, finest: Grain = Grain.QUARTER) -> Cover:
    """Return the buckets for *segments*, (start, end) each; a segment counts for its position, and they may overlap.

    Whole ones of the grain *base* first; each end of a segment is then corrected by finer ones, no finer than *finest*,
    from the nearest bound of a base bucket.
    """
    return _cover(tuple(segments), base, finest)


# The same reports are asked for again and again; a year of days takes some ten milliseconds
@lru_cache(maxsize=64)
def _cover(segments: tuple[tuple[datetime, datetime], ...], base: Grain, finest: Grain) -> Cover:
    weights: dict[Bucket, dict[int, int]] = {}
    rests: dict[tuple[datetime, datetime], dict[int, int]] = {}

    def count(start: datetime, end: datetime, number: int, factor: int) -> None:
        for bucket in _split(start, end, base, finest):
            if isinstance(bucket, Bucket):
                noted = weights.setdefault(bucket, {})
            else:
                noted = rests.setdefault(bucket, {})
            noted[number] = noted.get(number, 0) + factor

    for number, (start, end) in enumerate(segments):
        first, last = _nearest_bound(start, base), _nearest_bound(end, base)
        bound = first
        while bound < last:
            bucket = bucket_of(bound, base)
            count(bucket.start, bucket.end, number, 1)
            bound = bucket.end
        # what lies between an end and its bound was counted too much, or not at all
        count(min(start, first), max(start, first), number, 1 if start < first else -1)
        count(min(end, last), max(end, last), number, 1 if end > last else -1)
    buckets = tuple((bucket, _non_zero(noted)) for bucket, noted in sorted(weights.items()) if _non_zero(noted))
    return Cover(
        buckets,
        tuple(Rest(*bounds, _non_zero(noted)) for bounds, noted in sorted(rests.items()) if _non_zero(noted)),
        tuple(bucket.key for bucket, _ in buckets),
    )


def _non_zero(noted: dict[int, int]) -> tuple[tuple[int, int], ...]:
    return tuple((number, factor) for number, factor in sorted(noted.items()) if factor)


def _nearest_bound(moment: datetime, base: Grain) -> datetime:
    bucket = bucket_of(moment, base)
    return bucket.start if moment - bucket.start <= bucket.end - moment else bucket.end


def _split(start: datetime, end: datetime, base: Grain, finest: Grain) -> list[Bucket | tuple[datetime, datetime]]:
    """Return the largest buckets that a stretch of time consists of, and what is left between their bounds."""
    grains = [grain for grain in reversed(FINEST_FIRST) if FINEST_FIRST.index(grain) <= FINEST_FIRST.index(base)]
    grains = [grain for grain in grains if FINEST_FIRST.index(grain) >= FINEST_FIRST.index(finest)]
    parts: list[Bucket | tuple[datetime, datetime]] = []
    while start < end:
        whole = next((one for one in (bucket_of(start, grain) for grain in grains) if _fits(one, start, end)), None)
        if whole is not None:
            parts.append(whole)
            start = whole.end
        else:
            stop = min(end, bucket_of(start, finest).end)
            parts.append((start, stop))
            start = stop
    return _join_rests(parts)


def _fits(bucket: Bucket, start: datetime, end: datetime) -> bool:
    return bucket.start == start and bucket.end <= end


def _join_rests(parts: list[Bucket | tuple[datetime, datetime]]) -> list[Bucket | tuple[datetime, datetime]]:
    joined = parts[:1]
    for before, part in pairwise(parts):
        last = joined[-1]
        if isinstance(part, tuple) and isinstance(before, tuple) and isinstance(last, tuple):
            joined[-1] = (last[0], part[1])
        else:
            joined.append(part)
    return joined
