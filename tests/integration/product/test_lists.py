"""Product lists: filters, sorts, search and pages, and that an index serves them."""

from collections.abc import Iterable

import pytest

from core.identity import ANONYMOUS, Identity
from core.money import Money
from subgraphs.product.bulk import insert_categories, insert_products
from subgraphs.product.model import Category, Product, ProductStatus
from tests.integration.product.conftest import Catalogue
from tests.testkit.callers import CUSTOMER, ORDER_SERVICE, STAFF
from tests.testkit.clock import FixedClock
from tests.testkit.commands import CommandLog


def price(amount: int, currency: str = "IDR") -> dict[str, str]:
    return {"decimal": str(amount), "currency": currency}


@pytest.fixture
async def shop(catalogue: Catalogue, clock: FixedClock) -> Catalogue:
    """A catalogue of six products on sale, added one minute apart."""
    top = await catalogue.shelve("Electronics")
    mice = await catalogue.shelve("Mice", top)
    goods: list[tuple[str, str, int, str, str | None]] = [
        ("MO-1", "Wireless Mouse", 150_000, "Quiet and small", mice),
        ("MO-2", "Gaming mouse", 300_000, "Works wireless too", mice),
        ("KB-10", "Keyboard", 150_000, "Mechanical", top),
        ("KB-2", "Café keyboard", 90_000, "Spill proof", top),
        ("SH-1", "running shoes", 700_000, "Light", None),
        ("PAD", "Mousepad", 50_000, "For a mouse", None),
    ]
    for sku, name, amount, description, shelf in goods:
        clock.advance(minutes=1)
        await catalogue.sell(sku, name=name, description=description, price=price(amount), categoryId=shelf)
    await catalogue.create("DRAFT", name="Mouse of tomorrow")
    return catalogue


async def list_pages(catalogue: Catalogue, arguments: str, size: int, *, backward: bool = False) -> list[list[str]]:
    """Return the skus of all pages, read one after the other in the given direction."""
    count, mark, edge, more = (
        ("last", "before", "startCursor", "hasPreviousPage")
        if backward
        else ("first", "after", "endCursor", "hasNextPage")
    )
    pages, cursor = [], None
    while True:
        place = f', {mark}: "{cursor}"' if cursor else ""
        data = await catalogue.data(
            f"{{ products({arguments}, {count}: {size}{place}) {{ nodes {{ sku }} edges {{ cursor node {{ sku }} }} "
            f"pageInfo {{ {edge} {more} }} }} }}"
        )
        products = data["products"]
        assert [edge["node"] for edge in products["edges"]] == products["nodes"]
        pages.append([node["sku"] for node in products["nodes"]])
        if not products["pageInfo"][more]:
            return pages
        cursor = products["pageInfo"][edge]


def joined(pages: Iterable[list[str]]) -> list[str]:
    return [sku for page in pages for sku in page]


@pytest.mark.parametrize(
    ("sort", "skus"),
    [
        ("NEWEST", ["PAD", "SH-1", "KB-2", "KB-10", "MO-2", "MO-1"]),
        ("PRICE_ASC", ["PAD", "KB-2", "MO-1", "KB-10", "MO-2", "SH-1"]),
        ("PRICE_DESC", ["SH-1", "MO-2", "KB-10", "MO-1", "KB-2", "PAD"]),
        ("NAME", ["KB-2", "MO-2", "KB-10", "PAD", "SH-1", "MO-1"]),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 4, 6, 7])
async def test_pages_put_together_are_the_list_in_both_directions(
    shop: Catalogue, sort: str, skus: list[str], size: int
) -> None:
    forward = await list_pages(shop, f"sort: {sort}", size)
    assert joined(forward) == skus
    assert len(forward) == -(-6 // size)
    backward = await list_pages(shop, f"sort: {sort}", size, backward=True)
    assert joined(reversed(backward)) == skus


async def test_the_newest_come_first_unless_said_otherwise(shop: Catalogue) -> None:
    assert await shop.list_skus() == ["PAD", "SH-1", "KB-2", "KB-10", "MO-2", "MO-1"]


async def test_a_page_stays_right_while_products_are_added_and_archived(shop: Catalogue) -> None:
    data = await shop.data("{ products(sort: PRICE_ASC, first: 2) { pageInfo { endCursor } } }")
    cursor = data["products"]["pageInfo"]["endCursor"]
    await shop.sell("CHEAP", price=price(1))
    await shop.sell("NEXT", price=price(100_000))
    found = (await shop.data('{ product(sku: "KB-2") { id } }'))["product"]["id"]
    await shop.data("mutation($id: ID!) { archiveProduct(id: $id) { __typename } }", {"id": found}, by=STAFF)
    assert await shop.list_skus(f'sort: PRICE_ASC, first: 2, after: "{cursor}"') == ["NEXT", "MO-1"]


@pytest.mark.parametrize(
    ("filter_", "skus"),
    [
        ("{}", ["PAD", "KB-2", "MO-1", "KB-10", "MO-2", "SH-1"]),
        ('{priceMin: {decimal: "150000", currency: "IDR"}}', ["MO-1", "KB-10", "MO-2", "SH-1"]),
        ('{priceMax: {decimal: "150000", currency: "IDR"}}', ["PAD", "KB-2", "MO-1", "KB-10"]),
        (
            '{priceMin: {decimal: "90000", currency: "IDR"}, priceMax: {decimal: "299999", currency: "IDR"}}',
            ["KB-2", "MO-1", "KB-10"],
        ),
        ('{priceMin: {decimal: "1", currency: "USD"}}', []),
        ('{search: "mouse"}', ["PAD", "MO-1", "MO-2"]),
        ('{search: "wireless"}', ["MO-1", "MO-2"]),
        ('{search: "wireless mouse"}', ["MO-1", "MO-2"]),
        ('{search: "MOUSE wireless quiet"}', ["MO-1"]),
        ('{search: "keyb"}', ["KB-2", "KB-10"]),
        ('{search: "cafe"}', ["KB-2"]),
        ('{search: "CAFÉ keyb"}', ["KB-2"]),
        ('{search: "kb-1"}', ["KB-10"]),
        ('{search: "kb-"}', ["KB-2", "KB-10"]),
        ('{search: "ouse"}', []),
        ('{search: "-mouse"}', ["PAD", "MO-1", "MO-2"]),
        ('{search: "nothing like it"}', []),
        ('{search: "***"}', []),
        ('{search: "   "}', ["PAD", "KB-2", "MO-1", "KB-10", "MO-2", "SH-1"]),
        ('{search: ".*"}', []),
        (
            '{search: "mouse", priceMin: {decimal: "100000", currency: "IDR"}, '
            'priceMax: {decimal: "200000", currency: "IDR"}}',
            ["MO-1"],
        ),
    ],
)
async def test_filters(shop: Catalogue, filter_: str, skus: list[str]) -> None:
    assert await shop.list_skus(f"sort: PRICE_ASC, filter: {filter_}") == skus
    assert joined(await list_pages(shop, f"sort: PRICE_ASC, filter: {filter_}", 2)) == skus


async def test_a_category_holds_what_stands_below_it(shop: Catalogue) -> None:
    rows = {row["slug"]: row["_id"] for row in await shop.rows("categories")}
    assert await shop.list_skus(f'sort: PRICE_ASC, filter: {{categoryId: "{rows["electronics"]}"}}') == [
        "KB-2",
        "MO-1",
        "KB-10",
        "MO-2",
    ]
    mice = rows["mice"]
    assert await shop.list_skus(f'sort: NAME, filter: {{categoryId: "{mice}"}}') == ["MO-2", "MO-1"]
    assert await shop.list_skus(f'filter: {{categoryId: "{mice}", search: "gam"}}') == ["MO-2"]
    assert await shop.list_skus('filter: {categoryId: "cat_none"}') == []


async def test_a_search_shows_the_best_match_first_in_pages_of_any_size(shop: Catalogue) -> None:
    # A name says more than a description; what only begins with the word comes last
    assert await shop.list_skus('filter: {search: "wireless"}') == ["MO-1", "MO-2"]
    whole = await shop.list_skus('filter: {search: "mouse"}')
    assert sorted(whole) == ["MO-1", "MO-2", "PAD"]
    assert whole[2] == "PAD"
    for size in (1, 2):
        assert joined(await list_pages(shop, 'filter: {search: "mouse"}', size)) == whole
        backward = await list_pages(shop, 'filter: {search: "mouse"}', size, backward=True)
        assert joined(reversed(backward)) == whole


@pytest.mark.parametrize("by", [ANONYMOUS, CUSTOMER])
async def test_other_states_are_listed_for_those_who_edit_them(shop: Catalogue, by: Identity) -> None:
    document = "query($s: ProductStatus) { products(filter: {status: $s}) { nodes { sku } } }"
    assert await shop.refusals(document, {"s": "DRAFT"}, by=by) == ["FORBIDDEN"]
    assert await shop.refusals(document, {"s": "ARCHIVED"}, by=by) == ["FORBIDDEN"]
    assert len((await shop.data(document, {"s": "ACTIVE"}, by=by))["products"]["nodes"]) == 6
    for allowed in (STAFF, ORDER_SERVICE):
        data = await shop.data(document, {"s": "DRAFT"}, by=allowed)
        assert data["products"]["nodes"] == [{"sku": "DRAFT"}]


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ("first: -1", "first"),
        ("first: 101", "first"),
        ("last: -1", "last"),
        ("first: 1, last: 1", "first"),
        ('after: "no cursor"', "after"),
        ('before: "no cursor"', "before"),
        ("sort: RELEVANCE", "sort"),
        ('filter: {priceMin: {decimal: "1.5", currency: "IDR"}}', "filter.priceMin"),
        (
            'filter: {priceMin: {decimal: "1", currency: "IDR"}, priceMax: {decimal: "1", currency: "USD"}}',
            "filter.priceMax",
        ),
        ('filter: {search: "' + "x" * 201 + '"}', "filter.search"),
        ('filter: {search: "a b c d e f g h i j k"}', "filter.search"),
    ],
)
async def test_a_list_that_cannot_be_meant_is_refused_by_argument(
    catalogue: Catalogue, arguments: str, field: str
) -> None:
    response = await catalogue.ask(f"{{ products({arguments}) {{ nodes {{ sku }} }} }}")
    [error] = response["errors"]
    assert (error["extensions"]["code"], error["extensions"]["field"]) == ("BAD_USER_INPUT", field)


async def test_a_cursor_of_another_order_is_refused(shop: Catalogue) -> None:
    data = await shop.data("{ stray: categories { products(first: 1) { pageInfo { endCursor } } } }")
    assert data["stray"]
    first = await shop.data('{ products(filter: {search: "mouse"}, first: 1) { pageInfo { endCursor } } }')
    cursor = first["products"]["pageInfo"]["endCursor"]
    # It fits in shape, not in kind: nothing is found, and nothing breaks
    assert await shop.list_skus(f'sort: NAME, after: "{cursor}"') == []


async def test_a_list_with_categories_is_three_queries(shop: Catalogue, commands: CommandLog) -> None:
    commands.clear()
    await shop.data("{ products { nodes { sku category { name parent { name } } } } }")
    # One of them looks whether something falls due that a job has not written down
    assert commands.commands == ["find products", "find products", "find categories"]


def product(number: int, clock: FixedClock, category: Category | None) -> Product:
    return Product(
        id=f"prd_{number:06}",
        sku=f"S-{number}",
        slug=f"p-{number}",
        name=f"Thing {number}",
        description="",
        price=Money(1 + number % 50, "IDR"),
        category_id=category.id if category else None,
        images=(),
        status=ProductStatus.ACTIVE if number % 10 else ProductStatus.DRAFT,
        weight_grams=0,
        created_at=clock.now(),
        updated_at=clock.now(),
    )


@pytest.mark.parametrize("in_category", [False, True])
@pytest.mark.parametrize("sort", ["NEWEST", "PRICE_ASC", "PRICE_DESC", "NAME"])
async def test_a_page_in_the_middle_reads_about_as_many_rows_as_it_shows(
    catalogue: Catalogue, clock: FixedClock, sort: str, in_category: bool
) -> None:
    shelf = Category("cat_1", "shelf", "Shelf", ("cat_1",), clock.now())
    assert await insert_categories(catalogue.subgraph.runtime.database, [shelf]) == 1
    goods = ((product(n, clock, shelf if n % 2 else None), shelf if n % 2 else None) for n in range(2000))
    assert await insert_products(catalogue.subgraph.runtime.database, goods) == 2000
    filter_ = ', filter: {categoryId: "cat_1"}' if in_category else ""
    half = await catalogue.data(f"{{ products(sort: {sort}, first: 100{filter_}) {{ pageInfo {{ endCursor }} }} }}")
    cursor = half["products"]["pageInfo"]["endCursor"]
    database = catalogue.subgraph.runtime.database
    await database.command("profile", 2)
    try:
        shown = await catalogue.list_skus(f'sort: {sort}, first: 50, after: "{cursor}"{filter_}')
    finally:
        await database.command("profile", 0)
    assert len(shown) == 50
    [work] = await database["system.profile"].find({"op": "query", "command.limit": 51}).to_list()
    assert work["docsExamined"] == 51
    assert not work.get("hasSortStage", False)
    assert work["keysExamined"] <= 53


async def test_bulk_rows_equal_those_of_the_service(catalogue: Catalogue, clock: FixedClock) -> None:
    id_ = await catalogue.sell("KB-1", name="Keyboard")
    [single] = await catalogue.rows("products")
    bulk = Product(
        id="prd_bulk",
        sku="KB-2",
        slug="keyboard-2",
        name="Keyboard",
        description="",
        price=Money(15000, "IDR"),
        category_id=None,
        images=(),
        status=ProductStatus.ACTIVE,
        weight_grams=0,
        created_at=clock.now(),
        updated_at=clock.now(),
        version=2,
    )
    await insert_products(catalogue.subgraph.runtime.database, [(bulk, None)])
    other = next(row for row in await catalogue.rows("products") if row["_id"] != id_)
    assert {**other, "_id": id_, "sku": "KB-1", "slug": "keyboard", "words": single["words"]} == single
