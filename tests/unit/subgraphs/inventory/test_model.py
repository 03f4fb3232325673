"""Sums of lines and shortages; no database."""

from collections import Counter
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadUserInput
from subgraphs.inventory import model
from subgraphs.inventory.model import Pick, Shelf, StockLevel, StockLine, add_up_lines, allocate, check_adjustment

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


def level(*shelves: tuple[str, int, int], limit: int = 0) -> StockLevel:
    """Return counters from (warehouse, on hand, reserved)."""
    return StockLevel(
        "a",
        sum(on_hand for _, on_hand, _ in shelves),
        sum(reserved for *_, reserved in shelves),
        sum(on_hand - reserved for _, on_hand, reserved in shelves),
        datetime(2026, 11, 1, tzinfo=UTC),
        tuple(Shelf(name, on_hand, reserved, on_hand - reserved) for name, on_hand, reserved in shelves),
        limit,
    )


PRIORITIES = {"near": 1, "far": 2, "also far": 2}


def test_the_first_warehouse_that_has_all_of_it_gives_it() -> None:
    shelves = level(("also far", 9, 0), ("far", 20, 15), ("near", 5, 0))
    assert allocate(shelves, 5, PRIORITIES) == (Pick("a", "near", 5),)
    # Of those as near as each other, the one with the most available
    assert allocate(shelves, 6, PRIORITIES) == (Pick("a", "also far", 6),)


def test_what_no_warehouse_has_alone_is_split_the_nearest_first() -> None:
    shelves = level(("also far", 9, 0), ("far", 20, 15), ("near", 5, 2))
    assert allocate(shelves, 10, PRIORITIES) == (Pick("a", "near", 3), Pick("a", "also far", 7))
    assert allocate(shelves, 17, PRIORITIES) == (Pick("a", "near", 3), Pick("a", "also far", 9), Pick("a", "far", 5))
    assert allocate(shelves, 18, PRIORITIES) is None


def test_what_nobody_has_is_owed_by_the_nearest_up_to_the_limit() -> None:
    shelves = level(("far", 4, 0), ("near", 3, 0), limit=2)
    assert allocate(shelves, 9, PRIORITIES) == (Pick("a", "near", 5, owed=2), Pick("a", "far", 4))
    assert allocate(shelves, 10, PRIORITIES) is None
    assert allocate(level(limit=1), 1, {}) == (Pick("a", "whs_main", 1, owed=1),)


def test_pieces_that_are_owed_already_count_against_the_limit() -> None:
    assert allocate(level(("near", 0, 2), limit=2), 1, PRIORITIES) is None
    assert allocate(level(("near", -2, 0), ("far", 1, 0), limit=2), 1, PRIORITIES) == (Pick("a", "far", 1),)
    assert allocate(level(("near", -2, 0), ("far", 1, 0), limit=2), 2, PRIORITIES) is None


@given(
    st.dictionaries(st.sampled_from("wxyz"), st.tuples(st.integers(-3, 9), st.integers(0, 5)), max_size=4),
    st.integers(0, 5),
    st.integers(1, 20),
    st.dictionaries(st.sampled_from("wxyz"), st.integers(0, 2)),
)
def test_an_allocation_is_whole_and_takes_from_no_warehouse_what_it_has_not(
    stock: dict[str, tuple[int, int]], limit: int, quantity: int, priorities: dict[str, int]
) -> None:
    counters = level(*((name, *counts) for name, counts in sorted(stock.items())), limit=limit)
    picks = allocate(counters, quantity, priorities)
    assert (picks is None) == (quantity > counters.available + limit)
    if picks is None:
        return
    assert sum(pick.quantity for pick in picks) == quantity
    assert len({pick.warehouse_id for pick in picks}) == len(picks)
    available = {shelf.warehouse_id: shelf.available for shelf in counters.shelves}
    for pick in picks:
        assert pick.quantity > 0
        assert pick.quantity - pick.owed <= max(0, available.get(pick.warehouse_id, 0))
    assert sum(pick.owed for pick in picks) == max(0, quantity - sum(max(0, each) for each in available.values()))


def test_each_change_and_its_undoing_cancel_out() -> None:
    for do, undo in ((model.RESERVE, model.RELEASE), (model.RESERVE, model.LAPSE), (model.TAKE, model.RETURN)):
        assert (do.on_hand + undo.on_hand, do.reserved + undo.reserved, do.available + undo.available) == (0, 0, 0)
    # A reservation that is committed is the same as pieces that are taken
    sums = (model.RESERVE.on_hand + model.COMMIT.on_hand, model.RESERVE.reserved + model.COMMIT.reserved)
    assert sums == (model.TAKE.on_hand, model.TAKE.reserved)


def test_a_sensible_adjustment_passes() -> None:
    check_adjustment(-5, "broken", "k")
    check_adjustment(model.MAX_ON_HAND, "x" * 200, "x" * 100)
