"""The relay of one outbox: it finds what is due, claims it, and hands it to the broker.

Several workers may look at once. A look reads without a claim; whatever it does then is guarded by "still due", so an
event that another worker has claimed meanwhile is left to that one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from pymongo.errors import AutoReconnect

from core.clock import Clock
from core.delivery import subscribers_without
from core.events import OUTBOX
from core.ids import new_id
from core.loops import wait_for_poll, warn
from core.mongo import Row
from core.subgraph import Subgraph

# How long a claimed event belongs to one delivery: far longer than a handler takes
CLAIM = timedelta(seconds=30)
# Events of one outbox that are claimed and not yet delivered. Without a limit a backlog would be claimed as a whole,
# and its end would be claimed again before its turn came.
MAX_IN_DELIVERY = 256
# A backlog is refilled when so many places are free: a look costs the same for one event as for many
REFILL = 32
# What the broker did not take is due again after this
RESEND_AFTER = timedelta(seconds=1)
# What a look has to know of an event; payloads may be long
_LOOK = {"type": 1, "delivered_to": 1}
# By the few ids, not through all that is due
_BY_ID = "_id_"


class Relay:
    """Sends the due events of *publisher* that *subgraphs* want. Mutable: it knows what it left behind.

    *send* hands the delivery of the event with that id to the broker; whoever carries it out does so inside
    `delivering`.
    """

    def __init__(
        self,
        publisher: Subgraph,
        subgraphs: Sequence[Subgraph],
        clock: Clock,
        send: Callable[[str], Awaitable[object]],
    ) -> None:
        self.publisher = publisher
        self._subgraphs = subgraphs
        self._clock = clock
        self._send = send
        self._outbox = publisher.runtime.database[OUTBOX]
        self._wake = asyncio.Event()
        self._left_behind = False
        self._running = 0
        self._ended = 0

    def wake(self) -> None:
        """Make it look now."""
        self._wake.set()

    async def run(self, finish: asyncio.Event) -> None:
        """Look whenever it is woken, and once in POLL_S, until *finish* is set."""
        while not finish.is_set():
            try:
                # Before looking, so that whatever happens after the look is looked at
                self._wake.clear()
                await self.look()
            except Exception as error:
                # Whatever it is: a relay that ends takes every event of its subgraph with it
                warn("relay cannot send events", error, subgraph=self.publisher.name)
                await wait_for_poll(finish)
            await wait_for_poll(self._wake)

    @contextmanager
    def delivering(self) -> Iterator[None]:
        """Count a delivery while it runs; at its end look for more if there is room for what was left behind."""
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1
            self._ended += 1
            self._refill()

    def _refill(self) -> None:
        # When the last one ends, too: other workers may have had the others
        if self._left_behind and self._ended and (self._ended >= REFILL or not self._running):
            self._wake.set()

    async def look(self) -> None:
        """Settle or send everything that is due, oldest first, as far as MAX_IN_DELIVERY allows."""
        while await self._look_at_oldest():
            pass

    async def _look_at_oldest(self) -> bool:
        """Settle or send the oldest events that are due; return whether there may be more to look at."""
        now = self._clock.now()
        self._left_behind, self._ended = False, 0
        due = await self._find_due(now)
        wanted: list[str] = []
        unwanted: list[str] = []
        for row in due:
            (wanted if subscribers_without(row, self._subgraphs) else unwanted).append(row["_id"])
        if unwanted:
            await self._mark_delivered(unwanted, now)
        if wanted:
            free = await self._count_free(now)
            self._left_behind = free < len(wanted)
            if free:
                await self._claim_and_send(wanted[:free], now)
            # Deliveries that ended between the count and here have made room without knowing that it is needed
            self._refill()
        return len(due) == MAX_IN_DELIVERY and not self._left_behind

    async def _find_due(self, now: datetime) -> list[Row]:
        query = {"due_at": {"$lte": now}}
        found = self._outbox.find(query, _LOOK, sort=[("due_at", 1)], limit=MAX_IN_DELIVERY, batch_size=MAX_IN_DELIVERY)
        return await found.to_list()

    async def _mark_delivered(self, event_ids: Sequence[str], now: datetime) -> None:
        # Without a claim: an event's type does not change, nor does a subscriber that has it lose it, so what nobody
        # wanted at the look nobody wants now. Two workers write the same; one that has claimed an event meanwhile, for
        # a subscriber that only it knows, is left to record its delivery.
        delivered = {"$set": {"delivered_at": now}, "$unset": {"due_at": "", "claimed": "", "claimed_by": ""}}
        await self._outbox.update_many(_still_due(event_ids, now), delivered, hint=_BY_ID)

    async def _count_free(self, now: datetime) -> int:
        in_delivery = {"claimed": True, "due_at": {"$gt": now}}
        return MAX_IN_DELIVERY - await self._outbox.count_documents(in_delivery, limit=MAX_IN_DELIVERY)

    async def _claim_and_send(self, event_ids: Sequence[str], now: datetime) -> None:
        claim, unsent = new_id("clm"), list(event_ids)
        try:
            unsent = await self._claim(event_ids, claim, now)
            while unsent:
                await self._send(unsent[0])
                del unsent[0]
        finally:
            # Also when the worker is stopped meanwhile
            if unsent:
                await self._give_back(unsent, claim)

    async def _claim(self, event_ids: Sequence[str], claim: str, now: datetime) -> list[str]:
        """Claim those of *event_ids* that no other worker has claimed meanwhile, and return their ids."""
        claimed = {"$set": {"due_at": now + CLAIM, "claimed": True, "claimed_by": claim}}
        try:
            update = await self._outbox.update_many(_still_due(event_ids, now), claimed, hint=_BY_ID)
            if update.modified_count == len(event_ids):
                return list(event_ids)
        except AutoReconnect:
            # The driver does not repeat an update of many rows. Whether it was made before the connection was lost, or
            # for which rows, they tell themselves.
            pass
        ours = self._outbox.find(
            {"_id": {"$in": event_ids}, "claimed_by": claim}, {"_id": 1}, batch_size=MAX_IN_DELIVERY
        )
        found = {row["_id"] async for row in ours}
        return [each for each in event_ids if each in found]

    async def _give_back(self, event_ids: Sequence[str], claim: str) -> None:
        again = {"$set": {"due_at": self._clock.now() + RESEND_AFTER}, "$unset": {"claimed": "", "claimed_by": ""}}
        await self._outbox.update_many({"_id": {"$in": event_ids}, "claimed_by": claim}, again)


def _still_due(event_ids: Sequence[str], now: datetime) -> Mapping[str, Any]:
    """Return the guard of a write after a look: one who claims an event puts off when it is due."""
    return {"_id": {"$in": event_ids}, "due_at": {"$lte": now}}
