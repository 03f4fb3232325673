"""The collections of the stock and their indexes."""

from datetime import datetime
from typing import ClassVar

from beanie import Document
from pydantic import BaseModel
from pymongo import ASCENDING, IndexModel

from subgraphs.inventory.model import MovementKind, ReservationStatus


class StockDocument(Document):
    """The counters of one product, whose id is its own. `available` is stored: it is what guards a reservation."""

    id: str  # type: ignore[assignment]  # Beanie expects an ObjectId; ours are texts
    on_hand: int
    reserved: int
    available: int
    updated_at: datetime

    class Settings:
        """Where it is kept."""

        name = "stock_levels"
        indexes: ClassVar = [IndexModel([("available", ASCENDING), ("_id", ASCENDING)], name="by_available")]


class StoredLine(BaseModel):
    """Pieces of one product."""

    product_id: str
    quantity: int


class ReservationDocument(Document):
    """What an order was promised; its id is the order's."""

    id: str  # type: ignore[assignment]
    lines: list[StoredLine]
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


DOCUMENTS: tuple[type[Document], ...] = (StockDocument, ReservationDocument, MovementDocument)
