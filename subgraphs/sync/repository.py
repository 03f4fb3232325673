"""The sync subgraph's MongoDB queries."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from core.errors import Conflict
from core.ids import new_id
from core.mongo import Database, DuplicateKeyError, Row, Session, find_one_and_update
from core.paging import Page, PageRequest, find_pages
from subgraphs.sync.documents import RecentExportsDocument, RunDocument, RunStatus, ScheduleDocument


class SyncRepository:
    """Schedules and runs in one database."""

    def __init__(self, database: Database) -> None:
        self._schedules = database["schedules"]
        self._runs = database["runs"]
        self._recent = database["recent_exports"]

    # -- schedules -----------------------------------------------------------------------------------------------------

    async def insert_schedule(self, document: ScheduleDocument, *, session: Session) -> None:
        """Add a schedule."""
        await document.insert(session=session)

    async def count_schedules(self, owner_id: str) -> int:
        """Return how many schedules a user has."""
        return await self._schedules.count_documents({"owner_id": owner_id})

    async def find_schedule(self, schedule_id: str) -> ScheduleDocument | None:
        """Return a schedule."""
        row = await self._schedules.find_one({"_id": schedule_id})
        return None if row is None else ScheduleDocument.model_validate(row)

    async def find_schedules(self, schedule_ids: Collection[str]) -> list[Row]:
        """Return the schedules of *schedule_ids* that exist, in any order and without their secrets."""
        return await self._schedules.find({"_id": {"$in": list(schedule_ids)}}, {"secret": 0}).to_list()

    async def find_schedules_of(self, owner_ids: Collection[str]) -> list[Row]:
        """Return all schedules of *owner_ids*, oldest first and without their secrets."""
        query = {"owner_id": {"$in": list(owner_ids)}}
        return await self._schedules.find(query, {"secret": 0}).sort("_id", 1).to_list()

    async def update_schedule(
        self, schedule_id: str, version: int, changes: Mapping[str, Any], *, session: Session
    ) -> ScheduleDocument | None:
        """Apply *changes* to the schedule in *version*; return it, or None when it has moved on or is gone."""
        return await find_one_and_update(
            ScheduleDocument,
            {"_id": schedule_id, "version": version},
            {"$set": dict(changes), "$inc": {"version": 1}},
            session=session,
        )

    async def delete_schedule(self, schedule_id: str, *, session: Session) -> bool:
        """Delete a schedule with its runs; a worker in the middle of one finds it gone and stops."""
        deleted = await self._schedules.delete_one({"_id": schedule_id}, session=session)
        await self._runs.delete_many({"schedule_id": schedule_id}, session=session)
        await self._recent.delete_one({"_id": schedule_id}, session=session)
        return deleted.deleted_count == 1

    async def delete_schedules_of(self, owner_id: str, *, session: Session) -> None:
        """Delete all schedules of a user as `delete_schedule` does."""
        query = {"owner_id": owner_id}
        ids = [row["_id"] for row in await self._schedules.find(query, {"_id": 1}, session=session).to_list()]
        await self._schedules.delete_many(query, session=session)
        await self._runs.delete_many({"schedule_id": {"$in": ids}}, session=session)
        await self._recent.delete_many({"_id": {"$in": ids}}, session=session)

    async def find_due_schedules(self, now: datetime, *, limit: int) -> list[ScheduleDocument]:
        """Return enabled schedules whose time has come, the longest waiting first."""
        rows = self._schedules.find({"enabled": True, "next_run_at": {"$lte": now}}).sort("next_run_at", 1)
        return [ScheduleDocument.model_validate(row) async for row in rows.limit(limit)]

    async def advance_schedule(
        self, schedule: ScheduleDocument, next_run_at: datetime, *, now: datetime, session: Session
    ) -> bool:
        """Move a due schedule on to its next run; return False if another worker did, or it was edited."""
        result = await self._schedules.update_one(
            {"_id": schedule.id, "enabled": True, "next_run_at": schedule.next_run_at},
            # The version, so that an edit does not put back the time that it has read
            {"$set": {"next_run_at": next_run_at, "last_run_at": now}, "$inc": {"version": 1}},
            session=session,
        )
        return result.modified_count == 1

    async def note_run(self, schedule_id: str, *, now: datetime, session: Session) -> bool:
        """Remember that the schedule ran; return False if it is gone."""
        result = await self._schedules.update_one({"_id": schedule_id}, {"$set": {"last_run_at": now}}, session=session)
        return result.matched_count == 1

    async def note_exported(self, schedule_id: str, until: datetime, *, session: Session) -> None:
        """Remember that the receiver has every change before *until*."""
        await self._schedules.update_one({"_id": schedule_id}, {"$max": {"exported_until": until}}, session=session)

    # -- runs ----------------------------------------------------------------------------------------------------------

    async def insert_run(self, document: RunDocument, *, session: Session) -> None:
        """Add a run; raise Conflict while another one of its schedule is running."""
        try:
            await document.insert(session=session)
        except DuplicateKeyError as error:
            if "one_running" in str(error):
                raise Conflict(f"schedule {document.schedule_id} is running already") from error
            raise

    async def find_run(self, run_id: str) -> RunDocument | None:
        """Return a run."""
        row = await self._runs.find_one({"_id": run_id})
        return None if row is None else RunDocument.model_validate(row)

    async def find_run_pages(self, schedule_ids: Sequence[str], page: PageRequest) -> list[Page[Row]]:
        """Return for each schedule a page of its runs, newest first; one query for all of them."""
        return await find_pages(self._runs, "schedule_id", schedule_ids, [("_id", -1)], page)

    async def claim_run(self, *, now: datetime, until: datetime) -> RunDocument | None:
        """Take on a run that no worker has, until *until*; None when there is none."""
        return await find_one_and_update(
            RunDocument,
            {"status": RunStatus.RUNNING, "due_at": {"$lte": now}},
            {"$set": {"due_at": until, "lease": new_id("lse")}},
            sort=[("due_at", 1)],
        )

    async def update_run(
        self, run: RunDocument, changes: Mapping[str, Any], *, exported: int = 0, session: Session | None = None
    ) -> RunDocument | None:
        """Apply *changes* to a run that is still ours; None when another worker has it, or it is gone."""
        return await find_one_and_update(
            RunDocument,
            {"_id": run.id, "status": RunStatus.RUNNING, "lease": run.lease},
            {"$set": dict(changes), "$inc": {"exported_count": exported}},
            session=session,
        )

    # -- what was exported last ----------------------------------------------------------------------------------------

    async def find_recent(self, schedule_id: str) -> list[Row]:
        """Return the orders that the schedule exported last, each with *id*, *fingerprint* and *updated_at*."""
        row = await self._recent.find_one({"_id": schedule_id})
        orders: list[Row] = [] if row is None else row["orders"]
        return orders

    async def replace_recent(self, schedule_id: str, orders: Sequence[Row], *, session: Session) -> None:
        """Remember *orders* instead of what was remembered before."""
        document = RecentExportsDocument(id=schedule_id, orders=list(orders))
        await self._recent.update_one(
            {"_id": schedule_id}, {"$set": {"orders": document.orders}}, upsert=True, session=session
        )
