"""Guests' carts, codes on carts, and what has changed about a line: as values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.money import Money
from subgraphs.order.cart_changes import ChangeKind, LineChange, Offer, changes_of
from subgraphs.order.carts import (
    MAX_CART_LINES,
    MAX_LINE_QUANTITY,
    Cart,
    CartLine,
    add_code,
    guest_cart_id,
    merge_guest_cart,
    new_cart_token,
    remove_code,
)
from subgraphs.order.neighbours import ProductForSale, Stock

LINES = st.lists(
    st.builds(CartLine, st.integers(0, 150).map("p{}".format), st.integers(1, MAX_LINE_QUANTITY)),
    unique_by=lambda line: line.product_id,
    max_size=MAX_CART_LINES,
).map(tuple)


def test_tokens_differ_and_lead_to_carts_of_their_own() -> None:
    tokens = {new_cart_token() for _ in range(1000)}
    assert len({guest_cart_id(token) for token in tokens}) == 1000
    for other in ("", "crt_ani", "x" * 42, "x" * 44, "x" * 42 + "\n", "é" * 43):
        assert guest_cart_id(other) is None


@given(LINES, LINES)
def test_merged_carts_add_up_and_keep_to_the_limits(mine: tuple[CartLine, ...], guests: tuple[CartLine, ...]) -> None:
    cart = Cart("crt_ani", "usr_ani", mine, 3, ("CODE",))
    merged = merge_guest_cart(cart, Cart("crt_guest", None, guests, 1))
    assert (merged.id, merged.owner_id, merged.version, merged.codes) == ("crt_ani", "usr_ani", 3, ("CODE",))
    before = {line.product_id: line.quantity for line in mine}
    added = {line.product_id: line.quantity for line in guests}
    after = {line.product_id: line.quantity for line in merged.lines}
    assert len(merged.lines) == len(after) == min(MAX_CART_LINES, len(before | added))
    # What was there keeps its place
    assert [line.product_id for line in merged.lines][: len(mine)] == list(before)
    for product_id, quantity in after.items():
        assert quantity == min(MAX_LINE_QUANTITY, before.get(product_id, 0) + added.get(product_id, 0))


def test_the_price_that_the_guest_saw_is_the_one_seen_last() -> None:
    old, new = Money(1, "IDR"), Money(2, "IDR")
    cart = Cart("crt_ani", "usr_ani", (CartLine("a", 1, old), CartLine("b", 1, old)))
    merged = merge_guest_cart(cart, Cart("crt_guest", None, (CartLine("a", 1, new),)))
    assert merged.lines == (CartLine("a", 2, new), CartLine("b", 1, old))


def test_a_code_is_on_a_cart_once() -> None:
    cart = add_code(add_code(Cart("c", "u"), "AAAA"), "BBBB")
    assert add_code(cart, "AAAA") == cart
    assert remove_code(cart, "AAAA").codes == ("BBBB",)
    assert remove_code(cart, "CCCC") == cart


def product(amount: int = 10, *, is_active: bool = True) -> ProductForSale:
    return ProductForSale("a", "A", "A", is_active, Money(amount, "IDR"), 0, ())


SEEN = CartLine("a", 3, Money(10, "IDR"))


@pytest.mark.parametrize(
    ("line", "offer", "changes"),
    [
        (SEEN, Offer(product(), Stock(3, False)), ()),
        (SEEN, Offer(product(), Stock(2, True)), ()),
        (SEEN, Offer(product(), Stock(2, False)), (LineChange(ChangeKind.LESS_AVAILABLE, available=2),)),
        (SEEN, Offer(product(), None), (LineChange(ChangeKind.LESS_AVAILABLE, available=0),)),
        (SEEN, Offer(None, None), (LineChange(ChangeKind.NOT_ON_SALE),)),
        (SEEN, Offer(product(99, is_active=False), Stock(0, False)), (LineChange(ChangeKind.NOT_ON_SALE),)),
        (
            SEEN,
            Offer(product(12), Stock(0, False)),
            (
                LineChange(ChangeKind.PRICE_CHANGED, Money(10, "IDR"), Money(12, "IDR")),
                LineChange(ChangeKind.LESS_AVAILABLE, available=0),
            ),
        ),
        (CartLine("a", 1), Offer(product(12), Stock(5, False)), ()),
    ],
)
def test_a_line_tells_what_has_changed(line: CartLine, offer: Offer, changes: tuple[LineChange, ...]) -> None:
    assert changes_of(line, offer) == changes
