"""Discounts in MongoDB, and the counting of their uses.

A use is counted in the transaction that places its order, and given back in the one that ends it: there is no order
without its use, and no use without an order, wherever a process dies.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

from core.mongo import Database, DuplicateKeyError, Row, Session
from core.paging import Page, PageRequest, SortOrder, find_page
from subgraphs.order.discounts import Discount, DiscountKind
from subgraphs.order.pricing import AppliedDiscount

USES = "discount_uses"
_NEWEST_FIRST: SortOrder = [("_id", -1)]
_FIELDS = tuple(field.name for field in fields(Discount) if field.name != "id")


class UsedUp(Exception):
    """A discount's last use was taken meanwhile, in all or of this buyer."""

    def __init__(self, code: str, *, by_buyer: bool) -> None:
        super().__init__(code)
        self.code = code
        self.by_buyer = by_buyer


class DiscountRepository:
    """The queries on discounts, on their uses, and on codes that were guessed at."""

    def __init__(self, database: Database) -> None:
        self._discounts = database["discounts"]
        self._uses = database[USES]
        self._guesses = database["code_guesses"]

    async def insert_discount(self, discount: Discount, *, session: Session) -> None:
        """Insert a discount; raise DuplicateKeyError when its code is taken."""
        row: Row = {"_id": discount.id, **_to_row(discount), "updated_at": discount.created_at}
        await self._discounts.insert_one(row, session=session)

    async def find_discount(self, discount_id: str, *, session: Session | None = None) -> Discount | None:
        """Return the discount with this id."""
        row = await self._discounts.find_one({"_id": discount_id}, session=session)
        return None if row is None else read_discount(row)

    async def find_by_codes(self, codes: Sequence[str]) -> dict[str, Discount]:
        """Return the discounts that have one of *codes*, by code."""
        if not codes:
            return {}
        rows = await self._discounts.find({"code": {"$in": list(codes)}}).to_list()
        return {row["code"]: read_discount(row) for row in rows}

    async def find_discounts_page(self, page: PageRequest) -> Page[Row]:
        """Return a page of all discounts, newest first; `read_discount` reads a row."""
        return await find_page(self._discounts, {}, _NEWEST_FIRST, page)

    async def change_discount(
        self, discount_id: str, set_: Mapping[str, Any], *, now: datetime, session: Session
    ) -> Discount:
        """Change a discount that was read in the same transaction, and return it as it is afterwards."""
        row = await self._discounts.find_one_and_update(
            {"_id": discount_id},
            {"$set": {**set_, "updated_at": now}},
            return_document=True,
            session=session,
        )
        if row is None:
            raise RuntimeError(f"discount {discount_id} is gone")
        return read_discount(row)

    async def count_uses(self, buyer_id: str, discount_ids: Sequence[str]) -> dict[str, int]:
        """Return how many orders of a buyer use each of the discounts."""
        if not discount_ids:
            return {}
        ids = {_use_id(buyer_id, discount_id): discount_id for discount_id in discount_ids}
        rows = await self._uses.find({"_id": {"$in": list(ids)}}).to_list()
        return {ids[row["_id"]]: row["number"] for row in rows}

    async def take_uses(self, buyer_id: str, applied: Sequence[AppliedDiscount], *, session: Session) -> None:
        """Count a use of each discount for an order, in the transaction that places it.

        Raises:
            UsedUp: a limit is reached; the transaction must be given up.
            DuplicateKeyError: the same buyer's first use was counted elsewhere meanwhile; begin again.
        """
        # In one order for everybody. The counter, which all buyers of a code want, comes last: it is held shortest
        ordered = sorted(applied, key=lambda each: each.discount_id)
        for each in ordered:
            row = await self._discounts.find_one(
                {"_id": each.discount_id}, projection={"usage_limit_per_buyer": 1}, session=session
            )
            limit = None if row is None else row["usage_limit_per_buyer"]
            use_id = _use_id(buyer_id, each.discount_id)
            use = await self._uses.find_one({"_id": use_id}, session=session)
            if limit is not None and use is not None and use["number"] >= limit:
                raise UsedUp(each.code, by_buyer=True)
            if use is None:
                await self._uses.insert_one({"_id": use_id, "number": 1}, session=session)
            else:
                await self._uses.update_one({"_id": use_id}, {"$inc": {"number": 1}}, session=session)
        for each in ordered:
            is_left = {"$or": [{"usage_limit": None}, {"$expr": {"$lt": ["$used", "$usage_limit"]}}]}
            result = await self._discounts.update_one(
                {"_id": each.discount_id, **is_left}, {"$inc": {"used": 1}}, session=session
            )
            if result.matched_count == 0:
                raise UsedUp(each.code, by_buyer=False)

    async def give_back_uses(self, order: Row, *, session: Session) -> None:
        """Give back the uses of an order's discounts, in the transaction that cancels it or lets it expire."""
        for each in sorted(order.get("discounts", ()), key=lambda each: each["discount_id"]):
            await self._uses.update_one(
                {"_id": _use_id(order["buyer_id"], each["discount_id"]), "number": {"$gt": 0}},
                {"$inc": {"number": -1}},
                session=session,
            )
            await self._discounts.update_one(
                {"_id": each["discount_id"], "used": {"$gt": 0}}, {"$inc": {"used": -1}}, session=session
            )

    async def forget_buyer(self, buyer_id: str) -> None:
        """Forget how often a buyer has used which discount, and what they guessed at; their orders keep the codes."""
        # The ids of a buyer's rows stand together: `0` is what follows `/`
        await self._uses.delete_many({"_id": {"$gte": f"{buyer_id}/", "$lt": f"{buyer_id}0"}})
        await self._guesses.delete_one({"_id": buyer_id})

    async def count_guess(self, user_id: str, *, now: datetime, window: timedelta) -> int:
        """Count one more guess of a user and return how many there are within the *window* that is running."""
        is_running = {"$gt": ["$expires_at", now]}
        update = [
            {
                "$set": {
                    "number": {"$cond": [is_running, {"$add": ["$number", 1]}, 1]},
                    "expires_at": {"$cond": [is_running, "$expires_at", now + window]},
                }
            }
        ]
        while True:
            try:
                row = await self._guesses.find_one_and_update(
                    {"_id": user_id}, update, upsert=True, return_document=True
                )
            except DuplicateKeyError:
                # Two first guesses at once
                continue
            return int(row["number"]) if row is not None else 1

    async def take_back_guess(self, user_id: str) -> None:
        """Take back a guess that was none: the code exists."""
        await self._guesses.update_one({"_id": user_id, "number": {"$gt": 0}}, {"$inc": {"number": -1}})


def _use_id(buyer_id: str, discount_id: str) -> str:
    return f"{buyer_id}/{discount_id}"


def _to_row(discount: Discount) -> Row:
    row: Row = {name: getattr(discount, name) for name in _FIELDS}
    row["kind"] = discount.kind.value
    row["product_ids"], row["category_ids"] = list(discount.product_ids), list(discount.category_ids)
    return row


def read_discount(row: Row) -> Discount:
    """Return the discount that *row* is."""
    return Discount(
        id=row["_id"],
        **{
            **{name: row[name] for name in _FIELDS},
            "kind": DiscountKind(row["kind"]),
            "product_ids": tuple(row["product_ids"]),
            "category_ids": tuple(row["category_ids"]),
        },
    )
