"""A shop without a store around it: the rows that one checkout has left behind, written again under other names.

The same rows, into collections with the same indexes, in the same transactions and acknowledged by the same majority,
and no more reads than a shop cannot do without. Nothing is checked, and nothing would find its way after a crash.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from core.mongo import Client, Row, Session, in_transaction


@dataclass(frozen=True, slots=True)
class Rows:
    """What one checkout has written, by subgraph and collection."""

    checkout: Row
    order: Row
    events: Sequence[Row]
    reservation: Row
    movements: Sequence[Row]
    payment: Row
    gateway: Row
    gateway_answer: Row


async def read_rows(client: Client, prefix: str, order_id: str) -> Rows:
    """Return what the checkout of an order has written."""
    order_db, payment_db = client[f"{prefix}order"], client[f"{prefix}payment"]
    order = await order_db["orders"].find_one({"_id": order_id})
    assert order is not None

    async def one(collection: Any, **query: Any) -> Row:
        row: Row | None = await collection.find_one(query)
        assert row is not None, (collection.name, query)
        return row

    payment = await one(payment_db["payments"], order_id=order_id)
    number = order["number"]
    sandbox = client[f"{prefix}sandbox"]
    gateway = await one(sandbox["sandbox_transactions"], order_id=number)
    inventory = client[f"{prefix}inventory"]
    about_it = {"$or": [{"subject": order_id}, {"_id": {"$regex": order_id}}]}
    return Rows(
        checkout=await one(order_db["checkouts"], _id=order_id),
        order=order,
        events=await order_db["outbox"].find(about_it).to_list(),
        reservation=await one(inventory["reservations"], _id=order_id),
        movements=await inventory["movements"].find({"order_id": order_id}).to_list(),
        payment=payment,
        gateway=gateway,
        gateway_answer={
            "answer": {"token": gateway["_id"], "redirect_url": payment["pay_url"]},
            "at": gateway["created_at"],
        },
    )


class BareShop:
    """Writes *rows* again and again. Mutable: it counts."""

    def __init__(self, client: Client, prefix: str, rows: Rows) -> None:
        self._client = client
        self._order = client[f"{prefix}order"]
        self._inventory = client[f"{prefix}inventory"]
        self._payment = client[f"{prefix}payment"]
        self._sandbox = client[f"{prefix}sandbox"]
        self._rows = rows
        self._number = 0

    async def check_out(self) -> None:
        """Write what a checkout writes."""
        self._number += 1
        rows, mark = self._rows, f"{self._number:08}"
        checkout = _renamed(rows.checkout, mark)
        order_id = checkout["_id"]
        await self._order["checkouts"].insert_one({**checkout, "state": "QUOTED"})
        await (
            self._inventory["stock_levels"].find({"_id": {"$in": [m["product_id"] for m in rows.movements]}}).to_list()
        )
        await in_transaction(self._client, lambda session: self._reserve(session, mark))
        await in_transaction(self._client, lambda session: self._place(session, order_id, mark))
        payment = _renamed(rows.payment, mark)
        await self._payment["payments"].insert_one(payment)
        await self._sandbox["sandbox_transactions"].insert_one(_renamed(rows.gateway, mark))
        await self._sandbox["sandbox_idempotency"].insert_one(_renamed(rows.gateway_answer, mark))
        await self._payment["payments"].update_one({"_id": payment["_id"]}, {"$set": {"token": mark}})
        await self._order["checkouts"].update_one({"_id": order_id}, {"$set": {"state": "OPENED"}})

    async def _reserve(self, session: Session, mark: str) -> None:
        rows = self._rows
        await self._inventory["reservations"].insert_one(_renamed(rows.reservation, mark), session=session)
        movements = [_renamed(row, mark) for row in rows.movements]
        await self._inventory["movements"].insert_many(movements, session=session)
        for row in rows.movements:
            moved = {"reserved": row["reserved"], "available": -row["reserved"]}
            await self._inventory["stock_levels"].update_one(
                {"_id": row["product_id"], "available": {"$gte": row["reserved"]}}, {"$inc": moved}, session=session
            )

    async def _place(self, session: Session, order_id: str, mark: str) -> None:
        rows = self._rows
        await self._order["checkouts"].update_one({"_id": order_id}, {"$set": {"state": "PLACED"}}, session=session)
        await self._order["carts"].update_one(
            {"_id": order_id}, {"$set": {"lines": []}, "$inc": {"version": 1}}, upsert=True, session=session
        )
        await self._order["orders"].insert_one(_renamed(rows.order, mark), session=session)
        await self._order["outbox"].insert_many([_renamed(row, mark) for row in rows.events], session=session)


# What is unique, or names a row that is
_NAMES = frozenset({"_id", "id", "number", "reference", "references", "subject", "token", "pay_url"}).union(
    ["order_id", "order_number", "transaction_id", "idempotency_key"]
)


def _renamed(value: Any, mark: str, *, is_name: bool = False) -> Any:
    """Return *value* with *mark* put behind what must not be there twice."""
    match value:
        case Mapping():
            return {key: _renamed(each, mark, is_name=key in _NAMES) for key, each in value.items()}
        case list():
            return [_renamed(each, mark, is_name=is_name) for each in value]
        case str() if is_name:
            return f"{value}-{mark}"
    return value


async def run_at_a_time(work: Callable[[], Awaitable[None]], count: int, at_a_time: int) -> float:
    """Do *work* *count* times, so many at a time; return how many were done a second."""
    left = iter(range(count))

    async def go_on() -> None:
        for _ in left:
            await work()

    begun_s = time.perf_counter()
    await asyncio.gather(*(go_on() for _ in range(at_a_time)))
    return count / (time.perf_counter() - begun_s)


async def run_at_rate(work: Callable[[], Awaitable[None]], count: int, rate: float) -> list[float]:
    """Do *work* *count* times at random moments, *rate* a second; return the milliseconds from when each was due."""
    random, taken_ms = Random(11), []

    async def timed(due_s: float) -> None:
        await work()
        taken_ms.append((time.perf_counter() - due_s) * 1000)

    due_s = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(count):
            due_s += random.expovariate(rate)
            await asyncio.sleep(max(0.0, due_s - time.perf_counter()))
            group.create_task(timed(due_s))
    return sorted(taken_ms)


async def read_page(client: Client, prefix: str, slug: str) -> None:
    """Read what a product page shows: the product, its category, eleven of that and the stock of all."""
    products = client[f"{prefix}product"]
    product = await products["products"].find_one({"slug": slug})
    assert product is not None
    await products["categories"].find_one({"_id": product["category_id"]})
    query = {"filter_keys": f"c:{product['category_id']}", "list_status": "ACTIVE"}
    related = await products["products"].find(query).sort([("created_at", -1), ("_id", -1)]).limit(11).to_list()
    ids = [product["_id"], *(row["_id"] for row in related)]
    await client[f"{prefix}inventory"]["stock_levels"].find({"_id": {"$in": ids}}).to_list()
