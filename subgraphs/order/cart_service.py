"""Use cases of carts: a user's own, and a guest's, which belongs to whoever holds its token."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from core.clock import Clock
from core.errors import BadUserInput, Conflict, NotFound
from core.identity import Identity
from core.mongo import Client, Session, in_transaction
from core.service_calls import require_caller
from core.subgraph import require_person
from subgraphs.order.cart_repository import CartRepository
from subgraphs.order.carts import (
    Cart,
    add_to_cart,
    check_quantity,
    guest_cart_id,
    merge_guest_cart,
    new_cart_token,
    remove_from_cart,
    set_quantity,
)
from subgraphs.order.neighbours import Neighbours, ProductForSale
from subgraphs.order.pricing import Destination
from subgraphs.order.problems import CartEmpty, ProductUnavailable
from subgraphs.order.quoting import Quoted, Quoter, QuoteRequest
from subgraphs.order.shipping_methods import is_country

# A cart is changed by one person in a few tabs: more collisions in a row than this are a client gone wild
CART_ATTEMPTS = 20


class _CartContended(Exception):
    """Somebody else has changed the cart since it was read."""


class CartService:
    """The use cases. *caller* is the verified identity; with a *token* it is the guest's cart that is meant."""

    def __init__(
        self,
        client: Client,
        clock: Clock,
        *,
        carts: CartRepository,
        neighbours: Neighbours,
        quoter: Quoter,
        guest_cart_ttl_s: int,
    ) -> None:
        self._client = client
        self._clock = clock
        self._carts = carts
        self._neighbours = neighbours
        self._quoter = quoter
        self._guest_ttl = timedelta(seconds=guest_cart_ttl_s)

    async def get_cart(self, caller: Identity, token: str | None = None) -> Cart | None:
        """Return the cart; None for a token that none has, or whose time is over."""
        if token is None:
            return await self._carts.find_cart(require_person(caller))
        return await self._find_guest_cart(token)

    async def get_cart_of(self, owner_id: str, caller: Identity) -> Cart:
        """Return the cart of a user, for another subgraph."""
        require_caller(caller, "cartOf")
        return await self._carts.find_cart(owner_id)

    async def create_guest_cart(self, product_id: str, quantity: int) -> tuple[str, Cart]:
        """Put pieces of a product on sale into a new cart; return its token, which nobody can find out again."""
        check_quantity(quantity)
        product = await self._get_on_sale(product_id)
        token, now = new_cart_token(), self._clock.now()
        id_ = guest_cart_id(token)
        if id_ is None:
            raise RuntimeError("a new token is none of ours")
        cart = add_to_cart(Cart(id_, None, expires_at=now + self._guest_ttl), product_id, quantity, product.price)
        saved = await self._carts.save_cart(cart, now=now)
        if saved is None:
            raise RuntimeError("a new token is taken")
        return token, saved

    async def add_to_cart(self, product_id: str, quantity: int, caller: Identity, token: str | None = None) -> Cart:
        """Put pieces of a product on sale into the cart.

        Raises:
            BadUserInput: the quantity is out of range, or the cart is full.
            NotFound, ProductUnavailable: there is no such product or cart, or it is not on sale.
        """
        self._check_may_have_cart(caller, token)
        check_quantity(quantity)
        price = (await self._get_on_sale(product_id)).price
        return await self.change(caller, token, lambda cart: add_to_cart(cart, product_id, quantity, price))

    async def set_quantity(self, product_id: str, quantity: int, caller: Identity, token: str | None = None) -> Cart:
        """Have exactly *quantity* pieces of a product in the cart; errors as for add_to_cart."""
        self._check_may_have_cart(caller, token)
        check_quantity(quantity)
        price = (await self._get_on_sale(product_id)).price
        return await self.change(caller, token, lambda cart: set_quantity(cart, product_id, quantity, price))

    async def remove_from_cart(self, product_id: str, caller: Identity, token: str | None = None) -> Cart:
        """Take a product out of the cart; do nothing when it is not in it."""
        return await self.change(caller, token, lambda cart: remove_from_cart(cart, product_id))

    async def clear_cart(self, caller: Identity, token: str | None = None) -> Cart:
        """Empty the cart."""
        return await self.change(caller, token, lambda cart: replace(cart, lines=()))

    async def merge_cart(self, token: str, caller: Identity) -> Cart:
        """Put what is in a guest's cart into the caller's own, and end it; see carts.merge_guest_cart.

        A cart that is not there, as after a first merge, changes nothing.
        """
        owner_id, id_ = require_person(caller), guest_cart_id(token)

        async def work(session: Session) -> Cart:
            now = self._clock.now()
            cart = await self._carts.find_cart(owner_id, session=session)
            guest = None if id_ is None else await self._carts.find_guest_cart(id_, now=now, session=session)
            if guest is None:
                return cart
            merged = merge_guest_cart(cart, guest)
            if not await self._carts.delete_cart(guest, session=session):
                raise _CartContended
            if merged == cart:
                return cart
            saved = await self._carts.save_cart(merged, now=now, session=session)
            if saved is None:
                raise _CartContended
            return saved

        for _ in range(CART_ATTEMPTS):
            try:
                return await in_transaction(self._client, work)
            except _CartContended:
                continue
        raise Conflict("the cart is being changed elsewhere; try again")

    async def quote(self, cart: Cart, destination: Destination, method_id: str | None) -> Quoted:
        """Return what *cart*, which was read for its owner, would cost if it were ordered now.

        Raises:
            BadUserInput: the country is not a code, or the cart mixes currencies.
            CartEmpty, ProductUnavailable, ShippingUnavailable: as they say.
        """
        country = destination.country.strip().upper()
        if not is_country(country):
            raise BadUserInput(f"{country!r} is not a country code such as ID", field="country")
        region = " ".join((destination.region or "").split()) or None
        if not cart.lines:
            raise CartEmpty("there is nothing in the cart")
        return await self._quoter.quote(
            QuoteRequest(
                order_id=cart.id,
                buyer_id=cart.owner_id,
                lines=cart.lines,
                codes=cart.codes,
                destination=Destination(country, region),
                method_id=method_id,
            )
        )

    async def change(self, caller: Identity, token: str | None, change: Callable[[Cart], Cart]) -> Cart:
        """Store what *change* makes of the cart, whoever else changes it at the same time.

        Raises:
            NotFound: nobody has a cart of this token.
            Conflict: it is being changed all the time.
        """
        for _ in range(CART_ATTEMPTS):
            cart = await self.get_cart(caller, token)
            if cart is None:
                raise NotFound("there is no such cart")
            changed = change(cart)
            if changed == cart:
                return cart
            now = self._clock.now()
            if changed.expires_at is not None:
                changed = replace(changed, expires_at=now + self._guest_ttl)
            saved = await self._carts.save_cart(changed, now=now)
            if saved is not None:
                return saved
        raise Conflict("the cart is being changed elsewhere; try again")

    async def _find_guest_cart(self, token: str) -> Cart | None:
        id_ = guest_cart_id(token)
        return None if id_ is None else await self._carts.find_guest_cart(id_, now=self._clock.now())

    def _check_may_have_cart(self, caller: Identity, token: str | None) -> None:
        if token is None:
            require_person(caller)

    async def _get_on_sale(self, product_id: str) -> ProductForSale:
        product = (await self._neighbours.find_products([product_id])).get(product_id)
        if product is None:
            raise NotFound(f"there is no product {product_id}")
        if not product.is_active:
            raise ProductUnavailable((product_id,))
        return product
