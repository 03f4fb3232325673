"""Money as GraphQL shows and takes it."""

import strawberry

from core.money import Money, parse_money
from schema.scalars import BigInt, CurrencyCode, DecimalText


@strawberry.federation.type(name="Money", shareable=True, description="An amount of money.")
class MoneyType:
    """An amount with its currency."""

    amount: BigInt = strawberry.field(description="Minor units: cents of USD, whole rupiah of IDR.")
    currency: CurrencyCode = strawberry.field(description="Its currency.")
    decimal: DecimalText = strawberry.field(description="Major units with the currency's decimals: 12.50.")

    @classmethod
    def from_money(cls, money: Money) -> "MoneyType":
        """Show *money*."""
        return cls(
            amount=BigInt(money.amount),
            currency=CurrencyCode(money.currency),
            decimal=DecimalText(f"{money.decimal:f}"),
        )


@strawberry.input(description="An amount of money in major units.")
class MoneyInput:
    """An amount as a person writes it."""

    decimal: DecimalText = strawberry.field(description='Major units, such as "12.50".')
    currency: CurrencyCode = strawberry.field(description="Its currency.")

    def to_money(self, *, field: str = "price") -> Money:
        """Return the amount in minor units; raise BadUserInput for more decimals than the currency has."""
        return parse_money(self.decimal, self.currency, field=field)
