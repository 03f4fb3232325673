"""Who sees which product by its keys and by reference, and in how many queries."""

import pytest

from core.identity import ANONYMOUS, Identity
from tests.integration.product.conftest import CREATE_CATEGORY, Catalogue
from tests.testkit.callers import CUSTOMER, ORDER_SERVICE, STAFF
from tests.testkit.commands import CommandLog

ARCHIVE = "mutation($id: ID!) { archiveProduct(id: $id) { __typename } }"


async def test_a_product_is_found_by_id_sku_and_slug_in_one_query_per_key(
    catalogue: Catalogue, commands: CommandLog
) -> None:
    id_ = await catalogue.sell("KB-1", slug="keyboard")
    commands.clear()
    data = await catalogue.data(
        f'{{ a: product(id: "{id_}") {{ sku }} b: product(sku: "KB-1") {{ sku }} '
        f'c: product(slug: "keyboard") {{ sku }} d: product(id: "{id_}") {{ sku }} e: product(sku: "none") {{ sku }} }}'
    )
    assert data == {**{name: {"sku": "KB-1"} for name in "abcd"}, "e": None}
    assert commands.commands == ["find products"] * 3


async def test_a_product_is_asked_for_by_exactly_one_key(catalogue: Catalogue) -> None:
    assert await catalogue.refusals("{ product { sku } }") == ["BAD_USER_INPUT"]
    assert await catalogue.refusals('{ product(id: "a", sku: "b") { sku } }') == ["BAD_USER_INPUT"]
    assert await catalogue.refusals("{ category { slug } }") == ["BAD_USER_INPUT"]


@pytest.mark.parametrize(
    ("by", "seen", "by_reference"),
    [
        (ANONYMOUS, ["ACTIVE"], ["ACTIVE", "ARCHIVED"]),
        (CUSTOMER, ["ACTIVE"], ["ACTIVE", "ARCHIVED"]),
        (STAFF, ["DRAFT", "ACTIVE", "ARCHIVED"], ["DRAFT", "ACTIVE", "ARCHIVED"]),
        (ORDER_SERVICE, ["DRAFT", "ACTIVE", "ARCHIVED"], ["DRAFT", "ACTIVE", "ARCHIVED"]),
    ],
)
async def test_drafts_are_hidden_and_archived_products_are_left_to_old_orders(
    catalogue: Catalogue, by: Identity, seen: list[str], by_reference: list[str]
) -> None:
    ids = [(await catalogue.create("D"))["id"], await catalogue.sell("A"), await catalogue.sell("R")]
    await catalogue.data(ARCHIVE, {"id": ids[2]}, by=STAFF)
    found = []
    for id_ in ids:
        data = await catalogue.data("query($id: ID!) { product(id: $id) { status } }", {"id": id_}, by=by)
        found += [data["product"]["status"]] if data["product"] else []
    assert found == seen
    references = [{"__typename": "Product", "id": id_} for id_ in ids]
    entities = await catalogue.entities("... on Product { status }", references, by=by)
    assert [entity["status"] for entity in entities if entity] == by_reference


async def test_a_hundred_references_cost_one_query_and_keep_their_order(
    catalogue: Catalogue, commands: CommandLog
) -> None:
    ids = [await catalogue.sell(f"P-{n}") for n in range(5)]
    asked = ["prd_none", *reversed(ids), ids[0]] * 15
    commands.clear()
    entities = await catalogue.entities(
        "... on Product { id sku slug name status price { amount currency } weightGrams }",
        [{"__typename": "Product", "id": id_} for id_ in asked],
        by=ORDER_SERVICE,
    )
    assert [entity and entity["id"] for entity in entities] == [None if id_ == "prd_none" else id_ for id_ in asked]
    assert commands.commands == ["find products"]


async def test_references_by_every_key_and_with_unknown_fields_resolve(catalogue: Catalogue) -> None:
    shelf = await catalogue.shelve("Keyboards")
    id_ = await catalogue.sell("KB-1", slug="keyboard")
    entities = await catalogue.entities(
        "... on Product { id } ... on Category { id }",
        [
            {"__typename": "Product", "sku": "KB-1"},
            {"__typename": "Product", "slug": "keyboard", "weather": "fine"},
            {"__typename": "Product", "id": id_, "sku": "ignored"},
            {"__typename": "Product"},
            {"__typename": "Category", "id": shelf},
            {"__typename": "Category", "slug": "keyboards"},
            {"__typename": "Category", "slug": "none"},
        ],
    )
    assert entities == [{"id": id_}, {"id": id_}, {"id": id_}, None, {"id": shelf}, {"id": shelf}, None]


async def test_categories_nest_and_list_by_name(catalogue: Catalogue, commands: CommandLog) -> None:
    top = await catalogue.shelve("electronics")
    keyboards = await catalogue.shelve("Keyboards", top)
    await catalogue.shelve("Cables", top)
    # Or it would know the category that it has just shown
    await catalogue.subgraph.prepare()
    commands.clear()
    data = await catalogue.data("{ categories { name slug parent { name parent { name } } } }")
    assert data["categories"] == [
        {"name": "Cables", "slug": "cables", "parent": {"name": "electronics", "parent": None}},
        {"name": "electronics", "slug": "electronics", "parent": None},
        {"name": "Keyboards", "slug": "keyboards", "parent": {"name": "electronics", "parent": None}},
    ]
    assert commands.commands == ["find categories"] * 2
    by_slug = await catalogue.data('{ category(slug: "keyboards") { id } }')
    assert by_slug == {"category": {"id": keyboards}}


@pytest.mark.parametrize(
    ("given", "kind", "code"),
    [
        ({"name": ""}, "InvalidInputProblem", "BAD_USER_INPUT"),
        ({"name": "Keys", "slug": "No Slug"}, "InvalidInputProblem", "BAD_USER_INPUT"),
        ({"name": "Keyboards"}, "ConflictProblem", "CONFLICT"),
        ({"name": "Keys", "parentId": "cat_none"}, "NotFoundProblem", "NOT_FOUND"),
    ],
)
async def test_an_impossible_category_is_refused(
    catalogue: Catalogue, given: dict[str, str], kind: str, code: str
) -> None:
    await catalogue.shelve("Keyboards")
    result = (await catalogue.data(CREATE_CATEGORY, {"input": given}, by=STAFF))["createCategory"]
    assert (result["__typename"], result["code"]) == (kind, code)
    assert len(await catalogue.rows("categories")) == 1


async def test_categories_nest_six_deep_and_no_deeper(catalogue: Catalogue) -> None:
    parent: str | None = None
    for depth in range(6):
        parent = await catalogue.shelve(f"Level {depth}", parent)
    given = {"name": "Too deep", "parentId": parent}
    result = (await catalogue.data(CREATE_CATEGORY, {"input": given}, by=STAFF))["createCategory"]
    assert (result["__typename"], result["field"]) == ("InvalidInputProblem", "parentId")


async def test_products_of_many_categories_are_one_query(catalogue: Catalogue, commands: CommandLog) -> None:
    top = await catalogue.shelve("Electronics")
    keyboards = await catalogue.shelve("Keyboards", top)
    await catalogue.shelve("Empty")
    for n in range(3):
        await catalogue.sell(f"K{n}", categoryId=keyboards)
    await catalogue.create("DRAFT", categoryId=keyboards)
    await catalogue.sell("E", categoryId=top)
    # Or it would know the categories that it has just shown
    await catalogue.subgraph.prepare()
    commands.clear()
    document = """{ categories { name products(first: 2, sort: PRICE_ASC) {
        nodes { sku category { name } } pageInfo { hasNextPage } } } }"""
    data = await catalogue.data(document)
    shown = {
        category["name"]: (
            [(node["sku"], node["category"]["name"]) for node in category["products"]["nodes"]],
            category["products"]["pageInfo"]["hasNextPage"],
        )
        for category in data["categories"]
    }
    assert shown == {
        "Electronics": ([("K0", "Keyboards"), ("K1", "Keyboards")], True),
        "Empty": ([], False),
        "Keyboards": ([("K0", "Keyboards"), ("K1", "Keyboards")], True),
    }
    # One of them looks whether something falls due that a job has not written down
    assert commands.commands == ["find categories", "find products", "aggregate", "find categories"]


async def test_relevance_is_no_order_of_a_category(catalogue: Catalogue) -> None:
    await catalogue.shelve("Keyboards")
    document = "{ categories { products(sort: RELEVANCE) { nodes { sku } } } }"
    assert await catalogue.refusals(document) == ["BAD_USER_INPUT"]
