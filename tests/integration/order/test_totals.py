"""Monthly totals equal what Python computes from the same orders, whatever the timezone, and are never out of date."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.cache import open_cache
from core.events import OUTBOX
from core.mongo import Database
from subgraphs.order.bulk import PastLine, PastOrder, insert_orders
from subgraphs.order.model import SALES_STATUSES, OrderStatus
from subgraphs.order.order_sums import Selection
from subgraphs.order.periods import MONTHS, Month, list_periods, parse_month
from subgraphs.order.repository import OrderRepository
from subgraphs.order.rollup_repair import RollupRepair
from subgraphs.order.rollup_repository import COLLECTIONS, RollupRepository
from subgraphs.order.rollup_repository import TOTALS as TOTALS_OF_ORDERS
from subgraphs.order.totals import TotalsReader
from subgraphs.order.totals_model import TotalsFilter, TotalsQuery, TotalsSource
from tests.testkit.callers import Caller
from tests.testkit.commands import CommandLog
from tests.testkit.shop import ANI, BUDI, STAFF, Shop

TOTALS = """
query($from: YearMonth!, $to: YearMonth!, $timezone: String, $status: [OrderStatus!], $productId: ID,
  $currency: CurrencyCode) {
  monthlyOrderTotals(from: $from, to: $to, timezone: $timezone, status: $status, productId: $productId,
    currency: $currency) {
    asOf
    servedFrom
    months { year month orderCount quantity revenue { amount currency } averageOrderValue { amount } }
  }
}
"""
# One that mongod 6.0.5 places wrongly, half hours, southern summer, a leap over the date line, and the usual ones
ZONES = (
    "UTC",
    "Asia/Jakarta",
    "America/Mexico_City",
    "America/New_York",
    "America/St_Johns",
    "Europe/London",
    "Africa/Cairo",
    "Asia/Almaty",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Auckland",
    "Pacific/Apia",
    "Pacific/Kiritimati",
)


def past_order(number: int, placed_at: datetime, *lines: tuple[Any, ...], **more: Any) -> PastOrder:
    return PastOrder(
        id=f"ord_{number:04}",
        number=f"N-{number:04}",
        buyer_id="usr_ani",
        currency=more.pop("currency", "IDR"),
        lines=tuple(
            PastLine(product, product.title(), product.upper(), quantity, price, quantity * price, *path)
            for product, quantity, price, *path in lines or (("prd_cup", 1, 1000),)
        ),
        placed_at=placed_at,
        **more,
    )


async def import_orders(shop: Shop, orders: Iterable[PastOrder]) -> int:
    runtime = shop.subgraphs["order"].runtime
    return await insert_orders(runtime.client, runtime.database, orders)


def compute_totals(orders: Iterable[PastOrder], first: str, last: str, zone: str) -> dict[str, tuple[int, int, int]]:
    """Sum up sales per month as anybody would by hand."""
    totals = {str(month): (0, 0, 0) for month in list_periods(MONTHS, parse_month(first), parse_month(last))}
    for order in orders:
        month = order.placed_at.astimezone(ZoneInfo(zone)).strftime("%Y-%m")
        if month in totals and order.status in SALES_STATUSES and order.currency == "IDR":
            count, quantity, revenue = totals[month]
            totals[month] = (
                count + 1,
                quantity + sum(line.quantity for line in order.lines),
                revenue + sum(line.total_amount for line in order.lines) + order.shipping_amount,
            )
    return totals


async def read(shop: Shop, first: str, last: str, **more: Any) -> tuple[dict[str, tuple[int, int, int]], str]:
    variables = {"from": first, "to": last, **more}
    answer = (await shop.order.data(TOTALS, variables, by=STAFF))["monthlyOrderTotals"]
    months = {
        f"{month['year']:04}-{month['month']:02}": (month["orderCount"], month["quantity"], month["revenue"]["amount"])
        for month in answer["months"]
    }
    return months, answer["servedFrom"]


async def empty_rollup(database: Database) -> None:
    """Begin with no sums, as a store without orders does."""
    for name in (*COLLECTIONS.values(), OUTBOX):
        await database[name].delete_many({})
    await RollupRepair(database.client, database).prepare()


def months_of(first: str, last: str, **more: Any) -> TotalsQuery[Month]:
    """Return the query for months of UTC."""
    filter_ = TotalsFilter(**{"timezone": "UTC", "currency": "IDR", **more})
    return TotalsQuery(MONTHS, parse_month(first), parse_month(last), filter_)


def open_reader(shop: Shop, database: Database) -> TotalsReader:
    """Return a reader as another process would have it."""
    orders, rollup = OrderRepository(database), RollupRepository(database.client, database)
    return TotalsReader(orders, rollup, open_cache(""), shop.clock, namespace=database.name)


@pytest.fixture
def database(shop: Shop) -> Database:
    return shop.subgraphs["order"].runtime.database


SPAN_MS = int((datetime(2025, 4, 3, tzinfo=UTC) - datetime(2023, 9, 29, tzinfo=UTC)) / timedelta(milliseconds=1))
moments = st.integers(0, SPAN_MS).map(
    lambda milliseconds: datetime(2023, 9, 29, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
)
MONTHS_WITH_CHANGES = ((2023, 10), (2023, 11), (2024, 1), (2024, 3), (2024, 4), (2024, 10), (2025, 4))


@st.composite
def edge_moments(draw: st.DrawFn) -> datetime:
    """Return a moment within minutes or hours of a local month's start."""
    zone = ZoneInfo(draw(st.sampled_from(ZONES)))
    year, month = draw(
        st.sampled_from([(2023, 10), (2023, 11), (2024, 1), (2024, 3), (2024, 4), (2024, 10), (2025, 4)])
    )
    start = datetime(year, month, 1, tzinfo=zone).astimezone(UTC)
    return start + timedelta(milliseconds=draw(st.integers(-2 * 3_600_000, 2 * 3_600_000)))


@pytest.mark.timeout(280)
@given(
    placed=st.lists(
        st.tuples(
            st.one_of(moments, edge_moments()),
            st.sampled_from(list(OrderStatus)),
            st.integers(1, 5),
            st.integers(0, 10_000_000),
            st.sampled_from(["IDR", "IDR", "IDR", "USD"]),
        ),
        max_size=40,
    ),
    zone=st.sampled_from(ZONES),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_totals_equal_a_computation_by_hand(
    shop: Shop, database: Database, placed: list[tuple[datetime, OrderStatus, int, int, str]], zone: str
) -> None:
    for name in ("orders", "product_sales"):
        await database[name].delete_many({})
    orders = [
        past_order(number, at, ("prd_cup", quantity, price), status=status, currency=currency, shipping_amount=7)
        for number, (at, status, quantity, price, currency) in enumerate(placed)
    ]
    await empty_rollup(database)
    await import_orders(shop, orders)
    expected = compute_totals(orders, "2023-10", "2025-03", zone)
    assert (await read(shop, "2023-10", "2025-03", timezone=zone))[0] == expected
    assert await read(shop, "2023-10", "2025-03", timezone=zone) == (expected, "CACHE")


async def test_the_hour_that_a_summer_time_adds_or_takes_belongs_to_the_right_month(shop: Shop) -> None:
    # Mexico City has had no summer time since 2022; New York's November begins in it; London's April ends a gap
    moments = {
        "America/Mexico_City": ("2023-05-01T05:59:59.999+00:00", "2023-05-01T06:00:00+00:00"),
        "America/New_York": ("2023-11-01T03:59:59.999+00:00", "2023-11-01T04:00:00+00:00"),
        "Europe/London": ("2024-03-31T22:59:59.999+00:00", "2024-03-31T23:00:00+00:00"),
        "Asia/Jakarta": ("2024-01-31T16:59:59.999+00:00", "2024-01-31T17:00:00+00:00"),
    }
    number = 0
    for zone, (before, after) in moments.items():
        pair = [past_order(number + each, datetime.fromisoformat(text)) for each, text in enumerate((before, after))]
        number += 2
        await import_orders(shop, pair)
        first, last = (order.placed_at.astimezone(ZoneInfo(zone)).strftime("%Y-%m") for order in pair)
        assert first != last
        months, _ = await read(shop, first, last, timezone=zone)
        assert [count for count, _, _ in months.values()] == [1, 1]


async def test_a_month_that_was_shown_twice_holds_both_of_its_stretches(shop: Shop) -> None:
    # St. John's, 2009-11-01: at 00:01 clocks went back to 23:01 of October
    orders = [
        past_order(number, datetime(2009, 11, 1, hour, minute, tzinfo=UTC))
        for number, (hour, minute) in enumerate([(2, 29), (2, 30), (2, 31), (3, 29), (3, 30)])
    ]
    await import_orders(shop, orders)
    months, _ = await read(shop, "2009-10", "2009-11", timezone="America/St_Johns")
    assert months == {"2009-10": (3, 3, 3000), "2009-11": (2, 2, 2000)}


async def test_months_without_orders_are_there_as_zeros(shop: Shop) -> None:
    await import_orders(shop, [past_order(1, datetime(2024, 2, 10, tzinfo=UTC))])
    answer = await shop.order.data(TOTALS, {"from": "2023-12", "to": "2024-03"}, by=STAFF)
    zero = {
        "orderCount": 0,
        "quantity": 0,
        "revenue": {"amount": 0, "currency": "IDR"},
        "averageOrderValue": {"amount": 0},
    }
    one = {
        "orderCount": 1,
        "quantity": 1,
        "revenue": {"amount": 1000, "currency": "IDR"},
        "averageOrderValue": {"amount": 1000},
    }
    assert answer["monthlyOrderTotals"] == {
        "asOf": "2027-03-01T03:00:00.000Z",
        "servedFrom": "ROLLUP",
        "months": [
            {"year": 2023, "month": 12, **zero},
            {"year": 2024, "month": 1, **zero},
            {"year": 2024, "month": 2, **one},
            {"year": 2024, "month": 3, **zero},
        ],
    }


async def test_a_paid_order_changes_its_month_by_exactly_that_order(shop: Shop) -> None:
    await shop.stock_up(teapot=9)
    await import_orders(shop, [past_order(1, datetime(2027, 3, 1, 1, tzinfo=UTC))])
    before, _ = await read(shop, "2027-01", "2027-03")
    await shop.put_in_cart(ANI, teapot=2)
    order = (await shop.check_out())["order"]
    assert (await read(shop, "2027-01", "2027-03"))[0] == before
    await shop.report(order["number"], "PAID", order["total"]["amount"])
    await shop.deliver_events()
    after, _ = await read(shop, "2027-01", "2027-03")
    assert after == {**before, "2027-03": (2, 3, 1000 + order["total"]["amount"])}


async def test_a_change_renews_the_reports_of_its_months_and_no_others(shop: Shop, commands: CommandLog) -> None:
    await import_orders(shop, [past_order(month, datetime(2024, month, 10, tzinfo=UTC)) for month in range(1, 13)])
    for first, last in (("2024-01", "2024-07"), ("2024-08", "2024-12")):
        assert (await read(shop, first, last, timezone="UTC"))[1] == "ROLLUP"
    commands.clear()
    assert (await read(shop, "2024-01", "2024-07", timezone="UTC"))[1] == "CACHE"
    assert commands.commands == ["aggregate outbox"]
    await import_orders(shop, [past_order(99, datetime(2024, 7, 20, tzinfo=UTC))])
    commands.clear()
    assert (await read(shop, "2024-08", "2024-12", timezone="UTC"))[1] == "CACHE"
    months, served_from = await read(shop, "2024-01", "2024-07", timezone="UTC")
    assert (months["2024-07"], served_from) == ((2, 2, 2000), "ROLLUP")
    assert commands.commands == ["aggregate outbox"] * 2 + ["find order_totals", "find outbox"]


async def test_processes_with_caches_of_their_own_are_never_behind(shop: Shop, database: Database) -> None:
    readers = [open_reader(shop, database) for _ in range(2)]
    query = months_of("2024-01", "2024-03")
    for number in range(6):
        await import_orders(shop, [past_order(number, datetime(2024, 1 + number % 3, 10, tzinfo=UTC))])
        # Whoever is asked, and whoever was asked before, has it
        for reader in (readers[number % 2], readers[1 - number % 2], readers[number % 2]):
            totals = await reader.read_totals(query)
            assert sum(month.order_count for month in totals.periods) == number + 1
        assert totals.source is TotalsSource.CACHE


async def test_readers_beside_writers_never_see_less_than_was_there_when_they_asked(
    shop: Shop, database: Database
) -> None:
    done = 0
    reader = open_reader(shop, database)
    query = months_of("2024-01", "2024-01")

    async def write() -> None:
        nonlocal done
        for number in range(25):
            await import_orders(shop, [past_order(number, datetime(2024, 1, 10, tzinfo=UTC))])
            done = number + 1

    async def watch() -> None:
        while done < 25:
            known = done
            (month,) = (await reader.read_totals(query)).periods
            assert known <= month.order_count <= done + 1

    await asyncio.gather(write(), watch(), watch(), watch())


async def test_a_thousand_at_once_read_the_rollup_once(shop: Shop, database: Database, commands: CommandLog) -> None:
    await import_orders(shop, [past_order(1, datetime(2024, 1, 10, tzinfo=UTC))])
    reader = open_reader(shop, database)
    query = months_of("2024-01", "2024-06")
    commands.clear()
    answers = await asyncio.gather(*(reader.read_totals(query) for _ in range(1000)))
    assert {answer.periods[0].order_count for answer in answers} == {1}
    # Each looks at the versions, and one adds up
    assert commands.commands.count("aggregate outbox") == 1000
    assert commands.commands.count("find order_totals") == 1


async def test_a_thousand_at_once_cost_one_aggregation_where_there_is_no_rollup(
    shop: Shop, database: Database, commands: CommandLog
) -> None:
    await import_orders(shop, [past_order(1, datetime(2024, 1, 10, tzinfo=UTC))])
    await database.drop_collection(TOTALS_OF_ORDERS)
    reader = open_reader(shop, database)
    query = months_of("2024-01", "2024-06")
    commands.clear()
    answers = await asyncio.gather(*(reader.read_totals(query) for _ in range(1000)))
    assert {(answer.source, answer.periods[0].order_count) for answer in answers} == {(TotalsSource.AGGREGATION, 1)}
    assert commands.commands.count("aggregate orders") == 1


async def test_sums_beyond_32_bits_are_exact_from_every_layer(shop: Shop, database: Database) -> None:
    at = datetime(2024, 1, 10, tzinfo=UTC)
    await import_orders(shop, [past_order(number, at, ("prd_cup", 3, 2**31 + number)) for number in range(3)])
    expected = {"2024-01": (3, 9, 9 * 2**31 + 9)}
    for source in ("ROLLUP", "CACHE"):
        assert await read(shop, "2024-01", "2024-01") == (expected, source)
        assert (await read(shop, "2024-01", "2024-01", productId="prd_cup"))[0] == expected
    await database.drop_collection(TOTALS_OF_ORDERS)
    assert await read(shop, "2024-01", "2024-01") == (expected, "AGGREGATION")
    assert await read(shop, "2024-01", "2024-01", productId="prd_cup") == (expected, "AGGREGATION")


async def test_one_product_counts_with_its_lines_alone(shop: Shop) -> None:
    at = datetime(2024, 1, 10, tzinfo=UTC)
    await import_orders(
        shop,
        [
            past_order(1, at, ("prd_cup", 2, 1000), ("prd_teapot", 1, 9000), shipping_amount=500),
            past_order(2, at, ("prd_cup", 1, 1000), ("prd_cup", 4, 900)),
            past_order(3, at, ("prd_teapot", 1, 9000)),
        ],
    )
    assert (await read(shop, "2024-01", "2024-01", productId="prd_cup"))[0] == {"2024-01": (2, 7, 6600)}
    assert (await read(shop, "2024-01", "2024-01"))[0] == {"2024-01": (3, 9, 25_100)}


async def test_states_and_currencies_can_be_chosen(shop: Shop) -> None:
    at = datetime(2024, 1, 10, tzinfo=UTC)
    await import_orders(
        shop,
        [
            past_order(1, at, status=OrderStatus.CANCELLED),
            past_order(2, at, status=OrderStatus.PAID),
            past_order(3, at, currency="USD"),
            past_order(4, at, status=OrderStatus.PENDING_PAYMENT),
        ],
    )
    assert (await read(shop, "2024-01", "2024-01"))[0] == {"2024-01": (1, 1, 1000)}
    assert (await read(shop, "2024-01", "2024-01", currency="USD"))[0] == {"2024-01": (1, 1, 1000)}
    chosen = ["CANCELLED", "PENDING_PAYMENT"]
    assert (await read(shop, "2024-01", "2024-01", status=chosen))[0] == {"2024-01": (2, 2, 2000)}
    assert (await read(shop, "2024-01", "2024-01", status=[]))[0] == {"2024-01": (0, 0, 0)}


@pytest.mark.parametrize(
    ("variables", "field"),
    [
        ({"from": "2024-02", "to": "2024-01"}, "to"),
        ({"from": "1900-01", "to": "2024-01"}, "to"),
        ({"from": "2024-01", "to": "2024-01", "timezone": "Mars/Olympus"}, "timezone"),
        ({"from": "2024-01", "to": "2024-01", "timezone": "../../etc/passwd"}, "timezone"),
        ({"from": "2024-01", "to": "2024-01", "timezone": ""}, "timezone"),
        ({"from": "2024-01", "to": "2024-01", "currency": "XXX"}, "currency"),
    ],
)
async def test_a_range_that_makes_no_sense_is_refused(shop: Shop, variables: dict[str, str], field: str) -> None:
    (error,) = (await shop.order.ask(TOTALS, variables, by=STAFF))["errors"]
    assert (error["extensions"]["code"], error["extensions"]["field"]) == ("BAD_USER_INPUT", field)


async def test_reports_are_for_those_who_may_read_them(shop: Shop, commands: CommandLog) -> None:
    commands.clear()
    variables = {"from": "2024-01", "to": "2024-01"}
    assert await shop.order.refusals(TOTALS, variables) == ["UNAUTHENTICATED"]
    assert await shop.order.refusals(TOTALS, variables, by=BUDI) == ["FORBIDDEN"]
    assert commands.commands == []


async def test_the_aggregation_is_one_command_that_reads_its_index_and_no_order(
    shop: Shop, database: Database, commands: CommandLog
) -> None:
    await import_orders(shop, [past_order(number, datetime(2024, 1, 10, tzinfo=UTC)) for number in range(50)])
    ranges = [(datetime(2024, month, 1, tzinfo=UTC), datetime(2024, month + 1, 1, tzinfo=UTC)) for month in (1, 2, 3)]
    selection = Selection("IDR", tuple(sorted(SALES_STATUSES)))
    await database.command({"profile": 2})
    try:
        commands.clear()
        sums = await OrderRepository(database).sum_ranges(ranges, selection)
        assert commands.commands == ["aggregate orders"]
    finally:
        await database.command({"profile": 0})
    assert sums == [(50, 50, 50_000), (0, 0, 0), (0, 0, 0)]
    (noted,) = await database["system.profile"].find({"op": "command", "command.aggregate": "orders"}).to_list()
    await database.drop_collection("system.profile")
    assert noted["docsExamined"] == 0
    assert noted["keysExamined"] <= 50 + 3 * 2 * len(SALES_STATUSES)


async def test_more_ranges_than_one_command_takes_are_read_in_one_snapshot(shop: Shop, commands: CommandLog) -> None:
    await import_orders(shop, [past_order(number, datetime(2024, 1, 1 + number, tzinfo=UTC)) for number in range(20)])
    first = datetime(2024, 1, 1, tzinfo=UTC)
    ranges = [(first + timedelta(hours=hour), first + timedelta(hours=hour + 1)) for hour in range(250)]
    runtime = shop.subgraphs["order"].runtime
    commands.clear()
    sums = await OrderRepository(runtime.database).sum_ranges(ranges, Selection("IDR", ("DELIVERED",)))
    assert commands.commands == ["aggregate orders"] * 3
    assert [number for number, found in enumerate(sums) if found == (1, 1, 1000)] == [24 * day for day in range(11)]
    assert sum(orders for orders, _, _ in sums) == 11


def test_the_zones_tried_here_exist() -> None:
    assert set(ZONES) <= available_timezones()


async def test_an_import_can_be_run_again(shop: Shop) -> None:
    orders = [past_order(number, datetime(2024, 1, 10, tzinfo=UTC), ("prd_cup", 2, 500)) for number in range(3)]
    assert await import_orders(shop, orders[:2]) == 2
    assert await import_orders(shop, [*orders, orders[2]]) == 1
    assert (await read(shop, "2024-01", "2024-01"))[0] == {"2024-01": (3, 6, 3000)}
    (product,) = await Caller(shop.subgraphs["order"]).entities(
        "... on Product { unitsSold }", [{"__typename": "Product", "id": "prd_cup"}]
    )
    assert product == {"unitsSold": 6}
