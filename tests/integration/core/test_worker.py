"""The worker on a real MongoDB, with its broker in memory and on a real Redis."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from core import loops, relay
from core import worker as worker_module
from core.clock import Clock
from core.errors import Unavailable
from core.events import Event, EventHandler
from core.jobs import DueJob, Job, claim_job
from core.mongo import Session, connect
from core.relay import Relay
from core.subgraph import Subgraph
from core.worker import Worker, open_broker
from tests.testkit.clock import FixedClock
from tests.testkit.commands import CommandLog
from tests.testkit.publishing import MakeSubgraph, all_delivered, note_into, outbox, tell
from tests.testkit.redis_server import RedisServer
from tests.testkit.waiting import eventually

NOW = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture(params=["memory", "redis"])
def redis_url(request: pytest.FixtureRequest) -> str:
    if request.param == "memory":
        return ""
    server: RedisServer = request.getfixturevalue("redis_server")
    return server.url


@asynccontextmanager
async def working(redis_url: str, clock: Clock, *subgraphs: Subgraph) -> AsyncIterator[Worker]:
    worker = Worker(subgraphs, open_broker(redis_url), clock)
    await worker.start()
    try:
        yield worker
    finally:
        await worker.stop()


async def test_an_event_reaches_every_subscriber_once(
    redis_url: str, clock: FixedClock, make_subgraph: MakeSubgraph
) -> None:
    seen: list[tuple[str, str, str]] = []
    publisher = await make_subgraph("order", {"OrderPaid": note_into("order", seen)})
    stock = await make_subgraph("inventory", {"OrderPaid": note_into("inventory", seen)})
    mail = await make_subgraph("payment", {"OrderShipped": note_into("payment", seen)})
    async with working(redis_url, clock, publisher, stock, mail):
        await tell(publisher, "OrderPaid", "ord_1")
        await tell(publisher, "OrderShipped", "ord_1")
        await tell(publisher, "NobodyListens", "ord_1")
        await eventually(all_delivered(publisher))
    assert sorted(seen) == [
        ("inventory", "OrderPaid", "ord_1"),
        ("order", "OrderPaid", "ord_1"),
        ("payment", "OrderShipped", "ord_1"),
    ]
    rows = await outbox(publisher)
    assert [(row["type"], row["delivered_to"], row["attempts"]) for row in rows] == [
        ("OrderPaid", ["order", "inventory"], 0),
        ("OrderShipped", ["payment"], 0),
        ("NobodyListens", [], 0),
    ]
    assert all(row["delivered_at"] == NOW and "claimed" not in row for row in rows)
    assert await stock.runtime.database["inbox"].count_documents({}) == 1


async def test_what_was_announced_while_no_worker_ran_is_delivered_at_start(
    redis_url: str, clock: FixedClock, make_subgraph: MakeSubgraph
) -> None:
    seen: list[tuple[str, str, str]] = []
    publisher = await make_subgraph("order", {"OrderPaid": note_into("order", seen)})
    await tell(publisher, "OrderPaid", "ord_1")
    async with working(redis_url, clock, publisher):
        await eventually(all_delivered(publisher))
    assert seen == [("order", "OrderPaid", "ord_1")]


async def test_a_failed_handler_is_tried_again_and_the_others_are_not(
    redis_url: str, clock: FixedClock, make_subgraph: MakeSubgraph
) -> None:
    seen: list[tuple[str, str, str]] = []
    attempts = 0

    async def fail_twice(event: Event, session: Session) -> None:
        nonlocal attempts
        attempts += 1
        await flaky.runtime.database["effects"].insert_one({"attempt": attempts}, session=session)
        if attempts == 1:
            raise Unavailable("not now")
        if attempts == 2:
            raise ValueError("a bug")

    publisher = await make_subgraph("order", {"OrderPaid": note_into("order", seen)})
    flaky = await make_subgraph("payment", {"OrderPaid": fail_twice})
    last = await make_subgraph("sync", {"OrderPaid": note_into("sync", seen)})

    def tried(times: int) -> Callable[[], Awaitable[bool]]:
        async def look() -> bool:
            return [row["attempts"] for row in await outbox(publisher)] == [times]

        return look

    with capture_logs() as logs:
        async with working(redis_url, clock, publisher, flaky, last):
            await tell(publisher, "OrderPaid", "ord_1")
            await eventually(tried(1))
            [row] = await outbox(publisher)
            assert row["due_at"] == datetime(2026, 11, 1, 0, 0, 1, tzinfo=UTC)
            assert row["delivered_to"] == ["order", "sync"]
            clock.advance(seconds=1)
            await eventually(tried(2))
            [row] = await outbox(publisher)
            assert row["due_at"] == datetime(2026, 11, 1, 0, 0, 3, tzinfo=UTC)
            clock.advance(seconds=2)
            await eventually(all_delivered(publisher))
    assert sorted(seen) == [("order", "OrderPaid", "ord_1"), ("sync", "OrderPaid", "ord_1")]
    # What the failed attempts wrote went with their transactions
    assert [row["attempt"] async for row in flaky.runtime.database["effects"].find()] == [3]
    complaints = [log for log in logs if log["event"] == "event not handled yet"]
    assert [(log["error"], log["exc_info"] is None) for log in complaints] == [
        ("Unavailable", True),
        ("ValueError", False),
    ]


async def test_the_hundredth_retry_waits_an_hour(make_subgraph: MakeSubgraph, clock: FixedClock) -> None:
    async def fail(event: Event, session: Session) -> None:
        raise Unavailable("never")

    publisher = await make_subgraph("order", {"OrderPaid": fail})
    await tell(publisher, "OrderPaid", "ord_1")
    await publisher.runtime.database["outbox"].update_one({}, {"$set": {"attempts": 99}})

    async def tried() -> bool:
        return [row["attempts"] for row in await outbox(publisher)] == [100]

    async with working("", clock, publisher):
        await eventually(tried)
    [row] = await outbox(publisher)
    assert (row["due_at"] - NOW).total_seconds() == 3600


async def test_a_claim_whose_worker_died_ends(redis_url: str, clock: FixedClock, make_subgraph: MakeSubgraph) -> None:
    seen: list[tuple[str, str, str]] = []
    publisher = await make_subgraph("order", {"OrderPaid": note_into("order", seen)})
    await tell(publisher, "OrderPaid", "ord_1")

    async def lose(event_id: str) -> None: ...

    await Relay(publisher, [publisher], clock, lose).look()
    clock.advance(seconds=29)
    await tell(publisher, "OrderPaid", "ord_2")
    async with working(redis_url, clock, publisher):

        async def second_is_done() -> bool:
            return len(seen) == 1

        await eventually(second_is_done)
        assert seen == [("order", "OrderPaid", "ord_2")]
        clock.advance(seconds=1)
        await eventually(all_delivered(publisher))
    assert seen[1:] == [("order", "OrderPaid", "ord_1")]


async def test_a_backlog_is_delivered_piece_by_piece_and_each_event_once(
    redis_url: str, clock: FixedClock, make_subgraph: MakeSubgraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "MAX_IN_DELIVERY", 8)
    monkeypatch.setattr(relay, "REFILL", 4)
    # So that nothing but the end of a delivery makes the relay look again
    monkeypatch.setattr(loops, "POLL_S", 3600)
    seen: Counter[str] = Counter()
    running = most = 0

    async def count(event: Event, session: Session) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        seen[event.subject] += 1
        running -= 1

    publisher = await make_subgraph("order", {"OrderPaid": count})
    await asyncio.gather(*(tell(publisher, "OrderPaid", f"ord_{n}") for n in range(60)))
    async with working(redis_url, clock, publisher):
        await eventually(all_delivered(publisher))
    assert seen == Counter({f"ord_{n}": 1 for n in range(60)})
    assert most <= 8


async def test_fifty_events_with_a_subscriber_cost_three_commands_beside_their_deliveries(
    mongo_uri: str, clock: FixedClock, make_subgraph: MakeSubgraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Only the first look counts
    monkeypatch.setattr(loops, "POLL_S", 3600)
    seen: list[tuple[str, str, str]] = []
    publisher = await make_subgraph("order")
    await asyncio.gather(*(tell(publisher, "OrderPaid", f"ord_{n}") for n in range(50)))
    log = CommandLog()
    client = connect(mongo_uri, listeners=[log])
    counted = await make_subgraph("order", client=client)
    mail = await make_subgraph("payment", {"OrderPaid": note_into("payment", seen)}, client=client)
    log.clear()
    async with working("", clock, counted, mail):
        await eventually(all_delivered(publisher))
    assert sorted(seen) == sorted(("payment", "OrderPaid", f"ord_{n}") for n in range(50))
    commands = Counter(command for command in log.commands if command not in {"aggregate", "getMore"})
    assert commands == {
        # What is due: twice, as the subscriber has an outbox, too. The row of each event.
        "find outbox": 2 + 50,
        # What is in delivery
        "aggregate outbox": 1,
        # The claims, and the record of each delivery
        "update outbox": 1 + 50,
        "find inbox": 50,
        "insert inbox": 50,
        "commitTransaction": 50,
    }
    await client.close()


async def test_two_workers_share_the_work_and_do_it_once(
    redis_server: RedisServer, clock: FixedClock, make_subgraph: MakeSubgraph
) -> None:
    seen: Counter[tuple[str, str]] = Counter()

    def handler_of(worker: str) -> EventHandler:
        async def handle(event: Event, session: Session) -> None:
            seen[worker, event.subject] += 1

        return handle

    one = await make_subgraph("order", {"OrderPaid": handler_of("one")})
    other = await make_subgraph("order", {"OrderPaid": handler_of("other")})
    await asyncio.gather(*(tell(one, "OrderPaid", f"ord_{n}") for n in range(40)))
    async with working(redis_server.url, clock, one), working(redis_server.url, clock, other):
        await asyncio.gather(*(tell(one, "OrderPaid", f"ord_{n}") for n in range(40, 80)))
        await eventually(all_delivered(one))
    by_subject: Counter[str] = Counter()
    for (_, subject), count in seen.items():
        by_subject[subject] += count
    assert await one.runtime.database["inbox"].count_documents({}) == 80
    # A handler may be run again when its transaction conflicts; here none does
    assert by_subject == Counter({f"ord_{n}": 1 for n in range(80)})


async def test_events_wait_for_a_redis_that_is_away_and_comes_back_empty(
    redis_server: RedisServer, clock: FixedClock, make_subgraph: MakeSubgraph
) -> None:
    seen: list[tuple[str, str, str]] = []
    ran: list[datetime] = []

    async def job(now: datetime) -> None:
        ran.append(now)

    publisher = await make_subgraph("order", {"OrderPaid": note_into("order", seen)}, (Job("tidy", 3600, job),))
    with capture_logs() as logs:
        async with working(redis_server.url, clock, publisher):
            await tell(publisher, "OrderPaid", "ord_1")
            await eventually(all_delivered(publisher))
            redis_server.stop()
            await tell(publisher, "OrderPaid", "ord_2")

            async def noticed() -> bool:
                return {"relay cannot send events", "the broker cannot be read"} <= {log["event"] for log in logs}

            await eventually(noticed)
            redis_server.start()
            clock.advance(hours=1)

            async def all_done_as_time_goes_on() -> bool:
                clock.advance(seconds=1)
                return len(ran) == 2 and await all_delivered(publisher)()

            await eventually(all_done_as_time_goes_on)
    assert seen == [("order", "OrderPaid", "ord_1"), ("order", "OrderPaid", "ord_2")]
    assert all(log.get("exc_info") is None for log in logs)


async def test_redis_does_not_keep_what_was_done(
    redis_server: RedisServer, clock: FixedClock, make_subgraph: MakeSubgraph
) -> None:
    seen: list[tuple[str, str, str]] = []
    publisher = await make_subgraph("order", {"OrderPaid": note_into("order", seen)})
    await asyncio.gather(*(tell(publisher, "OrderPaid", f"ord_{n}") for n in range(50)))
    async with working(redis_server.url, clock, publisher):
        await eventually(all_delivered(publisher))
    async with Redis.from_url(redis_server.url) as client:
        assert await client.xlen("pasar") == 0
        assert (await client.xpending("pasar", "pasar-workers"))["pending"] == 0


async def test_a_task_that_a_dead_worker_had_read_is_taken_over(
    redis_server: RedisServer, clock: FixedClock, make_subgraph: MakeSubgraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[datetime] = []

    async def tidy(now: datetime) -> None:
        ran.append(now)

    monkeypatch.setattr(worker_module, "ABANDONED_AFTER", timedelta(milliseconds=1))
    subgraph = await make_subgraph("order", jobs=(Job("tidy", 3600, tidy),))
    async with Redis.from_url(redis_server.url) as client:
        dead = open_broker(redis_server.url)
        await dead.startup()
        await Worker([subgraph], dead, clock)._job_task.kiq("order", "tidy")
        read = await client.xreadgroup("pasar-workers", "dead", {"pasar": ">"})
        assert len(read) == 1
        await dead.shutdown()
        # The period is taken, so that only the abandoned task can make the job run
        assert await claim_job(subgraph.runtime.database, DueJob(subgraph.jobs[0], None), now=NOW)

        async def ran_once() -> bool:
            return len(ran) == 1

        async with working(redis_server.url, clock, subgraph):
            await eventually(ran_once)
        assert await client.xlen("pasar") == 0


async def test_stopping_waits_for_what_has_begun(
    redis_url: str, clock: FixedClock, make_subgraph: MakeSubgraph
) -> None:
    begun, go, done = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def slow(event: Event, session: Session) -> None:
        begun.set()
        await go.wait()
        done.set()

    publisher = await make_subgraph("order", {"OrderPaid": slow})
    worker = Worker([publisher], open_broker(redis_url), clock)
    await worker.start()
    await tell(publisher, "OrderPaid", "ord_1")
    await begun.wait()
    stopping = asyncio.create_task(worker.stop())
    await asyncio.sleep(0)
    assert not done.is_set()
    go.set()
    await stopping
    assert done.is_set()
    assert await all_delivered(publisher)()


async def test_a_job_runs_once_per_period_in_one_of_two_workers(
    redis_url: str, clock: FixedClock, make_subgraph: MakeSubgraph
) -> None:
    ran: list[datetime] = []

    async def tidy(now: datetime) -> None:
        ran.append(now)

    def ran_at(*moments: datetime) -> Callable[[], Awaitable[bool]]:
        async def look() -> bool:
            return ran == list(moments)

        return look

    one = await make_subgraph("order", jobs=(Job("tidy", 600, tidy),))
    other = await make_subgraph("order", jobs=(Job("tidy", 600, tidy),))
    async with working(redis_url, clock, one), working(redis_url, clock, other):
        await eventually(ran_at(NOW))
        clock.advance(minutes=9)
        later = clock.advance(minutes=1)
        await eventually(ran_at(NOW, later))


async def test_a_job_that_fails_is_tried_again_soon_and_ends_nothing(
    redis_url: str, clock: FixedClock, make_subgraph: MakeSubgraph
) -> None:
    ran: list[datetime] = []
    others: list[datetime] = []

    async def fail(now: datetime) -> None:
        ran.append(now)
        raise ValueError("a bug")

    async def succeed(now: datetime) -> None:
        others.append(now)

    subgraph = await make_subgraph("order", jobs=(Job("fails", 86400, fail), Job("succeeds", 86400, succeed)))

    def claimed_until(moment: datetime) -> Callable[[], Awaitable[bool]]:
        async def look() -> bool:
            row = await subgraph.runtime.database["jobs"].find_one({"_id": "fails"})
            return row is not None and row["next_at"] == moment

        return look

    with capture_logs() as logs:
        async with working(redis_url, clock, subgraph):
            await eventually(claimed_until(datetime(2026, 11, 1, 0, 1, tzinfo=UTC)))
            again = clock.advance(minutes=1)
            await eventually(claimed_until(datetime(2026, 11, 1, 0, 2, tzinfo=UTC)))
    assert ran == [NOW, again]
    assert len(others) == 1
    assert [log["event"] for log in logs if log["log_level"] == "error"] == ["job failed"] * 2


async def test_no_error_of_the_database_ends_the_relay(
    clock: FixedClock, make_subgraph: MakeSubgraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, str, str]] = []
    publisher = await make_subgraph("order", {"OrderPaid": note_into("order", seen)})
    await tell(publisher, "OrderPaid", "ord_1")
    failed = asyncio.Event()

    async def fail(self: Relay) -> None:
        failed.set()
        monkeypatch.undo()
        raise RuntimeError("a bug")

    monkeypatch.setattr(Relay, "look", fail)
    with capture_logs() as logs:
        async with working("", clock, publisher):
            await failed.wait()
            await eventually(all_delivered(publisher))
    assert seen == [("order", "OrderPaid", "ord_1")]
    assert [log["event"] for log in logs] == ["relay cannot send events"]
