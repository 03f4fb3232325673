"""Price lists and schedules: exact for whoever reads, written down by the job or by who lists before it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from core.audit import PRIVILEGED_ACTION
from tests.integration.product.conftest import Catalogue
from tests.testkit.callers import CUSTOMER, STAFF
from tests.testkit.clock import FixedClock

CREATE = """mutation($input: CreatePriceListInput!) { createPriceList(input: $input) {
  __typename ... on PriceList { code validUntil } ... on Problem { code message } } }"""
SET = """mutation($code: String!, $prices: [ListPriceInput!]!) { setListPrices(code: $code, prices: $prices) {
  __typename ... on Problem { code } } }"""
END = """mutation($code: String!, $at: DateTime) { endPriceList(code: $code, at: $at) {
  __typename ... on PriceList { validUntil } ... on Problem { code } } }"""
SCHEDULE = """mutation($id: ID!, $on: DateTime, $off: DateTime) {
  scheduleProduct(id: $id, publishAt: $on, unpublishAt: $off) {
    __typename ... on Product { status publishAt unpublishAt } ... on Problem { code } } }"""


def sale(code: str = "SALE", start: str = "2026-11-01T10:00:00Z", end: str | None = "2026-11-01T11:00:00Z") -> Any:
    return {"code": code, "name": "A sale", "currency": "IDR", "validFrom": start, "validUntil": end}


async def price_of(catalogue: Catalogue, sku: str) -> tuple[int, int]:
    found = await catalogue.data(
        "query($s: String!) { product(sku: $s) { price { amount } regularPrice { amount } } }", {"s": sku}
    )
    return found["product"]["price"]["amount"], found["product"]["regularPrice"]["amount"]


async def put_on_sale(catalogue: Catalogue, code: str, **amounts: int | None) -> str:
    prices = []
    for sku, amount in amounts.items():
        found = await catalogue.data("query($s: String!) { product(sku: $s) { id } }", {"s": sku}, by=STAFF)
        prices.append({"productId": found["product"]["id"], "amount": amount})
    done = await catalogue.data(SET, {"code": code, "prices": prices}, by=STAFF)
    outcome: str = done["setListPrices"]["__typename"]
    return outcome


async def run_job(catalogue: Catalogue, clock: FixedClock) -> None:
    [job] = [job for job in catalogue.subgraph.jobs if job.name == "apply_schedules"]
    await job.run(clock.now())


async def events_of(catalogue: Catalogue) -> list[str]:
    return [row["type"] for row in await catalogue.rows("outbox") if row["type"] != PRIVILEGED_ACTION]


@pytest.fixture
async def shop(catalogue: Catalogue) -> Catalogue:
    await catalogue.sell("A", price={"decimal": "10000", "currency": "IDR"})
    await catalogue.sell("B", price={"decimal": "20000", "currency": "IDR"})
    return catalogue


async def test_a_price_of_a_list_holds_exactly_within_its_time(shop: Catalogue, clock: FixedClock) -> None:
    await shop.data(CREATE, {"input": sale()}, by=STAFF)
    assert await put_on_sale(shop, "SALE", B=5000) == "PriceList"
    seen = []
    for moment in ("09:59:59.999", "10:00:00.000", "10:59:59.999", "11:00:00.000"):
        clock.advance(datetime.fromisoformat(f"2026-11-01T{moment}").replace(tzinfo=UTC) - clock.now())
        # Without the job: reading is exact, and a list is sorted by what holds
        seen.append((await price_of(shop, "B"), await shop.list_skus("sort: PRICE_ASC")))
    assert seen == [
        ((20000, 20000), ["A", "B"]),
        ((5000, 20000), ["B", "A"]),
        ((5000, 20000), ["B", "A"]),
        ((20000, 20000), ["A", "B"]),
    ]


async def test_orders_are_told_the_price_that_holds(shop: Catalogue, clock: FixedClock) -> None:
    await shop.data(CREATE, {"input": sale()}, by=STAFF)
    await put_on_sale(shop, "SALE", A=100)
    clock.advance(hours=1)
    [row] = [row for row in await shop.rows("products") if row["sku"] == "A"]
    entity = "query($r: [_Any!]!) { _entities(representations: $r) { ... on Product { price { amount } } } }"
    found = await shop.data(entity, {"r": [{"__typename": "Product", "id": row["_id"]}]}, by=CUSTOMER)
    assert found["_entities"] == [{"price": {"amount": 100}}]
    # An edit of the name changes no price, and one of the price the regular one
    edit = "mutation($i: EditProductInput!) { editProduct(input: $i) { ... on Product { price { amount } } } }"
    edited = await shop.data(edit, {"i": {"id": row["_id"], "name": "New"}}, by=STAFF)
    assert edited["editProduct"] == {"price": {"amount": 100}}
    price = {"decimal": "12000", "currency": "IDR"}
    await shop.data(edit, {"i": {"id": row["_id"], "price": price}}, by=STAFF)
    assert await price_of(shop, "A") == (100, 12000)


async def test_the_job_writes_prices_down_once_and_tells_of_it(shop: Catalogue, clock: FixedClock) -> None:
    await shop.data(CREATE, {"input": sale()}, by=STAFF)
    await put_on_sale(shop, "SALE", A=100, B=200)
    before = await events_of(shop)
    await run_job(shop, clock)
    assert await events_of(shop) == before
    clock.advance(hours=1)
    await run_job(shop, clock)
    assert (await events_of(shop))[len(before) :] == ["ProductEdited"] * 2
    rows = await shop.rows("products")
    assert [row["price"]["amount"] for row in rows] == [100, 200]
    await run_job(shop, clock)
    assert await shop.rows("products") == rows


async def test_a_list_ends_early_for_all_its_products(shop: Catalogue, clock: FixedClock) -> None:
    await shop.data(CREATE, {"input": sale(end=None)}, by=STAFF)
    await put_on_sale(shop, "SALE", A=100, B=200)
    clock.advance(hours=2)
    assert await price_of(shop, "A") == (100, 10000)
    ended = await shop.data(END, {"code": "SALE"}, by=STAFF)
    assert ended["endPriceList"] == {"__typename": "PriceList", "validUntil": "2026-11-01T11:00:00.000Z"}
    assert (await price_of(shop, "A"), await price_of(shop, "B")) == ((10000, 10000), (20000, 20000))
    [row] = await shop.rows("price_lists")
    assert row["is_spreading"] is False


async def test_an_end_that_a_crash_kept_from_the_products_reaches_them(shop: Catalogue, clock: FixedClock) -> None:
    await shop.data(CREATE, {"input": sale(end=None)}, by=STAFF)
    await put_on_sale(shop, "SALE", A=100)
    clock.advance(hours=2)
    lists = shop.subgraph.runtime.database["price_lists"]
    await lists.update_one({"_id": "SALE"}, {"$set": {"valid_until": clock.now(), "is_spreading": True}})
    await run_job(shop, clock)
    assert await price_of(shop, "A") == (10000, 10000)
    assert [row["is_spreading"] for row in await shop.rows("price_lists")] == [False]


@pytest.mark.parametrize(
    ("document", "variables", "outcome"),
    [
        (CREATE, {"input": sale("SALE")}, "ConflictProblem"),
        (CREATE, {"input": sale("no code")}, "InvalidInputProblem"),
        (CREATE, {"input": sale("X", end="2026-11-01T10:00:00Z")}, "InvalidInputProblem"),
        (SET, {"code": "NONE", "prices": [{"productId": "prd_none", "amount": 1}]}, "NotFoundProblem"),
        (SET, {"code": "SALE", "prices": [{"productId": "prd_none", "amount": 1}]}, "NotFoundProblem"),
        (SET, {"code": "SALE", "prices": []}, "InvalidInputProblem"),
        (END, {"code": "NONE"}, "NotFoundProblem"),
        (END, {"code": "SALE", "at": "2026-11-01T09:00:00Z"}, "InvalidInputProblem"),
    ],
)
async def test_what_cannot_be_is_refused_and_nothing_changes(
    shop: Catalogue, document: str, variables: dict[str, Any], outcome: str
) -> None:
    await shop.data(CREATE, {"input": sale()}, by=STAFF)
    lists, rows, outbox = await shop.rows("price_lists"), await shop.rows("products"), await shop.rows("outbox")
    [result] = (await shop.data(document, variables, by=STAFF)).values()
    assert result["__typename"] == outcome
    assert (await shop.rows("price_lists"), await shop.rows("products")) == (lists, rows)
    assert await shop.rows("outbox") == outbox


async def test_all_prices_of_a_call_are_set_or_none(shop: Catalogue) -> None:
    await shop.data(CREATE, {"input": sale()}, by=STAFF)
    rows = await shop.rows("products")
    wrong = [{"productId": rows[0]["_id"], "amount": 1}, {"productId": rows[1]["_id"], "amount": 0}]
    refused = await shop.data(SET, {"code": "SALE", "prices": wrong}, by=STAFF)
    assert refused["setListPrices"]["code"] == "BAD_USER_INPUT"
    assert await shop.rows("products") == rows


async def test_prices_to_come_are_for_those_who_set_them(shop: Catalogue) -> None:
    for document in ("{ priceLists { code } }", '{ product(sku: "A") { listPrices { priceList { code } } } }'):
        assert await shop.refusals(document, by=CUSTOMER) == ["FORBIDDEN"]


async def test_a_product_goes_on_and_off_sale_at_its_moment_with_a_late_job(
    catalogue: Catalogue, clock: FixedClock
) -> None:
    id_ = (await catalogue.create("NEW"))["id"]
    times = {"id": id_, "on": "2026-11-01T10:00:00Z", "off": "2026-11-01T11:00:00Z"}
    scheduled = await catalogue.data(SCHEDULE, times, by=STAFF)
    assert scheduled["scheduleProduct"] == {
        "__typename": "Product",
        "status": "DRAFT",
        "publishAt": "2026-11-01T10:00:00.000Z",
        "unpublishAt": "2026-11-01T11:00:00.000Z",
    }
    seen = []
    for moment in ("09:59:59.999", "10:00:00.000", "10:59:59.999", "11:00:00.000"):
        clock.advance(datetime.fromisoformat(f"2026-11-01T{moment}").replace(tzinfo=UTC) - clock.now())
        found = (await catalogue.data('{ product(sku: "NEW") { sellable } }'))["product"]
        seen.append((found, await catalogue.list_skus()))
    assert seen == [(None, []), ({"sellable": True}, ["NEW"]), ({"sellable": True}, ["NEW"]), (None, [])]
    assert await events_of(catalogue) == ["ProductCreated", "ProductScheduled", "ProductPublished", "ProductArchived"]


async def test_a_schedule_that_cannot_be_is_refused(shop: Catalogue, clock: FixedClock) -> None:
    draft = (await shop.create("NEW"))["id"]
    [on_sale] = [row["_id"] for row in await shop.rows("products") if row["sku"] == "A"]
    rows = await shop.rows("products")
    for variables, code in (
        ({"id": draft, "on": "2026-11-02T10:00:00Z", "off": "2026-11-02T10:00:00Z"}, "BAD_USER_INPUT"),
        ({"id": on_sale, "on": "2026-11-02T10:00:00Z"}, "CONFLICT"),
        ({"id": "prd_none", "on": "2026-11-02T10:00:00Z"}, "NOT_FOUND"),
    ):
        assert (await shop.data(SCHEDULE, variables, by=STAFF))["scheduleProduct"]["code"] == code
    assert await shop.rows("products") == rows


async def test_variants_go_on_sale_with_their_product(catalogue: Catalogue, clock: FixedClock) -> None:
    options = [{"name": "size", "values": ["s"]}]
    id_ = (await catalogue.create("SHIRT", options=options))["id"]
    variant = """mutation($i: CreateVariantInput!) { createVariant(input: $i) { __typename } }"""
    given = {"productId": id_, "sku": "SHIRT-S", "choices": [{"name": "size", "value": "s"}]}
    await catalogue.data(variant, {"i": given}, by=STAFF)
    await catalogue.data(SCHEDULE, {"id": id_, "on": "2026-11-01T10:00:00Z"}, by=STAFF)
    clock.advance(hours=1)
    await run_job(catalogue, clock)
    found = await catalogue.data("{ products { nodes { sku variants { sku sellable } } } }")
    assert found["products"]["nodes"] == [{"sku": "SHIRT", "variants": [{"sku": "SHIRT-S", "sellable": True}]}]
    assert await catalogue.list_skus('filter: {attributes: [{name: "size", values: ["s"]}]}') == ["SHIRT"]
