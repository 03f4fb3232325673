"""Notes of the store: for the store, and never changed."""

from typing import Any

import pytest

from subgraphs.order.notes import MAX_NOTES
from tests.testkit.shop import ANI, BUDI, STAFF, Shop

ADD = """
mutation($id: ID!, $text: String!) {
  addOrderNote(id: $id, text: $text) {
    __typename
    ... on Order { staffNotes { text authorId at } }
    ... on InvalidInputProblem { field }
    ... on Problem { code }
  }
}
"""


async def add(shop: Shop, order_id: str, text: str) -> Any:
    return (await shop.order.data(ADD, {"id": order_id, "text": text}, by=STAFF))["addOrderNote"]


async def test_notes_say_who_wrote_what_when_and_only_staff_sees_them(shop: Shop) -> None:
    await shop.stock_up(cup=5)
    order_id = await shop.order_paid(ANI, cup=1)
    await add(shop, order_id, " called,\nno answer ")
    shop.clock.advance(hours=1)
    noted = await add(shop, order_id, "called again")
    assert noted["staffNotes"] == [
        {"text": "called,\nno answer", "authorId": "usr_staff", "at": "2027-03-01T03:00:00.000Z"},
        {"text": "called again", "authorId": "usr_staff", "at": "2027-03-01T04:00:00.000Z"},
    ]
    assert (await shop.audited("order"))[-1] == ("ORDER_NOTE_ADDED", order_id, "usr_staff")
    look = f'{{ order(id: "{order_id}") {{ staffNotes {{ text }} }} }}'
    assert (await shop.order.data(look, by=ANI))["order"] == {"staffNotes": None}
    assert (await shop.order.data(look, by=BUDI))["order"] is None
    payloads = await shop.event_payloads("order", "PrivilegedAction")
    assert "no answer" not in str(payloads)


@pytest.mark.parametrize("text", ["", " \n ", "x" * 2001])
async def test_a_note_says_something_and_not_too_much(shop: Shop, text: str) -> None:
    await shop.stock_up(cup=5)
    order_id = await shop.order_paid(ANI, cup=1)
    before = await shop.the_order()
    assert (await add(shop, order_id, text))["field"] == "text"
    assert await shop.order.refusals(ADD, {"id": order_id, "text": "x"}, by=ANI) == ["FORBIDDEN"]
    assert (await add(shop, "ord_none", "x"))["code"] == "NOT_FOUND"
    assert await shop.the_order() == before


async def test_an_order_has_room_for_so_many_notes(shop: Shop) -> None:
    await shop.stock_up(cup=5)
    order_id = await shop.order_paid(ANI, cup=1)
    note = {"id": "nte_1", "at": shop.clock.now(), "author": "usr_staff", "text": "x"}
    orders = shop.subgraphs["order"].runtime.database["orders"]
    await orders.update_one({"_id": order_id}, {"$set": {"staff_notes": [note] * (MAX_NOTES - 1)}})
    assert len((await add(shop, order_id, "the last"))["staffNotes"]) == MAX_NOTES
    before = await shop.the_order()
    assert (await add(shop, order_id, "one more"))["code"] == "CONFLICT"
    assert await shop.the_order() == before
