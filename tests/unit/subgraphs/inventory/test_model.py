"""Sums of lines and shortages; no database."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadUserInput
from subgraphs.inventory import model
from subgraphs.inventory.model import Shortage, StockLine, add_up_lines, check_adjustment, find_shortages

line = st.builds(StockLine, st.sampled_from("abcdef"), st.integers(1, 1_000_000))


@given(st.lists(line, min_size=1, max_size=500))
def test_each_product_becomes_one_line_with_the_sum_of_its_lines(lines: list[StockLine]) -> None:
    expected: Counter[str] = Counter()
    for one in lines:
        expected[one.product_id] += one.quantity
    assert add_up_lines(lines) == tuple(StockLine(name, expected[name]) for name in sorted(expected))


@pytest.mark.parametrize("quantity", [0, -1, 1_000_001])
def test_a_quantity_out_of_range_names_its_line(quantity: int) -> None:
    with pytest.raises(BadUserInput) as caught:
        add_up_lines([StockLine("a", 1), StockLine("b", quantity)])
    assert caught.value.field == "lines.1.quantity"


@pytest.mark.parametrize("count", [0, 501])
def test_a_reservation_has_some_lines_and_not_too_many(count: int) -> None:
    with pytest.raises(BadUserInput) as caught:
        add_up_lines([StockLine("a", 1)] * count)
    assert caught.value.field == "lines"


@given(st.lists(line, min_size=1, max_size=20), st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 2_000_000)))
def test_a_shortage_is_a_line_that_is_not_covered(lines: list[StockLine], available: dict[str, int]) -> None:
    shortages = find_shortages(lines, available)
    assert list(shortages) == [
        Shortage(one.product_id, one.quantity, available.get(one.product_id, 0))
        for one in lines
        if one.quantity > available.get(one.product_id, 0)
    ]


def test_each_change_and_its_undoing_cancel_out() -> None:
    for do, undo in ((model.RESERVE, model.RELEASE), (model.RESERVE, model.LAPSE), (model.TAKE, model.RETURN)):
        assert (do.on_hand + undo.on_hand, do.reserved + undo.reserved, do.available + undo.available) == (0, 0, 0)
    # A reservation that is committed is the same as pieces that are taken
    sums = (model.RESERVE.on_hand + model.COMMIT.on_hand, model.RESERVE.reserved + model.COMMIT.reserved)
    assert sums == (model.TAKE.on_hand, model.TAKE.reserved)


def test_a_sensible_adjustment_passes() -> None:
    check_adjustment(-5, "broken", "k")
    check_adjustment(model.MAX_ON_HAND, "x" * 200, "x" * 100)
