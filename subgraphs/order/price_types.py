"""What an order's price is made of, as GraphQL shows it: of orders that were placed, and of carts that are quoted."""

import strawberry

from core.money import Money
from core.mongo import Row
from core.scopes import ORDERS_READ
from schema.money import MoneyType
from schema.ownership import Owned
from schema.scalars import DecimalText
from subgraphs.order.discounts import DiscountKind
from subgraphs.order.pricing import AppliedDiscount, AppliedTax
from subgraphs.order.quote_rows import read_tax
from subgraphs.order.rates import show_percent

_BUYERS = [Owned(by="buyer", or_scopes=[ORDERS_READ])]

strawberry.enum(DiscountKind, description="What a discount takes off: of the goods, or of the fee for shipping.")


@strawberry.type(name="AppliedDiscount", description="A discount with what it took off.")
class AppliedDiscountType:
    code: str = strawberry.field(description="Its code.", directives=_BUYERS)
    kind: DiscountKind = strawberry.field(description="What it takes off.")
    amount: MoneyType = strawberry.field(description="How much it took off in all.", directives=_BUYERS)

    @classmethod
    def from_applied(cls, applied: AppliedDiscount) -> "AppliedDiscountType":
        return cls(code=applied.code, kind=applied.kind, amount=MoneyType.from_money(applied.amount))


@strawberry.type(description="The tax at one rate.")
class OrderTaxPart:
    percent: DecimalText = strawberry.field(description="The rate, such as 11.")
    taxable: MoneyType = strawberry.field(
        description="What is taxed, after discounts; with the tax in it if it is inclusive.", directives=_BUYERS
    )
    amount: MoneyType = strawberry.field(description="The tax.", directives=_BUYERS)


@strawberry.type(description="The tax on goods and shipping.")
class OrderTax:
    name: str = strawberry.field(description="What it is called there, such as PPN.")
    is_inclusive: bool = strawberry.field(description="Whether prices and fees have it in them; else it comes on top.")
    amount: MoneyType = strawberry.field(description="All of it.", directives=_BUYERS)
    on_shipping: MoneyType = strawberry.field(description="What of it is for shipping.", directives=_BUYERS)
    parts: list[OrderTaxPart] = strawberry.field(description="By rate.", directives=_BUYERS)

    @classmethod
    def from_applied(cls, tax: AppliedTax) -> "OrderTax":
        return cls(
            name=tax.name,
            is_inclusive=tax.is_inclusive,
            amount=MoneyType.from_money(tax.total),
            on_shipping=MoneyType.from_money(tax.on_shipping),
            parts=[
                OrderTaxPart(
                    percent=DecimalText(show_percent(part.rate)),
                    taxable=MoneyType.from_money(part.taxable),
                    amount=MoneyType.from_money(part.amount),
                )
                for part in tax.parts
            ],
        )


@strawberry.type(description="How an order is sent.")
class OrderShippingMethod:
    id: strawberry.ID = strawberry.field(description="The shipping method's id.")
    name: str = strawberry.field(description="Its name when ordered.")


@strawberry.type
class OrderPrices:
    """The fields of an order that say what its price is made of, beside its sums."""

    row: strawberry.Private[Row]

    @strawberry.field(description="The discounts that were applied, in this order.", directives=_BUYERS)
    def discounts(self) -> list[AppliedDiscountType]:
        return [
            AppliedDiscountType(code=each["code"], kind=DiscountKind(each["kind"]), amount=self._show(each["amount"]))
            for each in self.row.get("discounts", ())
        ]

    @strawberry.field(description="What all discounts took off, of goods and of shipping.", directives=_BUYERS)
    def discount_total(self) -> MoneyType:
        return self._show(self.row.get("discount_amount", 0))

    @strawberry.field(description="The tax; null where nothing was taxed.", directives=_BUYERS)
    def tax(self) -> OrderTax | None:
        tax = read_tax(self.row.get("tax"), self.row["currency"])
        return None if tax is None else OrderTax.from_applied(tax)

    @strawberry.field(description="How it is sent; null for imported orders.")
    def shipping_method(self) -> OrderShippingMethod | None:
        method = self.row.get("shipping_method")
        return None if method is None else OrderShippingMethod(id=strawberry.ID(method["id"]), name=method["name"])

    def _show(self, amount: int) -> MoneyType:
        return MoneyType.from_money(Money(amount, self.row["currency"]))
