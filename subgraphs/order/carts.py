"""The cart as a value: what adding, removing and merging do to it. No I/O, and no clock."""

import re
import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

from core.errors import BadUserInput
from core.money import Money

# Enough for any shopper; a row of this size stays small, and one order is one reservation
MAX_CART_LINES = 100
MAX_LINE_QUANTITY = 999


@dataclass(frozen=True, slots=True)
class CartLine:
    """Some pieces of one product; a product has one line at most, so that its stock is checked as a whole.

    *seen_price* is what a piece cost when the line was last changed; None where nobody noted it.
    """

    product_id: str
    quantity: int
    seen_price: Money | None = None


@dataclass(frozen=True, slots=True)
class Cart:
    """A buyer's cart, or a guest's, which has no owner but *expires_at*.

    *codes* are of discounts that are to be applied. *version* counts its changes, 0 for one that was never written.
    """

    id: str
    owner_id: str | None
    lines: tuple[CartLine, ...] = ()
    version: int = 0
    codes: tuple[str, ...] = ()
    expires_at: datetime | None = None

    @property
    def item_count(self) -> int:
        """Return how many pieces there are."""
        return sum(line.quantity for line in self.lines)


def cart_id(owner_id: str) -> str:
    """Return the id of the one cart of a user."""
    return f"crt_{owner_id.removeprefix('usr_')}"


# 256 random bits, as base64 without padding: who guesses a billion times a second needs longer than there is
_TOKEN_BYTES = 32


def new_cart_token() -> str:
    """Return the token of a new guest's cart. Who holds it holds the cart; only its hash is stored."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def guest_cart_id(token: str) -> str | None:
    """Return the id of the cart of a token, or None for what is no token of ours."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{43}", token):
        return None
    return f"crt_guest_{sha256(token.encode('ascii')).hexdigest()}"


def check_quantity(quantity: int) -> None:
    """Raise BadUserInput unless *quantity* is between 1 and MAX_LINE_QUANTITY."""
    if not 1 <= quantity <= MAX_LINE_QUANTITY:
        raise BadUserInput(f"quantity is {quantity}; it must be between 1 and {MAX_LINE_QUANTITY}", field="quantity")


def add_to_cart(cart: Cart, product_id: str, quantity: int, price: Money | None = None) -> Cart:
    """Return *cart* with *quantity* more pieces of a product, one of which costs *price* now.

    Raises:
        BadUserInput: the quantity, alone or with what is there, is out of range; or the cart is full.
    """
    check_quantity(quantity)
    present = next((line.quantity for line in cart.lines if line.product_id == product_id), 0)
    if present + quantity > MAX_LINE_QUANTITY:
        raise BadUserInput(
            f"{present} are in the cart; with {quantity} more there are over {MAX_LINE_QUANTITY}", field="quantity"
        )
    return set_quantity(cart, product_id, present + quantity, price)


def set_quantity(cart: Cart, product_id: str, quantity: int, price: Money | None = None) -> Cart:
    """Return *cart* with exactly *quantity* pieces of a product, at its old place or at the end."""
    check_quantity(quantity)
    line = CartLine(product_id, quantity, price)
    if any(present.product_id == product_id for present in cart.lines):
        lines = tuple(line if present.product_id == product_id else present for present in cart.lines)
    elif len(cart.lines) >= MAX_CART_LINES:
        raise BadUserInput(f"a cart holds at most {MAX_CART_LINES} products", field="productId")
    else:
        lines = (*cart.lines, line)
    return replace(cart, lines=lines)


def merge_guest_cart(cart: Cart, guest: Cart) -> Cart:
    """Return *cart* with what a guest has put together before logging in.

    Quantities of a product add up, to MAX_LINE_QUANTITY at most; other products come to the end, and what is more than
    MAX_CART_LINES is left out: nobody is kept from logging in by a full cart. Where both have a product, the price that
    the guest saw counts as seen, for it was seen last.
    """
    mine = {line.product_id: line for line in cart.lines}
    for line in guest.lines:
        present = mine.get(line.product_id)
        if present is not None:
            quantity = min(present.quantity + line.quantity, MAX_LINE_QUANTITY)
            mine[line.product_id] = replace(line, quantity=quantity)
        elif len(mine) < MAX_CART_LINES:
            mine[line.product_id] = line
    return replace(cart, lines=tuple(mine.values()))


def add_code(cart: Cart, code: str) -> Cart:
    """Return *cart* with a discount's code; once is enough."""
    return cart if code in cart.codes else replace(cart, codes=(*cart.codes, code))


def remove_code(cart: Cart, code: str) -> Cart:
    """Return *cart* without a code; it need not be there."""
    return replace(cart, codes=tuple(each for each in cart.codes if each != code))


def remove_from_cart(cart: Cart, product_id: str) -> Cart:
    """Return *cart* without a product; it need not be there."""
    return replace(cart, lines=tuple(line for line in cart.lines if line.product_id != product_id))


def take_out(cart: Cart, ordered: tuple[CartLine, ...]) -> Cart | None:
    """Return *cart* without the *ordered* pieces, or None when they are not all in it any more.

    One cart becomes one order: of two checkouts of the same pieces the second finds them gone.
    """
    left = {line.product_id: line.quantity for line in cart.lines}
    for line in ordered:
        if left.get(line.product_id, 0) < line.quantity:
            return None
        left[line.product_id] -= line.quantity
    return replace(
        cart,
        lines=tuple(replace(line, quantity=left[line.product_id]) for line in cart.lines if left[line.product_id]),
    )
