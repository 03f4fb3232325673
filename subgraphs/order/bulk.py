"""Many orders at once, for seeds and imports of an order history: raw rows, no events.

A batch is one transaction with its sums and sold pieces, so reports and `unitsSold` are exact at any moment,
also when an import is killed halfway. Orders that are there already are left out: an import can simply be run again.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.mongo import Client, Database, Row, Session, in_transaction
from subgraphs.order.documents import AddressRow, HistoryRow, LineRow, OrderRow, ShipmentRow
from subgraphs.order.model import SALES_STATUSES, SYSTEM, OrderStatus
from subgraphs.order.repository import OrderRepository, order_to_row
from subgraphs.order.rollup_repository import RollupRepository

# A transaction of this size takes a fraction of a second and a few megabytes
BATCH = 1000


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
    repository = OrderRepository(database)
    written = 0
    batch: list[Row] = []
    for order in orders:
        batch.append(past_order_to_row(order))
        if len(batch) == BATCH:
            written += await _insert_batch(client, database, repository, batch)
            batch = []
    return written + (await _insert_batch(client, database, repository, batch) if batch else 0)


def past_order_to_row(order: PastOrder) -> Row:
    """Return the row of a past order; it counts as changed with its last move, or when it was placed."""
    subtotal = sum(line.total_amount for line in order.lines)
    is_sale = order.status in SALES_STATUSES
    return order_to_row(
        OrderRow(
            id=order.id,
            number=order.number,
            buyer_id=order.buyer_id,
            buyer_email=order.buyer_email,
            buyer_name=order.buyer_name,
            status=order.status,
            currency=order.currency,
            lines=[
                LineRow(
                    id=f"{order.id}-{number}",
                    product_id=line.product_id,
                    name=line.name,
                    sku=line.sku,
                    quantity=line.quantity,
                    unit_amount=line.unit_amount,
                    total_amount=line.total_amount,
                    category_path=list(line.category_path),
                )
                for number, line in enumerate(order.lines, start=1)
            ],
            quantity=sum(line.quantity for line in order.lines),
            subtotal_amount=subtotal,
            shipping_amount=order.shipping_amount,
            total_amount=subtotal + order.shipping_amount,
            shipping_address=order.shipping_address,
            placed_at=order.placed_at,
            updated_at=order.history[-1].at if order.history else order.paid_at or order.placed_at,
            paid_at=(order.paid_at or order.placed_at) if is_sale else None,
            shipments=list(order.shipments),
            history=list(order.history)
            or [
                HistoryRow(
                    status=order.status, at=order.placed_at, actor=SYSTEM.id, kind=SYSTEM.kind, reason="imported"
                )
            ],
            version=max(1, len(order.history)),
        )
    )


async def _insert_batch(client: Client, database: Database, repository: OrderRepository, rows: Sequence[Row]) -> int:
    orders = database["orders"]
    ids = [row["_id"] for row in rows]
    present = {row["_id"] async for row in orders.find({"_id": {"$in": ids}}, {"_id": 1})}
    # Also within the batch an id is one order
    new = list({row["_id"]: row for row in rows if row["_id"] not in present}.values())
    if not new:
        return 0
    units: Counter[str] = Counter()
    for row in new:
        if row["status"] in SALES_STATUSES:
            for line in row["lines"]:
                units[line["product_id"]] += line["quantity"]

    async def work(session: Session) -> None:
        await orders.insert_many(new, ordered=False, session=session)
        await RollupRepository(client, database).add_orders(new, session=session)
        await repository.add_units_sold(units, session=session)

    await in_transaction(client, work)
    return len(new)
