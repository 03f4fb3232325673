"""What is asked of the totals and what they answer. No I/O, and no clock."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Generic

from core.errors import BadUserInput
from core.money import Money
from subgraphs.order.model import SALES_STATUSES, OrderStatus
from subgraphs.order.order_sums import Selection
from subgraphs.order.periods import Calendar, Month, P
from subgraphs.order.rollup import Sums

# What a page shows and a person reads
MAX_TOP_PRODUCTS = 100
# A day: beyond that, nobody asks for live figures
MAX_STALENESS_S = 86_400


class TotalsSource(StrEnum):
    """Where figures came from."""

    CACHE = "CACHE"
    ROLLUP = "ROLLUP"
    AGGREGATION = "AGGREGATION"


@dataclass(frozen=True, slots=True, kw_only=True)
class TotalsFilter:
    """Which orders are summed up, and by whose calendar. Without *statuses*, the orders that are sales.

    With *max_staleness_s*, an answer that was right at most so many seconds ago will do.
    """

    timezone: str
    currency: str
    statuses: tuple[OrderStatus, ...] = SALES_STATUSES
    product_id: str | None = None
    category_id: str | None = None
    max_staleness_s: int = 0

    def __post_init__(self) -> None:
        """Raise BadUserInput for a staleness that is out of range."""
        if not 0 <= self.max_staleness_s <= MAX_STALENESS_S:
            message = f"{self.max_staleness_s} seconds are not between 0 and {MAX_STALENESS_S}"
            raise BadUserInput(message, field="maxStalenessSeconds")

    @property
    def selection(self) -> Selection:
        """Return the orders and lines that count."""
        return Selection(self.currency, tuple(sorted(set(self.statuses))), self.product_id, self.category_id)


@dataclass(frozen=True, slots=True)
class TotalsQuery(Generic[P]):
    """The periods of *calendar* from *first* to *last*; *with_growth* compares each with the one before."""

    calendar: Calendar[P]
    first: P
    last: P
    filter: TotalsFilter
    with_growth: bool = False


@dataclass(frozen=True, slots=True)
class Growth:
    """How much more there was than in the period before: 0.25 is a quarter more, None where that had none."""

    order_count: float | None
    quantity: float | None
    revenue: float | None


@dataclass(frozen=True, slots=True)
class PeriodTotal(Generic[P]):
    """The sums of one period."""

    period: P
    order_count: int
    quantity: int
    revenue: Money
    growth: Growth | None = None

    @property
    def average_order_value(self) -> Money:
        """Return revenue per order in whole minor units, halves away from zero; 0 without orders."""
        if self.order_count == 0:
            return Money(0, self.revenue.currency)
        amount, half = abs(self.revenue.amount), self.order_count
        average = (2 * amount + half) // (2 * half)
        return Money(average if self.revenue.amount >= 0 else -average, self.revenue.currency)


@dataclass(frozen=True, slots=True)
class Totals(Generic[P]):
    """The answer: every period of the range, and where its figures came from."""

    as_of: datetime
    source: TotalsSource
    periods: tuple[PeriodTotal[P], ...]


class TopProductsOrder(StrEnum):
    """By what products are ranked."""

    REVENUE = "REVENUE"
    QUANTITY = "QUANTITY"
    ORDER_COUNT = "ORDER_COUNT"


@dataclass(frozen=True, slots=True)
class TopProductsQuery:
    """The *first* products of a month, ranked *by*."""

    month: Month
    by: TopProductsOrder
    first: int
    filter: TotalsFilter

    def __post_init__(self) -> None:
        """Raise BadUserInput for a number of products that is out of range."""
        if not 1 <= self.first <= MAX_TOP_PRODUCTS:
            raise BadUserInput(f"{self.first} is not between 1 and {MAX_TOP_PRODUCTS}", field="first")


@dataclass(frozen=True, slots=True)
class ProductTotal:
    """The sums of one product's lines."""

    product_id: str
    order_count: int
    quantity: int
    revenue: Money


@dataclass(frozen=True, slots=True)
class TopProducts:
    """The answer, best first."""

    as_of: datetime
    source: TotalsSource
    products: tuple[ProductTotal, ...]


def growth_of(before: Sums, now: Sums) -> Growth:
    """Return how much more there is *now*."""
    order_count, quantity, revenue = (
        None if earlier == 0 else (later - earlier) / earlier for earlier, later in zip(before, now, strict=True)
    )
    return Growth(order_count, quantity, revenue)


def rank_products(sums: dict[str, Sums], by: TopProductsOrder, first: int) -> list[tuple[str, Sums]]:
    """Return the *first* of *sums* that were sold at all, best first; equal ones by their id."""
    position = {TopProductsOrder.ORDER_COUNT: 0, TopProductsOrder.QUANTITY: 1, TopProductsOrder.REVENUE: 2}[by]
    sold = [(product, worth) for product, worth in sums.items() if worth[0]]
    return sorted(sold, key=lambda each: (-each[1][position], each[0]))[:first]
