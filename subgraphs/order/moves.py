"""Moving an order from one status to the next, with all that has to change in the same transaction."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from core.audit import announce_privileged
from core.events import announce
from core.mongo import Database, Row, Session
from subgraphs.order.discount_repository import DiscountRepository
from subgraphs.order.documents import OrderRow
from subgraphs.order.events import EVENT_OF_STATUS, ORDER_RETURN_RECEIVED, PAYMENT_NEEDS_REFUND, order_payload
from subgraphs.order.model import (
    SALES_STATUSES,
    Actor,
    ActorKind,
    Attention,
    HistoryEvent,
    OrderStatus,
    check_transition,
    sales_change,
)
from subgraphs.order.repository import OrderRepository, order_to_row
from subgraphs.order.rollup_repository import RollupRepository


class OrderMover:
    """Places, moves and marks orders inside a transaction of the caller."""

    def __init__(self, database: Database, repository: OrderRepository, rollup: RollupRepository) -> None:
        self._database = database
        self._repository = repository
        self._rollup = rollup
        self._discounts = DiscountRepository(database)

    async def place(self, order: OrderRow, *, session: Session) -> Row:
        """Insert a new order and announce it; raise DuplicateKeyError when its number is taken."""
        row = order_to_row(order)
        await self._repository.insert_order(row, session=session)
        await announce(
            self._database,
            EVENT_OF_STATUS[order.status],
            order.id,
            order_payload(row),
            now=order.placed_at,
            session=session,
            beside=self._rollup.change_rows(None, row),
        )
        return row

    async def move(
        self,
        order: Row,
        target: OrderStatus,
        *,
        by: Actor,
        now: datetime,
        session: Session,
        reason: str | None = None,
        set_: Mapping[str, Any] | None = None,
        is_privileged: bool | None = None,
    ) -> Row:
        """Move *order*, read in the same transaction, to *target*; return it as it is afterwards.

        Reports, sold pieces and the event are written with it, and a note for the audit log if it *is_privileged*; a
        move by the store always is, if nothing is said.

        Raises:
            Conflict: its status does not allow it.
        """
        status = OrderStatus(order["status"])
        check_transition(order["number"], status, target)
        entry: Row = {"status": target.value, "at": now, "actor": by.id, "kind": by.kind.value}
        if reason is not None:
            entry["reason"] = reason
        moved = await self._repository.update_order(
            order,
            set_={"status": target.value, "updated_at": now, **(set_ or {})},
            push={"history": entry},
            unset=("expire_due_at", "cancel_request") if status is OrderStatus.PENDING_PAYMENT else (),
            session=session,
        )
        change = sales_change(status, target)
        if change:
            units: Counter[str] = Counter()
            for line in order["lines"]:
                units[line["product_id"]] += change * line["quantity"]
            await self._repository.add_units_sold(units, session=session)
        if target in (OrderStatus.CANCELLED, OrderStatus.EXPIRED):
            await self._discounts.give_back_uses(order, session=session)
        changes = self._rollup.change_rows(order, moved)
        event = EVENT_OF_STATUS.get(target)
        if event is not None:
            payload = order_payload(moved, was_paid=status in SALES_STATUSES)
            await announce(self._database, event, order["_id"], payload, now=now, session=session, beside=changes)
        else:
            await self._rollup.record_changes(changes, session=session)
        if by.kind is ActorKind.STORE if is_privileged is None else is_privileged:
            await self.note(f"ORDER_{target}", moved, actor_id=by.id, now=now, session=session, was=status.value)
        return moved

    async def record(
        self,
        order: Row,
        event: HistoryEvent,
        subject: str,
        *,
        by: Actor,
        now: datetime,
        session: Session,
        reason: str | None = None,
        set_: Mapping[str, Any] | None = None,
        push: Mapping[str, Any] | None = None,
        unset: Iterable[str] = (),
        is_privileged: bool | None = None,
    ) -> Row:
        """Change *order*, read in the same transaction, without moving it, and write what happened into its history.

        *subject* is the id of the parcel, return or refund that it happened to. A note for the audit log is written as
        by `move`.
        """
        entry: Row = {"status": order["status"], "at": now, "actor": by.id, "kind": by.kind.value}
        entry |= {"event": event.value, "subject": subject}
        if reason is not None:
            entry["reason"] = reason
        changed = await self._repository.update_order(
            order,
            set_={"updated_at": now, **(set_ or {})},
            push={"history": entry, **(push or {})},
            unset=unset,
            session=session,
        )
        if by.kind is ActorKind.STORE if is_privileged is None else is_privileged:
            await self.note(f"ORDER_{event}", changed, actor_id=by.id, now=now, session=session, subject=subject)
        return changed

    async def change(self, order: Row, set_: Mapping[str, Any], *, now: datetime, session: Session) -> Row:
        """Change *order*, read in the same transaction, in what neither moves it nor belongs into its history."""
        return await self._repository.update_order(order, set_={"updated_at": now, **set_}, session=session)

    async def note(
        self, action: str, order: Row, *, actor_id: str, now: datetime, session: Session, **details: str
    ) -> None:
        """Tell the audit log what was done to *order*."""
        details = {"number": order["number"], **details}
        await announce_privileged(
            self._database, action, order["_id"], actor_id=actor_id, now=now, session=session, details=details
        )

    async def announce_return(
        self, order: Row, return_id: str, lines: Sequence[Row], *, restock: bool, now: datetime, session: Session
    ) -> None:
        """Tell that pieces have come back; *lines* are {product_id, quantity}."""
        payload = {**order_payload(order), "return_id": return_id, "lines": list(lines), "restock": restock}
        await announce(self._database, ORDER_RETURN_RECEIVED, order["_id"], payload, now=now, session=session)

    async def call_for_attention(
        self,
        order: Row,
        attention: Attention,
        *,
        now: datetime,
        session: Session,
        refund: Mapping[str, Any] | None = None,
    ) -> Row:
        """Mark *order* so that a person looks at it; announce the payment *refund* ({payment_id, ...}) if it is due."""
        marked = await self._repository.update_order(
            order, set_={"attention": attention.value, "updated_at": now}, session=session
        )
        if refund is not None:
            payload = {**order_payload(marked), **refund, "reason": attention.value}
            await announce(self._database, PAYMENT_NEEDS_REFUND, order["_id"], payload, now=now, session=session)
        return marked
