"""Reports by day, year, product and category, and what an answer costs that many want or that may be a little old."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from core.cache import Cache, open_cache
from core.mongo import Database
from subgraphs.order.repository import OrderRepository
from subgraphs.order.rollup_repository import TOTALS, RollupRepository
from subgraphs.order.totals import TotalsReader
from subgraphs.order.totals_model import TotalsSource
from subgraphs.product.bulk import insert_categories
from subgraphs.product.model import Category
from tests.integration.order.test_totals import import_orders, months_of, open_reader, past_order
from tests.testkit.commands import CommandLog
from tests.testkit.redis_server import RedisServer
from tests.testkit.shop import ANI, BUDI, STAFF, Shop

DAILY = """
query($from: Date!, $to: Date!, $timezone: String, $productId: ID, $categoryId: ID) {
  dailyOrderTotals(from: $from, to: $to, timezone: $timezone, productId: $productId, categoryId: $categoryId) {
    asOf servedFrom days { date orderCount quantity revenue { amount } averageOrderValue { amount } }
  }
}
"""
YEARLY = """
query($from: Int!, $to: Int!, $timezone: String) {
  yearlyOrderTotals(from: $from, to: $to, timezone: $timezone) {
    servedFrom years { year orderCount quantity revenue { amount } averageOrderValue { amount } }
  }
}
"""
TOP = """
query($month: YearMonth!, $by: TopProductsOrder! = REVENUE, $first: Int! = 10, $timezone: String) {
  topProducts(month: $month, by: $by, first: $first, timezone: $timezone) {
    servedFrom products { productId product { id } orderCount quantity revenue { amount } }
  }
}
"""
GROWTH = """
query($from: YearMonth!, $to: YearMonth!) {
  monthlyOrderTotals(from: $from, to: $to, timezone: "UTC") {
    servedFrom months { ...Grown }
  }
}
fragment Grown on MonthlyOrderTotal {
  month
  ... on MonthlyOrderTotal { change: growth { orderCount quantity revenue } }
}
"""
MONTHLY_OF_CATEGORY = """
query($categoryId: ID!, $productId: ID) {
  monthlyOrderTotals(from: "2027-03", to: "2027-03", categoryId: $categoryId, productId: $productId) {
    servedFrom months { orderCount quantity revenue { amount } }
  }
}
"""


@pytest.fixture
def database(shop: Shop) -> Database:
    return shop.subgraphs["order"].runtime.database


@pytest.fixture
async def redis_server(tmp_path: Path) -> AsyncIterator[RedisServer]:
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.stop()


async def test_days_are_those_of_the_timezone_and_all_of_them_are_there(shop: Shop) -> None:
    await import_orders(
        shop,
        [
            # 23:59 and 00:00 in Kathmandu, at +05:45
            past_order(1, datetime(2024, 2, 28, 18, 14, tzinfo=UTC), ("prd_cup", 2, 1000)),
            past_order(2, datetime(2024, 2, 28, 18, 15, tzinfo=UTC), ("prd_cup", 1, 1000)),
            past_order(3, datetime(2024, 2, 29, 3, tzinfo=UTC), ("prd_cup", 1, 1501)),
        ],
    )
    variables = {"from": "2024-02-28", "to": "2024-03-01", "timezone": "Asia/Kathmandu"}
    answer = (await shop.order.data(DAILY, variables, by=STAFF))["dailyOrderTotals"]
    assert [
        (day["date"], day["orderCount"], day["quantity"], day["revenue"]["amount"], day["averageOrderValue"]["amount"])
        for day in answer["days"]
    ] == [("2024-02-28", 1, 2, 2000, 2000), ("2024-02-29", 2, 2, 2501, 1251), ("2024-03-01", 0, 0, 0, 0)]
    assert (answer["asOf"], answer["servedFrom"]) == ("2027-03-01T03:00:00.000Z", "ROLLUP")
    again = (await shop.order.data(DAILY, variables, by=STAFF))["dailyOrderTotals"]
    assert again == {**answer, "servedFrom": "CACHE"}


async def test_a_day_that_a_zone_skipped_has_no_orders(shop: Shop) -> None:
    variables = {"from": "2011-12-30", "to": "2011-12-30", "timezone": "Pacific/Apia"}
    answer = (await shop.order.data(DAILY, variables, by=STAFF))["dailyOrderTotals"]
    assert [(day["date"], day["orderCount"]) for day in answer["days"]] == [("2011-12-30", 0)]


async def test_years_are_those_of_the_timezone(shop: Shop) -> None:
    eve = datetime(2023, 12, 31, 17, tzinfo=UTC)
    await import_orders(shop, [past_order(1, eve - timedelta(milliseconds=1)), past_order(2, eve)])
    for zone, counts in (("Asia/Jakarta", [1, 1]), ("UTC", [2, 0])):
        answer = await shop.order.data(YEARLY, {"from": 2023, "to": 2024, "timezone": zone}, by=STAFF)
        assert [(year["year"], year["orderCount"]) for year in answer["yearlyOrderTotals"]["years"]] == list(
            zip((2023, 2024), counts, strict=True)
        )


@pytest.mark.parametrize(
    ("document", "variables", "field"),
    [
        (DAILY, {"from": "2024-02-02", "to": "2024-02-01"}, "to"),
        (DAILY, {"from": "2024-01-01", "to": "2025-02-04"}, "to"),
        (DAILY, {"from": "0001-01-01", "to": "0001-02-01"}, "from"),
        (YEARLY, {"from": 2024, "to": 2023}, "to"),
        (YEARLY, {"from": 1950, "to": 2000}, "to"),
        (YEARLY, {"from": 2000, "to": 9999}, "to"),
        (YEARLY, {"from": -1, "to": 3}, "from"),
        (TOP, {"month": "2024-01", "first": 0}, "first"),
        (TOP, {"month": "2024-01", "first": 101}, "first"),
        (TOP, {"month": "0001-01"}, "from"),
        (TOP, {"month": "2024-01", "timezone": "Mars/Olympus"}, "timezone"),
    ],
)
async def test_what_cannot_be_answered_is_refused_and_costs_nothing(
    shop: Shop, commands: CommandLog, document: str, variables: dict[str, Any], field: str
) -> None:
    commands.clear()
    (error,) = (await shop.order.ask(document, variables, by=STAFF))["errors"]
    assert (error["extensions"]["code"], error["extensions"]["field"]) == ("BAD_USER_INPUT", field)
    assert commands.commands == []


@pytest.mark.parametrize("text", ["2024-02-30", "20240201", "2024-W05-1", "2024-2-1", ""])
async def test_a_date_that_is_none_is_refused(shop: Shop, text: str) -> None:
    (error,) = (await shop.order.ask(DAILY, {"from": text, "to": "2024-02-01"}, by=STAFF))["errors"]
    assert error["extensions"]["code"] in ("BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED")
    assert "is not a date such as 2026-11-24" in error["message"]


async def test_every_report_is_for_those_who_may_read_it(shop: Shop, commands: CommandLog) -> None:
    asked = (
        (DAILY, {"from": "2024-01-01", "to": "2024-01-01"}),
        (YEARLY, {"from": 2024, "to": 2024}),
        (TOP, {"month": "2024-01"}),
    )
    commands.clear()
    for document, variables in asked:
        assert await shop.order.refusals(document, variables) == ["UNAUTHENTICATED"]
        assert await shop.order.refusals(document, variables, by=BUDI) == ["FORBIDDEN"]
    assert commands.commands == []


async def test_growth_is_against_the_month_before_also_of_the_first(shop: Shop) -> None:
    for number, month in enumerate((1, 1, 2, 2, 2, 4)):
        await import_orders(shop, [past_order(number, datetime(2024, month, 10, tzinfo=UTC), ("prd_cup", month, 500))])
    answer = (await shop.order.data(GROWTH, {"from": "2024-02", "to": "2024-05"}, by=STAFF))["monthlyOrderTotals"]
    assert {month["month"]: month["change"] for month in answer["months"]} == {
        2: {"orderCount": 0.5, "quantity": 2.0, "revenue": 2.0},
        3: {"orderCount": -1.0, "quantity": -1.0, "revenue": -1.0},
        4: {"orderCount": None, "quantity": None, "revenue": None},
        5: {"orderCount": -1.0, "quantity": -1.0, "revenue": -1.0},
    }


async def test_a_report_without_growth_does_not_depend_on_the_month_before(shop: Shop) -> None:
    await import_orders(shop, [past_order(1, datetime(2024, 2, 10, tzinfo=UTC))])
    plain = GROWTH.replace("change: growth { orderCount quantity revenue }", "orderCount")
    variables = {"from": "2024-02", "to": "2024-02"}
    await shop.order.data(plain, variables, by=STAFF)
    await shop.order.data(GROWTH, variables, by=STAFF)
    await import_orders(shop, [past_order(2, datetime(2024, 1, 10, tzinfo=UTC))])
    for document, served_from in ((plain, "CACHE"), (GROWTH, "ROLLUP")):
        answer = (await shop.order.data(document, variables, by=STAFF))["monthlyOrderTotals"]
        assert answer["servedFrom"] == served_from


async def test_top_products_are_ranked_as_asked_and_equal_ones_by_their_id(shop: Shop, database: Database) -> None:
    at = datetime(2024, 1, 10, tzinfo=UTC)
    await import_orders(
        shop,
        [
            past_order(1, at, ("prd_cup", 1, 500), ("prd_teapot", 1, 9000), shipping_amount=700),
            past_order(2, at, ("prd_cup", 2, 500), ("prd_cup", 1, 500)),
            past_order(3, at, ("prd_tray", 9, 500)),
            past_order(4, at, ("prd_mat", 1, 500)),
            past_order(5, at, ("prd_jar", 1, 500)),
            past_order(6, at + timedelta(days=30), ("prd_mat", 99, 500)),
        ],
    )
    expected = {
        "REVENUE": ["prd_teapot", "prd_tray", "prd_cup", "prd_jar", "prd_mat"],
        "QUANTITY": ["prd_tray", "prd_cup", "prd_jar", "prd_mat", "prd_teapot"],
        "ORDER_COUNT": ["prd_cup", "prd_jar", "prd_mat", "prd_teapot", "prd_tray"],
    }
    for served_from in ("ROLLUP", "CACHE", "AGGREGATION"):
        if served_from == "AGGREGATION":
            await database.drop_collection(TOTALS)
        for by, ids in expected.items():
            answer = (await shop.order.data(TOP, {"month": "2024-01", "by": by, "first": 5}, by=STAFF))["topProducts"]
            assert (answer["servedFrom"], [row["productId"] for row in answer["products"]]) == (served_from, ids)
    answer = (await shop.order.data(TOP, {"month": "2024-01", "by": "ORDER_COUNT", "first": 1}, by=STAFF))[
        "topProducts"
    ]
    assert answer["products"] == [
        {
            "productId": "prd_cup",
            "product": {"id": "prd_cup"},
            "orderCount": 2,
            "quantity": 4,
            "revenue": {"amount": 2000},
        }
    ]


async def test_a_paid_order_is_among_the_top_products_at_once(shop: Shop) -> None:
    await shop.stock_up(teapot=9)
    await shop.order_paid(ANI, teapot=2)
    answer = (await shop.order.data(TOP, {"month": "2027-03"}, by=STAFF))["topProducts"]
    assert [(row["productId"], row["quantity"]) for row in answer["products"]] == [("prd_teapot", 2)]


async def test_a_product_that_is_moved_takes_no_history_along(shop: Shop) -> None:
    await shop.stock_up(teapot=9, cup=9)
    catalogue = shop.subgraphs["product"].runtime.database
    now = shop.clock.now()
    paths = (("cat_home",), ("cat_home", "cat_kitchen"), ("cat_home", "cat_garden"))
    await insert_categories(
        catalogue, [Category(path[-1], path[-1].replace("_", "-"), path[-1], path, now) for path in paths]
    )

    async def move_teapot(*path: str) -> None:
        moved = {"category_id": path[-1], "category_path": list(path)}
        await catalogue["products"].update_one({"_id": "prd_teapot"}, {"$set": moved})

    async def read(category: str, product: str | None = None) -> tuple[str, int, int]:
        variables = {"categoryId": category, "productId": product}
        answer = (await shop.order.data(MONTHLY_OF_CATEGORY, variables, by=STAFF))["monthlyOrderTotals"]
        (month,) = answer["months"]
        return answer["servedFrom"], month["orderCount"], month["quantity"]

    await move_teapot("cat_home", "cat_kitchen")
    await shop.order_paid(ANI, teapot=1, cup=1)
    await move_teapot("cat_home", "cat_garden")
    await shop.order_paid(ANI, teapot=2)
    # Those below a category are part of it; the cup has none
    assert await read("cat_home") == ("ROLLUP", 2, 3)
    assert await read("cat_kitchen") == ("ROLLUP", 1, 1)
    assert await read("cat_garden") == ("ROLLUP", 1, 2)
    assert await read("cat_none") == ("ROLLUP", 0, 0)
    # For one product within one category there are no sums; the answer is kept all the same
    assert await read("cat_home", "prd_teapot") == ("AGGREGATION", 2, 3)
    assert await read("cat_home", "prd_teapot") == ("CACHE", 2, 3)
    assert await read("cat_home", "prd_cup") == ("AGGREGATION", 0, 0)
    lines = [line for order in await shop.orders() for line in order["lines"]]
    assert [line.get("category_path") for line in lines] == [
        ["cat_home", "cat_kitchen"],
        None,
        ["cat_home", "cat_garden"],
    ]


async def test_figures_that_may_be_old_cost_no_query_and_are_never_older_than_allowed(
    shop: Shop, database: Database, commands: CommandLog
) -> None:
    reader = open_reader(shop, database)
    at = datetime(2024, 1, 10, tzinfo=UTC)
    await import_orders(shop, [past_order(1, at)])
    lenient = months_of("2024-01", "2024-01", max_staleness_s=60)
    first_read = await reader.read_totals(lenient)
    assert (first_read.source, first_read.as_of) == (TotalsSource.ROLLUP, shop.clock.now())
    await import_orders(shop, [past_order(2, at)])
    begun = shop.clock.now()
    shop.clock.advance(seconds=60)
    # At the very limit the old figures do; what is made behind the caller's back is there for the next
    stale = await reader.read_totals(lenient)
    assert (stale.source, stale.as_of, stale.periods[0].order_count) == (TotalsSource.CACHE, begun, 1)
    await asyncio.gather(*reader._renewals.values())
    commands.clear()
    renewed = await reader.read_totals(lenient)
    assert (renewed.source, renewed.as_of, renewed.periods[0].order_count) == (TotalsSource.CACHE, shop.clock.now(), 2)
    assert commands.commands == []
    await import_orders(shop, [past_order(3, at)])
    shop.clock.advance(seconds=60.001)
    too_old = await reader.read_totals(lenient)
    assert (too_old.as_of, too_old.periods[0].order_count) == (shop.clock.now(), 3)
    # Whoever allows nothing is served nothing old
    await import_orders(shop, [past_order(4, at)])
    exact = await reader.read_totals(months_of("2024-01", "2024-01"))
    assert exact.periods[0].order_count == 4
    await reader.aclose()


async def test_a_renewal_that_fails_is_logged_and_tried_again(shop: Shop, database: Database) -> None:
    class Broken(RollupRepository):
        async def read_versions(self, *_: Any) -> str | None:
            raise ConnectionError

    rollup: RollupRepository = RollupRepository(database.client, database)
    orders = OrderRepository(database)
    cache = open_cache("")
    lenient = months_of("2024-01", "2024-01", max_staleness_s=60)
    await TotalsReader(orders, rollup, cache, shop.clock, namespace="x").read_totals(lenient)
    broken = TotalsReader(orders, Broken(database.client, database), cache, shop.clock, namespace="x")
    shop.clock.advance(seconds=5)
    with capture_logs() as logs:
        for _ in range(2):
            assert (await broken.read_totals(lenient)).source is TotalsSource.CACHE
            await asyncio.gather(*broken._renewals.values())
    assert [log["event"] for log in logs] == ["totals are not renewed"] * 2
    shop.clock.advance(seconds=60)
    with pytest.raises(ConnectionError):
        await broken.read_totals(lenient)


@pytest.mark.parametrize("seconds", [-1, 86_401])
async def test_a_staleness_out_of_range_is_refused(shop: Shop, seconds: int) -> None:
    document = f'{{ monthlyOrderTotals(from: "2024-01", to: "2024-01", maxStalenessSeconds: {seconds}) {{ asOf }} }}'
    (error,) = (await shop.order.ask(document, by=STAFF))["errors"]
    assert (error["extensions"]["code"], error["extensions"]["field"]) == ("BAD_USER_INPUT", "maxStalenessSeconds")


def readers_on(shop: Shop, database: Database, caches: list[Cache]) -> list[TotalsReader]:
    orders, rollup = OrderRepository(database), RollupRepository(database.client, database)
    return [TotalsReader(orders, rollup, cache, shop.clock, namespace=database.name) for cache in caches]


async def test_many_at_once_in_several_processes_add_up_once(
    shop: Shop, database: Database, commands: CommandLog, redis_server: RedisServer
) -> None:
    await import_orders(shop, [past_order(1, datetime(2024, 1, 10, tzinfo=UTC))])
    caches = [open_cache(redis_server.url) for _ in range(4)]
    readers = readers_on(shop, database, caches)
    query = months_of("2024-01", "2024-06")
    commands.clear()
    answers = await asyncio.gather(*(reader.read_totals(query) for reader in readers for _ in range(10)))
    assert {answer.periods[0].order_count for answer in answers} == {1}
    # Each looks at the versions, and one of all adds up
    assert commands.commands.count("aggregate outbox") == 40
    assert commands.commands.count("find order_totals") == 1
    assert commands.commands.count("aggregate orders") == 0
    for cache in caches:
        await cache.aclose()


async def test_an_outage_of_redis_costs_speed_only(shop: Shop, database: Database, redis_server: RedisServer) -> None:
    caches = [open_cache(redis_server.url) for _ in range(2)]
    readers = readers_on(shop, database, caches)
    query, lenient = months_of("2024-01", "2024-01"), months_of("2024-01", "2024-01", max_staleness_s=60)
    count = 0

    async def order_and_compare(*sources: TotalsSource) -> None:
        nonlocal count
        await import_orders(shop, [past_order(count, datetime(2024, 1, 10, tzinfo=UTC))])
        count += 1
        for reader, source in zip((*readers, *readers), sources, strict=True):
            totals = await reader.read_totals(query)
            assert (totals.periods[0].order_count, totals.source) == (count, source)

    rollup, cache = TotalsSource.ROLLUP, TotalsSource.CACHE
    await order_and_compare(rollup, cache, cache, cache)
    redis_server.stop()
    with capture_logs() as logs:
        await order_and_compare(rollup, rollup, rollup, rollup)
        assert (await readers[0].read_totals(lenient)).periods[0].order_count == count
    assert {log["event"] for log in logs} == {"cache is out of reach"}
    redis_server.start()
    await order_and_compare(rollup, cache, cache, cache)
    for each in caches:
        await each.aclose()
