"""The sandbox gateway's notifications: a queue in MongoDB, sent with the retries that Midtrans documents."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import aiohttp
import structlog
from pymongo.errors import PyMongoError

from core.clock import Clock
from core.ids import new_id
from core.mongo import Database, Row

log = structlog.get_logger(__name__)

# They wait 15 s, or 30 s in older pages, and ask for an answer within 5
TIMEOUT_S = 15.0
# A sender that dies leaves its notification for another one after this
CLAIM = timedelta(seconds=60)
POLL_S = 0.5
# 2 minutes, 10 minutes, 30 minutes, 1.5 hours, 3.5 hours
RETRY_DELAYS = (
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(minutes=90),
    timedelta(minutes=210),
)
MAX_RETRIES: Mapping[int, int] = {500: 1, 503: 4, 400: 2, 404: 2}


def delay_before_retry(status: int | None, attempts: int) -> timedelta | None:
    """Return how long to wait after *attempts* sendings, the last answered with *status* (None: not at all).

    None means that it is given up, or needs no retry.
    """
    if status is not None and 200 <= status < 300:
        return None
    allowed = len(RETRY_DELAYS) if status is None else MAX_RETRIES.get(status, len(RETRY_DELAYS))
    return RETRY_DELAYS[attempts - 1] if attempts <= allowed else None


@dataclass(frozen=True, slots=True)
class SandboxFaults:
    """What goes wrong between the gateway and the shop, for trials: *copies* of each notification are sent (0 drops
    all), and with *is_forged* their signature is wrong."""

    copies: int = 1
    is_forged: bool = False


NO_FAULTS = SandboxFaults()


class NotificationQueue:
    """Queues and sends notifications. Mutable: it may own a running loop."""

    def __init__(self, database: Database, clock: Clock, *, notify_url: str, faults: SandboxFaults = NO_FAULTS) -> None:
        self._notifications = database["sandbox_notifications"]
        self._clock = clock
        self._notify_url = notify_url
        self._wake = asyncio.Event()
        self._loop: asyncio.Task[None] | None = None
        self._session: aiohttp.ClientSession | None = None
        self.faults = faults

    async def prepare(self) -> None:
        """Create the index."""
        await self._notifications.create_index(
            [("due_at", 1), ("_id", 1)], partialFilterExpression={"due_at": {"$exists": True}}
        )

    async def queue(self, body: Mapping[str, Any]) -> None:
        """Have *body* sent, now or after a restart."""
        now = self._clock.now()
        for _ in range(self.faults.copies):
            signature = "0" * 128 if self.faults.is_forged else body["signature_key"]
            await self._notifications.insert_one(
                {
                    "_id": new_id("ntf"),
                    "body": {**body, "signature_key": signature},
                    "created_at": now,
                    "due_at": now,
                    "attempts": 0,
                }
            )
        self._wake.set()

    async def deliver_due(self) -> int:
        """Send what is due, oldest first, and return how many sendings that were."""
        sent = 0
        while True:
            now = self._clock.now()
            row = await self._notifications.find_one_and_update(
                {"due_at": {"$lte": now}},
                {"$set": {"due_at": now + CLAIM}, "$inc": {"attempts": 1}},
                sort=[("due_at", 1), ("_id", 1)],
                return_document=True,
            )
            if row is None:
                return sent
            await self._record(row, await self._send(row))
            sent += 1

    async def start(self) -> None:
        """Begin to send by itself."""
        self._loop = asyncio.create_task(self._run(), name="sandbox notifications")

    async def stop(self) -> None:
        """End sending; what is queued stays queued."""
        if self._loop is not None:
            self._loop.cancel()
            with suppress(asyncio.CancelledError):
                await self._loop
            self._loop = None
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self.deliver_due()
            except PyMongoError as error:
                log.warning("sandbox cannot read its notifications", error=type(error).__name__)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), POLL_S)

    async def _send(self, row: Row) -> int | None:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=TIMEOUT_S), headers={"user-agent": "Veritrans"}
            )
        try:
            async with self._session.post(self._notify_url, json=row["body"]) as response:
                await response.read()
                return response.status
        except (aiohttp.ClientError, TimeoutError, OSError):
            return None

    async def _record(self, row: Row, status: int | None) -> None:
        delay = delay_before_retry(status, row["attempts"])
        now = self._clock.now()
        if delay is None:
            update: dict[str, Any] = {"$set": {"last_status": status, "done_at": now}, "$unset": {"due_at": ""}}
        else:
            update = {"$set": {"last_status": status, "due_at": now + delay}}
        await self._notifications.update_one({"_id": row["_id"]}, update)
