"""Monthly order totals: the sums of orders per calendar month, from the cache wherever that is exact.

A month's cache entry is named after the versions of the UTC months that it touches, and every change of an order gives
its month a new version in the same transaction. An entry is therefore right for ever, in every process, or never asked
for again; no message has to reach anybody. Months are cached one by one: today's orders renew the present month only.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import msgspec

from core.cache import Cache
from core.clock import Clock
from core.money import Money
from subgraphs.order.model import SALES_STATUSES, OrderStatus
from subgraphs.order.months import Month, Segment, divide_into_months, list_months, load_zone, month_of
from subgraphs.order.repository import OrderRepository

# An entry never becomes wrong; after a day without use it makes room
CACHE_TTL_S = 86_400.0


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
    """The answer: every month of the range, and whether all of them came from the cache."""

    as_of: datetime
    from_cache: bool
    months: tuple[MonthTotal, ...]


class TotalsReader:
    """Answers TotalsQueries of one database."""

    def __init__(self, repository: OrderRepository, cache: Cache, clock: Clock, *, namespace: str) -> None:
        self._repository = repository
        self._cache = cache
        self._clock = clock
        self._namespace = namespace

    async def read_totals(self, query: TotalsQuery) -> MonthlyTotals:
        """Return the totals as of now.

        Raises:
            BadUserInput: the range or the timezone is not acceptable.
        """
        months = list_months(query.first, query.last)
        segments = divide_into_months(query.first, query.last, load_zone(query.timezone))
        now = self._clock.now()
        versions = await self._repository.read_month_versions(
            month_of(segments[0].start, UTC), month_of(segments[-1].end, UTC)
        )
        keys = {month: self._name_entry(query, month, segments, versions) for month in months}
        cached = await asyncio.gather(*(self._cache.get(keys[month]) for month in months))
        sums = {month: _decode(text) for month, text in zip(months, cached, strict=True) if text is not None}
        missing = [month for month in months if month not in sums]
        if missing:
            sums |= await self._sum_up(query, missing, segments, keys)
        return MonthlyTotals(
            as_of=now,
            from_cache=not missing,
            months=tuple(
                MonthTotal(month, orders, quantity, Money(revenue, query.currency))
                for month in months
                for orders, quantity, revenue in (sums[month],)
            ),
        )

    def _name_entry(
        self, query: TotalsQuery, month: Month, segments: Sequence[Segment], versions: Mapping[str, str]
    ) -> str:
        own = [segment for segment in segments if segment.month == month]
        touched: list[str] = []
        if own:
            utc = list_months(month_of(own[0].start, UTC), month_of(own[-1].end - timedelta(milliseconds=1), UTC))
            touched = [f"{each}={versions.get(str(each), '')}" for each in utc]
        bounds = [f"{segment.start.timestamp()}-{segment.end.timestamp()}" for segment in own]
        # Bounds rather than the timezone's name: zones that agree share an entry, and new zone tables make new ones
        parts = [bounds, query.currency, sorted(query.statuses), query.product_id, touched]
        # JSON, because what callers choose must not read like another entry: the product "" is not the lack of one
        digest = sha256(msgspec.json.encode(parts)).hexdigest()
        return f"order-totals:{self._namespace}:{month}:{digest}"

    async def _sum_up(
        self, query: TotalsQuery, missing: Sequence[Month], segments: Sequence[Segment], keys: Mapping[Month, str]
    ) -> dict[Month, tuple[int, int, int]]:
        wanted = set(missing)
        asked = [segment for segment in segments if segment.month in wanted]

        async def compute() -> str:
            rows = await self._repository.sum_months(
                asked, currency=query.currency, statuses=query.statuses, product_id=query.product_id
            )
            found = {row["_id"]: (row["orders"], row["quantity"], row["revenue"]) for row in rows}
            sums = {str(month): found.get(str(month), (0, 0, 0)) for month in missing}
            await asyncio.gather(
                *(
                    self._cache.set(keys[month], msgspec.json.encode(sums[str(month)]).decode(), ttl_s=CACHE_TTL_S)
                    for month in missing
                )
            )
            return msgspec.json.encode(sums).decode()

        # Callers that miss the same months at once wait for one aggregation
        flight = sha256("|".join(keys[month] for month in missing).encode()).hexdigest()
        text, _ = await self._cache.get_or_compute(
            f"order-totals:{self._namespace}:{flight}", compute, ttl_s=CACHE_TTL_S
        )
        sums = msgspec.json.decode(text, type=dict[str, tuple[int, int, int]])
        return {month: sums[str(month)] for month in missing}


def _decode(text: str) -> tuple[int, int, int]:
    return msgspec.json.decode(text, type=tuple[int, int, int])
