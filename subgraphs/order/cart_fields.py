"""Root fields around carts."""

from typing import Annotated, TypeAlias

import strawberry

from schema.problems import ConflictProblem, InvalidInputProblem, NotFoundProblem
from subgraphs.order.cart_types import Cart
from subgraphs.order.discount_problems import DiscountCodeProblem
from subgraphs.order.problems import ProductUnavailableProblem
from subgraphs.order.types import CART_OWNERS, Info

CartResult = Annotated[
    Cart | InvalidInputProblem | NotFoundProblem | ProductUnavailableProblem | ConflictProblem,
    strawberry.union("CartResult", description="The cart as it is now, or why it was not changed."),
]

ApplyDiscountCodeResult = Annotated[
    Cart | DiscountCodeProblem | InvalidInputProblem | ProductUnavailableProblem | ConflictProblem,
    strawberry.union("ApplyDiscountCodeResult", description="The cart with the code, or why it has not got it."),
]


@strawberry.type(description="A cart for somebody who has not logged in.")
class GuestCartCreated:
    """A new guest's cart."""

    token: str = strawberry.field(
        description="Whoever has it has the cart. It is shown once; keep it until `mergeCart`.", directives=CART_OWNERS
    )
    cart: Cart = strawberry.field(description="The cart.", directives=CART_OWNERS)


CreateGuestCartResult = Annotated[
    GuestCartCreated | InvalidInputProblem | NotFoundProblem | ProductUnavailableProblem,
    strawberry.union("CreateGuestCartResult", description="The new cart, or why there is none."),
]

ProductId: TypeAlias = Annotated[strawberry.ID, strawberry.argument(description="The product.")]
Quantity: TypeAlias = Annotated[int, strawberry.argument(description="How many pieces, 1 to 999.")]
Code: TypeAlias = Annotated[str, strawberry.argument(description="The code; capitals do not matter.")]
CartToken: TypeAlias = Annotated[
    str | None, strawberry.argument(description="Of a guest's cart; your own cart if not given.")
]


@strawberry.type
class CartQueries:
    """Root fields that show carts."""

    @strawberry.field(
        description="Your cart, or a guest's by its token; null for a token that no cart has, or has any more.",
        directives=CART_OWNERS,
    )
    async def cart(self, info: Info, token: CartToken = None) -> Cart | None:
        """Return a cart."""
        cart = await info.context.carts.get_cart(info.context.identity, token)
        return None if cart is None else Cart.from_cart(cart)

    @strawberry.federation.field(
        inaccessible=True, description="The cart of a user, for other services.", directives=CART_OWNERS
    )
    async def cart_of(
        self, info: Info, owner_id: Annotated[strawberry.ID, strawberry.argument(description="Whose cart.")]
    ) -> Cart:
        """Return what a user's cart keeps about them."""
        return Cart.from_cart(await info.context.carts.get_cart_of(owner_id, info.context.identity))


@strawberry.type
class CartMutations:
    """Root fields that change carts."""

    @strawberry.mutation(
        description="Put pieces of a product into a new cart, without a login.", directives=CART_OWNERS
    )
    async def create_guest_cart(
        self, info: Info, product_id: ProductId, quantity: Quantity = 1
    ) -> CreateGuestCartResult:
        """Make a guest's cart."""
        token, cart = await info.context.carts.create_guest_cart(product_id, quantity)
        return GuestCartCreated(token=token, cart=Cart.from_cart(cart))

    @strawberry.mutation(description="Put pieces of a product into a cart.", directives=CART_OWNERS)
    async def add_to_cart(
        self, info: Info, product_id: ProductId, quantity: Quantity = 1, cart_token: CartToken = None
    ) -> CartResult:
        """Add to the cart."""
        context = info.context
        return Cart.from_cart(await context.carts.add_to_cart(product_id, quantity, context.identity, cart_token))

    @strawberry.mutation(description="Have exactly so many pieces of a product in a cart.", directives=CART_OWNERS)
    async def set_cart_quantity(
        self, info: Info, product_id: ProductId, quantity: Quantity, cart_token: CartToken = None
    ) -> CartResult:
        """Set the quantity of a product."""
        context = info.context
        return Cart.from_cart(await context.carts.set_quantity(product_id, quantity, context.identity, cart_token))

    @strawberry.mutation(description="Take a product out of a cart.", directives=CART_OWNERS)
    async def remove_from_cart(self, info: Info, product_id: ProductId, cart_token: CartToken = None) -> CartResult:
        """Remove a product."""
        context = info.context
        return Cart.from_cart(await context.carts.remove_from_cart(product_id, context.identity, cart_token))

    @strawberry.mutation(description="Take all products out of a cart.", directives=CART_OWNERS)
    async def clear_cart(self, info: Info, cart_token: CartToken = None) -> CartResult:
        """Remove all products."""
        return Cart.from_cart(await info.context.carts.clear_cart(info.context.identity, cart_token))

    @strawberry.federation.mutation(
        authenticated=True,
        description=(
            "After logging in: put what is in a guest's cart into your own, and end it. Quantities add up, up to what"
            " a cart holds. A second time changes nothing."
        ),
        directives=CART_OWNERS,
    )
    async def merge_cart(
        self, info: Info, token: Annotated[str, strawberry.argument(description="Of the guest's cart.")]
    ) -> CartResult:
        """Merge a guest's cart into the caller's."""
        return Cart.from_cart(await info.context.carts.merge_cart(token, info.context.identity))

    @strawberry.federation.mutation(
        authenticated=True, description="Have a discount's code on your cart.", directives=CART_OWNERS
    )
    async def apply_discount_code(self, info: Info, code: Code) -> ApplyDiscountCodeResult:
        """Apply a code."""
        return Cart.from_cart(await info.context.cart_codes.apply(code, info.context.identity))

    @strawberry.federation.mutation(
        authenticated=True, description="Take a discount's code off your cart.", directives=CART_OWNERS
    )
    async def remove_discount_code(self, info: Info, code: Code) -> CartResult:
        """Remove a code."""
        return Cart.from_cart(await info.context.cart_codes.remove(code, info.context.identity))
