"""The sandbox gateway's refunds: what was sent back of a transaction, once per `refund_key` and never more than it was.

Midtrans refunds no bank transfers by its API; here everything that was settled can be refunded, for trials.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo.asynchronous.collection import AsyncCollection

from core.money import Money, parse_money
from core.mongo import Row
from subgraphs.payment.gateways.midtrans_format import write_gross_amount, write_time

MAX_KEY = 100


@dataclass(frozen=True, slots=True)
class SandboxRefund:
    """A refund request that was checked."""

    key: str
    amount: int
    reason: str


def read_refund(body: Any, currency: str) -> SandboxRefund:
    """Read a request's body; raise KeyError, TypeError, ValueError or BadUserInput for what is none."""
    if not isinstance(body, Mapping):
        raise TypeError("it is not an object")
    key, amount = body["refund_key"], body["amount"]
    if not isinstance(key, str) or not 1 <= len(key) <= MAX_KEY:
        raise ValueError("refund_key has 1 to 100 characters")
    if isinstance(amount, bool) or not isinstance(amount, int | str):
        raise TypeError(f"{amount!r} is not an amount")
    money = parse_money(str(amount), currency)
    if money.amount <= 0:
        raise ValueError("amount must be greater than 0")
    return SandboxRefund(key, money.amount, str(body.get("reason", "")))


async def book_refund(
    transactions: AsyncCollection[Row], row: Row, refund: SandboxRefund, *, now: datetime
) -> tuple[Row | None, str, str]:
    """Book *refund* on the transaction *row*; return it as it is then if that changed it, status code and message."""
    refunded = {"$add": [{"$ifNull": ["$refunded", 0]}, refund.amount]}
    entry = {"refund_key": refund.key, "amount": refund.amount, "reason": refund.reason, "created_at": now}
    booked = await transactions.find_one_and_update(
        {
            "_id": row["_id"],
            "status": {"$in": ["settlement", "partial_refund"]},
            "refunds.refund_key": {"$ne": refund.key},
            "$expr": {"$lte": [refunded, "$gross"]},
        },
        [
            {
                "$set": {
                    "refunded": refunded,
                    "refunds": {"$concatArrays": [{"$ifNull": ["$refunds", []]}, [{"$literal": entry}]]},
                    "status": {"$cond": [{"$eq": [refunded, "$gross"]}, "refund", "partial_refund"]},
                }
            }
        ],
        return_document=True,
    )
    if booked is not None:
        return booked, "200", "Success, refund request is approved"
    current = await transactions.find_one({"_id": row["_id"]}) or row
    for earlier in current.get("refunds", ()):
        if earlier["refund_key"] == refund.key:
            if earlier["amount"] == refund.amount:
                return None, "200", "Success, refund request is approved"
            return None, "406", "refund_key has already been used for another amount"
    if current["status"] not in ("settlement", "partial_refund"):
        return None, "412", "Merchant cannot modify the status of the transaction"
    return None, "414", "Refund amount is more than what is left of the transaction"


def describe_refunds(row: Row, *, confirmed_at: datetime | None = None) -> list[Row]:
    """Return the refunds of a transaction as notifications and Get Status show them."""
    described = []
    for number, refund in enumerate(row["refunds"], start=1):
        entry: Row = {
            "refund_chargeback_id": number,
            "refund_amount": write_gross_amount(Money(refund["amount"], row["currency"])),
            "created_at": write_time(refund["created_at"]),
            "reason": refund["reason"],
            "refund_key": refund["refund_key"],
            "refund_method": "online",
        }
        if confirmed_at is not None:
            entry["bank_confirmed_at"] = write_time(confirmed_at)
        described.append(entry)
    return described
