"""Order totals, from the cache, the rollup, or the orders themselves: the same figures from each.

A cache entry is named after a text that every change of an order in its months makes another one (`read_versions`). It
is therefore right for ever, in every process, or never asked for again; no message has to reach anybody.

Whoever allows some staleness is served the *latest* answer to the question, whoever it was computed for, as long as it
is not older; it is renewed behind the caller's back.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Generic, TypeVar

import msgspec
import structlog

from core.cache import Cache
from core.clock import Clock
from core.money import Money
from core.sharing import SharedRuns
from core.tasks import end_tasks
from subgraphs.order.buckets import Grain
from subgraphs.order.order_sums import Range
from subgraphs.order.periods import DAYS, MONTHS, Calendar, Month, P, divide, list_periods, load_zone, period_at
from subgraphs.order.repository import OrderRepository
from subgraphs.order.rollup import NOTHING, Sums, add
from subgraphs.order.rollup_repository import RollupRepository
from subgraphs.order.totals_model import (
    PeriodTotal,
    ProductTotal,
    TopProducts,
    TopProductsQuery,
    Totals,
    TotalsFilter,
    TotalsQuery,
    TotalsSource,
    growth_of,
    rank_products,
)

log = structlog.get_logger(__name__)

# An entry never becomes wrong; after a day without use it makes room
CACHE_TTL_S = 86_400.0
# Of several processes one computes while the others wait; beyond this they take it for dead
LEASE_S = 30.0

T = TypeVar("T")


class _Computed(msgspec.Struct, Generic[T], array_like=True):
    """What a cache entry holds."""

    source: TotalsSource
    value: T


class _Latest(msgspec.Struct, array_like=True):
    """The answer to a question as it was at *as_of*, in milliseconds since 1970: the text of a _Computed."""

    as_of: int
    text: str


@dataclass(frozen=True, slots=True)
class LiveTotals:
    """Today and this month, read at one moment."""

    as_of: datetime
    today: PeriodTotal[Any]
    month: PeriodTotal[Month]


@dataclass(frozen=True, slots=True)
class _Answer(Generic[T]):
    as_of: datetime
    source: TotalsSource
    value: T


class TotalsReader:
    """Answers what is asked of one database's totals."""

    def __init__(
        self, orders: OrderRepository, rollup: RollupRepository, cache: Cache, clock: Clock, *, namespace: str
    ) -> None:
        self._orders = orders
        self._rollup = rollup
        self._cache = cache
        self._clock = clock
        self._namespace = namespace
        self._aggregations: SharedRuns[str] = SharedRuns()
        self._renewals: dict[str, asyncio.Task[None]] = {}

    async def aclose(self) -> None:
        """Stop what is being computed."""
        await end_tasks(self._renewals.values())
        await self._aggregations.aclose()

    async def read_totals(self, query: TotalsQuery[P]) -> Totals[P]:
        """Return the totals of every period that was asked for.

        Raises:
            BadUserInput: the range or the timezone is not acceptable.
        """
        calendar, zone = query.calendar, load_zone(query.filter.timezone)
        periods = list_periods(calendar, query.first, query.last)
        first = query.first
        if query.with_growth and calendar.earliest < first:
            first = calendar.after(first, -1)
        segments = _divide(calendar, first, query.last, zone)
        base = Grain.DAY if calendar.name == DAYS.name else Grain.MONTH
        answer = await self._sum([(start, end) for start, end, _ in segments], base, query.filter)
        # A period is several segments where clocks were set back across its start, and none where it was skipped
        sums: dict[P, Sums] = {}
        for (_, _, period), found in zip(segments, answer.value, strict=True):
            sums[period] = add(sums.get(period, NOTHING), found)
        return Totals(
            as_of=answer.as_of,
            source=answer.source,
            periods=tuple(
                _period_total(calendar, period, sums, query.filter.currency, with_growth=query.with_growth)
                for period in periods
            ),
        )

    async def read_live(self, timezone: str, currency: str) -> LiveTotals:
        """Return today and this month, this with its growth, in *timezone*; all of it from one snapshot."""
        zone, now = load_zone(timezone), self._clock.now()
        today, month = period_at(DAYS, now, zone), period_at(MONTHS, now, zone)
        months = _divide(MONTHS, MONTHS.after(month, -1), month, zone)
        days = _divide(DAYS, today, today, zone)
        ranges = [(start, end) for start, end, _ in (*months, *days)]
        answer = await self._sum(ranges, Grain.MONTH, TotalsFilter(timezone=timezone, currency=currency))
        of_months: dict[Month, Sums] = {}
        for (_, _, period), found in zip(months, answer.value[: len(months)], strict=True):
            of_months[period] = add(of_months.get(period, NOTHING), found)
        of_day = NOTHING
        for found in answer.value[len(months) :]:
            of_day = add(of_day, found)
        return LiveTotals(
            as_of=answer.as_of,
            today=_period_total(DAYS, today, {today: of_day}, currency, with_growth=False),
            month=_period_total(MONTHS, month, of_months, currency, with_growth=True),
        )

    async def read_top_products(self, query: TopProductsQuery) -> TopProducts:
        """Return the products of a month that were sold most.

        Raises:
            BadUserInput: the month or the timezone is not acceptable.
        """
        list_periods(MONTHS, query.month, query.month)
        segments = _divide(MONTHS, query.month, query.month, load_zone(query.filter.timezone))
        ranges = [(start, end) for start, end, _ in segments]
        selection = query.filter.selection

        async def compute() -> _Computed[list[tuple[str, Sums]]]:
            source = TotalsSource.ROLLUP
            sums = await self._rollup.read_products(ranges, Grain.MONTH, selection)
            if sums is None:
                source = TotalsSource.AGGREGATION
                sums = await self._orders.sum_products(ranges, selection)
            return _Computed(source, rank_products(sums, query.by, query.first))

        question = ["top products", query.by, query.first]
        answer = await self._answer(question, ranges, query.filter, compute, _Computed[list[tuple[str, Sums]]])
        return TopProducts(
            as_of=answer.as_of,
            source=answer.source,
            products=tuple(
                ProductTotal(product, orders, quantity, Money(revenue, query.filter.currency))
                for product, (orders, quantity, revenue) in answer.value
            ),
        )

    async def _sum(self, ranges: Sequence[Range], base: Grain, filter_: TotalsFilter) -> _Answer[list[Sums]]:
        if not ranges:
            return _Answer(self._clock.now(), TotalsSource.AGGREGATION, [])
        selection = filter_.selection

        async def compute() -> _Computed[list[Sums]]:
            sums = await self._rollup.read_sums(ranges, base, selection)
            if sums is not None:
                return _Computed(TotalsSource.ROLLUP, sums)
            return _Computed(TotalsSource.AGGREGATION, await self._orders.sum_ranges(ranges, selection))

        return await self._answer([], ranges, filter_, compute, _Computed[list[Sums]])

    async def _answer(
        self,
        question: list[Any],
        ranges: Sequence[Range],
        filter_: TotalsFilter,
        compute: Callable[[], Awaitable[_Computed[T]]],
        type_: type[_Computed[T]],
    ) -> _Answer[T]:
        """Return the value of *compute* from the cache, or computed after this call."""
        now = self._clock.now()
        # Bounds rather than the timezone's name: zones that agree share an entry, and new zone tables make new ones
        bounds = [(start.timestamp(), end.timestamp()) for start, end in ranges]
        selection = filter_.selection
        # JSON, because what callers choose must not read like another entry: the product "" is not the lack of one
        which = [selection.currency, selection.statuses, selection.product_id, selection.category_id]
        asked = msgspec.json.encode([question, bounds, which]).decode()

        async def write() -> str:
            return msgspec.json.encode(await compute()).decode()

        def read(as_of: datetime, text: str, *, is_cached: bool) -> _Answer[T]:
            computed = msgspec.json.decode(text, type=type_)
            return _Answer(as_of, TotalsSource.CACHE if is_cached else computed.source, computed.value)

        span = min(start for start, _ in ranges), max(end for _, end in ranges)
        if not filter_.max_staleness_s:
            text, is_cached = await self._answer_now(asked, span, selection.currency, write)
            return read(now, text, is_cached=is_cached)
        key = self._key("latest", asked)
        latest = await self._read_latest(key)
        if latest is not None and now - latest[0] <= timedelta(seconds=filter_.max_staleness_s):
            if latest[0] < now:
                self._renew(key, lambda: self._answer_now(asked, span, selection.currency, write))
            return read(*latest, is_cached=True)
        text, is_cached = await self._answer_now(asked, span, selection.currency, write)
        await self._write_latest(key, now, text)
        return read(now, text, is_cached=is_cached)

    async def _answer_now(
        self, asked: str, span: Range, currency: str, write: Callable[[], Awaitable[str]]
    ) -> tuple[str, bool]:
        """Return the text of the answer as it is now, and whether it was in the cache."""
        with self._aggregations.arrive(asked) as arrival:
            version = await self._rollup.read_versions(*span, currency)
            if version is None:
                # Nothing tells whether an entry is still right, so nothing is kept
                return await arrival.run(write), False
        key = self._key(version, asked)
        return await self._cache.get_or_compute(key, write, ttl_s=CACHE_TTL_S, lease_s=LEASE_S)

    def _key(self, version: str, asked: str) -> str:
        digest = sha256(f"{asked}\n{version}".encode()).hexdigest()
        return f"order-totals:{self._namespace}:{digest}"

    async def _read_latest(self, key: str) -> tuple[datetime, str] | None:
        text = await self._cache.get(key)
        if text is None:
            return None
        latest = msgspec.json.decode(text, type=_Latest)
        return datetime.fromtimestamp(latest.as_of / 1000, UTC), latest.text

    async def _write_latest(self, key: str, as_of: datetime, text: str) -> None:
        milliseconds = (as_of - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1)
        await self._cache.set(key, msgspec.json.encode(_Latest(milliseconds, text)).decode(), ttl_s=CACHE_TTL_S)

    def _renew(self, key: str, answer: Callable[[], Awaitable[tuple[str, bool]]]) -> None:
        """Write the latest answer anew in the background, unless that is being done."""
        if key in self._renewals:
            return

        async def renew() -> None:
            try:
                now = self._clock.now()
                text, _ = await answer()
                await self._write_latest(key, now, text)
            except Exception as error:
                # Whoever asks next tries again, and is told when it has become too old to do without
                log.warning("totals are not renewed", error=type(error).__name__)
            finally:
                del self._renewals[key]

        self._renewals[key] = asyncio.create_task(renew())


def _divide(calendar: Calendar[P], first: P, last: P, zone: Any) -> list[tuple[datetime, datetime, P]]:
    return [(segment.start, segment.end, segment.period) for segment in divide(calendar, first, last, zone)]


def _period_total(
    calendar: Calendar[P], period: P, sums: dict[P, Sums], currency: str, *, with_growth: bool
) -> PeriodTotal[P]:
    now = sums.get(period, NOTHING)
    orders, quantity, revenue = now
    growth = growth_of(sums.get(calendar.after(period, -1), NOTHING), now) if with_growth else None
    return PeriodTotal(period, orders, quantity, Money(revenue, currency), growth)
