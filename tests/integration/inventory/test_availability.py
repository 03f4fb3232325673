"""What the catalogue is told of the stock: once each time that a product can be bought, or no longer can."""

import asyncio
from typing import Any

import pytest

from core.events import Event, handle_once
from core.ids import new_id
from subgraphs.inventory.reconciling import Reconciler
from tests.integration.inventory.conftest import Stock
from tests.integration.inventory.test_policies import set_policy
from tests.testkit.clock import FixedClock

LAPSE = "lapse_reservations"


async def told(stock: Stock, product_id: str = "a") -> list[bool]:
    """Return what was announced of a product, oldest first, after checking that each is later than the one before."""
    rows = [row for row in await stock.rows("outbox") if row["type"] == "StockAvailabilityChanged"]
    payloads: list[Any] = [row["payload"] for row in rows if row["subject"] == product_id]
    assert {payload["product_id"] for payload in payloads} <= {product_id}
    revisions = [payload["revision"] for payload in payloads]
    assert revisions == sorted(set(revisions))
    return [payload["available"] for payload in payloads]


async def deliver(stock: Stock, type_: str, order_id: str) -> None:
    runtime = stock.subgraph.runtime
    event = Event(new_id("evt"), type_, order_id, {"order_id": order_id}, stock.clock.now())
    await handle_once(runtime.client, runtime.database, event, stock.subgraph.handlers[type_])


async def test_a_product_is_announced_when_its_first_pieces_come_and_when_its_last_are_sold(stock: Stock) -> None:
    stock.known.add("a")
    await stock.adjust("a", 2, "k1")
    assert await told(stock) == [True]
    await stock.adjust("a", 1, "k2")
    await stock.reserve("ord_1", ("a", 2))
    assert await told(stock) == [True]
    await stock.reserve("ord_2", ("a", 1))
    assert await told(stock) == [True, False]
    # They leave the shelf; there were none left already
    await stock.commit("ord_1")
    assert await told(stock) == [True, False]
    await stock.release("ord_2")
    assert await told(stock) == [True, False, True]
    await stock.adjust("a", -1, "k3")
    await deliver(stock, "OrderCancelled", "ord_1")
    assert await told(stock) == [True, False, True, False, True]


async def test_a_product_without_any_stock_is_not_announced(stock: Stock) -> None:
    stock.known.add("a")
    await set_policy(stock, "a", lowStockThreshold=3)
    await set_policy(stock, "a")
    assert await told(stock) == []


async def test_whoever_is_refused_announces_nothing(stock: Stock) -> None:
    await stock.put(a=2, b=0)
    assert (await stock.reserve("ord_1", ("a", 2), ("b", 1)))["__typename"] == "OutOfStockProblem"
    assert (await stock.adjust("a", -3, "k"))["__typename"] == "ConflictProblem"
    assert await stock.rows("outbox") == []


async def test_what_may_be_owed_can_be_bought(stock: Stock) -> None:
    await stock.put(a=0)
    await set_policy(stock, "a", backorder="ALLOW", backorderLimit=2)
    assert await told(stock) == [True]
    await stock.reserve("ord_1", ("a", 2))
    assert await told(stock) == [True, False]
    await set_policy(stock, "a", backorder="ALLOW", backorderLimit=3)
    await set_policy(stock, "a", backorder="DENY")
    assert await told(stock) == [True, False, True, False]


async def test_fifty_buyers_of_the_last_pieces_make_one_announcement(stock: Stock) -> None:
    await stock.put(a=10, b=10)
    results = await asyncio.gather(*(stock.reserve(f"ord_{n}", ("a", 1), ("b", 1)) for n in range(50)))
    assert [each["__typename"] for each in results].count("StockReservation") == 10
    assert await told(stock, "a") == [False]
    assert await told(stock, "b") == [False]
    sold = [n for n, each in enumerate(results) if each["__typename"] == "StockReservation"]
    await asyncio.gather(*(stock.release(f"ord_{n}") for n in sold))
    assert await told(stock, "a") == [False, True]


async def test_a_reservation_that_time_ended_is_announced_by_the_job_that_lets_it_lapse(
    stock: Stock, clock: FixedClock
) -> None:
    await stock.put(a=1)
    await stock.reserve("ord_1", ("a", 1))
    clock.advance(hours=1)
    assert await told(stock) == [False]
    await stock.run_job(LAPSE)
    assert await told(stock) == [False, True]
    await stock.run_job(LAPSE)
    assert await told(stock) == [False, True]


async def test_a_buyer_who_comes_before_the_job_lets_it_lapse_and_takes_it(stock: Stock, clock: FixedClock) -> None:
    await stock.put(a=1)
    await stock.reserve("ord_1", ("a", 1))
    clock.advance(hours=1)
    assert (await stock.reserve("ord_2", ("a", 1)))["status"] == "HELD"
    # It was free for a moment, and is not now
    assert await told(stock) == [False, True, False]


async def test_while_others_are_overdue_the_last_free_piece_does_not_make_it_sold_out(
    stock: Stock, clock: FixedClock
) -> None:
    await stock.put(a=2)
    await stock.reserve("ord_1", ("a", 1))
    clock.advance(hours=1)
    await stock.reserve("ord_2", ("a", 1))
    assert await stock.counters() == {"a": (2, 2, 0)}
    assert await told(stock) == []
    await stock.run_job(LAPSE)
    assert await told(stock) == []
    await stock.reserve("ord_3", ("a", 1))
    assert await told(stock) == [False]


async def test_a_payment_for_an_overdue_reservation_makes_it_sold_out_after_all(
    stock: Stock, clock: FixedClock
) -> None:
    await stock.put(a=2)
    await stock.reserve("ord_1", ("a", 1))
    clock.advance(hours=1)
    await stock.reserve("ord_2", ("a", 1))
    assert await stock.commit("ord_1") == "COMMITTED"
    assert await stock.counters() == {"a": (1, 1, 0)}
    assert await told(stock) == [False]


@pytest.mark.parametrize("prepared", [1, 3])
async def test_stock_from_before_anybody_was_told_is_announced_once_at_start(stock: Stock, prepared: int) -> None:
    await stock.put(a=5, b=0, c=0)
    await set_policy(stock, "c", backorder="ALLOW", backorderLimit=2)
    database = stock.subgraph.runtime.database
    await database["outbox"].delete_many({})
    await database["stock_levels"].update_many({}, {"$unset": {"announced": "", "revision": ""}})
    await asyncio.gather(*(stock.subgraph.prepare() for _ in range(prepared)))
    assert [await told(stock, each) for each in ("a", "b", "c")] == [[True], [], [True]]
    await stock.subgraph.prepare()
    assert await told(stock) == [True]


async def test_counters_that_were_lost_and_come_back_are_announced_as_something_later(
    stock: Stock, clock: FixedClock
) -> None:
    stock.known.add("a")
    await stock.adjust("a", 1, "k1")
    await stock.reserve("ord_1", ("a", 1))
    await stock.release("ord_1")
    assert await told(stock) == [True, False, True]
    clock.advance(minutes=1)
    runtime = stock.subgraph.runtime
    await runtime.database["stock_levels"].delete_many({})
    await Reconciler(runtime.client, runtime.database, clock).mend("a")
    assert await told(stock) == [True, False, True, True]


async def test_counters_that_are_mended_to_nothing_are_announced(stock: Stock, clock: FixedClock) -> None:
    await stock.put(a=5)
    runtime = stock.subgraph.runtime
    await runtime.database["movements"].delete_many({})
    await Reconciler(runtime.client, runtime.database, clock).mend("a")
    assert await stock.counters() == {"a": (0, 0, 0)}
    assert await told(stock) == [False]
