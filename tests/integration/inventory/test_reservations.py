"""Reserving, releasing and committing stock."""

import asyncio
import random
from datetime import datetime, timedelta
from typing import Any

import pytest

from core.identity import ANONYMOUS, Identity
from core.mongo import Client
from core.settings import Settings
from subgraphs.inventory import app
from subgraphs.inventory.model import StockLine
from subgraphs.inventory.service import OutOfStock, StockService
from tests.integration.inventory.conftest import COMMIT, RELEASE, RESERVE, Stock
from tests.testkit.callers import ADMIN, CUSTOMER, ORDER_SERVICE, STAFF
from tests.testkit.clock import FixedClock
from tests.testkit.commands import CommandLog
from tests.testkit.store import build_runtime

LAPSE = "lapse_reservations"


async def test_a_reservation_moves_pieces_from_available_to_reserved(stock: Stock, commands: CommandLog) -> None:
    await stock.put(a=10, b=5)
    commands.clear()
    assert await stock.reserve("ord_1", ("b", 2), ("a", 3)) == {
        "__typename": "StockReservation",
        "orderId": "ord_1",
        "status": "HELD",
        "expiresAt": "2026-11-01T09:30:00.000Z",
    }
    assert commands.commands == [
        "find stock_levels",
        "insert reservations",
        "insert movements",
        "findAndModify stock_levels",
        "findAndModify stock_levels",
        "commitTransaction",
    ]
    assert await stock.counters() == {"a": (10, 3, 7), "b": (5, 2, 3)}


async def test_lines_of_one_product_are_checked_together(stock: Stock) -> None:
    await stock.put(a=5)
    refused = await stock.reserve("ord_1", ("a", 3), ("a", 3))
    assert refused == {
        "__typename": "OutOfStockProblem",
        "code": "OUT_OF_STOCK",
        "message": "not enough in stock: 5 of 6 a",
        "shortages": [{"productId": "a", "requested": 6, "available": 5}],
    }
    assert await stock.counters() == {"a": (5, 0, 5)}
    assert (await stock.reserve("ord_2", ("a", 2), ("a", 3)))["status"] == "HELD"
    assert await stock.counters() == {"a": (5, 5, 0)}


async def test_when_one_line_is_short_nothing_is_reserved_and_every_shortage_is_told(stock: Stock) -> None:
    await stock.put(a=10, b=1, c=0)
    refused = await stock.reserve("ord_1", ("a", 1), ("c", 1), ("b", 2), ("unknown", 1))
    assert refused["shortages"] == [
        {"productId": "b", "requested": 2, "available": 1},
        {"productId": "c", "requested": 1, "available": 0},
        {"productId": "unknown", "requested": 1, "available": 0},
    ]
    assert await stock.counters() == {"a": (10, 0, 10), "b": (1, 0, 1), "c": (0, 0, 0)}
    assert await stock.rows("reservations") == []
    assert [row["reason"] for row in await stock.rows("movements")] == ["opening stock"] * 2


async def test_the_same_order_again_changes_nothing(stock: Stock) -> None:
    await stock.put(a=3)
    first = await stock.reserve("ord_1", ("a", 2))
    assert await stock.reserve("ord_1", ("a", 2)) == first
    assert await stock.reserve("ord_1", ("a", 1), ("a", 1)) == first
    assert await stock.counters() == {"a": (3, 2, 1)}
    await stock.commit("ord_1")
    assert (await stock.reserve("ord_1", ("a", 2)))["status"] == "COMMITTED"
    assert await stock.counters() == {"a": (1, 0, 1)}


async def test_an_order_cannot_reserve_other_lines_under_its_name(stock: Stock) -> None:
    await stock.put(a=3)
    await stock.reserve("ord_1", ("a", 2))
    given = {"orderId": "ord_1", "lines": [{"productId": "a", "quantity": 1}], "expiresAt": "2026-11-01T10:00:00Z"}
    assert await stock.refusals(RESERVE, {"input": given}, by=ORDER_SERVICE) == ["CONFLICT"]
    assert await stock.counters() == {"a": (3, 2, 1)}


async def test_fifty_pieces_go_to_fifty_of_two_hundred_buyers(stock: Stock) -> None:
    await stock.put(a=50)
    results = await asyncio.gather(*(stock.reserve(f"ord_{n}", ("a", 1)) for n in range(200)))
    kinds = [result["__typename"] for result in results]
    assert kinds.count("StockReservation") == 50
    assert kinds.count("OutOfStockProblem") == 150
    assert await stock.counters() == {"a": (50, 50, 0)}
    assert len(await stock.rows("reservations")) == 50


async def test_fifty_pieces_go_to_fifty_of_two_hundred_buyers_in_two_processes(
    stock: Stock, store_settings: Settings, mongo_client: Client
) -> None:
    """Two services do not know of each other's turns: only the database decides."""
    await stock.put(a=50)
    runtime = build_runtime(app.NAME, mongo_client, store_settings, clock=stock.clock)
    other = StockService(runtime.client, runtime.database, runtime.clock)
    service = StockService(runtime.client, runtime.database, runtime.clock)
    expires_at = stock.clock.now() + timedelta(minutes=30)

    async def buy(n: int) -> bool:
        try:
            await (service, other)[n % 2].reserve_stock(f"ord_{n}", [StockLine("a", 1)], expires_at, by=ORDER_SERVICE)
        except OutOfStock:
            return False
        return True

    assert sum(await asyncio.gather(*map(buy, range(200)))) == 50
    assert await stock.counters() == {"a": (50, 50, 0)}


async def test_buyers_of_several_products_at_once_neither_oversell_nor_block_each_other(stock: Stock) -> None:
    await stock.put(a=30, b=30, c=30)
    dice = random.Random(7)
    orders: list[list[tuple[str, int]]] = [
        [(product, dice.randint(1, 2)) for product in dice.sample(["a", "b", "c", "a"], 3)] for _ in range(60)
    ]
    results = await asyncio.gather(*(stock.reserve(f"ord_{n}", *lines) for n, lines in enumerate(orders)))
    taken = {"a": 0, "b": 0, "c": 0}
    for lines, result in zip(orders, results, strict=True):
        if result["__typename"] == "StockReservation":
            for product, quantity in lines:
                taken[product] += quantity
    assert await stock.counters() == {name: (30, count, 30 - count) for name, count in taken.items()}
    # Nothing came back, so whoever was refused asked for more than was left at the end, too
    for lines, result in zip(orders, results, strict=True):
        wanted = {product: sum(quantity for name, quantity in lines if name == product) for product, _ in lines}
        short = any(wanted[product] > 30 - taken[product] for product in wanted)
        assert short or result["__typename"] == "StockReservation"


async def test_one_order_sent_twenty_times_at_once_reserves_once(stock: Stock) -> None:
    await stock.put(a=50)
    results = await asyncio.gather(*(stock.reserve("ord_1", ("a", 2)) for _ in range(20)))
    assert {result["status"] for result in results} == {"HELD"}
    assert await stock.counters() == {"a": (50, 2, 48)}


async def test_release_and_commit_race_and_one_of_them_wins(stock: Stock) -> None:
    await stock.put(a=40)
    for n in range(20):
        await stock.reserve(f"ord_{n}", ("a", 2))

    async def end(n: int) -> str:
        release: dict[str, Any]
        commit: str
        release, commit = await asyncio.gather(
            stock.ask(RELEASE, {"id": f"ord_{n}"}, by=ORDER_SERVICE), stock.commit(f"ord_{n}")
        )
        if "errors" in release:
            assert release["errors"][0]["extensions"]["code"] == "CONFLICT"
            assert commit == "COMMITTED"
        else:
            assert commit == "RELEASED"
        return commit

    ends = await asyncio.gather(*(end(n) for n in range(20)))
    sold = 2 * ends.count("COMMITTED")
    assert await stock.counters() == {"a": (40 - sold, 0, 40 - sold)}


async def test_buyers_releases_and_payments_at_once_keep_the_sums(stock: Stock) -> None:
    await stock.put(a=20)

    async def shop(n: int) -> int:
        if (await stock.reserve(f"ord_{n}", ("a", 1)))["__typename"] == "OutOfStockProblem":
            return 0
        if n % 3 == 0:
            await stock.release(f"ord_{n}")
            return 0
        await stock.commit(f"ord_{n}")
        return 1

    sold = sum(await asyncio.gather(*(shop(n) for n in range(60))))
    assert await stock.counters() == {"a": (20 - sold, 0, 20 - sold)}
    assert sold <= 20


async def test_a_release_gives_back_once(stock: Stock) -> None:
    await stock.put(a=5)
    await stock.reserve("ord_1", ("a", 5))
    assert await asyncio.gather(*(stock.release("ord_1") for _ in range(10))) == ["RELEASED"] * 10
    assert await stock.counters() == {"a": (5, 0, 5)}
    assert await stock.commit("ord_1") == "RELEASED"
    assert await stock.counters() == {"a": (5, 0, 5)}


async def test_a_release_that_overtakes_its_reservation_wins(stock: Stock) -> None:
    await stock.put(a=5)
    assert await stock.release("ord_1") == "RELEASED"
    given = {"orderId": "ord_1", "lines": [{"productId": "a", "quantity": 1}], "expiresAt": "2026-11-01T10:00:00Z"}
    assert await stock.refusals(RESERVE, {"input": given}, by=ORDER_SERVICE) == ["CONFLICT"]
    assert await stock.counters() == {"a": (5, 0, 5)}


async def test_ten_releases_of_an_unknown_order_at_once_all_succeed(stock: Stock) -> None:
    assert await asyncio.gather(*(stock.release("ord_1") for _ in range(10))) == ["RELEASED"] * 10
    assert len(await stock.rows("reservations")) == 1


async def test_a_commit_takes_the_pieces_once(stock: Stock) -> None:
    await stock.put(a=5)
    await stock.reserve("ord_1", ("a", 2))
    assert await asyncio.gather(*(stock.commit("ord_1") for _ in range(10))) == ["COMMITTED"] * 10
    assert await stock.counters() == {"a": (3, 0, 3)}
    assert await stock.refusals(RELEASE, {"id": "ord_1"}, by=ORDER_SERVICE) == ["CONFLICT"]
    assert await stock.counters() == {"a": (3, 0, 3)}


async def test_a_commit_of_an_order_without_reservation_is_null(stock: Stock) -> None:
    assert await stock.data(COMMIT, {"id": "ord_1"}, by=ORDER_SERVICE) == {"commitStock": None}
    assert await stock.rows("reservations") == []


@pytest.mark.parametrize(
    ("lines", "field"),
    [
        ([], "lines"),
        ([("a", 0)], "lines.0.quantity"),
        ([("a", 1), ("a", -1)], "lines.1.quantity"),
        ([("a", 1_000_001)], "lines.0.quantity"),
        ([("a", 1)] * 501, "lines"),
    ],
)
async def test_impossible_lines_are_refused(stock: Stock, lines: list[tuple[str, int]], field: str) -> None:
    await stock.put(a=5)
    given: dict[str, Any] = {
        "orderId": "ord_1",
        "lines": [{"productId": product, "quantity": quantity} for product, quantity in lines],
        "expiresAt": "2026-11-01T10:00:00Z",
    }
    response = await stock.ask(RESERVE, {"input": given}, by=ORDER_SERVICE)
    assert response["errors"][0]["extensions"] == {"code": "BAD_USER_INPUT", "field": field}
    assert await stock.counters() == {"a": (5, 0, 5)}


@pytest.mark.parametrize("by", [ANONYMOUS, CUSTOMER, ADMIN])
async def test_only_services_reserve_release_and_commit(stock: Stock, by: Identity) -> None:
    await stock.put(a=5)
    await stock.reserve("ord_1", ("a", 1))
    given = {"orderId": "ord_2", "lines": [{"productId": "a", "quantity": 1}], "expiresAt": "2026-11-01T10:00:00Z"}
    assert await stock.refusals(RESERVE, {"input": given}, by=by) == ["FORBIDDEN"]
    assert await stock.refusals(RELEASE, {"id": "ord_1"}, by=by) == ["FORBIDDEN"]
    assert await stock.refusals(COMMIT, {"id": "ord_1"}, by=by) == ["FORBIDDEN"]
    assert await stock.counters() == {"a": (5, 1, 4)}


async def test_a_forgotten_reservation_lapses_after_its_time_and_the_grace(stock: Stock, clock: FixedClock) -> None:
    await stock.put(a=5)
    await stock.reserve("ord_1", ("a", 2))
    await stock.reserve("ord_2", ("a", 1))
    await stock.commit("ord_2")
    clock.advance(minutes=35)
    await stock.run_job(LAPSE)
    assert await stock.counters() == {"a": (4, 2, 2)}
    clock.advance(timedelta(milliseconds=1))
    await asyncio.gather(stock.run_job(LAPSE), stock.run_job(LAPSE))
    assert await stock.counters() == {"a": (4, 0, 4)}
    assert [row["status"] for row in await stock.rows("reservations")] == ["LAPSED", "COMMITTED"]


async def test_a_late_payment_takes_lapsed_pieces_again_while_they_last(stock: Stock, clock: FixedClock) -> None:
    await stock.put(a=3)
    await stock.reserve("ord_1", ("a", 2))
    await stock.reserve("ord_2", ("a", 1))
    clock.advance(hours=1)
    await stock.run_job(LAPSE)
    assert await stock.commit("ord_1") == "COMMITTED"
    assert await stock.counters() == {"a": (1, 0, 1)}
    await stock.reserve("ord_3", ("a", 1))
    assert await stock.commit("ord_2") == "SHORT"
    assert await stock.commit("ord_2") == "SHORT"
    assert await stock.counters() == {"a": (1, 1, 0)}
    [event] = [row for row in await stock.rows("outbox") if row["type"] == "StockShort"]
    assert (event["type"], event["subject"], event["payload"]) == (
        "StockShort",
        "ord_2",
        {"order_id": "ord_2", "shortages": [{"product_id": "a", "requested": 1, "available": 0}]},
    )
    assert await stock.release("ord_2") == "RELEASED"
    assert await stock.counters() == {"a": (1, 1, 0)}


async def test_a_lapsed_order_cannot_reserve_again(stock: Stock, clock: FixedClock) -> None:
    await stock.put(a=3)
    await stock.reserve("ord_1", ("a", 2))
    clock.advance(hours=1)
    await stock.run_job(LAPSE)
    given = {"orderId": "ord_1", "lines": [{"productId": "a", "quantity": 2}], "expiresAt": "2026-11-01T12:00:00Z"}
    assert await stock.refusals(RESERVE, {"input": given}, by=ORDER_SERVICE) == ["CONFLICT"]
    assert await stock.counters() == {"a": (3, 0, 3)}


AVAILABLE = "... on Product { availability { available inStock } purchasable stockLevel { reserved available } }"


async def test_what_an_overdue_reservation_holds_is_available_before_the_job_comes(
    stock: Stock, clock: FixedClock, commands: CommandLog
) -> None:
    await stock.put(a=3, b=5, c=1)
    await stock.reserve("ord_1", ("a", 2), ("b", 1))
    clock.advance(minutes=20)
    await stock.reserve("ord_2", ("a", 1), ("b", 2))
    clock.advance(minutes=15)
    asked = [{"__typename": "Product", "id": id_, "sellable": True} for id_ in ("a", "b", "c")]
    found = await stock.entities(AVAILABLE, asked, by=STAFF)
    assert [product["stockLevel"] for product in found] == [
        {"reserved": 3, "available": 0},
        {"reserved": 3, "available": 2},
        {"reserved": 0, "available": 1},
    ]
    # Its time and the grace are over, to the millisecond
    clock.advance(timedelta(milliseconds=1))
    commands.clear()
    found = await stock.entities(AVAILABLE, asked, by=STAFF)
    assert [product["stockLevel"] for product in found] == [
        {"reserved": 1, "available": 2},
        {"reserved": 2, "available": 3},
        {"reserved": 0, "available": 1},
    ]
    assert [product["purchasable"] for product in found] == [True, True, True]
    assert commands.commands == ["find stock_levels", "find reservations", "aggregate reservations"]
    levels = await stock.data("{ stockLevels { nodes { product { id } available } } }", by=STAFF)
    assert [(each["product"]["id"], each["available"]) for each in levels["stockLevels"]["nodes"]] == [
        ("a", 2),
        ("c", 1),
        ("b", 3),
    ]
    # Looking has changed nothing
    assert await stock.counters() == {"a": (3, 3, 0), "b": (5, 3, 2), "c": (1, 0, 1)}


async def test_whether_a_reservation_is_overdue_is_looked_up_only_when_one_may_be(
    stock: Stock, clock: FixedClock, commands: CommandLog
) -> None:
    await stock.put(a=3)
    asked = [{"__typename": "Product", "id": "a", "sellable": True}]

    async def look() -> tuple[int, list[str]]:
        commands.clear()
        (found,) = await stock.entities(AVAILABLE, asked, by=STAFF)
        return found["stockLevel"]["available"], commands.commands[1:]

    # Nothing is reserved
    assert await look() == (3, [])
    await stock.reserve("ord_1", ("a", 1))
    assert await look() == (2, ["find reservations"])
    # Whatever is reserved from now on ends later
    await stock.reserve("ord_2", ("a", 1))
    assert await look() == (1, [])
    clock.advance(timedelta(minutes=5) - timedelta(milliseconds=1))
    assert await look() == (1, [])
    clock.advance(timedelta(milliseconds=1))
    assert await look() == (1, ["find reservations"])
    assert await look() == (1, [])
    clock.advance(timedelta(minutes=30, milliseconds=1))
    assert await look() == (3, ["find reservations", "aggregate reservations"])


async def test_a_reservation_that_comes_after_its_time_holds_for_the_grace(stock: Stock, clock: FixedClock) -> None:
    await stock.put(a=3)
    asked = [{"__typename": "Product", "id": "a", "sellable": True}]
    await stock.reserve("ord_1", ("a", 1))
    (found,) = await stock.entities(AVAILABLE, asked, by=STAFF)
    assert found["stockLevel"]["available"] == 2
    late = {"orderId": "ord_2", "lines": [{"productId": "a", "quantity": 1}], "expiresAt": "2020-01-01T00:00:00Z"}
    reserved = (await stock.data(RESERVE, {"input": late}, by=ORDER_SERVICE))["reserveStock"]
    assert datetime.fromisoformat(reserved["expiresAt"]) == clock.now()
    (found,) = await stock.entities(AVAILABLE, asked, by=STAFF)
    assert found["stockLevel"]["available"] == 1
    clock.advance(timedelta(minutes=5, milliseconds=1))
    (found,) = await stock.entities(AVAILABLE, asked, by=STAFF)
    assert found["stockLevel"]["available"] == 2


async def test_a_buyer_gets_what_an_overdue_reservation_holds_before_the_job_comes(
    stock: Stock, clock: FixedClock
) -> None:
    await stock.put(a=3, b=5)
    await stock.reserve("ord_1", ("a", 2), ("b", 1))
    clock.advance(minutes=20)
    await stock.reserve("ord_2", ("a", 1))
    clock.advance(minutes=15, milliseconds=1)
    refused = await stock.reserve("ord_3", ("a", 3))
    assert refused["shortages"] == [{"productId": "a", "requested": 3, "available": 2}]
    assert (await stock.reserve("ord_4", ("a", 2)))["status"] == "HELD"
    assert await stock.counters() == {"a": (3, 3, 0), "b": (5, 0, 5)}
    statuses = {row["_id"]: row["status"] for row in await stock.rows("reservations")}
    assert statuses == {"ord_1": "LAPSED", "ord_2": "HELD", "ord_4": "HELD"}


async def test_fifty_buyers_at_once_share_out_what_overdue_reservations_hold(stock: Stock, clock: FixedClock) -> None:
    await stock.put(a=30)
    for n in range(15):
        await stock.reserve(f"old_{n:02}", ("a", 2))
    clock.advance(hours=1)
    results = await asyncio.gather(*(stock.reserve(f"ord_{n}", ("a", 1)) for n in range(50)))
    assert [result["__typename"] for result in results].count("StockReservation") == 30
    assert await stock.counters() == {"a": (30, 30, 0)}


async def test_staff_take_away_what_an_overdue_reservation_holds(stock: Stock, clock: FixedClock) -> None:
    await stock.put(a=3)
    await stock.reserve("ord_1", ("a", 3))
    clock.advance(minutes=35)
    assert (await stock.adjust("a", -1, "k"))["code"] == "CONFLICT"
    clock.advance(timedelta(milliseconds=1))
    assert (await stock.adjust("a", -1, "k"))["onHand"] == 2
    assert await stock.counters() == {"a": (2, 0, 2)}


async def test_a_payment_finds_its_pieces_while_an_overdue_reservation_has_not_lapsed(
    stock: Stock, clock: FixedClock
) -> None:
    await stock.put(a=3)
    await stock.reserve("ord_1", ("a", 3))
    clock.advance(hours=5)
    assert await stock.commit("ord_1") == "COMMITTED"
    assert await stock.counters() == {"a": (0, 0, 0)}


async def test_a_late_payment_takes_what_overdue_reservations_hold(stock: Stock, clock: FixedClock) -> None:
    await stock.put(a=2)
    await stock.reserve("ord_1", ("a", 2))
    clock.advance(hours=1)
    await stock.run_job(LAPSE)
    await stock.reserve("ord_2", ("a", 2))
    clock.advance(hours=1)
    assert await stock.commit("ord_1") == "COMMITTED"
    assert await stock.counters() == {"a": (0, 0, 0)}
    assert await stock.commit("ord_2") == "SHORT"
    assert await stock.counters() == {"a": (0, 0, 0)}
