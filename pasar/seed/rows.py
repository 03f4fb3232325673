"""Seeded people, orders and payments as their subgraphs store them."""

from core.ids import encode_base32
from core.mongo import Row
from pasar.derived_ids import derived_id
from pasar.seed.history import Move, SeededOrder
from pasar.seed.people import Person
from subgraphs.order.bulk import PastLine, PastOrder
from subgraphs.order.documents import AddressRow, HistoryRow, ShipmentRow, TrackingEventRow
from subgraphs.order.model import Actor, ActorKind, OrderStatus
from subgraphs.payment.documents import PaymentHistoryRow, PaymentLineRow, PaymentRow
from subgraphs.payment.model import PaymentStatus
from subgraphs.payment.repository import payment_to_row
from subgraphs.user.documents import UserDocument
from subgraphs.user.model import email_key, search_keys

CARRIERS = ("JNE", "SiCepat", "Pos Indonesia")
GATEWAY = "sandbox"

# What a payment did when its order did this
_PAYMENT_STATUS = {
    OrderStatus.PENDING_PAYMENT: PaymentStatus.PENDING,
    OrderStatus.PAID: PaymentStatus.PAID,
    OrderStatus.EXPIRED: PaymentStatus.EXPIRED,
    OrderStatus.CANCELLED: PaymentStatus.CANCELLED,
}


def user_row(person: Person, password_hash: str) -> Row:
    """Return the account of *person*."""
    document = UserDocument(
        id=person.id,
        email=person.email,
        email_key=email_key(person.email),
        name=person.name,
        phone=person.phone,
        roles=list(person.roles),
        password_hash=password_hash,
        search_keys=list(search_keys(person.email, person.name)),
        created_at=person.joined_at,
        updated_at=person.joined_at,
    )
    row: Row = document.model_dump(by_alias=True, exclude={"revision_id"})
    return row


def past_order(order: SeededOrder, *, packer: Person) -> PastOrder:
    """Return *order* as the order subgraph takes it; *packer* is who moved it after it was paid."""
    quote, buyer = order.quote, order.buyer
    return PastOrder(
        id=order.id,
        number=_number(order),
        buyer_id=buyer.id,
        buyer_email=buyer.email,
        buyer_name=buyer.name,
        status=order.status,
        currency=quote.total.currency,
        lines=tuple(
            PastLine(
                product_id=line.product_id,
                name=line.name,
                sku=line.sku,
                quantity=line.quantity,
                unit_amount=line.unit_price.amount,
                total_amount=line.total.amount,
                category_path=line.category_path,
            )
            for line in quote.lines
        ),
        shipping_amount=quote.shipping.amount,
        shipping_address=AddressRow(
            recipient=buyer.name,
            phone=buyer.phone,
            line1=buyer.street,
            city=buyer.city,
            region=buyer.region,
            postal_code=buyer.postal_code,
            country="ID",
        ),
        placed_at=order.placed_at,
        paid_at=next((move.at for move in order.moves if move.status is OrderStatus.PAID), None),
        shipments=_shipments(order),
        history=tuple(_history_row(order, move, packer) for move in order.moves),
    )


def payment_row(order: SeededOrder) -> Row:
    """Return the payment of *order*, over by now, so that no gateway is asked about it."""
    moves = [move for move in order.moves if move.status in _PAYMENT_STATUS]
    last = _PAYMENT_STATUS[moves[-1].status]
    is_paid = last is PaymentStatus.PAID
    number, total = _number(order), order.quote.total
    payment = PaymentRow(
        id=derived_id("pay", order.id),
        order_id=order.id,
        order_number=number,
        buyer_id=order.buyer.id,
        buyer_email=order.buyer.email,
        buyer_name=order.buyer.name,
        status=last,
        amount=total.amount,
        currency=total.currency,
        lines=[
            PaymentLineRow(name=line.name, quantity=line.quantity, unit_amount=line.unit_price.amount)
            for line in order.quote.lines
        ],
        gateway=GATEWAY,
        reference=number,
        references=[number],
        created_at=order.placed_at,
        updated_at=moves[-1].at,
        expires_at=order.placed_at,
        paid_at=moves[-1].at if is_paid else None,
        captured_amount=total.amount if is_paid else None,
        history=[PaymentHistoryRow(status=_PAYMENT_STATUS[move.status], at=move.at) for move in moves],
    )
    return payment_to_row(payment)


def _number(order: SeededOrder) -> str:
    """Return a number of the usual form; the id's random part makes it unique."""
    value = int.from_bytes(order.id.encode()[-10:], "big") % (1 << 50)
    return f"ORD-{order.placed_at:%y%m%d}-{encode_base32(value, 10).upper()}"


def _history_row(order: SeededOrder, move: Move, packer: Person) -> HistoryRow:
    match move.status:
        case OrderStatus.PENDING_PAYMENT | OrderStatus.CANCELLED:
            actor = Actor(order.buyer.id, ActorKind.BUYER)
        case OrderStatus.PAID | OrderStatus.EXPIRED:
            actor = Actor("service:payment", ActorKind.SYSTEM)
        case _:
            actor = Actor(packer.id, ActorKind.STORE)
    return HistoryRow(status=move.status, at=move.at, actor=actor.id, kind=actor.kind)


def _shipments(order: SeededOrder) -> tuple[ShipmentRow, ...]:
    at = {move.status: move.at for move in order.moves}
    shipped_at, delivered_at = at.get(OrderStatus.SHIPPED), at.get(OrderStatus.DELIVERED)
    if shipped_at is None:
        return ()
    events = [TrackingEventRow(at=shipped_at, status="Paket diterima kurir", location="Jakarta Barat")]
    if delivered_at is not None:
        events.append(TrackingEventRow(at=delivered_at, status="Paket diterima", location=order.buyer.city))
    code = int(derived_id("trk", order.id)[-6:].encode().hex(), 16) % 10**10
    return (
        ShipmentRow(
            id=derived_id("shp", order.id),
            carrier=CARRIERS[code % len(CARRIERS)],
            tracking_number=f"ID{code:010}",
            shipped_at=shipped_at,
            delivered_at=delivered_at,
            events=events,
        ),
    )
