"""Adjusting stock: once per key, never below what is promised."""

import asyncio

import pytest

from core.identity import ANONYMOUS, Identity
from tests.integration.inventory.conftest import ADJUST, Stock
from tests.testkit.callers import CUSTOMER, ORDER_SERVICE, STAFF


async def test_an_adjustment_changes_counters_and_ledger(stock: Stock) -> None:
    stock.known.add("a")
    assert await stock.adjust("a", 10, "k1", " delivery 4711 ") == {
        "__typename": "StockLevel",
        "product": {"id": "a"},
        "onHand": 10,
        "reserved": 0,
        "available": 10,
    }
    assert (await stock.adjust("a", -4, "k2", "broken"))["onHand"] == 6
    assert await stock.counters() == {"a": (6, 0, 6)}
    rows = await stock.rows("movements")
    assert [(row["on_hand"], row["reason"], row["by"], row["kind"]) for row in rows] == [
        (10, "delivery 4711", "usr_staff", "ADJUSTED"),
        (-4, "broken", "usr_staff", "ADJUSTED"),
    ]


async def test_a_product_that_the_catalogue_does_not_know_gets_no_stock(stock: Stock) -> None:
    assert await stock.adjust("nothing", 1, "k") == {
        "__typename": "NotFoundProblem",
        "code": "NOT_FOUND",
        "message": "there is no product nothing",
    }
    assert await stock.rows("stock_levels") == []
    assert await stock.rows("movements") == []


async def test_what_is_reserved_cannot_be_taken_away(stock: Stock) -> None:
    await stock.put(a=5)
    await stock.reserve("ord_1", ("a", 3))
    refused = await stock.adjust("a", -3, "k")
    assert (refused["__typename"], refused["code"]) == ("ConflictProblem", "CONFLICT")
    assert await stock.counters() == {"a": (5, 3, 2)}
    # The refused attempt has not used up its key
    assert (await stock.adjust("a", -2, "k"))["available"] == 0
    assert await stock.counters() == {"a": (3, 3, 0)}


async def test_stock_does_not_outgrow_its_counter(stock: Stock) -> None:
    await stock.put(a=5)
    refused = await stock.adjust("a", 2_000_000_000, "k")
    assert refused["code"] == "CONFLICT"
    assert (await stock.adjust("a", 1_999_999_995, "k"))["onHand"] == 2_000_000_000


async def test_one_key_sent_twenty_times_at_once_adjusts_once(stock: Stock) -> None:
    stock.known.add("a")
    results = await asyncio.gather(*(stock.adjust("a", 5, "k") for _ in range(20)))
    assert {result["onHand"] for result in results} == {5}
    assert await stock.counters() == {"a": (5, 0, 5)}
    assert len(await stock.rows("movements")) == 1


async def test_a_key_is_good_for_one_adjustment(stock: Stock) -> None:
    await stock.put(a=5, b=5)
    await stock.adjust("a", 1, "k")
    for product, delta in (("a", 2), ("b", 1)):
        refused = await stock.adjust(product, delta, "k")
        assert refused["message"] == "the idempotency key was used for something else"
    assert await stock.counters() == {"a": (6, 0, 6), "b": (5, 0, 5)}


async def test_fifty_adjustments_at_once_add_up(stock: Stock) -> None:
    await stock.put(a=50)
    await asyncio.gather(*(stock.adjust("a", delta, f"k{n}") for n, delta in enumerate([-1, 2] * 25)))
    assert await stock.counters() == {"a": (75, 0, 75)}


@pytest.mark.parametrize(
    ("delta", "reason", "key", "field"),
    [
        (0, "none", "k", "delta"),
        (-2_000_000_001, "none", "k", "delta"),
        (1, " ", "k", "reason"),
        (1, "x" * 201, "k", "reason"),
        (1, "why", "", "idempotencyKey"),
        (1, "why", "x" * 101, "idempotencyKey"),
    ],
)
async def test_an_adjustment_without_sense_is_refused(
    stock: Stock, delta: int, reason: str, key: str, field: str
) -> None:
    await stock.put(a=5)
    refused = await stock.adjust("a", delta, key, reason)
    assert (refused["__typename"], refused["field"]) == ("InvalidInputProblem", field)
    assert await stock.counters() == {"a": (5, 0, 5)}


@pytest.mark.parametrize(
    ("by", "code"), [(ANONYMOUS, "UNAUTHENTICATED"), (CUSTOMER, "FORBIDDEN"), (ORDER_SERVICE, "FORBIDDEN")]
)
async def test_only_holders_of_the_scope_adjust(stock: Stock, by: Identity, code: str) -> None:
    await stock.put(a=5)
    given = {"productId": "a", "delta": 1, "reason": "theft", "idempotencyKey": "k"}
    assert await stock.refusals(ADJUST, {"input": given}, by=by) == [code]
    assert await stock.counters() == {"a": (5, 0, 5)}


async def test_without_the_catalogue_a_new_product_waits(stock: Stock) -> None:
    calls = stock.subgraph.runtime.peers._calls  # type: ignore[attr-defined]
    calls.clear()
    given = {"productId": "a", "delta": 1, "reason": "delivery", "idempotencyKey": "k"}
    assert await stock.refusals(ADJUST, {"input": given}, by=STAFF) == ["UNAVAILABLE"]
    assert await stock.rows("stock_levels") == []
    await stock.put(a=1)
    assert (await stock.adjust("a", 1, "k"))["onHand"] == 2
