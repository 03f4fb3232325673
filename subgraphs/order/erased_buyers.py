"""What orders keep of a buyer whose account was erased: an id without a person behind it.

What was sold, when, for how much and to which city and country stays: the law wants books, and a store wants to know
where its parcels go; a city alone leads to nobody. Name, e-mail address, phone, street, postal code, note, the buyer's
own reasons, tracking numbers (which lead to the address at the carrier's) and what the store has noted go. Sums and
totals do not change.

An account cannot be erased while an order of it is open. Yet for as long as its last access token lives, one may still
be placed, and then its parcel needs the address: such an order is left alone until it is over. So the event only notes
the buyer, and a job does the work, again and again until nothing is left to be done.
"""

from datetime import datetime, timedelta
from typing import Any

from core.clock import Clock
from core.identity import Identity
from core.mongo import Database, Row, Session
from core.service_calls import require_caller
from subgraphs.order.carts import cart_id
from subgraphs.order.checkout_steps import FINAL_STATES
from subgraphs.order.discount_repository import DiscountRepository
from subgraphs.order.model import OPEN_STATUSES, OVER_STATUSES, ActorKind

# In place of what cannot be null
ERASED = "erased"
# Long after the last access token of an erased account
WATCH_FOR = timedelta(days=1)
LOOK_AGAIN_AFTER = timedelta(hours=1)
# Buyers that one run of the job takes
BATCH = 100


class ErasedBuyers:
    """Notes buyers whose accounts are erased, and lets go of what their orders say about them."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._orders = database["orders"]
        self._checkouts = database["checkouts"]
        self._carts = database["carts"]
        self._erased = database["erased_buyers"]
        self._discounts = DiscountRepository(database)
        self._clock = clock

    async def count_open_orders(self, buyer_id: str, caller: Identity) -> int:
        """Return how many orders of a buyer are unpaid, on their way, or about to be placed, for another subgraph."""
        require_caller(caller, "openOrderCount")
        orders = await self._orders.count_documents(
            {"buyer_id": buyer_id, "status": {"$in": [status.value for status in OPEN_STATUSES]}}
        )
        return orders + await self._checkouts.count_documents(_unfinished_checkouts(buyer_id))

    async def note(self, buyer_id: str, *, session: Session) -> None:
        """Have the job let go of what is known about a buyer."""
        now = self._clock.now()
        await self._erased.update_one(
            {"_id": buyer_id}, {"$set": {"due_at": now}, "$setOnInsert": {"at": now}}, upsert=True, session=session
        )

    async def anonymise_due(self, now: datetime) -> None:
        """Anonymise what is over of the noted buyers; forget a buyer when nothing can come any more. Safe to repeat."""
        for row in await self._erased.find({"due_at": {"$lte": now}}).sort("due_at", 1).limit(BATCH).to_list():
            await self._anonymise(row["_id"], now)
            if now >= row["at"] + WATCH_FOR and not await self._is_something_open(row["_id"]):
                await self._erased.delete_one({"_id": row["_id"]})
            else:
                await self._erased.update_one({"_id": row["_id"]}, {"$set": {"due_at": now + LOOK_AGAIN_AFTER}})

    async def _anonymise(self, buyer_id: str, now: datetime) -> None:
        await self._carts.delete_one({"_id": cart_id(buyer_id)})
        await self._discounts.forget_buyer(buyer_id)
        await self._checkouts.update_many(
            {"buyer_id": buyer_id, "state": {"$in": sorted(FINAL_STATES)}},
            {"$set": {"fingerprint": ERASED}, "$unset": {"address": "", "note": "", "buyer": ""}},
        )
        # `updated_at` stays: to whoever follows changes, nothing has changed that they may see
        await self._orders.update_many(
            {
                "buyer_id": buyer_id,
                "status": {"$in": [status.value for status in OVER_STATUSES]},
                "buyer_erased_at": {"$exists": False},
            },
            _anonymous_order(now),
        )

    async def _is_something_open(self, buyer_id: str) -> bool:
        left = {"buyer_id": buyer_id, "buyer_erased_at": {"$exists": False}}
        return (
            await self._orders.find_one(left, {"_id": 1}) is not None
            or await self._checkouts.find_one(_unfinished_checkouts(buyer_id), {"_id": 1}) is not None
        )


def _unfinished_checkouts(buyer_id: str) -> Row:
    return {"buyer_id": buyer_id, "state": {"$nin": sorted(FINAL_STATES)}}


def _anonymous_order(now: datetime) -> list[dict[str, Any]]:
    """Return the update, as a pipeline, for it takes parts of what is there."""
    address = {
        "recipient": ERASED,
        "line1": ERASED,
        "postal_code": ERASED,
        "city": "$shipping_address.city",
        "country": "$shipping_address.country",
    }
    has_address = {"$eq": [{"$type": "$shipping_address"}, "object"]}
    is_buyers = {"$eq": ["$$entry.kind", ActorKind.BUYER.value]}
    without_reason = {"$unsetField": {"field": "reason", "input": "$$entry"}}
    is_asked_by_buyer = {"$eq": ["$$return.kind", ActorKind.BUYER.value]}
    returns = {
        "$map": {
            "input": "$returns",
            "as": "return",
            "in": {"$cond": [is_asked_by_buyer, {"$mergeObjects": ["$$return", {"reason": ERASED}]}, "$$return"]},
        }
    }
    notes = {
        "$map": {
            "input": "$staff_notes",
            "as": "note",
            "in": {"$mergeObjects": ["$$note", {"text": ERASED}]},
        }
    }
    return [
        {
            "$set": {
                "buyer_erased_at": now,
                "version": {"$add": ["$version", 1]},
                "shipping_address": {"$cond": [has_address, address, "$$REMOVE"]},
                "returns": {"$cond": [{"$isArray": "$returns"}, returns, "$$REMOVE"]},
                "staff_notes": {"$cond": [{"$isArray": "$staff_notes"}, notes, "$$REMOVE"]},
                "history": {
                    "$map": {
                        "input": "$history",
                        "as": "entry",
                        "in": {"$cond": [is_buyers, without_reason, "$$entry"]},
                    }
                },
                "shipments": {
                    "$map": {
                        "input": "$shipments",
                        "as": "shipment",
                        "in": {"$mergeObjects": ["$$shipment", {"tracking_number": ERASED}]},
                    }
                },
            }
        },
        {"$unset": ["buyer_email", "buyer_name", "note"]},
    ]
