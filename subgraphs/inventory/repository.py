"""The only queries of the stock. All counters of one change move with one guarded update per product."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from pymongo import ReturnDocument

from core.ids import new_id
from core.mongo import Database, Row, Session
from core.paging import Page, PageRequest, find_page
from subgraphs.inventory.model import (
    MAX_ON_HAND,
    CounterChange,
    MovementKind,
    Reservation,
    ReservationStatus,
    StockLevel,
    StockLine,
)

STOCK = "stock_levels"
RESERVATIONS = "reservations"
MOVEMENTS = "movements"

_HELD = ReservationStatus.HELD.value


class StockRepository:
    """Counters, reservations and the ledger in one database."""

    def __init__(self, database: Database) -> None:
        self._stock = database[STOCK]
        self._reservations = database[RESERVATIONS]
        self._movements = database[MOVEMENTS]

    async def find_levels(self, product_ids: Sequence[str], *, session: Session | None = None) -> list[StockLevel]:
        """Return the counters of the given products that have any, in any order."""
        rows = await self._stock.find({"_id": {"$in": list(product_ids)}}, session=session).to_list()
        return [_level_from(row) for row in rows]

    async def find_level_page(self, lower_than: int | None, page: PageRequest) -> Page[StockLevel]:
        """Return a page of counters, the least available first, of products with less than *lower_than* available."""
        query = {} if lower_than is None else {"available": {"$lt": lower_than}}
        found = await find_page(self._stock, query, (("available", 1), ("_id", 1)), page)
        return Page(tuple(map(_level_from, found.rows)), found.cursors, found.has_next, found.has_previous)

    async def ensure_level(self, product_id: str, *, now: datetime, session: Session | None = None) -> None:
        """Give the product counters of zero unless it has some."""
        await self._stock.update_one(
            {"_id": product_id},
            {"$setOnInsert": {"on_hand": 0, "reserved": 0, "available": 0, "updated_at": now}},
            upsert=True,
            session=session,
        )

    async def adjust_level(self, product_id: str, delta: int, *, now: datetime, session: Session) -> StockLevel | None:
        """Add *delta* to what is on hand and return the counters; None when there is not enough, or too much."""
        guard = {"available": {"$gte": -delta}} if delta < 0 else {"on_hand": {"$lte": MAX_ON_HAND - delta}}
        row = await self._stock.find_one_and_update(
            {"_id": product_id, **guard},
            {"$inc": {"on_hand": delta, "available": delta}, "$set": {"updated_at": now}},
            return_document=ReturnDocument.AFTER,
            session=session,
        )
        return None if row is None else _level_from(row)

    async def apply_change(self, line: StockLine, change: CounterChange, *, now: datetime, session: Session) -> bool:
        """Move the counters of one line; return False, with nothing changed, if one of them would be negative."""
        amounts = {"on_hand": change.on_hand, "reserved": change.reserved, "available": change.available}
        moves = {name: amount * line.quantity for name, amount in amounts.items() if amount}
        guard = {name: {"$gte": -move} for name, move in moves.items() if move < 0}
        result = await self._stock.update_one(
            {"_id": line.product_id, **guard}, {"$inc": moves, "$set": {"updated_at": now}}, session=session
        )
        return result.matched_count == 1

    async def record_movements(
        self,
        lines: Iterable[StockLine],
        change: CounterChange,
        order_id: str,
        *,
        by: str | None,
        now: datetime,
        session: Session,
    ) -> None:
        """Write one ledger row per line of an order."""
        rows = [
            movement_row(
                line.product_id,
                change.kind,
                now,
                on_hand=change.on_hand * line.quantity,
                reserved=change.reserved * line.quantity,
                order_id=order_id,
                by=by,
            )
            for line in lines
        ]
        if rows:
            await self._movements.insert_many(rows, session=session)

    async def record_adjustment(
        self, product_id: str, delta: int, *, reason: str, by: str | None, key: str, now: datetime, session: Session
    ) -> None:
        """Write the ledger row of an adjustment; raise DuplicateKeyError when *key* was used before."""
        row = movement_row(
            product_id, MovementKind.ADJUSTED, now, on_hand=delta, reason=reason, by=by, idempotency_key=key
        )
        await self._movements.insert_one(row, session=session)

    async def find_adjustment(self, key: str) -> tuple[str, int] | None:
        """Return product and delta of the adjustment made with *key*, None if there was none."""
        row = await self._movements.find_one({"idempotency_key": key})
        return None if row is None else (row["product_id"], row["on_hand"])

    async def insert_reservation(self, reservation: Reservation, *, now: datetime, session: Session) -> None:
        """Add a reservation; raise DuplicateKeyError when the order has one."""
        lines = [{"product_id": line.product_id, "quantity": line.quantity} for line in reservation.lines]
        row: Row = {
            "_id": reservation.order_id,
            "lines": lines,
            "status": reservation.status.value,
            "expires_at": reservation.expires_at,
            "created_at": now,
            "updated_at": now,
        }
        await self._reservations.insert_one(row, session=session)

    async def find_reservation(self, order_id: str, *, session: Session | None = None) -> Reservation | None:
        """Return an order's reservation."""
        row = await self._reservations.find_one({"_id": order_id}, session=session)
        return None if row is None else _reservation_from(row)

    async def move_reservation(
        self, order_id: str, before: ReservationStatus, after: ReservationStatus, *, now: datetime, session: Session
    ) -> bool:
        """Move a reservation from *before* to *after*; return False if it is not in *before*."""
        result = await self._reservations.update_one(
            {"_id": order_id, "status": before.value},
            {"$set": {"status": after.value, "updated_at": now}},
            session=session,
        )
        return result.matched_count == 1

    async def find_overdue(self, expired_before: datetime, *, limit: int) -> list[str]:
        """Return the orders whose reservation is HELD and expired before the given time, the oldest first."""
        query = {"status": _HELD, "expires_at": {"$lt": expired_before}}
        rows = self._reservations.find(query, {"_id": 1}).sort("expires_at", 1).limit(limit)
        return [row["_id"] async for row in rows]

    async def find_overdue_of(
        self, product_ids: Sequence[str], expired_before: datetime, *, limit: int, session: Session | None = None
    ) -> list[Reservation]:
        """Return HELD reservations of any of the products that expired before the given time."""
        query = _overdue_of(product_ids, expired_before)
        # Said, because the planner may find the other index as good, which has all products' in it
        rows = self._reservations.find(query, session=session).hint("held_by_product").limit(limit)
        return [_reservation_from(row) async for row in rows]

    async def count_overdue(self, product_ids: Sequence[str], expired_before: datetime) -> dict[str, int]:
        """Return per product how many pieces HELD reservations hold that expired before the given time."""
        stages: list[Row] = [
            {"$match": _overdue_of(product_ids, expired_before)},
            {"$unwind": "$lines"},
            {"$match": {"lines.product_id": {"$in": list(product_ids)}}},
            {"$group": {"_id": "$lines.product_id", "quantity": {"$sum": "$lines.quantity"}}},
        ]
        rows = await self._reservations.aggregate(stages, hint="held_by_product")
        return {row["_id"]: row["quantity"] async for row in rows}


def movement_row(
    product_id: str,
    kind: MovementKind,
    at: datetime,
    *,
    on_hand: int = 0,
    reserved: int = 0,
    order_id: str | None = None,
    reason: str | None = None,
    by: str | None = None,
    idempotency_key: str | None = None,
) -> Row:
    """Return a row of the ledger."""
    return {
        "_id": new_id("mov"),
        "product_id": product_id,
        "kind": kind.value,
        "on_hand": on_hand,
        "reserved": reserved,
        "order_id": order_id,
        "reason": reason,
        "by": by,
        "idempotency_key": idempotency_key,
        "at": at,
    }


def _overdue_of(product_ids: Sequence[str], expired_before: datetime) -> Row:
    return {
        "status": _HELD,
        "lines.product_id": {"$in": list(product_ids)},
        "expires_at": {"$lt": expired_before},
    }


def _level_from(row: Row) -> StockLevel:
    return StockLevel(row["_id"], row["on_hand"], row["reserved"], row["available"], row["updated_at"])


def _reservation_from(row: Row) -> Reservation:
    lines: Iterable[Any] = row["lines"]
    return Reservation(
        order_id=row["_id"],
        lines=tuple(StockLine(line["product_id"], line["quantity"]) for line in lines),
        status=ReservationStatus(row["status"]),
        expires_at=row["expires_at"],
    )
