"""Mutations of the order subgraph."""

from typing import Annotated

import strawberry

from core.addresses import PostalAddress
from schema.problems import ConflictProblem, InvalidInputProblem, NotFoundProblem
from subgraphs.order.aftercare_mutations import AftercareMutations, OrderId, OrderResult
from subgraphs.order.problems import (
    EmptyCartProblem,
    PaymentUnavailableProblem,
    ProductUnavailableProblem,
    StockShortageProblem,
)
from subgraphs.order.types import BUYERS, CART_OWNERS, Cart, Info, Order

CartResult = Annotated[
    Cart | InvalidInputProblem | NotFoundProblem | ProductUnavailableProblem | ConflictProblem,
    strawberry.union("CartResult", description="The cart as it is now, or why it was not changed."),
]


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


@strawberry.type(description="The order is placed; it has to be paid.")
class CheckoutSuccess:
    """A placed order."""

    order: Order = strawberry.field(description="The order.", directives=BUYERS)
    pay_url: str = strawberry.field(description="The page on which it is paid.", directives=BUYERS)


CheckoutResult = Annotated[
    CheckoutSuccess
    | EmptyCartProblem
    | StockShortageProblem
    | ProductUnavailableProblem
    | PaymentUnavailableProblem
    | InvalidInputProblem
    | ConflictProblem,
    strawberry.union("CheckoutResult", description="The order, or why there is none."),
]

ProductId = Annotated[strawberry.ID, strawberry.argument(description="The product.")]
Quantity = Annotated[int, strawberry.argument(description="How many pieces, 1 to 999.")]


@strawberry.type
class Mutation(AftercareMutations):
    """Root fields."""

    @strawberry.federation.mutation(
        authenticated=True, description="Put pieces of a product into your cart.", directives=CART_OWNERS
    )
    async def add_to_cart(self, info: Info, product_id: ProductId, quantity: Quantity = 1) -> CartResult:
        """Add to the cart."""
        context = info.context
        return Cart.from_cart(await context.service.add_to_cart(product_id, quantity, context.identity))

    @strawberry.federation.mutation(
        authenticated=True, description="Have exactly so many pieces of a product in your cart.", directives=CART_OWNERS
    )
    async def set_cart_quantity(self, info: Info, product_id: ProductId, quantity: Quantity) -> CartResult:
        """Set the quantity of a product."""
        context = info.context
        return Cart.from_cart(await context.service.set_cart_quantity(product_id, quantity, context.identity))

    @strawberry.federation.mutation(
        authenticated=True, description="Take a product out of your cart.", directives=CART_OWNERS
    )
    async def remove_from_cart(self, info: Info, product_id: ProductId) -> CartResult:
        """Remove a product."""
        return Cart.from_cart(await info.context.service.remove_from_cart(product_id, info.context.identity))

    @strawberry.federation.mutation(authenticated=True, description="Empty your cart.", directives=CART_OWNERS)
    async def clear_cart(self, info: Info) -> CartResult:
        """Remove all products."""
        return Cart.from_cart(await info.context.service.clear_cart(info.context.identity))

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
            input.idempotency_key, input.shipping_address.to_address(), input.note, info.context.identity
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
