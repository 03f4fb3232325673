"""Refunds in MongoDB, and what they change of their payments. Rows are as documents.py describes them."""

from collections.abc import Sequence
from datetime import datetime

from core.mongo import Database, Row, Session
from subgraphs.payment.model import RefundStatus


class RefundRepository:
    """The queries of one database."""

    def __init__(self, database: Database) -> None:
        self._refunds = database["refunds"]
        self._payments = database["payments"]

    async def insert_refund(self, row: Row, *, session: Session) -> None:
        """Insert a refund; raise DuplicateKeyError when its payment has one with this idempotency key."""
        await self._refunds.insert_one(row, session=session)

    async def find_refund(self, refund_id: str) -> Row | None:
        """Return the refund with this id."""
        return await self._refunds.find_one({"_id": refund_id})

    async def find_by_key(self, payment_id: str, idempotency_key: str, *, session: Session | None = None) -> Row | None:
        """Return the refund of a payment that was asked for with this key."""
        query = {"payment_id": payment_id, "idempotency_key": idempotency_key}
        return await self._refunds.find_one(query, session=session)

    async def find_refunds(self, payment_ids: Sequence[str]) -> list[Row]:
        """Return the refunds of the payments, in any order."""
        return await self._refunds.find({"payment_id": {"$in": list(payment_ids)}}).to_list()

    async def claim_due(self, now: datetime, next_due_at: datetime) -> Row | None:
        """Take the refund that is longest due; None when none is."""
        return await self._refunds.find_one_and_update(
            {"due_at": {"$lte": now}},
            {"$set": {"due_at": next_due_at}, "$inc": {"attempts": 1}},
            sort=[("due_at", 1)],
            return_document=True,
        )

    async def postpone(self, refund_id: str, due_at: datetime | None) -> None:
        """Try a refund again at *due_at*; None: not any more by itself."""
        update: Row = {"$set": {"due_at": due_at}} if due_at is not None else {"$unset": {"due_at": ""}}
        await self._refunds.update_one({"_id": refund_id, "due_at": {"$exists": True}}, update)

    async def finish(
        self, refund_id: str, status: RefundStatus, *, now: datetime, failure: str | None, session: Session
    ) -> Row | None:
        """Note how a refund ended; return it, None when that is known already."""
        set_: Row = {"status": status.value, "finished_at": now}
        if failure is not None:
            set_["failure"] = failure
        return await self._refunds.find_one_and_update(
            {"_id": refund_id, "status": RefundStatus.REQUESTED},
            {"$set": set_, "$unset": {"due_at": ""}},
            return_document=True,
            session=session,
        )

    async def reserve_amount(self, payment: Row, amount: int, *, now: datetime, session: Session) -> bool:
        """Set *amount* of a payment aside for a refund; return False when so much of it is not left."""
        reserved = {"$add": [{"$ifNull": ["$refund_amount", 0]}, amount]}
        result = await self._payments.update_one(
            {"_id": payment["_id"], "status": payment["status"], "$expr": {"$lte": [reserved, "$captured_amount"]}},
            {"$inc": {"refund_amount": amount}, "$set": {"updated_at": now}},
            session=session,
        )
        return result.matched_count == 1

    async def count_ended(
        self, payment_id: str, *, reserved: int, refunded: int, now: datetime, session: Session
    ) -> Row:
        """Add to what is set aside and to what was sent back of a payment; return it as it is then."""
        payment = await self._payments.find_one_and_update(
            {"_id": payment_id},
            {"$inc": {"refund_amount": reserved, "refunded_amount": refunded}, "$set": {"updated_at": now}},
            return_document=True,
            session=session,
        )
        if payment is None:
            raise RuntimeError(f"payment {payment_id} of a refund is gone")
        return payment
