"""The worker: delivers events from outboxes to handlers and runs due jobs, for the subgraphs that it is given.

Everything that must survive is in MongoDB: an outbox row is claimed for a while, handed to the broker as a task, and
marked when each subscriber has it. A task that a broker loses, or a worker that dies, costs only the claim's time. The
broker (taskiq: in memory, or Redis Streams between many workers) spreads the work; it is never the record of it.

    outbox_streams -wake-> relay -send-> broker -> delivery -> handlers
                       scheduler -send-> broker -> scheduler -> jobs

Every worker is given all subgraphs: an event is done once each subscriber that its worker knows has it.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any

import structlog
from pymongo.errors import PyMongoError
from taskiq import AsyncBroker, InMemoryBroker
from taskiq.receiver import Receiver

from core.clock import Clock
from core.delivery import deliver
from core.events import OUTBOX
from core.loops import wait_for_poll, warn
from core.mongo import Client
from core.outbox_streams import group_by_client, wake_relays
from core.redis_broker import StreamBroker
from core.relay import Relay
from core.scheduler import Scheduler
from core.subgraph import Subgraph
from core.tasks import end_tasks

log = structlog.get_logger(__name__)

# Tasks that one worker runs at the same time, when the broker leaves that to us
MAX_TASKS = 32
# A worker that is stopped waits so long for the tasks that it has begun
STOP_TIMEOUT_S = 25.0
# With no worker to read it, the stream is cut. What is cut off is in MongoDB and is sent again.
MAX_STREAM_LENGTH = 10_000
# A message whose worker died is given to another one after so long
ABANDONED_AFTER = timedelta(minutes=1)


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
    """Runs relays, handlers and jobs of *subgraphs* until stopped. Mutable: it owns running tasks."""

    def __init__(self, subgraphs: Sequence[Subgraph], broker: AsyncBroker, clock: Clock) -> None:
        self._subgraphs = tuple(subgraphs)
        self._broker = broker
        self._clock = clock
        self._running: list[asyncio.Task[None]] = []
        self._finish = asyncio.Event()

        # Plain functions: taskiq writes to its tasks' `__name__`, which a bound method does not let it
        async def deliver_event(publisher: str, event_id: str) -> None:
            await self._deliver(publisher, event_id)

        async def run_job(subgraph_name: str, job_name: str) -> None:
            await self._scheduler.run_job(subgraph_name, job_name)

        self._deliver_task = broker.register_task(deliver_event, task_name="deliver_event")
        self._job_task = broker.register_task(run_job, task_name="run_job")
        self._scheduler = Scheduler(self._subgraphs, clock, self._job_task.kiq)
        self._relays = {
            subgraph.name: Relay(subgraph, self._subgraphs, clock, partial(self._deliver_task.kiq, subgraph.name))
            for subgraph in self._subgraphs
        }

    async def start(self) -> None:
        """Begin; return once the broker is connected."""
        if not isinstance(self._broker, InMemoryBroker):
            self._broker.is_worker_process = True
        await self._broker.startup()
        self._spawn("schedule", self._scheduler.run(self._finish))
        if not isinstance(self._broker, InMemoryBroker):
            self._spawn("receive", self._receive())
        for name, relay in self._relays.items():
            self._spawn(f"relay {name}", relay.run(self._finish))
        for client, relays in group_by_client(tuple(self._relays.values())):
            self._spawn("watch", self._watch(client, relays))

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
                    warn("the broker cannot be read", error)
                    await wait_for_poll(self._finish)
                    with suppress(Exception):
                        await self._broker.startup()

    async def _watch(self, client: Client, relays: Sequence[Relay]) -> None:
        await wake_relays(client.watch, relays, self._finish, may_be_refused=True)
        if self._finish.is_set():
            return
        log.info("a change stream for each outbox, as one over all databases is not permitted")
        for relay in relays:
            outbox = relay.publisher.runtime.database[OUTBOX]
            self._spawn(f"watch {relay.publisher.name}", wake_relays(outbox.watch, [relay], self._finish))

    async def _deliver(self, publisher: str, event_id: str) -> None:
        relay = self._relays.get(publisher)
        if relay is None:
            # Sent by a newer version of the store; the claim ends by itself
            return
        with relay.delivering():
            try:
                await deliver(event_id, relay.publisher, self._subgraphs, self._clock)
            except PyMongoError as error:
                # The claim ends by itself, and the event is sent again
                warn("outbox is out of reach", error, subgraph=publisher, event_id=event_id)
