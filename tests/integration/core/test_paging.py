"""Pages of a real collection."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.errors import BadUserInput
from core.mongo import Client, Database
from core.paging import Page, PageRequest, SortOrder, decode_cursor, find_computed_page, find_page, find_pages

START = datetime(2026, 1, 1, tzinfo=UTC)
ORDERS: dict[str, SortOrder] = {
    "ascending": (("group", 1), ("at", 1), ("_id", 1)),
    "descending": (("group", -1), ("at", -1), ("_id", -1)),
    "mixed": (("group", 1), ("at", -1), ("_id", 1)),
    "nested": (("price.amount", 1), ("_id", 1)),
}


@pytest.fixture
async def database(mongo_client: Client, database_prefix: str) -> Database:
    database = mongo_client[f"{database_prefix}paging"]
    rows = [
        {
            "_id": n,
            "shop": f"s{n % 3}",
            "group": n % 4,
            "at": START + timedelta(milliseconds=(n * 7) % 5),
            "price": {"amount": n % 6},
            "text": "x" * 1000,
        }
        for n in range(60)
    ]
    await database["rows"].insert_many(rows)
    await database["rows"].create_index([("shop", 1), ("group", 1), ("at", 1), ("_id", 1)], name="by_shop")
    await database["rows"].create_index([("group", 1), ("at", 1), ("_id", 1)], name="by_group")
    return database


async def read_all(database: Database, query: dict[str, Any], order: SortOrder, size: int, backward: bool) -> list[int]:
    ids: list[int] = []
    request = PageRequest(size, backward)
    while True:
        page = await find_page(database["rows"], query, order, request)
        shown = [row["_id"] for row in page.rows]
        ids = shown + ids if backward else ids + shown
        assert (page.has_previous if not backward else page.has_next) is (request.cursor is not None)
        if not (page.has_previous if backward else page.has_next):
            return ids
        request = PageRequest(size, backward, decode_cursor(page.cursors[0 if backward else -1]))


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("size", [1, 7, 60, 100])
@pytest.mark.parametrize("name", sorted(ORDERS))
async def test_pages_put_together_are_the_sorted_list(database: Database, name: str, size: int, backward: bool) -> None:
    order = ORDERS[name]
    expected = await database["rows"].find({"shop": "s1"}).sort(list(order)).to_list()
    ids = await read_all(database, {"shop": "s1"}, order, size, backward)
    assert ids == [row["_id"] for row in expected]
    assert len(ids) == 20


async def test_a_page_that_is_exactly_full_is_the_last(database: Database) -> None:
    page = await find_page(database["rows"], {"shop": "s1"}, ORDERS["ascending"], PageRequest(20))
    assert (len(page.rows), page.has_next, page.has_previous) == (20, False, False)


async def test_a_page_of_nothing_asks_nothing_and_still_refuses_a_strange_cursor(database: Database) -> None:
    assert await find_page(database["rows"], {}, ORDERS["ascending"], PageRequest(0)) == Page((), (), False, False)
    for request in (PageRequest(0, cursor=(1,)), PageRequest(5, cursor=(1,))):
        with pytest.raises(BadUserInput):
            await find_page(database["rows"], {}, ORDERS["ascending"], request)
        with pytest.raises(BadUserInput):
            await find_computed_page(database["rows"], {}, ORDERS["ascending"], request, computed={})
        with pytest.raises(BadUserInput):
            await find_pages(database["rows"], "shop", ["s1"], ORDERS["ascending"], request)


async def test_a_projection_leaves_the_rest_in_the_database(database: Database) -> None:
    page = await find_page(database["rows"], {}, ORDERS["nested"], PageRequest(1), projection={"price": 1, "shop": 1})
    assert page.rows == ({"_id": 0, "shop": "s0", "price": {"amount": 0}},)


@pytest.mark.parametrize("backward", [False, True])
async def test_many_lists_are_paged_in_one_query_each_like_alone(database: Database, backward: bool) -> None:
    order = ORDERS["mixed"]
    request = PageRequest(6, backward)
    for _ in range(3):
        shops = ["s2", "nothing", "s0", "s2"]
        pages = await find_pages(database["rows"], "shop", shops, order, request, query={"group": {"$gt": 0}})
        alone = await asyncio.gather(
            *(find_page(database["rows"], {"shop": shop, "group": {"$gt": 0}}, order, request) for shop in shops)
        )
        assert pages == list(alone)
        assert pages[1].rows == ()
        request = PageRequest(6, backward, decode_cursor(pages[0].cursors[0 if backward else -1]))


async def test_many_lists_use_the_index_that_one_would(database: Database) -> None:
    await database["rows"].insert_many(
        [{"_id": 1000 + n, "shop": "big", "group": n, "at": START, "price": {"amount": 1}} for n in range(1000)]
    )
    await database.command("profile", 2)
    try:
        pages = await find_pages(database["rows"], "shop", ["big", "s1"], ORDERS["ascending"], PageRequest(10))
    finally:
        await database.command("profile", 0)
    assert [len(page.rows) for page in pages] == [10, 10]
    [work] = await database["system.profile"].find({"op": "command", "command.aggregate": 1}).to_list()
    assert work["docsExamined"] == 22
    assert work["keysExamined"] == 22


@pytest.mark.parametrize("backward", [False, True])
async def test_a_computed_order_is_paged_like_a_stored_one(database: Database, backward: bool) -> None:
    order: SortOrder = (("rest", -1), ("_id", 1))
    computed = {"rest": {"$divide": [{"$mod": ["$_id", 7]}, 3]}}
    ids: list[int] = []
    request = PageRequest(8, backward)
    while True:
        page = await find_computed_page(
            database["rows"], {"shop": "s1"}, order, request, computed=computed, projection={"text": 0}
        )
        assert all("text" not in row for row in page.rows)
        shown = [row["_id"] for row in page.rows]
        ids = shown + ids if backward else ids + shown
        if not (page.has_previous if backward else page.has_next):
            break
        request = PageRequest(8, backward, decode_cursor(page.cursors[0 if backward else -1]))
    assert ids == sorted((n for n in range(60) if n % 3 == 1), key=lambda n: (-(n % 7), n))
