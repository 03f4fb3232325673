"""What the stock announces."""

from collections.abc import Sequence
from datetime import datetime

from core.events import announce
from core.mongo import Database, Session
from subgraphs.inventory.model import Shortage, StockLevel, Wait

# A paid order's pieces were given to others after its reservation had lapsed: the store must deliver or refund
STOCK_SHORT = "StockShort"
# A product's counters were not what its ledger and its reservations say, and have been put right
STOCK_CORRECTED = "StockCorrected"
# A product has run low: no more is available than its threshold
STOCK_LOW = "StockLow"
# A product is available again, for one user who waited for it
BACK_IN_STOCK = "BackInStock"
# A product can be bought now, or can no longer be (availability.py)
STOCK_AVAILABILITY_CHANGED = "StockAvailabilityChanged"


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


async def announce_stock_low(database: Database, level: StockLevel, *, now: datetime, session: Session) -> None:
    """Write the event with what is available and the threshold."""
    payload = {
        "product_id": level.product_id,
        "available": level.available,
        "threshold": level.low_stock_threshold,
    }
    await announce(database, STOCK_LOW, level.product_id, payload, now=now, session=session)


async def announce_back_in_stock(
    database: Database, wait: Wait, product_name: str, *, now: datetime, session: Session
) -> None:
    """Write the event for one user who waited."""
    payload = {"user_id": wait.user_id, "product_id": wait.product_id, "product_name": product_name}
    await announce(database, BACK_IN_STOCK, wait.product_id, payload, now=now, session=session)


async def announce_availability(
    database: Database, product_id: str, available: bool, revision: int, *, now: datetime, session: Session
) -> None:
    """Write the event. Of two of one product, that with the higher *revision* is the later one."""
    payload = {"product_id": product_id, "available": available, "revision": revision}
    await announce(database, STOCK_AVAILABILITY_CHANGED, product_id, payload, now=now, session=session)
