"""Variants: products of their own with a choice of each option, found and sold through the product they are of."""

import asyncio
from typing import Any

import pytest

from core.audit import PRIVILEGED_ACTION
from tests.integration.product.conftest import Catalogue
from tests.testkit.callers import CUSTOMER, STAFF
from tests.testkit.clock import FixedClock

CREATE = """mutation($input: CreateVariantInput!) { createVariant(input: $input) {
  __typename
  ... on Product { id sku name slug status sellable price { amount } weightGrams choices { name value }
                   parent { sku } category { name } }
  ... on Problem { code message } ... on InvalidInputProblem { field } } }"""
VARIANTS = '{ product(sku: "SHIRT") { sellable options { name values } variants { sku sellable status } } }'
OPTIONS = [{"name": "size", "values": ["s", "m", "l"]}, {"name": "colour", "values": ["red", "blue"]}]


def choices(size: str, colour: str) -> list[dict[str, str]]:
    return [{"name": "size", "value": size}, {"name": "colour", "value": colour}]


@pytest.fixture
async def shirt(catalogue: Catalogue) -> str:
    shelf = await catalogue.shelve("Shirts")
    return await catalogue.sell("SHIRT", name="Shirt", options=OPTIONS, categoryId=shelf, weightGrams=200)


async def add(catalogue: Catalogue, product_id: str, sku: str, size: str, colour: str, **more: Any) -> dict[str, Any]:
    given = {"productId": product_id, "sku": sku, "choices": choices(size, colour), **more}
    created: dict[str, Any] = (await catalogue.data(CREATE, {"input": given}, by=STAFF))["createVariant"]
    return created


async def act(catalogue: Catalogue, mutation: str, id_: str) -> dict[str, Any]:
    document = (
        f"mutation($id: ID!) {{ {mutation}(id: $id) {{ __typename ... on Product {{ status deletedAt }} "
        "... on Problem { code } } }"
    )
    result: dict[str, Any] = (await catalogue.data(document, {"id": id_}, by=STAFF))[mutation]
    return result


async def test_a_variant_is_a_product_of_its_own_with_what_it_does_not_say_from_its_product(
    catalogue: Catalogue, shirt: str
) -> None:
    created = await add(catalogue, shirt, "SHIRT-M-RED", "m", "red", price={"decimal": "20000", "currency": "IDR"})
    assert created == {
        "__typename": "Product",
        "id": created["id"],
        "sku": "SHIRT-M-RED",
        "name": "Shirt - m / red",
        "slug": "shirt-m-red",
        "status": "ACTIVE",
        "sellable": True,
        "price": {"amount": 20000},
        "weightGrams": 200,
        "choices": choices("m", "red"),
        "parent": {"sku": "SHIRT"},
        "category": {"name": "Shirts"},
    }
    await add(catalogue, shirt, "SHIRT-S-RED", "s", "red")
    assert (await catalogue.data(VARIANTS))["product"] == {
        "sellable": False,
        "options": OPTIONS,
        "variants": [
            {"sku": "SHIRT-M-RED", "sellable": True, "status": "ACTIVE"},
            {"sku": "SHIRT-S-RED", "sellable": True, "status": "ACTIVE"},
        ],
    }
    # The stock opens an account for each, as for any product
    created_events = [row["subject"] for row in await catalogue.rows("outbox") if row["type"] == "ProductCreated"]
    assert created["id"] in created_events


async def test_lists_show_a_product_once_and_find_it_by_what_its_variants_offer(
    catalogue: Catalogue, shirt: str
) -> None:
    await add(catalogue, shirt, "SHIRT-M-RED", "m", "red")
    blue = await add(catalogue, shirt, "SHIRT-S-BLUE", "s", "blue")
    assert await catalogue.list_skus() == ["SHIRT"]
    assert await catalogue.list_skus('filter: {search: "shirt"}') == ["SHIRT"]
    found = 'filter: {attributes: [{name: "size", values: ["%s"]}]}'
    assert await catalogue.list_skus(found % "m") == ["SHIRT"]
    assert await catalogue.list_skus(found % "l") == []
    facets = await catalogue.data("{ products { facets { totalCount attributes { name values { value count } } } } }")
    assert facets["products"]["facets"] == {
        "totalCount": 1,
        "attributes": [
            {"name": "colour", "values": [{"value": "blue", "count": 1}, {"value": "red", "count": 1}]},
            {"name": "size", "values": [{"value": "m", "count": 1}, {"value": "s", "count": 1}]},
        ],
    }
    await act(catalogue, "archiveProduct", blue["id"])
    assert await catalogue.list_skus(found % "s") == []


@pytest.mark.parametrize(
    ("given", "outcome", "field"),
    [
        ({"choices": choices("xl", "red")}, "InvalidInputProblem", "choices.0.value"),
        ({"choices": choices("m", "red")[:1]}, "InvalidInputProblem", "choices"),
        ({"choices": [*choices("m", "red"), {"name": "size", "value": "s"}]}, "InvalidInputProblem", "choices"),
        ({"sku": "no sku"}, "InvalidInputProblem", "sku"),
        ({"sku": "SHIRT"}, "ConflictProblem", None),
        ({"choices": choices("s", "red")}, "ConflictProblem", None),
        ({"choices": list(reversed(choices("s", "red")))}, "ConflictProblem", None),
        ({"productId": "prd_none"}, "NotFoundProblem", None),
        ({"productId": "prd_plain", "choices": []}, "InvalidInputProblem", "productId"),
    ],
)
async def test_a_variant_that_cannot_be_is_refused_and_nothing_changes(
    catalogue: Catalogue, shirt: str, given: dict[str, Any], outcome: str, field: str | None
) -> None:
    await add(catalogue, shirt, "SHIRT-S-RED", "s", "red")
    plain = await catalogue.sell("PLAIN")
    rows, outbox = await catalogue.rows("products"), await catalogue.rows("outbox")
    described = {"productId": shirt, "sku": "NEW", "choices": choices("m", "red"), **given}
    if described["productId"] == "prd_plain":
        described["productId"] = plain
    refused = (await catalogue.data(CREATE, {"input": described}, by=STAFF))["createVariant"]
    assert (refused["__typename"], refused.get("field")) == (outcome, field)
    assert await catalogue.rows("products") == rows
    assert await catalogue.rows("outbox") == outbox


async def test_of_two_equal_variants_at_once_one_is_added(catalogue: Catalogue, shirt: str) -> None:
    both = await asyncio.gather(add(catalogue, shirt, "A", "m", "red"), add(catalogue, shirt, "B", "m", "red"))
    assert sorted(each["__typename"] for each in both) == ["ConflictProblem", "Product"]
    assert len(await catalogue.rows("products")) == 2


async def test_options_in_use_stay(catalogue: Catalogue, shirt: str) -> None:
    await add(catalogue, shirt, "SHIRT-M-RED", "m", "red")
    edit = "mutation($i: EditProductInput!) { editProduct(input: $i) { __typename ... on Problem { message } } }"
    rows = await catalogue.rows("products")
    fewer = [{"name": "size", "values": ["s", "l"]}, OPTIONS[1]]
    refused = await catalogue.data(edit, {"i": {"id": shirt, "options": fewer}}, by=STAFF)
    assert refused["editProduct"]["message"] == ("the variant SHIRT-M-RED has a choice that would no longer be there")
    assert await catalogue.rows("products") == rows
    more = [{"name": "size", "values": ["s", "m", "l", "xl"]}, OPTIONS[1]]
    assert (await catalogue.data(edit, {"i": {"id": shirt, "options": more}}, by=STAFF))["editProduct"] == {
        "__typename": "Product"
    }
    assert (await add(catalogue, shirt, "SHIRT-XL-RED", "xl", "red"))["__typename"] == "Product"


async def test_what_happens_to_a_product_happens_to_its_variants(
    catalogue: Catalogue, shirt: str, clock: FixedClock
) -> None:
    first = await add(catalogue, shirt, "SHIRT-M-RED", "m", "red")
    second = await add(catalogue, shirt, "SHIRT-S-RED", "s", "red")
    statuses = '{ a: product(sku: "SHIRT-M-RED") { sellable } b: product(sku: "SHIRT") { id } }'
    await act(catalogue, "archiveProduct", shirt)
    assert await catalogue.data(statuses) == {"a": None, "b": None}
    await act(catalogue, "publishProduct", shirt)
    assert (await catalogue.data(statuses))["a"] == {"sellable": True}
    clock.advance(minutes=1)
    await act(catalogue, "deleteProduct", second["id"])
    clock.advance(minutes=1)
    await act(catalogue, "deleteProduct", shirt)
    assert await catalogue.data(statuses) == {"a": None, "b": None}
    await act(catalogue, "restoreProduct", shirt)
    # The one that was deleted on its own stays so
    assert [each["sku"] for each in (await catalogue.data(VARIANTS))["product"]["variants"]] == ["SHIRT-M-RED"]
    events = [
        (row["type"], row["subject"]) for row in await catalogue.rows("outbox") if row["type"] != PRIVILEGED_ACTION
    ]
    assert events.count(("ProductDeleted", first["id"])) == 1
    assert events.count(("ProductRestored", first["id"])) == 1
    assert ("ProductRestored", second["id"]) not in events


async def test_a_deleted_product_is_gone_for_shoppers_stays_in_old_orders_and_comes_back(catalogue: Catalogue) -> None:
    id_ = await catalogue.sell("MUG")
    before = await catalogue.rows("products")
    assert (await act(catalogue, "deleteProduct", id_))["deletedAt"] == "2026-11-01T09:00:00.000Z"
    ask = "query($id: ID!) { product(id: $id) { sku } }"
    assert (await catalogue.data(ask, {"id": id_}, by=CUSTOMER))["product"] is None
    assert (await catalogue.data(ask, {"id": id_}, by=STAFF))["product"] == {"sku": "MUG"}
    assert await catalogue.list_skus() == []
    assert await catalogue.list_skus('filter: {search: "mug"}') == []
    entity = "query($r: [_Any!]!) { _entities(representations: $r) { ... on Product { sku sellable } } }"
    found = await catalogue.data(entity, {"r": [{"__typename": "Product", "id": id_}]}, by=CUSTOMER)
    assert found["_entities"] == [{"sku": "MUG", "sellable": False}]
    edit = "mutation($i: EditProductInput!) { editProduct(input: $i) { __typename } }"
    assert (await catalogue.data(edit, {"i": {"id": id_, "name": "x"}}, by=STAFF))["editProduct"] == {
        "__typename": "ConflictProblem"
    }
    assert (await act(catalogue, "publishProduct", id_))["code"] == "CONFLICT"
    await act(catalogue, "restoreProduct", id_)
    after = await catalogue.rows("products")
    assert [{**row, "version": 2} for row in after] == before
    assert (await catalogue.data(ask, {"id": id_}))["product"] == {"sku": "MUG"}


async def test_a_former_slug_leads_to_the_product(catalogue: Catalogue) -> None:
    id_ = await catalogue.sell("MUG", name="Mug")
    edit = "mutation($i: EditProductInput!) { editProduct(input: $i) { __typename } }"
    for slug in ("cup", "beaker"):
        await catalogue.data(edit, {"i": {"id": id_, "slug": slug}}, by=STAFF)
    ask = "query($s: String!) { product(slug: $s) { id slug } }"
    for slug in ("mug", "cup", "beaker"):
        assert (await catalogue.data(ask, {"s": slug}))["product"] == {"id": id_, "slug": "beaker"}
    # Back to the first: it is no redirect any more
    await catalogue.data(edit, {"i": {"id": id_, "slug": "mug"}}, by=STAFF)
    assert {row["_id"]: row["target_id"] for row in await catalogue.rows("slug_redirects")} == {
        "product/beaker": id_,
        "product/cup": id_,
    }
    other = await catalogue.sell("CUP", name="Cup")
    assert (await catalogue.data(ask, {"s": "cup"}))["product"] == {"id": other, "slug": "cup"}
