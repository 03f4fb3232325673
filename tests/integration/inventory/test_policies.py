"""Selling more than is there, and being told that little is left."""

import asyncio
from typing import Any

import pytest

from core.identity import ANONYMOUS, Identity
from tests.integration.inventory.conftest import Stock
from tests.testkit.callers import CUSTOMER, ORDER_SERVICE, STAFF
from tests.testkit.clock import FixedClock

SET = """mutation($input: SetStockPolicyInput!) { setStockPolicy(input: $input) {
    __typename
    ... on StockLevel { available backorderPolicy backorderLimit lowStockThreshold isLow }
    ... on Problem { code message } ... on InvalidInputProblem { field } } }"""
ALERTS = "{ stockAlerts { nodes { product { id } threshold available at } } }"
SHOWN = "... on Product { availability { available inStock canBackorder } purchasable }"


async def set_policy(stock: Stock, product_id: str, **policy: Any) -> Any:
    given = {"productId": product_id, "backorder": "DENY", **policy}
    return (await stock.data(SET, {"input": given}, by=STAFF))["setStockPolicy"]


async def shown(stock: Stock, product_id: str) -> Any:
    [found] = await stock.entities(SHOWN, [{"__typename": "Product", "id": product_id, "sellable": True}])
    return found


async def low_events(stock: Stock) -> list[Any]:
    return [row["payload"] for row in await stock.rows("outbox") if row["type"] == "StockLow"]


async def test_without_a_policy_nothing_is_owed(stock: Stock) -> None:
    await stock.put(a=1)
    assert (await stock.reserve("ord_1", ("a", 2)))["__typename"] == "OutOfStockProblem"
    assert await shown(stock, "a") == {
        "availability": {"available": 1, "inStock": True, "canBackorder": False},
        "purchasable": True,
    }
    assert await stock.counters() == {"a": (1, 0, 1)}


async def test_up_to_the_limit_more_is_sold_than_is_there(stock: Stock) -> None:
    await stock.put(a=1)
    assert await set_policy(stock, "a", backorder="ALLOW", backorderLimit=3) == {
        "__typename": "StockLevel",
        "available": 1,
        "backorderPolicy": "ALLOW",
        "backorderLimit": 3,
        "lowStockThreshold": None,
        "isLow": False,
    }
    assert (await stock.reserve("ord_1", ("a", 3)))["status"] == "HELD"
    assert await stock.counters() == {"a": (1, 3, -2)}
    assert await shown(stock, "a") == {
        "availability": {"available": 0, "inStock": False, "canBackorder": True},
        "purchasable": True,
    }
    refused = await stock.reserve("ord_2", ("a", 2))
    assert refused["shortages"] == [{"productId": "a", "requested": 2, "available": 1}]
    assert (await stock.reserve("ord_3", ("a", 1)))["status"] == "HELD"
    assert (await shown(stock, "a"))["purchasable"] is False
    # Paid, the pieces are owed; the next delivery covers them
    assert await stock.commit("ord_1") == "COMMITTED"
    assert await stock.counters() == {"a": (-2, 1, -3)}
    await stock.adjust("a", 10, "k")
    assert await stock.counters() == {"a": (8, 1, 7)}


async def test_what_is_owed_and_released_is_owed_no_more(stock: Stock) -> None:
    await stock.put(a=0)
    await set_policy(stock, "a", backorder="ALLOW", backorderLimit=3)
    await stock.reserve("ord_1", ("a", 3))
    await stock.release("ord_1")
    assert await stock.counters() == {"a": (0, 0, 0)}


async def test_a_lowered_limit_sells_nothing_more_and_takes_nothing_back(stock: Stock) -> None:
    await stock.put(a=0)
    await set_policy(stock, "a", backorder="ALLOW", backorderLimit=3)
    await stock.reserve("ord_1", ("a", 3))
    await set_policy(stock, "a", backorder="DENY")
    refused = await stock.reserve("ord_2", ("a", 1))
    assert refused["shortages"] == [{"productId": "a", "requested": 1, "available": 0}]
    assert await stock.commit("ord_1") == "COMMITTED"
    [row] = await stock.rows("stock_levels")
    assert (row["on_hand"], row["reserved"], row["available"]) == (-3, 0, -3)


async def test_fifty_buyers_at_once_owe_no_more_than_the_limit(stock: Stock) -> None:
    await stock.put(a=10)
    await set_policy(stock, "a", backorder="ALLOW", backorderLimit=5)
    results = await asyncio.gather(*(stock.reserve(f"ord_{n}", ("a", 1)) for n in range(50)))
    assert [each["__typename"] for each in results].count("StockReservation") == 15
    assert await stock.counters() == {"a": (10, 15, -5)}


async def test_staff_take_nothing_away_that_is_owed(stock: Stock) -> None:
    await stock.put(a=2)
    await set_policy(stock, "a", backorder="ALLOW", backorderLimit=5)
    assert (await stock.adjust("a", -3, "k"))["code"] == "CONFLICT"
    assert await stock.counters() == {"a": (2, 0, 2)}


@pytest.mark.parametrize(
    ("policy", "field"),
    [
        ({"backorder": "ALLOW"}, "backorderLimit"),
        ({"backorder": "DENY", "backorderLimit": 1}, "backorderLimit"),
        ({"backorder": "ALLOW", "backorderLimit": -1}, "backorderLimit"),
        ({"backorder": "ALLOW", "backorderLimit": 1_000_001}, "backorderLimit"),
        ({"lowStockThreshold": -1}, "lowStockThreshold"),
        ({"lowStockThreshold": 2_000_000_001}, "lowStockThreshold"),
    ],
)
async def test_a_policy_without_sense_is_refused(stock: Stock, policy: dict[str, Any], field: str) -> None:
    await stock.put(a=1)
    before = await stock.rows("stock_levels")
    refused = await set_policy(stock, "a", **policy)
    assert (refused["__typename"], refused["field"]) == ("InvalidInputProblem", field)
    assert await stock.rows("stock_levels") == before
    assert await stock.rows("outbox") == []


async def test_a_policy_is_for_products_of_the_catalogue(stock: Stock) -> None:
    assert (await set_policy(stock, "nothing"))["code"] == "NOT_FOUND"
    assert await stock.rows("stock_levels") == []
    stock.known.add("a")
    assert (await set_policy(stock, "a", lowStockThreshold=1))["isLow"] is True


@pytest.mark.parametrize(
    ("by", "code"), [(ANONYMOUS, "UNAUTHENTICATED"), (CUSTOMER, "FORBIDDEN"), (ORDER_SERVICE, "FORBIDDEN")]
)
async def test_policies_and_alerts_are_for_those_with_the_scope(stock: Stock, by: Identity, code: str) -> None:
    await stock.put(a=1)
    before = await stock.rows("stock_levels")
    assert await stock.refusals(SET, {"input": {"productId": "a", "backorder": "DENY"}}, by=by) == [code]
    assert await stock.refusals(ALERTS, by=by) == [code]
    assert await stock.rows("stock_levels") == before


async def test_staff_are_told_once_each_time_that_a_product_runs_low(stock: Stock, clock: FixedClock) -> None:
    await stock.put(a=10, b=10)
    await set_policy(stock, "a", lowStockThreshold=3)
    await stock.reserve("ord_1", ("a", 6), ("b", 9))
    assert await low_events(stock) == []
    clock.advance(minutes=1)
    await stock.reserve("ord_2", ("a", 1))
    await stock.reserve("ord_3", ("a", 1))
    await stock.commit("ord_3")
    told = {"product_id": "a", "available": 3, "threshold": 3}
    assert await low_events(stock) == [told]
    [alert] = (await stock.data(ALERTS, by=STAFF))["stockAlerts"]["nodes"]
    assert alert == {"product": {"id": "a"}, "threshold": 3, "available": 3, "at": "2026-11-01T09:01:00.000Z"}
    # Above it again, and below it again: another crossing
    await stock.adjust("a", 2, "k")
    assert (await stock.data(ALERTS, by=STAFF))["stockAlerts"]["nodes"] == []
    await stock.reserve("ord_4", ("a", 4))
    assert await low_events(stock) == [told, {"product_id": "a", "available": 0, "threshold": 3}]
    assert len((await stock.data(ALERTS, by=STAFF))["stockAlerts"]["nodes"]) == 1


async def test_twenty_buyers_at_once_make_one_alert(stock: Stock) -> None:
    await stock.put(a=20)
    await set_policy(stock, "a", lowStockThreshold=10)
    await asyncio.gather(*(stock.reserve(f"ord_{n}", ("a", 1)) for n in range(20)))
    assert await low_events(stock) == [{"product_id": "a", "available": 10, "threshold": 10}]
    assert len(await stock.rows("stock_alerts")) == 1


async def test_a_new_threshold_counts_at_once(stock: Stock) -> None:
    await stock.put(a=5)
    assert (await set_policy(stock, "a", lowStockThreshold=5))["isLow"] is True
    assert await low_events(stock) == [{"product_id": "a", "available": 5, "threshold": 5}]
    assert (await set_policy(stock, "a", lowStockThreshold=6))["isLow"] is True
    assert len(await low_events(stock)) == 1
    assert (await set_policy(stock, "a"))["isLow"] is False
    assert (await stock.data(ALERTS, by=STAFF))["stockAlerts"]["nodes"] == []


async def test_a_reservation_that_fails_leaves_no_alert(stock: Stock) -> None:
    await stock.put(a=5, b=0)
    await set_policy(stock, "a", lowStockThreshold=2)
    await stock.reserve("ord_1", ("a", 5), ("b", 1))
    assert await low_events(stock) == []
    assert await stock.rows("stock_alerts") == []
