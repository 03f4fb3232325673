"""Carts in MongoDB."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from core.money import Money
from core.mongo import Database, DuplicateKeyError, Row, Session
from subgraphs.order.carts import Cart, CartLine, cart_id


class CartRepository:
    """The queries on carts. One in which something is, and that nobody changes for *abandoned_after*, is abandoned."""

    def __init__(self, database: Database, *, abandoned_after: timedelta) -> None:
        self._carts = database["carts"]
        self._abandoned_after = abandoned_after

    async def find_cart(self, owner_id: str, *, session: Session | None = None) -> Cart:
        """Return the cart of a user, an empty one if nothing was ever put in."""
        row = await self._carts.find_one({"_id": cart_id(owner_id)}, session=session)
        return Cart(cart_id(owner_id), owner_id) if row is None else _read_cart(row)

    async def find_guest_cart(self, id_: str, *, now: datetime, session: Session | None = None) -> Cart | None:
        """Return a guest's cart; None if there is none, or if its time is over: MongoDB may be late to remove it."""
        row = await self._carts.find_one({"_id": id_, "expires_at": {"$gt": now}}, session=session)
        return None if row is None else _read_cart(row)

    async def save_cart(self, cart: Cart, *, now: datetime, session: Session | None = None) -> Cart | None:
        """Store *cart*, as changed from its version; return it, or None when somebody changed it meanwhile."""
        row: Row = {
            "_id": cart.id,
            **_present({"owner_id": cart.owner_id, "expires_at": cart.expires_at}),
            "lines": [_write_line(line) for line in cart.lines],
            "version": cart.version + 1,
            "updated_at": now,
        }
        if cart.codes:
            row["codes"] = list(cart.codes)
        if cart.lines:
            row["abandon_due_at"] = now + self._abandoned_after
        if cart.version == 0:
            try:
                await self._carts.insert_one(row, session=session)
            except DuplicateKeyError:
                return None
        else:
            result = await self._carts.replace_one({"_id": cart.id, "version": cart.version}, row, session=session)
            if result.matched_count == 0:
                return None
        return _read_cart(row)

    async def delete_cart(self, cart: Cart, *, session: Session) -> bool:
        """Delete *cart*, as it was read in the same transaction; return False when it is another by now."""
        result = await self._carts.delete_one({"_id": cart.id, "version": cart.version}, session=session)
        return result.deleted_count == 1

    async def find_abandoned(self, now: datetime, limit: int) -> list[Row]:
        """Return rows of carts that are abandoned and of which nothing was announced, the longest so first."""
        query = {"abandon_due_at": {"$lte": now}}
        return await self._carts.find(query).sort("abandon_due_at", 1).limit(limit).to_list()

    async def claim_abandoned(self, row: Row, *, session: Session) -> bool:
        """Mark a cart as announced; return False when it was changed or announced meanwhile."""
        result = await self._carts.update_one(
            {"_id": row["_id"], "abandon_due_at": row["abandon_due_at"]},
            {"$unset": {"abandon_due_at": ""}},
            session=session,
        )
        return result.matched_count == 1


def _present(values: Mapping[str, Any]) -> Row:
    return {name: value for name, value in values.items() if value is not None}


def _write_line(line: CartLine) -> Row:
    row: Row = {"product_id": line.product_id, "quantity": line.quantity}
    if line.seen_price is not None:
        row |= {"seen_amount": line.seen_price.amount, "seen_currency": line.seen_price.currency}
    return row


def _read_cart(row: Row) -> Cart:
    lines = tuple(
        CartLine(
            line["product_id"],
            line["quantity"],
            Money(line["seen_amount"], line["seen_currency"]) if "seen_amount" in line else None,
        )
        for line in row["lines"]
    )
    return Cart(
        row["_id"],
        row.get("owner_id"),
        lines,
        row["version"],
        tuple(row.get("codes", ())),
        row.get("expires_at"),
    )
