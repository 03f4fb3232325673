"""What follows when a product's availability crosses a line, in the transaction that made it cross.

low stock      available falls to the product's threshold: an alert for staff and `StockLow`, once until it has been
               above the threshold again
back in stock  available rises above zero: a mark, by which a job finds those who wait for the product
availability   the product can be bought, or no longer can: `StockAvailabilityChanged` (availability.py)
"""

from datetime import datetime

from core.mongo import Database, Session
from subgraphs.inventory.alert_repository import AlertRepository
from subgraphs.inventory.availability import AvailabilityNews
from subgraphs.inventory.events import announce_stock_low
from subgraphs.inventory.model import StockLevel
from subgraphs.inventory.waiting_repository import WaitingRepository


class Watch:
    """Looks at counters after each change."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._alerts = AlertRepository(database)
        self._waiting = WaitingRepository(database)
        self._news = AvailabilityNews(database)

    async def look_at(self, level: StockLevel, *, change: int, now: datetime, session: Session) -> None:
        """Do what follows from *level*, whose `available` has just moved by *change*; 0 if only something else has."""
        await self._news.tell(level, now=now, session=session)
        if level.available > 0 >= level.available - change:
            await self._waiting.mark_returned(level.product_id, now=now, session=session)
        if level.is_low == level.should_be_low:
            return
        await self._alerts.set_low(level.product_id, level.should_be_low, session=session)
        if level.should_be_low:
            await self._alerts.open_alert(level, now=now, session=session)
            await announce_stock_low(self._database, level, now=now, session=session)
        else:
            await self._alerts.end_alert(level.product_id, now=now, session=session)
