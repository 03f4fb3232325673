"""The reports: root fields that sum up orders, and one that tells when the sums change."""

import datetime
from collections.abc import AsyncIterator, Iterable
from typing import Annotated, Any, TypeAlias

import strawberry
from strawberry.federation.schema_directives import RequiresScopes
from strawberry.types.nodes import SelectedField

from core.scopes import REPORTS_READ
from core.settings import Settings
from schema.scalars import CurrencyCode, Date, YearMonth
from subgraphs.order.model import SALES_STATUSES, OrderStatus
from subgraphs.order.periods import DAYS, MONTHS, YEARS, parse_month
from subgraphs.order.totals_model import TopProductsOrder, TopProductsQuery, TotalsFilter, TotalsQuery
from subgraphs.order.totals_types import (
    DailyOrderTotals,
    LiveOrderTotals,
    MonthlyOrderTotals,
    TopProducts,
    YearlyOrderTotals,
)
from subgraphs.order.types import Info

Timezone: TypeAlias = Annotated[
    str | None, strawberry.argument(description="Whose calendar, such as Asia/Jakarta; the store's if not given.")
]
Statuses: TypeAlias = Annotated[
    list[OrderStatus] | None,
    strawberry.argument(description="Which orders count; those that are paid or beyond if not given."),
]
ProductId: TypeAlias = Annotated[strawberry.ID | None, strawberry.argument(description="Only this product's lines.")]
CategoryId: TypeAlias = Annotated[
    strawberry.ID | None,
    strawberry.argument(
        description=(
            "Only lines whose product stood in this category, or in one below it, when it was ordered. A product that"
            " is moved later takes no history along; a line that knows no category (imported, or ordered before"
            " categories were noted) counts in none."
        )
    ),
]
Currency: TypeAlias = Annotated[
    CurrencyCode | None, strawberry.argument(description="Orders in this currency; the store's if not given.")
]
MaxStaleness: TypeAlias = Annotated[
    int,
    strawberry.argument(
        name="maxStalenessSeconds",
        description=(
            "An answer that is at most this old, see asOf, may be served while a new one is made; 0 is always exact."
        ),
    ),
]
_SCOPES = [[REPORTS_READ]]


@strawberry.type
class TotalsQueries:
    """Root fields of the reports."""

    @strawberry.federation.field(
        requires_scopes=_SCOPES,
        description=(
            "Orders summed up by month: how many, how many pieces, how much money. Exact as of `asOf`, which is now"
            " unless maxStalenessSeconds allows an older answer."
        ),
    )
    async def monthly_order_totals(
        self,
        info: Info,
        from_: Annotated[YearMonth, strawberry.argument(name="from", description="The first month.")],
        to: Annotated[YearMonth, strawberry.argument(description="The last month, included; at most 600.")],
        timezone: Timezone = None,
        status: Statuses = None,
        product_id: ProductId = None,
        category_id: CategoryId = None,
        currency: Currency = None,
        max_staleness_seconds: MaxStaleness = 0,
    ) -> MonthlyOrderTotals:
        """Return the totals."""
        filter_ = _filter(
            info.context.settings, timezone, status, product_id, category_id, currency, max_staleness_seconds
        )
        query = TotalsQuery(
            MONTHS, parse_month(from_), parse_month(to), filter_, with_growth=_asks_for(info, "months", "growth")
        )
        return MonthlyOrderTotals.from_totals(await info.context.service.read_totals(query, info.context.identity))

    @strawberry.federation.field(
        requires_scopes=_SCOPES, description="Orders summed up by day, otherwise as monthlyOrderTotals."
    )
    async def daily_order_totals(
        self,
        info: Info,
        from_: Annotated[Date, strawberry.argument(name="from", description="The first day.")],
        to: Annotated[Date, strawberry.argument(description="The last day, included; at most 400.")],
        timezone: Timezone = None,
        status: Statuses = None,
        product_id: ProductId = None,
        category_id: CategoryId = None,
        currency: Currency = None,
        max_staleness_seconds: MaxStaleness = 0,
    ) -> DailyOrderTotals:
        """Return the totals."""
        filter_ = _filter(
            info.context.settings, timezone, status, product_id, category_id, currency, max_staleness_seconds
        )
        first, last = _plain(from_), _plain(to)
        totals = await info.context.service.read_totals(TotalsQuery(DAYS, first, last, filter_), info.context.identity)
        return DailyOrderTotals.from_totals(totals)

    @strawberry.federation.field(
        requires_scopes=_SCOPES, description="Orders summed up by year, otherwise as monthlyOrderTotals."
    )
    async def yearly_order_totals(
        self,
        info: Info,
        from_: Annotated[int, strawberry.argument(name="from", description="The first year.")],
        to: Annotated[int, strawberry.argument(description="The last year, included; at most 50.")],
        timezone: Timezone = None,
        status: Statuses = None,
        product_id: ProductId = None,
        category_id: CategoryId = None,
        currency: Currency = None,
        max_staleness_seconds: MaxStaleness = 0,
    ) -> YearlyOrderTotals:
        """Return the totals."""
        filter_ = _filter(
            info.context.settings, timezone, status, product_id, category_id, currency, max_staleness_seconds
        )
        totals = await info.context.service.read_totals(TotalsQuery(YEARS, from_, to, filter_), info.context.identity)
        return YearlyOrderTotals.from_totals(totals)

    @strawberry.federation.field(
        requires_scopes=_SCOPES,
        description="The products of a month that were sold most, as exact as monthlyOrderTotals.",
    )
    async def top_products(
        self,
        info: Info,
        month: Annotated[YearMonth, strawberry.argument(description="The month.")],
        by: Annotated[
            TopProductsOrder, strawberry.argument(description="By what they are ranked.")
        ] = TopProductsOrder.REVENUE,
        first: Annotated[int, strawberry.argument(description="How many, 1 to 100.")] = 10,
        timezone: Timezone = None,
        status: Statuses = None,
        currency: Currency = None,
        max_staleness_seconds: MaxStaleness = 0,
    ) -> TopProducts:
        """Return the products."""
        filter_ = _filter(info.context.settings, timezone, status, None, None, currency, max_staleness_seconds)
        query = TopProductsQuery(parse_month(month), by, first, filter_)
        return TopProducts.from_answer(await info.context.service.read_top_products(query, info.context.identity))


@strawberry.type
class Subscription:
    """Root fields that send more than one answer."""

    @strawberry.subscription(
        directives=[RequiresScopes(scopes=_SCOPES)],
        description=(
            "Today's orders and this month's: at once, then whenever they have changed, at most once a second."
        ),
    )
    async def order_totals_changed(
        self, info: Info, timezone: Timezone = None, currency: Currency = None
    ) -> AsyncIterator[LiveOrderTotals]:
        """Send the totals."""
        settings = info.context.settings
        lives = info.context.service.watch_live_totals(
            settings.timezone if timezone is None else timezone,
            settings.currency if currency is None else currency,
            info.context.identity,
        )
        try:
            async for live in lives:
                yield LiveOrderTotals.from_live(live)
        finally:
            await lives.aclose()


def _filter(
    settings: Settings,
    timezone: str | None,
    status: list[OrderStatus] | None,
    product_id: strawberry.ID | None,
    category_id: strawberry.ID | None,
    currency: CurrencyCode | None,
    max_staleness_s: int,
) -> TotalsFilter:
    return TotalsFilter(
        timezone=settings.timezone if timezone is None else timezone,
        currency=settings.currency if currency is None else currency,
        statuses=SALES_STATUSES if status is None else tuple(status),
        product_id=product_id,
        category_id=category_id,
        max_staleness_s=max_staleness_s,
    )


def _plain(day: Date) -> datetime.date:
    return day


def _asks_for(info: Info, *path: str) -> bool:
    """Tell whether the operation selects the field at *path* below the one that is being resolved."""
    selections: Iterable[Any] = [each for field in info.selected_fields for each in field.selections]
    for name in path:
        selections = [field for field in _fields(selections) if field.name == name]
        if name != path[-1]:
            selections = [each for field in selections for each in field.selections]
    return bool(list(selections))


def _fields(selections: Iterable[Any]) -> Iterable[SelectedField]:
    for selection in selections:
        if isinstance(selection, SelectedField):
            yield selection
        else:
            # A fragment, spread or inline
            yield from _fields(selection.selections)
