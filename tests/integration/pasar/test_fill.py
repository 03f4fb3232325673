"""Filling a store, against a real database."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from core.ids import new_id
from core.mongo import Row
from pasar.seed.fill import Filled, Plan, StoreNotEmpty, fill_store
from pasar.store import Store, open_store
from subgraphs.order.model import SALES_STATUSES
from tests.testkit.store import make_settings

PLAN = Plan(seed=3, orders=120, until=datetime(2026, 11, 1, tzinfo=UTC))
# A hash has a salt of its own, a movement an id of its own; versions are made to differ
UNREPRODUCIBLE = {
    "users": {"password_hash"},
    "movements": {"_id"},
    **{name: {"v"} for name in ("order_totals", "product_totals", "category_totals")},
}

OpenStore = Callable[[], Awaitable[Store]]


@pytest.fixture
async def open_empty_store(mongo_uri: str, tmp_path: Path) -> AsyncIterator[OpenStore]:
    """Yield a function that opens a store on databases of its own."""
    async with AsyncExitStack() as stack:

        async def open_one() -> Store:
            settings = make_settings(tmp_path, database_prefix=f"{new_id('t')}_")
            store = await stack.enter_async_context(open_store(settings, mongo_uri))
            stack.push_async_callback(_drop, store)
            await store.start()
            stack.push_async_callback(store.stop)
            return store

        yield open_one


async def _drop(store: Store) -> None:
    for name in await store.client.list_database_names():
        if name.startswith(store.settings.database_prefix):
            await store.client.drop_database(name)


async def read_everything(store: Store) -> dict[str, list[Row]]:
    """Return the rows of every collection of every subgraph, without what differs between any two stores."""
    rows: dict[str, list[Row]] = {}
    for name, subgraph in store.subgraphs.items():
        database = subgraph.runtime.database
        for collection in sorted(await database.list_collection_names()):
            hidden = dict.fromkeys(UNREPRODUCIBLE.get(collection, ()), 0)
            found = await database[collection].find({}, hidden or None).to_list()
            rows[f"{name}.{collection}"] = sorted(found, key=repr)
    return rows


async def test_a_filled_store_is_consistent(open_empty_store: OpenStore) -> None:
    store = await open_empty_store()
    steps: list[tuple[str, int, int]] = []
    filled = await fill_store(store, PLAN, report=lambda *step: steps.append(step))
    assert steps == [("orders", 120, 120), ("products", 211, 211), ("users", 52, 52)]
    rows = await read_everything(store)
    orders, payments = rows["order.orders"], rows["payment.payments"]
    assert (len(orders), len(payments), len(rows["user.users"]), len(rows["product.products"])) == (120, 120, 52, 211)
    assert {order["buyer_id"] for order in orders} <= {user["_id"] for user in rows["user.users"]}
    assert {line["product_id"] for order in orders for line in order["lines"]} <= {
        product["_id"] for product in rows["product.products"]
    }
    assert {row["_id"] for row in rows["inventory.stock_levels"]} == {
        product["_id"] for product in rows["product.products"]
    }
    assert {(row["order_id"], row["amount"]) for row in payments} == {
        (order["_id"], order["total_amount"]) for order in orders
    }
    sales = [order for order in orders if order["status"] in SALES_STATUSES]
    assert filled.sales.amount == sum(order["total_amount"] for order in sales)
    assert sum(row["units"] for row in rows["order.product_sales"]) == sum(order["quantity"] for order in sales)
    # History is not news: nobody is sent a mail about it, and no stock moves
    assert all(rows[f"{name}.outbox"] == [] for name in store.subgraphs if f"{name}.outbox" in rows)


async def test_the_same_number_fills_two_stores_alike(open_empty_store: OpenStore) -> None:
    first, second = await open_empty_store(), await open_empty_store()
    assert await fill_store(first, PLAN) == await fill_store(second, PLAN)
    assert await read_everything(first) == await read_everything(second)


async def test_a_store_with_users_is_left_alone(open_empty_store: OpenStore) -> None:
    store = await open_empty_store()
    await fill_store(store, PLAN)
    before = await read_everything(store)
    with pytest.raises(StoreNotEmpty, match="there are users or products already"):
        await fill_store(store, Plan(seed=4, orders=10, until=PLAN.until))
    assert await read_everything(store) == before


@pytest.mark.parametrize("interrupted_after", ["orders", "products"])
async def test_an_interrupted_run_can_be_run_again(open_empty_store: OpenStore, interrupted_after: str) -> None:
    class Interrupted(Exception):
        pass

    def interrupt(what: str, *_: Any) -> None:
        if what == interrupted_after:
            raise Interrupted

    store, undisturbed = await open_empty_store(), await open_empty_store()
    with pytest.raises(Interrupted):
        await fill_store(store, PLAN, report=interrupt)
    expected: Filled = await fill_store(undisturbed, PLAN)
    assert await fill_store(store, PLAN) == expected
    assert await read_everything(store) == await read_everything(undisturbed)
