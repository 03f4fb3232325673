"""Recurring work, claimed in MongoDB so that one replica runs it per period, whichever is free."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from core.mongo import Database, DuplicateKeyError

JOBS = "jobs"
# A nightly job that failed because the database was restarted should not wait for the next night
RETRY_S = 60.0

JobFunction: TypeAlias = Callable[[datetime], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Job:
    """Work that is due every *every_s* seconds; *run* is told the present and must stand being run twice."""

    name: str
    every_s: float
    run: JobFunction


async def claim_job(database: Database, job: Job, *, now: datetime) -> bool:
    """Claim this period's run of *job*; return False when another worker has it."""
    jobs = database[JOBS]
    # Every worker asks every second, and mostly in vain: a read, because an upsert that fails costs the server more
    row = await jobs.find_one({"_id": job.name}, projection={"next_at": 1})
    claim = {"next_at": now + timedelta(seconds=job.every_s), "claimed_at": now}
    if row is not None:
        if row["next_at"] > now:
            return False
        guard = {"_id": job.name, "next_at": row["next_at"]}
        return (await jobs.update_one(guard, {"$set": claim})).modified_count == 1
    try:
        await jobs.insert_one({"_id": job.name, **claim})
    except DuplicateKeyError:
        return False
    return True


async def retry_job_soon(database: Database, job: Job, *, now: datetime) -> None:
    """Make *job*, whose run has failed, due within RETRY_S rather than after its whole period."""
    retry_at = now + timedelta(seconds=min(job.every_s, RETRY_S))
    await database[JOBS].update_one({"_id": job.name}, {"$min": {"next_at": retry_at}})
