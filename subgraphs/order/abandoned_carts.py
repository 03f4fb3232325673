"""Carts that nobody comes back to, announced once each: a change of such a cart begins the time anew."""

from datetime import datetime

from core.events import announce
from core.mongo import Client, Database, Row, Session, in_transaction
from subgraphs.order.cart_repository import CartRepository
from subgraphs.order.events import CART_ABANDONED

# How many carts one run of the job announces
BATCH = 200


class AbandonedCarts:
    """Announces abandoned carts."""

    def __init__(self, client: Client, database: Database, carts: CartRepository) -> None:
        self._client = client
        self._database = database
        self._carts = carts

    async def announce_due(self, now: datetime) -> None:
        """Announce the carts that have become abandoned. Safe to repeat, and to run twice at once."""
        for row in await self._carts.find_abandoned(now, BATCH):
            await self._announce(row, now)

    async def _announce(self, row: Row, now: datetime) -> None:
        payload = {
            "cart_id": row["_id"],
            "buyer_id": row.get("owner_id"),
            "lines": [{"product_id": line["product_id"], "quantity": line["quantity"]} for line in row["lines"]],
            "item_count": sum(line["quantity"] for line in row["lines"]),
            "last_changed_at": row["updated_at"],
        }

        async def work(session: Session) -> None:
            if await self._carts.claim_abandoned(row, session=session):
                await announce(self._database, CART_ABANDONED, row["_id"], payload, now=now, session=session)

        await in_transaction(self._client, work)
