"""Telling at once that the totals have changed, to whoever looks at them live.

Orders are written by several processes (the subgraph's replicas, the worker, an import), so a change stream on the
order database tells of all of them. It only wakes up: figures come from the reader, and nothing is lost with the stream
but time. One stream serves all listeners of a process.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import structlog
from pymongo.errors import PyMongoError

from core.clock import Clock
from core.events import OUTBOX
from core.mongo import Database
from core.tasks import end_tasks
from subgraphs.order.periods import DAYS, divide, load_zone, period_at
from subgraphs.order.rollup import CHANGE
from subgraphs.order.rollup_repository import TOTALS
from subgraphs.order.totals import LiveTotals, TotalsReader

log = structlog.get_logger(__name__)

# Whoever looks at a chart does not see more than one change a second
PAUSE_S = 1.0
# After a failure of the stream; its driver has tried the usual remedies by then
RETRY_S = 1.0
# Also without a change the day ends, and clocks differ
LONGEST_WAIT_S = 3600.0


class ChangeFeed:
    """Wakes listeners after every change of an order that may change sums. Mutable: knows who listens."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._listeners: set[asyncio.Event] = set()
        self._task: asyncio.Task[None] | None = None
        self._is_open = asyncio.Event()

    @asynccontextmanager
    async def listen(self) -> AsyncIterator[asyncio.Event]:
        """Yield an event that is set after every change from now on; the listener clears it."""
        event = asyncio.Event()
        self._listeners.add(event)
        if self._task is None or self._task.done():
            self._is_open.clear()
            self._task = asyncio.create_task(self._watch(), name="watch order totals")
        try:
            await self._is_open.wait()
            yield event
        finally:
            self._listeners.discard(event)
            if not self._listeners:
                await self.aclose()

    async def aclose(self) -> None:
        """Close the stream; whoever still listens hears nothing more."""
        task, self._task = self._task, None
        if task is not None:
            await end_tasks([task])

    async def _watch(self) -> None:
        # A change per order; a row of a month for what is imported, and once more when changes are folded
        change = {"ns.coll": OUTBOX, f"fullDocument.{CHANGE}": {"$exists": True}}
        of_month = {"ns.coll": TOTALS, "documentKey._id": {"$regex": "/m/"}}
        match = {"operationType": {"$in": ["insert", "update", "replace"]}, "$or": [change, of_month]}
        while True:
            try:
                async with await self._database.watch([{"$match": match}, {"$project": {"_id": 1}}]) as stream:
                    self._is_open.set()
                    # While there was no stream something may have happened
                    self._wake_all()
                    async for _ in stream:
                        self._wake_all()
                        # One look at the figures serves all changes until then
            except PyMongoError as error:
                log.warning("order totals are not watched", error=type(error).__name__)
                # Listeners are answered, if only now and then
                self._is_open.set()
                self._wake_all()
            await asyncio.sleep(RETRY_S)

    def _wake_all(self) -> None:
        for event in self._listeners:
            event.set()


class LiveTotalsFeed:
    """Sends live totals to subscribers. *pause* is what lies between two answers to one of them."""

    def __init__(
        self,
        reader: TotalsReader,
        changes: ChangeFeed,
        clock: Clock,
        *,
        pause: Callable[[], Awaitable[None]] = lambda: asyncio.sleep(PAUSE_S),
    ) -> None:
        self._reader = reader
        self._changes = changes
        self._clock = clock
        self._pause = pause

    async def watch(self, timezone: str, currency: str) -> AsyncGenerator[LiveTotals, None]:
        """Yield today and this month at once, then whenever they are other ones.

        Raises:
            BadUserInput: the timezone is not acceptable.
        """
        load_zone(timezone)
        sent: LiveTotals | None = None
        async with self._changes.listen() as changed:
            while True:
                changed.clear()
                live = await self._reader.read_live(timezone, currency)
                if sent is None or (live.today, live.month) != (sent.today, sent.month):
                    yield live
                    sent = live
                    await self._pause()
                try:
                    async with asyncio.timeout(self._seconds_of_today(timezone)):
                        await changed.wait()
                except TimeoutError:
                    # Another day may have begun
                    continue

    def _seconds_of_today(self, timezone: str) -> float:
        zone, now = load_zone(timezone), self._clock.now()
        today = period_at(DAYS, now, zone)
        end = divide(DAYS, today, today, zone)[-1].end
        return min(LONGEST_WAIT_S, max(PAUSE_S, (end - now) / timedelta(seconds=1)))
