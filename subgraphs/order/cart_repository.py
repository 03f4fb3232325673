"""Carts in MongoDB."""

from datetime import datetime

from core.mongo import Database, DuplicateKeyError, Row, Session
from subgraphs.order.carts import Cart, CartLine, cart_id


class CartRepository:
    """The queries on carts."""

    def __init__(self, database: Database) -> None:
        self._carts = database["carts"]

    async def find_cart(self, owner_id: str, *, session: Session | None = None) -> Cart:
        """Return the cart of a user, an empty one if nothing was ever put in."""
        row = await self._carts.find_one({"_id": cart_id(owner_id)}, session=session)
        return Cart(cart_id(owner_id), owner_id) if row is None else _read_cart(row)

    async def save_cart(self, cart: Cart, *, now: datetime, session: Session | None = None) -> Cart | None:
        """Store *cart*, as changed from its version; return it, or None when somebody changed it meanwhile."""
        row: Row = {
            "_id": cart.id,
            "owner_id": cart.owner_id,
            "lines": [{"product_id": line.product_id, "quantity": line.quantity} for line in cart.lines],
            "version": cart.version + 1,
            "updated_at": now,
        }
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


def _read_cart(row: Row) -> Cart:
    lines = tuple(CartLine(line["product_id"], line["quantity"]) for line in row["lines"])
    return Cart(row["_id"], row["owner_id"], lines, row["version"])
