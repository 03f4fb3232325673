"""What can be done with schedules. Each is its owner's alone; to everybody else it does not exist."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from core.audit import announce_privileged
from core.clock import Clock
from core.errors import Conflict, Forbidden, NotFound
from core.identity import Identity
from core.ids import new_id
from core.mongo import Client, Database, Row, Session, in_transaction
from core.paging import Page, PageRequest
from core.scopes import SYNC_WRITE
from core.subgraph import require_login, require_person
from subgraphs.sync.addresses import check_webhook_url
from subgraphs.sync.documents import RunDocument, ScheduleDocument, Scope
from subgraphs.sync.exporter import Exporter
from subgraphs.sync.model import Frequency, Recurrence, Weekday, check_name, check_recurrence, next_run
from subgraphs.sync.repository import SyncRepository
from subgraphs.sync.webhooks import generate_secret

# Keeps one customer from filling the job queue. Two creations at the same moment may both see the last free place
MAX_SCHEDULES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleDraft:
    """A schedule as its owner describes it; None where the frequency has no such field."""

    name: str
    frequency: Frequency
    time_of_day: str
    timezone: str
    day_of_week: Weekday | None
    day_of_month: int | None
    month: int | None
    webhook_url: str
    scope: Scope
    enabled: bool

    @property
    def recurrence(self) -> Recurrence:
        """Return when it is due."""
        return Recurrence(
            self.frequency, self.time_of_day, self.timezone, self.day_of_week, self.day_of_month, self.month
        )


class SyncService:
    """The use cases of the sync subgraph."""

    def __init__(
        self,
        repository: SyncRepository,
        exporter: Exporter,
        *,
        client: Client,
        database: Database,
        clock: Clock,
        allow_private: bool,
    ) -> None:
        self._database = database
        self._repository = repository
        self._exporter = exporter
        self._client = client
        self._clock = clock
        self._allow_private = allow_private

    async def create_schedule(self, draft: ScheduleDraft, *, by: Identity) -> ScheduleDocument:
        """Create a schedule; its secret is in the answer and never shown again.

        Raises:
            BadUserInput: a value is not acceptable.
            Forbidden: all orders are asked for, without sync:write.
            Conflict: the caller has MAX_SCHEDULES already.
        """
        owner_id = require_person(by)
        now = self._clock.now()
        values = self._check_draft(draft, by=by, now=now)
        if await self._repository.count_schedules(owner_id) >= MAX_SCHEDULES:
            raise Conflict(f"there are {MAX_SCHEDULES} schedules already; delete one first")
        document = ScheduleDocument(
            id=new_id("sch"), owner_id=owner_id, secret=generate_secret(), created_at=now, updated_at=now, **values
        )

        async def work(session: Session) -> None:
            await self._repository.insert_schedule(document, session=session)
            await self._note("SYNC_SCHEDULE_CREATED", document, by, session)

        await in_transaction(self._client, work)
        return document

    async def edit_schedule(self, schedule_id: str, changes: Mapping[str, Any], *, by: Identity) -> ScheduleDocument:
        """Change the fields of a draft that *changes* names. A new frequency drops what the old one needed.

        Raises:
            NotFound: no such schedule of the caller.
            Conflict: it was edited at the same time.
            BadUserInput, Forbidden: as for create_schedule; nothing is changed.
        """
        stored = await self._find_own(schedule_id, by=by)
        now = self._clock.now()
        draft = _merge(stored, changes)
        values = self._check_draft(draft, by=by, now=now)
        if draft.enabled and stored.enabled and draft.recurrence == stored.recurrence:
            # Another name or address must not move a run that is due
            values["next_run_at"] = stored.next_run_at

        async def work(session: Session) -> ScheduleDocument:
            changes = {**values, "updated_at": now}
            edited = await self._repository.update_schedule(stored.id, stored.version, changes, session=session)
            if edited is None:
                raise Conflict(f"schedule {schedule_id} was changed at the same time; try again")
            # What it exports no longer is as telling as what it exports from now on
            await self._note("SYNC_SCHEDULE_EDITED", edited, by, session, or_else=stored)
            return edited

        return await in_transaction(self._client, work)

    async def delete_schedule(self, schedule_id: str, *, by: Identity) -> str:
        """Delete a schedule and its runs, also one in progress; return its id. Raises NotFound."""
        stored = await self._find_own(schedule_id, by=by)

        async def work(session: Session) -> bool:
            deleted = await self._repository.delete_schedule(stored.id, session=session)
            if deleted:
                await self._note("SYNC_SCHEDULE_DELETED", stored, by, session)
            return deleted

        if not await in_transaction(self._client, work):
            raise _no_such_schedule(schedule_id)
        return stored.id

    async def run_now(self, schedule_id: str, *, by: Identity) -> RunDocument:
        """Start a run and return it; a worker does the rest. Raises NotFound, or Conflict while one is running."""
        stored = await self._find_own(schedule_id, by=by)

        async def note(session: Session) -> None:
            await self._note("SYNC_RUN_STARTED", stored, by, session)

        run = await self._exporter.start_manually(stored, also=note)
        if run is None:
            raise _no_such_schedule(schedule_id)
        return run

    async def find_schedules(self, schedule_ids: list[str]) -> list[Row]:
        """Return schedules for a loader; who may see them is for may_see to say."""
        return await self._repository.find_schedules(schedule_ids)

    async def find_schedules_of(self, owner_ids: list[str]) -> list[Row]:
        """Return the schedules of owners for a loader."""
        return await self._repository.find_schedules_of(owner_ids)

    async def find_visible_run(self, run_id: str, *, by: Identity) -> RunDocument | None:
        """Return a run to the schedule's owner, None to everybody else."""
        require_login(by)
        run = await self._repository.find_run(run_id)
        return run if run is not None and may_see(run.owner_id, by) else None

    async def list_runs(self, asked: list[tuple[str, PageRequest]]) -> list[Page[Row]]:
        """Return pages of runs for a loader, of schedules that the caller was shown; one query per kind of page."""
        found: dict[tuple[str, PageRequest], Page[Row]] = {}
        for page in dict.fromkeys(page for _, page in asked):
            schedule_ids = [schedule_id for schedule_id, wanted in asked if wanted == page]
            pages = await self._repository.find_run_pages(schedule_ids, page)
            found.update(((schedule_id, page), runs) for schedule_id, runs in zip(schedule_ids, pages, strict=True))
        return [found[key] for key in asked]

    async def _note(
        self,
        action: str,
        schedule: ScheduleDocument,
        by: Identity,
        session: Session,
        *,
        or_else: ScheduleDocument | None = None,
    ) -> None:
        """Tell the audit log, where the orders of others are exported; one's own are nobody else's business."""
        if Scope.ALL not in (schedule.scope, or_else and or_else.scope):
            return
        await announce_privileged(
            self._database,
            action,
            schedule.id,
            actor_id=by.subject,
            now=self._clock.now(),
            session=session,
            # Of the address the host alone: its path may be a secret
            details={"scope": schedule.scope.value, "host": urlsplit(schedule.webhook_url).hostname or ""},
        )

    def _check_draft(self, draft: ScheduleDraft, *, by: Identity, now: datetime) -> dict[str, Any]:
        """Return the fields to store of *draft*."""
        if draft.scope is Scope.ALL and not by.has_scopes(SYNC_WRITE):
            raise Forbidden(f"exporting the orders of others needs the scope {SYNC_WRITE}")
        recurrence = check_recurrence(draft.recurrence)
        return {
            "name": check_name(draft.name),
            "frequency": draft.frequency,
            "time_of_day": draft.time_of_day,
            "timezone": draft.timezone,
            "day_of_week": draft.day_of_week,
            "day_of_month": draft.day_of_month,
            "month": draft.month,
            "webhook_url": check_webhook_url(draft.webhook_url, allow_private=self._allow_private),
            "scope": draft.scope,
            "enabled": draft.enabled,
            "next_run_at": next_run(recurrence, after=now) if draft.enabled else None,
        }

    async def _find_own(self, schedule_id: str, *, by: Identity) -> ScheduleDocument:
        owner_id = require_person(by)
        stored = await self._repository.find_schedule(schedule_id)
        if stored is None or stored.owner_id != owner_id:
            raise _no_such_schedule(schedule_id)
        return stored


def may_see(owner_id: str, viewer: Identity) -> bool:
    """Tell whether *viewer* may see the schedules and runs of *owner_id*."""
    return viewer.subject == owner_id or viewer.is_service


def _merge(stored: ScheduleDocument, changes: Mapping[str, Any]) -> ScheduleDraft:
    frequency = changes.get("frequency", stored.frequency)
    kept = {name: getattr(stored, name) for name in ScheduleDraft.__dataclass_fields__}
    if frequency is not Frequency.WEEKLY:
        kept["day_of_week"] = None
    if frequency not in (Frequency.MONTHLY, Frequency.YEARLY):
        kept["day_of_month"] = None
    if frequency is not Frequency.YEARLY:
        kept["month"] = None
    return ScheduleDraft(**{**kept, **changes})


def _no_such_schedule(schedule_id: str) -> NotFound:
    return NotFound(f"you have no schedule {schedule_id}")
