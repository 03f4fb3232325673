"""Refunding: for people who may send the store's money away."""

from typing import Annotated

import strawberry

from core.scopes import PAYMENTS_REFUND
from schema.money import MoneyInput
from schema.problems import ConflictProblem, InvalidInputProblem, NotFoundProblem
from subgraphs.payment.refunds import RefundRequest
from subgraphs.payment.types import Info, Payment

RefundPaymentResult = Annotated[
    Payment | NotFoundProblem | ConflictProblem | InvalidInputProblem,
    strawberry.union("RefundPaymentResult", description="The payment with its refunds, or why none was asked for."),
]


@strawberry.input(description="Money to send back.")
class RefundPaymentInput:
    """What `refundPayment` takes."""

    payment_id: strawberry.ID = strawberry.field(description="Of which payment.")
    reason: str = strawberry.field(description="Why; its buyer can read it.")
    idempotency_key: str = strawberry.field(
        description="Chosen by the caller, once per refund: a repetition with the same key sends nothing more."
    )
    amount: MoneyInput | None = strawberry.field(default=None, description="How much; all that is left if not given.")


@strawberry.type
class RefundMutations:
    """Root fields."""

    @strawberry.federation.mutation(
        requires_scopes=[[PAYMENTS_REFUND]],
        description=(
            "Send captured money back, or part of it. A refund that is REQUESTED is carried out as soon as the gateway"
            " answers."
        ),
    )
    async def refund_payment(
        self, info: Info, input: Annotated[RefundPaymentInput, strawberry.argument(description="The refund.")]
    ) -> RefundPaymentResult:
        """Refund a payment."""
        context = info.context
        request = RefundRequest(
            payment_id=input.payment_id,
            amount=None if input.amount is None else input.amount.to_money(field="amount"),
            reason=input.reason,
            idempotency_key=input.idempotency_key,
        )
        await context.refunds.refund_payment(request, context.identity)
        row = await context.service.get_payment(input.payment_id, context.identity)
        return Payment.from_row(row)
