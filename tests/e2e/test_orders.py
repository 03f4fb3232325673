"""An order after it is placed, over HTTP, in one process and split: watched, shipped, printed, exported, paid back."""

import csv
import json
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from core.ids import new_id
from pasar.seed.people import PASSWORD
from tests.e2e.test_shopping import find_product, place_order, press, register, staff_of
from tests.testkit.pdf_text import texts_of
from tests.testkit.running import PATIENCE_S, Client, RunningStore, send

WATCH = "subscription($id: ID) { orderChanged(id: $id) { number status refunded { amount } payment { status } } }"
MOVE = "mutation($id: ID!) { packOrder(id: $id) { __typename } }"
REFUND = """
mutation($input: RefundPaymentInput!) { refundPayment(input: $input) { ... on Payment { id status } } }
"""


def watch(client: Client, order_id: str | None) -> Iterator[dict[str, Any]]:
    """Yield the answers of the subscription, over server-sent events."""
    request = urllib.request.Request(
        client.url,
        data=json.dumps({"query": WATCH, "variables": {"id": order_id}}).encode(),
        headers={
            "accept": "text/event-stream",
            "content-type": "application/json",
            "authorization": f"Bearer {client.token}",
        },
    )
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
        for line in answer:
            if line.startswith(b"data: {"):
                yield json.loads(line.removeprefix(b"data: "))


def watch_until(events: Iterator[dict[str, Any]], status: str, payment: str) -> dict[str, Any]:
    """Return the first event that shows an order, and its payment, so."""
    for event in events:
        order: dict[str, Any] = event["data"]["orderChanged"]
        if (order["status"], order["payment"]["status"]) == (status, payment):
            return order
    raise AssertionError("the subscription has ended")


def test_an_order_is_watched_printed_exported_and_paid_back(store: RunningStore) -> None:
    customer, _ = register(store)
    staff, admin = staff_of(store), store.client.log_in("admin@pasar.example", PASSWORD)
    placed = place_order(customer, find_product(customer, "gayo 200")["id"], 1, new_id("key"))
    order_id, number = placed["order"]["id"], placed["order"]["number"]
    with closing(watch(customer, order_id)) as events:  # type: ignore[type-var]
        assert watch_until(events, "PENDING_PAYMENT", "PENDING")["number"] == number
        press(placed["payUrl"], "pay")
        watch_until(events, "PAID", "PAID")
        assert staff.ask(MOVE, id=order_id)["packOrder"] == {"__typename": "Order"}
        watch_until(events, "PACKED", "PAID")
        urls = "query($id: ID!) { order(id: $id) { invoiceUrl packingSlipUrl payment { id } } }"
        mine, theirs = (client.ask(urls, id=order_id)["order"] for client in (customer, staff))
        assert mine["packingSlipUrl"] is None
        invoice = send(mine["invoiceUrl"])
        assert (invoice.status, invoice.headers["content-type"]) == (200, "application/pdf")
        assert f"Order: {number}" in texts_of(invoice.body)
        assert texts_of(send(theirs["packingSlipUrl"]).body)[0] == f"Packing slip {number}"
        assert send(f"{mine['invoiceUrl'][:-6]}AAAA==").status == 404
        given = {"paymentId": mine["payment"]["id"], "reason": "sold out", "idempotencyKey": order_id}
        assert admin.ask(REFUND, input=given)["refundPayment"]["status"] == "REFUNDED"
        # All of its money is back and nothing has left the house
        refunded = watch_until(events, "CANCELLED", "REFUNDED")
        assert refunded["refunded"]["amount"] == placed["order"]["total"]["amount"]
    export = """mutation($f: OrdersFilter) { exportOrders(input: {format: CSV, filter: $f}) {
      ... on OrderExportLink { url } } }"""
    exported = send(staff.ask(export, f={"number": number})["exportOrders"]["url"])
    (row,) = csv.DictReader(exported.body.decode().splitlines())
    assert (row["number"], row["status"]) == (number, "CANCELLED")


def test_strangers_watch_no_order(store: RunningStore) -> None:
    customer, _ = register(store)
    other, _ = register(store)
    placed = place_order(customer, find_product(customer, "gayo 200")["id"], 1, new_id("key"))["order"]
    for headers, code in (({"authorization": f"Bearer {other.token}"}, b"NOT_FOUND"), ({}, b"UNAUTHENTICATED")):
        refused = send(
            store.client.url,
            body=json.dumps({"query": WATCH, "variables": {"id": placed["id"]}}).encode(),
            headers={"accept": "text/event-stream", "content-type": "application/json", **headers},
        )
        assert code in refused.body
        assert placed["number"].encode() not in refused.body
