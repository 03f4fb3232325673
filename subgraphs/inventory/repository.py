"""The only queries of counters and reservations. All counters of a product move with one guarded update."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from pymongo import ReturnDocument

from core.ids import new_id
from core.mongo import Database, Row, Session
from core.paging import Page, PageRequest, find_page
from subgraphs.inventory.model import (
    MAIN_WAREHOUSE,
    MAX_ON_HAND,
    CounterChange,
    MovementKind,
    Pick,
    Reservation,
    ReservationStatus,
    Shelf,
    StockLevel,
    StockPolicy,
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

    async def put_into_main_warehouse(self) -> None:
        """Say of counters from before there were several warehouses that all of it is in the main one.

        Reservations and ledger stay as they were written: where they name no warehouse, it is the main one.
        """
        counters = {"on_hand": "$on_hand", "reserved": "$reserved", "available": "$available"}
        values = {"warehouses": {MAIN_WAREHOUSE: counters}, "backorder_limit": 0}
        await self._stock.update_many({"warehouses": {"$exists": False}}, [{"$set": values}])

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
            {"_id": product_id}, {"$setOnInsert": level_row(0, now=now)}, upsert=True, session=session
        )

    async def adjust_level(
        self, product_id: str, warehouse_id: str, delta: int, *, now: datetime, session: Session
    ) -> StockLevel | None:
        """Add *delta* to what is on hand and return the counters; None when there is not enough, or too much."""
        here = f"warehouses.{warehouse_id}"
        guard = (
            {"available": {"$gte": -delta}, f"{here}.available": {"$gte": -delta}}
            if delta < 0
            else {"on_hand": {"$lte": MAX_ON_HAND - delta}}
        )
        moves = dict.fromkeys(("on_hand", "available", f"{here}.on_hand", f"{here}.available"), delta)
        # So that no shelf is without one of its counters
        moves[f"{here}.reserved"] = 0
        return await self._move(product_id, guard, moves, now, session)

    async def set_policy(
        self, product_id: str, policy: StockPolicy, *, now: datetime, session: Session
    ) -> StockLevel | None:
        """Set how a product is sold and watched; return its counters, None if it has none."""
        row = await self._stock.find_one_and_update(
            {"_id": product_id},
            {
                "$set": {
                    "backorder_limit": policy.backorder_limit,
                    "low_stock_threshold": policy.low_stock_threshold,
                    "updated_at": now,
                }
            },
            return_document=ReturnDocument.AFTER,
            session=session,
        )
        return None if row is None else _level_from(row)

    async def transfer_level(
        self, product_id: str, from_id: str, to_id: str, quantity: int, *, now: datetime, session: Session
    ) -> StockLevel | None:
        """Move pieces between warehouses and return the counters; None when too few are available at the first."""
        moves: dict[str, int] = {}
        for warehouse_id, amount in ((from_id, -quantity), (to_id, quantity)):
            here = f"warehouses.{warehouse_id}"
            moves |= {f"{here}.on_hand": amount, f"{here}.available": amount, f"{here}.reserved": 0}
        guard = {f"warehouses.{from_id}.available": {"$gte": quantity}}
        return await self._move(product_id, guard, moves, now, session)

    async def apply_change(
        self, product_id: str, picks: Sequence[Pick], change: CounterChange, *, now: datetime, session: Session
    ) -> StockLevel | None:
        """Move the counters of one product by all *picks*, which are its own; return them as they are then.

        None, with nothing changed, if more would be taken than can be sold or the warehouses have, or more given back
        than is reserved.
        """
        quantity = sum(pick.quantity for pick in picks)
        amounts = {"on_hand": change.on_hand, "reserved": change.reserved, "available": change.available}
        moves = {name: amount * quantity for name, amount in amounts.items()}
        guard: Row = {}
        if change.available < 0:
            guard["$expr"] = {"$gte": [{"$add": ["$available", "$backorder_limit"]}, quantity]}
        for pick in picks:
            here = f"warehouses.{pick.warehouse_id}"
            for name, amount in amounts.items():
                moves[f"{here}.{name}"] = amount * pick.quantity
            there = pick.quantity - pick.owed
            if change.available < 0 and there:
                guard[f"{here}.available"] = {"$gte": there}
            if change.reserved < 0:
                guard[f"{here}.reserved"] = {"$gte": pick.quantity}
        return await self._move(product_id, guard, moves, now, session)

    async def record_movements(
        self,
        picks: Iterable[Pick],
        change: CounterChange,
        order_id: str,
        *,
        by: str | None,
        now: datetime,
        session: Session,
    ) -> None:
        """Write one ledger row per pick of an order."""
        rows = [
            movement_row(
                pick.product_id,
                change.kind,
                now,
                on_hand=change.on_hand * pick.quantity,
                reserved=change.reserved * pick.quantity,
                order_id=order_id,
                by=by,
                warehouse_id=pick.warehouse_id,
            )
            for pick in picks
        ]
        if rows:
            await self._movements.insert_many(rows, session=session)

    async def insert_movements(self, rows: Sequence[Row], *, session: Session) -> None:
        """Write ledger rows; raise DuplicateKeyError when the idempotency key of one was used before."""
        for row in rows:
            # One by one: an error of many at once does not tell a used key from a conflict
            await self._movements.insert_one(row, session=session)

    async def find_by_key(self, key: str) -> Row | None:
        """Return the ledger row that was written with *key*, None if there is none."""
        # The type is said because the index has strings only, and the planner does not conclude it from the value
        return await self._movements.find_one({"idempotency_key": {"$eq": key, "$type": "string"}})

    async def insert_reservation(self, reservation: Reservation, *, now: datetime, session: Session) -> None:
        """Add a reservation; raise DuplicateKeyError when the order has one."""
        row: Row = {
            "_id": reservation.order_id,
            "lines": _pick_rows(reservation.picks),
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
        self, before: Reservation, after: Reservation, *, now: datetime, session: Session
    ) -> bool:
        """Write status and picks of *after*; return False if the reservation is not in the status of *before*."""
        values: Row = {"status": after.status.value, "updated_at": now}
        if after.picks != before.picks:
            values["lines"] = _pick_rows(after.picks)
        result = await self._reservations.update_one(
            {"_id": before.order_id, "status": before.status.value}, {"$set": values}, session=session
        )
        return result.matched_count == 1

    async def find_overdue(self, expired_before: datetime, *, limit: int) -> list[str]:
        """Return the orders whose reservation is HELD and expired before the given time, the oldest first."""
        query = {"status": _HELD, "expires_at": {"$lt": expired_before}}
        rows = self._reservations.find(query, {"_id": 1}).sort("expires_at", 1).limit(limit)
        return [row["_id"] async for row in rows]

    async def find_first_expiry(self) -> datetime | None:
        """Return when the first of the HELD reservations ends, None if there is none."""
        row = await self._reservations.find_one({"status": _HELD}, {"expires_at": 1}, sort=[("expires_at", 1)])
        return None if row is None else row["expires_at"]

    async def find_overdue_of(
        self, product_ids: Sequence[str], expired_before: datetime, *, limit: int, session: Session | None = None
    ) -> list[Reservation]:
        """Return HELD reservations of any of the products that expired before the given time."""
        query = _overdue_of(product_ids, expired_before)
        # Said, because the planner may find the other index as good, which has all products' in it
        rows = self._reservations.find(query, session=session).hint("held_by_product").limit(limit)
        return [_reservation_from(row) async for row in rows]

    async def count_overdue(
        self, product_ids: Sequence[str], expired_before: datetime, *, session: Session | None = None
    ) -> dict[str, dict[str, int]]:
        """Return per product and warehouse how much HELD reservations hold that expired before the given time."""
        stages: list[Row] = [{"$match": _overdue_of(product_ids, expired_before)}, *sum_of_lines(product_ids)]
        counts: dict[str, dict[str, int]] = {}
        async for row in await self._reservations.aggregate(stages, session=session, hint="held_by_product"):
            counts.setdefault(row["_id"]["product_id"], {})[row["_id"]["warehouse_id"]] = row["quantity"]
        return counts

    async def set_announced(self, product_id: str, available: bool, revision: int, *, session: Session) -> None:
        """Note at the counters what was announced last, and with which revision."""
        values = {"announced": available, "revision": revision}
        await self._stock.update_one({"_id": product_id}, {"$set": values}, session=session)

    async def find_untold(self, *, limit: int) -> list[str]:
        """Return some products that can be bought and were never announced."""
        sellable = {"$add": ["$available", "$backorder_limit"]}
        query = {"announced": {"$exists": False}, "$expr": {"$gt": [sellable, 0]}}
        return [row["_id"] async for row in self._stock.find(query, {"_id": 1}).limit(limit)]

    async def _move(
        self, product_id: str, guard: Row, moves: Mapping[str, int], now: datetime, session: Session
    ) -> StockLevel | None:
        row = await self._stock.find_one_and_update(
            {"_id": product_id, **guard},
            {"$inc": moves, "$set": {"updated_at": now}},
            return_document=ReturnDocument.AFTER,
            session=session,
        )
        return None if row is None else _level_from(row)


def level_row(count: int, *, now: datetime) -> Row:
    """Return the counters of a product of which *count* pieces are in the main warehouse, without its id."""
    counters = {"on_hand": count, "reserved": 0, "available": count}
    return {**counters, "warehouses": {MAIN_WAREHOUSE: counters}, "backorder_limit": 0, "updated_at": now}


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
    warehouse_id: str = MAIN_WAREHOUSE,
    counterpart_id: str | None = None,
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
        "warehouse_id": warehouse_id,
        "counterpart_id": counterpart_id,
    }


def sum_of_lines(product_ids: Sequence[str]) -> list[Row]:
    """Return the stages that add up reservations' lines by product and warehouse."""
    warehouse = {"$ifNull": ["$lines.warehouse_id", MAIN_WAREHOUSE]}
    return [
        {"$unwind": "$lines"},
        {"$match": {"lines.product_id": {"$in": list(product_ids)}}},
        {
            "$group": {
                "_id": {"product_id": "$lines.product_id", "warehouse_id": warehouse},
                "quantity": {"$sum": "$lines.quantity"},
            }
        },
    ]


def _overdue_of(product_ids: Sequence[str], expired_before: datetime) -> Row:
    return {
        "status": _HELD,
        "lines.product_id": {"$in": list(product_ids)},
        "expires_at": {"$lt": expired_before},
    }


def _level_from(row: Row) -> StockLevel:
    shelves: Mapping[str, Any] = row["warehouses"]
    return StockLevel(
        row["_id"],
        row["on_hand"],
        row["reserved"],
        row["available"],
        row["updated_at"],
        tuple(
            Shelf(warehouse_id, shelf["on_hand"], shelf["reserved"], shelf["available"])
            for warehouse_id, shelf in sorted(shelves.items())
        ),
        row["backorder_limit"],
        row.get("low_stock_threshold"),
        row.get("is_low", False),
        row.get("announced"),
        row.get("revision", 0),
    )


def _pick_rows(picks: Iterable[Pick]) -> list[Row]:
    return [
        {"product_id": pick.product_id, "quantity": pick.quantity, "warehouse_id": pick.warehouse_id} for pick in picks
    ]


def _reservation_from(row: Row) -> Reservation:
    lines: Iterable[Any] = row["lines"]
    return Reservation(
        order_id=row["_id"],
        picks=tuple(
            Pick(line["product_id"], line.get("warehouse_id") or MAIN_WAREHOUSE, line["quantity"]) for line in lines
        ),
        status=ReservationStatus(row["status"]),
        expires_at=row["expires_at"],
    )
