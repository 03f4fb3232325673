"""What a refund does to its order: a figure, a line in its history, and an end to what it settles."""

from typing import Any

from core.events import Event, handle_once
from core.mongo import Row
from subgraphs.order.rollup_repository import STATE_ID
from tests.integration.order.test_returns import deliver
from tests.integration.order.test_shipments import pack, ship
from tests.testkit.callers import ADMIN
from tests.testkit.shop import ANI, STAFF, Shop

REFUND = "mutation($input: RefundPaymentInput!) { refundPayment(input: $input) { __typename } }"
CANCEL = "mutation($id: ID!) { cancelOrder(id: $id) { __typename } }"
ORDER = """query($id: ID!) { order(id: $id) {
  status attention refunded { amount } refunds { id amount { amount currency } reason at }
  history { status event by reason } } }"""
MONTHS = """{ monthlyOrderTotals(from: "2027-02", to: "2027-04", timezone: "UTC", currency: "IDR") {
  servedFrom months { month orderCount quantity revenue { amount } } } }"""


async def refund(shop: Shop, order: Row, amount: int | None = None, *, key: str = "k") -> None:
    """Refund an order's payment as an administrator, and let the order hear of it."""
    (payment,) = [row for row in await shop.payments() if row["order_id"] == order["_id"]]
    given: dict[str, Any] = {"paymentId": payment["_id"], "reason": "broken", "idempotencyKey": key}
    if amount is not None:
        given["amount"] = {"decimal": str(amount), "currency": "IDR"}
    result = (await shop.payment.data(REFUND, {"input": given}, by=ADMIN))["refundPayment"]
    assert result == {"__typename": "Payment"}
    await shop.deliver_events()


async def look(shop: Shop, order: Row) -> Any:
    return (await shop.order.data(ORDER, {"id": order["_id"]}, by=STAFF))["order"]


async def totals_of_march(shop: Shop) -> tuple[int, int, int]:
    """Return orders, pieces and revenue of the month, once from the orders and once from the rollup: they agree."""
    database = shop.subgraphs["order"].runtime.database
    found = []
    for is_complete in (False, True):
        # Without a complete rollup the orders themselves are summed up
        await database["order_totals"].update_one({"_id": STATE_ID}, {"$set": {"is_complete": is_complete}})
        answer = (await shop.order.data(MONTHS, by=STAFF))["monthlyOrderTotals"]
        months = answer["months"]
        assert [(month["orderCount"], month["revenue"]["amount"]) for month in (months[0], months[2])] == [(0, 0)] * 2
        found.append((months[1]["orderCount"], months[1]["quantity"], months[1]["revenue"]["amount"]))
    assert found[0] == found[1]
    return found[0]


async def test_a_part_that_is_paid_back_is_a_figure_and_a_line_in_the_history(shop: Shop) -> None:
    order = await deliver(shop, cup=2)
    before = await totals_of_march(shop)
    await refund(shop, order, 5_000)
    seen = await look(shop, order)
    assert (seen["status"], seen["refunded"]["amount"]) == ("DELIVERED", 5_000)
    (row,) = await shop.subgraphs["payment"].runtime.database["refunds"].find().to_list()
    assert seen["refunds"] == [
        {
            "id": row["_id"],
            "amount": {"amount": 5_000, "currency": "IDR"},
            "reason": "broken",
            "at": "2027-03-01T03:00:00.000Z",
        }
    ]
    assert seen["history"][-1] == {"status": "DELIVERED", "event": "REFUNDED", "by": "STORE", "reason": "broken"}
    # Revenue is what was sold
    assert await totals_of_march(shop) == before


async def test_a_paid_order_that_was_cancelled_needs_no_attention_once_its_money_is_back(shop: Shop) -> None:
    await shop.stock_up(cup=5)
    order_id = await shop.order_paid(ANI, cup=2)
    assert await totals_of_march(shop) == (1, 2, 32_000)
    # Next month: what is cancelled leaves the month in which it was placed
    shop.clock.advance(days=40)
    await shop.order.data(CANCEL, {"id": order_id}, by=STAFF)
    await shop.deliver_events()
    order = await shop.the_order()
    assert (await look(shop, order))["attention"] == "REFUND_DUE"
    assert await totals_of_march(shop) == (0, 0, 0)
    await refund(shop, order, 30_000, key="a")
    assert (await look(shop, order))["attention"] == "REFUND_DUE"
    await refund(shop, order, key="b")
    seen = await look(shop, order)
    assert (seen["status"], seen["attention"], seen["refunded"]["amount"]) == ("CANCELLED", None, 32_000)
    assert await totals_of_march(shop) == (0, 0, 0)
    assert await shop.stock("cup") == (5, 0)


async def test_an_order_in_the_house_whose_money_is_all_back_is_cancelled(shop: Shop) -> None:
    order = await pack(shop, cup=2)
    assert await totals_of_march(shop) == (1, 2, 32_000)
    shop.clock.advance(days=40)
    await refund(shop, order)
    seen = await look(shop, order)
    assert (seen["status"], seen["attention"]) == ("CANCELLED", None)
    assert [(entry["event"], entry["reason"]) for entry in seen["history"][-2:]] == [
        ("REFUNDED", "broken"),
        ("MOVED", "its money was sent back"),
    ]
    assert await totals_of_march(shop) == (0, 0, 0)
    assert await shop.stock("cup") == (20, 0)


async def test_an_order_on_its_way_stays_what_it_is_when_its_money_is_back(shop: Shop) -> None:
    order = await pack(shop, cup=2)
    await ship(shop, order, "JP1", [(order["lines"][0]["id"], 1)])
    await refund(shop, order)
    assert (await look(shop, order))["status"] == "PACKED"
    assert await totals_of_march(shop) == (1, 2, 32_000)
    assert await shop.stock("cup") == (18, 0)
    # What is left in the house is nobody's any more
    before = await shop.the_order()
    assert (await ship(shop, order, "JP2"))["code"] == "CONFLICT"
    assert await shop.the_order() == before


async def test_a_late_payment_that_is_sent_back_settles_the_order(shop: Shop) -> None:
    await shop.stock_up(cup=5)
    await shop.put_in_cart(ANI, cup=1)
    placed = (await shop.check_out())["order"]
    shop.clock.advance(minutes=30)
    await shop.run_job("order", "expire_orders")
    await shop.report(placed["number"], "PAID", placed["total"]["amount"])
    await shop.deliver_events()
    order = await shop.the_order()
    assert (order["status"], order["attention"]) == ("EXPIRED", "REFUND_DUE")
    await refund(shop, order)
    order = await shop.the_order()
    assert order["status"] == "EXPIRED"
    assert "attention" not in order


async def test_an_unpaid_order_whose_wrong_amount_was_sent_back_expires(shop: Shop) -> None:
    await shop.stock_up(cup=5)
    await shop.put_in_cart(ANI, cup=1)
    placed = (await shop.check_out())["order"]
    await shop.report(placed["number"], "PAID", placed["total"]["amount"] - 1)
    await shop.deliver_events()
    order = await shop.the_order()
    assert (order["status"], order["attention"]) == ("PENDING_PAYMENT", "AMOUNT_DIFFERS")
    await refund(shop, order)
    assert "attention" not in await shop.the_order()
    shop.clock.advance(minutes=30)
    await shop.run_job("order", "expire_orders")
    assert (await shop.the_order())["status"] == "EXPIRED"


async def test_a_refund_that_the_gateway_refuses_calls_for_somebody(shop: Shop) -> None:
    order = await deliver(shop, cup=2)
    shop.gateway.refund_refusal = "no balance"
    await refund(shop, order)
    seen = await look(shop, order)
    assert (seen["attention"], seen["refunds"], seen["refunded"]["amount"]) == ("REFUND_DUE", [], 0)
    assert seen["history"][-1] == {"status": "DELIVERED", "event": "REFUND_FAILED", "by": "SYSTEM", "reason": None}
    shop.gateway.refund_refusal = None
    await refund(shop, order, key="again")
    assert (await look(shop, order))["attention"] is None


async def test_a_refund_that_is_told_twice_counts_once(shop: Shop) -> None:
    order = await deliver(shop, cup=2)
    await refund(shop, order, 5_000)
    before = await shop.the_order()
    (payload,) = await shop.event_payloads("payment", "PaymentRefunded")
    runtime = shop.subgraphs["order"].runtime
    event = Event("evt_again", "PaymentRefunded", order["_id"], payload, shop.clock.now())
    await handle_once(runtime.client, runtime.database, event, shop.subgraphs["order"].handlers["PaymentRefunded"])
    assert await shop.the_order() == before
