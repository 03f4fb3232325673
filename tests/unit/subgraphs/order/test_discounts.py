"""When a code applies, and which go together."""

import itertools
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from core.errors import BadUserInput
from core.money import Money
from subgraphs.order.discounts import (
    CodeProblem,
    CodeRefusal,
    Discount,
    DiscountKind,
    check_discount,
    choose_together,
    clean_code,
    judge_codes,
    refusal_of,
)
from tests.unit.subgraphs.order.pricing_fixtures import NOW, amount_off, free_shipping, line, percentage

CART = [line("tea", 10_000, 2), line("cup", 5000)]
LATER = NOW + timedelta(days=1)


def refusal(discount: Discount, *, used_by_buyer: int = 0, **more: Any) -> CodeRefusal | None:
    return refusal_of(discount, more.get("lines", CART), now=more.get("now", NOW), used_by_buyer=used_by_buyer)


@pytest.mark.parametrize(
    ("text", "code"),
    [(" tea-2026 ", "TEA-2026"), ("ABCD", "ABCD"), ("abc", None), ("-ABC", None), ("A B C D", None), ("A" * 33, None)],
)
def test_codes_are_upper_case_and_at_least_four_characters(text: str, code: str | None) -> None:
    assert clean_code(text) == code


def test_a_discount_holds_from_its_first_moment_up_to_and_without_its_last() -> None:
    discount = percentage("TENN", 10, valid_from=NOW, valid_until=LATER)
    moments = [NOW - timedelta(milliseconds=1), NOW, LATER - timedelta(milliseconds=1), LATER]
    assert [refusal(discount, now=moment) for moment in moments] == [
        CodeRefusal.UNKNOWN,
        None,
        None,
        CodeRefusal.OVER,
    ]


def test_limits_count_uses_in_all_and_per_buyer() -> None:
    discount = percentage("TENN", 10, usage_limit=3, usage_limit_per_buyer=1)
    assert refusal(replace(discount, used=2)) is None
    assert refusal(replace(discount, used=3)) is CodeRefusal.USED_UP
    assert refusal(discount, used_by_buyer=1) is CodeRefusal.USED_BY_YOU


def test_a_minimum_is_of_the_lines_that_are_covered_before_discounts() -> None:
    discount = percentage("TENN", 10, product_ids=("prd_tea",), currency="IDR", minimum_subtotal=20_000)
    assert refusal(discount) is None
    assert refusal(replace(discount, minimum_subtotal=20_001)) is CodeRefusal.BELOW_MINIMUM


def test_other_products_and_other_currencies_are_refused() -> None:
    assert refusal(percentage("TENN", 10, product_ids=("prd_pen",))) is CodeRefusal.NO_MATCHING_LINES
    assert refusal(percentage("TENN", 10), lines=[]) is CodeRefusal.NO_MATCHING_LINES
    assert refusal(amount_off("MINUS", 5, currency="USD")) is CodeRefusal.OTHER_CURRENCY


def test_stackable_ones_go_together_and_any_other_stands_alone_whatever_the_order_of_entry() -> None:
    together = [percentage("TENN", 10), amount_off("MINUS", 5), free_shipping("SHIP")]
    alone_first = percentage("AAAA", 10, is_stackable=False)
    alone_last = amount_off("ZZZZ", 10, is_stackable=False)
    for order in itertools.permutations(together):
        assert [each.code for each in choose_together(order)[0]] == ["TENN", "MINUS", "SHIP"]
    for order in itertools.permutations([*together, alone_last]):
        chosen, left_out = choose_together(order)
        assert [each.code for each in chosen] == ["TENN", "MINUS", "SHIP"]
        assert [each.code for each in left_out] == ["ZZZZ"]
    for order in itertools.permutations([*together, alone_first]):
        chosen, left_out = choose_together(order)
        assert [each.code for each in chosen] == ["AAAA"]
        assert [each.code for each in left_out] == ["TENN", "MINUS", "SHIP"]


def test_every_code_is_judged() -> None:
    found = {
        each.code: each
        for each in (
            percentage("TENN", 10),
            percentage("MUCH", 10, currency="IDR", minimum_subtotal=1_000_000),
            amount_off("ZZZZ", 10, is_stackable=False),
        )
    }
    chosen, problems = judge_codes(["ZZZZ", "TENN", "MUCH", "NONE", "TENN"], found, CART, now=NOW, used_by_buyer={})
    assert [each.code for each in chosen] == ["TENN"]
    assert problems == (
        CodeProblem("MUCH", CodeRefusal.BELOW_MINIMUM, Money(1_000_000, "IDR")),
        CodeProblem("NONE", CodeRefusal.UNKNOWN),
        CodeProblem("ZZZZ", CodeRefusal.NOT_COMBINABLE),
    )


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"code": "abc"}, "code"),
        ({"name": ""}, "name"),
        ({"rate": None}, "percent"),
        ({"rate": 0}, "percent"),
        ({"rate": 1_000_001}, "percent"),
        ({"amount": 5, "currency": "IDR"}, "percent"),
        ({"kind": DiscountKind.FREE_SHIPPING}, "kind"),
        ({"kind": DiscountKind.FIXED_AMOUNT, "rate": None}, "amount"),
        ({"kind": DiscountKind.FIXED_AMOUNT, "rate": None, "amount": 5}, "currency"),
        ({"currency": "XXX"}, "currency"),
        ({"minimum_subtotal": 5}, "currency"),
        ({"minimum_subtotal": 0, "currency": "IDR"}, "minimumSubtotal"),
        ({"usage_limit": 0}, "usageLimit"),
        ({"usage_limit_per_buyer": 0}, "usageLimitPerBuyer"),
        ({"product_ids": ("prd_1",) * 201}, "productIds"),
        ({"valid_until": NOW}, "validUntil"),
    ],
)
def test_a_discount_that_makes_no_sense_names_its_field(change: dict[str, Any], field: str) -> None:
    check_discount(percentage("TENN", 10))
    with pytest.raises(BadUserInput) as caught:
        check_discount(replace(percentage("TENN", 10), **change))
    assert caught.value.field == field
