"""Checkouts in MongoDB: the record of how far each one has come.

A step is a guarded update from the state in which it began. Two workers may carry out one step at the same time, for
the steps are idempotent; the first to write decides, and the other goes on from what it finds.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from core.mongo import Database, DuplicateKeyError, Row, Session
from subgraphs.order.checkout_steps import FINAL_STATES, check_step
from subgraphs.order.documents import CheckoutState


class CheckoutRepository:
    """The queries on checkouts."""

    def __init__(self, database: Database) -> None:
        self._checkouts = database["checkouts"]

    async def find_by_key(self, buyer_id: str, idempotency_key: str) -> Row | None:
        """Return the checkout that a buyer began with this key."""
        return await self._checkouts.find_one({"buyer_id": buyer_id, "idempotency_key": idempotency_key})

    async def find_checkout(self, order_id: str) -> Row | None:
        """Return the checkout that makes this order."""
        return await self._checkouts.find_one({"_id": order_id})

    async def insert_checkout(self, row: Row) -> bool:
        """Insert a new checkout; return False when its buyer has used the key."""
        try:
            await self._checkouts.insert_one(row)
        except DuplicateKeyError:
            return False
        return True

    async def move_checkout(
        self,
        order_id: str,
        source: CheckoutState,
        target: CheckoutState,
        set_: Mapping[str, Any],
        *,
        now: datetime,
        session: Session | None = None,
    ) -> Row | None:
        """Move a checkout from *source* to *target*; return it as it is then, None when it has left *source* before."""
        check_step(source, target)
        update: dict[str, Any] = {"$set": {**set_, "state": target, "updated_at": now}}
        if target in FINAL_STATES:
            update["$unset"] = {"due_at": ""}
        return await self._checkouts.find_one_and_update(
            {"_id": order_id, "state": source}, update, return_document=True, session=session
        )

    async def find_due(self, now: datetime, limit: int) -> list[Row]:
        """Return unfinished checkouts that somebody must take up, longest overdue first."""
        return await self._checkouts.find({"due_at": {"$lte": now}}).sort("due_at", 1).limit(limit).to_list()

    async def claim_due(self, row: Row, *, now: datetime, next_due_at: datetime) -> bool:
        """Take up a checkout; return False when it is finished or somebody else has it."""
        result = await self._checkouts.update_one(
            {"_id": row["_id"], "due_at": row["due_at"]},
            {"$set": {"due_at": next_due_at, "updated_at": now}, "$inc": {"attempts": 1}},
        )
        return result.matched_count == 1
