"""Payments in MongoDB: every query of the subgraph is here. Rows are as documents.py describes them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from core.mail import Mail
from core.mongo import Database, DuplicateKeyError, Row, Session
from core.paging import Page, PageRequest, SortOrder, find_page
from subgraphs.payment.documents import PaymentRow
from subgraphs.payment.model import OPEN_STATUSES, PaymentStatus

NEWEST_FIRST: SortOrder = [("created_at", -1), ("_id", -1)]


def payment_to_row(payment: PaymentRow) -> Row:
    """Return the row of *payment*, without the fields that are None: partial indexes go by a field being there."""
    row: Row = {"_id": payment.id, **payment.model_dump(exclude_none=True, exclude={"id"})}
    row["status"] = payment.status.value
    row["history"] = [{**entry, "status": entry["status"].value} for entry in row["history"]]
    return row


class PaymentRepository:
    """The queries of one database."""

    def __init__(self, database: Database) -> None:
        self._payments = database["payments"]
        self._closed = database["closed_orders"]
        self._notifications = database["notifications"]
        self._mails = database["mails"]

    async def insert_payment(self, payment: PaymentRow) -> Row | None:
        """Insert a payment and return its row; None when its order has one already."""
        row = payment_to_row(payment)
        try:
            await self._payments.insert_one(row)
        except DuplicateKeyError:
            return None
        return row

    async def find_payment(self, payment_id: str, *, session: Session | None = None) -> Row | None:
        """Return the payment with this id."""
        return await self._payments.find_one({"_id": payment_id}, session=session)

    async def find_by_order(self, order_id: str) -> Row | None:
        """Return the payment of an order."""
        return await self._payments.find_one({"order_id": order_id})

    async def find_by_reference(self, reference: str) -> Row | None:
        """Return the payment that the gateway calls, or ever called, *reference*."""
        return await self._payments.find_one({"references": reference})

    async def find_payments(self, field: str, values: Sequence[str]) -> list[Row]:
        """Return the payments whose *field*, `_id` or `order_id`, is one of *values*."""
        return await self._payments.find({field: {"$in": list(values)}}).to_list()

    async def find_payments_page(self, query: Mapping[str, Any], page: PageRequest) -> Page[Row]:
        """Return a page of the payments that *query* finds, newest first."""
        return await find_page(self._payments, query, NEWEST_FIRST, page)

    async def record_opening(self, payment: Row, *, token: str, pay_url: str, now: datetime) -> Row | None:
        """Note where a payment is made and return it; None when it is over, or somebody else opened it."""
        return await self._payments.find_one_and_update(
            {
                "_id": payment["_id"],
                "status": PaymentStatus.PENDING,
                "reference": payment["reference"],
                "pay_url": {"$exists": False},
            },
            {"$set": {"token": token, "pay_url": pay_url, "updated_at": now}},
            return_document=True,
        )

    async def take_next_reference(self, payment: Row, *, now: datetime) -> None:
        """Give a payment that could not be opened another reference, unless somebody else just did."""
        reference = f"{payment['order_number']}-{len(payment['references']) + 1}"
        await self._payments.update_one(
            {"_id": payment["_id"], "reference": payment["reference"], "pay_url": {"$exists": False}},
            {"$set": {"reference": reference, "updated_at": now}, "$push": {"references": reference}},
        )

    async def move_payment(
        self, payment: Row, target: PaymentStatus, *, set_: Mapping[str, Any], entry: Row, session: Session
    ) -> Row | None:
        """Move a payment from the status that *payment* shows; return it as it is then, None if it had moved on."""
        update: dict[str, Any] = {"$set": {**set_, "status": target.value}, "$push": {"history": entry}}
        if target not in OPEN_STATUSES:
            update["$unset"] = {"check_due_at": ""}
        return await self._payments.find_one_and_update(
            {"_id": payment["_id"], "status": payment["status"]}, update, return_document=True, session=session
        )

    async def claim_check(self, now: datetime, next_due_at: datetime) -> Row | None:
        """Take the open payment that is longest due for a question to the gateway; None when none is due."""
        return await self._payments.find_one_and_update(
            {"check_due_at": {"$lte": now}},
            {"$set": {"check_due_at": next_due_at}, "$inc": {"checks": 1}},
            sort=[("check_due_at", 1)],
            return_document=True,
        )

    async def postpone_check(self, payment_id: str, due_at: datetime) -> None:
        """Ask about an open payment at *due_at*."""
        await self._payments.update_one(
            {"_id": payment_id, "check_due_at": {"$exists": True}}, {"$set": {"check_due_at": due_at}}
        )

    async def close_order(self, order_id: str, *, now: datetime, session: Session | None = None) -> None:
        """Have no payment opened for an order from now on."""
        await self._closed.update_one({"_id": order_id}, {"$setOnInsert": {"at": now}}, upsert=True, session=session)

    async def is_order_closed(self, order_id: str) -> bool:
        """Tell whether an order must not be paid any more."""
        return await self._closed.find_one({"_id": order_id}, projection={"_id": 1}) is not None

    async def request_stop(self, order_id: str, *, now: datetime, session: Session) -> None:
        """Have the job stop the open payment of an order at the gateway."""
        await self._payments.update_one(
            {"order_id": order_id, "status": {"$in": [status.value for status in OPEN_STATUSES]}},
            {"$set": {"stop_requested": True, "check_due_at": now}},
            session=session,
        )

    async def forget_buyer(self, buyer_id: str, *, session: Session) -> None:
        """Let go of whom a user's payments are from; what was paid, and for which order, stays."""
        await self._payments.update_many(
            {"buyer_id": buyer_id}, {"$unset": {"buyer_email": "", "buyer_name": ""}}, session=session
        )

    async def is_notification_known(self, key: str) -> bool:
        """Tell whether a notification was acted on."""
        return await self._notifications.find_one({"_id": key}, projection={"_id": 1}) is not None

    async def remember_notification(self, key: str, payment_id: str, *, now: datetime) -> None:
        """Note that a notification was acted on."""
        await self._notifications.update_one(
            {"_id": key}, {"$setOnInsert": {"payment_id": payment_id, "at": now}}, upsert=True
        )

    async def queue_mail(self, mail: Mail, *, now: datetime, session: Session) -> None:
        """Have *mail* sent once the transaction commits."""
        row: Row = {"to": mail.to, "subject": mail.subject, "text": mail.text, "due_at": now, "attempts": 0}
        await self._mails.update_one({"_id": mail.id}, {"$setOnInsert": row}, upsert=True, session=session)

    async def claim_mail(self, now: datetime, next_due_at: datetime) -> Row | None:
        """Take the mail that is longest due; None when none is."""
        return await self._mails.find_one_and_update(
            {"due_at": {"$lte": now}},
            {"$set": {"due_at": next_due_at}, "$inc": {"attempts": 1}},
            sort=[("due_at", 1)],
            return_document=True,
        )

    async def mark_mail_sent(self, mail_id: str, *, now: datetime) -> None:
        """Note that a mail is out."""
        await self._mails.update_one({"_id": mail_id}, {"$set": {"sent_at": now}, "$unset": {"due_at": ""}})
