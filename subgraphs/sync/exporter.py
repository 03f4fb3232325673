"""Runs: each reads the orders that changed since the last one and posts them in batches, until all are taken.

Nothing is lost when a worker dies or a receiver is down: a run's cursor moves only when the receiver has answered, in
the transaction that moves the schedule's mark. So a changed order is sent at least once; sent again is only what a
receiver took without our hearing of it, under the same batch id.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from core.clock import Clock
from core.errors import BadUserInput, Conflict
from core.ids import new_id
from core.mongo import Client, Database, Row, Session, in_transaction
from core.peers import PeerError, Peers
from core.scopes import SYNC_WRITE
from loaders.remote import remote_entity_loader
from subgraphs.sync.documents import RunDocument, RunStatus, ScheduleDocument, Scope, Trigger
from subgraphs.sync.events import announce_run_finished
from subgraphs.sync.model import next_run
from subgraphs.sync.order_feed import OVERLAP, ChangedOrder, OrderBatch, fingerprint_of, read_changed_orders
from subgraphs.sync.repository import SyncRepository
from subgraphs.sync.webhooks import DeliveryFailed, WebhookSender

log = structlog.get_logger(__name__)

# A worker has so long for one batch before another may take the run over: many times what reading and posting may take
LEASE = timedelta(minutes=5)

# After each failure in a row the run waits so long; after the last it has failed. About two hours in all, so that a
# receiver may be restarted or moved; what is left over is sent by the next run
RETRY_DELAYS = tuple(timedelta(seconds=seconds) for seconds in (10, 60, 300, 900, 1800, 3600))

# Runs that one process works on at a time
MAX_ACTIVE = 8
DUE_AT_ONCE = 500

# Orders remembered per schedule, so that its row stays under a megabyte. Beyond it, orders may be sent twice
MAX_RECENT = 5000

# What is read of a schedule's owner
OWNER_FIELDS = "id scopes status"

MILLISECOND = timedelta(milliseconds=1)


class _LeaseLost(Exception):
    """Another worker has taken the run over, or it was deleted."""


class _CannotExport(Exception):
    """The run cannot succeed, however often it is tried; the message is for the owner."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What a batch leaves behind: orders to post, and what to remember once they are taken."""

    batch: OrderBatch
    to_send: tuple[ChangedOrder, ...]
    recent: tuple[Row, ...]


class Exporter:
    """Starts due runs and works on started ones. Mutable: counts the runs that this process works on."""

    def __init__(
        self,
        repository: SyncRepository,
        *,
        client: Client,
        database: Database,
        peers: Peers,
        clock: Clock,
        sender: WebhookSender,
    ) -> None:
        self._repository = repository
        self._client = client
        self._database = database
        self._peers = peers
        self._clock = clock
        self._sender = sender
        self._active = 0

    async def run_due(self, now: datetime) -> None:
        """Start the runs of all due schedules, then work on runs until none is left. The subgraph's job."""
        await self.start_due_schedules(now)
        if self._active >= MAX_ACTIVE:
            return
        self._active += 1
        try:
            while True:
                claimed_at = self._clock.now()
                run = await self._repository.claim_run(now=claimed_at, until=claimed_at + LEASE)
                if run is None:
                    return
                await self._work_on(run)
        finally:
            self._active -= 1

    async def start_due_schedules(self, now: datetime) -> None:
        """Insert a run for every schedule whose time has come; of times that were missed, one run makes up."""
        for schedule in await self._repository.find_due_schedules(now, limit=DUE_AT_ONCE):
            try:
                await self._start_due(schedule, now)
            except Conflict:
                # The last run is not over: the schedule stays due and is looked at again
                continue
            except BadUserInput as error:
                log.error("schedule has no next run", schedule_id=schedule.id, reason=error.message)

    async def start_manually(
        self, schedule: ScheduleDocument, *, also: Callable[[Session], Awaitable[None]]
    ) -> RunDocument | None:
        """Insert a run of *schedule*, with what *also* writes in the same transaction.

        None if it was deleted meanwhile. Raises Conflict while one is running.
        """
        run = _new_run(schedule, Trigger.MANUAL, self._clock.now())

        async def work(session: Session) -> bool:
            if not await self._repository.note_run(schedule.id, now=run.started_at, session=session):
                return False
            await self._repository.insert_run(run, session=session)
            await also(session)
            return True

        return run if await in_transaction(self._client, work) else None

    async def _start_due(self, schedule: ScheduleDocument, now: datetime) -> None:
        following = next_run(schedule.recurrence, after=now)
        run = _new_run(schedule, Trigger.SCHEDULED, now)

        async def work(session: Session) -> None:
            if await self._repository.advance_schedule(schedule, following, now=now, session=session):
                await self._repository.insert_run(run, session=session)

        await in_transaction(self._client, work)

    async def _work_on(self, run: RunDocument) -> None:
        """Post batch after batch until the run is over, fails for now, or belongs to somebody else."""
        try:
            while run.status is RunStatus.RUNNING:
                run = await self._advance(run)
        except _LeaseLost:
            log.info("sync run belongs to another worker or is gone", run_id=run.id)
        except _CannotExport as error:
            await self._give_up(run, str(error))
        except DeliveryFailed as error:
            await self._put_off(run, str(error))
        except PeerError as error:
            log.warning("sync run could not read orders", run_id=run.id, reason=error.message)
            await self._put_off(run, "the orders could not be read")
        except Exception as error:
            # A mistake of ours must not keep the other runs waiting, nor be tried for ever
            log.error("sync run failed", run_id=run.id, exc_info=error)
            await self._put_off(run, "the orders could not be exported")

    async def _advance(self, run: RunDocument) -> RunDocument:
        """Post the next batch of *run* and return the run as it is then."""
        schedule = await self._repository.find_schedule(run.schedule_id)
        if schedule is None:
            raise _LeaseLost
        await self._check_scope(schedule)
        batch = await read_changed_orders(
            self._peers,
            since=run.since,
            until=run.until,
            buyer_id=schedule.owner_id if schedule.scope is Scope.OWN else None,
            after=run.after,
        )
        progress = plan_batch(batch, await self._repository.find_recent(schedule.id))
        if progress.to_send:
            now = self._clock.now()
            payload = _payload(run, progress.to_send, now)
            await self._sender.send(schedule.webhook_url, schedule.secret, payload["id"], payload, now=now)
        return await self._note_progress(run, progress)

    async def _check_scope(self, schedule: ScheduleDocument) -> None:
        """Refuse to export everybody's orders for an owner who may not see them any more."""
        if schedule.scope is Scope.OWN:
            return
        owner = await remote_entity_loader(self._peers, "user", "User", OWNER_FIELDS).load(schedule.owner_id)
        is_active = owner is not None and owner.get("status") == "ACTIVE"
        if owner is None or not is_active or SYNC_WRITE not in (owner["scopes"] or ()):
            raise _CannotExport("the owner may not export the orders of others any more")

    async def _note_progress(self, run: RunDocument, progress: Progress) -> RunDocument:
        is_last = not progress.batch.has_next
        if is_last:
            return await self._finish(run, RunStatus.SUCCEEDED, progress=progress)

        async def work(session: Session) -> RunDocument:
            changes = {
                "after": progress.batch.end_cursor,
                "attempts": 0,
                "error": None,
                "due_at": self._clock.now() + LEASE,
            }
            return await self._write_progress(run, changes, progress, session)

        return await in_transaction(self._client, work)

    async def _finish(
        self, run: RunDocument, status: RunStatus, *, error: str | None = None, progress: Progress | None = None
    ) -> RunDocument:
        now = self._clock.now()
        changes = {"status": status, "finished_at": now, "error": error, "due_at": None, "lease": None}

        async def work(session: Session) -> RunDocument:
            finished = await self._write_progress(run, changes, progress, session)
            if status is RunStatus.SUCCEEDED:
                await self._repository.note_exported(run.schedule_id, run.until, session=session)
            await announce_run_finished(finished, database=self._database, now=now, session=session)
            return finished

        return await in_transaction(self._client, work)

    async def _write_progress(
        self, run: RunDocument, changes: Mapping[str, Any], progress: Progress | None, session: Session
    ) -> RunDocument:
        exported = len(progress.to_send) if progress else 0
        written = await self._repository.update_run(run, changes, exported=exported, session=session)
        if written is None:
            raise _LeaseLost
        if progress is not None and progress.batch.orders:
            reached = progress.batch.orders[-1].updated_at
            await self._repository.note_exported(run.schedule_id, reached, session=session)
            await self._repository.replace_recent(run.schedule_id, progress.recent, session=session)
        return written

    async def _put_off(self, run: RunDocument, reason: str) -> None:
        """Let *run* wait for its next attempt, or fail it after the last one."""
        if run.attempts >= len(RETRY_DELAYS):
            await self._give_up(run, reason)
            return
        due_at = self._clock.now() + RETRY_DELAYS[run.attempts]
        changes = {"due_at": due_at, "lease": None, "attempts": run.attempts + 1, "error": reason}
        await self._repository.update_run(run, changes)

    async def _give_up(self, run: RunDocument, reason: str) -> None:
        try:
            await self._finish(run, RunStatus.FAILED, error=reason)
        except _LeaseLost:
            log.info("sync run belongs to another worker or is gone", run_id=run.id)


def _new_run(schedule: ScheduleDocument, trigger: Trigger, now: datetime) -> RunDocument:
    return RunDocument(
        id=new_id("run"),
        schedule_id=schedule.id,
        owner_id=schedule.owner_id,
        status=RunStatus.RUNNING,
        trigger=trigger,
        started_at=now,
        since=schedule.exported_until,
        # The feed ends before its `until`: a change of this very millisecond belongs in
        until=now + MILLISECOND,
        due_at=now,
    )


def plan_batch(batch: OrderBatch, recent: list[Row]) -> Progress:
    """Leave out what was sent already, and work out what to remember after this batch."""
    known = {(row["id"], row["fingerprint"]) for row in recent}
    to_send = tuple(order for order in batch.orders if (order.id, order.fingerprint) not in known)
    if not batch.orders:
        return Progress(batch, to_send, tuple(recent))
    # The next run reads from OVERLAP before the mark, which is never before this batch's last change
    horizon = batch.orders[-1].updated_at - OVERLAP
    sent = [{"id": order.id, "fingerprint": order.fingerprint, "updated_at": order.updated_at} for order in to_send]
    kept = [row for row in [*recent, *sent] if row["updated_at"] >= horizon]
    return Progress(batch, to_send, tuple(kept[-MAX_RECENT:]))


def _payload(run: RunDocument, orders: tuple[ChangedOrder, ...], now: datetime) -> dict[str, Any]:
    """Return what is posted. Its id depends on run and orders: the same batch has it again, another one never.

    If it were merely numbered, a receiver that took a batch without our hearing of it would pass over the batch of the
    next attempt, although an order in it may have changed since.
    """
    contents = [order.content for order in orders]
    return {
        "id": f"{run.id}.{fingerprint_of([run.id, contents])}",
        "type": "orders.changed",
        "timestamp": now.isoformat(timespec="milliseconds"),
        "data": {
            "scheduleId": run.schedule_id,
            "runId": run.id,
            "from": None if run.since is None else run.since.isoformat(timespec="milliseconds"),
            "until": run.until.isoformat(timespec="milliseconds"),
            "orders": contents,
        },
    }
