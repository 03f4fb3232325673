"""Returns: pieces that a buyer gives back.

REQUESTED by the buyer or the store, within PASAR_RETURN_WINDOW_DAYS of the parcel's arrival
    -> APPROVED | REJECTED by the store; APPROVED -> RECEIVED | REJECTED, when it came, or did not

What is received goes back to stock if the store says so: the event OrderReturnReceived tells inventory, which puts it
on the shelf that it came from, once. Money goes back by a refund of its own: not every return is worth the whole price.
"""

from collections.abc import Sequence
from datetime import timedelta

from core.errors import Forbidden, NotFound
from core.identity import Identity
from core.ids import new_id
from core.mongo import Row
from core.scopes import ORDERS_WRITE
from core.subgraph import require_person, require_scopes
from subgraphs.order.desk import OrderDesk, Turn, clean_optional, clean_required
from subgraphs.order.fulfilment import (
    Pieces,
    ReturnStatus,
    check_return_transition,
    choose_return,
    count_pieces,
    pieces_from,
    pieces_to_rows,
)
from subgraphs.order.model import ActorKind, HistoryEvent

_EVENTS = {
    ReturnStatus.APPROVED: HistoryEvent.RETURN_APPROVED,
    ReturnStatus.REJECTED: HistoryEvent.RETURN_REJECTED,
    ReturnStatus.RECEIVED: HistoryEvent.RETURN_RECEIVED,
}


class Returns:
    """The use cases."""

    def __init__(self, desk: OrderDesk, *, window: timedelta) -> None:
        self._desk = desk
        self._window = window

    async def request_return(self, order_id: str, pieces: Sequence[Pieces], reason: str, caller: Identity) -> Row:
        """Ask to give pieces back: the order's buyer, or the store for them.

        Raises:
            BadUserInput: the reason is missing or too long, or the pieces are none of the order's.
            Conflict: fewer pieces were shipped, or their time is over.
            Forbidden: the caller may see the order of somebody else, but not change it.
        """
        require_person(caller)
        reason = clean_required(reason, "reason")

        async def request(turn: Turn) -> Row:
            if turn.by.kind is not ActorKind.BUYER and not caller.has_scopes(ORDERS_WRITE):
                raise Forbidden(f"returning what others have ordered needs {ORDERS_WRITE}")
            chosen = choose_return(turn.order, pieces, now=turn.now, window=self._window)
            row: Row = {
                "id": new_id("ret"),
                "status": ReturnStatus.REQUESTED.value,
                "lines": pieces_to_rows(chosen),
                "reason": reason,
                "requested_at": turn.now,
                "requested_by": turn.by.id,
                "kind": turn.by.kind.value,
            }
            return await self._desk.mover.record(
                turn.order,
                HistoryEvent.RETURN_REQUESTED,
                row["id"],
                by=turn.by,
                now=turn.now,
                session=turn.session,
                reason=reason,
                push={"returns": row},
            )

        return await self._desk.change(order_id, caller, request)

    async def approve_return(self, order_id: str, return_id: str, caller: Identity) -> Row:
        """Let the buyer send the pieces."""
        return await self._decide(order_id, return_id, ReturnStatus.APPROVED, None, caller)

    async def reject_return(self, order_id: str, return_id: str, reason: str, caller: Identity) -> Row:
        """Refuse a return, or give up one that was approved; the reason is for the buyer."""
        require_scopes(caller, ORDERS_WRITE)
        return await self._decide(order_id, return_id, ReturnStatus.REJECTED, clean_required(reason, "reason"), caller)

    async def receive_return(
        self, order_id: str, return_id: str, *, restock: bool, reason: str | None, caller: Identity
    ) -> Row:
        """Note that the pieces of an approved return have come; with *restock* they go back to stock."""
        require_scopes(caller, ORDERS_WRITE)
        cleaned = clean_optional(reason, "reason")
        return await self._decide(order_id, return_id, ReturnStatus.RECEIVED, cleaned, caller, restock=restock)

    async def _decide(
        self,
        order_id: str,
        return_id: str,
        target: ReturnStatus,
        reason: str | None,
        caller: Identity,
        *,
        restock: bool = False,
    ) -> Row:
        require_scopes(caller, ORDERS_WRITE)

        async def decide(turn: Turn) -> Row:
            returned = _find_return(turn.order, return_id)
            check_return_transition(return_id, ReturnStatus(returned["status"]), target)
            changes: Row = {"status": target.value}
            if target is ReturnStatus.RECEIVED:
                changes |= {"received_at": turn.now, "is_restocked": restock}
            else:
                changes["decided_at"] = turn.now
            changed = {**returned, **changes}
            order = await self._desk.mover.record(
                turn.order,
                _EVENTS[target],
                return_id,
                by=turn.by,
                now=turn.now,
                session=turn.session,
                reason=reason,
                set_={"returns": [changed if row["id"] == return_id else row for row in turn.order["returns"]]},
                # Also of the own order: it takes the store's rights
                is_privileged=True,
            )
            if target is ReturnStatus.RECEIVED:
                lines = _products_of(order, changed)
                await self._desk.mover.announce_return(
                    order, return_id, lines, restock=restock, now=turn.now, session=turn.session
                )
            return order

        return await self._desk.change(order_id, caller, decide)


def _find_return(order: Row, return_id: str) -> Row:
    for row in order.get("returns") or ():
        if row["id"] == return_id:
            found: Row = row
            return found
    raise NotFound(f"order {order['number']} has no return {return_id}")


def _products_of(order: Row, returned: Row) -> list[Row]:
    counts = count_pieces(pieces_from(returned["lines"]))
    lines = ((line["product_id"], counts[line["id"]]) for line in order["lines"])
    return [{"product_id": product_id, "quantity": count} for product_id, count in lines if count]
