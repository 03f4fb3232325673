"""Seeded people, orders and payments as their subgraphs store them.

Written out field by field, for a model of a subgraph costs more per row than everything else; a test reads the rows
with the models and compares.
"""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from pasar.seed.catalogue import CURRENCY
from pasar.seed.history import SeededOrder
from pasar.seed.people import Person
from subgraphs.order.model import SYSTEM, ActorKind, OrderStatus
from subgraphs.order.shipping_methods import FEE_PER_STARTED_KG
from subgraphs.payment.model import PaymentStatus
from subgraphs.user.model import AccountStatus, email_key, search_keys

if TYPE_CHECKING:
    # It brings Beanie along, and the programs that make rows shall start at once
    from core.mongo import Row

CARRIERS = ("JNE", "SiCepat", "Pos Indonesia")
GATEWAY = "sandbox"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FEE = FEE_PER_STARTED_KG[CURRENCY]
_BUYER, _STORE, _SYSTEM = ActorKind.BUYER.value, ActorKind.STORE.value, SYSTEM.kind.value
# What a payment did when its order did this
_PAYMENT_STATUS = {
    OrderStatus.PENDING_PAYMENT: PaymentStatus.PENDING.value,
    OrderStatus.PAID: PaymentStatus.PAID.value,
    OrderStatus.EXPIRED: PaymentStatus.EXPIRED.value,
    OrderStatus.CANCELLED: PaymentStatus.CANCELLED.value,
}
_PAID = _PAYMENT_STATUS[OrderStatus.PAID]
# An enum's `value` is a call, and there are a dozen per order
_TEXT = {status: status.value for status in OrderStatus}


class Sold(NamedTuple):
    """An order with its payment."""

    order: "Row"
    payment: "Row"


def user_row(person: Person, password_hash: str) -> "Row":
    """Return the account of *person*."""
    return {
        "_id": person.id,
        "email": person.email,
        "email_key": email_key(person.email),
        "name": person.name,
        "phone": person.phone,
        "roles": list(person.roles),
        "password_hash": password_hash,
        "has_second_factor": False,
        "last_login_at": None,
        "search_keys": list(search_keys(person.email, person.name)),
        "status": AccountStatus.ACTIVE.value,
        "addresses": [],
        "default_address_id": None,
        "created_at": person.joined_at,
        "updated_at": person.joined_at,
        "version": 1,
    }


def sold_rows(seeded: SeededOrder, *, packer_id: str) -> Sold:
    """Return the rows of an order and of its payment, which is over by now, so that no gateway is asked about it.

    *packer_id* is who moved it after it was paid.
    """
    order_id, number, buyer, bought, moves = seeded
    lines: list[Row] = []
    paid_lines: list[Row] = []
    quantity = subtotal = weight_grams = 0
    for product, pieces, category_path in bought:
        price = product.price.amount
        lines.append(
            {
                "id": f"{order_id}-{len(lines) + 1}",
                "product_id": product.id,
                "name": product.name,
                "sku": product.sku,
                "quantity": pieces,
                "unit_amount": price,
                "total_amount": pieces * price,
                "category_path": list(category_path),
            }
        )
        paid_lines.append({"name": product.name, "quantity": pieces, "unit_amount": price})
        quantity += pieces
        subtotal += pieces * price
        weight_grams += pieces * product.weight_grams
    shipping = shipping_amount(weight_grams)
    history: list[Row] = []
    payment_history: list[Row] = []
    at: dict[OrderStatus, datetime] = {}
    for status, at_s in moves:
        moment = at[status] = _EPOCH + timedelta(0, at_s)
        paid = _PAYMENT_STATUS.get(status)
        if paid is None:
            actor, kind = packer_id, _STORE
        else:
            payment_history.append({"status": paid, "at": moment})
            if status is OrderStatus.PENDING_PAYMENT or status is OrderStatus.CANCELLED:
                actor, kind = buyer.id, _BUYER
            else:
                actor, kind = "service:payment", _SYSTEM
        history.append({"status": _TEXT[status], "at": moment, "actor": actor, "kind": kind})
    placed_at = history[0]["at"]
    order: Row = {
        "_id": order_id,
        "number": number,
        "buyer_id": buyer.id,
        "buyer_email": buyer.email,
        "buyer_name": buyer.name,
        "status": history[-1]["status"],
        "currency": CURRENCY,
        "lines": lines,
        "quantity": quantity,
        "subtotal_amount": subtotal,
        "shipping_amount": shipping,
        "total_amount": subtotal + shipping,
        "shipping_address": address_row(buyer),
        "placed_at": placed_at,
        "updated_at": history[-1]["at"],
    }
    payment: Row = {
        "_id": f"pay{order_id[3:]}",
        "order_id": order_id,
        "order_number": number,
        "buyer_id": buyer.id,
        "buyer_email": buyer.email,
        "buyer_name": buyer.name,
        "status": payment_history[-1]["status"],
        "amount": subtotal + shipping,
        "currency": CURRENCY,
        "lines": paid_lines,
        "gateway": GATEWAY,
        "reference": number,
        "references": [number],
        "created_at": placed_at,
        "updated_at": payment_history[-1]["at"],
        "expires_at": placed_at,
    }
    paid_at = at.get(OrderStatus.PAID)
    if paid_at is not None:
        order["paid_at"] = payment["paid_at"] = paid_at
        payment["captured_amount"] = payment["amount"]
    order["shipments"] = _shipments(seeded, at) if OrderStatus.SHIPPED in at else []
    order["history"] = history
    order["version"] = len(history)
    payment["stop_requested"] = False
    payment["checks"] = 0
    payment["history"] = payment_history
    return Sold(order, payment)


def address_row(person: Person) -> "Row":
    """Return where parcels to *person* go."""
    return {
        "recipient": person.name,
        "phone": person.phone,
        "line1": person.street,
        "city": person.city,
        "region": person.region,
        "postal_code": person.postal_code,
        "country": "ID",
    }


def shipping_amount(weight_grams: int) -> int:
    """Return the fee of shipping_methods.STANDARD in minor units, without the objects around it."""
    return _FEE * max(1, -(-weight_grams // 1000))


def shipment_code(number: str) -> int:
    """Return the digits of an order's tracking number: those of the order number's letters, as good as drawn."""
    return int.from_bytes(number[-8:].encode(), "big") % 10**10


def _shipments(seeded: SeededOrder, at: dict[OrderStatus, datetime]) -> "list[Row]":
    code = shipment_code(seeded.number)
    shipped_at, delivered_at = at[OrderStatus.SHIPPED], at.get(OrderStatus.DELIVERED)
    shipment: Row = {
        "id": f"shp{seeded.id[3:]}",
        "carrier": CARRIERS[code % len(CARRIERS)],
        "tracking_number": f"ID{code:010}",
        "shipped_at": shipped_at,
    }
    events: list[Row] = [{"at": shipped_at, "status": "Paket diterima kurir", "location": "Jakarta Barat"}]
    if delivered_at is not None:
        shipment["delivered_at"] = delivered_at
        events.append({"at": delivered_at, "status": "Paket diterima", "location": seeded.buyer.city})
    shipment["events"] = events
    return [shipment]
