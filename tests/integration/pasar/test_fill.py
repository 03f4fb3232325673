"""Filling a store, against a real database."""

from datetime import UTC, datetime
from typing import Any

import pytest

from pasar.seed.fill import StoreNotEmpty, fill_store
from pasar.seed.plan import Filled, Plan
from pasar.seed.rows import user_row
from subgraphs.order.model import SALES_STATUSES
from subgraphs.user.documents import UserDocument
from tests.integration.pasar.conftest import OpenStore
from tests.testkit.contents import read_everything

PLAN = Plan(seed=3, orders=120, until=datetime(2026, 11, 1, tzinfo=UTC))


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
    account = user_row(filled.people[2], "$argon2id$")
    assert UserDocument.model_validate(account).model_dump(by_alias=True, exclude={"revision_id"}) == account
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
