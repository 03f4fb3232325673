"""Searching with facets, suggestions, and pages that stay right while products are added."""

import asyncio
from itertools import count, permutations
from typing import Any

import pytest

from core.events import Event, handle_once
from core.ids import new_id
from subgraphs.product.documents import ProductDocument
from tests.integration.product.conftest import Catalogue
from tests.testkit.callers import STAFF
from tests.testkit.clock import FixedClock
from tests.testkit.commands import CommandLog

FACETS = """
query($filter: ProductFilterInput) {
  products(filter: $filter, first: 1) {
    facets {
      totalCount categories { category { name } count } attributes { name values { value count } }
      priceRanges { from { amount } to { amount } count } inStock soldOut
    }
  }
}
"""


def price(amount: int) -> dict[str, str]:
    return {"decimal": str(amount), "currency": "IDR"}


def attributes(**values: str) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in values.items()]


@pytest.fixture
async def shop(catalogue: Catalogue, clock: FixedClock) -> Catalogue:
    top = await catalogue.shelve("Clothes")
    shirts = await catalogue.shelve("Shirts", top)
    goods: list[tuple[str, str, int, str | None, dict[str, str]]] = [
        ("SH-1", "Red shirt", 90_000, shirts, {"colour": "red", "size": "m"}),
        ("SH-2", "Red shirt", 110_000, shirts, {"colour": "red", "size": "l"}),
        ("SH-3", "Blue shirt", 110_000, shirts, {"colour": "blue", "size": "m"}),
        ("TR-1", "Red trousers", 250_000, top, {"colour": "red"}),
        ("MUG", "Red mug", 20_000, None, {}),
    ]
    for sku, name, amount, shelf, values in goods:
        clock.advance(minutes=1)
        await catalogue.sell(sku, name=name, price=price(amount), categoryId=shelf, attributes=attributes(**values))
    await catalogue.create("DRAFT", name="Red draft", attributes=attributes(colour="red"))
    return catalogue


async def facets_of(catalogue: Catalogue, **filter_: Any) -> dict[str, Any]:
    facets: dict[str, Any] = (await catalogue.data(FACETS, {"filter": filter_}))["products"]["facets"]
    return {
        "total": facets["totalCount"],
        "categories": {each["category"]["name"]: each["count"] for each in facets["categories"]},
        "attributes": {
            each["name"]: {value["value"]: value["count"] for value in each["values"]} for each in facets["attributes"]
        },
        "prices": [(each["from"]["amount"], each["to"]["amount"], each["count"]) for each in facets["priceRanges"]],
        "stock": (facets["inStock"], facets["soldOut"]),
    }


_revisions = count(1)


async def tell_stock(
    catalogue: Catalogue, sku: str, *, available: bool, revision: int | None = None, event_id: str = ""
) -> None:
    """Tell the catalogue as the stock does, of whatever comes after all that was told before unless said otherwise."""
    product_id = (await catalogue.data(f'{{ product(sku: "{sku}") {{ id }} }}', by=STAFF))["product"]["id"]
    runtime = catalogue.subgraph.runtime
    revision = next(_revisions) if revision is None else revision
    payload = {"product_id": product_id, "available": available, "revision": revision}
    event = Event(event_id or new_id("evt"), "StockAvailabilityChanged", product_id, payload, runtime.clock.now())
    handler = catalogue.subgraph.handlers[event.type]
    await handle_once(runtime.client, runtime.database, event, handler)


async def test_facets_count_all_that_a_search_finds_whatever_the_page(shop: Catalogue) -> None:
    assert await facets_of(shop, search="red") == {
        "total": 4,
        "categories": {"Clothes": 3, "Shirts": 2},
        "attributes": {"colour": {"red": 3}, "size": {"m": 1, "l": 1}},
        "prices": [(20_000, 50_000, 1), (50_000, 100_000, 1), (100_000, 200_000, 1), (200_000, 500_000, 1)],
        "stock": (0, 0),
    }


@pytest.mark.parametrize(
    ("filter_", "skus"),
    [
        ({"attributes": [{"name": "colour", "values": ["red"]}]}, ["SH-1", "SH-2", "TR-1"]),
        ({"attributes": [{"name": "colour", "values": ["red", "blue"]}]}, ["SH-1", "SH-2", "SH-3", "TR-1"]),
        (
            {"attributes": [{"name": "colour", "values": ["red"]}, {"name": "size", "values": ["m", "l"]}]},
            ["SH-1", "SH-2"],
        ),
        ({"attributes": [{"name": "colour", "values": ["green"]}]}, []),
        ({"search": "shirt", "attributes": [{"name": "size", "values": ["m"]}]}, ["SH-1", "SH-3"]),
        ({"attributes": [{"name": "size", "values": ["m"]}], "priceMin": price(100_000)}, ["SH-3"]),
        (
            {"attributes": [{"name": "colour", "values": ["red", "blue"]}], "priceMax": price(110_000)},
            ["SH-1", "SH-2", "SH-3"],
        ),
    ],
)
@pytest.mark.parametrize("sort", ["PRICE_ASC", "NAME", "NEWEST"])
async def test_filters_by_attribute_and_their_counts_agree(
    shop: Catalogue, filter_: dict[str, Any], skus: list[str], sort: str
) -> None:
    document = "query($f: ProductFilterInput, $s: ProductSort) { products(filter: $f, sort: $s) { nodes { sku } } }"
    found = (await shop.data(document, {"f": filter_, "s": sort}))["products"]["nodes"]
    assert sorted(node["sku"] for node in found) == skus
    assert (await facets_of(shop, **filter_))["total"] == len(skus)


async def test_a_category_is_narrowed_down_by_attribute(shop: Catalogue) -> None:
    rows = {row["slug"]: row["_id"] for row in await shop.rows("categories")}
    facets = await facets_of(shop, categoryId=rows["shirts"], attributes=[{"name": "colour", "values": ["red"]}])
    assert facets["total"] == 2
    # Those above are counted, too: a shopper goes up as well as down
    assert facets["categories"] == {"Clothes": 2, "Shirts": 2}


@pytest.mark.parametrize(
    ("attributes_", "field"),
    [
        ([{"name": "Not a name", "values": ["x"]}], "filter.attributes.0.name"),
        ([{"name": "colour", "values": []}], "filter.attributes.0.values"),
        ([{"name": "colour", "values": ["x"] * 51}], "filter.attributes.0.values"),
        ([{"name": "colour", "values": ["x"]}] * 11, "filter.attributes"),
    ],
)
async def test_attributes_that_cannot_be_meant_are_refused(
    catalogue: Catalogue, attributes_: list[dict[str, Any]], field: str
) -> None:
    [error] = (await catalogue.ask(FACETS, {"filter": {"attributes": attributes_}}))["errors"]
    assert (error["extensions"]["code"], error["extensions"]["field"]) == ("BAD_USER_INPUT", field)


async def test_facets_of_drafts_are_for_those_who_edit_them(shop: Catalogue) -> None:
    assert await shop.refusals(FACETS, {"filter": {"status": "DRAFT"}}) == ["FORBIDDEN"]
    data = await shop.data(FACETS, {"filter": {"status": "DRAFT"}}, by=STAFF)
    assert data["products"]["facets"]["totalCount"] == 1


async def test_the_stock_says_what_can_be_bought_and_lists_are_filtered_by_it(shop: Catalogue) -> None:
    await tell_stock(shop, "SH-1", available=True)
    await tell_stock(shop, "SH-2", available=False)
    assert await shop.list_skus("filter: {inStock: true}") == ["SH-1"]
    assert await shop.list_skus("filter: {inStock: false}") == ["SH-2"]
    assert (await facets_of(shop, search="shirt"))["stock"] == (1, 1)
    await tell_stock(shop, "SH-1", available=False)
    assert await shop.list_skus("filter: {inStock: true}") == []
    # An edit keeps what the stock has said
    product_id = (await shop.data('{ product(sku: "SH-1") { id } }'))["product"]["id"]
    edit = "mutation($i: EditProductInput!) { editProduct(input: $i) { __typename } }"
    await shop.data(edit, {"i": {"id": product_id, "name": "Crimson shirt"}}, by=STAFF)
    assert (await facets_of(shop, search="shirt"))["stock"] == (0, 2)


async def test_a_second_delivery_of_the_stocks_word_changes_nothing(shop: Catalogue) -> None:
    await tell_stock(shop, "SH-1", available=True, event_id="evt_1")
    await tell_stock(shop, "SH-1", available=False, event_id="evt_2")
    rows = await shop.rows("products")
    await tell_stock(shop, "SH-1", available=True, event_id="evt_1")
    assert await shop.rows("products") == rows


@pytest.mark.parametrize("order", list(permutations([1, 2, 3])))
async def test_in_whatever_order_the_stock_is_heard_its_last_word_holds(
    shop: Catalogue, order: tuple[int, ...]
) -> None:
    first = next(_revisions)
    for number in order:
        # In stock, sold out, and in stock again
        await tell_stock(shop, "SH-1", available=number != 2, revision=first + number)
    assert await shop.list_skus("filter: {inStock: true}") == ["SH-1"]
    rows = await shop.rows("products")
    # Sent again under another id, it is late
    for number in (1, 2, 3):
        await tell_stock(shop, "SH-1", available=number != 2, revision=first + number)
    assert await shop.rows("products") == rows


async def test_the_stock_and_an_editor_at_once_both_keep_what_they_said(shop: Catalogue) -> None:
    product_id = (await shop.data('{ product(sku: "SH-1") { id } }'))["product"]["id"]
    edit = "mutation($i: EditProductInput!) { editProduct(input: $i) { __typename } }"
    answers, _ = await asyncio.gather(
        shop.data(edit, {"i": {"id": product_id, "name": "Crimson shirt"}}, by=STAFF),
        tell_stock(shop, "SH-1", available=True),
    )
    # The editor may be told to try again; the stock never is
    edited = answers["editProduct"]["__typename"] == "Product"
    [row] = [row for row in await shop.rows("products") if row["sku"] == "SH-1"]
    assert (row["in_stock"], row["name"]) == (True, "Crimson shirt" if edited else "Red shirt")


async def test_a_product_is_in_stock_while_any_variant_on_sale_is(catalogue: Catalogue) -> None:
    shirt = await catalogue.sell("SHIRT", options=[{"name": "size", "values": ["s", "m"]}])
    create = "mutation($i: CreateVariantInput!) { createVariant(input: $i) { ... on Product { id } } }"
    ids = {}
    for size in ("s", "m"):
        given = {"productId": shirt, "sku": f"SHIRT-{size}", "choices": [{"name": "size", "value": size}]}
        ids[size] = (await catalogue.data(create, {"i": given}, by=STAFF))["createVariant"]["id"]
    found = ("filter: {inStock: true}", "filter: {inStock: false}")

    async def shown() -> list[list[str]]:
        return [await catalogue.list_skus(each) for each in found]

    # Pieces of the product itself are nothing that can be bought
    await tell_stock(catalogue, "SHIRT", available=True)
    assert await shown() == [[], []]
    await tell_stock(catalogue, "SHIRT-s", available=False)
    assert await shown() == [[], ["SHIRT"]]
    await tell_stock(catalogue, "SHIRT-m", available=True)
    assert await shown() == [["SHIRT"], []]
    archive = "mutation($id: ID!) { archiveProduct(id: $id) { __typename } }"
    await catalogue.data(archive, {"id": ids["m"]}, by=STAFF)
    assert await shown() == [[], ["SHIRT"]]


@pytest.mark.parametrize(
    ("text", "suggestions"),
    [
        ("sh", [("shirt", 3), ("sh", 3), ("sh-1", 1), ("sh-2", 1), ("sh-3", 1)]),
        ("RED tr", [("red tr", 1), ("red tr-1", 1), ("red trousers", 1)]),
        ("blue sh", [("blue sh", 1), ("blue sh-3", 1), ("blue shirt", 1)]),
        ("red dra", []),
        ("", []),
        ("***", []),
        (".*", []),
    ],
)
async def test_suggestions_complete_the_last_word(
    shop: Catalogue, text: str, suggestions: list[tuple[str, int]]
) -> None:
    data = await shop.data("query($t: String!) { searchSuggestions(text: $t) { text productCount } }", {"t": text})
    found = [(each["text"], each["productCount"]) for each in data["searchSuggestions"]]
    assert sorted(found) == sorted(suggestions)
    assert [count for _, count in found] == sorted((count for _, count in found), reverse=True)


@pytest.mark.parametrize(("arguments", "field"), [('text: "a", first: 0', "first"), ('text: "a", first: 21', "first")])
async def test_a_number_of_suggestions_out_of_range_is_refused(
    catalogue: Catalogue, arguments: str, field: str
) -> None:
    [error] = (await catalogue.ask(f"{{ searchSuggestions({arguments}) {{ text }} }}"))["errors"]
    assert (error["extensions"]["code"], error["extensions"]["field"]) == ("BAD_USER_INPUT", field)


async def test_a_list_with_facets_and_their_categories_is_four_queries(shop: Catalogue, commands: CommandLog) -> None:
    commands.clear()
    await shop.data(FACETS, {"filter": {"search": "red"}})
    assert sorted(commands.commands) == [
        "aggregate products",
        "aggregate products",
        "find categories",
        "find products",
    ]


@pytest.mark.parametrize("sort", ["NEWEST", "PRICE_ASC", "PRICE_DESC", "NAME", "RELEVANCE"])
async def test_paging_while_others_insert_shows_what_was_there_once_each(
    catalogue: Catalogue, clock: FixedClock, sort: str
) -> None:
    for number in range(30):
        clock.advance(seconds=1)
        await catalogue.sell(f"OLD-{number:02}", name=f"Cup {number % 7}", price=price(1000 + number * 37 % 500))
    filter_ = ', filter: {search: "cup"}' if sort == "RELEVANCE" else ""
    turned = asyncio.Event()

    async def insert_more() -> int:
        inserted = 0
        while not turned.is_set():
            await catalogue.sell(f"NEW-{inserted:03}", name=f"Cup {inserted % 7}", price=price(1000 + inserted % 500))
            inserted += 1
        return inserted

    inserting = [asyncio.create_task(insert_more())]
    seen: list[str] = []
    cursor: str | None = None
    try:
        while True:
            place = f', after: "{cursor}"' if cursor else ""
            data = await catalogue.data(
                f"{{ products(sort: {sort}, first: 4{filter_}{place}) "
                "{ nodes { sku } pageInfo { endCursor hasNextPage } } }"
            )
            seen += [node["sku"] for node in data["products"]["nodes"]]
            if not data["products"]["pageInfo"]["hasNextPage"] or len(seen) > 400:
                break
            cursor = data["products"]["pageInfo"]["endCursor"]
    finally:
        turned.set()
    [inserted] = await asyncio.gather(*inserting)
    assert inserted > 0
    assert len(seen) == len(set(seen))
    assert {sku for sku in seen if sku.startswith("OLD")} == {f"OLD-{number:02}" for number in range(30)}


async def test_rows_of_an_earlier_version_are_completed_at_start(shop: Catalogue) -> None:
    products = shop.subgraph.runtime.database["products"]
    await tell_stock(shop, "SH-1", available=True)
    before = await shop.rows("products")
    new = {"filter_keys": "", "facet_key": "", "attributes": "", "in_stock": "", "regular_price": ""}
    await products.update_many({}, {"$unset": new})
    await products.create_index("words", name="by_word")
    await shop.subgraph.start()
    after = await shop.rows("products")
    assert [row["facet_key"].split("\n")[:2] for row in after] == [row["facet_key"].split("\n")[:2] for row in before]
    assert [set(row["filter_keys"]) for row in after] == [
        {key for key in row["filter_keys"] if key.startswith("c:")} for row in before
    ]
    wanted = {index.document["name"] for index in ProductDocument.Settings.indexes}
    assert set(await products.index_information()) == {"_id_", *wanted}
