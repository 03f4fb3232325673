"""Who waits for which product in the database. A buyer is an id here: names and addresses are the user subgraph's."""

from collections.abc import Sequence
from datetime import datetime

from core.mongo import Database, Row, Session
from subgraphs.inventory.model import Wait

WAITS = "stock_waits"
RETURNS = "stock_returns"


class WaitingRepository:
    """Waits, and marks of products that have come back, in one database."""

    def __init__(self, database: Database) -> None:
        self._waits = database[WAITS]
        self._returns = database[RETURNS]

    async def insert_wait(self, wait: Wait) -> None:
        """Add a wait, unless the user waits for the product already."""
        row: Row = {"product_id": wait.product_id, "user_id": wait.user_id, "created_at": wait.created_at}
        await self._waits.update_one({"_id": wait.id}, {"$setOnInsert": row}, upsert=True)

    async def find_wait(self, wait_id: str) -> Wait | None:
        """Return a wait."""
        row = await self._waits.find_one({"_id": wait_id})
        return None if row is None else _wait_from(row)

    async def find_waits_of(self, user_id: str, *, limit: int) -> list[Wait]:
        """Return what a user waits for, the newest first."""
        rows = self._waits.find({"user_id": user_id}).sort([("created_at", -1), ("_id", 1)]).limit(limit)
        return [_wait_from(row) async for row in rows]

    async def find_waiting(self, product_id: str, *, limit: int, session: Session) -> list[Wait]:
        """Return some of those who wait for a product."""
        rows = self._waits.find({"product_id": product_id}, session=session).limit(limit)
        return [_wait_from(row) async for row in rows]

    async def delete_waits(self, wait_ids: Sequence[str], *, session: Session | None = None) -> int:
        """Delete waits and return how many there were."""
        result = await self._waits.delete_many({"_id": {"$in": list(wait_ids)}}, session=session)
        return result.deleted_count

    async def delete_waits_of(self, user_id: str, *, session: Session) -> None:
        """Delete all that a user waits for."""
        await self._waits.delete_many({"user_id": user_id}, session=session)

    async def mark_returned(self, product_id: str, *, now: datetime, session: Session | None = None) -> None:
        """Note that a product is available again."""
        await self._returns.update_one({"_id": product_id}, {"$set": {"at": now}}, upsert=True, session=session)

    async def find_returned(self, *, limit: int) -> list[tuple[str, datetime]]:
        """Return products that have come back, and when, the longest ago first."""
        rows = self._returns.find().sort([("at", 1), ("_id", 1)]).limit(limit)
        return [(row["_id"], row["at"]) async for row in rows]

    async def unmark_returned(self, product_id: str, at: datetime) -> None:
        """Drop the mark of *at*, not one that was made since."""
        await self._returns.delete_one({"_id": product_id, "at": at})


def _wait_from(row: Row) -> Wait:
    return Wait(row["product_id"], row["user_id"], row["created_at"])
