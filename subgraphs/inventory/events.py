"""What the stock announces."""

from collections.abc import Sequence
from datetime import datetime

from core.events import announce
from core.mongo import Database, Session
from subgraphs.inventory.model import Shortage

# A paid order's pieces were given to others after its reservation had lapsed: the store must deliver or refund
STOCK_SHORT = "StockShort"


async def announce_stock_short(
    database: Database, order_id: str, shortages: Sequence[Shortage], *, now: datetime, session: Session
) -> None:
    """Write the event with the lines that could not be taken."""
    lines = [
        {"product_id": shortage.product_id, "requested": shortage.requested, "available": shortage.available}
        for shortage in shortages
    ]
    await announce(
        database, STOCK_SHORT, order_id, {"order_id": order_id, "shortages": lines}, now=now, session=session
    )
