"""Mutations of the payment subgraph: but for refunds, they are for the store's own services."""

from typing import Annotated

import strawberry

from core.money import Money
from schema.scalars import BigInt, CurrencyCode, DateTime
from subgraphs.payment.gateways.base import PaymentLine
from subgraphs.payment.refund_mutations import RefundMutations
from subgraphs.payment.service import PaymentRequest
from subgraphs.payment.types import Info, Payment


@strawberry.federation.input(inaccessible=True, description="An amount in minor units.")
class MinorUnitsInput:
    """Money between services."""

    amount: BigInt = strawberry.field(description="Minor units.")
    currency: CurrencyCode = strawberry.field(description="Its currency.")


@strawberry.federation.input(inaccessible=True, description="A line that the pay page shows.")
class PaymentLineInput:
    """A line of a payment, in the payment's currency."""

    name: str = strawberry.field(description="What it is.")
    quantity: int = strawberry.field(description="How many.")
    unit_amount: BigInt = strawberry.field(description="Price of one, in minor units.")


@strawberry.federation.input(inaccessible=True, description="A payment to open.")
class OpenPaymentInput:
    """What opening a payment needs."""

    order_id: strawberry.ID = strawberry.field(description="The order; it has one payment.")
    order_number: str = strawberry.field(description="What the gateway calls it.")
    buyer_id: strawberry.ID = strawberry.field(description="Who may see it.")
    amount: MinorUnitsInput = strawberry.field(description="What is to be paid.")
    lines: list[PaymentLineInput] = strawberry.field(description="They add up to the amount.")
    expires_at: DateTime = strawberry.field(description="Until when it can be paid.")
    buyer_email: str | None = strawberry.field(default=None, description="For the gateway's receipt.")
    buyer_name: str | None = strawberry.field(default=None, description="For the pay page.")

    def to_request(self) -> PaymentRequest:
        """Return the service's request."""
        currency = self.amount.currency
        return PaymentRequest(
            order_id=self.order_id,
            order_number=self.order_number,
            buyer_id=self.buyer_id,
            buyer_email=self.buyer_email,
            buyer_name=self.buyer_name,
            amount=Money(self.amount.amount, currency),
            lines=tuple(
                PaymentLine(line.name, line.quantity, Money(line.unit_amount, currency)) for line in self.lines
            ),
            expires_at=self.expires_at,
        )


@strawberry.type
class Mutation(RefundMutations):
    """Root fields."""

    @strawberry.federation.mutation(
        inaccessible=True, description="Open the payment of an order; asking again gives the same payment."
    )
    async def open_payment(
        self, info: Info, input: Annotated[OpenPaymentInput, strawberry.argument(description="The payment.")]
    ) -> Payment:
        """Open a payment."""
        return Payment.from_row(await info.context.service.open_payment(input.to_request(), info.context.identity))

    @strawberry.federation.mutation(
        inaccessible=True,
        description="See to it that an order cannot be paid any more. PAID: the buyer was faster. Null: it had none.",
    )
    async def cancel_payment(
        self, info: Info, order_id: Annotated[strawberry.ID, strawberry.argument(description="The order.")]
    ) -> Payment | None:
        """Cancel the payment of an order."""
        row = await info.context.service.cancel_payment(order_id, info.context.identity)
        return None if row is None else Payment.from_row(row)
