"""The scheduler: it claims due jobs, hands them to the broker, and runs those that the broker gives it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import structlog
from pymongo.errors import PyMongoError
from taskiq.exceptions import TaskiqError

from core.clock import Clock
from core.jobs import Job, claim_job, find_due_jobs, retry_job_soon
from core.loops import wait_for_poll, warn
from core.subgraph import Subgraph

log = structlog.get_logger(__name__)


class Scheduler:
    """Sees to the jobs of *subgraphs*. *send* hands a run to the broker: the subgraph's name and the job's."""

    def __init__(
        self, subgraphs: Sequence[Subgraph], clock: Clock, send: Callable[[str, str], Awaitable[object]]
    ) -> None:
        self._subgraphs = subgraphs
        self._jobs = {(subgraph.name, job.name): (subgraph, job) for subgraph in subgraphs for job in subgraph.jobs}
        self._clock = clock
        self._send = send

    async def run(self, finish: asyncio.Event) -> None:
        """Look for due jobs once in POLL_S, until *finish* is set."""
        while not finish.is_set():
            await self.look()
            await wait_for_poll(finish)

    async def look(self) -> None:
        """Send the jobs that are due and that no other worker has."""
        for subgraph in self._subgraphs:
            if not subgraph.jobs:
                continue
            database, now = subgraph.runtime.database, self._clock.now()
            try:
                found = await find_due_jobs(database, subgraph.jobs, now=now)
            except Exception as error:
                warn("jobs cannot be read", error, subgraph=subgraph.name)
                continue
            for due in found:
                try:
                    if await claim_job(database, due, now=now):
                        await self._send_job(subgraph, due.job)
                except Exception as error:
                    warn("job cannot be claimed", error, job=due.job.name)

    async def _send_job(self, subgraph: Subgraph, job: Job) -> None:
        try:
            await self._send(subgraph.name, job.name)
        except TaskiqError as error:
            warn("job cannot be sent", error, job=job.name)
            await retry_job_soon(subgraph.runtime.database, job, now=self._clock.now())

    async def run_job(self, subgraph_name: str, job_name: str) -> None:
        """Run a job; one that fails is due again soon. A newer version of the store may send what is unknown here."""
        known = self._jobs.get((subgraph_name, job_name))
        if known is None:
            return
        subgraph, job = known
        try:
            await job.run(self._clock.now())
        except Exception as error:
            log.error("job failed", subgraph=subgraph_name, job=job_name, exc_info=error)
            with suppress(PyMongoError):
                await retry_job_soon(subgraph.runtime.database, job, now=self._clock.now())
