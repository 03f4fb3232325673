"""Reading the ledger, and comparing it with counters and reservations."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.mongo import Database, Row, Session
from core.paging import Page, PageRequest, find_page
from subgraphs.inventory.model import Movement, MovementKind, ReservationStatus
from subgraphs.inventory.repository import MOVEMENTS, RESERVATIONS, STOCK, movement_row


@dataclass(frozen=True, slots=True)
class Counters:
    """What is on hand of a product, and how much of it is reserved."""

    on_hand: int = 0
    reserved: int = 0


class LedgerRepository:
    """The ledger in one database, with the counters that are its sums."""

    def __init__(self, database: Database) -> None:
        self._stock = database[STOCK]
        self._reservations = database[RESERVATIONS]
        self._movements = database[MOVEMENTS]

    async def find_movement_page(self, product_id: str, page: PageRequest) -> Page[Movement]:
        """Return a page of a product's movements, the newest first."""
        found = await find_page(self._movements, {"product_id": product_id}, (("_id", -1),), page, hint="by_product")
        return Page(tuple(map(_movement_from, found.rows)), found.cursors, found.has_next, found.has_previous)

    async def walk_products(self, batch: int) -> AsyncIterator[list[str]]:
        """Yield the ids of all products with counters, in order, *batch* at a time."""
        last = ""
        while True:
            query = {"_id": {"$gt": last}}
            rows = await self._stock.find(query, {"_id": 1}).sort("_id", 1).limit(batch).to_list()
            if not rows:
                return
            yield [row["_id"] for row in rows]
            last = rows[-1]["_id"]

    async def walk_ledger(self, batch: int) -> AsyncIterator[list[str]]:
        """Yield the ids of all products that the ledger names, *batch* at a time."""
        stages: list[Row] = [{"$sort": {"product_id": 1}}, {"$group": {"_id": "$product_id"}}]
        ids: list[str] = []
        # Such a group reads one key per product from the index, not one per movement
        async for row in await self._movements.aggregate(stages, hint="by_product"):
            ids.append(row["_id"])
            if len(ids) == batch:
                yield ids
                ids = []
        if ids:
            yield ids

    async def find_counters(
        self, product_ids: Sequence[str], *, session: Session | None = None
    ) -> dict[str, tuple[Counters, int]]:
        """Return, for products that have them, counters and what is stored as available."""
        rows = self._stock.find({"_id": {"$in": list(product_ids)}}, session=session)
        return {row["_id"]: (Counters(row["on_hand"], row["reserved"]), row["available"]) async for row in rows}

    async def sum_ledger(self, product_ids: Sequence[str], *, session: Session | None = None) -> dict[str, Counters]:
        """Return the sums of the products' movements."""
        stages: list[Row] = [
            {"$match": {"product_id": {"$in": list(product_ids)}}},
            {
                "$group": {
                    "_id": "$product_id",
                    "on_hand": {"$sum": "$on_hand"},
                    "reserved": {"$sum": "$reserved"},
                }
            },
        ]
        rows = await self._movements.aggregate(stages, session=session, hint="by_product")
        return {row["_id"]: Counters(row["on_hand"], row["reserved"]) async for row in rows}

    async def sum_held(self, product_ids: Sequence[str], *, session: Session | None = None) -> dict[str, int]:
        """Return how many pieces of the products HELD reservations hold."""
        wanted = {"$in": list(product_ids)}
        stages: list[Row] = [
            {"$match": {"status": ReservationStatus.HELD.value, "lines.product_id": wanted}},
            {"$unwind": "$lines"},
            {"$match": {"lines.product_id": wanted}},
            {"$group": {"_id": "$lines.product_id", "quantity": {"$sum": "$lines.quantity"}}},
        ]
        rows = await self._reservations.aggregate(stages, session=session, hint="held_by_product")
        return {row["_id"]: row["quantity"] async for row in rows}

    async def set_counters(self, product_id: str, counters: Counters, *, now: datetime, session: Session) -> None:
        """Write a product's counters, also where it had none."""
        values: Row = {
            "on_hand": counters.on_hand,
            "reserved": counters.reserved,
            "available": counters.on_hand - counters.reserved,
            "updated_at": now,
        }
        await self._stock.update_one({"_id": product_id}, {"$set": values}, upsert=True, session=session)

    async def correct_reserved(
        self, product_id: str, reserved: int, *, reason: str, by: str, now: datetime, session: Session
    ) -> None:
        """Write into the ledger that *reserved* more pieces are reserved than it knew of."""
        row = movement_row(product_id, MovementKind.CORRECTED, now, reserved=reserved, reason=reason, by=by)
        await self._movements.insert_one(row, session=session)


def _movement_from(row: Row) -> Movement:
    return Movement(
        id=row["_id"],
        product_id=row["product_id"],
        kind=MovementKind(row["kind"]),
        on_hand=row["on_hand"],
        reserved=row["reserved"],
        order_id=row["order_id"],
        reason=row["reason"],
        by=row["by"],
        at=row["at"],
    )
