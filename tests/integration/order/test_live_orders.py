"""Subscribers to orders hear of every change of what they may see, and of nothing else."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import pytest
from pymongo.errors import OperationFailure

from core.errors import NotFound, Unavailable
from core.identity import ANONYMOUS
from core.subgraph import Call
from subgraphs.order.order_feed import BATCH, MOST_WAITING, Listener, LiveOrders, OrderFeed
from subgraphs.order.repository import OrderRepository
from tests.integration.order.test_shipments import PACK
from tests.testkit.shop import ANI, BUDI, STAFF, Shop

ONE = "subscription($id: ID) { orderChanged(id: $id) { number status buyer { id } staffNotes { text } } }"
NOTE = 'mutation($id: ID!) { addOrderNote(id: $id, text: "x") { __typename } }'
# Far longer than anything here takes: it ends a test that would wait for ever
PATIENCE_S = 60.0


async def take(events: AsyncGenerator[Any, None]) -> Any:
    async with asyncio.timeout(PATIENCE_S):
        return await anext(events)


async def next_order(events: AsyncGenerator[Any, None]) -> Any:
    return (await take(events))["data"]["orderChanged"]


async def test_a_buyer_watches_one_order_from_how_it_is_now(shop: Shop) -> None:
    await shop.stock_up(cup=9)
    order_id = await shop.order_paid(ANI, cup=1)
    number = (await shop.the_order())["number"]
    async with aclosing(shop.order.subscribe(ONE, {"id": order_id}, by=ANI)) as events:
        assert await next_order(events) == {
            "number": number,
            "status": "PAID",
            "buyer": {"id": "usr_ani"},
            "staffNotes": None,
        }
        # Another order of the same buyer is none of its concern
        await shop.order_paid(ANI, cup=1)
        await shop.order.data(PACK, {"id": order_id}, by=STAFF)
        changed = await next_order(events)
        assert (changed["number"], changed["status"]) == (number, "PACKED")


async def test_a_buyer_without_an_id_hears_of_the_own_orders_only(shop: Shop) -> None:
    await shop.stock_up(cup=9)
    theirs = await shop.order_paid(BUDI, cup=1)
    events = shop.order.subscribe(ONE, by=ANI)
    first = asyncio.create_task(take(events))
    await wait_for_a_listener(feed_of(shop))
    await shop.order.data(PACK, {"id": theirs}, by=STAFF)
    await shop.put_in_cart(ANI, cup=1)
    placed = (await shop.check_out())["order"]
    seen = (await first)["data"]["orderChanged"]
    assert (seen["number"], seen["buyer"]["id"]) == (placed["number"], "usr_ani")
    await events.aclose()


async def test_staff_hears_of_all_orders(shop: Shop) -> None:
    await shop.stock_up(cup=9)
    ids = [await shop.order_paid(buyer, cup=1) for buyer in (ANI, BUDI)]
    events = shop.order.subscribe(ONE, by=STAFF)
    first = asyncio.create_task(take(events))
    await wait_for_a_listener(feed_of(shop))
    for order_id in ids:
        await shop.order.data(NOTE, {"id": order_id}, by=STAFF)
    seen = [(await first)["data"]["orderChanged"], await next_order(events)]
    assert {order["buyer"]["id"] for order in seen} == {"usr_ani", "usr_budi"}
    assert [order["staffNotes"] for order in seen] == [[{"text": "x"}]] * 2
    await events.aclose()


async def test_orders_of_others_and_unknown_ones_cannot_be_told_apart(shop: Shop) -> None:
    await shop.stock_up(cup=9)
    order_id = await shop.order_paid(ANI, cup=1)
    for asked, caller, code in (
        (order_id, BUDI, "NOT_FOUND"),
        ("ord_none", STAFF, "NOT_FOUND"),
        (order_id, ANONYMOUS, "UNAUTHENTICATED"),
        (None, ANONYMOUS, "UNAUTHENTICATED"),
    ):
        responses = [event async for event in shop.order.subscribe(ONE, {"id": asked}, by=caller)]
        assert [[error["extensions"]["code"] for error in each["errors"]] for each in responses] == [[code]]


async def test_an_order_that_is_not_the_subscribers_any_more_is_not_sent(shop: Shop) -> None:
    await shop.stock_up(cup=9)
    order_id = await shop.order_paid(ANI, cup=1)
    database = shop.subgraphs["order"].runtime.database
    async with aclosing(shop.order.subscribe(ONE, {"id": order_id}, by=ANI)) as events:
        assert (await next_order(events))["status"] == "PAID"
        following = asyncio.create_task(take(events))
        await database["orders"].update_one(
            {"_id": order_id}, {"$set": {"buyer_id": "usr_budi"}, "$inc": {"version": 1}}
        )
        await database["orders"].update_one({"_id": order_id}, {"$set": {"status": "PACKED"}, "$inc": {"version": 1}})
        await database["orders"].update_one(
            {"_id": order_id}, {"$set": {"buyer_id": "usr_ani", "status": "SHIPPED"}, "$inc": {"version": 1}}
        )
        assert (await following)["data"]["orderChanged"]["status"] == "SHIPPED"


async def test_subscribers_of_a_process_share_one_stream_which_ends_with_the_last(shop: Shop) -> None:
    feed = OrderFeed(shop.subgraphs["order"].runtime.database)
    async with feed.listen():
        task = feed._task
        async with feed.listen(buyer_id="usr_ani"):
            assert feed._task is task
        assert task is not None
        assert not task.done()
    assert task.done()


async def test_whoever_cannot_be_told_what_was_missed_is_told_that_something_was(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = shop.subgraphs["order"].runtime.database
    feed = OrderFeed(database)
    live = LiveOrders(feed, OrderRepository(database))
    events = live.watch(None, STAFF)
    waiting = asyncio.create_task(take(events))
    await wait_for_a_listener(feed)

    async def lost(*_: Any, **__: Any) -> Any:
        raise OperationFailure("resume point may no longer be in the oplog", 286)

    # The stream ends, and its place in the log is gone
    monkeypatch.setattr(feed, "_orders", type("Lost", (), {"watch": staticmethod(lost)})())
    await feed.aclose()
    feed._task = asyncio.create_task(feed._watch())
    with pytest.raises(Unavailable):
        await waiting
    await feed.aclose()


async def test_a_listener_that_is_too_far_behind_is_told_so() -> None:
    listener = Listener(order_id=None, buyer_id=None)
    for number in range(BATCH + 1):
        listener.tell(f"ord_{number}", None)
        listener.tell(f"ord_{number}", None)
    assert len(await listener.take()) == BATCH
    assert await listener.take() == [f"ord_{BATCH}"]
    for number in range(MOST_WAITING + 1):
        listener.tell(f"ord_{number}", None)
    with pytest.raises(Unavailable):
        await listener.take()


async def test_a_listener_hears_only_of_what_it_asked_for() -> None:
    one, buyers = Listener(order_id="ord_1", buyer_id=None), Listener(order_id=None, buyer_id="usr_ani")
    for listener in (one, buyers):
        listener.tell("ord_1", "usr_ani")
        listener.tell("ord_2", "usr_ani")
        listener.tell("ord_3", "usr_budi")
        listener.tell("ord_4", None)
    assert await one.take() == ["ord_1"]
    assert await buyers.take() == ["ord_1", "ord_2"]


async def test_the_use_case_refuses_by_itself(shop: Shop) -> None:
    database = shop.subgraphs["order"].runtime.database
    live = LiveOrders(OrderFeed(database), OrderRepository(database))
    with pytest.raises(NotFound):
        await anext(live.watch("ord_none", ANI))


async def wait_for_a_listener(feed: OrderFeed) -> None:
    # The stream is opened for the first one, and closed after the last
    async with asyncio.timeout(PATIENCE_S):
        await feed._is_open.wait()


def feed_of(shop: Shop) -> OrderFeed:
    feed: OrderFeed = shop.subgraphs["order"].context(Call()).aftercare.feed  # type: ignore[attr-defined]
    return feed
