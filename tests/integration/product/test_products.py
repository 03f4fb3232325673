"""Creating, editing, publishing and archiving products."""

import asyncio
from typing import Any

import pytest

from core.audit import PRIVILEGED_ACTION
from core.identity import ANONYMOUS, Identity
from tests.integration.product.conftest import CREATE_CATEGORY, CREATE_PRODUCT, Catalogue
from tests.testkit.callers import CUSTOMER, ORDER_SERVICE, STAFF
from tests.testkit.clock import FixedClock

EDIT = """
mutation($input: EditProductInput!) {
  editProduct(input: $input) {
    __typename
    ... on Product { name slug description price { decimal } category { name } images { url altText } weightGrams }
    ... on Problem { code message }
    ... on InvalidInputProblem { field }
  }
}
"""
PUBLISH = (
    "mutation($id: ID!) { publishProduct(id: $id) { __typename ... on Product { status } ... on Problem { code } } }"
)
ARCHIVE = (
    "mutation($id: ID!) { archiveProduct(id: $id) { __typename ... on Product { status } ... on Problem { code } } }"
)


def describe(sku: str = "KB-1", **fields: Any) -> dict[str, Any]:
    return {"input": {"sku": sku, "name": "Keyboard", "price": {"decimal": "15000", "currency": "IDR"}, **fields}}


async def events_of(catalogue: Catalogue) -> list[tuple[str, dict[str, Any]]]:
    rows = await catalogue.rows("outbox")
    return [(row["type"], row["payload"]) for row in rows if row["type"] != PRIVILEGED_ACTION]


async def audited(catalogue: Catalogue) -> list[tuple[str, str, dict[str, Any]]]:
    payloads = [row["payload"] for row in await catalogue.rows("outbox") if row["type"] == PRIVILEGED_ACTION]
    assert {payload["actor_id"] for payload in payloads} <= {STAFF.subject}
    return [(payload["action"], payload["target"], payload["details"]) for payload in payloads]


async def test_a_product_is_created_as_a_draft_with_its_event(catalogue: Catalogue) -> None:
    shelf = await catalogue.shelve("Keyboards")
    created = await catalogue.create("KB-1", name="Café Kéyboard", categoryId=shelf, weightGrams=900)
    assert created == {
        "__typename": "Product",
        "id": created["id"],
        "sku": "KB-1",
        "slug": "cafe-keyboard",
        "name": "Café Kéyboard",
        "status": "DRAFT",
        "price": {"amount": 15000, "currency": "IDR", "decimal": "15000"},
        "category": {"name": "Keyboards"},
        "weightGrams": 900,
        "createdAt": "2026-11-01T09:00:00.000Z",
    }
    assert created["id"].startswith("prd_")
    assert await events_of(catalogue) == [("ProductCreated", {"product_id": created["id"]})]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": "  "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "two\nlines"}, "name"),
        ({"sku": "with blank"}, "sku"),
        ({"sku": ""}, "sku"),
        ({"slug": "Not-A-Slug"}, "slug"),
        ({"slug": ""}, "slug"),
        ({"price": {"decimal": "0", "currency": "IDR"}}, "price"),
        ({"price": {"decimal": "-1", "currency": "IDR"}}, "price"),
        ({"price": {"decimal": "1.5", "currency": "IDR"}}, "price"),
        ({"price": {"decimal": "1.005", "currency": "USD"}}, "price"),
        ({"price": {"decimal": "1", "currency": "XXX"}}, "price"),
        ({"weightGrams": -1}, "weightGrams"),
        ({"description": "x" * 20_001}, "description"),
        ({"images": [{"url": "https://a.example/1.jpg"}, {"url": "javascript:alert(1)"}]}, "images.1.url"),
        ({"images": [{"url": "https://[broken"}]}, "images.0.url"),
        ({"images": [{"url": "https://a.example/1.jpg"}] * 21}, "images"),
    ],
)
async def test_an_invalid_product_is_refused_by_field_and_nothing_is_written(
    catalogue: Catalogue, fields: dict[str, Any], field: str
) -> None:
    result = (await catalogue.data(CREATE_PRODUCT, describe(**fields), by=STAFF))["createProduct"]
    assert (result["__typename"], result["code"], result["field"]) == ("InvalidInputProblem", "BAD_USER_INPUT", field)
    assert await catalogue.rows("products") == []
    assert await catalogue.rows("outbox") == []


async def test_a_product_cannot_stand_in_a_category_that_does_not_exist(catalogue: Catalogue) -> None:
    result = (await catalogue.data(CREATE_PRODUCT, describe(categoryId="cat_none"), by=STAFF))["createProduct"]
    assert result == {"__typename": "NotFoundProblem", "code": "NOT_FOUND", "message": "there is no category cat_none"}
    assert await catalogue.rows("products") == []


async def test_a_taken_sku_and_a_taken_slug_are_conflicts(catalogue: Catalogue) -> None:
    await catalogue.create("KB-1", slug="keyboard")
    same_sku = (await catalogue.data(CREATE_PRODUCT, describe("KB-1", name="Other"), by=STAFF))["createProduct"]
    assert same_sku == {
        "__typename": "ConflictProblem",
        "code": "CONFLICT",
        "message": "the sku KB-1 is taken by another product",
    }
    same_slug = (await catalogue.data(CREATE_PRODUCT, describe("KB-2", slug="keyboard"), by=STAFF))["createProduct"]
    assert same_slug["message"] == "the slug keyboard is taken by another product"
    assert [row["sku"] for row in await catalogue.rows("products")] == ["KB-1"]
    assert len(await events_of(catalogue)) == 1


async def test_two_products_of_one_name_get_two_slugs(catalogue: Catalogue) -> None:
    first = await catalogue.create("KB-1", name="Keyboard")
    second = await catalogue.create("KB-2", name="Keyboard")
    assert first["slug"] == "keyboard"
    assert second["slug"] == f"keyboard-{second['id'][-8:]}"


async def test_of_ten_simultaneous_products_with_one_sku_one_is_created(catalogue: Catalogue) -> None:
    results = await asyncio.gather(
        *(catalogue.data(CREATE_PRODUCT, describe("KB-1", slug=f"keyboard-{n}"), by=STAFF) for n in range(10))
    )
    kinds = sorted(result["createProduct"]["__typename"] for result in results)
    assert kinds == ["ConflictProblem"] * 9 + ["Product"]
    assert len(await catalogue.rows("products")) == 1
    assert len(await events_of(catalogue)) == 1


@pytest.mark.parametrize(
    ("by", "code"), [(ANONYMOUS, "UNAUTHENTICATED"), (CUSTOMER, "FORBIDDEN"), (ORDER_SERVICE, "FORBIDDEN")]
)
async def test_only_holders_of_the_scope_change_the_catalogue(catalogue: Catalogue, by: Identity, code: str) -> None:
    id_ = (await catalogue.create("KB-1"))["id"]
    before = [await catalogue.rows(name) for name in ("products", "categories", "outbox")]
    assert await catalogue.refusals(CREATE_PRODUCT, describe("KB-2"), by=by) == [code]
    assert await catalogue.refusals(CREATE_CATEGORY, {"input": {"name": "Shelf"}}, by=by) == [code]
    assert await catalogue.refusals(EDIT, {"input": {"id": id_, "name": "Mine"}}, by=by) == [code]
    assert await catalogue.refusals(PUBLISH, {"id": id_}, by=by) == [code]
    assert await catalogue.refusals(ARCHIVE, {"id": id_}, by=by) == [code]
    assert [await catalogue.rows(name) for name in ("products", "categories", "outbox")] == before


async def test_editing_changes_only_what_is_given(catalogue: Catalogue, clock: FixedClock) -> None:
    shelf = await catalogue.shelve("Keyboards")
    id_ = (await catalogue.create("KB-1", name="Keyboard", description="Loud", categoryId=shelf, weightGrams=9))["id"]
    clock.advance(hours=1)
    edited = await catalogue.data(
        EDIT,
        {"input": {"id": id_, "name": "Silent Keyboard", "images": [{"url": "https://a.example/k.jpg"}]}},
        by=STAFF,
    )
    assert edited["editProduct"] == {
        "__typename": "Product",
        "name": "Silent Keyboard",
        "slug": "keyboard",
        "description": "Loud",
        "price": {"decimal": "15000"},
        "category": {"name": "Keyboards"},
        "images": [{"url": "https://a.example/k.jpg", "altText": ""}],
        "weightGrams": 9,
    }
    [row] = await catalogue.rows("products")
    assert row["updated_at"] == clock.now()
    assert row["words"] == ["1", "kb", "kb-1", "keyboard", "silent"]
    assert await events_of(catalogue) == [
        ("ProductCreated", {"product_id": id_}),
        ("ProductEdited", {"product_id": id_}),
    ]


async def test_each_change_by_staff_is_told_to_the_audit_log(catalogue: Catalogue) -> None:
    shelf = await catalogue.shelve("Keyboards")
    id_ = (await catalogue.create("KB-1", name="Keyboard"))["id"]
    price = {"decimal": "9000", "currency": "IDR"}
    await catalogue.data(EDIT, {"input": {"id": id_, "price": price, "categoryId": shelf}}, by=STAFF)
    await catalogue.data(PUBLISH, {"id": id_}, by=STAFF)
    # Already on sale: nothing happens, and nothing is told
    await catalogue.data(PUBLISH, {"id": id_}, by=STAFF)
    await catalogue.data(ARCHIVE, {"id": id_}, by=STAFF)
    assert await audited(catalogue) == [
        ("CATEGORY_CREATED", shelf, {}),
        ("PRODUCT_CREATED", id_, {}),
        (
            "PRODUCT_EDITED",
            id_,
            {"fields": "category_id price", "price_before": "15000 IDR", "price_after": "9000 IDR"},
        ),
        ("PRODUCT_PUBLISHED", id_, {"fields": "status"}),
        ("PRODUCT_ARCHIVED", id_, {"fields": "status"}),
    ]


async def test_an_edit_that_changes_nothing_announces_nothing(catalogue: Catalogue) -> None:
    id_ = (await catalogue.create("KB-1", name="Keyboard"))["id"]
    before = await catalogue.rows("products")
    result = await catalogue.data(EDIT, {"input": {"id": id_, "name": "Keyboard"}}, by=STAFF)
    assert result["editProduct"]["__typename"] == "Product"
    assert await catalogue.rows("products") == before
    assert [type_ for type_, _ in await events_of(catalogue)] == ["ProductCreated"]


async def test_null_takes_a_product_out_of_its_category_and_is_refused_elsewhere(catalogue: Catalogue) -> None:
    shelf = await catalogue.shelve("Keyboards")
    id_ = (await catalogue.create("KB-1", categoryId=shelf))["id"]
    refused = await catalogue.data(EDIT, {"input": {"id": id_, "name": None}}, by=STAFF)
    assert (refused["editProduct"]["__typename"], refused["editProduct"]["field"]) == ("InvalidInputProblem", "name")
    moved = await catalogue.data(EDIT, {"input": {"id": id_, "categoryId": None}}, by=STAFF)
    assert moved["editProduct"]["category"] is None
    [row] = await catalogue.rows("products")
    assert (row["category_id"], row["filter_keys"]) == (None, [])


async def test_of_simultaneous_edits_none_is_lost(catalogue: Catalogue) -> None:
    id_ = (await catalogue.create("KB-1", weightGrams=1))["id"]
    edits: list[dict[str, Any]] = [
        {"id": id_, "name": "Renamed"},
        {"id": id_, "description": "Described"},
        {"id": id_, "weightGrams": 2},
    ]
    results = await asyncio.gather(*(catalogue.data(EDIT, {"input": edit}, by=STAFF) for edit in edits))
    won = [
        edit for edit, result in zip(edits, results, strict=True) if result["editProduct"]["__typename"] == "Product"
    ]
    lost = [result["editProduct"] for result in results if result["editProduct"]["__typename"] != "Product"]
    assert won
    assert {problem["code"] for problem in lost} <= {"CONFLICT"}
    [row] = await catalogue.rows("products")
    names = {"name": "name", "description": "description", "weightGrams": "weight_grams"}
    for edit in won:
        [(given, value)] = [(key, value) for key, value in edit.items() if key != "id"]
        assert row[names[given]] == value
    assert row["version"] == 1 + len(won)
    assert len(await events_of(catalogue)) == 1 + len(won)


async def test_an_edit_cannot_take_the_sku_of_another_product(catalogue: Catalogue) -> None:
    await catalogue.create("KB-1")
    id_ = (await catalogue.create("KB-2"))["id"]
    before = await catalogue.rows("products")
    result = await catalogue.data(EDIT, {"input": {"id": id_, "sku": "KB-1"}}, by=STAFF)
    assert result["editProduct"]["message"] == "the sku KB-1 is taken by another product"
    assert await catalogue.rows("products") == before


async def test_publish_and_archive_announce_once_however_often_they_are_sent(catalogue: Catalogue) -> None:
    id_ = (await catalogue.create("KB-1"))["id"]
    for document, status in ((PUBLISH, "ACTIVE"), (PUBLISH, "ACTIVE"), (ARCHIVE, "ARCHIVED"), (ARCHIVE, "ARCHIVED")):
        result = await catalogue.data(document, {"id": id_}, by=STAFF)
        assert next(iter(result.values())) == {"__typename": "Product", "status": status}
    assert [type_ for type_, _ in await events_of(catalogue)] == [
        "ProductCreated",
        "ProductPublished",
        "ProductArchived",
    ]


async def test_an_archived_product_is_edited_only_after_it_was_published_again(catalogue: Catalogue) -> None:
    id_ = await catalogue.sell("KB-1")
    await catalogue.data(ARCHIVE, {"id": id_}, by=STAFF)
    refused = await catalogue.data(EDIT, {"input": {"id": id_, "name": "New"}}, by=STAFF)
    assert refused["editProduct"]["code"] == "CONFLICT"
    await catalogue.data(PUBLISH, {"id": id_}, by=STAFF)
    edited = await catalogue.data(EDIT, {"input": {"id": id_, "name": "New"}}, by=STAFF)
    assert edited["editProduct"]["name"] == "New"


async def test_what_does_not_exist_cannot_be_changed(catalogue: Catalogue) -> None:
    edit = await catalogue.data(EDIT, {"input": {"id": "prd_none", "name": "New"}}, by=STAFF)
    publish = await catalogue.data(PUBLISH, {"id": "prd_none"}, by=STAFF)
    archive = await catalogue.data(ARCHIVE, {"id": "prd_none"}, by=STAFF)
    codes = [edit["editProduct"]["code"], publish["publishProduct"]["code"], archive["archiveProduct"]["code"]]
    assert codes == ["NOT_FOUND"] * 3
