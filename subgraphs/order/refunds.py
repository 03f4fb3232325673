"""What a refund does to its order. The payment subgraph sends the money; this is its word that it has, or cannot.

Status and history of an order follow from what is left of it:
    all of the money is back, and nothing has left the house    the order is CANCELLED: there is nothing to be delivered
    all of it is back for an order that is over                 it needs no attention for its money any more
    anything else                                               a figure on the order and a line in its history
"""

from typing import Any

from core.clock import Clock
from core.events import Event
from core.mongo import Row, Session
from subgraphs.order.model import Actor, ActorKind, Attention, HistoryEvent, OrderStatus
from subgraphs.order.moves import OrderMover

# What a refund of all the money settles
_SETTLED = (Attention.REFUND_DUE, Attention.AMOUNT_DIFFERS)
_IN_THE_HOUSE = (OrderStatus.PAID, OrderStatus.PACKED)


class OrderRefunds:
    """Reactions to the payment subgraph's events, in its transaction."""

    def __init__(self, mover: OrderMover, clock: Clock) -> None:
        self._mover = mover
        self._clock = clock

    async def note_refund(self, order: Row, event: Event, session: Session) -> None:
        """Note that money of *order* was sent back. Events come in any order, and one that is known changes nothing."""
        told, now = event.payload, self._clock.now()
        known = order.get("refunds") or []
        if any(refund["id"] == told["refund_id"] for refund in known):
            return
        refund = {
            "id": told["refund_id"],
            "amount": told["amount"],
            "reason": told["reason"],
            "at": told["at"],
        }
        refunded = sum(each["amount"] for each in known) + told["amount"]
        is_all = refunded >= told["captured_amount"]
        set_: dict[str, Any] = {"refunded_amount": refunded}
        by = Actor(told["requested_by"], ActorKind.STORE)
        settles = is_all and order.get("attention") in _SETTLED
        changed = await self._mover.record(
            order,
            HistoryEvent.REFUNDED,
            told["refund_id"],
            by=by,
            now=now,
            session=session,
            reason=told["reason"],
            set_=set_,
            push={"refunds": refund},
            unset=("attention",) if settles else (),
            # The payment subgraph has told the audit log who asked for it
            is_privileged=False,
        )
        if is_all and changed["status"] in _IN_THE_HOUSE and not changed["shipments"]:
            await self._mover.move(
                changed, OrderStatus.CANCELLED, by=by, reason="its money was sent back", now=now, session=session
            )

    async def note_refusal(self, order: Row, event: Event, session: Session) -> None:
        """Note that the gateway refused to send money back: somebody has to find another way."""
        told, now = event.payload, self._clock.now()
        set_ = {} if order.get("attention") else {"attention": Attention.REFUND_DUE.value}
        await self._mover.record(
            order,
            HistoryEvent.REFUND_FAILED,
            told["refund_id"],
            by=Actor("service:payment", ActorKind.SYSTEM),
            now=now,
            session=session,
            set_=set_,
        )
