"""An order leaves the house in parcels, never with more than was ordered, and arrives with the last of them."""

import asyncio
from typing import Any

import pytest

from core.mongo import Row
from tests.testkit.shop import ANI, BUDI, STAFF, Shop

PACK = "mutation($id: ID!) { packOrder(id: $id) { __typename ... on Order { status } } }"
SHIP = """
mutation($input: ShipOrderInput!) {
  shipOrder(input: $input) {
    __typename
    ... on Order {
      status
      lines { id quantity shippedQuantity deliveredQuantity }
      shipments { id trackingNumber deliveredAt lines { lineId quantity } }
    }
    ... on InvalidInputProblem { field }
    ... on Problem { code message }
  }
}
"""
ARRIVED = """
mutation($order: ID!, $shipment: ID!) {
  deliverShipment(orderId: $order, shipmentId: $shipment) {
    __typename
    ... on Order { status shipments { deliveredAt } lines { deliveredQuantity } history { status event subjectId by } }
    ... on Problem { code message }
  }
}
"""
DELIVER = (
    "mutation($id: ID!) { deliverOrder(id: $id) { __typename ... on Order { status shipments { deliveredAt } } } }"
)
TRACK = """
mutation($input: TrackingEventInput!) {
  addTrackingEvent(input: $input) {
    __typename ... on Order { shipments { events { status } } } ... on Problem { code message }
  }
}
"""
CANCEL = "mutation($id: ID!) { cancelOrder(id: $id) { __typename ... on Problem { code message } } }"


async def pack(shop: Shop, **quantities: int) -> Row:
    """Buy, pay and pack; return the order."""
    on_hand: dict[str, Any] = dict.fromkeys(quantities, 20)
    bought: dict[str, Any] = dict(quantities)
    await shop.stock_up(**on_hand)
    order_id = await shop.order_paid(ANI, **bought)
    await shop.order.data(PACK, {"id": order_id}, by=STAFF)
    return await shop.the_order()


async def ship(shop: Shop, order: Row, number: str, lines: list[tuple[str, int]] | None = None) -> Any:
    """Ship *lines*, (line id, quantity) each, or what is left."""
    given: dict[str, Any] = {"orderId": order["_id"], "carrier": "JNE", "trackingNumber": number}
    if lines is not None:
        given["lines"] = [{"lineId": line_id, "quantity": quantity} for line_id, quantity in lines]
    return (await shop.order.data(SHIP, {"input": given}, by=STAFF))["shipOrder"]


async def arrive(shop: Shop, order: Row, shipment_id: str) -> Any:
    variables = {"order": order["_id"], "shipment": shipment_id}
    return (await shop.order.data(ARRIVED, variables, by=STAFF))["deliverShipment"]


async def test_an_order_is_shipped_with_its_last_piece_and_delivered_with_its_last_parcel(shop: Shop) -> None:
    order = await pack(shop, teapot=2, cup=3)
    teapot, cup = (line["id"] for line in order["lines"])
    shop.clock.advance(minutes=1)
    first = await ship(shop, order, "JP1", [(cup, 2)])
    assert (first["status"], [line["shippedQuantity"] for line in first["lines"]]) == ("PACKED", [0, 2])
    assert await shop.events("order") == ["OrderPlaced", "OrderPaid"]
    second = await ship(shop, order, "JP2")
    assert (second["status"], [line["shippedQuantity"] for line in second["lines"]]) == ("SHIPPED", [2, 3])
    assert [shipment["lines"] for shipment in second["shipments"]] == [
        [{"lineId": cup, "quantity": 2}],
        [{"lineId": teapot, "quantity": 2}, {"lineId": cup, "quantity": 1}],
    ]
    assert await shop.events("order") == ["OrderPlaced", "OrderPaid", "OrderShipped"]
    ids = [shipment["id"] for shipment in second["shipments"]]
    shop.clock.advance(minutes=1)
    arrived = await arrive(shop, order, ids[1])
    assert (arrived["status"], [line["deliveredQuantity"] for line in arrived["lines"]]) == ("SHIPPED", [2, 1])
    shop.clock.advance(minutes=1)
    arrived = await arrive(shop, order, ids[0])
    assert arrived["status"] == "DELIVERED"
    assert [shipment["deliveredAt"] for shipment in arrived["shipments"]] == [
        "2027-03-01T03:03:00.000Z",
        "2027-03-01T03:02:00.000Z",
    ]
    assert arrived["history"][2:] == [
        {"status": "PACKED", "event": "MOVED", "subjectId": None, "by": "STORE"},
        {"status": "PACKED", "event": "PARCEL_SHIPPED", "subjectId": ids[0], "by": "STORE"},
        {"status": "SHIPPED", "event": "MOVED", "subjectId": None, "by": "STORE"},
        {"status": "SHIPPED", "event": "PARCEL_DELIVERED", "subjectId": ids[1], "by": "STORE"},
        {"status": "DELIVERED", "event": "MOVED", "subjectId": None, "by": "STORE"},
    ]
    assert await shop.events("order") == ["OrderPlaced", "OrderPaid", "OrderShipped", "OrderDelivered"]
    assert [action for action, _, _ in await shop.audited("order")] == [
        *("ORDER_PACKED", "ORDER_PARCEL_SHIPPED", "ORDER_SHIPPED", "ORDER_PARCEL_DELIVERED", "ORDER_DELIVERED"),
    ]


async def test_parcels_that_arrive_before_the_last_has_left_do_not_deliver_the_order(shop: Shop) -> None:
    order = await pack(shop, cup=2)
    (line,) = order["lines"]
    first = await ship(shop, order, "JP1", [(line["id"], 1)])
    arrived = await arrive(shop, order, first["shipments"][0]["id"])
    assert arrived["status"] == "PACKED"
    second = await ship(shop, order, "JP2")
    assert second["status"] == "SHIPPED"
    assert (await arrive(shop, order, second["shipments"][1]["id"]))["status"] == "DELIVERED"


async def test_no_line_is_shipped_beyond_its_quantity_and_a_refusal_changes_nothing(shop: Shop) -> None:
    order = await pack(shop, cup=3)
    (line,) = order["lines"]
    await ship(shop, order, "JP1", [(line["id"], 2)])
    before = await shop.the_order()
    for lines, code in (
        ([(line["id"], 2)], "CONFLICT"),
        ([(line["id"], 0)], "BAD_USER_INPUT"),
        ([("other", 1)], "BAD_USER_INPUT"),
        ([(line["id"], 1), (line["id"], 1)], "BAD_USER_INPUT"),
        ([], "BAD_USER_INPUT"),
    ):
        assert (await ship(shop, order, "JP2", lines))["code"] == code
    assert await shop.the_order() == before


async def test_of_parcels_shipped_at_the_same_time_only_what_there_is_leaves(shop: Shop) -> None:
    order = await pack(shop, cup=3)
    (line,) = order["lines"]
    results = await asyncio.gather(*(ship(shop, order, f"JP{number}", [(line["id"], 1)]) for number in range(6)))
    assert sorted(result["__typename"] for result in results) == ["ConflictProblem"] * 3 + ["Order"] * 3
    row = await shop.the_order()
    assert (row["status"], sum(shipment["lines"][0]["quantity"] for shipment in row["shipments"])) == ("SHIPPED", 3)


async def test_an_order_that_is_partly_on_its_way_is_not_cancelled(shop: Shop) -> None:
    order = await pack(shop, cup=3)
    await ship(shop, order, "JP1", [(order["lines"][0]["id"], 1)])
    before = await shop.the_order()
    refused = (await shop.order.data(CANCEL, {"id": order["_id"]}, by=STAFF))["cancelOrder"]
    assert refused == {
        "__typename": "ConflictProblem",
        "code": "CONFLICT",
        "message": f"parts of order {order['number']} are on their way; what comes back is a return",
    }
    assert await shop.the_order() == before
    assert await shop.stock("cup") == (17, 0)


async def test_a_payment_that_is_taken_back_cancels_no_order_that_is_partly_on_its_way(shop: Shop) -> None:
    order = await pack(shop, cup=3)
    await ship(shop, order, "JP1", [(order["lines"][0]["id"], 1)])
    await shop.report(order["number"], "FAILED", order["total_amount"])
    await shop.deliver_events()
    row = await shop.the_order()
    assert (row["status"], row["attention"]) == ("PACKED", "PAYMENT_REVERSED")
    assert await shop.stock("cup") == (17, 0)


async def test_a_parcel_arrives_once_and_only_where_it_was_sent(shop: Shop) -> None:
    order = await pack(shop, cup=2)
    first = await ship(shop, order, "JP1", [(order["lines"][0]["id"], 1)])
    shipment_id = first["shipments"][0]["id"]
    await arrive(shop, order, shipment_id)
    before = await shop.the_order()
    assert (await arrive(shop, order, shipment_id))["code"] == "CONFLICT"
    assert (await arrive(shop, order, "shp_none"))["code"] == "NOT_FOUND"
    assert await shop.the_order() == before


async def test_delivering_the_whole_order_keeps_when_earlier_parcels_arrived(shop: Shop) -> None:
    order = await pack(shop, cup=2)
    first = await ship(shop, order, "JP1", [(order["lines"][0]["id"], 1)])
    await arrive(shop, order, first["shipments"][0]["id"])
    await ship(shop, order, "JP2")
    shop.clock.advance(hours=1)
    delivered = (await shop.order.data(DELIVER, {"id": order["_id"]}, by=STAFF))["deliverOrder"]
    assert delivered["status"] == "DELIVERED"
    assert [shipment["deliveredAt"] for shipment in delivered["shipments"]] == [
        "2027-03-01T03:00:00.000Z",
        "2027-03-01T04:00:00.000Z",
    ]


async def test_a_carrier_reports_on_the_parcel_that_it_names_or_the_newest(shop: Shop) -> None:
    order = await pack(shop, cup=2)
    first = await ship(shop, order, "JP1", [(order["lines"][0]["id"], 1)])
    await ship(shop, order, "JP2")
    reports: list[dict[str, Any]] = [
        {"orderId": order["_id"], "status": "newest"},
        {"orderId": order["_id"], "status": "first", "shipmentId": first["shipments"][0]["id"]},
    ]
    for report in reports:
        tracked = (await shop.order.data(TRACK, {"input": report}, by=STAFF))["addTrackingEvent"]
    assert tracked["shipments"] == [{"events": [{"status": "first"}]}, {"events": [{"status": "newest"}]}]
    missing = {**reports[0], "shipmentId": "shp_none"}
    assert (await shop.order.data(TRACK, {"input": missing}, by=STAFF))["addTrackingEvent"]["code"] == "NOT_FOUND"


@pytest.mark.parametrize("caller", [ANI, BUDI])
async def test_parcels_are_the_stores(shop: Shop, caller: Any) -> None:
    order = await pack(shop, cup=2)
    given = {"orderId": order["_id"], "carrier": "JNE", "trackingNumber": "1"}
    assert await shop.order.refusals(SHIP, {"input": given}, by=caller) == ["FORBIDDEN"]
    variables = {"order": order["_id"], "shipment": "shp_1"}
    assert await shop.order.refusals(ARRIVED, variables, by=caller) == ["FORBIDDEN"]
    assert await shop.the_order() == order
