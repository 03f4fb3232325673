"""Moving an order from one status to the next, with all that has to change in the same transaction."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from core.audit import announce_privileged
from core.events import announce
from core.mongo import Database, Row, Session
from subgraphs.order.discount_repository import DiscountRepository
from subgraphs.order.documents import OrderRow
from subgraphs.order.events import EVENT_OF_STATUS, PAYMENT_NEEDS_REFUND, order_payload
from subgraphs.order.model import (
    SALES_STATUSES,
    Actor,
    ActorKind,
    Attention,
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

    async def note(
        self, action: str, order: Row, *, actor_id: str, now: datetime, session: Session, **details: str
    ) -> None:
        """Tell the audit log what was done to *order*."""
        details = {"number": order["number"], **details}
        await announce_privileged(
            self._database, action, order["_id"], actor_id=actor_id, now=now, session=session, details=details
        )

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
