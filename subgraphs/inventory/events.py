"""What the stock announces."""

from collections.abc import Sequence
from datetime import datetime

from core.events import announce
from core.mongo import Database, Session
from subgraphs.inventory.model import Shortage

# A paid order's pieces were given to others after its reservation had lapsed: the store must deliver or refund
STOCK_SHORT = "StockShort"
# A product's counters were not what its ledger and its reservations say, and have been put right
STOCK_CORRECTED = "StockCorrected"


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


async def announce_stock_corrected(
    database: Database,
    product_id: str,
    *,
    before: tuple[int, int],
    after: tuple[int, int],
    now: datetime,
    session: Session,
) -> None:
    """Write the event with (on hand, reserved) as they were and as they are."""
    payload = {
        "product_id": product_id,
        "before": {"on_hand": before[0], "reserved": before[1]},
        "after": {"on_hand": after[0], "reserved": after[1]},
    }
    await announce(database, STOCK_CORRECTED, product_id, payload, now=now, session=session)
