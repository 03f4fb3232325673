"""Mutations of the order subgraph."""

from typing import Annotated

import strawberry

from core.addresses import PostalAddress
from schema.money import MoneyInput
from schema.problems import ConflictProblem, InvalidInputProblem
from subgraphs.order.aftercare_mutations import AftercareMutations, OrderId, OrderResult
from subgraphs.order.cart_fields import CartMutations
from subgraphs.order.discount_fields import DiscountMutations
from subgraphs.order.discount_problems import DiscountCodeProblem, ShippingUnavailableProblem, TotalDiffersProblem
from subgraphs.order.problems import (
    EmptyCartProblem,
    PaymentUnavailableProblem,
    ProductUnavailableProblem,
    StockShortageProblem,
)
from subgraphs.order.tariff_fields import TariffMutations
from subgraphs.order.types import BUYERS, Info, Order


@strawberry.input(description="Where the parcel goes.")
class ShippingAddressInput:
    """PostalAddress as an input."""

    recipient: str = strawberry.field(description="Who receives it.")
    line1: str = strawberry.field(description="Street and number.")
    city: str = strawberry.field(description="City or town.")
    postal_code: str = strawberry.field(description="Postal code.")
    country: str = strawberry.field(description="ISO 3166 code of two letters, such as ID.")
    phone: str | None = strawberry.field(default=None, description="For the carrier.")
    line2: str | None = strawberry.field(default=None, description="What else helps to find it.")
    region: str | None = strawberry.field(default=None, description="Province or state.")

    def to_address(self) -> PostalAddress:
        """Return the address as the model has it."""
        return PostalAddress(
            recipient=self.recipient,
            line1=self.line1,
            city=self.city,
            postal_code=self.postal_code,
            country=self.country,
            phone=self.phone,
            line2=self.line2,
            region=self.region,
        )


@strawberry.input(description="An order for what is in the cart.")
class CheckoutInput:
    """What a checkout needs."""

    idempotency_key: str = strawberry.field(
        description="Yours, new for every checkout: sending it again gives the same answer and never a second order."
    )
    shipping_address: ShippingAddressInput = strawberry.field(description="Where the parcel goes.")
    note: str | None = strawberry.field(default=None, description="For the store.")
    shipping_method_id: strawberry.ID | None = strawberry.field(
        default=None, description="How it is sent, one of the options of `Cart.quote`; the cheapest way if not given."
    )
    expected_total: MoneyInput | None = strawberry.field(
        default=None, description="What it is expected to cost, as `Cart.quote` says; at any other price it is refused."
    )


@strawberry.type(description="The order is placed; it has to be paid.")
class CheckoutSuccess:
    """A placed order."""

    order: Order = strawberry.field(description="The order.", directives=BUYERS)
    pay_url: str | None = strawberry.field(
        description="The page on which it is paid; null if there is nothing to pay.", directives=BUYERS
    )


CheckoutResult = Annotated[
    CheckoutSuccess
    | EmptyCartProblem
    | StockShortageProblem
    | ProductUnavailableProblem
    | PaymentUnavailableProblem
    | DiscountCodeProblem
    | ShippingUnavailableProblem
    | TotalDiffersProblem
    | InvalidInputProblem
    | ConflictProblem,
    strawberry.union("CheckoutResult", description="The order, or why there is none."),
]


@strawberry.type
class Mutation(AftercareMutations, CartMutations, DiscountMutations, TariffMutations):
    """Root fields."""

    @strawberry.federation.mutation(
        authenticated=True,
        description="Order what is in your cart. After an UNAVAILABLE error, send the same key again.",
        directives=BUYERS,
    )
    async def checkout(
        self, info: Info, input: Annotated[CheckoutInput, strawberry.argument(description="The order.")]
    ) -> CheckoutResult:
        """Check out the caller's cart."""
        done = await info.context.service.check_out(
            input.idempotency_key,
            input.shipping_address.to_address(),
            input.note,
            info.context.identity,
            shipping_method_id=input.shipping_method_id,
            expected_total=None
            if input.expected_total is None
            else input.expected_total.to_money(field="expectedTotal"),
        )
        return CheckoutSuccess(order=Order.from_row(done.order), pay_url=done.pay_url)

    @strawberry.federation.mutation(
        authenticated=True,
        description="Cancel an order: yours while it is unpaid; with orders:write any that has not shipped.",
        directives=BUYERS,
    )
    async def cancel_order(
        self,
        info: Info,
        id: OrderId,
        reason: Annotated[str | None, strawberry.argument(description="Why; shown in its history.")] = None,
    ) -> OrderResult:
        """Cancel an order."""
        return Order.from_row(await info.context.service.cancel_order(id, reason, info.context.identity))
