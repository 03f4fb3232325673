"""What happens to an order when its payment is heard of. Events come in any order and more than once.

An order that is paid after it was cancelled or has expired keeps its status, for its stock may be gone; it is marked
for attention and PaymentNeedsRefund is announced, so that the money finds its way back.
"""

from collections.abc import Mapping

from core.clock import Clock
from core.errors import NotFound
from core.events import Event, EventHandler
from core.mongo import Row, Session
from subgraphs.order.erased_buyers import ErasedBuyers
from subgraphs.order.model import (
    SALES_STATUSES,
    Actor,
    ActorKind,
    Attention,
    OrderStatus,
    status_after_payment_ended,
)
from subgraphs.order.moves import OrderMover
from subgraphs.order.refunds import OrderRefunds
from subgraphs.order.repository import OrderRepository

_PAYMENT = Actor("service:payment", ActorKind.SYSTEM)
_UNPAID_ENDS = frozenset({OrderStatus.CANCELLED, OrderStatus.EXPIRED})
_REASONS = {
    "PaymentFailed": "the payment failed",
    "PaymentExpired": "the payment was not made in time",
    "PaymentCancelled": "the payment was cancelled",
}


def build_handlers(
    repository: OrderRepository, mover: OrderMover, erased_buyers: ErasedBuyers, clock: Clock
) -> Mapping[str, EventHandler]:
    """Return the reactions to the events of payment, inventory and user."""

    async def find(event: Event, session: Session) -> Row:
        order = await repository.find_order(event.payload["order_id"], session=session)
        if order is None:
            # Not ours to swallow: the relay keeps the event and tries again
            raise NotFound(f"order {event.payload['order_id']} is not known")
        return order

    async def mark_paid(event: Event, session: Session) -> None:
        order, now = await find(event, session), clock.now()
        status = OrderStatus(order["status"])
        paid = event.payload
        same_sum = paid["amount"] == order["total_amount"] and paid["currency"] == order["currency"]
        if status is OrderStatus.PENDING_PAYMENT and same_sum:
            set_ = {"paid_at": paid["at"], "payment_id": paid["payment_id"]}
            await mover.move(order, OrderStatus.PAID, by=_PAYMENT, now=now, session=session, set_=set_)
        elif status is OrderStatus.PENDING_PAYMENT:
            await mover.call_for_attention(order, Attention.AMOUNT_DIFFERS, refund=paid, now=now, session=session)
        elif status in _UNPAID_ENDS or order.get("payment_id") != paid["payment_id"]:
            await mover.call_for_attention(order, Attention.REFUND_DUE, refund=paid, now=now, session=session)

    async def end_unpaid(event: Event, session: Session) -> None:
        order, now = await find(event, session), clock.now()
        status = OrderStatus(order["status"])
        if status is OrderStatus.PENDING_PAYMENT:
            target = (
                OrderStatus.EXPIRED
                if event.type == "PaymentExpired"
                else status_after_payment_ended(ended_at=event.payload["at"], expires_at=order["expires_at"])
            )
            asked = order.get("cancel_request")
            if asked is not None and target is OrderStatus.CANCELLED:
                by, reason = Actor(asked["actor"], ActorKind(asked["kind"])), asked.get("reason")
            else:
                by, reason = _PAYMENT, _REASONS[event.type]
            await mover.move(order, target, by=by, reason=reason, now=now, session=session)
        elif status in SALES_STATUSES and event.payload.get("reverses_capture"):
            await reverse(order, event, session)

    async def reverse(order: Row, event: Event, session: Session) -> None:
        # Some bank channels take a settled payment back within minutes
        now = clock.now()
        # Of what is on its way in part, the stock must not come back as a whole
        if OrderStatus(order["status"]) in (OrderStatus.PAID, OrderStatus.PACKED) and not order["shipments"]:
            order = await mover.move(
                order,
                OrderStatus.CANCELLED,
                by=_PAYMENT,
                reason="the payment was taken back",
                now=now,
                session=session,
            )
        await mover.call_for_attention(order, Attention.PAYMENT_REVERSED, now=now, session=session)

    async def mark_short(event: Event, session: Session) -> None:
        order = await find(event, session)
        if order["status"] in SALES_STATUSES:
            await mover.call_for_attention(order, Attention.STOCK_SHORT, now=clock.now(), session=session)

    refunds = OrderRefunds(mover, clock)

    async def note_refund(event: Event, session: Session) -> None:
        await refunds.note_refund(await find(event, session), event, session)

    async def note_refusal(event: Event, session: Session) -> None:
        await refunds.note_refusal(await find(event, session), event, session)

    async def forget_buyer(event: Event, session: Session) -> None:
        await erased_buyers.note(event.payload["user_id"], session=session)

    return {
        "PaymentCaptured": mark_paid,
        "PaymentFailed": end_unpaid,
        "PaymentExpired": end_unpaid,
        "PaymentCancelled": end_unpaid,
        "PaymentRefunded": note_refund,
        "PaymentRefundFailed": note_refusal,
        "StockShort": mark_short,
        "UserErased": forget_buyer,
    }
