"""States, sums, addresses."""

import itertools
import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.addresses import PostalAddress, clean_address
from core.errors import BadUserInput, Conflict
from core.money import CURRENCY_EXPONENTS, MAX_AMOUNT, Money
from subgraphs.order.model import (
    SALES_STATUSES,
    OrderLine,
    OrderStatus,
    check_transition,
    clean_note,
    may_cancel,
    new_order_number,
    quote,
    sales_change,
    shipping_fee,
    status_after_payment_ended,
)

ALLOWED = {
    ("PENDING_PAYMENT", "PAID"),
    ("PENDING_PAYMENT", "CANCELLED"),
    ("PENDING_PAYMENT", "EXPIRED"),
    ("PAID", "PACKED"),
    ("PAID", "CANCELLED"),
    ("PACKED", "SHIPPED"),
    ("PACKED", "CANCELLED"),
    ("SHIPPED", "DELIVERED"),
}
MOVES = list(itertools.product(OrderStatus, OrderStatus))


def line(amount: int, quantity: int, *, weight_grams: int = 0, currency: str = "IDR") -> OrderLine:
    return OrderLine("l", "prd_1", "Cup", "CUP", quantity, Money(amount, currency), weight_grams)


@pytest.mark.parametrize(("before", "after"), MOVES)
def test_an_order_moves_only_along_its_way(before: OrderStatus, after: OrderStatus) -> None:
    if (before, after) in ALLOWED:
        check_transition("N-1", before, after)
    else:
        with pytest.raises(Conflict, match=f"order N-1 is {before} and cannot become {after}"):
            check_transition("N-1", before, after)


@pytest.mark.parametrize(("before", "after"), MOVES)
def test_sales_change_says_what_a_move_does_to_the_number_of_sales(before: OrderStatus, after: OrderStatus) -> None:
    assert (before in SALES_STATUSES) + sales_change(before, after) == (after in SALES_STATUSES)


def test_a_buyer_cancels_before_paying_and_the_store_before_shipping() -> None:
    assert [status for status in OrderStatus if may_cancel(status, by_store=False)] == ["PENDING_PAYMENT"]
    assert [status for status in OrderStatus if may_cancel(status, by_store=True)] == [
        "PENDING_PAYMENT",
        "PAID",
        "PACKED",
    ]


def test_an_unpaid_order_expires_only_when_its_time_is_over() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    earlier = datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert status_after_payment_ended(ended_at=at, expires_at=at) is OrderStatus.EXPIRED
    assert status_after_payment_ended(ended_at=earlier, expires_at=at) is OrderStatus.CANCELLED


@given(
    st.lists(st.tuples(st.integers(0, 10**9), st.integers(1, 999), st.integers(0, 50_000)), min_size=1, max_size=100)
)
def test_the_total_is_the_sum_of_lines_and_shipping_in_any_order(rows: list[tuple[int, int, int]]) -> None:
    lines = [line(amount, quantity, weight_grams=weight) for amount, quantity, weight in rows]
    forwards, backwards = quote(lines), quote(lines[::-1])
    assert forwards.total == backwards.total
    assert forwards.subtotal.amount == sum(amount * quantity for amount, quantity, _ in rows)
    assert forwards.total.amount == forwards.subtotal.amount + forwards.shipping.amount
    assert forwards.quantity == sum(quantity for _, quantity, _ in rows)


def test_currencies_do_not_mix() -> None:
    with pytest.raises(BadUserInput, match="one order cannot mix IDR and USD"):
        quote([line(1, 1), line(1, 1, currency="USD")])


def test_a_sum_beyond_what_money_can_hold_is_refused() -> None:
    with pytest.raises(BadUserInput, match="too large"):
        quote([line(MAX_AMOUNT, 1), line(MAX_AMOUNT, 1)])


@pytest.mark.parametrize(
    ("weight_grams", "fee"), [(0, 12_000), (1, 12_000), (1000, 12_000), (1001, 24_000), (2500, 36_000)]
)
def test_each_started_kilogram_costs_the_same(weight_grams: int, fee: int) -> None:
    assert shipping_fee(weight_grams, "IDR") == Money(fee, "IDR")


@pytest.mark.parametrize("currency", sorted(CURRENCY_EXPONENTS))
def test_every_currency_has_a_tariff(currency: str) -> None:
    assert shipping_fee(1, currency).amount > 0


def test_order_numbers_are_readable_and_differ() -> None:
    numbers = {new_order_number(datetime(2026, 11, 24, tzinfo=UTC)) for _ in range(1000)}
    assert len(numbers) == 1000
    assert all(re.fullmatch(r"ORD-261124-[0-9A-HJKMNP-TV-Z]{10}", number) for number in numbers)


def test_an_address_is_tidied() -> None:
    assert clean_address(
        PostalAddress(" Ani  Wijaya ", "Jalan\n5", "Bandung", " 40111", "id", phone="", line2="  ", region=" Jabar ")
    ) == PostalAddress("Ani Wijaya", "Jalan 5", "Bandung", "40111", "ID", phone=None, line2=None, region="Jabar")


@pytest.mark.parametrize("country", ["", "I", "IDN", "1D", "ÑÑ"])
def test_a_country_is_two_letters(country: str) -> None:
    with pytest.raises(BadUserInput) as caught:
        clean_address(PostalAddress("Ani", "Jalan 5", "Bandung", "40111", country))
    assert caught.value.field == "shippingAddress.country"


def test_a_blank_note_is_none() -> None:
    assert clean_note("  ") is None
    assert clean_note(None) is None
    assert clean_note(" ring twice\n") == "ring twice"
