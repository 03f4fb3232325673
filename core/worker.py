"""The worker: delivers events from outboxes to handlers and runs due jobs, for the subgraphs that it is given.

Everything that must survive is in MongoDB: an outbox row is claimed for a while, handed to the broker as a task, and
marked when each subscriber has it. A task that a broker loses, or a worker that dies, costs only the claim's time. The
broker (taskiq: in memory, or Redis Streams between many workers) spreads the work; it is never the record of it.

Every worker is given all subgraphs: an event is done once each subscriber that its worker knows has it.
"""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import structlog
from pymongo.errors import PyMongoError
from redis.exceptions import RedisError
from taskiq import AsyncBroker, InMemoryBroker
from taskiq.exceptions import TaskiqError
from taskiq.receiver import Receiver

from core.clock import Clock
from core.errors import Unavailable
from core.events import OUTBOX, Event, event_from_row, handle_once
from core.jobs import claim_job, retry_job_soon
from core.mongo import Database, Row
from core.redis_broker import StreamBroker
from core.subgraph import Subgraph
from core.tasks import end_tasks

log = structlog.get_logger(__name__)

# How long a claimed event belongs to one delivery: far longer than a handler takes
CLAIM = timedelta(seconds=30)
# A failed delivery is tried again after 1, 2, 4 ... seconds, at most an hour
LONGEST_RETRY = timedelta(hours=1)
# The relay looks this often when no change stream wakes it, and jobs are checked as often
POLL_S = 1.0
# Events of one outbox that are claimed and not yet delivered. Without a limit a backlog would be claimed as a whole,
# and its end would be claimed again before its turn came.
MAX_IN_DELIVERY = 256
# Tasks that one worker runs at the same time, when the broker leaves that to us
MAX_TASKS = 32
# A worker that is stopped waits so long for the tasks that it has begun
STOP_TIMEOUT_S = 25.0
# With no worker to read it, the stream is cut. What is cut off is in MongoDB and is sent again.
MAX_STREAM_LENGTH = 10_000
# A message whose worker died is given to another one after so long
ABANDONED_AFTER = timedelta(minutes=1)
# Beside them the outbox may have rows for readers of the subgraph's own
_NEW_EVENTS = {"$match": {"operationType": "insert", "fullDocument.due_at": {"$exists": True}}}


def open_broker(redis_url: str, *, name: str = "pasar") -> AsyncBroker:
    """Return a broker on Redis Streams, or one in memory when *redis_url* is empty; *name* prefixes its keys."""
    if not redis_url:
        return InMemoryBroker()
    return StreamBroker(
        redis_url,
        queue_name=name,
        consumer_group_name=f"{name}-workers",
        # From the stream's beginning: tasks may have been sent before the first worker came
        consumer_id="0",
        maxlen=MAX_STREAM_LENGTH,
        idle_timeout=int(ABANDONED_AFTER.total_seconds() * 1000),
    )


class Worker:
    """Runs relay, handlers and jobs of *subgraphs* until stopped. Mutable: it owns running tasks."""

    def __init__(self, subgraphs: Sequence[Subgraph], broker: AsyncBroker, clock: Clock) -> None:
        self._subgraphs: Mapping[str, Subgraph] = {subgraph.name: subgraph for subgraph in subgraphs}
        self._broker = broker
        self._clock = clock
        self._running: list[asyncio.Task[None]] = []
        self._finish = asyncio.Event()
        self._wake = {name: asyncio.Event() for name in self._subgraphs}
        self._jobs = {(subgraph.name, job.name): job for subgraph in subgraphs for job in subgraph.jobs}

        # Plain functions: taskiq writes to its tasks' `__name__`, which a bound method does not let it
        async def deliver(publisher: str, event_id: str) -> None:
            await self._deliver(publisher, event_id)

        async def run_job(subgraph_name: str, job_name: str) -> None:
            await self._run_job(subgraph_name, job_name)

        self._deliver_task = broker.register_task(deliver, task_name="deliver_event")
        self._job_task = broker.register_task(run_job, task_name="run_job")

    async def start(self) -> None:
        """Begin; return once the broker is connected."""
        if not isinstance(self._broker, InMemoryBroker):
            self._broker.is_worker_process = True
        await self._broker.startup()
        self._spawn("schedule", self._schedule_jobs())
        if not isinstance(self._broker, InMemoryBroker):
            self._spawn("receive", self._receive())
        for subgraph in self._subgraphs.values():
            self._spawn(f"relay {subgraph.name}", self._relay(subgraph))
            self._spawn(f"watch {subgraph.name}", self._watch(subgraph))

    async def stop(self) -> None:
        """End all loops, wait for the deliveries and jobs that have begun, and close the broker."""
        self._finish.set()
        # The receiver ends by itself, once its tasks are done
        receivers = {task for task in self._running if task.get_name() == "receive"}
        await end_tasks({*self._running} - receivers)
        if receivers:
            _, late = await asyncio.wait(receivers, timeout=STOP_TIMEOUT_S)
            await end_tasks(late)
        for task in self._running:
            error = None if task.cancelled() else task.exception()
            if error is not None:
                log.error("a loop of the worker had ended", loop=task.get_name(), exc_info=error)
        self._running.clear()
        if isinstance(self._broker, InMemoryBroker):
            await self._broker.wait_all()
        await self._broker.shutdown()

    def _spawn(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        self._running.append(asyncio.create_task(work, name=name))

    async def _receive(self) -> None:
        # Not taskiq's run_receiver_task: that one leaves running tasks behind when it is stopped, tries again without
        # a pause while Redis is away, and never again creates the consumer group of a Redis that came back empty
        with ThreadPoolExecutor(max_workers=1) as executor:
            while not self._finish.is_set():
                receiver = Receiver(
                    self._broker,
                    executor,
                    run_startup=False,
                    max_async_tasks=MAX_TASKS,
                    wait_tasks_timeout=STOP_TIMEOUT_S,
                )
                try:
                    await receiver.listen(self._finish)
                except Exception as error:
                    _warn("the broker cannot be read", error)
                    await self._pause()
                    with suppress(Exception):
                        await self._broker.startup()

    async def _pause(self) -> None:
        """Wait for POLL_S, or until the worker is stopped.

        Whoever waits here in a loop has to look at `_finish`, too: up to Python 3.11 `wait_for` swallows a cancellation
        that comes when what it waits for has just happened (https://github.com/python/cpython/issues/86296).
        """
        await _wait(self._finish)

    async def _relay(self, subgraph: Subgraph) -> None:
        wake = self._wake[subgraph.name]
        while not self._finish.is_set():
            try:
                # Before looking, so that whatever happens after the look is looked at
                wake.clear()
                await self._send_due_events(subgraph)
            except Exception as error:
                # Whatever it is: a relay that ends takes every event of its subgraph with it
                _warn("relay cannot send events", error, subgraph=subgraph.name)
                await self._pause()
            await _wait(wake)

    async def _send_due_events(self, subgraph: Subgraph) -> None:
        outbox = subgraph.runtime.database[OUTBOX]
        in_delivery = {"claimed": True, "due_at": {"$gt": self._clock.now()}}
        free = MAX_IN_DELIVERY - await outbox.count_documents(in_delivery, limit=MAX_IN_DELIVERY)
        for _ in range(free):
            row = await self._claim_due_event(subgraph.runtime.database)
            if row is None:
                return
            try:
                await self._deliver_task.kiq(subgraph.name, row["_id"])
            except TaskiqError:
                again = {"due_at": self._clock.now() + timedelta(seconds=POLL_S)}
                await outbox.update_one({"_id": row["_id"]}, {"$set": again, "$unset": {"claimed": ""}})
                raise

    async def _claim_due_event(self, database: Database) -> Row | None:
        now = self._clock.now()
        return await database[OUTBOX].find_one_and_update(
            {"due_at": {"$lte": now}}, {"$set": {"due_at": now + CLAIM, "claimed": True}}, sort=[("due_at", 1)]
        )

    async def _watch(self, subgraph: Subgraph) -> None:
        # A change stream turns the poll into a push; the poll remains for whatever the stream misses
        while not self._finish.is_set():
            try:
                stream = await subgraph.runtime.database[OUTBOX].watch([_NEW_EVENTS])
                async with stream:
                    async for _ in stream:
                        self._wake[subgraph.name].set()
            except Exception as error:
                _warn("change stream ended", error, subgraph=subgraph.name)
            # Also when it ended without an error, as it does when the database is dropped
            await self._pause()

    async def _deliver(self, publisher: str, event_id: str) -> None:
        source = self._subgraphs.get(publisher)
        if source is None:
            # Sent by a newer version of the store; the claim ends by itself
            return
        try:
            await self._deliver_from(source, event_id)
        except PyMongoError as error:
            # The claim ends by itself, and the event is sent again
            _warn("outbox is out of reach", error, subgraph=publisher, event_id=event_id)
        finally:
            self._wake[publisher].set()

    async def _deliver_from(self, source: Subgraph, event_id: str) -> None:
        outbox = source.runtime.database[OUTBOX]
        row = await outbox.find_one({"_id": event_id})
        if row is None or "due_at" not in row:
            return
        event, attempts = event_from_row(row), row["attempts"] + 1
        failed = False
        for name, subscriber in self._subgraphs.items():
            if event.type not in subscriber.handlers or name in row["delivered_to"]:
                continue
            if await self._hand_over(event, subscriber, attempts):
                await outbox.update_one({"_id": event_id}, {"$addToSet": {"delivered_to": name}})
            else:
                failed = True
        await outbox.update_one({"_id": event_id}, _outcome(self._clock.now(), attempts, failed=failed))

    async def _hand_over(self, event: Event, subscriber: Subgraph, attempts: int) -> bool:
        runtime = subscriber.runtime
        try:
            await handle_once(runtime.client, runtime.database, event, subscriber.handlers[event.type])
        except Exception as error:
            _warn(
                "event not handled yet",
                error,
                event_type=event.type,
                event_id=event.id,
                subscriber=subscriber.name,
                attempts=attempts,
            )
            return False
        return True

    async def _schedule_jobs(self) -> None:
        while not self._finish.is_set():
            for (subgraph_name, job_name), job in self._jobs.items():
                database = self._subgraphs[subgraph_name].runtime.database
                try:
                    if await claim_job(database, job, now=self._clock.now()):
                        await self._send_job(database, subgraph_name, job_name)
                except Exception as error:
                    _warn("job cannot be claimed", error, job=job_name)
            await self._pause()

    async def _send_job(self, database: Database, subgraph_name: str, job_name: str) -> None:
        try:
            await self._job_task.kiq(subgraph_name, job_name)
        except TaskiqError as error:
            _warn("job cannot be sent", error, job=job_name)
            await retry_job_soon(database, self._jobs[subgraph_name, job_name], now=self._clock.now())

    async def _run_job(self, subgraph_name: str, job_name: str) -> None:
        job = self._jobs.get((subgraph_name, job_name))
        if job is None:
            return
        try:
            await job.run(self._clock.now())
        except Exception as error:
            log.error("job failed", subgraph=subgraph_name, job=job_name, exc_info=error)
            with suppress(PyMongoError):
                await retry_job_soon(self._subgraphs[subgraph_name].runtime.database, job, now=self._clock.now())


async def _wait(event: asyncio.Event) -> None:
    """Wait for *event*, at most for POLL_S."""
    # Not asyncio.wait_for: in Python 3.11 it swallows a cancellation that comes as the event is set
    with suppress(TimeoutError):
        async with asyncio.timeout(POLL_S):
            await event.wait()


def _warn(sentence: str, error: Exception, **values: Any) -> None:
    # What outages do needs no traceback
    outage = isinstance(error, Unavailable | PyMongoError | TaskiqError | RedisError | ExceptionGroup)
    log.warning(sentence, **values, error=type(error).__name__, exc_info=None if outage else error)


def _outcome(now: datetime, attempts: int, *, failed: bool) -> Mapping[str, Any]:
    """Return the update of an outbox row after a delivery to all its subscribers."""
    if not failed:
        return {"$set": {"delivered_at": now}, "$unset": {"due_at": "", "claimed": ""}}
    # The exponent is bounded before the power: the hundredth attempt must not compute 2**100 seconds
    delay = min(timedelta(seconds=2 ** min(attempts - 1, 12)), LONGEST_RETRY)
    return {"$set": {"due_at": now + delay, "attempts": attempts}, "$unset": {"claimed": ""}}
