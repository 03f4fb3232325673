"""Carts as values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadUserInput
from subgraphs.order.carts import (
    MAX_CART_LINES,
    MAX_LINE_QUANTITY,
    Cart,
    CartLine,
    add_to_cart,
    cart_id,
    remove_from_cart,
    set_quantity,
    take_out,
)

EMPTY = Cart("crt_ani", "usr_ani")


def cart_of(**quantities: int) -> Cart:
    return Cart("crt_ani", "usr_ani", tuple(CartLine(name, quantity) for name, quantity in quantities.items()), 1)


def test_a_user_has_one_cart() -> None:
    assert cart_id("usr_01abc") == "crt_01abc"


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 20)), max_size=20))
def test_added_pieces_add_up_per_product(additions: list[tuple[str, int]]) -> None:
    cart = EMPTY
    for product_id, quantity in additions:
        cart = add_to_cart(cart, product_id, quantity)
    expected: dict[str, int] = {}
    for product_id, quantity in additions:
        expected[product_id] = expected.get(product_id, 0) + quantity
    assert [(line.product_id, line.quantity) for line in cart.lines] == list(expected.items())
    assert cart.item_count == sum(expected.values())


def test_a_line_has_a_limit_that_adding_cannot_pass() -> None:
    cart = add_to_cart(EMPTY, "a", MAX_LINE_QUANTITY - 1)
    assert add_to_cart(cart, "a", 1).item_count == MAX_LINE_QUANTITY
    with pytest.raises(BadUserInput, match="998 are in the cart; with 2 more there are over 999"):
        add_to_cart(cart, "a", 2)


def test_a_full_cart_takes_more_of_what_is_in_it_and_nothing_else() -> None:
    cart = cart_of(**{f"p{number}": 1 for number in range(MAX_CART_LINES)})
    assert add_to_cart(cart, "p0", 1).item_count == MAX_CART_LINES + 1
    with pytest.raises(BadUserInput, match="at most 100 products"):
        add_to_cart(cart, "another", 1)


@pytest.mark.parametrize("quantity", [0, -5, 1000])
def test_a_quantity_out_of_range_is_refused(quantity: int) -> None:
    with pytest.raises(BadUserInput, match=f"quantity is {quantity}"):
        set_quantity(EMPTY, "a", quantity)


def test_setting_keeps_the_place_and_removing_what_is_not_there_changes_nothing() -> None:
    cart = cart_of(a=1, b=2)
    assert [(line.product_id, line.quantity) for line in set_quantity(cart, "a", 9).lines] == [("a", 9), ("b", 2)]
    assert remove_from_cart(cart, "c") == cart
    assert [line.product_id for line in remove_from_cart(cart, "a").lines] == ["b"]


def test_ordered_pieces_are_taken_out_and_later_ones_stay() -> None:
    cart = cart_of(a=3, b=2, c=1)
    rest = take_out(cart, (CartLine("a", 3), CartLine("b", 1)))
    assert rest is not None
    assert [(line.product_id, line.quantity) for line in rest.lines] == [("b", 1), ("c", 1)]


@pytest.mark.parametrize("ordered", [(CartLine("a", 4),), (CartLine("z", 1),), (CartLine("a", 2), CartLine("a", 2))])
def test_pieces_that_are_gone_cannot_be_ordered(ordered: tuple[CartLine, ...]) -> None:
    assert take_out(cart_of(a=3), ordered) is None
