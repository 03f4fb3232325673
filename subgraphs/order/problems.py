"""Why a checkout or a change of the cart can be refused: errors for the inside, problems for the schema."""

from dataclasses import dataclass
from typing import Any

import strawberry

from core.errors import BadUserInput, Conflict, DomainError
from core.money import Money
from core.mongo import Row
from schema.problems import Problem
from subgraphs.order.discount_problems import (
    DISCOUNT_PROBLEM_HANDLERS,
    DiscountNotApplicable,
    ShippingUnavailable,
    TotalDiffers,
    code_problem_from_row,
    code_problem_to_row,
)


@dataclass(frozen=True, slots=True)
class Shortage:
    """A product of which too little is left."""

    product_id: str
    requested: int
    available: int


class CartEmpty(DomainError):
    """There is nothing to order."""

    code = "EMPTY_CART"


class StockShort(DomainError):
    """Too little is left of *shortages*; nothing was reserved."""

    code = "OUT_OF_STOCK"

    def __init__(self, shortages: tuple[Shortage, ...]) -> None:
        super().__init__(f"too little is left of {len(shortages)} of the products")
        self.shortages = shortages


class ProductUnavailable(DomainError):
    """Products that do not exist or are not on sale."""

    code = "PRODUCT_UNAVAILABLE"

    def __init__(self, product_ids: tuple[str, ...]) -> None:
        super().__init__(f"not on sale: {', '.join(product_ids)}")
        self.product_ids = product_ids


class PaymentUnavailable(DomainError):
    """No payment could be opened; the order is cancelled and its stock released."""

    code = "PAYMENT_UNAVAILABLE"


def refusal_to_row(error: DomainError) -> Row:
    """Return *error* as a checkout's record keeps it, for the same answer when its key is used again."""
    row: Row = {"code": error.code, "message": error.message}
    match error:
        case StockShort():
            row["shortages"] = [
                {"product_id": each.product_id, "requested": each.requested, "available": each.available}
                for each in error.shortages
            ]
        case ProductUnavailable():
            row["product_ids"] = list(error.product_ids)
        case DiscountNotApplicable():
            row |= code_problem_to_row(error.problem)
        case TotalDiffers():
            row |= {"total_amount": error.total.amount, "total_currency": error.total.currency}
        case BadUserInput():
            row["field"] = error.field
    return row


def refusal_from_row(row: Row) -> DomainError:
    """Return the error that *row* records."""
    match row["code"]:
        case StockShort.code:
            return StockShort(tuple(Shortage(**shortage) for shortage in row["shortages"]))
        case ProductUnavailable.code:
            return ProductUnavailable(tuple(row["product_ids"]))
        case PaymentUnavailable.code:
            return PaymentUnavailable(row["message"])
        case DiscountNotApplicable.code:
            return DiscountNotApplicable(code_problem_from_row(row))
        case TotalDiffers.code:
            return TotalDiffers(Money(row["total_amount"], row["total_currency"]))
        case ShippingUnavailable.code:
            return ShippingUnavailable(row["message"])
        case BadUserInput.code:
            return BadUserInput(row["message"], field=row.get("field"))
        case _:
            return Conflict(row["message"])


@strawberry.type(description="The cart is empty.")
class EmptyCartProblem(Problem):
    """CartEmpty as a result."""


@strawberry.type(description="A product of which less is left than was asked for.")
class CartShortage:
    """One shortage."""

    product_id: strawberry.ID = strawberry.field(description="The product.")
    requested: int = strawberry.field(description="How many pieces were asked for.")
    available: int = strawberry.field(description="How many are left.")


@strawberry.type(description="Too little is left; nothing was reserved and nothing ordered.")
class StockShortageProblem(Problem):
    """StockShort as a result."""

    shortages: list[CartShortage] = strawberry.field(description="The products of which too little is left.")


@strawberry.type(description="Products do not exist or are not on sale.")
class ProductUnavailableProblem(Problem):
    """ProductUnavailable as a result."""

    product_ids: list[strawberry.ID] = strawberry.field(description="The products.")


@strawberry.type(description="No payment could be opened; the order was cancelled. Try again with a new key.")
class PaymentUnavailableProblem(Problem):
    """PaymentUnavailable as a result."""


class _CartEmptyHandler(strawberry.ExceptionHandler[CartEmpty, EmptyCartProblem]):
    def handle(self, exception: CartEmpty, *, field: Any, info: Any) -> EmptyCartProblem:
        return EmptyCartProblem(code=exception.code, message=exception.message)


class _StockShortHandler(strawberry.ExceptionHandler[StockShort, StockShortageProblem]):
    def handle(self, exception: StockShort, *, field: Any, info: Any) -> StockShortageProblem:
        return StockShortageProblem(
            code=exception.code,
            message=exception.message,
            shortages=[
                CartShortage(
                    product_id=strawberry.ID(each.product_id), requested=each.requested, available=each.available
                )
                for each in exception.shortages
            ],
        )


class _ProductUnavailableHandler(strawberry.ExceptionHandler[ProductUnavailable, ProductUnavailableProblem]):
    def handle(self, exception: ProductUnavailable, *, field: Any, info: Any) -> ProductUnavailableProblem:
        return ProductUnavailableProblem(
            code=exception.code,
            message=exception.message,
            product_ids=[strawberry.ID(product_id) for product_id in exception.product_ids],
        )


class _PaymentUnavailableHandler(strawberry.ExceptionHandler[PaymentUnavailable, PaymentUnavailableProblem]):
    def handle(self, exception: PaymentUnavailable, *, field: Any, info: Any) -> PaymentUnavailableProblem:
        return PaymentUnavailableProblem(code=exception.code, message=exception.message)


ORDER_PROBLEM_HANDLERS: tuple[strawberry.ExceptionHandler[Any, Any], ...] = (
    _CartEmptyHandler(),
    _StockShortHandler(),
    _ProductUnavailableHandler(),
    _PaymentUnavailableHandler(),
    *DISCOUNT_PROBLEM_HANDLERS,
)
