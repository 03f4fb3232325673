"""Alerts of low stock in the database: one per time that a product has run low."""

from datetime import datetime

from core.ids import new_id
from core.mongo import Database, Row, Session
from core.paging import Page, PageRequest, find_page
from subgraphs.inventory.model import StockAlert, StockLevel
from subgraphs.inventory.repository import STOCK

ALERTS = "stock_alerts"


class AlertRepository:
    """The alerts of one database, and the mark in the counters that there is one."""

    def __init__(self, database: Database) -> None:
        self._stock = database[STOCK]
        self._alerts = database[ALERTS]

    async def set_low(self, product_id: str, is_low: bool, *, session: Session) -> None:
        """Note at the counters whether the product is low."""
        await self._stock.update_one({"_id": product_id}, {"$set": {"is_low": is_low}}, session=session)

    async def open_alert(self, level: StockLevel, *, now: datetime, session: Session) -> None:
        """Add an alert."""
        row: Row = {
            "_id": new_id("alr"),
            "product_id": level.product_id,
            "threshold": level.low_stock_threshold,
            "available": level.available,
            "at": now,
            "ended_at": None,
        }
        await self._alerts.insert_one(row, session=session)

    async def end_alert(self, product_id: str, *, now: datetime, session: Session) -> None:
        """End the product's open alert."""
        await self._alerts.update_one(
            {"product_id": product_id, "ended_at": None}, {"$set": {"ended_at": now}}, session=session
        )

    async def find_open_page(self, page: PageRequest) -> Page[StockAlert]:
        """Return a page of the alerts that have not ended, the newest first."""
        found = await find_page(self._alerts, {"ended_at": None}, (("_id", -1),), page, hint="open")
        return Page(tuple(map(_alert_from, found.rows)), found.cursors, found.has_next, found.has_previous)


def _alert_from(row: Row) -> StockAlert:
    return StockAlert(row["_id"], row["product_id"], row["threshold"], row["available"], row["at"])
