"""A checkout dies at each of its steps and the job takes it up: then there is one whole order, never half of one."""

import pytest

from subgraphs.order.checkout_steps import FIRST_STATE, STEPS
from subgraphs.order.documents import CheckoutState
from tests.testkit.checkout_deaths import die, die_at
from tests.testkit.shop import ANI, Crash, Shop

# Steps on the way to an order; the others belong to refusals
WAY: tuple[CheckoutState, ...] = ("QUOTED", "RESERVED", "PLACED", "OPENED")


async def prepare(shop: Shop) -> None:
    await shop.stock_up(teapot=5, cup=5)
    await shop.put_in_cart(ANI, teapot=2, cup=1)


async def assert_one_whole_order(shop: Shop) -> None:
    order = await shop.the_order()
    assert order["status"] == "PENDING_PAYMENT"
    assert await shop.events("order") == ["OrderPlaced"]
    (payment,) = await shop.payments()
    assert (payment["order_id"], payment["amount"]) == (order["_id"], order["total_amount"])
    assert list(shop.gateway.opened) == [order["number"]]
    assert (await shop.stock("teapot"), await shop.stock("cup")) == ((5, 2), (5, 1))
    assert await shop.cart() == {}
    (checkout,) = await shop.checkouts()
    assert checkout["state"] == "OPENED"
    assert "due_at" not in checkout
    # The buyer's client tries again, and learns how it ended
    result = await shop.check_out()
    assert (result["order"]["id"], result["payUrl"]) == (order["_id"], payment["pay_url"])
    await shop.report(order["number"], "PAID", order["total_amount"])
    await shop.deliver_events()
    assert (await shop.the_order())["status"] == "PAID"
    assert (await shop.stock("teapot"), await shop.stock("cup")) == ((3, 0), (4, 0))


async def assert_nothing(shop: Shop) -> None:
    assert await shop.checkouts() == []
    assert await shop.orders() == []
    assert await shop.payments() == []
    assert (await shop.stock("teapot"), await shop.stock("cup")) == ((5, 0), (5, 0))
    assert await shop.cart() == {"prd_teapot": 2, "prd_cup": 1}


def test_the_steps_tried_here_are_all_there_are() -> None:
    assert STEPS.keys() == {*WAY, "RELEASING", "REFUSED"}


@pytest.mark.parametrize("subgraph", ["user", "product"])
@pytest.mark.parametrize("moment", ["before", "after"])
async def test_death_before_the_quote_is_recorded_leaves_nothing_until_the_key_is_sent_again(
    shop: Shop, subgraph: str, moment: str
) -> None:
    await prepare(shop)
    getattr(shop.peers, moment)[subgraph] = Crash()
    await die(shop)
    shop.clock.advance(seconds=31)
    await shop.run_job("order", "resume_checkouts")
    await assert_nothing(shop)
    assert (await shop.check_out())["__typename"] == "CheckoutSuccess"
    await assert_one_whole_order(shop)


@pytest.mark.parametrize("subgraph", ["inventory", "payment"])
@pytest.mark.parametrize("moment", ["before", "after"])
async def test_death_around_a_call_leaves_one_whole_order(shop: Shop, subgraph: str, moment: str) -> None:
    await prepare(shop)
    getattr(shop.peers, moment)[subgraph] = Crash()
    await die(shop)
    shop.clock.advance(seconds=31)
    await shop.run_job("order", "resume_checkouts")
    await assert_one_whole_order(shop)


@pytest.mark.parametrize("state", WAY)
@pytest.mark.parametrize("recorded", [False, True])
async def test_death_around_the_record_of_a_step_leaves_one_whole_order(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, state: CheckoutState, recorded: bool
) -> None:
    await prepare(shop)
    die_at(monkeypatch, state, recorded=recorded)
    await die(shop)
    shop.clock.advance(seconds=31)
    await shop.run_job("order", "resume_checkouts")
    if state == FIRST_STATE and not recorded:
        await assert_nothing(shop)
        await shop.check_out()
    await assert_one_whole_order(shop)


@pytest.mark.parametrize("state", ["RELEASING", "REFUSED"])
@pytest.mark.parametrize("recorded", [False, True])
async def test_death_during_a_refusal_leaves_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, state: CheckoutState, recorded: bool
) -> None:
    await prepare(shop)
    # The cart is emptied after the stock was reserved
    die_at(monkeypatch, "RESERVED", recorded=True)
    await die(shop)
    await shop.order.data("mutation { clearCart { __typename } }", by=ANI)
    die_at(monkeypatch, state, recorded=recorded)
    shop.clock.advance(seconds=31)
    await shop.run_job("order", "resume_checkouts")
    assert (await shop.checkouts())[0]["state"] != "OPENED"
    shop.clock.advance(seconds=61)
    await shop.run_job("order", "resume_checkouts")
    assert await shop.orders() == []
    assert await shop.payments() == []
    assert (await shop.stock("teapot"), await shop.stock("cup")) == ((5, 0), (5, 0))
    assert await shop.events("order") == []
    result = await shop.check_out()
    assert (result["__typename"], result["message"]) == (
        "ConflictProblem",
        "the cart changed during the checkout; nothing was ordered",
    )


async def test_a_step_whose_record_a_failover_has_lost_is_taken_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await prepare(shop)
    die_at(monkeypatch, "RESERVED", recorded=True)
    await die(shop)
    database = shop.subgraphs["order"].runtime.database
    await database["checkouts"].update_one({"state": "RESERVED"}, {"$set": {"state": "QUOTED"}})
    shop.clock.advance(seconds=31)
    await shop.run_job("order", "resume_checkouts")
    await assert_one_whole_order(shop)


async def test_a_checkout_whose_record_is_lost_is_one_order_when_it_is_sent_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await prepare(shop)
    die_at(monkeypatch, "RESERVED", recorded=True)
    await die(shop)
    await shop.subgraphs["order"].runtime.database["checkouts"].delete_many({})
    result = await shop.check_out()
    order = await shop.the_order()
    assert (result["__typename"], result["order"]["id"]) == ("CheckoutSuccess", order["_id"])
    # What the lost one had reserved is nobody's, and ends by itself
    assert (await shop.stock("teapot"), await shop.stock("cup")) == ((5, 4), (5, 2))
    await shop.report(order["number"], "PAID", order["total_amount"])
    await shop.deliver_events()
    shop.clock.advance(minutes=51)
    await shop.run_job("inventory", "lapse_reservations")
    assert (await shop.stock("teapot"), await shop.stock("cup")) == ((3, 0), (4, 0))


async def test_the_job_leaves_a_checkout_alone_whose_request_may_still_run(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await prepare(shop)
    die_at(monkeypatch, "QUOTED", recorded=True)
    await die(shop)
    shop.clock.advance(seconds=29)
    await shop.run_job("order", "resume_checkouts")
    assert (await shop.checkouts())[0]["state"] == "QUOTED"
    assert await shop.orders() == []


async def test_a_checkout_found_after_its_time_reserves_nothing_and_orders_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await prepare(shop)
    die_at(monkeypatch, "RESERVED", recorded=True)
    await die(shop)
    shop.clock.advance(minutes=31)
    await shop.run_job("order", "resume_checkouts")
    assert await shop.orders() == []
    assert (await shop.stock("teapot"), await shop.stock("cup")) == ((5, 0), (5, 0))
    assert await shop.cart() == {"prd_teapot": 2, "prd_cup": 1}


async def test_one_broken_checkout_does_not_hold_up_the_others(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    await prepare(shop)
    die_at(monkeypatch, "QUOTED", recorded=True)
    await die(shop)
    database = shop.subgraphs["order"].runtime.database
    (row,) = await shop.checkouts()
    broken = {**row, "_id": "ord_0", "idempotency_key": "broken", "buyer_id": "usr_budi", "cart": None}
    await database["checkouts"].insert_one(broken)
    shop.clock.advance(seconds=31)
    await shop.run_job("order", "resume_checkouts")
    states = {row["_id"]: row["state"] for row in await shop.checkouts()}
    assert states == {"ord_0": "QUOTED", row["_id"]: "OPENED"}
