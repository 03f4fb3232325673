"""Many orders at once, for seeds and imports of an order history: raw rows, no events.

Into a store that may be in use (`insert_orders`) a batch is one transaction with its sums and sold pieces, so reports
and `unitsSold` are exact at any moment, also when an import is killed halfway. Orders that are there already are left
out: an import can simply be run again.

A history that is loaded into an empty collection, which nobody else reads yet, needs none of this: its sums are written
once, at the end (`write_sums`).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from pymongo import UpdateOne

from core.events import OUTBOX
from core.mongo import Client, Database, Row, Session, in_transaction
from subgraphs.order.documents import AddressRow, HistoryRow, ShipmentRow
from subgraphs.order.model import SALES_STATUSES, SYSTEM, OrderStatus
from subgraphs.order.past_sums import PastSums, sum_up
from subgraphs.order.rollup import CHANGE, increments_of
from subgraphs.order.rollup_repository import COLLECTIONS, STATE_ID, TOTALS, RollupRepository, new_rows

ORDERS = "orders"
SALES = "product_sales"
# A transaction of this size takes a fraction of a second and a few megabytes
BATCH = 1000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PastLine:
    """A line of a past order. *total_amount* may differ from price times quantity: histories round as they please.

    *category_path* has the ids of the categories in which the product stood, from the top down.
    """

    product_id: str
    name: str
    sku: str
    quantity: int
    unit_amount: int
    total_amount: int
    category_path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PastOrder:
    """An order as a history has it. Give the same *id* and *number* again and it is the same order.

    *history* are its moves, oldest first; empty where the history knows only how each order ended.
    """

    id: str
    number: str
    buyer_id: str
    currency: str
    lines: tuple[PastLine, ...]
    placed_at: datetime
    status: OrderStatus = OrderStatus.DELIVERED
    paid_at: datetime | None = None
    shipping_amount: int = 0
    buyer_email: str | None = None
    buyer_name: str | None = None
    shipping_address: AddressRow | None = None
    shipments: tuple[ShipmentRow, ...] = ()
    history: tuple[HistoryRow, ...] = ()


async def insert_orders(client: Client, database: Database, orders: Iterable[PastOrder]) -> int:
    """Insert *orders* and return how many were new. The subgraph must have been started once: it makes the indexes.

    Raises:
        BulkWriteError: a number belongs to another order; its batch is not written.
    """
    return await insert_rows(client, database, (past_order_to_row(order) for order in orders))


async def insert_rows(client: Client, database: Database, rows: Iterable[Row]) -> int:
    """Do as `insert_orders` does with rows as documents.OrderRow describes them."""
    written = 0
    for batch in batches_of(rows, BATCH):
        written += await _insert_batch(client, database, batch)
    return written


def batches_of(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield *rows* in lists of *size*, of which the last may be shorter."""
    iterator = iter(rows)
    while batch := list(islice(iterator, size)):
        yield batch


def past_order_to_row(order: PastOrder) -> Row:
    """Return the row of a past order; it counts as changed with its last move, or when it was placed.

    Without the fields that are None, as repository.order_to_row, which through its models takes ten times as long.
    """
    subtotal = sum(line.total_amount for line in order.lines)
    is_sale = order.status in SALES_STATUSES
    optional: dict[str, Any] = {
        "buyer_email": order.buyer_email,
        "buyer_name": order.buyer_name,
        "shipping_address": _without_none(order.shipping_address.model_dump()) if order.shipping_address else None,
        "paid_at": (order.paid_at or order.placed_at) if is_sale else None,
    }
    history = [
        {**entry.model_dump(exclude_none=True), "status": entry.status.value, "kind": entry.kind.value}
        for entry in order.history
    ]
    return {
        "_id": order.id,
        "number": order.number,
        "buyer_id": order.buyer_id,
        "status": order.status.value,
        "currency": order.currency,
        "lines": [
            {
                "id": f"{order.id}-{number}",
                "product_id": line.product_id,
                "name": line.name,
                "sku": line.sku,
                "quantity": line.quantity,
                "unit_amount": line.unit_amount,
                "total_amount": line.total_amount,
                **({"category_path": list(line.category_path)} if line.category_path else {}),
            }
            for number, line in enumerate(order.lines, start=1)
        ],
        "quantity": sum(line.quantity for line in order.lines),
        "subtotal_amount": subtotal,
        "shipping_amount": order.shipping_amount,
        "total_amount": subtotal + order.shipping_amount,
        "placed_at": order.placed_at,
        "updated_at": order.history[-1].at if order.history else order.paid_at or order.placed_at,
        **_without_none(optional),
        "shipments": [shipment.model_dump(exclude_none=True) for shipment in order.shipments],
        "history": history
        or [
            {
                "status": order.status.value,
                "at": order.placed_at,
                "actor": SYSTEM.id,
                "kind": SYSTEM.kind.value,
                "reason": "imported",
            }
        ],
        "version": max(1, len(history)),
    }


def _without_none(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


async def _insert_batch(client: Client, database: Database, rows: Sequence[Row]) -> int:
    orders = database[ORDERS]
    ids = [row["_id"] for row in rows]
    present = {row["_id"] async for row in orders.find({"_id": {"$in": ids}}, {"_id": 1})}
    # Also within the batch an id is one order
    new = list({row["_id"]: row for row in rows if row["_id"] not in present}.values())
    if not new:
        return 0
    sums = sum_up(new)
    units = [
        UpdateOne({"_id": product_id}, {"$inc": {"units": count}}, upsert=True)
        for product_id, count in sorted(sums.units_sold().items())
    ]

    async def work(session: Session) -> None:
        await orders.insert_many(new, ordered=False, session=session)
        await RollupRepository(client, database).add_changes(sums.changes(), session=session)
        if units:
            await database[SALES].bulk_write(units, ordered=False, session=session)

    await in_transaction(client, work)
    return len(new)


async def has_orders(database: Database) -> bool:
    """Tell whether there is an order, or what an order leaves behind."""
    unfolded = {CHANGE: {"$exists": True}}
    for name, query in ((ORDERS, {}), (OUTBOX, unfolded), (SALES, {}), (TOTALS, {"_id": {"$ne": STATE_ID}})):
        if await database[name].find_one(query, {"_id": 1}) is not None:
            return True
    return False


async def write_sums(database: Database, sums: PastSums) -> None:
    """Make reports and sold pieces those of *sums*, which are all the orders there are.

    Nobody else may write meanwhile. Safe to repeat when it was cut short: until the last write the rollup counts as
    incomplete, and is not read.
    """
    begun = {"$set": {"is_complete": False, "next_day": None}}
    await database[TOTALS].update_one({"_id": STATE_ID}, begun, upsert=True)
    increments = increments_of(sums.changes())
    units = [{"_id": product_id, "units": count} for product_id, count in sorted(sums.units_sold().items())]
    totals = ((COLLECTIONS[layer], new_rows(added)) for layer, added in increments.items())
    for name, rows in (*totals, (SALES, units)):
        await database[name].delete_many({"_id": {"$ne": STATE_ID}})
        for batch in batches_of(rows, 5000):
            await database[name].insert_many(batch, ordered=False)
    await database[TOTALS].update_one({"_id": STATE_ID}, {"$set": {"is_complete": True}})
