"""Orders: their states, what may follow what, and their lines. No I/O, and no clock."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.errors import BadUserInput, Conflict
from core.ids import encode_base32
from core.money import Money


class OrderStatus(StrEnum):
    """Where an order stands."""

    PENDING_PAYMENT = "PENDING_PAYMENT"
    PAID = "PAID"
    PACKED = "PACKED"
    SHIPPED = "SHIPPED"
    DELIVERED = "DELIVERED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"


class ActorKind(StrEnum):
    """Who moved an order, as far as its buyer needs to know."""

    BUYER = "BUYER"
    STORE = "STORE"
    SYSTEM = "SYSTEM"


class HistoryEvent(StrEnum):
    """What an entry of an order's history tells. MOVED: the order got another status, which all others left as it was.

    A parcel, a return or a refund is told of whether or not it moves the order: what is complete moves it.
    """

    MOVED = "MOVED"
    PARCEL_SHIPPED = "PARCEL_SHIPPED"
    PARCEL_DELIVERED = "PARCEL_DELIVERED"
    RETURN_REQUESTED = "RETURN_REQUESTED"
    RETURN_APPROVED = "RETURN_APPROVED"
    RETURN_REJECTED = "RETURN_REJECTED"
    RETURN_RECEIVED = "RETURN_RECEIVED"
    REFUNDED = "REFUNDED"
    REFUND_FAILED = "REFUND_FAILED"


class Attention(StrEnum):
    """Why a person has to look at an order. Money is involved each time, so no program decides.

    REFUND_DUE: money came in, or stays, for an order that will not be delivered. AMOUNT_DIFFERS: another amount came in
    than was due. PAYMENT_REVERSED: the gateway took the money back. STOCK_SHORT: it was paid after its stock was gone.
    """

    REFUND_DUE = "REFUND_DUE"
    AMOUNT_DIFFERS = "AMOUNT_DIFFERS"
    PAYMENT_REVERSED = "PAYMENT_REVERSED"
    STOCK_SHORT = "STOCK_SHORT"


NEXT_STATUSES: Mapping[OrderStatus, tuple[OrderStatus, ...]] = {
    OrderStatus.PENDING_PAYMENT: (OrderStatus.PAID, OrderStatus.CANCELLED, OrderStatus.EXPIRED),
    OrderStatus.PAID: (OrderStatus.PACKED, OrderStatus.CANCELLED),
    OrderStatus.PACKED: (OrderStatus.SHIPPED, OrderStatus.CANCELLED),
    OrderStatus.SHIPPED: (OrderStatus.DELIVERED,),
    OrderStatus.DELIVERED: (),
    OrderStatus.CANCELLED: (),
    OrderStatus.EXPIRED: (),
}

# What counts as a sale in reports and in `unitsSold`
SALES_STATUSES = (OrderStatus.PAID, OrderStatus.PACKED, OrderStatus.SHIPPED, OrderStatus.DELIVERED)


# Somebody still has to pay, or to carry a parcel to an address
OPEN_STATUSES = (OrderStatus.PENDING_PAYMENT, OrderStatus.PAID, OrderStatus.PACKED, OrderStatus.SHIPPED)
OVER_STATUSES = (OrderStatus.DELIVERED, OrderStatus.CANCELLED, OrderStatus.EXPIRED)


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever moves an order: a user id, or `service:<name>`."""

    id: str
    kind: ActorKind


SYSTEM = Actor("service:order", ActorKind.SYSTEM)


def check_transition(number: str, status: OrderStatus, target: OrderStatus) -> None:
    """Raise Conflict unless an order in *status* may become *target*."""
    if target not in NEXT_STATUSES[status]:
        raise Conflict(f"order {number} is {status} and cannot become {target}")


def may_cancel(status: OrderStatus, *, by_store: bool) -> bool:
    """Tell whether an order can still be cancelled: by its buyer while unpaid, by the store until shipped."""
    if status is OrderStatus.PENDING_PAYMENT:
        return True
    return by_store and OrderStatus.CANCELLED in NEXT_STATUSES[status]


def status_after_payment_ended(*, ended_at: datetime, expires_at: datetime) -> OrderStatus:
    """Return what an unpaid order becomes when its payment is over: EXPIRED if its time was over, too."""
    return OrderStatus.EXPIRED if ended_at >= expires_at else OrderStatus.CANCELLED


def sales_change(before: OrderStatus, after: OrderStatus) -> int:
    """Return 1 when the move makes an order a sale, -1 when it ends one, 0 otherwise."""
    return (after in SALES_STATUSES) - (before in SALES_STATUSES)


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One product of an order, as it was when the order was placed.

    *category_path* has the ids of the categories in which it stood, from the top down.
    """

    id: str
    product_id: str
    name: str
    sku: str
    quantity: int
    unit_price: Money
    weight_grams: int = 0
    category_path: tuple[str, ...] = ()

    @property
    def total(self) -> Money:
        """Return what the line costs."""
        return self.unit_price * self.quantity


# Random, so that a number tells nothing about how much a store sells: 50 bits a day collide about never, and the
# unique index catches it when they do
_NUMBER_BITS = 50


def new_order_number(now: datetime) -> str:
    """Return a number that people can read out, such as `ORD-261124-7K3QX9TM0A`."""
    return f"ORD-{now:%y%m%d}-{encode_base32(secrets.randbits(_NUMBER_BITS), _NUMBER_BITS // 5).upper()}"


MAX_NOTE = 1000


def clean_note(note: str | None) -> str | None:
    """Return *note* without blanks at the ends, None when nothing is left; raise BadUserInput when it is too long."""
    cleaned = (note or "").strip()
    if len(cleaned) > MAX_NOTE:
        raise BadUserInput(f"at most {MAX_NOTE} characters fit", field="note")
    return cleaned or None
