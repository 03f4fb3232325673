"""Each list of orders has an index in whose order it is read."""

from datetime import UTC, datetime
from typing import Any

import pytest

from core.errors import BadUserInput
from subgraphs.order.model import Attention, OrderStatus
from subgraphs.order.order_lists import BY_NUMBER, NEWEST_FIRST, OrderFilter, clean_number, plan_list

DAY = datetime(2027, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("wanted", "hint"),
    [
        (OrderFilter(), "newest"),
        (OrderFilter(placed_from=DAY), "newest"),
        (OrderFilter(statuses=(OrderStatus.PAID,)), "status"),
        (OrderFilter(product_id="prd_1", statuses=(OrderStatus.PAID,)), "product_newest"),
        (OrderFilter(needs_attention=True, product_id="prd_1"), "attention"),
        (OrderFilter(attentions=(Attention.REFUND_DUE,)), "attention"),
        (OrderFilter(number="ORD-1", needs_attention=True), (("number", 1),)),
        (OrderFilter(buyer_id="usr_1", number="ORD-1", needs_attention=True, product_id="prd_1"), "buyer"),
    ],
)
def test_the_condition_that_leaves_fewest_orders_picks_the_index(wanted: OrderFilter, hint: Any) -> None:
    plan = plan_list(wanted)
    assert plan.hint == hint
    assert plan.order == (BY_NUMBER if hint == (("number", 1),) else NEWEST_FIRST)


def test_a_number_is_text_and_no_pattern() -> None:
    assert plan_list(OrderFilter(number=" a.b* ")).query == {"number": {"$regex": "^a\\.b\\*"}}


@pytest.mark.parametrize(
    ("typed", "cleaned"),
    [(None, None), ("  ", None), (" ord-2611 ", "ORD-2611"), ("past-7", "past-7"), ("7K3", "7K3")],
)
def test_our_own_numbers_are_found_in_small_letters_too(typed: str | None, cleaned: str | None) -> None:
    assert clean_number(typed) == cleaned


def test_a_number_that_is_too_long_is_refused() -> None:
    with pytest.raises(BadUserInput) as refused:
        plan_list(OrderFilter(number="x" * 101))
    assert refused.value.field == "filter.number"
