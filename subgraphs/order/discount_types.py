"""Discounts as GraphQL shows and takes them, for holders of discounts:write."""

from typing import Any

import strawberry

from core.errors import BadUserInput
from core.money import Money
from core.scopes import DISCOUNTS_WRITE
from schema.money import MoneyInput, MoneyType
from schema.scalars import CurrencyCode, DateTime, DecimalText
from subgraphs.order.discount_service import NewDiscount
from subgraphs.order.discounts import Discount as DiscountValue
from subgraphs.order.discounts import DiscountKind, minimum_of
from subgraphs.order.rates import parse_percent, show_percent

_SCOPES = [[DISCOUNTS_WRITE]]


@strawberry.type(description="A discount with its code.")
class Discount:
    id: strawberry.ID = strawberry.field(description="Its id, `dsc_...`.")
    code: str = strawberry.federation.field(requires_scopes=_SCOPES, description="What buyers enter.")
    name: str = strawberry.field(description="What the store calls it.")
    kind: DiscountKind = strawberry.field(description="What it takes off.")
    percent: DecimalText | None = strawberry.field(description="Of PERCENTAGE: how much, such as 12.5.")
    amount: MoneyType | None = strawberry.federation.field(
        requires_scopes=_SCOPES, description="Of FIXED_AMOUNT: how much, at most what the goods cost."
    )
    currency: CurrencyCode | None = strawberry.field(
        description="It applies to carts in this currency; to all if null."
    )
    minimum_subtotal: MoneyType | None = strawberry.federation.field(
        requires_scopes=_SCOPES, description="What the lines that it is for cost at least, before discounts."
    )
    product_ids: list[strawberry.ID] = strawberry.field(description="It is for these products; see categoryIds.")
    category_ids: list[strawberry.ID] = strawberry.field(
        description="And for those in these categories and below. For everything, if neither is given."
    )
    is_stackable: bool = strawberry.field(description="Whether it goes together with others that are.")
    valid_from: DateTime = strawberry.field(description="From when it holds.")
    valid_until: DateTime | None = strawberry.field(description="Until when, that moment excluded.")
    usage_limit: int | None = strawberry.field(description="How many orders can use it in all.")
    usage_limit_per_buyer: int | None = strawberry.field(description="How many orders of one buyer can use it.")
    used: int = strawberry.field(description="How many orders use it; cancelled and expired ones do not.")
    created_at: DateTime = strawberry.field(description="When it was made.")

    @classmethod
    def from_discount(cls, discount: DiscountValue) -> "Discount":
        minimum = minimum_of(discount)
        has_amount = discount.amount is not None and discount.currency is not None
        return cls(
            id=strawberry.ID(discount.id),
            code=discount.code,
            name=discount.name,
            kind=discount.kind,
            percent=None if discount.rate is None else DecimalText(show_percent(discount.rate)),
            amount=MoneyType.from_money(Money(discount.amount or 0, discount.currency or "")) if has_amount else None,
            currency=None if discount.currency is None else CurrencyCode(discount.currency),
            minimum_subtotal=None if minimum is None else MoneyType.from_money(minimum),
            product_ids=[strawberry.ID(each) for each in discount.product_ids],
            category_ids=[strawberry.ID(each) for each in discount.category_ids],
            is_stackable=discount.is_stackable,
            valid_from=DateTime(discount.valid_from),
            valid_until=None if discount.valid_until is None else DateTime(discount.valid_until),
            usage_limit=discount.usage_limit,
            usage_limit_per_buyer=discount.usage_limit_per_buyer,
            used=discount.used,
            created_at=DateTime(discount.created_at),
        )


@strawberry.input(description="A new discount.")
class CreateDiscountInput:
    """NewDiscount as an input."""

    code: str = strawberry.field(description="4 to 32 letters, digits, dashes, underscores; capitals do not matter.")
    name: str = strawberry.field(description="What the store calls it.")
    kind: DiscountKind = strawberry.field(description="What it takes off.")
    percent: DecimalText | None = strawberry.field(
        default=None, description="Of PERCENTAGE: more than 0, at most 100, up to four decimals."
    )
    amount: MoneyInput | None = strawberry.field(default=None, description="Of FIXED_AMOUNT.")
    currency: CurrencyCode | None = strawberry.field(
        default=None, description="For carts in this currency only; that of amount or minimum if there is one."
    )
    minimum_subtotal: MoneyInput | None = strawberry.field(
        default=None, description="What the lines that it is for cost at least, before discounts."
    )
    product_ids: list[strawberry.ID] = strawberry.field(default_factory=list, description="Only for these products.")
    category_ids: list[strawberry.ID] = strawberry.field(
        default_factory=list, description="Only for these categories and those below; or for one of the products."
    )
    is_stackable: bool = strawberry.field(default=False, description="Whether it goes together with others that are.")
    valid_from: DateTime | None = strawberry.field(default=None, description="From when it holds; now if not given.")
    valid_until: DateTime | None = strawberry.field(default=None, description="Until when, that moment excluded.")
    usage_limit: int | None = strawberry.field(default=None, description="How many orders can use it in all.")
    usage_limit_per_buyer: int | None = strawberry.field(
        default=None, description="How many orders of one buyer can use it."
    )

    def to_new_discount(self) -> NewDiscount:
        """Return the service's input; raise BadUserInput for amounts in several currencies."""
        amount = None if self.amount is None else self.amount.to_money(field="amount")
        minimum = None if self.minimum_subtotal is None else self.minimum_subtotal.to_money(field="minimumSubtotal")
        currencies = {str(self.currency)} if self.currency is not None else set()
        currencies |= {money.currency for money in (amount, minimum) if money is not None}
        if len(currencies) > 1:
            raise BadUserInput(f"a discount cannot mix {' and '.join(sorted(currencies))}", field="currency")
        return NewDiscount(
            code=self.code,
            name=self.name,
            kind=self.kind,
            rate=None if self.percent is None else parse_percent(self.percent, field="percent"),
            amount=None if amount is None else amount.amount,
            currency=next(iter(currencies), None),
            minimum_subtotal=None if minimum is None else minimum.amount,
            product_ids=tuple(self.product_ids),
            category_ids=tuple(self.category_ids),
            is_stackable=self.is_stackable,
            valid_from=self.valid_from,
            valid_until=self.valid_until,
            usage_limit=self.usage_limit,
            usage_limit_per_buyer=self.usage_limit_per_buyer,
        )


@strawberry.input(description="Changes to a discount; what is not given stays as it is. What it takes off stays, too.")
class ChangeDiscountInput:
    """What `changeDiscount` takes."""

    id: strawberry.ID = strawberry.field(description="The discount.")
    name: str | None = strawberry.field(default=strawberry.UNSET, description="What the store calls it.")
    minimum_subtotal: MoneyInput | None = strawberry.field(
        default=strawberry.UNSET, description="What its lines cost at least; null takes the minimum away."
    )
    product_ids: list[strawberry.ID] | None = strawberry.field(
        default=strawberry.UNSET, description="Only for these products."
    )
    category_ids: list[strawberry.ID] | None = strawberry.field(
        default=strawberry.UNSET, description="Only for these categories and those below; or for one of the products."
    )
    is_stackable: bool | None = strawberry.field(
        default=strawberry.UNSET, description="Whether it goes together with others that are."
    )
    valid_from: DateTime | None = strawberry.field(default=strawberry.UNSET, description="From when it holds.")
    valid_until: DateTime | None = strawberry.field(
        default=strawberry.UNSET, description="Until when, that moment excluded; null is for ever."
    )
    usage_limit: int | None = strawberry.field(
        default=strawberry.UNSET, description="How many orders can use it in all; null is any number."
    )
    usage_limit_per_buyer: int | None = strawberry.field(
        default=strawberry.UNSET, description="How many orders of one buyer can use it; null is any number."
    )

    def to_changes(self) -> dict[str, Any]:
        """Return the fields that are given, as the service takes them."""
        names = ("name", "is_stackable", "valid_from", "valid_until", "usage_limit", "usage_limit_per_buyer")
        changes = {name: getattr(self, name) for name in names}
        for name in ("product_ids", "category_ids"):
            value = getattr(self, name)
            changes[name] = value if value is strawberry.UNSET else tuple(value or ())
        minimum = self.minimum_subtotal
        is_money = minimum is not None and minimum is not strawberry.UNSET
        changes["minimum"] = minimum.to_money(field="minimumSubtotal") if minimum and is_money else minimum
        return {name: value for name, value in changes.items() if value is not strawberry.UNSET}
