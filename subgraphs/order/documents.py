"""What the subgraph stores, and the indexes that its queries need.

Amounts are minor units of the order's one currency. Lists read raw rows (repository.py); these classes say what is in
them.
"""

from datetime import datetime
from typing import ClassVar, Literal, TypeAlias

from beanie import Document
from pydantic import BaseModel, Field
from pymongo import ASCENDING, DESCENDING, IndexModel

from subgraphs.order.fulfilment import ReturnStatus
from subgraphs.order.model import ActorKind, Attention, HistoryEvent, OrderStatus
from subgraphs.order.pricing_documents import PRICING_DOCUMENTS, AppliedDiscountRow, ShippingMethodRow, TaxRow

# The reports' index holds all that they read: no order is fetched
REPORT_INDEX = "report"
# In the order of lists, too: reports only need its first two fields
PRODUCT_INDEX = "product_newest"
NEWEST_INDEX = "newest"


class LineRow(BaseModel):
    """A line of an order."""

    id: str
    product_id: str
    name: str
    sku: str
    quantity: int
    unit_amount: int
    total_amount: int
    # The ids of its product's category and of those above when it was ordered, from the top down; empty without one
    category_path: list[str] = Field(default_factory=list)
    # What discounts took off: total_amount = unit_amount * quantity - discount_amount
    discount_amount: int | None = None
    # In total_amount or on top of it, as the order's tax says
    tax_amount: int | None = None


class AddressRow(BaseModel):
    """Where the parcel goes."""

    recipient: str
    phone: str | None = None
    line1: str
    line2: str | None = None
    city: str
    region: str | None = None
    postal_code: str
    country: str


class TrackingEventRow(BaseModel):
    """What a carrier reported."""

    at: datetime
    status: str
    location: str | None = None


class PiecesRow(BaseModel):
    """Some pieces of a line."""

    line_id: str
    quantity: int


class ShipmentRow(BaseModel):
    """A parcel on its way. Without *lines*, as parcels were before there could be several, it has the whole order."""

    id: str
    carrier: str
    tracking_number: str
    shipped_at: datetime
    delivered_at: datetime | None = None
    events: list[TrackingEventRow] = Field(default_factory=list)
    lines: list[PiecesRow] | None = None


class ReturnRow(BaseModel):
    """Pieces that come back (returns.py). *reason* is the requester's; *decided_by* the store's."""

    id: str
    status: ReturnStatus
    lines: list[PiecesRow]
    reason: str
    requested_at: datetime
    requested_by: str
    kind: ActorKind
    decided_at: datetime | None = None
    received_at: datetime | None = None
    is_restocked: bool | None = None


class RefundRow(BaseModel):
    """Money that was sent back, as the payment subgraph has told; its id is the payment's refund."""

    id: str
    amount: int
    reason: str
    at: datetime


class StaffNoteRow(BaseModel):
    """What somebody of the store noted, for the store."""

    id: str
    at: datetime
    author: str
    text: str


class HistoryRow(BaseModel):
    """One move of an order, or what happened to the parcel, return or refund *subject*: by whom, and why."""

    status: OrderStatus
    at: datetime
    actor: str
    kind: ActorKind
    reason: str | None = None
    event: HistoryEvent | None = None
    subject: str | None = None


class CancelRequestRow(BaseModel):
    """Who asked to cancel, written before the payment is stopped: its end may be heard of before we come back."""

    actor: str
    kind: ActorKind
    reason: str | None = None


class OrderRow(BaseModel):
    """An order. *attention* tells why a person must look at it; *expire_due_at* is there only while it is unpaid.

    total_amount = subtotal_amount - discount_amount + shipping_amount + what of tax_amount is not in the prices;
    subtotal_amount is before discounts, shipping_amount before those on shipping. What is absent is nothing.
    """

    id: str
    number: str
    buyer_id: str
    buyer_email: str | None = None
    buyer_name: str | None = None
    # Since when nobody is behind buyer_id any more (erased_buyers.py)
    buyer_erased_at: datetime | None = None
    status: OrderStatus
    currency: str
    lines: list[LineRow]
    quantity: int
    subtotal_amount: int
    shipping_amount: int
    total_amount: int
    discount_amount: int | None = None
    tax_amount: int | None = None
    discounts: list[AppliedDiscountRow] | None = None
    shipping_method: ShippingMethodRow | None = None
    tax: TaxRow | None = None
    shipping_address: AddressRow | None = None
    note: str | None = None
    placed_at: datetime
    updated_at: datetime
    paid_at: datetime | None = None
    expires_at: datetime | None = None
    expire_due_at: datetime | None = None
    cancel_request: CancelRequestRow | None = None
    attention: Attention | None = None
    shipments: list[ShipmentRow] = Field(default_factory=list)
    history: list[HistoryRow] = Field(default_factory=list)
    # What only few orders have is not there in the others
    returns: list[ReturnRow] | None = None
    refunds: list[RefundRow] | None = None
    refunded_amount: int | None = None
    staff_notes: list[StaffNoteRow] | None = None
    invoice_number: str | None = None
    invoiced_at: datetime | None = None
    version: int = 1


class OrderDocument(OrderRow, Document):
    """The collection of orders."""

    class Settings:
        """Beanie's settings."""

        name = "orders"
        indexes: ClassVar = [
            IndexModel([("number", ASCENDING)], name="number", unique=True),
            IndexModel([("buyer_id", ASCENDING), ("placed_at", DESCENDING), ("_id", DESCENDING)], name="buyer"),
            IndexModel([("placed_at", DESCENDING), ("_id", DESCENDING)], name=NEWEST_INDEX),
            IndexModel([("status", ASCENDING), ("placed_at", DESCENDING), ("_id", DESCENDING)], name="status"),
            IndexModel([("updated_at", ASCENDING), ("_id", ASCENDING)], name="changed"),
            IndexModel(
                [("buyer_id", ASCENDING), ("updated_at", ASCENDING), ("_id", ASCENDING)], name="changed_of_buyer"
            ),
            IndexModel(
                [
                    ("currency", ASCENDING),
                    ("status", ASCENDING),
                    ("placed_at", ASCENDING),
                    ("quantity", ASCENDING),
                    ("total_amount", ASCENDING),
                ],
                name=REPORT_INDEX,
            ),
            IndexModel(
                [("lines.product_id", ASCENDING), ("placed_at", DESCENDING), ("_id", DESCENDING)], name=PRODUCT_INDEX
            ),
            # Only unpaid orders, and only troubled ones, have these fields: small indexes however long the history
            IndexModel(
                [("expire_due_at", ASCENDING)],
                name="expire_due",
                partialFilterExpression={"expire_due_at": {"$exists": True}},
            ),
            # Its last field only tells it from "newest": Beanie makes one index per list of fields
            IndexModel(
                [("placed_at", DESCENDING), ("_id", DESCENDING), ("attention", ASCENDING)],
                name="attention",
                partialFilterExpression={"attention": {"$exists": True}},
            ),
        ]


class CartLineRow(BaseModel):
    """Some pieces of a product, and what one cost when the line was last changed."""

    product_id: str
    quantity: int
    seen_amount: int | None = None
    seen_currency: str | None = None


class CartDocument(Document):
    """A cart; its id follows from its owner's (carts.cart_id), or from the hash of a guest's token.

    *abandon_due_at* is when it counts as abandoned, there only while something is in it and nothing was announced.
    *expires_at* is there for guests' carts only.
    """

    id: str  # type: ignore[assignment]  # Beanie expects an ObjectId
    owner_id: str | None = None
    lines: list[CartLineRow]
    codes: list[str] = Field(default_factory=list)
    version: int
    updated_at: datetime
    abandon_due_at: datetime | None = None
    expires_at: datetime | None = None

    class Settings:
        """Beanie's settings."""

        name = "carts"
        indexes: ClassVar = [
            IndexModel([("expires_at", ASCENDING)], name="expires_at", expireAfterSeconds=0),
            IndexModel(
                [("abandon_due_at", ASCENDING)],
                name="abandoned",
                partialFilterExpression={"abandon_due_at": {"$exists": True}},
            ),
        ]


CheckoutState: TypeAlias = Literal["QUOTED", "RESERVED", "PLACED", "RELEASING", "OPENED", "REFUSED"]


class CheckoutDocument(Document):
    """A checkout: its id is the id of the order that it makes. *due_at* is there only while it is unfinished."""

    id: str  # type: ignore[assignment]  # Beanie expects an ObjectId
    buyer_id: str
    idempotency_key: str
    fingerprint: str
    state: CheckoutState
    created_at: datetime
    updated_at: datetime
    expires_at: datetime
    due_at: datetime | None = None
    attempts: int = 0

    class Settings:
        """Beanie's settings."""

        name = "checkouts"
        indexes: ClassVar = [
            IndexModel([("buyer_id", ASCENDING), ("idempotency_key", ASCENDING)], name="key", unique=True),
            IndexModel([("due_at", ASCENDING)], name="due", partialFilterExpression={"due_at": {"$exists": True}}),
        ]


class ErasedBuyerDocument(Document):
    """A buyer whose account was erased; the id is the buyer's. *due_at* is when the job looks at the orders next."""

    id: str  # type: ignore[assignment]  # Beanie expects an ObjectId
    at: datetime
    due_at: datetime

    class Settings:
        """Beanie's settings."""

        name = "erased_buyers"
        indexes: ClassVar = [IndexModel([("due_at", ASCENDING)], name="due")]


class InvoiceCounterDocument(Document):
    """The last number of a year's invoices; its id is the year."""

    id: str  # type: ignore[assignment]  # Beanie expects an ObjectId
    last: int

    class Settings:
        """Beanie's settings."""

        name = "invoice_counters"


class ProductSalesDocument(Document):
    """How many paid pieces of a product there are; its id is the product's. Written with the order that changes it."""

    id: str  # type: ignore[assignment]  # Beanie expects an ObjectId
    units: int

    class Settings:
        """Beanie's settings."""

        name = "product_sales"


class TotalsDocument(Document):
    """The sums of one bucket of orders (rollup.py), `IDR/h/2026-11-24T05`: a field per status, {n, q, r}.

    Months have *month* and a version *v*, what is finer has *day*. One document is the state of the rollup.
    """

    id: str  # type: ignore[assignment]  # Beanie expects an ObjectId
    day: str | None = None
    month: str | None = None
    v: str | None = None

    class Settings:
        """Beanie's settings."""

        name = "order_totals"
        indexes: ClassVar = [
            # A day is reconciled as a whole
            IndexModel([("day", ASCENDING)], name="day", partialFilterExpression={"day": {"$exists": True}}),
            IndexModel([("month", ASCENDING)], name="month", partialFilterExpression={"month": {"$exists": True}}),
        ]


class ProductTotalsDocument(TotalsDocument):
    """The sums of one product's lines in one bucket, `IDR/d/2026-11-24/prd_...`."""

    class Settings:
        """Beanie's settings."""

        name = "product_totals"
        indexes: ClassVar = TotalsDocument.Settings.indexes


class CategoryTotalsDocument(TotalsDocument):
    """The sums of one category's lines, those of the categories below it included: `IDR/d/2026-11-24/cat_...`."""

    class Settings:
        """Beanie's settings."""

        name = "category_totals"
        indexes: ClassVar = TotalsDocument.Settings.indexes


DOCUMENTS: tuple[type[Document], ...] = (
    OrderDocument,
    CartDocument,
    CheckoutDocument,
    ErasedBuyerDocument,
    InvoiceCounterDocument,
    ProductSalesDocument,
    TotalsDocument,
    ProductTotalsDocument,
    CategoryTotalsDocument,
    *PRICING_DOCUMENTS,
)


class ShardedOrderDocument(OrderRow, Document):
    """The collection of orders in a cluster, where only an index that begins with the shard key can be unique."""

    class Settings:
        """Beanie's settings."""

        name = "orders"
        indexes: ClassVar = [
            IndexModel([("number", ASCENDING)], name="number_lookup"),
            *OrderDocument.Settings.indexes[1:],
        ]


def documents_of(*, is_sharded: bool) -> tuple[type[Document], ...]:
    """Return the documents of a store whose orders are sharded, or are not."""
    return (ShardedOrderDocument, *DOCUMENTS[1:]) if is_sharded else DOCUMENTS
