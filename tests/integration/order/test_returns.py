"""What a buyer gives back: asked for in time, decided by the store, and on the shelf again when the store says so."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from core.identity import Identity
from core.mongo import Row
from tests.integration.order.test_shipments import arrive, pack, ship
from tests.testkit.shop import ANI, BUDI, STAFF, Shop

ORDER = """
  __typename
  ... on Order {
    status
    returns { id status reason requestedBy decidedAt receivedAt lines { lineId quantity } }
    lines { returnedQuantity }
    history { event by reason actorId subjectId }
  }
  ... on InvalidInputProblem { field }
  ... on Problem { code message }
"""
REQUEST = f"mutation($input: RequestReturnInput!) {{ requestReturn(input: $input) {{ {ORDER} }} }}"
APPROVE = f"mutation($o: ID!, $r: ID!) {{ approveReturn(orderId: $o, returnId: $r) {{ {ORDER} }} }}"
REJECT = f"""mutation($o: ID!, $r: ID!, $why: String!) {{
  rejectReturn(orderId: $o, returnId: $r, reason: $why) {{ {ORDER} }} }}"""
RECEIVE = f"""mutation($o: ID!, $r: ID!, $restock: Boolean!) {{
  receiveReturn(orderId: $o, returnId: $r, restock: $restock) {{ {ORDER} }} }}"""


async def deliver(shop: Shop, **quantities: int) -> Row:
    """Buy, pay, ship and deliver; return the order."""
    order = await pack(shop, **quantities)
    shipped = await ship(shop, order, "JP1")
    await arrive(shop, order, shipped["shipments"][0]["id"])
    return await shop.the_order()


async def request(shop: Shop, order: Row, quantity: int, by: Identity = ANI, line: int = 0, **more: Any) -> Any:
    lines = [{"lineId": order["lines"][line]["id"], "quantity": quantity}]
    given = {"orderId": order["_id"], "lines": lines, "reason": " too  small ", **more}
    return (await shop.order.data(REQUEST, {"input": given}, by=by))["requestReturn"]


async def decide(shop: Shop, document: str, order: Row, return_id: str, by: Identity = STAFF, **more: Any) -> Any:
    (result,) = (await shop.order.data(document, {"o": order["_id"], "r": return_id, **more}, by=by)).values()
    return result


async def test_a_return_goes_from_the_request_to_the_shelf(shop: Shop) -> None:
    order = await deliver(shop, cup=3, teapot=1)
    asked = await request(shop, order, 2)
    (returned,) = asked["returns"]
    assert returned == {
        "id": returned["id"],
        "status": "REQUESTED",
        "reason": "too small",
        "requestedBy": "BUYER",
        "decidedAt": None,
        "receivedAt": None,
        "lines": [{"lineId": order["lines"][0]["id"], "quantity": 2}],
    }
    shop.clock.advance(hours=1)
    approved = await decide(shop, APPROVE, order, returned["id"])
    assert (approved["returns"][0]["status"], approved["returns"][0]["decidedAt"]) == (
        "APPROVED",
        "2027-03-01T04:00:00.000Z",
    )
    shop.clock.advance(hours=1)
    received = await decide(shop, RECEIVE, order, returned["id"], restock=True)
    assert received["returns"][0]["receivedAt"] == "2027-03-01T05:00:00.000Z"
    assert [line["returnedQuantity"] for line in received["lines"]] == [2, 0]
    # A figure: what was sold stays sold
    assert received["status"] == "DELIVERED"
    assert received["history"][-3:] == [
        {
            "event": "RETURN_REQUESTED",
            "by": "BUYER",
            "reason": "too small",
            "actorId": "usr_ani",
            "subjectId": returned["id"],
        },
        {
            "event": "RETURN_APPROVED",
            "by": "STORE",
            "reason": None,
            "actorId": "usr_staff",
            "subjectId": returned["id"],
        },
        {
            "event": "RETURN_RECEIVED",
            "by": "STORE",
            "reason": None,
            "actorId": "usr_staff",
            "subjectId": returned["id"],
        },
    ]
    assert await shop.stock("cup") == (17, 0)
    await shop.deliver_events()
    assert (await shop.events("order"))[2:] == ["OrderShipped", "OrderDelivered", "OrderReturnReceived"]
    assert await shop.stock("cup") == (19, 0)
    assert await shop.stock("teapot") == (19, 0)
    movements = shop.subgraphs["inventory"].runtime.database["movements"]
    rows = await movements.find({"kind": "RETURNED"}).to_list()
    assert [(row["product_id"], row["on_hand"], row["order_id"], row["by"]) for row in rows] == [
        ("prd_cup", 2, order["_id"], "service:order")
    ]
    # The ledger still says what the counters say
    await shop.run_job("inventory", "reconcile_stock")
    assert await shop.stock("cup") == (19, 0)


async def test_what_is_not_to_be_sold_again_does_not_go_back_to_stock(shop: Shop) -> None:
    order = await deliver(shop, cup=3)
    return_id = (await request(shop, order, 2))["returns"][0]["id"]
    await decide(shop, APPROVE, order, return_id)
    await decide(shop, RECEIVE, order, return_id, restock=False)
    await shop.deliver_events()
    assert await shop.stock("cup") == (17, 0)


async def test_pieces_go_back_to_the_warehouse_that_most_of_them_came_from(shop: Shop) -> None:
    order = await deliver(shop, cup=3)
    inventory = shop.subgraphs["inventory"].runtime.database
    lines = [{"product_id": "prd_cup", "quantity": count, "warehouse_id": f"whs_{count}"} for count in (1, 2)]
    await inventory["reservations"].update_one({"_id": order["_id"]}, {"$set": {"lines": lines}})
    return_id = (await request(shop, order, 1))["returns"][0]["id"]
    await decide(shop, APPROVE, order, return_id)
    await decide(shop, RECEIVE, order, return_id, restock=True)
    await shop.deliver_events()
    (row,) = await inventory["movements"].find({"kind": "RETURNED"}).to_list()
    assert row["warehouse_id"] == "whs_2"


async def test_a_rejected_return_can_be_asked_for_again_and_says_why(shop: Shop) -> None:
    order = await deliver(shop, cup=2)
    return_id = (await request(shop, order, 2))["returns"][0]["id"]
    rejected = await decide(shop, REJECT, order, return_id, why="it was worn")
    assert (rejected["returns"][0]["status"], rejected["history"][-1]["reason"]) == ("REJECTED", "it was worn")
    assert [each["status"] for each in (await request(shop, order, 2))["returns"]] == ["REJECTED", "REQUESTED"]


async def test_steps_out_of_turn_are_conflicts_and_change_nothing(shop: Shop) -> None:
    order = await deliver(shop, cup=2)
    return_id = (await request(shop, order, 1))["returns"][0]["id"]
    before = await shop.the_order()
    assert (await decide(shop, RECEIVE, order, return_id, restock=True))["code"] == "CONFLICT"
    assert (await decide(shop, APPROVE, order, "ret_none"))["code"] == "NOT_FOUND"
    assert (await decide(shop, REJECT, order, return_id, why=" "))["field"] == "reason"
    assert await shop.the_order() == before
    await decide(shop, REJECT, order, return_id, why="no")
    before = await shop.the_order()
    assert (await decide(shop, APPROVE, order, return_id))["code"] == "CONFLICT"
    assert await shop.the_order() == before


async def test_pieces_are_given_back_in_time_and_not_twice(shop: Shop) -> None:
    order = await deliver(shop, cup=2)
    await request(shop, order, 1)
    before = await shop.the_order()
    assert (await request(shop, order, 2))["message"] == (
        f"1 pieces of line {order['lines'][0]['id']} are there to be given back in time, not 2"
    )
    shop.clock.advance(timedelta(days=30))
    assert (await request(shop, order, 1))["code"] == "CONFLICT"
    assert await shop.the_order() == before


async def test_of_returns_asked_for_at_the_same_time_only_what_was_shipped_comes_back(shop: Shop) -> None:
    order = await deliver(shop, cup=3)
    results = await asyncio.gather(*(request(shop, order, 1) for _ in range(6)))
    assert sorted(result["__typename"] for result in results) == ["ConflictProblem"] * 3 + ["Order"] * 3


async def test_what_has_not_left_the_house_is_not_given_back(shop: Shop) -> None:
    order = await pack(shop, cup=2)
    assert (await request(shop, order, 1))["code"] == "CONFLICT"
    assert await shop.the_order() == order
    # What is on its way is
    await ship(shop, order, "JP1", [(order["lines"][0]["id"], 1)])
    assert (await request(shop, order, 1))["returns"][0]["status"] == "REQUESTED"


async def test_staff_asks_for_a_buyer_and_is_audited(shop: Shop) -> None:
    order = await deliver(shop, cup=2)
    asked = await request(shop, order, 1, by=STAFF)
    assert asked["returns"][0]["requestedBy"] == "STORE"
    assert (await shop.audited("order"))[-1] == ("ORDER_RETURN_REQUESTED", order["_id"], "usr_staff")


async def test_to_others_the_order_does_not_exist_and_buyers_do_not_decide(shop: Shop) -> None:
    order = await deliver(shop, cup=2)
    return_id = (await request(shop, order, 1))["returns"][0]["id"]
    before = await shop.the_order()
    assert (await request(shop, order, 1, by=BUDI))["code"] == "NOT_FOUND"
    reader = Identity("usr_reader", frozenset(), frozenset({"orders:read"}))
    lines = [{"lineId": order["lines"][0]["id"], "quantity": 1}]
    given = {"orderId": order["_id"], "lines": lines, "reason": "x"}
    assert await shop.order.refusals(REQUEST, {"input": given}, by=reader) == ["FORBIDDEN"]
    assert await shop.order.refusals(REQUEST, {"input": given}) == ["UNAUTHENTICATED"]
    variables = {"o": order["_id"], "r": return_id, "why": "x", "restock": True}
    for document in (APPROVE, REJECT, RECEIVE):
        used = {name: value for name, value in variables.items() if f"${name}:" in document}
        for caller in (ANI, BUDI):
            assert await shop.order.refusals(document, used, by=caller) == ["FORBIDDEN"]
    assert await shop.the_order() == before


@pytest.mark.parametrize("reason", ["", "  ", "x" * 201])
async def test_a_return_needs_a_reason(shop: Shop, reason: str) -> None:
    order = await deliver(shop, cup=2)
    assert (await request(shop, order, 1, reason=reason))["field"] == "reason"
    assert await shop.the_order() == order
