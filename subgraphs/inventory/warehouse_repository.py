"""Warehouses in the database."""

from datetime import UTC, datetime

from pymongo import ReturnDocument

from core.mongo import Database, Row, Session
from subgraphs.inventory.model import MAIN_WAREHOUSE, Warehouse

WAREHOUSES = "warehouses"
# The main warehouse was always there; the same in every store, so that equal stores have equal rows
ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)


class WarehouseRepository:
    """The warehouses of one database. There are few, so they are read as a whole."""

    def __init__(self, database: Database) -> None:
        self._warehouses = database[WAREHOUSES]

    async def ensure_main(self) -> None:
        """Add the main warehouse unless it is there."""
        row = {"code": "MAIN", "name": "Main warehouse", "priority": 0, "created_at": ALWAYS}
        await self._warehouses.update_one({"_id": MAIN_WAREHOUSE}, {"$setOnInsert": row}, upsert=True)

    async def find_all(self, *, session: Session | None = None) -> list[Warehouse]:
        """Return all warehouses, in the order in which orders take from them."""
        rows = self._warehouses.find({}, session=session).sort([("priority", 1), ("_id", 1)])
        return [_warehouse_from(row) async for row in rows]

    async def find_warehouses(self, warehouse_ids: list[str]) -> list[Warehouse]:
        """Return the given warehouses that exist, in any order."""
        return [_warehouse_from(row) async for row in self._warehouses.find({"_id": {"$in": warehouse_ids}})]

    async def insert(self, warehouse: Warehouse, *, session: Session) -> None:
        """Add a warehouse; raise DuplicateKeyError when its code is taken."""
        row: Row = {
            "_id": warehouse.id,
            "code": warehouse.code,
            "name": warehouse.name,
            "priority": warehouse.priority,
            "created_at": warehouse.created_at,
        }
        await self._warehouses.insert_one(row, session=session)

    async def update(
        self, warehouse_id: str, *, name: str | None, priority: int | None, session: Session
    ) -> Warehouse | None:
        """Change what is not None (something is) and return the warehouse as it is then; None if there is none."""
        values = {"name": name, "priority": priority}
        set_ = {field: value for field, value in values.items() if value is not None}
        row = await self._warehouses.find_one_and_update(
            {"_id": warehouse_id},
            {"$set": set_},
            return_document=ReturnDocument.AFTER,
            session=session,
        )
        return None if row is None else _warehouse_from(row)


def _warehouse_from(row: Row) -> Warehouse:
    return Warehouse(row["_id"], row["code"], row["name"], row["priority"], row["created_at"])
