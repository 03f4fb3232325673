"""What the subgraph stores, and the indexes that its queries need. Amounts are minor units."""

from datetime import datetime
from typing import ClassVar

from beanie import Document
from pydantic import BaseModel, Field
from pymongo import ASCENDING, DESCENDING, IndexModel

from subgraphs.payment.model import PaymentStatus, RefundStatus


class PaymentLineRow(BaseModel):
    """A line that the pay page shows."""

    name: str
    quantity: int
    unit_amount: int


class PaymentHistoryRow(BaseModel):
    """One move of a payment."""

    status: PaymentStatus
    at: datetime
    gateway_status: str | None = None


class PaymentRow(BaseModel):
    """The payment of one order.

    *reference* is what the gateway calls it; *references* are all that it was ever called. *token* and *pay_url* are
    there once the gateway has opened it. *check_due_at* is there as long as the gateway has to be asked about it.
    *refund_amount* is asked back, *refunded_amount* of it was sent: at most *captured_amount*.
    """

    id: str
    order_id: str
    order_number: str
    buyer_id: str
    buyer_email: str | None = None
    buyer_name: str | None = None
    status: PaymentStatus
    amount: int
    currency: str
    lines: list[PaymentLineRow]
    gateway: str
    reference: str
    references: list[str]
    token: str | None = None
    pay_url: str | None = None
    created_at: datetime
    updated_at: datetime
    expires_at: datetime
    paid_at: datetime | None = None
    captured_amount: int | None = None
    refund_amount: int | None = None
    refunded_amount: int | None = None
    gateway_status: str | None = None
    stop_requested: bool = False
    check_due_at: datetime | None = None
    checks: int = 0
    history: list[PaymentHistoryRow] = Field(default_factory=list)


class PaymentDocument(PaymentRow, Document):
    """The collection of payments."""

    class Settings:
        """Beanie's settings."""

        name = "payments"
        indexes: ClassVar = [
            # One payment per order, whoever asks how often
            IndexModel([("order_id", ASCENDING)], name="order", unique=True),
            IndexModel([("references", ASCENDING)], name="reference", unique=True),
            # For the day on which the buyer wants to be forgotten
            IndexModel([("buyer_id", ASCENDING)], name="buyer"),
            IndexModel([("created_at", DESCENDING), ("_id", DESCENDING)], name="newest"),
            IndexModel([("status", ASCENDING), ("created_at", DESCENDING), ("_id", DESCENDING)], name="status"),
            IndexModel(
                [("check_due_at", ASCENDING)],
                name="check_due",
                partialFilterExpression={"check_due_at": {"$exists": True}},
            ),
        ]


class RefundDocument(Document):
    """Money that goes back; its id is the key by which the gateway knows it.

    *due_at* is there while it is to be carried out and somebody still tries.
    """

    id: str  # type: ignore[assignment]  # Beanie expects an ObjectId
    payment_id: str
    idempotency_key: str
    amount: int
    reason: str
    requested_by: str
    requested_at: datetime
    status: RefundStatus
    attempts: int = 0
    due_at: datetime | None = None
    finished_at: datetime | None = None
    failure: str | None = None

    class Settings:
        """Beanie's settings."""

        name = "refunds"
        indexes: ClassVar = [
            IndexModel([("payment_id", ASCENDING), ("idempotency_key", ASCENDING)], name="key", unique=True),
            IndexModel([("due_at", ASCENDING)], name="due", partialFilterExpression={"due_at": {"$exists": True}}),
        ]


class ClosedOrderDocument(Document):
    """An order that must not be paid any more, also by a payment that somebody is about to open; its id is the order's.

    Whoever opens writes the payment and then looks here; whoever closes writes here and then looks for the payment:
    one of them sees the other.
    """

    id: str  # type: ignore[assignment]  # Beanie expects an ObjectId
    at: datetime

    class Settings:
        """Beanie's settings."""

        name = "closed_orders"


class NotificationDocument(Document):
    """A gateway's notification that was acted on; its id is a hash of what it said."""

    id: str  # type: ignore[assignment]  # Beanie expects an ObjectId
    payment_id: str
    at: datetime

    class Settings:
        """Beanie's settings."""

        name = "notifications"
        # Gateways repeat themselves for hours; after a month even a late copy is harmless, the status is asked anyway
        indexes: ClassVar = [IndexModel([("at", ASCENDING)], name="at", expireAfterSeconds=30 * 86_400)]


class MailDocument(Document):
    """Mail to be sent; its id is that of the event that it tells of. *due_at* is there until it is sent."""

    id: str  # type: ignore[assignment]  # Beanie expects an ObjectId
    to: str
    subject: str
    text: str
    due_at: datetime | None = None
    attempts: int = 0
    sent_at: datetime | None = None

    class Settings:
        """Beanie's settings."""

        name = "mails"
        indexes: ClassVar = [
            IndexModel([("due_at", ASCENDING)], name="due", partialFilterExpression={"due_at": {"$exists": True}}),
            IndexModel([("sent_at", ASCENDING)], name="sent", expireAfterSeconds=30 * 86_400),
        ]


DOCUMENTS: tuple[type[Document], ...] = (
    PaymentDocument,
    RefundDocument,
    ClosedOrderDocument,
    NotificationDocument,
    MailDocument,
)
