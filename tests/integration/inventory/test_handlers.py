"""What the stock does about the events of catalogue and orders, in any order and any number of deliveries."""

import asyncio
from datetime import UTC, datetime
from itertools import permutations

import pytest

from core.events import Event, handle_once
from core.ids import new_id
from tests.integration.inventory.conftest import Stock


def event(type_: str, subject: str) -> Event:
    key = "product_id" if type_.startswith("Product") else "order_id"
    return Event(new_id("evt"), type_, subject, {key: subject}, datetime(2026, 11, 1, tzinfo=UTC))


async def deliver(stock: Stock, *events: Event) -> list[bool]:
    """Deliver all events at the same time."""
    runtime, handlers = stock.subgraph.runtime, stock.subgraph.handlers
    return await asyncio.gather(
        *(handle_once(runtime.client, runtime.database, one, handlers[one.type]) for one in events)
    )


async def test_a_new_product_gets_its_counters_once(stock: Stock) -> None:
    created = event("ProductCreated", "a")
    assert sorted(await deliver(stock, created, created)) == [False, True]
    assert await stock.counters() == {"a": (0, 0, 0)}
    await stock.adjust("a", 5, "k")
    await deliver(stock, event("ProductCreated", "a"))
    assert await stock.counters() == {"a": (5, 0, 5)}


async def test_a_paid_order_takes_its_pieces_once_however_often_it_is_told(stock: Stock) -> None:
    await stock.put(a=5)
    await stock.reserve("ord_1", ("a", 2))
    paid = event("OrderPaid", "ord_1")
    assert sorted(await deliver(stock, *[paid] * 5)) == [False] * 4 + [True]
    await deliver(stock, event("OrderPaid", "ord_1"))
    assert await stock.counters() == {"a": (3, 0, 3)}


@pytest.mark.parametrize("ending", ["OrderCancelled", "OrderExpired"])
async def test_an_order_that_ends_unpaid_gives_its_pieces_back_once(stock: Stock, ending: str) -> None:
    await stock.put(a=5)
    await stock.reserve("ord_1", ("a", 2))
    ended = event(ending, "ord_1")
    assert sorted(await deliver(stock, *[ended] * 5)) == [False] * 4 + [True]
    await deliver(stock, event(ending, "ord_1"))
    assert await stock.counters() == {"a": (5, 0, 5)}


async def test_a_paid_order_that_is_cancelled_returns_its_pieces(stock: Stock) -> None:
    await stock.put(a=5)
    await stock.reserve("ord_1", ("a", 2))
    await deliver(stock, event("OrderPaid", "ord_1"))
    await deliver(stock, event("OrderCancelled", "ord_1"))
    assert await stock.counters() == {"a": (5, 0, 5)}
    kinds = [row["kind"] for row in await stock.rows("movements") if row["order_id"] == "ord_1"]
    assert kinds == ["RESERVED", "COMMITTED", "RETURNED"]


@pytest.mark.parametrize("types", list(permutations(["OrderPaid", "OrderCancelled"])))
async def test_paid_and_cancelled_end_the_same_in_either_order(stock: Stock, types: tuple[str, ...]) -> None:
    await stock.put(a=5)
    await stock.reserve("ord_1", ("a", 2))
    for type_ in types:
        await deliver(stock, event(type_, "ord_1"))
    assert await stock.counters() == {"a": (5, 0, 5)}


async def test_paid_and_cancelled_at_the_same_time_end_the_same(stock: Stock) -> None:
    await stock.put(a=40)
    for n in range(10):
        await stock.reserve(f"ord_{n}", ("a", 2))
    told = [event(type_, f"ord_{n}") for n in range(10) for type_ in ("OrderPaid", "OrderCancelled")]
    assert await deliver(stock, *told) == [True] * 20
    assert await stock.counters() == {"a": (40, 0, 40)}


async def test_an_order_that_never_reserved_changes_nothing(stock: Stock) -> None:
    await stock.put(a=5)
    await deliver(stock, event("OrderPaid", "ord_1"))
    await deliver(stock, event("OrderExpired", "ord_2"))
    assert await stock.counters() == {"a": (5, 0, 5)}
