"""Why codes, ways to send a parcel, and prices are refused: errors for the inside, problems for the schema."""

from typing import Any

import strawberry

from core.errors import DomainError
from core.money import Money
from core.mongo import Row
from schema.money import MoneyType
from schema.problems import Problem
from subgraphs.order.discounts import CodeProblem, CodeRefusal

_SENTENCES = {
    CodeRefusal.UNKNOWN: "there is no such code",
    CodeRefusal.OVER: "this code is no longer valid",
    CodeRefusal.USED_UP: "this code was used as often as it can be",
    CodeRefusal.USED_BY_YOU: "you have used this code as often as one can",
    CodeRefusal.OTHER_CURRENCY: "this code is for another currency",
    CodeRefusal.NO_MATCHING_LINES: "this code is for none of the products in the cart",
    CodeRefusal.BELOW_MINIMUM: "this code needs more of its products in the cart",
    CodeRefusal.NOT_COMBINABLE: "this code cannot be combined with the other ones",
    CodeRefusal.TOO_MANY_CODES: "there are as many codes in the cart as it takes",
    CodeRefusal.TOO_MANY_ATTEMPTS: "too many unknown codes were tried; try again in an hour",
}


class DiscountNotApplicable(DomainError):
    """A code does not apply; *problem* says why."""

    code = "DISCOUNT_NOT_APPLICABLE"

    def __init__(self, problem: CodeProblem) -> None:
        super().__init__(_SENTENCES[problem.refusal])
        self.problem = problem


class ShippingUnavailable(DomainError):
    """No shipping method, or not the one that was asked for, takes the cart to its address."""

    code = "SHIPPING_UNAVAILABLE"


class TotalDiffers(DomainError):
    """The order would cost *total*, and its buyer expects something else."""

    code = "TOTAL_DIFFERS"

    def __init__(self, total: Money) -> None:
        super().__init__(f"the order would cost {total}; nothing was ordered")
        self.total = total


def code_problem_to_row(problem: CodeProblem) -> Row:
    """Return *problem* as a checkout's record keeps it."""
    row: Row = {"discount_code": problem.code, "reason": problem.refusal.value}
    if problem.minimum is not None:
        row |= {"minimum_amount": problem.minimum.amount, "minimum_currency": problem.minimum.currency}
    return row


def code_problem_from_row(row: Row) -> CodeProblem:
    """Return the problem that *row* records."""
    minimum = Money(row["minimum_amount"], row["minimum_currency"]) if "minimum_amount" in row else None
    return CodeProblem(row["discount_code"], CodeRefusal(row["reason"]), minimum)


strawberry.enum(CodeRefusal, name="DiscountCodeRefusal", description="Why a discount's code does not apply.")


@strawberry.type(description="A discount's code does not apply to the cart.")
class DiscountCodeProblem(Problem):
    """DiscountNotApplicable as a result."""

    discount_code: str = strawberry.field(description="The code.")
    reason: CodeRefusal = strawberry.field(description="Why.")
    minimum: MoneyType | None = strawberry.field(
        description="What its products must cost at least, where that is the reason."
    )


@strawberry.type(description="Nothing takes the cart to this address, or not the way that was asked for.")
class ShippingUnavailableProblem(Problem):
    """ShippingUnavailable as a result."""


@strawberry.type(description="The order would cost something else than was expected; nothing was ordered.")
class TotalDiffersProblem(Problem):
    """TotalDiffers as a result."""

    total: MoneyType = strawberry.field(description="What it would cost.")


def show_code_problem(problem: CodeProblem) -> DiscountCodeProblem:
    """Return *problem* for the schema."""
    return DiscountCodeProblem(
        code=DiscountNotApplicable.code,
        message=_SENTENCES[problem.refusal],
        discount_code=problem.code,
        reason=problem.refusal,
        minimum=None if problem.minimum is None else MoneyType.from_money(problem.minimum),
    )


class _DiscountNotApplicableHandler(strawberry.ExceptionHandler[DiscountNotApplicable, DiscountCodeProblem]):
    def handle(self, exception: DiscountNotApplicable, *, field: Any, info: Any) -> DiscountCodeProblem:
        return show_code_problem(exception.problem)


class _ShippingUnavailableHandler(strawberry.ExceptionHandler[ShippingUnavailable, ShippingUnavailableProblem]):
    def handle(self, exception: ShippingUnavailable, *, field: Any, info: Any) -> ShippingUnavailableProblem:
        return ShippingUnavailableProblem(code=exception.code, message=exception.message)


class _TotalDiffersHandler(strawberry.ExceptionHandler[TotalDiffers, TotalDiffersProblem]):
    def handle(self, exception: TotalDiffers, *, field: Any, info: Any) -> TotalDiffersProblem:
        return TotalDiffersProblem(
            code=exception.code, message=exception.message, total=MoneyType.from_money(exception.total)
        )


DISCOUNT_PROBLEM_HANDLERS: tuple[strawberry.ExceptionHandler[Any, Any], ...] = (
    _DiscountNotApplicableHandler(),
    _ShippingUnavailableHandler(),
    _TotalDiffersHandler(),
)
