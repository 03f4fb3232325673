"""What products are filed under and how that is counted; no database."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadUserInput
from core.money import Money
from subgraphs.product.attributes import ProductAttribute
from subgraphs.product.facets import (
    Facets,
    PriceRange,
    count_facets,
    facet_key,
    filter_keys,
    price_range,
)
from subgraphs.product.model import Category, Product, ProductStatus, check_product

NOW = datetime(2026, 11, 1, tzinfo=UTC)
TOP = Category("cat_top", "top", "Top", ("cat_top",), NOW)
BELOW = Category("cat_below", "below", "Below", ("cat_top", "cat_below"), NOW)
RED = ProductAttribute("colour", "red")
PRODUCT = Product(
    id="prd_1",
    sku="KB-1",
    slug="keyboard",
    name="Keyboard",
    description="",
    price=Money(15000, "IDR"),
    category_id="cat_below",
    images=(),
    status=ProductStatus.ACTIVE,
    weight_grams=0,
    created_at=NOW,
    updated_at=NOW,
    attributes=(RED, ProductAttribute("size", "m=1")),
    in_stock=True,
)


def test_a_product_is_filed_under_its_categories_attributes_and_stock() -> None:
    assert filter_keys(PRODUCT, BELOW) == ("c:cat_top", "c:cat_below", "a:colour=red", "a:size=m=1", "s:1")
    assert filter_keys(replace(PRODUCT, attributes=(), in_stock=None), None) == ()


@pytest.mark.parametrize(
    ("amount", "low", "high"),
    [
        (1, 1, 2),
        (2, 2, 5),
        (4, 2, 5),
        (5, 5, 10),
        (9, 5, 10),
        (10, 10, 20),
        (15000, 10000, 20000),
        (49999, 20000, 50000),
    ],
)
def test_price_ranges_go_by_one_two_and_five(amount: int, low: int, high: int) -> None:
    assert price_range(Money(amount, "IDR")) == PriceRange("IDR", low, high)


@given(st.integers(1, 10**15))
def test_every_price_falls_into_its_range_and_the_next_range_begins_where_it_ends(amount: int) -> None:
    found = price_range(Money(amount, "IDR"))
    assert found.low <= amount < found.high
    assert price_range(Money(found.high, "IDR")).low == found.high


def test_counts_are_added_up_for_categories_above_and_every_value() -> None:
    counts = {
        facet_key(PRODUCT, BELOW): 3,
        facet_key(replace(PRODUCT, price=Money(25000, "IDR"), in_stock=False), TOP): 2,
        facet_key(replace(PRODUCT, attributes=(), in_stock=None), None): 1,
    }
    assert count_facets(counts) == Facets(
        total=6,
        categories=(("cat_top", 5), ("cat_below", 3)),
        attributes=(("colour", (("red", 5),)), ("size", (("m=1", 5),))),
        price_ranges=((PriceRange("IDR", 10000, 20000), 4), (PriceRange("IDR", 20000, 50000), 2)),
        in_stock=3,
        sold_out=2,
    )


@pytest.mark.parametrize(
    ("attributes", "field"),
    [
        ((ProductAttribute("Colour", "red"),), "attributes.0.name"),
        ((RED, ProductAttribute("a b", "red")), "attributes.1.name"),
        ((ProductAttribute("colour", " "),), "attributes.0.value"),
        ((ProductAttribute("colour", "red\nblue"),), "attributes.0.value"),
        ((ProductAttribute("colour", "x" * 101),), "attributes.0.value"),
        ((RED, ProductAttribute("colour", "blue")), "attributes"),
        (tuple(ProductAttribute(f"a{n}", "x") for n in range(51)), "attributes"),
    ],
)
def test_attributes_that_cannot_be_are_refused_by_field(attributes: tuple[ProductAttribute, ...], field: str) -> None:
    with pytest.raises(BadUserInput) as refused:
        check_product(replace(PRODUCT, attributes=attributes))
    assert refused.value.field == field
