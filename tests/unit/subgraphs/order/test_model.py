"""States, sums, addresses."""

import itertools
import re
from datetime import UTC, datetime

import pytest

from core.addresses import PostalAddress, clean_address
from core.errors import BadUserInput, Conflict
from subgraphs.order.model import (
    SALES_STATUSES,
    OrderStatus,
    check_transition,
    clean_note,
    may_cancel,
    new_order_number,
    sales_change,
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
