"""What a product may be, how it is named and searched; no database."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.errors import BadUserInput, Conflict
from core.money import Money
from subgraphs.product.model import (
    Category,
    Product,
    ProductStatus,
    SearchTerms,
    archive,
    check_editable,
    check_product,
    check_slug,
    child_path,
    fold,
    publish,
    read_search,
    search_words,
    slug_from,
)

NOW = datetime(2026, 11, 1, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
PRODUCT = Product(
    id="prd_1",
    sku="KB-1",
    slug="keyboard",
    name="Keyboard",
    description="",
    price=Money(15000, "IDR"),
    category_id=None,
    images=(),
    status=ProductStatus.DRAFT,
    weight_grams=0,
    created_at=NOW,
    updated_at=NOW,
)


@pytest.mark.parametrize("status", list(ProductStatus))
def test_any_product_can_be_published_and_archived(status: ProductStatus) -> None:
    product = replace(PRODUCT, status=status)
    for change, end in ((publish, ProductStatus.ACTIVE), (archive, ProductStatus.ARCHIVED)):
        changed = change(product, now=LATER)
        if status is end:
            assert changed is product
        else:
            assert changed == replace(product, status=end, updated_at=LATER, version=2)


def test_only_an_archived_product_is_closed_to_edits() -> None:
    check_editable(PRODUCT)
    check_editable(publish(PRODUCT, now=LATER))
    with pytest.raises(Conflict, match="prd_1 is ARCHIVED"):
        check_editable(archive(PRODUCT, now=LATER))


@given(st.text(max_size=300))
def test_a_name_always_gives_a_valid_slug(name: str) -> None:
    check_slug(slug_from(name, fallback="prd_0abc"))


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Wireless Mouse (2nd gen.)", "wireless-mouse-2nd-gen"),
        ("Café Crème", "cafe-creme"),
        ("Straße", "strasse"),
        ("キーボード", "prd-0abc"),
        ("--", "prd-0abc"),
        ("x" * 99 + " yz", "x" * 99),
    ],
)
def test_slugs(name: str, slug: str) -> None:
    assert slug_from(name, fallback="prd_0abc") == slug


@given(st.lists(st.text(max_size=15), max_size=10).map(" ".join), st.integers(1, 200))
def test_a_product_is_found_by_what_begins_its_name(name: str, length: int) -> None:
    words = search_words(name, "AB-12")
    assert list(words) == sorted(set(words))
    assert "ab-12" in words
    # More than ten words are refused
    with suppress(BadUserInput):
        terms = read_search(name[:length])
        assert all(any(word.startswith(term) for word in words) for term in terms.beginnings)


@given(st.text())
@example("\U0001d4d0")
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Wireless  mouse", SearchTerms(("wireless", "mouse"), ("wireless", "mouse"), None)),
        ("mouse MOUSE", SearchTerms(("mouse",), ("mouse",), None)),
        ("ab-12", SearchTerms(("ab", "12"), ("ab", "12"), "ab-12")),
        ('"quoted" -minus', SearchTerms(("quoted", "minus"), ("quoted", "minus"), None)),
        ("café", SearchTerms(("café",), ("cafe",), None)),
        ("?!", SearchTerms((), (), None)),
    ],
)
def test_searches(text: str, terms: SearchTerms) -> None:
    assert read_search(text) == terms


def test_a_path_grows_from_the_parent_to_its_limit() -> None:
    parent: Category | None = None
    for depth in range(6):
        path = child_path(parent, f"cat_{depth}")
        parent = Category(f"cat_{depth}", f"level-{depth}", "Level", path, NOW)
    assert parent is not None
    assert parent.path == ("cat_0", "cat_1", "cat_2", "cat_3", "cat_4", "cat_5")
    assert parent.parent_id == "cat_4"
    with pytest.raises(BadUserInput, match="at most 6 deep"):
        child_path(parent, "cat_6")


def test_a_valid_product_is_returned_as_it_is() -> None:
    assert check_product(PRODUCT) is PRODUCT
