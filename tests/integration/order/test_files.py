"""Invoices, packing slips and exports over HTTP: for whoever has the link, as long as it works, and nothing else."""

import asyncio
import csv
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from starlette.applications import Starlette

from core.identity import ANONYMOUS, Identity
from subgraphs.order.papers.links import FileKind, open_links
from tests.integration.order.test_refunds import refund
from tests.integration.order.test_shipments import pack
from tests.testkit.asgi_server import running_asgi
from tests.testkit.pdf_text import texts_of
from tests.testkit.shop import ANI, BUDI, STAFF, Shop

BASE = "http://127.0.0.1:4000"
LINKS = "query($id: ID!) { order(id: $id) { invoiceUrl packingSlipUrl invoiceNumber } }"
EXPORT = """
mutation($input: ExportOrdersInput!) {
  exportOrders(input: $input) {
    __typename ... on OrderExportLink { url expiresAt } ... on InvalidInputProblem { field }
  }
}
"""


@dataclass(frozen=True, slots=True)
class Fetched:
    status: int
    headers: Any
    body: bytes


@dataclass(frozen=True, slots=True)
class Site:
    """The shop's files as a browser reaches them."""

    shop: Shop
    url: str
    browser: aiohttp.ClientSession

    async def fetch(self, link: str, method: str = "GET") -> Fetched:
        assert link.startswith(f"{BASE}/orders/files/")
        async with self.browser.request(method, self.url + link.removeprefix(BASE)) as answer:
            headers = {name.lower(): value for name, value in answer.headers.items()}
            return Fetched(answer.status, headers, await answer.read())

    async def links(self, order_id: str, by: Identity) -> Any:
        return (await self.shop.order.data(LINKS, {"id": order_id}, by=by))["order"]

    async def export(self, format_: str, **filter_: Any) -> str:
        given = {"format": format_, "filter": filter_}
        return str((await self.shop.order.data(EXPORT, {"input": given}, by=STAFF))["exportOrders"]["url"])


@pytest.fixture
async def site(shop: Shop) -> AsyncIterator[Site]:
    app = Starlette(routes=list(shop.subgraphs["order"].routes))
    async with running_asgi(app) as url, aiohttp.ClientSession() as browser:
        yield Site(shop, url, browser)


async def test_a_buyer_fetches_the_own_invoice_which_keeps_its_number(site: Site) -> None:
    await site.shop.stock_up(cup=5)
    order_id = await site.shop.order_paid(ANI, cup=2)
    links = await site.links(order_id, ANI)
    # An invoice has its number once somebody wants it
    assert (links["packingSlipUrl"], links["invoiceNumber"]) == (None, None)
    fetched = await site.fetch(links["invoiceUrl"])
    assert fetched.status == 200
    assert fetched.headers.items() >= {
        ("content-type", "application/pdf"),
        ("content-disposition", 'inline; filename="INV-2027-000001.pdf"'),
        ("cache-control", "private, no-store"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
    }
    texts = texts_of(fetched.body)
    order = await site.shop.the_order()
    assert texts[:2] == ["Invoice INV-2027-000001", "Pasar"]
    assert f"Order: {order['number']}" in texts
    assert texts[-7:] == [
        "IDR 20,000",
        "Subtotal",
        "IDR 20,000",
        "Shipping: Standard",
        "IDR 12,000",
        "Total",
        "IDR 32,000",
    ]
    site.shop.clock.advance(days=400)
    again = await site.links(order_id, STAFF)
    assert again["invoiceNumber"] == "INV-2027-000001"
    assert (await site.fetch(again["invoiceUrl"])).body == fetched.body


async def test_numbers_of_a_year_are_without_gaps_whoever_asks_at_the_same_time(site: Site) -> None:
    await site.shop.stock_up(cup=50)
    ids = [await site.shop.order_paid(ANI, cup=1) for _ in range(4)]
    links = [(await site.links(order_id, ANI))["invoiceUrl"] for order_id in ids]
    answers = await asyncio.gather(*(site.fetch(link) for link in links for _ in range(3)))
    assert {answer.status for answer in answers} == {200}
    assert sorted({texts_of(answer.body)[0] for answer in answers}) == [
        f"Invoice INV-2027-{number:06d}" for number in range(1, 5)
    ]
    site.shop.clock.advance(days=365)
    other = (await site.links(await site.shop.order_paid(ANI, cup=1), ANI))["invoiceUrl"]
    assert texts_of((await site.fetch(other)).body)[0] == "Invoice INV-2028-000001"


async def test_what_is_not_paid_has_no_invoice(site: Site) -> None:
    await site.shop.stock_up(cup=5)
    await site.shop.put_in_cart(ANI, cup=1)
    order_id = (await site.shop.check_out())["order"]["id"]
    before = await site.shop.the_order()
    assert (await site.links(order_id, ANI))["invoiceUrl"] is None
    # Nor does a link that should not be
    forged = open_links(site.shop.subgraphs["order"].runtime.settings, site.shop.clock)
    answer = await site.fetch(forged.make(FileKind.INVOICE, {"order_id": order_id}).url)
    assert answer.status == 409
    assert (await site.fetch(forged.make(FileKind.INVOICE, {"order_id": "ord_none"}).url)).status == 409
    assert await site.shop.the_order() == before


async def test_a_refund_is_on_the_invoice_of_a_cancelled_order(site: Site) -> None:
    order = await pack(site.shop, cup=2)
    await refund(site.shop, order)
    texts = texts_of((await site.fetch((await site.links(order["_id"], ANI))["invoiceUrl"])).body)
    assert texts[-4:] == ["Refunded", "IDR -32,000", "Total after refunds", "IDR 0"]


async def test_staff_fetches_the_packing_slip(site: Site) -> None:
    order = await pack(site.shop, cup=2)
    link = (await site.links(order["_id"], STAFF))["packingSlipUrl"]
    fetched = await site.fetch(link)
    assert fetched.headers["content-disposition"] == f'inline; filename="packing-slip-{order["number"]}.pdf"'
    assert texts_of(fetched.body)[-8:] == ["SKU", "Product", "Ordered", "To pack", "CUP", "Cup", "2", "2"]
    assert not [text for text in texts_of(fetched.body) if "IDR" in text]


async def test_a_link_works_for_ten_minutes_and_not_when_it_was_changed(site: Site) -> None:
    order = await pack(site.shop, cup=2)
    link = (await site.links(order["_id"], ANI))["invoiceUrl"]
    before = await site.shop.the_order()
    prefix, _, token = link.rpartition("/")
    other = "A" if token[40] != "A" else "B"
    for forged in (f"{token[:40]}{other}{token[41:]}", token[:-4], "x", token.partition(".")[2], "%C3%A9.x"):
        answer = await site.fetch(f"{prefix}/{forged}")
        assert (answer.status, answer.body) == (404, b"this link leads nowhere")
    site.shop.clock.advance(minutes=10)
    answer = await site.fetch(link)
    assert (answer.status, answer.body) == (410, b"the time of this link is over; ask for a new one")
    assert (await site.fetch(link, "POST")).status == 405
    assert await site.shop.the_order() == before


async def test_a_link_tells_nothing_and_others_get_none(site: Site) -> None:
    order = await pack(site.shop, cup=2)
    link = (await site.links(order["_id"], ANI))["invoiceUrl"]
    assert order["_id"] not in link
    assert await site.links(order["_id"], BUDI) is None
    assert await site.links(order["_id"], ANONYMOUS) is None


async def test_orders_are_exported_as_csv_and_json_lines_and_it_is_noted_who_took_them(site: Site) -> None:
    await site.shop.stock_up(cup=50)
    for _ in range(3):
        await site.shop.order_paid(ANI, cup=1)
        site.shop.clock.advance(hours=1)
    orders = site.shop.subgraphs["order"].runtime.database["orders"]
    newest = [row["number"] for row in reversed(await site.shop.orders())]
    await orders.update_one({"number": newest[0]}, {"$set": {"buyer_name": "=1+1"}})
    fetched = await site.fetch(await site.export("CSV"))
    assert fetched.headers["content-disposition"] == 'attachment; filename="orders-2027-03-01.csv"'
    assert fetched.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(fetched.body.decode().splitlines()))
    assert [row["number"] for row in rows] == newest
    assert [row["buyer_name"] for row in rows] == ["'=1+1", "Ani Wijaya", "Ani Wijaya"]
    assert {(row["total"], row["lines"], row["recipient"]) for row in rows} == {("22000", "1 x CUP", "Ani Wijaya")}
    fetched = await site.fetch(await site.export("JSONL"))
    records = [json.loads(line) for line in fetched.body.decode().splitlines()]
    assert [(record["number"], record["total"]) for record in records] == [(number, "22000") for number in newest]
    assert records[0]["buyer_name"] == "=1+1"
    assert [entry for entry in await site.shop.audited("order") if entry[0] == "ORDERS_EXPORTED"] == [
        ("ORDERS_EXPORTED", "orders", "usr_staff")
    ] * 2


async def test_an_export_has_what_its_filter_finds(site: Site) -> None:
    await site.shop.stock_up(cup=50, teapot=50)
    await site.shop.order_paid(ANI, cup=1)
    await site.shop.order_paid(BUDI, teapot=1)
    for filter_, buyers in (
        ({"buyerId": "usr_budi"}, ["usr_budi"]),
        ({"productId": "prd_cup"}, ["usr_ani"]),
        ({"status": ["CANCELLED"]}, []),
        ({"needsAttention": True}, []),
        ({"placedFrom": "2027-03-01T00:00:00Z", "status": ["PAID"]}, ["usr_budi", "usr_ani"]),
        ({"placedTo": "2027-03-01T00:00:00Z"}, []),
    ):
        fetched = await site.fetch(await site.export("JSONL", **filter_))
        assert [json.loads(line)["buyer_id"] for line in fetched.body.splitlines()] == buyers


async def test_exports_are_for_staff(site: Site) -> None:
    given = {"input": {"format": "CSV"}}
    assert await site.shop.order.refusals(EXPORT, given, by=ANI) == ["FORBIDDEN"]
    assert await site.shop.order.refusals(EXPORT, given) == ["UNAUTHENTICATED"]
    long = {"input": {"format": "CSV", "filter": {"number": "x" * 101}}}
    assert (await site.shop.order.data(EXPORT, long, by=STAFF))["exportOrders"]["field"] == "filter.number"
    assert await site.shop.audited("order") == []


async def test_an_export_is_longer_than_what_is_kept_in_memory_at_a_time(site: Site) -> None:
    order = await pack(site.shop, cup=2)
    orders = site.shop.subgraphs["order"].runtime.database["orders"]
    await orders.insert_many([{**order, "_id": f"ord_{number}", "number": f"N-{number:04}"} for number in range(350)])
    fetched = await site.fetch(await site.export("JSONL", number="N-"))
    numbers = [json.loads(line)["number"] for line in fetched.body.splitlines()]
    assert numbers == [f"N-{number:04}" for number in reversed(range(350))]
    assert fetched.headers["transfer-encoding"] == "chunked"
