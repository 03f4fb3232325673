"""Outbox, inbox and claims of jobs on a real MongoDB."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from core.events import INBOX, OUTBOX, Event, announce, create_event_indexes, event_from_row, handle_once
from core.jobs import JOBS, DueJob, Job, claim_job, find_due_jobs, retry_job_soon
from core.mongo import Client, Database, DuplicateKeyError, Session, in_transaction

NOW = datetime(2026, 11, 1, tzinfo=UTC)
EVENT = Event("evt_1", "OrderPaid", "ord_1", {"order_id": "ord_1"}, NOW)


@pytest.fixture
async def database(mongo_client: Client, database_prefix: str) -> Database:
    database = mongo_client[f"{database_prefix}events"]
    await create_event_indexes(database)
    await database.create_collection("effects")
    return database


async def test_an_event_is_written_with_its_change_or_not_at_all(mongo_client: Client, database: Database) -> None:
    async def work(session: Session) -> Event:
        await database["effects"].insert_one({"_id": 1}, session=session)
        return await announce(database, "OrderPaid", "ord_1", {"n": 1}, now=NOW, session=session)

    async def fail(session: Session) -> None:
        await database["effects"].insert_one({"_id": 2}, session=session)
        await announce(database, "OrderPaid", "ord_2", {}, now=NOW, session=session)
        raise ValueError("no")

    event = await in_transaction(mongo_client, work)
    with pytest.raises(ValueError, match="no"):
        await in_transaction(mongo_client, fail)
    assert [row["_id"] async for row in database["effects"].find()] == [1]
    [row] = await database[OUTBOX].find().to_list()
    assert event_from_row(row) == event
    assert event.id.startswith("evt_")


async def test_of_twenty_deliveries_at_once_one_has_an_effect(mongo_client: Client, database: Database) -> None:
    async def handle(event: Event, session: Session) -> None:
        await database["effects"].update_one({"_id": "sum"}, {"$inc": {"n": 1}}, upsert=True, session=session)

    results = await asyncio.gather(*(handle_once(mongo_client, database, EVENT, handle) for _ in range(20)))
    assert sorted(results) == [False] * 19 + [True]
    assert await database["effects"].find_one({"_id": "sum"}) == {"_id": "sum", "n": 1}
    assert await handle_once(mongo_client, database, EVENT, handle) is False


async def test_a_handler_that_fails_leaves_nothing_and_may_try_again(mongo_client: Client, database: Database) -> None:
    async def fail(event: Event, session: Session) -> None:
        await database["effects"].insert_one({"_id": 1}, session=session)
        raise ValueError("no")

    async def succeed(event: Event, session: Session) -> None:
        await database["effects"].insert_one({"_id": 1}, session=session)

    with pytest.raises(ValueError, match="no"):
        await handle_once(mongo_client, database, EVENT, fail)
    assert await database[INBOX].count_documents({}) == 0
    assert await database["effects"].count_documents({}) == 0
    assert await handle_once(mongo_client, database, EVENT, succeed) is True


async def test_a_handlers_own_duplicate_is_not_taken_for_a_second_delivery(
    mongo_client: Client, database: Database
) -> None:
    await database["effects"].insert_one({"_id": 1})

    async def handle(event: Event, session: Session) -> None:
        await database["effects"].insert_one({"_id": 1}, session=session)

    with pytest.raises(DuplicateKeyError):
        await handle_once(mongo_client, database, EVENT, handle)
    assert await database[INBOX].count_documents({}) == 0


async def test_the_relay_reads_its_backlog_through_an_index(database: Database) -> None:
    for condition, index in (
        ({"due_at": {"$lte": NOW}}, "due_at_1"),
        ({"claimed": True, "due_at": {"$gt": NOW}}, "claimed_1"),
    ):
        plan = await database.command(
            {"explain": {"find": OUTBOX, "filter": condition, "hint": index}, "verbosity": "queryPlanner"}
        )
        assert plan["queryPlanner"]["winningPlan"]["inputStage"]["indexName"] == index
    unhinted = await database.command({"explain": {"find": OUTBOX, "filter": {"due_at": {"$lte": NOW}}}})
    assert unhinted["queryPlanner"]["winningPlan"]["inputStage"]["stage"] == "IXSCAN"


async def nothing(now: datetime) -> None: ...


async def find_and_claim(database: Database, job: Job, *, now: datetime) -> bool:
    due = await find_due_jobs(database, [job], now=now)
    return bool(due) and await claim_job(database, due[0], now=now)


async def test_due_are_jobs_that_never_ran_and_those_whose_period_is_over(database: Database) -> None:
    long, short, new = Job("long", 3600, nothing), Job("short", 60, nothing), Job("new", 60, nothing)
    for job in (long, short):
        assert await claim_job(database, DueJob(job, None), now=NOW) is True
    minute = NOW + timedelta(seconds=60)
    assert await find_due_jobs(database, [long, short, new], now=minute - timedelta(seconds=1)) == (DueJob(new, None),)
    assert await find_due_jobs(database, [long, short, new], now=minute) == (DueJob(short, minute), DueJob(new, None))


async def test_of_twenty_workers_that_see_a_job_due_one_gets_it(database: Database) -> None:
    job = Job("tidy", 60, nothing)
    for now in (NOW, NOW + timedelta(seconds=60)):
        [due] = await find_due_jobs(database, [job], now=now)
        claims = await asyncio.gather(*(claim_job(database, due, now=now) for _ in range(20)))
        assert sorted(claims) == [False] * 19 + [True]
        [row] = await database[JOBS].find().to_list()
        assert row == {"_id": "tidy", "next_at": now + timedelta(seconds=60), "claimed_at": now}


async def test_of_twenty_workers_one_gets_the_run_of_each_period(database: Database) -> None:
    job = Job("tidy", 60, nothing)
    for period in range(3):
        now = NOW + timedelta(seconds=60 * period)
        claims = await asyncio.gather(*(find_and_claim(database, job, now=now) for _ in range(20)))
        assert sorted(claims) == [False] * 19 + [True]
        assert await find_and_claim(database, job, now=now + timedelta(seconds=59)) is False
    assert await database[JOBS].count_documents({}) == 1


async def test_a_failed_run_is_due_soon_but_never_later_than_its_period(database: Database) -> None:
    nightly, busy = Job("nightly", 86400, nothing), Job("busy", 5, nothing)
    for job, wait_s in ((nightly, 60), (busy, 5)):
        assert await find_and_claim(database, job, now=NOW) is True
        await retry_job_soon(database, job, now=NOW)
        assert await find_and_claim(database, job, now=NOW + timedelta(seconds=wait_s - 1)) is False
        assert await find_and_claim(database, job, now=NOW + timedelta(seconds=wait_s)) is True
