"""The category tree: moving, renaming, what it says of attributes, and that no race makes a circle of it."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from tests.integration.product.conftest import CREATE_PRODUCT, Catalogue
from tests.testkit.callers import STAFF
from tests.testkit.clock import FixedClock

MOVE = """mutation($id: ID!, $to: ID) { moveCategory(id: $id, parentId: $to) {
  __typename ... on Category { ancestors { name } } ... on Problem { code message } } }"""
EDIT = """mutation($input: EditCategoryInput!) { editCategory(input: $input) {
  __typename ... on Category { name slug } ... on Problem { code } ... on InvalidInputProblem { field } } }"""
SET = """mutation($id: ID!, $attributes: [CategoryAttributeInput!]!) {
  setCategoryAttributes(id: $id, attributes: $attributes) {
    __typename ... on Category { attributes { name type required } } ... on Problem { code }
    ... on InvalidInputProblem { field } } }"""


async def move(catalogue: Catalogue, id_: str, to: str | None) -> dict[str, Any]:
    result: dict[str, Any] = (await catalogue.data(MOVE, {"id": id_, "to": to}, by=STAFF))["moveCategory"]
    return result


async def paths(catalogue: Catalogue) -> dict[str, list[str]]:
    rows = await catalogue.rows("categories")
    names = {row["_id"]: row["name"] for row in rows}
    return {row["name"]: [names[id_] for id_ in row["path"]] for row in rows}


async def test_a_category_moves_with_all_below_it_and_its_products_are_found_there(catalogue: Catalogue) -> None:
    old, new = await catalogue.shelve("Old"), await catalogue.shelve("New")
    moving = await catalogue.shelve("Moving", old)
    below = await catalogue.shelve("Below", moving)
    await catalogue.sell("A", categoryId=moving)
    await catalogue.sell("B", categoryId=below)
    await catalogue.sell("C", categoryId=old)
    moved = await move(catalogue, moving, new)
    assert moved == {"__typename": "Category", "ancestors": [{"name": "New"}]}
    assert await paths(catalogue) == {
        "Old": ["Old"],
        "New": ["New"],
        "Moving": ["New", "Moving"],
        "Below": ["New", "Moving", "Below"],
    }
    assert await catalogue.list_skus(f'sort: NAME, filter: {{categoryId: "{new}"}}') == ["A", "B"]
    assert await catalogue.list_skus(f'filter: {{categoryId: "{old}"}}') == ["C"]
    facets = await catalogue.data("{ products { facets { categories { category { name } count } } } }")
    assert {each["category"]["name"]: each["count"] for each in facets["products"]["facets"]["categories"]} == {
        "New": 2,
        "Moving": 2,
        "Below": 1,
        "Old": 1,
    }
    assert (await move(catalogue, moving, None))["ancestors"] == []
    assert await catalogue.list_skus(f'filter: {{categoryId: "{new}"}}') == []


async def test_a_category_cannot_stand_below_itself_nor_too_deep(catalogue: Catalogue) -> None:
    top = await catalogue.shelve("1")
    chain = [top]
    for number in range(2, 7):
        chain.append(await catalogue.shelve(str(number), chain[-1]))
    other = await catalogue.shelve("Other")
    rows, outbox = await catalogue.rows("categories"), await catalogue.rows("outbox")
    assert (await move(catalogue, top, chain[2]))["code"] == "CONFLICT"
    assert (await move(catalogue, top, top))["code"] == "CONFLICT"
    assert (await move(catalogue, chain[1], other))["__typename"] == "Category"
    assert (await move(catalogue, chain[1], top))["__typename"] == "Category"
    assert (await move(catalogue, top, other))["code"] == "BAD_USER_INPUT"
    assert (await move(catalogue, "cat_none", None))["code"] == "NOT_FOUND"
    assert (await move(catalogue, other, "cat_none"))["code"] == "NOT_FOUND"
    assert await catalogue.rows("categories") == rows
    assert len(await catalogue.rows("outbox")) == len(outbox) + 2


async def test_two_moves_at_once_never_make_a_circle(catalogue: Catalogue) -> None:
    for attempt in range(8):
        one, two = await catalogue.shelve(f"One {attempt}"), await catalogue.shelve(f"Two {attempt}")
        results = await asyncio.gather(move(catalogue, one, two), move(catalogue, two, one))
        assert sorted(result["__typename"] for result in results) == ["Category", "ConflictProblem"]
        rows = {row["_id"]: row["path"] for row in await catalogue.rows("categories") if row["_id"] in (one, two)}
        assert sorted(map(len, rows.values())) == [1, 2]


async def test_a_product_that_was_edited_with_the_former_path_is_put_right(
    catalogue: Catalogue, clock: FixedClock
) -> None:
    old, new = await catalogue.shelve("Old"), await catalogue.shelve("New")
    shelf = await catalogue.shelve("Shelf", old)
    await catalogue.sell("A", categoryId=shelf)
    [before] = await catalogue.rows("products")
    await move(catalogue, shelf, new)
    # As a transaction writes it that had read the category before the move
    stale = {"filter_keys": before["filter_keys"], "facet_key": before["facet_key"]}
    await catalogue.subgraph.runtime.database["products"].update_one({}, {"$set": stale})
    assert await catalogue.list_skus(f'filter: {{categoryId: "{new}"}}') == []
    [job] = [job for job in catalogue.subgraph.jobs if job.name == "refile_products"]
    await job.run(clock.now())
    assert await catalogue.list_skus(f'filter: {{categoryId: "{new}"}}') == ["A"]
    assert len(await catalogue.rows("refilings")) == 1
    await job.run(clock.now() + timedelta(minutes=5))
    assert await catalogue.rows("refilings") == []


async def test_a_former_slug_leads_to_the_category_until_another_takes_it(catalogue: Catalogue) -> None:
    id_ = await catalogue.shelve("Mugs")
    edited = await catalogue.data(EDIT, {"input": {"id": id_, "slug": "cups", "name": "Cups"}}, by=STAFF)
    assert edited["editCategory"] == {"__typename": "Category", "name": "Cups", "slug": "cups"}
    ask = "query($s: String!) { category(slug: $s) { id slug } }"
    assert (await catalogue.data(ask, {"s": "mugs"}))["category"] == {"id": id_, "slug": "cups"}
    other = await catalogue.shelve("Mugs")
    assert (await catalogue.data(ask, {"s": "mugs"}))["category"] == {"id": other, "slug": "mugs"}
    taken = await catalogue.data(EDIT, {"input": {"id": id_, "slug": "mugs"}}, by=STAFF)
    assert taken["editCategory"] == {"__typename": "ConflictProblem", "code": "CONFLICT"}
    refused = await catalogue.data(EDIT, {"input": {"id": id_, "slug": "No Slug"}}, by=STAFF)
    assert refused["editCategory"]["field"] == "slug"
    assert (await catalogue.data(ask, {"s": "cups"}))["category"] == {"id": id_, "slug": "cups"}


def definition(name: str, type_: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "label": name.title(), "type": type_, **more}


async def test_what_a_category_says_of_attributes_holds_below_it(catalogue: Catalogue) -> None:
    top = await catalogue.shelve("Top")
    below = await catalogue.shelve("Below", top)
    wanted = [definition("width", "NUMBER", required=True), definition("note", "TEXT", filterable=False)]
    done = await catalogue.data(SET, {"id": top, "attributes": wanted}, by=STAFF)
    assert done["setCategoryAttributes"]["__typename"] == "Category"
    own = [definition("colour", "OPTION", options=["red", "blue"])]
    done = await catalogue.data(SET, {"id": below, "attributes": own}, by=STAFF)
    assert done["setCategoryAttributes"]["attributes"] == [
        {"name": "colour", "type": "OPTION", "required": False},
        {"name": "note", "type": "TEXT", "required": False},
        {"name": "width", "type": "NUMBER", "required": True},
    ]
    given = {"sku": "X", "name": "X", "price": {"decimal": "1", "currency": "IDR"}, "categoryId": below}
    rows = await catalogue.rows("products")
    for wrong, field in (
        ({"name": "colour", "value": "green"}, "attributes.0.value"),
        ({"name": "depth", "value": "1"}, "attributes.0.name"),
    ):
        refused = await catalogue.data(CREATE_PRODUCT, {"input": {**given, "attributes": [wrong]}}, by=STAFF)
        assert (refused["createProduct"]["__typename"], refused["createProduct"]["field"]) == (
            "InvalidInputProblem",
            field,
        )
    assert await catalogue.rows("products") == rows
    created = await catalogue.create("X", categoryId=below, attributes=[{"name": "colour", "value": "red"}])
    publish = "mutation($id: ID!) { publishProduct(id: $id) { __typename ... on Problem { message } } }"
    refused = await catalogue.data(publish, {"id": created["id"]}, by=STAFF)
    assert refused["publishProduct"] == {
        "__typename": "ConflictProblem",
        "message": f"product {created['id']} cannot be on sale without: width",
    }
    values = [{"name": "width", "value": "12.50"}, {"name": "note", "value": "hand made"}]
    edit = """mutation($i: EditProductInput!) { editProduct(input: $i) {
      ... on Product { attributes { name value } } } }"""
    edited = await catalogue.data(edit, {"i": {"id": created["id"], "attributes": values}}, by=STAFF)
    assert edited["editProduct"]["attributes"] == [{"name": "width", "value": "12.5"}, values[1]]
    assert (await catalogue.data(publish, {"id": created["id"]}, by=STAFF))["publishProduct"]["__typename"] == "Product"
    assert await catalogue.list_skus('filter: {attributes: [{name: "width", values: ["12.5"]}]}') == ["X"]
    assert await catalogue.list_skus('filter: {attributes: [{name: "note", values: ["hand made"]}]}') == []
    # From now on it is filtered by
    await catalogue.data(SET, {"id": top, "attributes": [definition("note", "TEXT")]}, by=STAFF)
    assert await catalogue.list_skus('filter: {attributes: [{name: "note", values: ["hand made"]}]}') == ["X"]


@pytest.mark.parametrize("document", [MOVE, EDIT, SET])
async def test_the_tree_is_for_those_who_edit_products(catalogue: Catalogue, document: str) -> None:
    id_ = await catalogue.shelve("Mugs")
    rows = await catalogue.rows("categories")
    variables: dict[str, Any] = {"id": id_, "to": None, "input": {"id": id_, "name": "x"}, "attributes": []}
    assert await catalogue.refusals(document, variables) == ["UNAUTHENTICATED"]
    assert await catalogue.rows("categories") == rows
