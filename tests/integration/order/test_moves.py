"""Orders after checkout: paid, packed, shipped, delivered, cancelled, expired."""

import asyncio
from dataclasses import replace

import pytest

from core.peers import PeerUnavailable
from tests.testkit.shop import ANI, BUDI, STAFF, Crash, Shop

CANCEL = """
mutation($id: ID!, $reason: String) {
  cancelOrder(id: $id, reason: $reason) {
    __typename
    ... on Order { status attention history { status by reason actorId } }
    ... on Problem { code message }
  }
}
"""
PACK = "mutation($id: ID!) { packOrder(id: $id) { __typename ... on Order { status } ... on Problem { message } } }"
SHIP = """
mutation($id: ID!) {
  shipOrder(input: {orderId: $id, carrier: " JNE ", trackingNumber: "JP1"}) {
    __typename ... on Order { status shipments { carrier trackingNumber shippedAt deliveredAt } }
  }
}
"""
TRACK = """
mutation($input: TrackingEventInput!) {
  addTrackingEvent(input: $input) {
    __typename
    ... on Order { shipments { events { at status location } } }
    ... on InvalidInputProblem { field }
    ... on Problem { code }
  }
}
"""
DELIVER = """
mutation($id: ID!) { deliverOrder(id: $id) { __typename ... on Order { status shipments { deliveredAt } } } }
"""


async def place(shop: Shop, **quantities: int) -> tuple[str, str, int]:
    """Check out and return the order's id, number and total."""
    await shop.put_in_cart(ANI, **quantities)
    order = (await shop.check_out())["order"]
    return order["id"], order["number"], order["total"]["amount"]


async def test_a_captured_payment_makes_the_order_paid_and_commits_the_stock_once(shop: Shop) -> None:
    await shop.stock_up(teapot=5)
    _, number, total = await place(shop, teapot=2)
    await asyncio.gather(*(shop.report(number, "PAID", total) for _ in range(5)))
    await shop.deliver_events()
    await shop.report(number, "PAID", total)
    await shop.deliver_events()
    order = await shop.the_order()
    assert (order["status"], order["paid_at"]) == ("PAID", shop.clock.now())
    assert "expire_due_at" not in order
    assert await shop.events("payment") == ["PaymentCaptured"]
    assert await shop.events("order") == ["OrderPlaced", "OrderPaid"]
    assert await shop.stock("teapot") == (3, 0)


async def test_an_order_goes_its_way_to_the_buyer(shop: Shop) -> None:
    await shop.stock_up(teapot=5)
    order_id = await shop.order_paid(teapot=1)
    id_ = {"id": order_id}
    shop.clock.advance(minutes=1)
    assert await shop.order.data(PACK, id_, by=STAFF) == {"packOrder": {"__typename": "Order", "status": "PACKED"}}
    shop.clock.advance(minutes=1)
    shipped = (await shop.order.data(SHIP, id_, by=STAFF))["shipOrder"]
    assert shipped["shipments"] == [
        {"carrier": "JNE", "trackingNumber": "JP1", "shippedAt": "2027-03-01T03:02:00.000Z", "deliveredAt": None}
    ]
    for at, status in (("2027-03-02T10:00:00+07:00", "out for delivery"), ("2027-03-01T10:00:00Z", "in transit")):
        event = {"orderId": order_id, "status": status, "location": "Bandung", "at": at}
        tracked = (await shop.order.data(TRACK, {"input": event}, by=STAFF))["addTrackingEvent"]
    assert tracked["shipments"][0]["events"] == [
        {"at": "2027-03-01T10:00:00.000Z", "status": "in transit", "location": "Bandung"},
        {"at": "2027-03-02T03:00:00.000Z", "status": "out for delivery", "location": "Bandung"},
    ]
    shop.clock.advance(minutes=1)
    delivered = (await shop.order.data(DELIVER, id_, by=STAFF))["deliverOrder"]
    assert delivered["shipments"] == [{"deliveredAt": "2027-03-01T03:03:00.000Z"}]
    assert [entry["status"] for entry in (await shop.the_order())["history"]] == [
        "PENDING_PAYMENT",
        "PAID",
        "PACKED",
        "SHIPPED",
        "DELIVERED",
    ]
    assert await shop.events("order") == ["OrderPlaced", "OrderPaid", "OrderShipped", "OrderDelivered"]


async def test_steps_out_of_turn_are_conflicts_and_change_nothing(shop: Shop) -> None:
    await shop.stock_up(teapot=5)
    order_id, number, _ = await place(shop, teapot=1)
    before = await shop.the_order()
    assert await shop.order.data(PACK, {"id": order_id}, by=STAFF) == {
        "packOrder": {
            "__typename": "ConflictProblem",
            "message": f"order {number} is PENDING_PAYMENT and cannot become PACKED",
        }
    }
    for document in (SHIP, DELIVER):
        (result,) = (await shop.order.data(document, {"id": order_id}, by=STAFF)).values()
        assert result["__typename"] == "ConflictProblem"
    event = {"orderId": order_id, "status": "in transit"}
    assert (await shop.order.data(TRACK, {"input": event}, by=STAFF))["addTrackingEvent"]["code"] == "CONFLICT"
    assert await shop.the_order() == before


async def test_an_unknown_order_is_a_problem(shop: Shop) -> None:
    for document in (PACK, SHIP, DELIVER, CANCEL):
        (result,) = (await shop.order.data(document, {"id": "ord_none"}, by=STAFF)).values()
        assert result["__typename"] == "NotFoundProblem"


@pytest.mark.parametrize("document", [PACK, SHIP, DELIVER])
async def test_only_the_store_moves_orders(shop: Shop, document: str) -> None:
    await shop.stock_up(teapot=5)
    order_id = await shop.order_paid(teapot=1)
    before = await shop.the_order()
    assert await shop.order.refusals(document, {"id": order_id}, by=ANI) == ["FORBIDDEN"]
    assert await shop.order.refusals(document, {"id": order_id}) == ["UNAUTHENTICATED"]
    assert await shop.the_order() == before


async def test_a_buyer_cancels_an_unpaid_order_and_it_cannot_be_paid_any_more(shop: Shop) -> None:
    await shop.stock_up(teapot=5)
    order_id, number, _ = await place(shop, teapot=2)
    result = (await shop.order.data(CANCEL, {"id": order_id, "reason": " changed my mind "}, by=ANI))["cancelOrder"]
    assert result["status"] == "CANCELLED"
    assert result["history"][-1] == {
        "status": "CANCELLED",
        "by": "BUYER",
        "reason": "changed my mind",
        "actorId": None,
    }
    assert shop.gateway.cancelled == {f"token-{number}"}
    assert [payment["status"] for payment in await shop.payments()] == ["CANCELLED"]
    await shop.deliver_events()
    assert await shop.stock("teapot") == (5, 0)
    assert await shop.events("order") == ["OrderPlaced", "OrderCancelled"]
    # Twice is fine, and changes nothing
    again = (await shop.order.data(CANCEL, {"id": order_id}, by=ANI))["cancelOrder"]
    assert again == result
    assert await shop.events("order") == ["OrderPlaced", "OrderCancelled"]


async def test_the_end_of_the_payment_may_be_heard_of_before_the_cancellation_is_written(shop: Shop) -> None:
    await shop.stock_up(teapot=5)
    order_id, _, _ = await place(shop, teapot=2)
    # Written first, then the process died after the payment was stopped
    shop.peers.after["payment"] = PeerUnavailable("died")
    assert await shop.order.refusals(CANCEL, {"id": order_id, "reason": "no"}, by=ANI) == ["UNAVAILABLE"]
    await shop.deliver_events()
    order = await shop.the_order()
    assert order["status"] == "CANCELLED"
    assert (order["history"][-1]["actor"], order["history"][-1]["reason"]) == ("usr_ani", "no")


async def test_a_buyer_who_paid_in_the_same_moment_is_told_so(shop: Shop) -> None:
    await shop.stock_up(teapot=5)
    order_id, number, total = await place(shop, teapot=2)
    await shop.report(number, "PAID", total)
    result = (await shop.order.data(CANCEL, {"id": order_id}, by=ANI))["cancelOrder"]
    assert (result["__typename"], result["message"]) == (
        "ConflictProblem",
        f"the payment of order {number} is PAID",
    )
    await shop.deliver_events()
    assert (await shop.the_order())["status"] == "PAID"


async def test_a_paid_order_is_cancelled_by_the_store_only_and_its_money_has_to_go_back(shop: Shop) -> None:
    await shop.stock_up(teapot=5)
    order_id = await shop.order_paid(teapot=2)
    refused = (await shop.order.data(CANCEL, {"id": order_id}, by=ANI))["cancelOrder"]
    assert refused["__typename"] == "ConflictProblem"
    assert (await shop.the_order())["status"] == "PAID"
    result = (await shop.order.data(CANCEL, {"id": order_id, "reason": "broken"}, by=STAFF))["cancelOrder"]
    assert (result["status"], result["attention"]) == ("CANCELLED", "REFUND_DUE")
    assert result["history"][-1] == {
        "status": "CANCELLED",
        "by": "STORE",
        "reason": "broken",
        "actorId": "usr_staff",
    }
    (refund,) = await shop.event_payloads("order", "PaymentNeedsRefund")
    (payment,) = await shop.payments()
    assert (refund["payment_id"], refund["amount"]) == (payment["_id"], payment["amount"])
    await shop.deliver_events()
    assert await shop.stock("teapot") == (5, 0)


async def test_others_can_neither_cancel_an_order_nor_learn_that_it_exists(shop: Shop) -> None:
    await shop.stock_up(teapot=5)
    order_id, _, _ = await place(shop, teapot=2)
    before = await shop.the_order()
    result = (await shop.order.data(CANCEL, {"id": order_id}, by=BUDI))["cancelOrder"]
    assert result["__typename"] == "NotFoundProblem"
    assert await shop.order.refusals(CANCEL, {"id": order_id}) == ["UNAUTHENTICATED"]
    assert await shop.the_order() == before


async def test_an_unpaid_order_expires_and_its_stock_is_released(shop: Shop) -> None:
    await shop.stock_up(teapot=5)
    await place(shop, teapot=2)
    shop.clock.advance(minutes=29)
    await shop.run_job("order", "expire_orders")
    assert (await shop.the_order())["status"] == "PENDING_PAYMENT"
    shop.clock.advance(minutes=1)
    await shop.run_job("order", "expire_orders")
    assert (await shop.the_order())["status"] == "EXPIRED"
    assert [payment["status"] for payment in await shop.payments()] == ["EXPIRED"]
    await shop.deliver_events()
    assert await shop.stock("teapot") == (5, 0)
    assert await shop.events("order") == ["OrderPlaced", "OrderExpired"]
    await shop.run_job("order", "expire_orders")
    assert await shop.events("order") == ["OrderPlaced", "OrderExpired"]


async def test_an_order_that_was_paid_in_the_last_moment_does_not_expire(shop: Shop) -> None:
    await shop.stock_up(teapot=5)
    _, number, total = await place(shop, teapot=2)
    shop.clock.advance(minutes=30)
    await shop.report(number, "PAID", total)
    await shop.run_job("order", "expire_orders")
    assert (await shop.the_order())["status"] == "PENDING_PAYMENT"
    await shop.deliver_events()
    assert (await shop.the_order())["status"] == "PAID"
    assert await shop.stock("teapot") == (3, 0)


async def test_an_order_whose_payment_cannot_be_stopped_yet_is_tried_again(shop: Shop) -> None:
    await shop.stock_up(teapot=5)
    await place(shop, teapot=2)
    shop.clock.advance(minutes=30)
    shop.gateway.is_down = True
    await shop.run_job("order", "expire_orders")
    assert (await shop.the_order())["status"] == "PENDING_PAYMENT"
    shop.gateway.is_down = False
    shop.clock.advance(minutes=1)
    await shop.run_job("order", "expire_orders")
    assert (await shop.the_order())["status"] == "EXPIRED"


async def test_a_capture_after_the_end_is_not_lost(shop: Shop) -> None:
    await shop.stock_up(teapot=5)
    order_id, number, total = await place(shop, teapot=2)
    shop.clock.advance(minutes=30)
    await shop.run_job("order", "expire_orders")
    await shop.deliver_events()
    # A transfer that was on its way arrives
    await shop.report(number, "PAID", total)
    await shop.report(number, "PAID", total)
    await shop.deliver_events()
    order = await shop.the_order()
    assert (order["status"], order["attention"]) == ("EXPIRED", "REFUND_DUE")
    (payment,) = await shop.payments()
    assert payment["status"] == "PAID"
    (refund,) = await shop.event_payloads("order", "PaymentNeedsRefund")
    assert (refund["order_id"], refund["payment_id"], refund["amount"]) == (order_id, payment["_id"], total)
    assert await shop.stock("teapot") == (5, 0)
    listed = "{ orders(filter: {needsAttention: true}) { nodes { id attention } } }"
    assert await shop.order.data(listed, by=STAFF) == {
        "orders": {"nodes": [{"id": order_id, "attention": "REFUND_DUE"}]}
    }
    mine = await shop.order.data("query($id: ID!) { order(id: $id) { attention } }", {"id": order_id}, by=ANI)
    assert mine == {"order": {"attention": None}}


async def test_a_capture_of_another_amount_does_not_make_the_order_paid(shop: Shop) -> None:
    await shop.stock_up(teapot=5)
    _, number, total = await place(shop, teapot=2)
    await shop.report(number, "PAID", total - 1)
    await shop.deliver_events()
    order = await shop.the_order()
    assert (order["status"], order["attention"]) == ("PENDING_PAYMENT", "AMOUNT_DIFFERS")
    assert (await shop.event_payloads("order", "PaymentNeedsRefund"))[0]["amount"] == total - 1
    assert await shop.stock("teapot") == (5, 2)


@pytest.mark.parametrize(
    ("ending", "status"), [("FAILED", "CANCELLED"), ("CANCELLED", "CANCELLED"), ("EXPIRED", "EXPIRED")]
)
async def test_a_payment_that_ends_unpaid_ends_the_order(shop: Shop, ending: str, status: str) -> None:
    await shop.stock_up(teapot=5)
    _, number, total = await place(shop, teapot=2)
    await shop.report(number, ending, total)
    await shop.deliver_events()
    assert (await shop.the_order())["status"] == status
    assert await shop.stock("teapot") == (5, 0)


async def test_a_settled_payment_that_is_taken_back_cancels_an_unshipped_order(shop: Shop) -> None:
    await shop.stock_up(teapot=5)
    await shop.order_paid(teapot=2)
    order = await shop.the_order()
    await shop.report(order["number"], "FAILED", order["total_amount"])
    await shop.deliver_events()
    order = await shop.the_order()
    assert (order["status"], order["attention"]) == ("CANCELLED", "PAYMENT_REVERSED")
    assert await shop.event_payloads("order", "PaymentNeedsRefund") == []
    assert await shop.stock("teapot") == (5, 0)


async def test_a_shipped_order_whose_payment_is_taken_back_stays_shipped_and_calls_for_attention(shop: Shop) -> None:
    await shop.stock_up(teapot=5)
    order_id = await shop.order_paid(teapot=2)
    for document in (PACK, SHIP):
        await shop.order.data(document, {"id": order_id}, by=STAFF)
    order = await shop.the_order()
    await shop.report(order["number"], "FAILED", order["total_amount"])
    await shop.deliver_events()
    order = await shop.the_order()
    assert (order["status"], order["attention"]) == ("SHIPPED", "PAYMENT_REVERSED")


async def test_expiry_and_late_capture_in_the_wrong_order_leave_a_paid_order(shop: Shop) -> None:
    await shop.stock_up(teapot=5)
    _, number, total = await place(shop, teapot=2)
    await shop.report(number, "EXPIRED", total)
    await shop.report(number, "PAID", total)
    delivered = await shop.deliver_events(reverse=True)
    assert delivered[:2] == ["PaymentCaptured", "PaymentExpired"]
    order = await shop.the_order()
    assert order["status"] == "PAID"
    assert "attention" not in order


async def test_a_paid_order_whose_stock_is_gone_calls_for_attention(shop: Shop) -> None:
    await shop.stock_up(teapot=2)
    _, number, total = await place(shop, teapot=2)
    # The reservation lapsed without a word, and somebody else bought the pieces
    database = shop.subgraphs["inventory"].runtime.database
    await database["reservations"].update_many({}, {"$set": {"status": "LAPSED"}})
    await database["stock_levels"].update_one(
        {"_id": "prd_teapot"}, {"$set": {"on_hand": 0, "reserved": 0, "available": 0}}
    )
    await shop.report(number, "PAID", total)
    await shop.deliver_events()
    order = await shop.the_order()
    assert (order["status"], order["attention"]) == ("PAID", "STOCK_SHORT")


async def test_each_move_by_the_store_is_told_to_the_audit_log(shop: Shop) -> None:
    await shop.stock_up(teapot=5)
    order_id = await shop.order_paid(teapot=1)
    for document in (PACK, SHIP):
        await shop.order.data(document, {"id": order_id}, by=STAFF)
    event = {"orderId": order_id, "status": "in transit"}
    await shop.order.data(TRACK, {"input": event}, by=STAFF)
    await shop.order.data(DELIVER, {"id": order_id}, by=STAFF)
    # Out of turn, so nothing happens
    await shop.order.data(PACK, {"id": order_id}, by=STAFF)
    assert await shop.audited("order") == [
        (action, order_id, "usr_staff")
        for action in ("ORDER_PACKED", "ORDER_SHIPPED", "TRACKING_EVENT_ADDED", "ORDER_DELIVERED")
    ]


async def test_cancelling_by_the_store_is_told_and_by_the_buyer_is_not(shop: Shop) -> None:
    await shop.stock_up(teapot=9)
    unpaid, _, _ = await place(shop, teapot=1)
    await shop.order.data(CANCEL, {"id": unpaid}, by=ANI)
    await shop.deliver_events()
    assert await shop.audited("order") == []
    paid = await shop.order_paid(teapot=1)
    await shop.order.data(CANCEL, {"id": paid}, by=STAFF)
    # Staff may buy, too; the own order is taken back with the store's rights once it is paid
    own = await shop.order_paid(ANI, teapot=1)
    await shop.order.data(CANCEL, {"id": own}, by=replace(ANI, scopes=STAFF.scopes))
    assert await shop.audited("order") == [
        ("ORDER_CANCELLED", paid, "usr_staff"),
        ("ORDER_CANCELLED", own, "usr_ani"),
    ]


async def test_a_cancellation_by_the_store_that_a_crash_cut_off_is_told_once_it_happens(shop: Shop) -> None:
    await shop.stock_up(teapot=5)
    order_id, _, _ = await place(shop, teapot=1)
    # The payment is stopped, and the process dies before the order is moved
    shop.peers.after["payment"] = Crash()
    with pytest.raises(AssertionError):
        await shop.order.data(CANCEL, {"id": order_id}, by=STAFF)
    assert await shop.audited("order") == []
    await shop.deliver_events()
    assert (await shop.the_order())["status"] == "CANCELLED"
    assert await shop.audited("order") == [("ORDER_CANCELLED", order_id, "usr_staff")]
