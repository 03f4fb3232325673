"""The one rounding rule."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadUserInput
from subgraphs.order.rates import parse_percent, show_percent
from subgraphs.order.rounding import WHOLE, part_of, part_within, round_fraction, share_out

AMOUNTS = st.integers(0, 10**13)
RATES = st.integers(0, WHOLE)


@pytest.mark.parametrize(
    ("numerator", "denominator", "rounded"),
    [(0, 3, 0), (1, 3, 0), (1, 2, 1), (2, 3, 1), (3, 2, 2), (5, 2, 3), (7, 7, 1)],
)
def test_halves_go_up_and_all_else_to_the_nearest(numerator: int, denominator: int, rounded: int) -> None:
    assert round_fraction(numerator, denominator) == rounded


def test_a_part_on_top_and_a_part_within_are_told_apart() -> None:
    assert part_of(10_000, 110_000) == 1100
    assert part_within(11_100, 110_000) == 1100
    # 8.875 % of 99.99
    assert part_of(9999, 88_750) == 887


@given(AMOUNTS, RATES)
def test_tax_put_on_top_is_found_again_within(net: int, rate: int) -> None:
    tax = part_of(net, rate)
    assert part_within(net + tax, rate) == tax


@given(AMOUNTS, RATES)
def test_no_part_is_more_than_the_whole(amount: int, rate: int) -> None:
    assert 0 <= part_of(amount, rate) <= amount
    assert 0 <= part_within(amount, rate) <= amount


def test_shares_differ_from_the_exact_ones_by_less_than_a_unit_and_the_first_get_what_is_left() -> None:
    assert share_out(100, [1, 1, 1]) == (34, 33, 33)
    assert share_out(10, [70, 20, 10]) == (7, 2, 1)
    assert share_out(1, [0, 5, 5]) == (0, 1, 0)
    assert share_out(0, [0, 0]) == (0, 0)


def test_nothing_can_be_shared_out_over_nothing() -> None:
    with pytest.raises(ValueError, match="5 cannot be shared out over nothing"):
        share_out(5, [0, 0])


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=50), RATES)
def test_shares_add_up_and_none_is_negative_or_more_than_its_weight(weights: list[int], rate: int) -> None:
    amount = part_of(sum(weights), rate)
    shares = share_out(amount, weights)
    assert sum(shares) == amount
    whole = sum(weights)
    for share, weight in zip(shares, weights, strict=True):
        assert 0 <= share <= weight
        assert abs(share * whole - amount * weight) < max(whole, 1)


@pytest.mark.parametrize(
    ("text", "rate"), [("11", 110_000), ("8.875", 88_750), ("0.0001", 1), ("100", WHOLE), ("0", 0)]
)
def test_percent_is_read_and_shown(text: str, rate: int) -> None:
    assert parse_percent(text, field="percent") == rate
    assert show_percent(rate) == text


def test_more_decimals_than_are_kept_are_refused() -> None:
    with pytest.raises(BadUserInput, match=r"0\.00001 has more than four decimals"):
        parse_percent("0.00001", field="percent")
