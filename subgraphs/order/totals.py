"""Monthly order totals, from the cache, the rollup, or the orders themselves: the same figures from each.

A cache entry is named after a text that every change of an order in its months makes another one (`read_versions`). It
is therefore right for ever, in every process, or never asked for again; no message has to reach anybody.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

import msgspec

from core.cache import Cache
from core.clock import Clock
from core.money import Money
from subgraphs.order.buckets import Grain
from subgraphs.order.model import SALES_STATUSES, OrderStatus
from subgraphs.order.months import Month, Segment, divide_into_months, list_months, load_zone
from subgraphs.order.repository import OrderRepository
from subgraphs.order.rollup import NOTHING, Sums, add
from subgraphs.order.rollup_repository import RollupRepository

# An entry never becomes wrong; after a day without use it makes room
CACHE_TTL_S = 86_400.0


class TotalsSource(StrEnum):
    """Where figures came from."""

    CACHE = "CACHE"
    ROLLUP = "ROLLUP"
    AGGREGATION = "AGGREGATION"


@dataclass(frozen=True, slots=True)
class TotalsQuery:
    """Which orders are summed up; months are those of *timezone*. Without *statuses*, the orders that are sales."""

    first: Month
    last: Month
    timezone: str
    currency: str
    statuses: tuple[OrderStatus, ...] = SALES_STATUSES
    product_id: str | None = None


@dataclass(frozen=True, slots=True)
class MonthTotal:
    """The sums of one month."""

    month: Month
    order_count: int
    quantity: int
    revenue: Money

    @property
    def average_order_value(self) -> Money:
        """Return revenue per order in whole minor units, halves away from zero; 0 without orders."""
        if self.order_count == 0:
            return Money(0, self.revenue.currency)
        amount, half = abs(self.revenue.amount), self.order_count
        average = (2 * amount + half) // (2 * half)
        return Money(average if self.revenue.amount >= 0 else -average, self.revenue.currency)


@dataclass(frozen=True, slots=True)
class MonthlyTotals:
    """The answer: every month of the range, and where its figures came from."""

    as_of: datetime
    source: TotalsSource
    months: tuple[MonthTotal, ...]


class _Computed(msgspec.Struct, array_like=True):
    """What a cache entry holds: the sums of each segment."""

    source: TotalsSource
    sums: list[Sums]


class TotalsReader:
    """Answers TotalsQueries of one database."""

    def __init__(
        self, orders: OrderRepository, rollup: RollupRepository, cache: Cache, clock: Clock, *, namespace: str
    ) -> None:
        self._orders = orders
        self._rollup = rollup
        self._cache = cache
        self._clock = clock
        self._namespace = namespace
        self._aggregations = _Coalesced()

    async def read_totals(self, query: TotalsQuery) -> MonthlyTotals:
        """Return the totals as of now.

        Raises:
            BadUserInput: the range or the timezone is not acceptable.
        """
        months = list_months(query.first, query.last)
        segments = divide_into_months(query.first, query.last, load_zone(query.timezone))
        now = self._clock.now()
        # Bounds rather than the timezone's name: zones that agree share an entry, and new zone tables make new ones
        bounds = [(segment.start.timestamp(), segment.end.timestamp()) for segment in segments]
        # JSON, because what callers choose must not read like another entry: the product "" is not the lack of one
        asked = msgspec.json.encode([bounds, query.currency, sorted(query.statuses), query.product_id]).decode()

        async def compute() -> str:
            return msgspec.json.encode(await self._compute(query, segments)).decode()

        version = await self._rollup.read_versions(segments[0].start, segments[-1].end, query.currency)
        if version is None:
            # Nothing tells whether an entry is still right, so nothing is kept
            text, is_cached = await self._aggregations.run(asked, compute), False
        else:
            digest = sha256(f"{asked}\n{version}".encode()).hexdigest()
            text, is_cached = await self._cache.get_or_compute(
                f"order-totals:{self._namespace}:{digest}", compute, ttl_s=CACHE_TTL_S
            )
        computed = msgspec.json.decode(text, type=_Computed)
        sums = dict.fromkeys(months, NOTHING)
        # A month is several segments where clocks were set back across its start
        for segment, found in zip(segments, computed.sums, strict=True):
            sums[segment.month] = add(sums[segment.month], found)
        return MonthlyTotals(
            as_of=now,
            source=TotalsSource.CACHE if is_cached else computed.source,
            months=tuple(
                MonthTotal(month, orders, quantity, Money(revenue, query.currency))
                for month, (orders, quantity, revenue) in sums.items()
            ),
        )

    async def _compute(self, query: TotalsQuery, segments: tuple[Segment, ...]) -> _Computed:
        if query.product_id is None:
            sums = await self._rollup.read_sums(segments, Grain.MONTH, currency=query.currency, statuses=query.statuses)
        else:
            sums = await self._rollup.read_product_sums(
                segments, Grain.MONTH, currency=query.currency, statuses=query.statuses, product_id=query.product_id
            )
        if sums is not None:
            return _Computed(TotalsSource.ROLLUP, sums)
        rows = await self._orders.sum_segments(
            segments, currency=query.currency, statuses=query.statuses, product_id=query.product_id
        )
        # The driver's 64-bit integers are a type of their own, which adding them makes plain
        found = {row["_id"]: add(NOTHING, (row["orders"], row["quantity"], row["revenue"])) for row in rows}
        return _Computed(TotalsSource.AGGREGATION, [found.get(number, NOTHING) for number in range(len(segments))])


class _Coalesced:
    """Runs what several callers ask for at once a single time. Mutable: knows what runs and what waits.

    Who comes while it runs waits for the next run, with all others that come meanwhile: the one under way may have
    begun before a change that the caller knows of.
    """

    def __init__(self) -> None:
        self._running: dict[str, asyncio.Task[str]] = {}
        self._next: dict[str, asyncio.Task[str]] = {}

    async def run(self, key: str, compute: Callable[[], Awaitable[str]]) -> str:
        """Return what *compute* returns, begun after this call."""
        waiting = self._next.get(key)
        if waiting is None:
            waiting = self._next[key] = asyncio.create_task(self._run_after(key, compute))
            # With every caller cancelled nobody else would look at its error, and asyncio would complain
            waiting.add_done_callback(lambda task: task.cancelled() or task.exception())
        return await asyncio.shield(waiting)

    async def _run_after(self, key: str, compute: Callable[[], Awaitable[str]]) -> str:
        running = self._running.get(key)
        if running is not None:
            await asyncio.wait([running])
        task = self._running[key] = self._next.pop(key)
        try:
            return await compute()
        finally:
            if self._running.get(key) is task:
                del self._running[key]
