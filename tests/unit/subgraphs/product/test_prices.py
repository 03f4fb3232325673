"""What holds at a moment: prices, and whether a product is on sale; no database."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core.errors import BadUserInput
from core.money import Money
from subgraphs.product.model import Product, ProductStatus, archive, publish
from subgraphs.product.price_model import PriceList
from subgraphs.product.prices import (
    check_price_list,
    check_schedule,
    next_change,
    price_at,
    set_list_price,
    status_at,
)

NOW = datetime(2026, 11, 1, tzinfo=UTC)
DAY, TICK = timedelta(days=1), timedelta(milliseconds=1)
PRODUCT = Product(
    id="prd_1",
    sku="KB-1",
    slug="keyboard",
    name="Keyboard",
    description="",
    price=Money(15000, "IDR"),
    category_id=None,
    images=(),
    status=ProductStatus.ACTIVE,
    weight_grams=0,
    created_at=NOW,
    updated_at=NOW,
)
SALE = PriceList("SALE", "Sale", "IDR", 0, NOW, NOW + DAY)


def amount_at(product: Product, moment: datetime) -> int:
    price = price_at(product, moment)
    assert price is not None
    return price.amount


def test_a_price_holds_from_its_first_moment_up_to_and_without_its_last() -> None:
    product = set_list_price(PRODUCT, SALE, 9000)
    assert amount_at(product, NOW - TICK) == 15000
    assert amount_at(product, NOW) == 9000
    assert amount_at(product, NOW + DAY - TICK) == 9000
    assert amount_at(product, NOW + DAY) == 15000


def test_of_lists_that_meet_the_next_begins_where_the_one_before_ends() -> None:
    later = PriceList("AFTER", "After", "IDR", 0, NOW + DAY)
    product = set_list_price(set_list_price(PRODUCT, SALE, 9000), later, 12000)
    assert [amount_at(product, NOW + DAY + each) for each in (-TICK, timedelta(0), 365 * DAY)] == [9000, 12000, 12000]


def test_priority_wins_then_the_later_beginning_then_the_code() -> None:
    product = set_list_price(PRODUCT, SALE, 9000)
    later = PriceList("B_LATER", "Later", "IDR", 0, NOW + TICK)
    product = set_list_price(product, later, 8000)
    assert amount_at(product, NOW + TICK) == 8000
    product = set_list_price(product, replace(later, code="A_SAME"), 7000)
    assert amount_at(product, NOW + TICK) == 7000
    product = set_list_price(product, replace(SALE, code="STRONG", priority=1), 11000)
    assert amount_at(product, NOW + TICK) == 11000


def test_another_currency_has_prices_of_its_own() -> None:
    dollars = PriceList("USD", "Abroad", "USD", 5, NOW)
    product = set_list_price(PRODUCT, dollars, 199)
    assert amount_at(product, NOW) == 15000
    assert price_at(product, NOW, "USD") == Money(199, "USD")
    assert price_at(product, NOW - TICK, "USD") is None
    assert price_at(product, NOW, "EUR") is None


def test_a_price_is_changed_and_taken_away() -> None:
    product = set_list_price(set_list_price(PRODUCT, SALE, 9000), SALE, 8000)
    assert (len(product.list_prices), amount_at(product, NOW)) == (1, 8000)
    assert set_list_price(product, SALE, None) == PRODUCT
    for amount in (0, -1):
        with pytest.raises(BadUserInput):
            set_list_price(PRODUCT, SALE, amount)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"code": "sale"}, "code"),
        ({"code": ""}, "code"),
        ({"name": " "}, "name"),
        ({"currency": "XXX"}, "currency"),
        ({"priority": -1}, "priority"),
        ({"valid_until": NOW}, "validUntil"),
    ],
)
def test_a_list_that_cannot_be_is_refused_by_field(changes: dict[str, object], field: str) -> None:
    values = {name: getattr(SALE, name) for name in PriceList.__slots__}
    with pytest.raises(BadUserInput) as refused:
        check_price_list(PriceList(**{**values, **changes}))
    assert refused.value.field == field


def test_a_status_changes_at_its_moment_whether_or_not_it_is_written_down() -> None:
    draft = replace(PRODUCT, status=ProductStatus.DRAFT, publish_at=NOW, unpublish_at=NOW + DAY)
    assert status_at(draft, NOW - TICK) is ProductStatus.DRAFT
    assert status_at(draft, NOW) is ProductStatus.ACTIVE
    assert status_at(draft, NOW + DAY - TICK) is ProductStatus.ACTIVE
    assert status_at(draft, NOW + DAY) is ProductStatus.ARCHIVED
    assert status_at(PRODUCT, NOW) is ProductStatus.ACTIVE
    with pytest.raises(BadUserInput):
        check_schedule(NOW, NOW)


def test_the_next_change_is_the_nearest_moment_to_come() -> None:
    draft = replace(PRODUCT, status=ProductStatus.DRAFT, publish_at=NOW + DAY / 2)
    draft = set_list_price(draft, SALE, 9000)
    assert next_change(draft, NOW - TICK) == NOW
    assert next_change(draft, NOW) == NOW + DAY / 2
    on_sale = replace(draft, status=ProductStatus.ACTIVE)
    assert next_change(on_sale, NOW) == NOW + DAY
    assert next_change(on_sale, NOW + DAY) is None
    # Due, and not written down
    assert next_change(draft, NOW + DAY) == NOW + DAY
    assert next_change(PRODUCT, NOW) is None


def test_who_publishes_or_archives_by_hand_ends_what_was_scheduled() -> None:
    over = replace(PRODUCT, unpublish_at=NOW)
    again = publish(over, now=NOW)
    assert (again.status, again.unpublish_at, status_at(again, NOW)) == (
        ProductStatus.ACTIVE,
        None,
        ProductStatus.ACTIVE,
    )
    gone = archive(replace(PRODUCT, unpublish_at=NOW + DAY), now=NOW)
    assert (gone.publish_at, gone.unpublish_at) == (None, None)
