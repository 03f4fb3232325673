"""Reading the ledger, and comparing it with counters and reservations."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from core.mongo import Database, Row, Session
from core.paging import Page, PageRequest, find_page
from subgraphs.inventory.model import MAIN_WAREHOUSE, Movement, MovementKind, ReservationStatus
from subgraphs.inventory.repository import MOVEMENTS, RESERVATIONS, STOCK, movement_row, sum_of_lines


@dataclass(frozen=True, slots=True)
class Counters:
    """How much is on hand, and how much of it is reserved."""

    on_hand: int = 0
    reserved: int = 0


Shelves: TypeAlias = Mapping[str, Counters]
"""Counters by warehouse; those where nothing is on hand and nothing reserved are left out."""


@dataclass(frozen=True, slots=True)
class StoredCounters:
    """A product's counters as stored. *add_up* tells whether total, warehouses and availables agree."""

    total: Counters
    shelves: Shelves
    add_up: bool


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
    ) -> dict[str, StoredCounters]:
        """Return the counters of the products that have any, as they are stored."""
        rows = self._stock.find({"_id": {"$in": list(product_ids)}}, session=session)
        return {row["_id"]: _stored_from(row) async for row in rows}

    async def sum_ledger(self, product_ids: Sequence[str], *, session: Session | None = None) -> dict[str, Shelves]:
        """Return the sums of the products' movements, by warehouse."""
        warehouse = {"$ifNull": ["$warehouse_id", MAIN_WAREHOUSE]}
        stages: list[Row] = [
            {"$match": {"product_id": {"$in": list(product_ids)}}},
            {
                "$group": {
                    "_id": {"product_id": "$product_id", "warehouse_id": warehouse},
                    "on_hand": {"$sum": "$on_hand"},
                    "reserved": {"$sum": "$reserved"},
                }
            },
        ]
        sums: dict[str, dict[str, Counters]] = {}
        async for row in await self._movements.aggregate(stages, session=session, hint="by_product"):
            shelves = sums.setdefault(row["_id"]["product_id"], {})
            shelves[row["_id"]["warehouse_id"]] = Counters(row["on_hand"], row["reserved"])
        return {product_id: _without_empty(shelves) for product_id, shelves in sums.items()}

    async def sum_held(
        self, product_ids: Sequence[str], *, session: Session | None = None
    ) -> dict[str, dict[str, int]]:
        """Return how many pieces of the products HELD reservations hold, by warehouse."""
        held = {"status": ReservationStatus.HELD.value, "lines.product_id": {"$in": list(product_ids)}}
        stages: list[Row] = [{"$match": held}, *sum_of_lines(product_ids)]
        sums: dict[str, dict[str, int]] = {}
        async for row in await self._reservations.aggregate(stages, session=session, hint="held_by_product"):
            sums.setdefault(row["_id"]["product_id"], {})[row["_id"]["warehouse_id"]] = row["quantity"]
        return sums

    async def set_counters(self, product_id: str, shelves: Shelves, *, now: datetime, session: Session) -> None:
        """Write a product's counters, also where it had none."""
        total = add_up(shelves)
        values: Row = {
            **_counters_row(total),
            "warehouses": {warehouse_id: _counters_row(each) for warehouse_id, each in shelves.items()},
            "updated_at": now,
        }
        await self._stock.update_one(
            {"_id": product_id},
            {"$set": values, "$setOnInsert": {"backorder_limit": 0}},
            upsert=True,
            session=session,
        )

    async def correct_reserved(
        self, product_id: str, missing: Mapping[str, int], *, reason: str, by: str, now: datetime, session: Session
    ) -> None:
        """Write into the ledger that so many more pieces, by warehouse, are reserved than it knew of."""
        rows = [
            movement_row(
                product_id,
                MovementKind.CORRECTED,
                now,
                reserved=reserved,
                reason=reason,
                by=by,
                warehouse_id=warehouse_id,
            )
            for warehouse_id, reserved in sorted(missing.items())
        ]
        await self._movements.insert_many(rows, session=session)


def add_up(shelves: Shelves) -> Counters:
    """Return the total over all warehouses."""
    return Counters(sum(each.on_hand for each in shelves.values()), sum(each.reserved for each in shelves.values()))


def _counters_row(counters: Counters) -> Row:
    return {
        "on_hand": counters.on_hand,
        "reserved": counters.reserved,
        "available": counters.on_hand - counters.reserved,
    }


def _stored_from(row: Row) -> StoredCounters:
    stored: Mapping[str, Row] = row["warehouses"]
    shelves = {name: Counters(each["on_hand"], each["reserved"]) for name, each in sorted(stored.items())}
    total = Counters(row["on_hand"], row["reserved"])
    availables = [(row["available"], total), *((stored[name]["available"], shelves[name]) for name in shelves)]
    return StoredCounters(
        total,
        _without_empty(shelves),
        add_up(shelves) == total
        and all(available == counters.on_hand - counters.reserved for available, counters in availables),
    )


def _without_empty(shelves: Mapping[str, Counters]) -> Shelves:
    return {name: each for name, each in sorted(shelves.items()) if each != Counters()}


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
        warehouse_id=row.get("warehouse_id") or MAIN_WAREHOUSE,
    )
