"""Carts as GraphQL shows them: their lines, what has changed about these, and what they would cost."""

from typing import Annotated

import strawberry

from schema.money import MoneyType
from schema.problems import InvalidInputProblem
from schema.scalars import DateTime
from subgraphs.order.cart_changes import ChangeKind, LineChange, changes_of
from subgraphs.order.carts import Cart as CartValue
from subgraphs.order.carts import CartLine as CartLineValue
from subgraphs.order.discount_problems import DiscountCodeProblem, ShippingUnavailableProblem, show_code_problem
from subgraphs.order.price_types import AppliedDiscountType, OrderTax
from subgraphs.order.pricing import Destination, PricedLine
from subgraphs.order.problems import EmptyCartProblem, ProductUnavailableProblem
from subgraphs.order.quoting import Quoted
from subgraphs.order.shipping_methods import ShippingOffer
from subgraphs.order.types import CART_OWNERS, Info, Product

strawberry.enum(ChangeKind, name="CartLineChangeKind", description="What has changed about a line of a cart.")


@strawberry.type(description="What has changed about a line since it was put into the cart.")
class CartLineChange:
    kind: ChangeKind = strawberry.field(description="What.")
    price_before: MoneyType | None = strawberry.field(
        description="Of PRICE_CHANGED: what a piece cost when the line was last changed.", directives=CART_OWNERS
    )
    price_now: MoneyType | None = strawberry.field(
        description="Of PRICE_CHANGED: what a piece costs now.", directives=CART_OWNERS
    )
    available: int | None = strawberry.field(description="Of LESS_AVAILABLE: how many can be bought.")

    @classmethod
    def from_change(cls, change: LineChange) -> "CartLineChange":
        before, now = change.price_before, change.price_now
        return cls(
            kind=change.kind,
            price_before=None if before is None else MoneyType.from_money(before),
            price_now=None if now is None else MoneyType.from_money(now),
            available=change.available,
        )


@strawberry.type(description="Pieces of one product in a cart.")
class CartLine:
    id: strawberry.ID = strawberry.field(description="Stable as long as the product is in the cart.")
    product: Product | None = strawberry.field(description="The product.")
    quantity: int = strawberry.field(description="How many pieces.")
    line: strawberry.Private[CartLineValue]

    @strawberry.field(
        description=(
            "What a buyer should know before ordering: a price that is another one now, less that is left than is"
            " wanted, a product that is not on sale any more. Empty when nothing has changed."
        ),
        directives=CART_OWNERS,
    )
    async def changes(self, info: Info) -> list[CartLineChange] | None:
        offer = await info.context.offers.load(self.line.product_id)
        return [CartLineChange.from_change(change) for change in changes_of(self.line, offer)]


@strawberry.type(description="A line of a cart with its price.")
class CartQuoteLine:
    product: Product | None = strawberry.field(description="The product.")
    quantity: int = strawberry.field(description="How many pieces.")
    unit_price: MoneyType = strawberry.field(description="What a piece costs.", directives=CART_OWNERS)
    discount: MoneyType = strawberry.field(description="What discounts take off.", directives=CART_OWNERS)
    total: MoneyType = strawberry.field(
        description="Price times quantity, less the discount; without a tax that comes on top.", directives=CART_OWNERS
    )
    tax: MoneyType = strawberry.field(description="Its tax, in its total or on top.", directives=CART_OWNERS)

    @classmethod
    def from_priced(cls, priced: PricedLine) -> "CartQuoteLine":
        return cls(
            product=Product(id=strawberry.ID(priced.line.product_id)),
            quantity=priced.line.quantity,
            unit_price=MoneyType.from_money(priced.line.unit_price),
            discount=MoneyType.from_money(priced.discount),
            total=MoneyType.from_money(priced.total),
            tax=MoneyType.from_money(priced.tax),
        )


@strawberry.type(description="A way to send a cart.")
class ShippingOption:
    id: strawberry.ID = strawberry.field(description="Id of the shipping method; for `checkout`.")
    name: str = strawberry.field(description="Its name.")
    fee: MoneyType = strawberry.field(description="The fee, before discounts.", directives=CART_OWNERS)

    @classmethod
    def from_offer(cls, offer: ShippingOffer) -> "ShippingOption":
        return cls(id=strawberry.ID(offer.method_id), name=offer.name, fee=MoneyType.from_money(offer.fee))


@strawberry.type(
    description="What a cart costs: total = subtotal - discountTotal + shipping + the tax that is not in the prices."
)
class CartQuote:
    lines: list[CartQuoteLine] = strawberry.field(description="The lines.", directives=CART_OWNERS)
    subtotal: MoneyType = strawberry.field(
        description="Price times quantity of all lines, before discounts.", directives=CART_OWNERS
    )
    discounts: list[AppliedDiscountType] = strawberry.field(
        description="The discounts, in the order in which they are applied.", directives=CART_OWNERS
    )
    discount_total: MoneyType = strawberry.field(
        description="What all discounts take off, of goods and of shipping.", directives=CART_OWNERS
    )
    code_problems: list[DiscountCodeProblem] = strawberry.field(
        description="Codes that do not apply and have no part in the sums: remove them, or the checkout is refused.",
        directives=CART_OWNERS,
    )
    shipping: MoneyType = strawberry.field(
        description="The fee for shipping, before discounts.", directives=CART_OWNERS
    )
    shipping_method: ShippingOption | None = strawberry.field(
        description="The method that it is for: the one that was asked for, or the cheapest.", directives=CART_OWNERS
    )
    shipping_options: list[ShippingOption] = strawberry.field(
        description="All methods that take the cart there, cheapest first.", directives=CART_OWNERS
    )
    tax: OrderTax | None = strawberry.field(description="The tax; null where nothing is taxed.", directives=CART_OWNERS)
    total: MoneyType = strawberry.field(description="What the buyer would pay.", directives=CART_OWNERS)

    @classmethod
    def from_quoted(cls, quoted: Quoted) -> "CartQuote":
        quote = quoted.quote
        options = [ShippingOption.from_offer(offer) for offer in quoted.offers]
        return cls(
            lines=[CartQuoteLine.from_priced(priced) for priced in quote.lines],
            subtotal=MoneyType.from_money(quote.subtotal),
            discounts=[AppliedDiscountType.from_applied(each) for each in quote.discounts],
            discount_total=MoneyType.from_money(quote.discount_total),
            code_problems=[show_code_problem(problem) for problem in quoted.problems],
            shipping=MoneyType.from_money(quote.shipping),
            shipping_method=next((option for option in options if option.id == quote.method_id), None),
            shipping_options=options,
            tax=None if quote.tax is None else OrderTax.from_applied(quote.tax),
            total=MoneyType.from_money(quote.total),
        )


CartQuoteResult = Annotated[
    CartQuote | EmptyCartProblem | ProductUnavailableProblem | ShippingUnavailableProblem | InvalidInputProblem,
    strawberry.union("CartQuoteResult", description="What the cart costs, or why it cannot be said."),
]


@strawberry.type(description="What somebody is about to order. Prices and stock are checked at checkout.")
class Cart:
    id: strawberry.ID = strawberry.field(description="The same for as long as the cart exists.")
    lines: list[CartLine] = strawberry.field(
        description="One line per product, in the order of adding.", directives=CART_OWNERS
    )
    item_count: int = strawberry.field(description="How many pieces there are in all.", directives=CART_OWNERS)
    discount_codes: list[str] = strawberry.field(
        description="Codes of discounts that are to be applied.", directives=CART_OWNERS
    )
    expires_at: DateTime | None = strawberry.field(
        description="Until when a guest's cart is kept; every change prolongs it. Null for a user's own."
    )
    cart: strawberry.Private[CartValue]

    @strawberry.field(
        description="What it would cost if it were ordered now; the checkout comes to the same.",
        directives=CART_OWNERS,
    )
    async def quote(
        self,
        info: Info,
        country: Annotated[str, strawberry.argument(description="Where it goes: a code such as ID.")],
        region: Annotated[
            str | None, strawberry.argument(description="Province or state, where taxes depend on it.")
        ] = None,
        shipping_method_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="How it is sent; the cheapest way if not given.")
        ] = None,
    ) -> CartQuoteResult | None:
        destination = Destination(country, region)
        return CartQuote.from_quoted(await info.context.carts.quote(self.cart, destination, shipping_method_id))

    @classmethod
    def from_cart(cls, cart: CartValue) -> "Cart":
        return cls(
            id=strawberry.ID(cart.id),
            lines=[
                CartLine(
                    id=strawberry.ID(f"{cart.id}-{line.product_id}"),
                    product=Product(id=strawberry.ID(line.product_id)),
                    quantity=line.quantity,
                    line=line,
                )
                for line in cart.lines
            ],
            item_count=cart.item_count,
            discount_codes=list(cart.codes),
            expires_at=None if cart.expires_at is None else DateTime(cart.expires_at),
            cart=cart,
        )
