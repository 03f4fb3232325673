"""Every query of the order and payment subgraphs reads by an index, in its order."""

from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import product as combinations
from typing import Any

import pytest

from core.clock import Clock
from core.identity import service_identity
from core.ids import new_id
from core.mongo import Client, connect
from core.peers import Peers
from core.settings import Settings
from core.subgraph import Runtime
from subgraphs.order.exporting import ExportFormat, OrderExport
from subgraphs.order.order_lists import OrderFilter
from subgraphs.order.papers.invoices import Invoices
from subgraphs.order.repository import OrderRepository
from subgraphs.order.rollup_repository import STATE_ID
from tests.integration.order.test_refunds import refund
from tests.integration.order.test_returns import APPROVE, RECEIVE, decide, request
from tests.integration.order.test_shipments import DELIVER, PACK, TRACK, arrive, ship
from tests.testkit.callers import ORDER_SERVICE
from tests.testkit.explained import SentCommands, Unindexed, find_unindexed
from tests.testkit.shop import ANI, BUDI, STAFF, Shop, open_shop, reopen_shop
from tests.testkit.store import build_runtime, make_settings

SENT = SentCommands()


@pytest.fixture(scope="module")
async def listened_shop(mongo_uri: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    client: Client = connect(mongo_uri, listeners=[SENT])
    settings = make_settings(tmp_path_factory.mktemp("shop"), database_prefix=f"{new_id('t')}_")

    def make(
        name: str, *, peers: Peers | None = None, clock: Clock | None = None, settings: Settings | None = settings
    ) -> Runtime:
        assert settings is not None
        return build_runtime(name, client, settings, peers=peers, clock=clock)

    shop = await open_shop(make)
    yield shop
    for subgraph in shop.subgraphs.values():
        await subgraph.stop()
        await client.drop_database(subgraph.runtime.database.name)
    await client.close()


@pytest.fixture
async def watched(listened_shop: Shop) -> Shop:
    """A shop with orders in all states, of two buyers."""
    shop = await reopen_shop(listened_shop)
    await shop.stock_up(cup=90, teapot=90)
    for buyer in (ANI, BUDI):
        for stage in range(4):
            shop.clock.advance(minutes=1)
            order_id = await shop.order_paid(buyer, cup=2, teapot=1)
            if stage:
                await shop.order.data(PACK, {"id": order_id}, by=STAFF)
            (order,) = [row for row in await shop.orders() if row["_id"] == order_id]
            if stage > 1:
                await ship(shop, order, "JP1")
            if stage > 2:
                await shop.order.data(DELIVER, {"id": order_id}, by=STAFF)
        await shop.put_in_cart(buyer, cup=1)
        await shop.check_out(buyer, new_id("key"))
    cancel = "mutation($id: ID!) { cancelOrder(id: $id) { __typename } }"
    await shop.order.data(cancel, {"id": (await shop.orders())[0]["_id"]}, by=STAFF)
    SENT.clear()
    return shop


async def unindexed(client: Client) -> list[Unindexed]:
    """Return what does without an index in the databases of the two subgraphs."""
    ours = SentCommands()
    ours.sent = [
        sent
        for sent in SENT.sent
        # The shop of the testkit looks for events in the order in which they came
        if sent.database.endswith(("_order", "_payment"))
        and not (sent.name == "find outbox" and "sort" in sent.command)
    ]
    assert ours.sent
    return await find_unindexed(client, ours)


ORDERS = """query($f: OrdersFilter, $first: Int, $last: Int, $after: String, $before: String) {
  orders(filter: $f, first: $first, last: $last, after: $after, before: $before) {
    nodes { number } pageInfo { startCursor endCursor } } }"""
MINE = """query($r: [_Any!]!, $f: UserOrdersFilter, $first: Int, $after: String) {
  _entities(representations: $r) { ... on User { orders(filter: $f, first: $first, after: $after) {
    nodes { number } pageInfo { endCursor } } } } }"""

STATUSES: list[dict[str, Any]] = [{}, {"status": ["PAID"]}, {"status": ["PAID", "PACKED", "CANCELLED"]}]
DATES: list[dict[str, Any]] = [
    {},
    {"placedFrom": "2027-03-01T03:02:00Z"},
    {"placedFrom": "2027-03-01T03:02:00Z", "placedTo": "2027-03-01T03:09:00Z"},
]
OTHERS: list[dict[str, Any]] = [
    {},
    {"buyerId": "usr_ani"},
    {"buyerId": "usr_ani", "number": "27"},
    {"number": "ORD-27"},
    {"number": "ORD-27", "needsAttention": True},
    {"needsAttention": True},
    {"attention": ["REFUND_DUE", "STOCK_SHORT"]},
    {"attention": ["REFUND_DUE"], "productId": "prd_cup"},
    {"productId": "prd_cup"},
    {"productId": "prd_cup", "buyerId": "usr_budi"},
]


async def test_every_list_of_orders_is_read_in_its_order_by_an_index(watched: Shop, mongo_client: Client) -> None:
    for statuses, dates, others in combinations(STATUSES, DATES, OTHERS):
        filter_ = {**statuses, **dates, **others}
        page = (await watched.order.data(ORDERS, {"f": filter_, "first": 2}, by=STAFF))["orders"]
        cursors = page["pageInfo"]
        if cursors["endCursor"] is not None:
            await watched.order.data(ORDERS, {"f": filter_, "first": 2, "after": cursors["endCursor"]}, by=STAFF)
            await watched.order.data(ORDERS, {"f": filter_, "last": 2, "before": cursors["endCursor"]}, by=STAFF)
    assert len(SENT.sent) > 150
    assert [str(each) for each in await unindexed(mongo_client)] == []


async def test_a_buyers_own_orders_are_read_by_an_index(watched: Shop, mongo_client: Client) -> None:
    users = [{"__typename": "User", "id": user_id} for user_id in ("usr_ani", "usr_budi")]
    for statuses, dates, number in combinations(STATUSES, DATES, ({}, {"number": "ORD-27"})):
        variables = {"r": users, "f": {**statuses, **dates, **number}, "first": 2}
        found = (await watched.order.data(MINE, variables, by=STAFF))["_entities"]
        cursor = found[0]["orders"]["pageInfo"]["endCursor"]
        await watched.order.data(MINE, {**variables, "after": cursor}, by=STAFF)
    assert len(SENT.sent) == 36
    assert [str(each) for each in await unindexed(mongo_client)] == []


async def test_every_change_of_an_order_is_found_by_an_index(watched: Shop, mongo_client: Client) -> None:
    (order,) = [row for row in await watched.orders() if row["status"] == "PACKED" and row["buyer_id"] == ANI.subject]
    SENT.clear()
    shipped = await ship(watched, order, "JP1", [(order["lines"][0]["id"], 1)])
    event = {"orderId": order["_id"], "status": "in transit"}
    await watched.order.data(TRACK, {"input": event}, by=STAFF)
    await arrive(watched, order, shipped["shipments"][0]["id"])
    return_id = (await request(watched, order, 1))["returns"][0]["id"]
    await decide(watched, APPROVE, order, return_id)
    await decide(watched, RECEIVE, order, return_id, restock=True)
    note = 'mutation($id: ID!) { addOrderNote(id: $id, text: "x") { __typename } }'
    await watched.order.data(note, {"id": order["_id"]}, by=STAFF)
    await refund(watched, order, 1000)
    runtime = watched.subgraphs["order"].runtime
    orders = OrderRepository(runtime.database)
    zone = watched.clock.now().tzinfo
    assert zone is not None
    invoices = Invoices(runtime.client, runtime.database, watched.clock, orders=orders, zone=zone)
    await invoices.issue_invoice(order["_id"])
    for format_ in ExportFormat:
        assert [part async for part in OrderExport(orders).write(format_, OrderFilter(product_id="prd_cup"))]
    assert {sent.name for sent in SENT.sent} >= {
        *("findAndModify orders", "find orders", "findAndModify invoice_counters", "update invoice_counters"),
        *("find refunds", "findAndModify refunds", "update payments", "findAndModify payments"),
    }
    assert [str(each) for each in await unindexed(mongo_client)] == []


async def test_every_look_up_is_found_by_an_index(watched: Shop, mongo_client: Client) -> None:
    order = (await watched.orders())[3]
    payment = next(row for row in await watched.payments() if row["order_id"] == order["_id"])
    SENT.clear()
    for document in (
        f'{{ order(id: "{order["_id"]}") {{ number }} }}',
        f'{{ order(number: "{order["number"]}") {{ number }} }}',
        "{ cart { itemCount } }",
    ):
        await watched.order.data(document, by=ANI)
    await watched.order.entities("... on Product { unitsSold }", [{"__typename": "Product", "id": "prd_cup"}])
    feed = 'changedOrders(since: "2027-03-01T00:00:00Z", until: "2027-03-02T00:00:00Z", first: 2'
    for buyer in ("", ', buyerId: "usr_ani"'):
        await watched.order.data(
            f"{{ {feed}{buyer}) {{ endCursor orders {{ number }} }} }}", by=service_identity("sync")
        )
    await watched.order.data('{ openOrderCount(buyerId: "usr_ani") }', by=service_identity("user"))
    payments = "query($a: String) { payments(%s first: 2, after: $a) { pageInfo { endCursor } } }"
    for filter_ in ("", "filter: {status: [PAID]},", "filter: {status: [PAID, PENDING, REFUNDED]},"):
        page = (await watched.payment.data(payments % filter_, by=STAFF))["payments"]
        await watched.payment.data(payments % filter_, {"a": page["pageInfo"]["endCursor"]}, by=STAFF)
    await watched.payment.data(f'{{ payment(id: "{payment["_id"]}") {{ refunds {{ id }} }} }}', by=ANI)
    reference = {"__typename": "Order", "id": order["_id"]}
    await watched.payment.entities("... on Order { payment { id } }", [reference], by=ORDER_SERVICE)
    assert {sent.name for sent in SENT.sent} >= {"find payments", "find orders", "find refunds", "find carts"}
    assert [str(each) for each in await unindexed(mongo_client)] == []


REPORTS = (
    'monthlyOrderTotals(from: "2027-02", to: "2027-03"{more}) {{ months {{ orderCount growth {{ revenue }} }} }}',
    'dailyOrderTotals(from: "2027-03-01", to: "2027-03-02"{more}) {{ days {{ orderCount }} }}',
    "yearlyOrderTotals(from: 2026, to: 2027{more}) {{ years {{ orderCount }} }}",
)


@pytest.mark.parametrize("is_complete", [True, False], ids=["rollup", "aggregation"])
async def test_every_report_is_read_by_an_index(watched: Shop, mongo_client: Client, is_complete: bool) -> None:
    database = watched.subgraphs["order"].runtime.database
    await watched.run_job("order", "fold_totals")
    await database["order_totals"].update_one({"_id": STATE_ID}, {"$set": {"is_complete": is_complete}})
    SENT.clear()
    for report, more in combinations(REPORTS, ("", ', productId: "prd_cup"', ', categoryId: "cat_1"')):
        await watched.order.data("{ " + report.format(more=more) + " }", by=STAFF)
    await watched.order.data('{ topProducts(month: "2027-03") { products { orderCount } } }', by=STAFF)
    found = await unindexed(mongo_client)
    # A ranking is sorted after it was summed up: no index has its order
    assert {each.stages for each in found if "sort" in each.text} <= {("SORT",)}
    assert [str(each) for each in found if "COLLSCAN" in "".join(each.stages)] == []


async def test_every_job_and_reaction_is_found_by_an_index(watched: Shop, mongo_client: Client) -> None:
    watched.clock.advance(hours=2)
    for name in ("order", "payment"):
        for job in watched.subgraphs[name].jobs:
            await job.run(watched.clock.now())
    await watched.deliver_events()
    watched.clock.advance(days=2)
    for name in ("order", "payment"):
        for job in watched.subgraphs[name].jobs:
            await job.run(watched.clock.now() + timedelta(minutes=1))
    found = await unindexed(mongo_client)
    assert [str(each) for each in found] == []
