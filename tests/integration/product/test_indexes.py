"""Every query of the catalogue reads by an index, in its order."""

from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import product as combinations
from typing import Any

import pytest

from core.mongo import Client, connect
from core.settings import Settings
from core.subgraph import Call
from subgraphs.product import app
from subgraphs.product.context import ProductContext
from tests.integration.product.conftest import Catalogue
from tests.testkit.callers import STAFF
from tests.testkit.clock import FixedClock
from tests.testkit.explained import SentCommands, find_unindexed
from tests.testkit.pictures import picture
from tests.testkit.store import build_runtime

SENT = SentCommands()


@pytest.fixture(scope="session")
async def listened(mongo_uri: str) -> AsyncIterator[Client]:
    client = connect(mongo_uri, listeners=[SENT])
    yield client
    await client.close()


@pytest.fixture
async def watched(listened: Client, store_settings: Settings, clock: FixedClock) -> Catalogue:
    subgraph = app.build(build_runtime(app.NAME, listened, store_settings, clock=clock))
    await subgraph.start()
    catalogue = Catalogue(subgraph)
    shelf = await catalogue.shelve("Cups", await catalogue.shelve("Kitchen"))
    for number in range(8):
        clock.advance(minutes=1)
        await catalogue.sell(
            f"CUP-{number}",
            name=f"Cup {number}",
            categoryId=shelf,
            attributes=[{"name": "colour", "value": "red" if number % 2 else "blue"}],
        )
    SENT.clear()
    return catalogue


def price(amount: int) -> dict[str, str]:
    return {"decimal": str(amount), "currency": "IDR"}


FILTERS: list[dict[str, Any]] = [
    {},
    {"categoryId": "%(shelf)s"},
    {"attributes": [{"name": "colour", "values": ["red"]}]},
    {"attributes": [{"name": "colour", "values": ["red", "blue"]}]},
    {"categoryId": "%(shelf)s", "attributes": [{"name": "colour", "values": ["red", "blue"]}]},
    {"inStock": True},
    {"priceMin": price(1000)},
    {"priceMin": price(1000), "priceMax": price(20000)},
    {"categoryId": "%(shelf)s", "priceMax": price(20000)},
    {"status": "DRAFT"},
]


async def list_everything(catalogue: Catalogue, filters: list[dict[str, Any]], sorts: list[str]) -> None:
    rows = {row["slug"]: row["_id"] for row in await catalogue.subgraph.runtime.database["categories"].find().to_list()}
    SENT.clear()
    document = """query($f: ProductFilterInput, $s: ProductSort, $a: String) {
      products(filter: $f, sort: $s, first: 2, after: $a) { pageInfo { endCursor } facets { totalCount } } }"""
    for filter_, sort in combinations(filters, sorts):
        given = {key: rows["cups"] if value == "%(shelf)s" else value for key, value in filter_.items()}
        data = await catalogue.data(document, {"f": given, "s": sort}, by=STAFF)
        cursor = data["products"]["pageInfo"]["endCursor"]
        if cursor is not None:
            await catalogue.data(document, {"f": given, "s": sort, "a": cursor}, by=STAFF)


async def test_every_list_is_read_in_its_order_by_an_index(watched: Catalogue, mongo_client: Client) -> None:
    await list_everything(watched, FILTERS, ["NEWEST", "PRICE_ASC", "PRICE_DESC", "NAME"])
    assert len(SENT.sent) > 100
    assert [str(each) for each in await find_unindexed(mongo_client, SENT)] == []


async def test_a_search_is_read_by_an_index_and_only_what_it_finds_is_sorted(
    watched: Catalogue, mongo_client: Client
) -> None:
    searches: list[dict[str, Any]] = [
        {"search": "cup"},
        {"search": "cu"},
        {"search": "cup-1"},
        {"search": "red cup", "inStock": True},
    ]
    await list_everything(watched, searches, ["RELEVANCE", "NEWEST", "PRICE_ASC", "PRICE_DESC", "NAME"])
    found = await find_unindexed(mongo_client, SENT)
    assert {each.stages for each in found} == {("SORT",)}


async def test_every_other_query_and_change_is_found_by_an_index(
    watched: Catalogue, mongo_client: Client, clock: FixedClock
) -> None:
    data = await watched.data(
        """{ categories { id slug parent { name } products(first: 2) { nodes { sku category { name } } } }
             product(slug: "cup-1") { id } searchSuggestions(text: "blue cu") { text } }"""
    )
    product_id, category = data["product"]["id"], data["categories"][0]
    await watched.data(f'{{ category(slug: "{category["slug"]}") {{ id }} product(sku: "CUP-2") {{ id }} }}')
    clock.advance(minutes=1)
    edit = "mutation($i: EditProductInput!) { editProduct(input: $i) { __typename } }"
    await watched.data(edit, {"i": {"id": product_id, "name": "Mug"}}, by=STAFF)
    await watched.data("mutation($id: ID!) { archiveProduct(id: $id) { __typename } }", {"id": product_id}, by=STAFF)
    for job in watched.subgraph.jobs:
        await job.run(clock.now() + timedelta(days=1))
    assert {each.name for each in SENT.sent} >= {"find categories", "find products", "update products"}
    assert [str(each) for each in await find_unindexed(mongo_client, SENT)] == []


async def test_what_is_asked_of_uploads_and_pictures_is_found_by_an_index(
    watched: Catalogue, mongo_client: Client, clock: FixedClock
) -> None:
    product_id = (await watched.data('{ product(sku: "CUP-1") { id } }'))["product"]["id"]
    context = watched.subgraph.context(Call(identity=STAFF, trusted=True))
    assert isinstance(context, ProductContext)
    images, uploads, now = context.images, context.uploads, clock.now()
    content = picture((20, 10), format_="PNG")

    async def chunks() -> AsyncIterator[bytes]:
        yield content

    SENT.clear()
    upload, token = await uploads.request_upload(product_id, "image/png", len(content), by=STAFF)
    await uploads.receive(token, chunks())
    product = await images.attach_image(upload.id, "", None, by=STAFF)
    [image] = product.images
    edit = "mutation($i: EditProductInput!) { editProduct(input: $i) { __typename } }"
    again = {"url": image.address(context.media.public_url), "altText": "again"}
    await watched.data(edit, {"i": {"id": product_id, "images": [again]}}, by=STAFF)
    await images.remove_image(product_id, image.id, by=STAFF)
    await uploads.remove_expired(now + timedelta(days=2))
    await images.remove_unused(now + timedelta(days=2))
    assert await watched.rows("pictures") == await watched.rows("image_uploads") == []
    names = {each.name for each in SENT.sent}
    assert names >= {"find image_uploads", "aggregate image_uploads", "update image_uploads", "delete image_uploads"}
    assert names >= {"find pictures", "update pictures", "delete pictures"}
    assert any("images.picture_id" in str(each.command) for each in SENT.sent if each.name == "find products")
    assert [str(each) for each in await find_unindexed(mongo_client, SENT)] == []


async def test_the_check_itself_finds_what_has_no_index(watched: Catalogue, mongo_client: Client) -> None:
    products = watched.subgraph.runtime.database["products"]
    await products.find({"description": "x"}).to_list()
    await products.find({"sku": {"$gt": "A"}}).sort("weight_grams").to_list()
    await products.update_one({"description": "x"}, {"$set": {"description": "y"}})
    await (await products.aggregate([{"$group": {"_id": "$description"}}, {"$sort": {"_id": 1}}])).to_list()
    found = await find_unindexed(mongo_client, SENT)
    assert [(each.command, each.stages) for each in found] == [
        ("find products", ("COLLSCAN",)),
        ("find products", ("SORT",)),
        ("update products", ("COLLSCAN",)),
        ("aggregate products", ("COLLSCAN", "SORT")),
    ]


async def test_variants_moves_prices_schedules_and_exports_are_found_by_an_index(
    watched: Catalogue, mongo_client: Client, clock: FixedClock
) -> None:
    shirt = await watched.sell("SHIRT", options=[{"name": "size", "values": ["s"]}])
    variant = {"productId": shirt, "sku": "SHIRT-S", "choices": [{"name": "size", "value": "s"}]}
    shelves = {row["slug"]: row["_id"] for row in await watched.rows("categories")}
    label = {"name": "width", "label": "Width", "type": "NUMBER"}
    sale = {"code": "SALE", "name": "Sale", "currency": "IDR", "validFrom": "2026-11-01T12:00:00Z"}
    off = "2026-11-02T00:00:00Z"
    steps: list[tuple[str, dict[str, Any]]] = [
        ("mutation($i: CreateVariantInput!) { createVariant(input: $i) { __typename } }", {"i": variant}),
        (
            "mutation($i: EditProductInput!) { editProduct(input: $i) { __typename } }",
            {"i": {"id": shirt, "slug": "t"}},
        ),
        ('{ product(slug: "product-shirt") { variants { sku parent { sku } } } }', {}),
        (
            "mutation($i: EditCategoryInput!) { editCategory(input: $i) { __typename } }",
            {"i": {"id": shelves["cups"], "slug": "mugs"}},
        ),
        ('{ category(slug: "cups") { ancestors { id } attributes { name } } }', {}),
        ("mutation($id: ID!) { moveCategory(id: $id, parentId: null) { __typename } }", {"id": shelves["cups"]}),
        (
            "mutation($id: ID!, $a: [CategoryAttributeInput!]!) { setCategoryAttributes(id: $id, attributes: $a) "
            "{ __typename } }",
            {"id": shelves["cups"], "a": [label]},
        ),
        ("mutation($i: CreatePriceListInput!) { createPriceList(input: $i) { __typename } }", {"i": sale}),
        (
            'mutation($p: [ListPriceInput!]!) { setListPrices(code: "SALE", prices: $p) { __typename } }',
            {"p": [{"productId": shirt, "amount": 5}]},
        ),
        (
            "mutation($id: ID!, $off: DateTime) { scheduleProduct(id: $id, unpublishAt: $off) { __typename } }",
            {"id": shirt, "off": off},
        ),
        ('mutation($off: DateTime) { endPriceList(code: "SALE", at: $off) { __typename } }', {"off": off}),
        ("{ priceLists { code } }", {}),
        ("mutation($id: ID!) { deleteProduct(id: $id) { __typename } }", {"id": shirt}),
        ("mutation($id: ID!) { restoreProduct(id: $id) { __typename } }", {"id": shirt}),
    ]
    SENT.clear()
    for document, variables in steps:
        for result in (await watched.data(document, variables, by=STAFF)).values():
            assert not str(result).count("Problem"), (document, result)
    clock.advance(days=2)
    for job in watched.subgraph.jobs:
        await job.run(clock.now())
    repository = app.build_service(watched.subgraph.runtime).repository
    assert len([family async for family in repository.iterate_families()]) == 9
    collections = {each.name.split()[1] for each in SENT.sent}
    assert collections >= {"products", "categories", "slug_redirects", "refilings", "category_tree", "price_lists"}
    assert [str(each) for each in await find_unindexed(mongo_client, SENT)] == []
