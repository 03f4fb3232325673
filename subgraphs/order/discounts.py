"""Discounts: what a code takes off, when it applies, and which of several go together. No I/O, and no clock."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.errors import BadUserInput
from core.money import CURRENCY_EXPONENTS, MAX_AMOUNT, Money
from subgraphs.order.model import OrderLine
from subgraphs.order.rounding import WHOLE

# More on one cart would be a puzzle, not an offer
MAX_CODES = 5
MAX_NAME = 120
# A restriction of this size still fits the row and the form
MAX_RESTRICTIONS = 200
MAX_USAGE_LIMIT = 1_000_000_000


class DiscountKind(StrEnum):
    """What a discount takes off."""

    PERCENTAGE = "PERCENTAGE"
    FIXED_AMOUNT = "FIXED_AMOUNT"
    FREE_SHIPPING = "FREE_SHIPPING"


class CodeRefusal(StrEnum):
    """Why a code does not apply. One that does not hold yet is UNKNOWN: that it is coming is the store's to tell."""

    UNKNOWN = "UNKNOWN"
    OVER = "OVER"
    USED_UP = "USED_UP"
    USED_BY_YOU = "USED_BY_YOU"
    OTHER_CURRENCY = "OTHER_CURRENCY"
    NO_MATCHING_LINES = "NO_MATCHING_LINES"
    BELOW_MINIMUM = "BELOW_MINIMUM"
    NOT_COMBINABLE = "NOT_COMBINABLE"
    TOO_MANY_CODES = "TOO_MANY_CODES"
    TOO_MANY_ATTEMPTS = "TOO_MANY_ATTEMPTS"


# Percentages come first, of what the goods cost; amounts then, of what is left; shipping is apart from both
_ORDER_OF_KINDS = tuple(DiscountKind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Discount:
    """A discount and its code.

    A PERCENTAGE has *rate* (millionths), a FIXED_AMOUNT *amount* (minor units of *currency*). With a *currency* it
    applies to carts in it only; *minimum_subtotal* needs one. It is for lines of *product_ids* and of *category_ids*
    and below; for all if both are empty. It holds from *valid_from* up to and without *valid_until*. Limits that are
    None do not exist; *used* counts orders that were not cancelled.
    """

    id: str
    code: str
    name: str
    kind: DiscountKind
    valid_from: datetime
    rate: int | None = None
    amount: int | None = None
    currency: str | None = None
    minimum_subtotal: int | None = None
    product_ids: tuple[str, ...] = ()
    category_ids: tuple[str, ...] = ()
    is_stackable: bool = False
    valid_until: datetime | None = None
    usage_limit: int | None = None
    usage_limit_per_buyer: int | None = None
    used: int = 0
    created_at: datetime

    @property
    def order(self) -> tuple[int, str]:
        """Return its place among discounts that apply together, whatever order they were entered in."""
        return _ORDER_OF_KINDS.index(self.kind), self.code

    def covers(self, line: OrderLine) -> bool:
        """Tell whether it is for this line."""
        if not self.product_ids and not self.category_ids:
            return True
        return line.product_id in self.product_ids or not set(self.category_ids).isdisjoint(line.category_path)


def clean_code(text: str) -> str | None:
    """Return a code as it is stored, or None for what cannot be one."""
    code = text.strip().upper()
    return code if re.fullmatch(r"[A-Z0-9][A-Z0-9_-]{3,31}", code) else None


def check_discount(discount: Discount) -> None:
    """Raise BadUserInput naming the first field that cannot be accepted."""
    if clean_code(discount.code) != discount.code:
        raise BadUserInput("a code is 4 to 32 letters, digits, dashes and underscores, such as TEA-2026", field="code")
    if not 1 <= len(discount.name) <= MAX_NAME:
        raise BadUserInput(f"a name has 1 to {MAX_NAME} characters", field="name")
    if discount.currency is not None and discount.currency not in CURRENCY_EXPONENTS:
        raise BadUserInput(f"currency {discount.currency!r} is not supported", field="currency")
    match discount.kind:
        case DiscountKind.PERCENTAGE:
            if discount.rate is None or not 0 < discount.rate <= WHOLE or discount.amount is not None:
                raise BadUserInput("a percentage is more than 0 and at most 100, and stands alone", field="percent")
        case DiscountKind.FIXED_AMOUNT:
            if discount.amount is None or not 0 < discount.amount <= MAX_AMOUNT or discount.rate is not None:
                raise BadUserInput("an amount is more than zero, and stands alone", field="amount")
        case DiscountKind.FREE_SHIPPING:
            if discount.rate is not None or discount.amount is not None:
                raise BadUserInput("free shipping has neither a percentage nor an amount", field="kind")
    if discount.amount is not None and discount.currency is None:
        raise BadUserInput("an amount needs its currency", field="currency")
    if discount.minimum_subtotal is not None:
        if discount.currency is None:
            raise BadUserInput("a minimum needs its currency", field="currency")
        if not 0 < discount.minimum_subtotal <= MAX_AMOUNT:
            raise BadUserInput("a minimum is more than zero", field="minimumSubtotal")
    for field, limit in (
        ("usageLimit", discount.usage_limit),
        ("usageLimitPerBuyer", discount.usage_limit_per_buyer),
    ):
        if limit is not None and not 1 <= limit <= MAX_USAGE_LIMIT:
            raise BadUserInput(f"a limit is between 1 and {MAX_USAGE_LIMIT}", field=field)
    for field, ids in (("productIds", discount.product_ids), ("categoryIds", discount.category_ids)):
        if len(ids) > MAX_RESTRICTIONS:
            raise BadUserInput(f"at most {MAX_RESTRICTIONS} fit", field=field)
    if discount.valid_until is not None and discount.valid_until <= discount.valid_from:
        raise BadUserInput("a discount ends after it begins", field="validUntil")


def refusal_of(
    discount: Discount, lines: Sequence[OrderLine], *, now: datetime, used_by_buyer: int
) -> CodeRefusal | None:
    """Return why *discount* does not apply to a cart of *lines*; None if it does.

    The minimum is of the lines that it covers, before any discount.
    """
    if now < discount.valid_from:
        return CodeRefusal.UNKNOWN
    if discount.valid_until is not None and now >= discount.valid_until:
        return CodeRefusal.OVER
    if discount.usage_limit is not None and discount.used >= discount.usage_limit:
        return CodeRefusal.USED_UP
    if discount.usage_limit_per_buyer is not None and used_by_buyer >= discount.usage_limit_per_buyer:
        return CodeRefusal.USED_BY_YOU
    covered = [line for line in lines if discount.covers(line)]
    if not covered:
        return CodeRefusal.NO_MATCHING_LINES
    if discount.currency is not None and covered[0].unit_price.currency != discount.currency:
        return CodeRefusal.OTHER_CURRENCY
    if discount.minimum_subtotal is not None:
        subtotal = sum(line.total.amount for line in covered)
        if subtotal < discount.minimum_subtotal:
            return CodeRefusal.BELOW_MINIMUM
    return None


def minimum_of(discount: Discount) -> Money | None:
    """Return what the lines that it covers must cost at least."""
    if discount.minimum_subtotal is None or discount.currency is None:
        return None
    return Money(discount.minimum_subtotal, discount.currency)


def choose_together(discounts: Iterable[Discount]) -> tuple[tuple[Discount, ...], tuple[Discount, ...]]:
    """Return those of *discounts* that go together, in their order, and those that cannot join them.

    A stackable one goes with any other that is; one that is not stands alone. If the first in order is not stackable,
    it is the one; else all that are. The order in which they were entered does not matter.
    """
    ordered = sorted(discounts, key=lambda each: each.order)
    if ordered and not ordered[0].is_stackable:
        return (ordered[0],), tuple(ordered[1:])
    chosen = tuple(each for each in ordered if each.is_stackable)
    return chosen, tuple(each for each in ordered if not each.is_stackable)


@dataclass(frozen=True, slots=True)
class CodeProblem:
    """A code of a cart that does not apply, and why."""

    code: str
    refusal: CodeRefusal
    minimum: Money | None = None


def judge_codes(
    codes: Sequence[str],
    found: Mapping[str, Discount],
    lines: Sequence[OrderLine],
    *,
    now: datetime,
    used_by_buyer: Mapping[str, int],
) -> tuple[tuple[Discount, ...], tuple[CodeProblem, ...]]:
    """Return the discounts that apply, and the codes that do not, by code.

    *found* are the discounts by code, *used_by_buyer* counts uses by discount id.
    """
    problems: list[CodeProblem] = []
    applicable: list[Discount] = []
    for code in sorted(set(codes)):
        discount = found.get(code)
        if discount is None:
            problems.append(CodeProblem(code, CodeRefusal.UNKNOWN))
            continue
        refusal = refusal_of(discount, lines, now=now, used_by_buyer=used_by_buyer.get(discount.id, 0))
        if refusal is None:
            applicable.append(discount)
        else:
            minimum = minimum_of(discount) if refusal is CodeRefusal.BELOW_MINIMUM else None
            problems.append(CodeProblem(code, refusal, minimum))
    chosen, left_out = choose_together(applicable)
    problems += [CodeProblem(each.code, CodeRefusal.NOT_COMBINABLE) for each in left_out]
    return chosen, tuple(sorted(problems, key=lambda problem: problem.code))
