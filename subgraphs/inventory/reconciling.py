"""Comparing counters, ledger and reservations, and putting right what differs.

The three are written in the same transactions, so they differ only after something from outside: a row edited by hand,
a restored backup, a defect. Then this is believed:
    reserved   the live reservations: they are what was promised. Where the ledger knows something else, the difference
               is written into it, as a movement CORRECTED
    on hand    the ledger: each of its rows says who did what and why
The counters are believed in nothing: they are the sums, kept ready. A product is put right in one transaction, so this
is exact while orders come in.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog

from core.clock import Clock
from core.identity import service_identity
from core.mongo import Client, Database, Session, in_transaction
from subgraphs.inventory.events import announce_stock_corrected
from subgraphs.inventory.ledger_repository import (
    Counters,
    LedgerRepository,
    Shelves,
    StoredCounters,
    add_up,
)
from subgraphs.inventory.repository import StockRepository
from subgraphs.inventory.watching import Watch

log = structlog.get_logger(__name__)

# Products that are summed up with one query each over counters, ledger and reservations
BATCH = 500
# More drift in one night than this has a cause that no program should paper over: a collection that was lost would have
# all stock set to zero. Then the job only reports, and `pasar inventory rebuild` is for a person to run.
MOST_MENDED = 100

BY = service_identity("inventory").subject or "service:inventory"


@dataclass(frozen=True, slots=True)
class Drift:
    """A product whose *counters* (None: it has none) are not what *ledger* and *held*, the live reservations, say."""

    product_id: str
    counters: StoredCounters | None
    ledger: Shelves
    held: Mapping[str, int]

    @property
    def right(self) -> Shelves:
        """Return what the counters should be."""
        names = sorted(self.ledger.keys() | self.held.keys())
        on_hand = {name: self.ledger[name].on_hand if name in self.ledger else 0 for name in names}
        shelves = {name: Counters(on_hand[name], self.held.get(name, 0)) for name in names}
        return {name: each for name, each in shelves.items() if each != Counters()}

    @property
    def missing(self) -> Mapping[str, int]:
        """Return how many more pieces are reserved, by warehouse, than the ledger knows of."""
        names = self.ledger.keys() | self.held.keys()
        known = {name: self.ledger[name].reserved if name in self.ledger else 0 for name in names}
        missing = {name: self.held.get(name, 0) - known[name] for name in names}
        return {name: count for name, count in missing.items() if count}

    @property
    def is_one(self) -> bool:
        """Tell whether anything differs."""
        stored = self.counters
        return stored is None or not stored.add_up or stored.shelves != self.right or bool(self.missing)


class Reconciler:
    """Finds and mends drift in one database."""

    def __init__(self, client: Client, database: Database, clock: Clock) -> None:
        self._client = client
        self._database = database
        self._clock = clock
        self._repository = LedgerRepository(database)
        self._stock = StockRepository(database)
        self._watch = Watch(database)

    async def reconcile(self, now: datetime) -> None:
        """Mend what differs, unless so much does that somebody has to look first."""
        suspects: list[str] = []
        count = 0
        async for suspect in self.find_suspects():
            count += 1
            if count <= MOST_MENDED:
                suspects.append(suspect)
        if count > MOST_MENDED:
            log.error("too much stock differs from its ledger; nothing was mended", products=count)
            return
        for product_id in suspects:
            await self.mend(product_id)

    async def find_drift(self) -> AsyncIterator[Drift]:
        """Yield what differs, and change nothing."""
        async for product_id in self.find_suspects():

            async def look(session: Session, product_id: str = product_id) -> Drift:
                return await self._compare(product_id, session)

            drift = await in_transaction(self._client, look)
            if drift.is_one:
                yield drift

    async def mend_all(self) -> AsyncIterator[Drift]:
        """Put right whatever differs, however much it is, and yield what it was."""
        async for product_id in self.find_suspects():
            drift = await self.mend(product_id)
            if drift is not None:
                yield drift

    async def mend(self, product_id: str) -> Drift | None:
        """Put one product right; return what was wrong, None if nothing was."""

        async def work(session: Session) -> Drift | None:
            drift, now = await self._compare(product_id, session), self._clock.now()
            if not drift.is_one:
                return None
            if drift.missing:
                await self._repository.correct_reserved(
                    product_id, drift.missing, reason="live reservations", by=BY, now=now, session=session
                )
            await self._repository.set_counters(product_id, drift.right, now=now, session=session)
            before = Counters() if drift.counters is None else drift.counters.total
            after = add_up(drift.right)
            moved = (after.on_hand - after.reserved) - (before.on_hand - before.reserved)
            for level in await self._stock.find_levels([product_id], session=session):
                await self._watch.look_at(level, change=moved, now=now, session=session)
            await announce_stock_corrected(
                self._database,
                product_id,
                before=(before.on_hand, before.reserved),
                after=(after.on_hand, after.reserved),
                now=now,
                session=session,
            )
            return drift

        drift = await in_transaction(self._client, work)
        if drift is not None:
            log.error(
                "stock differed from its ledger",
                product_id=product_id,
                counters=drift.counters,
                ledger=drift.ledger,
                held=drift.held,
            )
        return drift

    async def find_suspects(self) -> AsyncIterator[str]:
        """Yield products that seem to differ; without a transaction, so some of them were only changing."""
        async for ids in self._repository.walk_products(BATCH):
            counters = await self._repository.find_counters(ids)
            ledger = await self._repository.sum_ledger(ids)
            held = await self._repository.sum_held(ids)
            for product_id in ids:
                drift = Drift(
                    product_id, counters.get(product_id), ledger.get(product_id, {}), held.get(product_id, {})
                )
                if drift.is_one:
                    yield product_id
        async for ids in self._repository.walk_ledger(BATCH):
            counters = await self._repository.find_counters(ids)
            for product_id in ids:
                if product_id not in counters:
                    yield product_id

    async def _compare(self, product_id: str, session: Session) -> Drift:
        ids = [product_id]
        counters = await self._repository.find_counters(ids, session=session)
        ledger = await self._repository.sum_ledger(ids, session=session)
        held = await self._repository.sum_held(ids, session=session)
        return Drift(product_id, counters.get(product_id), ledger.get(product_id, {}), held.get(product_id, {}))
