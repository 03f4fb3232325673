"""The ledger: every change is in it, and counters that differ from it are found and put right."""

import asyncio
from typing import Any

import pytest

from core.identity import ANONYMOUS, Identity
from subgraphs.inventory import reconciling
from subgraphs.inventory.ledger_repository import Counters, StoredCounters
from subgraphs.inventory.reconciling import Drift, Reconciler
from tests.integration.inventory.conftest import Stock
from tests.testkit.callers import CUSTOMER, ORDER_SERVICE, STAFF
from tests.testkit.clock import FixedClock

MOVEMENTS = """query($id: ID!, $first: Int, $after: String) {
    stockMovements(productId: $id, first: $first, after: $after) {
    nodes { product { id } kind onHand reserved orderId reason actorId at } pageInfo { endCursor hasNextPage } } }"""


def reconciler(stock: Stock) -> Reconciler:
    runtime = stock.subgraph.runtime
    return Reconciler(runtime.client, runtime.database, runtime.clock)


async def drift(stock: Stock) -> list[Drift]:
    return [each async for each in reconciler(stock).find_drift()]


async def break_counters(stock: Stock, product_id: str, **values: int) -> None:
    await stock.subgraph.runtime.database["stock_levels"].update_one({"_id": product_id}, {"$set": values})


async def test_every_change_is_told_with_its_actor_reason_order_and_time(stock: Stock, clock: FixedClock) -> None:
    await stock.put(a=5)
    await stock.adjust("a", 2, "k", "delivery 4711")
    await stock.reserve("ord_1", ("a", 3))
    await stock.reserve("ord_2", ("a", 1))
    await stock.commit("ord_1")
    clock.advance(hours=1)
    await stock.run_job("lapse_reservations")
    first = (await stock.data(MOVEMENTS, {"id": "a", "first": 4}, by=STAFF))["stockMovements"]
    rest = await stock.data(MOVEMENTS, {"id": "a", "after": first["pageInfo"]["endCursor"]}, by=STAFF)
    told = [*first["nodes"], *rest["stockMovements"]["nodes"]]
    assert [tuple(each.values())[1:] for each in reversed(told)] == [
        ("ADJUSTED", 5, 0, None, "opening stock", "service:inventory", "2026-11-01T09:00:00.000Z"),
        ("ADJUSTED", 2, 0, None, "delivery 4711", "usr_staff", "2026-11-01T09:00:00.000Z"),
        ("RESERVED", 0, 3, "ord_1", None, "service:order", "2026-11-01T09:00:00.000Z"),
        ("RESERVED", 0, 1, "ord_2", None, "service:order", "2026-11-01T09:00:00.000Z"),
        ("COMMITTED", -3, -3, "ord_1", None, "service:order", "2026-11-01T09:00:00.000Z"),
        ("LAPSED", 0, -1, "ord_2", None, "service:inventory", "2026-11-01T10:00:00.000Z"),
    ]
    assert {each["product"]["id"] for each in told} == {"a"}


@pytest.mark.parametrize("by", [ANONYMOUS, CUSTOMER, ORDER_SERVICE])
async def test_the_ledger_is_for_those_with_the_scope(stock: Stock, by: Identity) -> None:
    code = "FORBIDDEN" if by.is_authenticated else "UNAUTHENTICATED"
    assert await stock.refusals(MOVEMENTS, {"id": "a"}, by=by) == [code]


async def test_counters_that_agree_are_left_alone(stock: Stock) -> None:
    await stock.put(a=5, b=0)
    await stock.reserve("ord_1", ("a", 3))
    await stock.reserve("ord_2", ("a", 1))
    await stock.commit("ord_2")
    before = await stock.rows("stock_levels"), await stock.rows("movements"), await stock.rows("outbox")
    assert await drift(stock) == []
    await stock.run_job("reconcile_stock")
    assert (await stock.rows("stock_levels"), await stock.rows("movements"), await stock.rows("outbox")) == before


async def test_counters_are_put_right_from_the_ledger_at_night(stock: Stock) -> None:
    await stock.put(a=5, b=7)
    await stock.reserve("ord_1", ("a", 3))
    await break_counters(stock, "a", on_hand=9, reserved=1)
    [found] = await drift(stock)
    assert found == Drift(
        "a",
        StoredCounters(Counters(9, 1), {"whs_main": Counters(5, 3)}, add_up=False),
        {"whs_main": Counters(5, 3)},
        {"whs_main": 3},
    )
    ledger = await stock.rows("movements")
    await asyncio.gather(stock.run_job("reconcile_stock"), stock.run_job("reconcile_stock"))
    assert await stock.counters() == {"a": (5, 3, 2), "b": (7, 0, 7)}
    assert await stock.rows("movements") == ledger
    [event] = await stock.rows("outbox")
    assert (event["type"], event["payload"]) == (
        "StockCorrected",
        {
            "product_id": "a",
            "before": {"on_hand": 9, "reserved": 1},
            "after": {"on_hand": 5, "reserved": 3},
        },
    )


async def test_a_wrong_available_alone_is_drift(stock: Stock) -> None:
    await stock.put(a=5)
    await break_counters(stock, "a", available=6)
    await stock.run_job("reconcile_stock")
    assert await stock.counters() == {"a": (5, 0, 5)}


async def test_live_reservations_are_believed_and_the_ledger_is_told(stock: Stock) -> None:
    await stock.put(a=5)
    await stock.reserve("ord_1", ("a", 3))
    await stock.reserve("ord_2", ("a", 1))
    # A reservation that went without its movement
    await stock.subgraph.runtime.database["reservations"].delete_one({"_id": "ord_1"})
    await stock.run_job("reconcile_stock")
    assert await stock.counters() == {"a": (5, 1, 4)}
    last = (await stock.rows("movements"))[-1]
    assert (last["kind"], last["on_hand"], last["reserved"], last["by"]) == ("CORRECTED", 0, -3, "service:inventory")
    assert await drift(stock) == []


async def test_lost_counters_come_back(stock: Stock) -> None:
    await stock.put(a=5, b=2)
    await stock.reserve("ord_1", ("a", 3))
    await stock.subgraph.runtime.database["stock_levels"].delete_many({})
    assert [each.product_id async for each in reconciler(stock).mend_all()] == ["a", "b"]
    assert await stock.counters() == {"a": (5, 3, 2), "b": (2, 0, 2)}


async def test_when_much_is_wrong_the_job_reports_and_a_person_decides(
    stock: Stock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconciling, "MOST_MENDED", 2)
    await stock.put(a=1, b=2, c=3, d=4)
    await stock.subgraph.runtime.database["movements"].delete_many({"product_id": {"$ne": "d"}})
    before = await stock.rows("stock_levels")
    await stock.run_job("reconcile_stock")
    assert await stock.rows("stock_levels") == before
    assert await stock.rows("outbox") == []
    assert [each.product_id async for each in reconciler(stock).mend_all()] == ["a", "b", "c"]
    assert await stock.counters() == {"a": (0, 0, 0), "b": (0, 0, 0), "c": (0, 0, 0), "d": (4, 0, 4)}


async def test_batches_neither_lose_nor_repeat_a_product(stock: Stock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconciling, "BATCH", 2)
    await stock.put(**dict.fromkeys("abcde", 1))
    for name in "bde":
        await break_counters(stock, name, on_hand=2, available=2)
    await stock.subgraph.runtime.database["stock_levels"].delete_one({"_id": "c"})
    assert [each.product_id for each in await drift(stock)] == ["b", "d", "e", "c"]


async def test_mending_while_buyers_buy_loses_nothing(stock: Stock) -> None:
    await stock.put(a=40)
    await break_counters(stock, "a", on_hand=50, available=50)

    async def shop(n: int) -> Any:
        await stock.reserve(f"ord_{n}", ("a", 1))
        return await stock.commit(f"ord_{n}") if n % 2 else await stock.release(f"ord_{n}")

    await asyncio.gather(*(shop(n) for n in range(20)), *(reconciler(stock).mend("a") for _ in range(5)))
    assert await stock.counters() == {"a": (30, 0, 30)}
