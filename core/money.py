"""Money: an integer of minor units with its currency. Nothing here rounds silently."""

import re
from dataclasses import dataclass
from decimal import Decimal

from core.errors import BadUserInput

# Digits after the decimal point that are in use. ISO 4217 gives IDR two, but no sen circulates and the Indonesian
# gateways refuse amounts with decimals, so a rupiah is its own minor unit here.
CURRENCY_EXPONENTS = {
    "AUD": 2,
    "EUR": 2,
    "GBP": 2,
    "IDR": 0,
    "JPY": 0,
    "KRW": 0,
    "MYR": 2,
    "SGD": 2,
    "USD": 2,
    "VND": 0,
}

# The largest integer that every JSON reader holds exactly (2**53 - 1)
MAX_AMOUNT = 9_007_199_254_740_991


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """*amount* minor units of *currency* (an ISO 4217 code that CURRENCY_EXPONENTS lists)."""

    amount: int
    currency: str

    def __post_init__(self) -> None:
        if self.currency not in CURRENCY_EXPONENTS:
            raise BadUserInput(f"currency {self.currency!r} is not supported", field="currency")
        if abs(self.amount) > MAX_AMOUNT:
            raise BadUserInput(f"amount {self.amount} is too large", field="amount")

    def __add__(self, other: "Money") -> "Money":
        return Money(self.amount + self._same_currency(other).amount, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.amount - self._same_currency(other).amount, self.currency)

    def __mul__(self, quantity: int) -> "Money":
        return Money(self.amount * quantity, self.currency)

    def _same_currency(self, other: "Money") -> "Money":
        if other.currency != self.currency:
            raise ValueError(f"cannot combine {self.currency} and {other.currency}")
        return other

    @property
    def decimal(self) -> Decimal:
        """Return the amount in major units, with exactly the currency's decimals."""
        return Decimal(self.amount).scaleb(-CURRENCY_EXPONENTS[self.currency])

    def __str__(self) -> str:
        return f"{self.currency} {self.decimal:,f}"


def parse_money(text: str | Decimal, currency: str, *, field: str = "price") -> Money:
    """Read an amount in major units, such as `12.50`.

    Raises:
        BadUserInput: not a number, more decimals than the currency has, or an unknown currency.
    """
    # Decimal itself reads more than people mean: 1_000, 1e9, NaN, Arabic digits
    if isinstance(text, Decimal):
        # Bounds the work before writing it out: 1e999999999 is a short number and a very long text
        fits = text.is_finite() and abs(text.adjusted()) < 40
        written = f"{text:f}" if fits else ""
    else:
        written = text.strip()
    if not re.fullmatch(r"[+-]?[0-9]{1,40}(\.[0-9]{1,40})?", written):
        raise BadUserInput(f"{text!r} is not an amount", field=field)
    exponent = CURRENCY_EXPONENTS.get(currency)
    if exponent is None:
        raise BadUserInput(f"currency {currency!r} is not supported", field=field)
    whole, _, decimals = written.partition(".")
    # By digits, because Decimal's arithmetic rounds to 28 of them
    kept, lost = decimals[:exponent].ljust(exponent, "0"), decimals[exponent:]
    if lost.strip("0"):
        raise BadUserInput(f"{text} has more than the {exponent} decimals of {currency}", field=field)
    amount = int(whole + kept)
    if abs(amount) > MAX_AMOUNT:
        raise BadUserInput(f"amount {text} is too large", field=field)
    return Money(amount, currency)
