"""Recurring work, claimed in MongoDB so that one replica runs it per period, whichever is free."""

from collections.abc import Awaitable, Callable, Sequence
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


@dataclass(frozen=True, slots=True)
class DueJob:
    """A job that was due when it was looked at; *next_at* is since when, None if it has never run."""

    job: Job
    next_at: datetime | None


async def find_due_jobs(database: Database, jobs: Sequence[Job], *, now: datetime) -> tuple[DueJob, ...]:
    """Return those of *jobs* that are due, for `claim_job`."""
    # Every worker asks every second, and mostly in vain: one read for all of them, and no write
    names = [job.name for job in jobs]
    rows = database[JOBS].find({"_id": {"$in": names}}, {"next_at": 1})
    known = {row["_id"]: row["next_at"] async for row in rows}
    found = (DueJob(job, known.get(job.name)) for job in jobs)
    return tuple(due for due in found if due.next_at is None or due.next_at <= now)


async def claim_job(database: Database, due: DueJob, *, now: datetime) -> bool:
    """Claim this period's run of a due job; return False when another worker has it."""
    jobs, job = database[JOBS], due.job
    claim = {"next_at": now + timedelta(seconds=job.every_s), "claimed_at": now}
    if due.next_at is not None:
        guard = {"_id": job.name, "next_at": due.next_at}
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
