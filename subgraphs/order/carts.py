"""The cart as a value: what adding and removing do to it. No I/O."""

from dataclasses import dataclass, replace

from core.errors import BadUserInput

# Enough for any shopper; a row of this size stays small, and one order is one reservation
MAX_CART_LINES = 100
MAX_LINE_QUANTITY = 999


@dataclass(frozen=True, slots=True)
class CartLine:
    """Some pieces of one product; a product has one line at most, so that its stock is checked as a whole."""

    product_id: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Cart:
    """A buyer's cart; *version* counts its changes, 0 for one that was never written."""

    id: str
    owner_id: str
    lines: tuple[CartLine, ...] = ()
    version: int = 0

    @property
    def item_count(self) -> int:
        """Return how many pieces there are."""
        return sum(line.quantity for line in self.lines)


def cart_id(owner_id: str) -> str:
    """Return the id of the one cart of a user."""
    return f"crt_{owner_id.removeprefix('usr_')}"


def check_quantity(quantity: int) -> None:
    """Raise BadUserInput unless *quantity* is between 1 and MAX_LINE_QUANTITY."""
    if not 1 <= quantity <= MAX_LINE_QUANTITY:
        raise BadUserInput(f"quantity is {quantity}; it must be between 1 and {MAX_LINE_QUANTITY}", field="quantity")


def add_to_cart(cart: Cart, product_id: str, quantity: int) -> Cart:
    """Return *cart* with *quantity* more pieces of a product.

    Raises:
        BadUserInput: the quantity, alone or with what is there, is out of range; or the cart is full.
    """
    check_quantity(quantity)
    present = next((line.quantity for line in cart.lines if line.product_id == product_id), 0)
    if present + quantity > MAX_LINE_QUANTITY:
        raise BadUserInput(
            f"{present} are in the cart; with {quantity} more there are over {MAX_LINE_QUANTITY}", field="quantity"
        )
    return set_quantity(cart, product_id, present + quantity)


def set_quantity(cart: Cart, product_id: str, quantity: int) -> Cart:
    """Return *cart* with exactly *quantity* pieces of a product, at its old place or at the end."""
    check_quantity(quantity)
    line = CartLine(product_id, quantity)
    if any(present.product_id == product_id for present in cart.lines):
        lines = tuple(line if present.product_id == product_id else present for present in cart.lines)
    elif len(cart.lines) >= MAX_CART_LINES:
        raise BadUserInput(f"a cart holds at most {MAX_CART_LINES} products", field="productId")
    else:
        lines = (*cart.lines, line)
    return replace(cart, lines=lines)


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
        lines=tuple(CartLine(line.product_id, left[line.product_id]) for line in cart.lines if left[line.product_id]),
    )
