"""Subscribers to the totals are told at once, then after every change that counts, and are never behind."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.identity import ANONYMOUS
from core.mongo import Database
from subgraphs.order.live_totals import ChangeFeed, LiveTotalsFeed
from subgraphs.order.model import SYSTEM, OrderStatus
from subgraphs.order.moves import OrderMover
from subgraphs.order.repository import OrderRepository
from subgraphs.order.rollup_repository import RollupRepository
from subgraphs.order.totals import LiveTotals
from tests.integration.order.test_totals import import_orders, open_reader, past_order
from tests.testkit.shop import ANI, STAFF, Shop

LIVE = """
subscription($timezone: String, $currency: CurrencyCode) {
  orderTotalsChanged(timezone: $timezone, currency: $currency) {
    asOf
    today { date orderCount quantity revenue { amount currency } }
    month { year month orderCount revenue { amount } growth { orderCount revenue } }
  }
}
"""
# Far longer than anything here takes: it ends a test that would wait for ever
PATIENCE_S = 60.0


@pytest.fixture
def database(shop: Shop) -> Database:
    return shop.subgraphs["order"].runtime.database


async def take(events: AsyncGenerator[Any, None]) -> Any:
    async with asyncio.timeout(PATIENCE_S):
        return await anext(events)


async def no_pause() -> None:
    return None


async def test_a_subscriber_hears_of_a_payment_and_of_a_cancellation(shop: Shop) -> None:
    await shop.stock_up(teapot=9)
    await import_orders(shop, [past_order(1, datetime(2027, 2, 10, tzinfo=UTC))])
    async with aclosing(shop.order.subscribe(LIVE, by=STAFF)) as events:
        at_once = (await take(events))["data"]["orderTotalsChanged"]
        assert at_once == {
            "asOf": "2027-03-01T03:00:00.000Z",
            "today": {
                "date": "2027-03-01",
                "orderCount": 0,
                "quantity": 0,
                "revenue": {"amount": 0, "currency": "IDR"},
            },
            "month": {
                "year": 2027,
                "month": 3,
                "orderCount": 0,
                "revenue": {"amount": 0},
                "growth": {"orderCount": -1.0, "revenue": -1.0},
            },
        }
        order_id = await shop.order_paid(ANI, teapot=2)
        (order,) = [row for row in await shop.orders() if row["_id"] == order_id]
        paid = (await take(events))["data"]["orderTotalsChanged"]
        assert paid["today"]["revenue"]["amount"] == paid["month"]["revenue"]["amount"] == order["total_amount"]
        assert (paid["today"]["orderCount"], paid["today"]["quantity"]) == (1, 2)
        cancel = "mutation($id: ID!) { cancelOrder(id: $id) { __typename } }"
        await shop.order.data(cancel, {"id": order_id}, by=STAFF)
        cancelled = (await take(events))["data"]["orderTotalsChanged"]
        assert (cancelled["today"]["orderCount"], cancelled["month"]["orderCount"]) == (0, 0)


async def test_whoever_may_not_read_reports_is_refused_and_not_subscribed(shop: Shop) -> None:
    for caller, code in ((ANONYMOUS, "UNAUTHENTICATED"), (ANI, "FORBIDDEN")):
        events = shop.order.subscribe(LIVE, by=caller)
        responses = [event async for event in events]
        assert [error["extensions"]["code"] for (response,) in [responses] for error in response["errors"]] == [code]


async def test_a_timezone_that_is_none_is_refused(shop: Shop) -> None:
    responses = [event async for event in shop.order.subscribe(LIVE, {"timezone": "Mars/Olympus"}, by=STAFF)]
    assert [error["extensions"]["field"] for error in responses[0]["errors"]] == ["timezone"]
    assert len(responses) == 1


async def test_a_query_is_no_subscription(shop: Shop) -> None:
    responses = [event async for event in shop.order.subscribe("{ cart { id } }", by=STAFF)]
    assert [error["extensions"]["code"] for error in responses[0]["errors"]] == ["BAD_REQUEST"]
    assert len(responses) == 1


async def test_changes_by_other_processes_and_imports_are_heard_of_and_what_changes_no_figure_is_not(
    shop: Shop, database: Database
) -> None:
    feed = ChangeFeed(database)
    live = LiveTotalsFeed(open_reader(shop, database), feed, shop.clock, pause=no_pause)
    rollup = RollupRepository(database.client, database)
    async with aclosing(live.watch("Asia/Jakarta", "IDR")) as events:
        assert (await take(events)).today.order_count == 0
        now = shop.clock.now()
        await import_orders(shop, [past_order(1, now, status=OrderStatus.PAID)])
        assert (await take(events)).today.order_count == 1
        # Paid and packed are both sales; dollars are others' concern; folding only tidies up
        row = await database["orders"].find_one({"_id": "ord_0001"})
        assert row is not None
        mover = OrderMover(database, OrderRepository(database), rollup)
        async with database.client.start_session() as session, await session.start_transaction():
            await mover.move(row, OrderStatus.PACKED, by=SYSTEM, now=now, session=session)
        await import_orders(shop, [past_order(2, now, currency="USD")])
        await rollup.fold_all()
        await import_orders(shop, [past_order(3, now)])
        following: LiveTotals = await take(events)
        assert (following.today.order_count, following.month.order_count) == (2, 2)


async def test_subscribers_of_a_process_share_one_stream_which_ends_with_the_last(
    shop: Shop, database: Database
) -> None:
    feed = ChangeFeed(database)
    async with feed.listen() as one:
        task = feed._task
        async with feed.listen() as other:
            assert feed._task is task
            one.clear()
            other.clear()
            await import_orders(shop, [past_order(1, shop.clock.now())])
            async with asyncio.timeout(PATIENCE_S):
                await asyncio.gather(one.wait(), other.wait())
        assert task is not None
        assert not task.done()
    assert task.done()


async def test_the_day_is_the_one_of_the_asked_timezone(shop: Shop, database: Database) -> None:
    shop.clock.advance(hours=15)
    await import_orders(shop, [past_order(1, shop.clock.now())])
    live = LiveTotalsFeed(open_reader(shop, database), ChangeFeed(database), shop.clock, pause=no_pause)
    for zone, day in (("UTC", "2027-03-01"), ("Asia/Jakarta", "2027-03-02")):
        async with aclosing(live.watch(zone, "IDR")) as events:
            first = await take(events)
            assert (str(first.today.period), first.today.order_count) == (day, 1)
    assert live._seconds_of_today("Asia/Jakarta") == timedelta(hours=1).total_seconds()


async def test_a_subscriber_who_comes_while_orders_are_placed_ends_up_with_all_of_them(
    shop: Shop, database: Database
) -> None:
    live = LiveTotalsFeed(open_reader(shop, database), ChangeFeed(database), shop.clock, pause=no_pause)

    async def write() -> None:
        for number in range(20):
            await import_orders(shop, [past_order(number, shop.clock.now())])

    writing = asyncio.create_task(write())
    counts: list[int] = []
    async with aclosing(live.watch("Asia/Jakarta", "IDR")) as events:
        while not counts or counts[-1] < 20:
            counts.append((await take(events)).today.order_count)
    await writing
    assert counts == sorted(set(counts))
