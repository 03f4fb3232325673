"""The collections of the stock and their indexes."""

from datetime import datetime
from typing import ClassVar

from beanie import Document
from pydantic import BaseModel
from pymongo import ASCENDING, DESCENDING, IndexModel

from subgraphs.inventory.model import MovementKind, ReservationStatus


class StoredShelf(BaseModel):
    """The counters of one product in one warehouse."""

    on_hand: int
    reserved: int
    available: int


class StockDocument(Document):
    """The counters of one product, whose id is its own. `available` is stored: it is what guards a reservation.

    `warehouses` is by warehouse id. Totals and warehouses are one row, so that one guarded update moves them all.
    """

    id: str  # type: ignore[assignment]  # Beanie expects an ObjectId; ours are texts
    on_hand: int
    reserved: int
    available: int
    warehouses: dict[str, StoredShelf]
    backorder_limit: int
    # Absent where nobody has set one
    low_stock_threshold: int | None
    is_low: bool
    updated_at: datetime

    class Settings:
        """Where it is kept."""

        name = "stock_levels"
        indexes: ClassVar = [IndexModel([("available", ASCENDING), ("_id", ASCENDING)], name="by_available")]


class StoredPick(BaseModel):
    """Pieces of one product in one warehouse; those from before there were several are in the main one."""

    product_id: str
    quantity: int
    warehouse_id: str | None


class ReservationDocument(Document):
    """What an order was promised; its id is the order's."""

    id: str  # type: ignore[assignment]
    lines: list[StoredPick]
    status: ReservationStatus
    expires_at: datetime
    created_at: datetime
    updated_at: datetime

    class Settings:
        """Where it is kept."""

        name = "reservations"
        indexes: ClassVar = [
            IndexModel(
                "expires_at", partialFilterExpression={"status": ReservationStatus.HELD.value}, name="held_by_expiry"
            ),
            IndexModel(
                [("lines.product_id", ASCENDING), ("expires_at", ASCENDING)],
                partialFilterExpression={"status": ReservationStatus.HELD.value},
                name="held_by_product",
            ),
        ]


class MovementDocument(Document):
    """One change of one product's counters. The sums over all of a product's movements are its counters."""

    id: str  # type: ignore[assignment]
    product_id: str
    kind: MovementKind
    on_hand: int
    reserved: int
    order_id: str | None
    reason: str | None
    by: str | None
    idempotency_key: str | None
    at: datetime
    # None in rows from before there were several: the main one
    warehouse_id: str | None
    # Of a transfer: the other one
    counterpart_id: str | None

    class Settings:
        """Where it is kept."""

        name = "movements"
        indexes: ClassVar = [
            IndexModel([("product_id", ASCENDING), ("_id", ASCENDING)], name="by_product"),
            IndexModel("order_id", partialFilterExpression={"order_id": {"$type": "string"}}, name="by_order"),
            IndexModel(
                "idempotency_key",
                unique=True,
                partialFilterExpression={"idempotency_key": {"$type": "string"}},
                name="idempotency_key",
            ),
        ]


class WarehouseDocument(Document):
    """A place that stock is in."""

    id: str  # type: ignore[assignment]
    code: str
    name: str
    priority: int
    created_at: datetime

    class Settings:
        """Where it is kept."""

        name = "warehouses"
        indexes: ClassVar = [
            IndexModel("code", unique=True, name="code"),
            IndexModel([("priority", ASCENDING), ("_id", ASCENDING)], name="by_priority"),
        ]


class AlertDocument(Document):
    """A time that a product has run low, until it is above its threshold again."""

    id: str  # type: ignore[assignment]
    product_id: str
    threshold: int
    available: int
    at: datetime
    ended_at: datetime | None

    class Settings:
        """Where it is kept."""

        name = "stock_alerts"
        indexes: ClassVar = [
            IndexModel([("ended_at", ASCENDING), ("_id", DESCENDING)], name="open"),
            IndexModel([("product_id", ASCENDING), ("ended_at", ASCENDING)], name="by_product"),
            # Those that have ended are of no use after a year
            IndexModel("at", expireAfterSeconds=366 * 86400, partialFilterExpression={"ended_at": {"$type": "date"}}),
        ]


class WaitDocument(Document):
    """A user who waits for a product."""

    id: str  # type: ignore[assignment]
    product_id: str
    user_id: str
    created_at: datetime

    class Settings:
        """Where it is kept."""

        name = "stock_waits"
        indexes: ClassVar = [
            IndexModel("product_id", name="by_product"),
            IndexModel([("user_id", ASCENDING), ("created_at", DESCENDING), ("_id", ASCENDING)], name="by_user"),
        ]


class ReturnDocument(Document):
    """A product that is available again; those who wait for it are still to be told. Its id is the product's."""

    id: str  # type: ignore[assignment]
    at: datetime

    class Settings:
        """Where it is kept."""

        name = "stock_returns"
        indexes: ClassVar = [IndexModel([("at", ASCENDING), ("_id", ASCENDING)], name="by_time")]


DOCUMENTS: tuple[type[Document], ...] = (
    StockDocument,
    ReservationDocument,
    MovementDocument,
    WarehouseDocument,
    AlertDocument,
    WaitDocument,
    ReturnDocument,
)
