"""The scheduler on a real MongoDB: what a look costs, and what an error costs the other jobs."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import AutoReconnect
from structlog.testing import capture_logs
from taskiq.exceptions import TaskiqError

from core.jobs import Job
from core.mongo import Row, connect
from core.scheduler import Scheduler
from tests.testkit.clock import FixedClock
from tests.testkit.commands import CommandLog
from tests.testkit.publishing import MakeSubgraph


async def nothing(now: datetime) -> None: ...


JOBS = tuple(Job(name, 3600, nothing) for name in ("first", "second", "third"))


class Sent:
    """A broker's end that notes what it is given. Mutable."""

    def __init__(self) -> None:
        self.runs: list[tuple[str, str]] = []

    async def __call__(self, subgraph_name: str, job_name: str) -> None:
        """Note a run."""
        self.runs.append((subgraph_name, job_name))


async def test_a_look_reads_all_jobs_of_a_subgraph_at_once(
    mongo_uri: str, make_subgraph: MakeSubgraph, clock: FixedClock
) -> None:
    log, sent = CommandLog(), Sent()
    client = connect(mongo_uri, listeners=[log])
    subgraphs = [
        await make_subgraph("order", jobs=JOBS, client=client),
        await make_subgraph("payment", client=client),
        await make_subgraph("user", jobs=JOBS[:2], client=client),
    ]
    scheduler = Scheduler(subgraphs, clock, sent)
    log.clear()
    await scheduler.look()
    assert log.commands == ["find jobs", *["insert jobs"] * 3, "find jobs", *["insert jobs"] * 2]
    runs = [("order", "first"), ("order", "second"), ("order", "third"), ("user", "first"), ("user", "second")]
    assert sent.runs == runs
    log.clear()
    clock.advance(minutes=59)
    await scheduler.look()
    assert log.commands == ["find jobs", "find jobs"]
    assert sent.runs == runs
    log.clear()
    clock.advance(minutes=1)
    await scheduler.look()
    assert log.commands == ["find jobs", *["update jobs"] * 3, "find jobs", *["update jobs"] * 2]
    assert sent.runs == runs * 2
    await client.close()


async def test_a_job_that_cannot_be_claimed_holds_up_no_other_one(
    make_subgraph: MakeSubgraph, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = Sent()
    scheduler = Scheduler([await make_subgraph("order", jobs=JOBS)], clock, sent)
    real = AsyncCollection.insert_one

    async def insert_one(self: AsyncCollection[Row], row: Row, *args: Any, **options: Any) -> object:
        if row["_id"] == "second":
            raise AutoReconnect("connection closed")
        return await real(self, row, *args, **options)

    with capture_logs() as logs, monkeypatch.context() as patched:
        patched.setattr(AsyncCollection, "insert_one", insert_one)
        await scheduler.look()
    assert sent.runs == [("order", "first"), ("order", "third")]
    assert [(log["event"], log["job"]) for log in logs] == [("job cannot be claimed", "second")]
    await scheduler.look()
    assert sent.runs == [("order", "first"), ("order", "third"), ("order", "second")]


async def test_jobs_that_cannot_be_read_hold_up_no_other_subgraph(
    make_subgraph: MakeSubgraph, clock: FixedClock
) -> None:
    sent = Sent()
    broken = await make_subgraph("order", jobs=JOBS)
    await broken.runtime.database["jobs"].insert_one({"_id": "second"})
    scheduler = Scheduler([broken, await make_subgraph("user", jobs=JOBS[:1])], clock, sent)
    with capture_logs() as logs:
        await scheduler.look()
    assert sent.runs == [("user", "first")]
    assert [(log["event"], log["subgraph"]) for log in logs] == [("jobs cannot be read", "order")]


async def test_a_run_that_the_broker_does_not_take_is_due_again_soon(
    make_subgraph: MakeSubgraph, clock: FixedClock
) -> None:
    taken: list[str] = []
    refuses = True

    async def send(subgraph_name: str, job_name: str) -> None:
        if refuses and job_name == "first":
            raise TaskiqError
        taken.append(job_name)

    scheduler = Scheduler([await make_subgraph("order", jobs=JOBS)], clock, send)

    async def look() -> Sequence[str]:
        taken.clear()
        await scheduler.look()
        return list(taken)

    with capture_logs() as logs:
        assert await look() == ["second", "third"]
    assert [(log["event"], log["job"]) for log in logs] == [("job cannot be sent", "first")]
    refuses = False
    clock.advance(seconds=59)
    assert await look() == []
    clock.advance(seconds=1)
    assert await look() == ["first"]
