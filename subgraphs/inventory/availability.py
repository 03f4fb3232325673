"""Telling the other subgraphs whether a product can be bought, in the transaction in which that changes.

A product can be bought while anything of it is `sellable`: pieces that are free, or pieces that may still be owed. What
overdue reservations hold is free, too, so two things are done about time, which nobody writes down as it passes:
    1. The last pieces that are counted as free are taken while others are overdue: nothing is announced, for those can
       be bought. Whatever ends the overdue reservation changes the counters, and is looked at like any other change.
    2. A product is sold out, and a reservation of it becomes overdue: it is announced when the reservation lapses, by
       the job (LAPSE_EVERY_S later at most) or by the first buyer who wants its pieces.

Events may be delivered out of order, so each has a revision: of two of one product, the higher is what holds. It is one
more than the last, and at least the time in milliseconds, so that it goes on rising where counters were lost and made
anew from the ledger.
"""

from collections.abc import Sequence
from datetime import datetime

from core.mongo import Client, Database, Session, in_transaction
from subgraphs.inventory import model
from subgraphs.inventory.events import announce_availability
from subgraphs.inventory.model import StockLevel
from subgraphs.inventory.repository import StockRepository

# Products that are announced in one transaction, when many are at once
TOLD_TOGETHER = 100


class AvailabilityNews:
    """Announces the products of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._repository = StockRepository(database)

    async def tell(self, level: StockLevel, *, now: datetime, session: Session) -> None:
        """Announce whether the product of *level*, which has just been written, can be bought, if that has changed.

        A product that never could is not announced.
        """
        was_available = bool(level.announced)
        is_available = level.sellable > 0
        if was_available and not is_available:
            overdue = await self._repository.count_overdue([level.product_id], now - model.LAPSE_GRACE, session=session)
            is_available = model.without_overdue(level, overdue.get(level.product_id, {})).sellable > 0
        if is_available == was_available:
            return
        revision = max(level.revision + 1, int(now.timestamp() * 1000))
        await self._repository.set_announced(level.product_id, is_available, revision, session=session)
        await announce_availability(self._database, level.product_id, is_available, revision, now=now, session=session)

    async def tell_untold(self, client: Client, now: datetime) -> None:
        """Announce what can be bought and was never announced: stock from before anybody was told."""
        while untold := await self._repository.find_untold(limit=TOLD_TOGETHER):

            async def work(session: Session, product_ids: Sequence[str] = untold) -> None:
                for level in await self._repository.find_levels(product_ids, session=session):
                    await self.tell(level, now=now, session=session)

            await in_transaction(client, work)
