"""The GraphQL types of the reports."""

import datetime

import strawberry

from core.scopes import REPORTS_READ
from schema.money import MoneyType
from schema.scalars import BigInt, Date, DateTime
from subgraphs.order.periods import Month
from subgraphs.order.totals import LiveTotals
from subgraphs.order.totals_model import Growth, PeriodTotal, ProductTotal, TopProductsOrder, Totals, TotalsSource
from subgraphs.order.totals_model import TopProducts as TopProductsAnswer
from subgraphs.order.types import Product

strawberry.enum(TotalsSource, description="Where a report's figures came from. They are the same either way.")
strawberry.enum(TopProductsOrder, description="By what products are ranked; equal ones follow by their id.")

_SCOPES = [[REPORTS_READ]]
_AS_OF = "Every order up to this moment is in it."
_SERVED_FROM = "CACHE when nothing had to be computed."
_ORDER_COUNT = "How many orders were placed."
_QUANTITY = "How many pieces they hold."
_REVENUE = (
    "The sum of their totals, shipping included; of one product or category, the sum of its lines, without shipping."
)
_AVERAGE = "Revenue per order, rounded to a minor unit."


@strawberry.federation.type(
    requires_scopes=_SCOPES,
    description="How much more there was than in the month before: 0.25 is a quarter more; null where that had none.",
)
class OrderTotalsGrowth:
    order_count: float | None = strawberry.field(description="Of orders.")
    quantity: float | None = strawberry.field(description="Of pieces.")
    revenue: float | None = strawberry.field(description="Of money.")

    @classmethod
    def from_growth(cls, growth: Growth) -> "OrderTotalsGrowth":
        return cls(order_count=growth.order_count, quantity=growth.quantity, revenue=growth.revenue)


@strawberry.federation.type(requires_scopes=_SCOPES, description="The orders of one month.")
class MonthlyOrderTotal:
    year: int = strawberry.field(description="The year.")
    month: int = strawberry.field(description="The month, 1 to 12.")
    order_count: BigInt = strawberry.field(description=_ORDER_COUNT)
    quantity: BigInt = strawberry.field(description=_QUANTITY)
    revenue: MoneyType = strawberry.field(description=_REVENUE)
    average_order_value: MoneyType = strawberry.field(description=_AVERAGE)
    growth: OrderTotalsGrowth | None = strawberry.field(
        description="Against the month before, also of the first month of the range."
    )

    @classmethod
    def from_total(cls, total: PeriodTotal[Month]) -> "MonthlyOrderTotal":
        return cls(
            year=total.period.year,
            month=total.period.number,
            order_count=BigInt(total.order_count),
            quantity=BigInt(total.quantity),
            revenue=MoneyType.from_money(total.revenue),
            average_order_value=MoneyType.from_money(total.average_order_value),
            growth=None if total.growth is None else OrderTotalsGrowth.from_growth(total.growth),
        )


@strawberry.type(description="Orders summed up by the month in which they were placed.")
class MonthlyOrderTotals:
    as_of: DateTime = strawberry.field(description=_AS_OF)
    served_from: TotalsSource = strawberry.field(description=_SERVED_FROM)
    months: list[MonthlyOrderTotal] = strawberry.field(
        description="Every month of the range, oldest first; zeros where nothing was ordered."
    )

    @classmethod
    def from_totals(cls, totals: Totals[Month]) -> "MonthlyOrderTotals":
        return cls(
            as_of=DateTime(totals.as_of),
            served_from=totals.source,
            months=[MonthlyOrderTotal.from_total(total) for total in totals.periods],
        )


@strawberry.federation.type(requires_scopes=_SCOPES, description="The orders of one day.")
class DailyOrderTotal:
    date: Date = strawberry.field(description="The day.")
    order_count: BigInt = strawberry.field(description=_ORDER_COUNT)
    quantity: BigInt = strawberry.field(description=_QUANTITY)
    revenue: MoneyType = strawberry.field(description=_REVENUE)
    average_order_value: MoneyType = strawberry.field(description=_AVERAGE)

    @classmethod
    def from_total(cls, total: "PeriodTotal[datetime.date]") -> "DailyOrderTotal":
        return cls(
            date=Date(total.period),
            order_count=BigInt(total.order_count),
            quantity=BigInt(total.quantity),
            revenue=MoneyType.from_money(total.revenue),
            average_order_value=MoneyType.from_money(total.average_order_value),
        )


@strawberry.type(description="Orders summed up by the day on which they were placed.")
class DailyOrderTotals:
    as_of: DateTime = strawberry.field(description=_AS_OF)
    served_from: TotalsSource = strawberry.field(description=_SERVED_FROM)
    days: list[DailyOrderTotal] = strawberry.field(
        description="Every day of the range, oldest first; zeros where nothing was ordered."
    )

    @classmethod
    def from_totals(cls, totals: "Totals[datetime.date]") -> "DailyOrderTotals":
        return cls(
            as_of=DateTime(totals.as_of),
            served_from=totals.source,
            days=[DailyOrderTotal.from_total(total) for total in totals.periods],
        )


@strawberry.federation.type(requires_scopes=_SCOPES, description="The orders of one year.")
class YearlyOrderTotal:
    year: int = strawberry.field(description="The year.")
    order_count: BigInt = strawberry.field(description=_ORDER_COUNT)
    quantity: BigInt = strawberry.field(description=_QUANTITY)
    revenue: MoneyType = strawberry.field(description=_REVENUE)
    average_order_value: MoneyType = strawberry.field(description=_AVERAGE)

    @classmethod
    def from_total(cls, total: PeriodTotal[int]) -> "YearlyOrderTotal":
        return cls(
            year=total.period,
            order_count=BigInt(total.order_count),
            quantity=BigInt(total.quantity),
            revenue=MoneyType.from_money(total.revenue),
            average_order_value=MoneyType.from_money(total.average_order_value),
        )


@strawberry.type(description="Orders summed up by the year in which they were placed.")
class YearlyOrderTotals:
    as_of: DateTime = strawberry.field(description=_AS_OF)
    served_from: TotalsSource = strawberry.field(description=_SERVED_FROM)
    years: list[YearlyOrderTotal] = strawberry.field(
        description="Every year of the range, oldest first; zeros where nothing was ordered."
    )

    @classmethod
    def from_totals(cls, totals: Totals[int]) -> "YearlyOrderTotals":
        return cls(
            as_of=DateTime(totals.as_of),
            served_from=totals.source,
            years=[YearlyOrderTotal.from_total(total) for total in totals.periods],
        )


@strawberry.federation.type(requires_scopes=_SCOPES, description="What was sold of one product.")
class TopProduct:
    product_id: strawberry.ID = strawberry.field(description="Its id.")
    product: Product | None = strawberry.field(description="As it is today; null where only a past order knows it.")
    order_count: BigInt = strawberry.field(description="How many orders have it.")
    quantity: BigInt = strawberry.field(description="How many pieces of it.")
    revenue: MoneyType = strawberry.field(description="The sum of its lines, without shipping.")

    @classmethod
    def from_total(cls, total: ProductTotal) -> "TopProduct":
        return cls(
            product_id=strawberry.ID(total.product_id),
            product=Product(id=strawberry.ID(total.product_id)),
            order_count=BigInt(total.order_count),
            quantity=BigInt(total.quantity),
            revenue=MoneyType.from_money(total.revenue),
        )


@strawberry.type(description="The products of a month that were sold most.")
class TopProducts:
    as_of: DateTime = strawberry.field(description=_AS_OF)
    served_from: TotalsSource = strawberry.field(description=_SERVED_FROM)
    products: list[TopProduct] = strawberry.field(description="Best first; only what was sold.")

    @classmethod
    def from_answer(cls, answer: TopProductsAnswer) -> "TopProducts":
        return cls(
            as_of=DateTime(answer.as_of),
            served_from=answer.source,
            products=[TopProduct.from_total(total) for total in answer.products],
        )


@strawberry.federation.type(requires_scopes=_SCOPES, description="How it goes right now.")
class LiveOrderTotals:
    as_of: DateTime = strawberry.field(description=_AS_OF)
    today: DailyOrderTotal = strawberry.field(description="The orders of today.")
    month: MonthlyOrderTotal = strawberry.field(description="The orders of this month.")

    @classmethod
    def from_live(cls, live: LiveTotals) -> "LiveOrderTotals":
        return cls(
            as_of=DateTime(live.as_of),
            today=DailyOrderTotal.from_total(live.today),
            month=MonthlyOrderTotal.from_total(live.month),
        )
