"""Being told, once, that a product is available again."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from core.events import Event, handle_once
from core.identity import ANONYMOUS, Identity, Role
from core.ids import new_id
from subgraphs.inventory import model, waiting
from subgraphs.inventory.waiting_repository import WaitingRepository
from tests.integration.inventory.conftest import Stock
from tests.testkit.callers import CUSTOMER, ORDER_SERVICE, OTHER_CUSTOMER
from tests.testkit.clock import FixedClock

WAIT = """mutation($id: ID!) { notifyWhenInStock(productId: $id) {
    __typename ... on BackInStockNotice { product { id } createdAt } ... on Problem { code message } } }"""
CANCEL = """mutation($id: ID!) { cancelBackInStockNotice(productId: $id) {
    __typename ... on BackInStockNotice { product { id } } ... on Problem { code message } } }"""
NOTICES = "{ backInStockNotices { product { id } } }"


@pytest.fixture(autouse=True)
async def catalogue(stock: Stock) -> None:
    stock.known.update({"a", "b"})
    await stock.put(a=0, b=0)


async def wait(stock: Stock, product_id: str = "a", by: Identity = CUSTOMER) -> Any:
    return (await stock.data(WAIT, {"id": product_id}, by=by))["notifyWhenInStock"]


async def told(stock: Stock) -> list[tuple[str, str, str]]:
    payloads = [row["payload"] for row in await stock.rows("outbox") if row["type"] == "BackInStock"]
    return sorted((each["user_id"], each["product_id"], each["product_name"]) for each in payloads)


async def test_those_who_wait_are_told_once_when_it_is_available_again(stock: Stock) -> None:
    assert await wait(stock) == {
        "__typename": "BackInStockNotice",
        "product": {"id": "a"},
        "createdAt": "2026-11-01T09:00:00.000Z",
    }
    await wait(stock, by=OTHER_CUSTOMER)
    await wait(stock, "b")
    await stock.run_job("tell_waiting")
    assert await told(stock) == []
    await stock.adjust("a", 1, "k1")
    await asyncio.gather(*(stock.run_job("tell_waiting") for _ in range(3)))
    both = [("usr_customer", "a", "A"), ("usr_other", "a", "A")]
    assert await told(stock) == both
    assert (await stock.data(NOTICES, by=CUSTOMER))["backInStockNotices"] == [{"product": {"id": "b"}}]
    # Sold and back again: nobody waits any more
    await stock.adjust("a", -1, "k2")
    await stock.adjust("a", 1, "k3")
    await stock.run_job("tell_waiting")
    assert await told(stock) == both
    assert await stock.rows("stock_returns") == []


@pytest.mark.parametrize("ending", ["release", "lapse", "cancel"])
async def test_pieces_that_an_order_gives_back_are_told_of(stock: Stock, clock: FixedClock, ending: str) -> None:
    await stock.adjust("a", 1, "k")
    await stock.run_job("tell_waiting")
    await stock.reserve("ord_1", ("a", 1))
    await wait(stock)
    if ending == "release":
        await stock.release("ord_1")
    elif ending == "lapse":
        clock.advance(hours=1)
        await stock.run_job("lapse_reservations")
    else:
        await stock.commit("ord_1")
        runtime, handlers = stock.subgraph.runtime, stock.subgraph.handlers
        event = Event(new_id("evt"), "OrderCancelled", "ord_1", {"order_id": "ord_1"}, clock.now())
        await handle_once(runtime.client, runtime.database, event, handlers[event.type])
    await stock.run_job("tell_waiting")
    assert await told(stock) == [("usr_customer", "a", "A")]


async def test_asking_twice_is_asking_once_even_at_the_same_time(stock: Stock) -> None:
    results = await asyncio.gather(*(wait(stock) for _ in range(10)))
    assert {each["__typename"] for each in results} == {"BackInStockNotice"}
    assert len(await stock.rows("stock_waits")) == 1
    await stock.adjust("a", 1, "k")
    await stock.run_job("tell_waiting")
    assert await told(stock) == [("usr_customer", "a", "A")]


async def test_what_is_gone_again_before_the_job_comes_is_not_told_of(stock: Stock) -> None:
    await wait(stock)
    await stock.adjust("a", 1, "k")
    await stock.reserve("ord_1", ("a", 1))
    await stock.run_job("tell_waiting")
    assert await told(stock) == []
    assert await stock.rows("stock_returns") == []
    await stock.release("ord_1")
    await stock.run_job("tell_waiting")
    assert await told(stock) == [("usr_customer", "a", "A")]


async def test_what_is_no_longer_for_sale_is_not_told_of(stock: Stock) -> None:
    await wait(stock)
    stock.archived.add("a")
    await stock.adjust("a", 1, "k")
    await stock.run_job("tell_waiting")
    assert await told(stock) == []
    assert len(await stock.rows("stock_waits")) == 1


async def test_a_debt_that_is_paid_off_is_not_availability(stock: Stock) -> None:
    await wait(stock)
    await stock.subgraph.runtime.database["stock_levels"].update_one({"_id": "a"}, {"$set": {"backorder_limit": 5}})
    await stock.reserve("ord_1", ("a", 5))
    await stock.adjust("a", 5, "k1")
    await stock.run_job("tell_waiting")
    assert await told(stock) == []
    await stock.adjust("a", 1, "k2")
    await stock.run_job("tell_waiting")
    assert await told(stock) == [("usr_customer", "a", "A")]


async def test_more_wait_than_are_told_at_a_time(stock: Stock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "TOLD_TOGETHER", 2)
    buyers = [Identity(f"usr_{n}", frozenset({Role.CUSTOMER})) for n in range(5)]
    for by in buyers:
        await wait(stock, by=by)
    await stock.adjust("a", 1, "k")
    await stock.run_job("tell_waiting")
    assert await told(stock) == [(f"usr_{n}", "a", "A") for n in range(5)]


async def test_who_asks_while_it_comes_back_is_told_too(stock: Stock, monkeypatch: pytest.MonkeyPatch) -> None:
    original = WaitingRepository.insert_wait

    async def insert_late(self: WaitingRepository, row: model.Wait) -> None:
        # It comes back, and whoever waits is told, between the look at the stock and the writing
        await stock.adjust("a", 1, "k")
        await stock.run_job("tell_waiting")
        await original(self, row)

    monkeypatch.setattr(WaitingRepository, "insert_wait", insert_late)
    await wait(stock)
    assert await told(stock) == []
    await stock.run_job("tell_waiting")
    assert await told(stock) == [("usr_customer", "a", "A")]


async def test_nobody_waits_for_what_is_there_or_unknown_or_too_much(
    stock: Stock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stock.adjust("b", 1, "k")
    assert (await wait(stock, "b"))["code"] == "CONFLICT"
    assert (await wait(stock, "nothing"))["code"] == "NOT_FOUND"
    stock.archived.add("a")
    assert (await wait(stock, "a"))["code"] == "NOT_FOUND"
    stock.archived.clear()
    assert await stock.rows("stock_waits") == []
    monkeypatch.setattr(waiting, "MAX_WAITS", 1)
    assert (await wait(stock, "a"))["__typename"] == "BackInStockNotice"
    await stock.adjust("b", -1, "k2")
    assert (await wait(stock, "b"))["message"] == "you wait for 1 products already"
    assert (await wait(stock, "a"))["__typename"] == "BackInStockNotice"
    assert [row["_id"] for row in await stock.rows("stock_waits")] == ["a:usr_customer"]


async def test_one_can_stop_waiting_for_oneself_alone(stock: Stock) -> None:
    await wait(stock)
    refused = (await stock.data(CANCEL, {"id": "a"}, by=OTHER_CUSTOMER))["cancelBackInStockNotice"]
    assert refused["code"] == "NOT_FOUND"
    assert len(await stock.rows("stock_waits")) == 1
    cancelled = (await stock.data(CANCEL, {"id": "a"}, by=CUSTOMER))["cancelBackInStockNotice"]
    assert cancelled == {"__typename": "BackInStockNotice", "product": {"id": "a"}}
    assert await stock.rows("stock_waits") == []
    await stock.adjust("a", 1, "k")
    await stock.run_job("tell_waiting")
    assert await told(stock) == []


async def test_everybody_sees_their_own_notices(stock: Stock, clock: FixedClock) -> None:
    await wait(stock, "a")
    clock.advance(minutes=1)
    await wait(stock, "b")
    await wait(stock, "b", by=OTHER_CUSTOMER)
    mine = (await stock.data(NOTICES, by=CUSTOMER))["backInStockNotices"]
    assert [each["product"]["id"] for each in mine] == ["b", "a"]


@pytest.mark.parametrize(("by", "code"), [(ANONYMOUS, "UNAUTHENTICATED"), (ORDER_SERVICE, "FORBIDDEN")])
async def test_notices_are_for_people(stock: Stock, by: Identity, code: str) -> None:
    assert await stock.refusals(WAIT, {"id": "a"}, by=by) == [code]
    assert await stock.refusals(CANCEL, {"id": "a"}, by=by) == [code]
    assert await stock.refusals(NOTICES, by=by) == [code]
    assert await stock.rows("stock_waits") == []


async def test_an_erased_user_waits_for_nothing(stock: Stock) -> None:
    await wait(stock, "a")
    await wait(stock, "b")
    await wait(stock, "a", by=OTHER_CUSTOMER)
    runtime, handlers = stock.subgraph.runtime, stock.subgraph.handlers
    erased = {"user_id": "usr_customer"}
    event = Event(new_id("evt"), "UserErased", "usr_customer", erased, datetime(2026, 11, 1, tzinfo=UTC))
    await handle_once(runtime.client, runtime.database, event, handlers[event.type])
    assert [row["_id"] for row in await stock.rows("stock_waits")] == ["a:usr_other"]
