import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

import pytest

from core.identity import Identity, Role, service_identity
from core.peers import InProcessPeers, PeerError, PeerUnavailable
from core.scopes import scopes_of
from core.subgraph import Call
from loaders.remote import remote_entity_loader
from subgraphs.sync.app import build
from subgraphs.sync.exporter import LEASE, OWNER_FIELDS, RETRY_DELAYS
from subgraphs.sync.order_feed import BATCH_SIZE, OVERLAP
from subgraphs.user.app import build as build_users
from subgraphs.user.bulk import NewAccount, insert_users
from subgraphs.user.passwords import Passwords
from tests.integration.sync.conftest import NOW, RUN_NOW, STAFF, SyncStore
from tests.testkit.store import MakeRuntime

HOUR = timedelta(hours=1)


def put_orders(store: SyncStore, count: int, *, start: datetime = NOW - HOUR, buyer_id: str = "usr_ani") -> list[str]:
    """Place *count* orders, one per millisecond, and return their ids in the order of change."""
    ids = [f"ord_{number:04}" for number in range(count)]
    for number, order_id in enumerate(ids):
        store.feed.put(order_id, updated_at=start + timedelta(milliseconds=number), buyer_id=buyer_id)
    return ids


async def test_a_run_posts_the_changed_orders_signed(store: SyncStore) -> None:
    schedule_id = await store.create()
    store.feed.put("ord_1", updated_at=NOW - HOUR)
    store.feed.put("ord_2", updated_at=NOW, status="SHIPPED")
    run_id = await store.start(schedule_id)
    store.clock.advance(seconds=2)

    await store.work()

    (delivery,) = store.receiver.deliveries
    assert store.receiver.refused == 0
    assert delivery == {
        "id": delivery["id"],
        "type": "orders.changed",
        "timestamp": "2040-05-01T12:00:02.000+00:00",
        "data": {
            "scheduleId": schedule_id,
            "runId": run_id,
            "from": None,
            "until": "2040-05-01T12:00:00.001+00:00",
            "orders": [store.feed.orders["ord_1"], store.feed.orders["ord_2"]],
        },
    }
    (headers,) = store.receiver.headers
    assert headers["webhook-id"] == delivery["id"]
    assert headers["webhook-id"].startswith(f"{run_id}.")
    assert headers["webhook-timestamp"] == str(int(NOW.timestamp()) + 2)
    assert headers["content-type"] == "application/json"
    assert await store.runs(schedule_id) == [
        {
            "id": run_id,
            "status": "SUCCEEDED",
            "trigger": "MANUAL",
            "startedAt": "2040-05-01T12:00:00.000Z",
            "finishedAt": "2040-05-01T12:00:02.000Z",
            "exportedCount": 2,
            "from": None,
            "until": "2040-05-01T12:00:00.001Z",
            "error": None,
        }
    ]


async def test_a_finished_run_is_announced(store: SyncStore) -> None:
    schedule_id = await store.create()
    store.feed.put("ord_1", updated_at=NOW)
    run_id = await store.start(schedule_id)
    await store.work()
    (event,) = (await store.snapshot())["outbox"]
    assert (event["type"], event["subject"]) == ("SyncRunFinished", run_id)
    assert event["payload"] == {
        "schedule_id": schedule_id,
        "run_id": run_id,
        "owner_id": "usr_ani",
        "status": "SUCCEEDED",
        "exported_count": 1,
        "error": None,
    }


async def test_a_run_with_nothing_to_export_posts_nothing(store: SyncStore) -> None:
    schedule_id = await store.create()
    await store.start(schedule_id)
    await store.work()
    assert store.receiver.deliveries == []
    assert [(run["status"], run["exportedCount"]) for run in await store.runs(schedule_id)] == [("SUCCEEDED", 0)]


async def test_only_the_owners_orders_are_asked_for(store: SyncStore) -> None:
    schedule_id = await store.create()
    store.feed.put("ord_1", updated_at=NOW)
    store.feed.put("ord_2", updated_at=NOW, buyer_id="usr_budi")
    await store.start(schedule_id)
    await store.work()
    assert store.receiver.batches == [["ord_1"]]
    assert [variables["buyerId"] for _, variables in store.feed.requests] == ["usr_ani"]


async def test_many_orders_are_posted_in_batches_each_once(store: SyncStore) -> None:
    schedule_id = await store.create()
    ids = put_orders(store, 2 * BATCH_SIZE + 1)
    await store.start(schedule_id)
    await store.work()
    assert [len(batch) for batch in store.receiver.batches] == [BATCH_SIZE, BATCH_SIZE, 1]
    assert list(chain(*store.receiver.batches)) == ids
    assert len({delivery["id"] for delivery in store.receiver.deliveries}) == 3
    (run,) = await store.runs(schedule_id)
    assert (run["status"], run["exportedCount"]) == ("SUCCEEDED", 2 * BATCH_SIZE + 1)


async def test_the_next_run_posts_only_what_has_changed_since(store: SyncStore) -> None:
    schedule_id = await store.create()
    put_orders(store, 3, start=NOW - timedelta(milliseconds=3))
    await store.start(schedule_id)
    await store.work()
    assert store.receiver.batches == [["ord_0000", "ord_0001", "ord_0002"]]

    store.clock.advance(seconds=1)
    await store.start(schedule_id)
    await store.work()
    assert len(store.receiver.batches) == 1

    store.clock.advance(seconds=1)
    store.feed.put("ord_0001", updated_at=store.clock.now(), status="SHIPPED")
    await store.start(schedule_id)
    await store.work()
    assert store.receiver.batches[1:] == [["ord_0001"]]
    third, second, first = await store.runs(schedule_id)
    assert [run["exportedCount"] for run in (first, second, third)] == [3, 0, 1]
    assert (second["from"], third["from"]) == (first["until"], second["until"])


async def test_an_order_changed_twice_in_a_millisecond_is_posted_twice(store: SyncStore) -> None:
    schedule_id = await store.create()
    store.feed.put("ord_1", updated_at=NOW, status="PAID")
    await store.start(schedule_id)
    await store.work()
    store.feed.put("ord_1", updated_at=NOW, status="PACKED")
    await store.start(schedule_id)
    await store.work()
    statuses = [delivery["data"]["orders"][0]["status"] for delivery in store.receiver.deliveries]
    assert statuses == ["PAID", "PACKED"]


async def test_a_change_that_became_visible_late_is_not_missed(store: SyncStore) -> None:
    # It got its time before the first run read, and was committed after
    schedule_id = await store.create()
    store.feed.put("ord_2", updated_at=NOW)
    await store.start(schedule_id)
    await store.work()
    store.feed.put("ord_1", updated_at=NOW - OVERLAP + timedelta(seconds=1))
    store.clock.advance(seconds=1)
    await store.start(schedule_id)
    await store.work()
    assert store.receiver.batches == [["ord_2"], ["ord_1"]]


# -- receivers that fail -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("answer", "reason"), [(500, "the webhook answered 500"), (404, "the webhook answered 404")])
async def test_a_refused_batch_is_tried_again_later(store: SyncStore, answer: int, reason: str) -> None:
    schedule_id = await store.create()
    store.feed.put("ord_1", updated_at=NOW)
    store.receiver.answers = [answer]
    await store.start(schedule_id)
    await store.work()
    (run,) = await store.runs(schedule_id)
    assert (run["status"], run["exportedCount"], run["error"]) == ("RUNNING", 0, reason)

    store.clock.advance(RETRY_DELAYS[0] - timedelta(milliseconds=1))
    await store.work()
    assert (store.receiver.refused, store.receiver.deliveries) == (1, [])

    store.clock.advance(milliseconds=1)
    await store.work()
    assert store.receiver.batches == [["ord_1"]]
    (run,) = await store.runs(schedule_id)
    assert (run["status"], run["exportedCount"], run["error"]) == ("SUCCEEDED", 1, None)


async def test_a_run_goes_on_after_the_last_batch_that_was_taken(store: SyncStore) -> None:
    schedule_id = await store.create()
    ids = put_orders(store, 3 * BATCH_SIZE)
    store.receiver.answers = [200, 503]
    await store.start(schedule_id)
    await store.work()
    assert list(chain(*store.receiver.batches)) == ids[:BATCH_SIZE]
    (run,) = await store.runs(schedule_id)
    assert (run["status"], run["exportedCount"]) == ("RUNNING", BATCH_SIZE)

    store.clock.advance(RETRY_DELAYS[0])
    await store.work()
    assert list(chain(*store.receiver.batches)) == ids
    (run,) = await store.runs(schedule_id)
    assert (run["status"], run["exportedCount"]) == ("SUCCEEDED", 3 * BATCH_SIZE)


async def test_a_run_fails_after_its_last_try_and_the_next_one_posts_what_is_left(store: SyncStore) -> None:
    schedule_id = await store.create()
    ids = put_orders(store, BATCH_SIZE + 5)
    store.receiver.answers = [200, *[502] * (len(RETRY_DELAYS) + 1)]
    await store.start(schedule_id)
    await store.work()
    for delay in RETRY_DELAYS:
        store.clock.advance(delay)
        await store.work()
    assert store.receiver.refused == len(RETRY_DELAYS) + 1
    (failed,) = await store.runs(schedule_id)
    assert (failed["status"], failed["exportedCount"], failed["error"]) == (
        "FAILED",
        BATCH_SIZE,
        "the webhook answered 502",
    )
    assert failed["finishedAt"] == (NOW + sum(RETRY_DELAYS, timedelta())).isoformat().replace("+00:00", ".000Z")
    assert (await store.snapshot())["outbox"][-1]["payload"]["status"] == "FAILED"

    await store.start(schedule_id)
    await store.work()
    assert list(chain(*store.receiver.batches)) == ids
    (latest, _) = await store.runs(schedule_id)
    assert (latest["status"], latest["exportedCount"]) == ("SUCCEEDED", 5)


async def test_an_answer_that_was_lost_means_the_same_batch_under_the_same_id(store: SyncStore) -> None:
    schedule_id = await store.create()
    store.feed.put("ord_1", updated_at=NOW)
    await store.start(schedule_id)
    # The receiver took it; our note of it did not reach the database
    before = (await store.snapshot())["runs"]
    await store.work()
    await store.database["runs"].replace_one({"_id": before[0]["_id"]}, before[0])
    await store.database["recent_exports"].delete_many({})
    await store.database["schedules"].update_one({}, {"$set": {"exported_until": None}})
    await store.work()
    assert store.receiver.batches == [["ord_1"], ["ord_1"]]
    assert len({delivery["id"] for delivery in store.receiver.deliveries}) == 1


async def test_a_batch_that_has_changed_between_two_tries_has_another_id(store: SyncStore) -> None:
    # A receiver that knows the first id must not pass over the second batch
    schedule_id = await store.create()
    store.feed.put("ord_1", updated_at=NOW, status="PAID")
    await store.start(schedule_id)
    before = (await store.snapshot())["runs"]
    await store.work()
    await store.database["runs"].replace_one({"_id": before[0]["_id"]}, before[0])
    store.feed.put("ord_1", updated_at=NOW, status="PACKED")
    await store.work()
    assert len({delivery["id"] for delivery in store.receiver.deliveries}) == 2


async def test_a_receiver_that_is_gone_is_named(store: SyncStore) -> None:
    schedule_id = await store.create(webhookUrl="http://127.0.0.1:1/hook")
    store.feed.put("ord_1", updated_at=NOW)
    await store.start(schedule_id)
    await store.work()
    (run,) = await store.runs(schedule_id)
    assert run["error"] == "127.0.0.1 does not accept connections on port 1"


@pytest.mark.parametrize("failure", [PeerUnavailable("no answer"), PeerError("secret detail"), KeyError("bug")])
async def test_orders_that_cannot_be_read_are_read_later(store: SyncStore, failure: Exception) -> None:
    schedule_id = await store.create()
    store.feed.put("ord_1", updated_at=NOW)
    store.feed.failures = [failure]
    await store.start(schedule_id)
    await store.work()
    (run,) = await store.runs(schedule_id)
    assert run["status"] == "RUNNING"
    assert run["error"] in ("the orders could not be read", "the orders could not be exported")
    store.clock.advance(RETRY_DELAYS[0])
    await store.work()
    assert store.receiver.batches == [["ord_1"]]


# -- workers -----------------------------------------------------------------------------------------------------------


async def test_a_run_whose_worker_died_is_taken_over_where_it_stood(store: SyncStore) -> None:
    schedule_id = await store.create()
    ids = put_orders(store, 2 * BATCH_SIZE)
    await store.start(schedule_id)
    first_taken = asyncio.Event()
    store.receiver.hold = first_taken
    dying = asyncio.create_task(store.work())
    await store.receiver.arrived.wait()
    store.receiver.arrived.clear()
    first_taken.set()
    store.receiver.hold = stuck = asyncio.Event()
    # It is in the middle of its second batch
    await store.receiver.arrived.wait()
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    store.receiver.hold = None

    store.clock.advance(LEASE - timedelta(milliseconds=1))
    await store.work()
    assert store.receiver.batches == [ids[:BATCH_SIZE]]
    store.clock.advance(milliseconds=1)
    await store.work()
    (run,) = await store.runs(schedule_id)
    assert (run["status"], run["exportedCount"]) == ("SUCCEEDED", 2 * BATCH_SIZE)
    assert store.receiver.batches == [ids[:BATCH_SIZE], ids[BATCH_SIZE:]]
    stuck.set()


async def test_a_worker_that_lost_its_run_writes_nothing_more(store: SyncStore) -> None:
    schedule_id = await store.create()
    store.feed.put("ord_1", updated_at=NOW)
    await store.start(schedule_id)
    store.receiver.hold = asyncio.Event()
    slow = asyncio.create_task(store.work())
    await store.receiver.arrived.wait()
    await store.database["runs"].update_one({}, {"$set": {"lease": "lse_other"}})
    before = await store.snapshot()
    store.receiver.hold.set()
    await slow
    assert await store.snapshot() == before


async def test_two_workers_share_the_runs_and_post_each_once(store: SyncStore) -> None:
    other = build(store.subgraph.runtime)
    schedules = [await store.create(name=f"Schedule {number}") for number in range(6)]
    store.receiver.secret = ""
    store.feed.put("ord_1", updated_at=NOW)
    for schedule_id in schedules:
        await store.start(schedule_id)
    await asyncio.gather(store.work(), other.jobs[0].run(NOW), store.work())
    assert store.receiver.batches == [["ord_1"]] * 6
    assert len({delivery["data"]["runId"] for delivery in store.receiver.deliveries}) == 6


async def test_a_deleted_schedule_stops_its_run(store: SyncStore) -> None:
    schedule_id = await store.create()
    store.feed.put("ord_1", updated_at=NOW)
    await store.start(schedule_id)
    store.receiver.hold = asyncio.Event()
    working = asyncio.create_task(store.work())
    await store.receiver.arrived.wait()
    await store.data("mutation($id: ID!) { deleteSyncSchedule(id: $id) { __typename } }", {"id": schedule_id})
    store.receiver.hold.set()
    await working
    assert await store.snapshot() == {"schedules": [], "runs": [], "recent_exports": [], "outbox": []}


# -- due schedules -----------------------------------------------------------------------------------------------------


async def test_a_schedule_runs_when_its_time_has_come_and_not_before(store: SyncStore) -> None:
    schedule_id = await store.create(timezone="Asia/Jakarta")
    store.feed.put("ord_1", updated_at=NOW)
    # 03:00 in Jakarta is 20:00 in UTC
    store.clock.advance(hours=7, minutes=59, seconds=59)
    await store.work()
    assert await store.runs(schedule_id) == []
    store.clock.advance(seconds=1)
    await store.work()
    (run,) = await store.runs(schedule_id)
    assert (run["status"], run["trigger"], run["startedAt"]) == ("SUCCEEDED", "SCHEDULED", "2040-05-01T20:00:00.000Z")
    found = (await store.data("{ syncSchedules { nextRunAt lastRunAt } }"))["syncSchedules"]
    assert found == [{"nextRunAt": "2040-05-02T20:00:00.000Z", "lastRunAt": "2040-05-01T20:00:00.000Z"}]
    await store.work()
    assert len(await store.runs(schedule_id)) == 1


async def test_times_that_were_missed_are_made_up_by_one_run(store: SyncStore) -> None:
    schedule_id = await store.create(timezone="UTC")
    store.clock.advance(days=10)
    await store.work()
    (run,) = await store.runs(schedule_id)
    assert run["startedAt"] == "2040-05-11T12:00:00.000Z"
    (schedule,) = (await store.snapshot())["schedules"]
    assert schedule["next_run_at"].isoformat() == "2040-05-12T03:00:00+00:00"


async def test_a_due_schedule_waits_for_its_run_in_progress(store: SyncStore) -> None:
    schedule_id = await store.create(timezone="UTC")
    store.feed.put("ord_1", updated_at=NOW)
    store.clock.advance(hours=14, minutes=59, seconds=55)
    store.receiver.answers = [500]
    await store.start(schedule_id)
    await store.work()
    store.clock.advance(seconds=6)
    await store.work()
    assert [run["trigger"] for run in await store.runs(schedule_id)] == ["MANUAL"]
    store.clock.advance(seconds=4)
    await store.work()
    await store.work()
    assert [(run["trigger"], run["status"]) for run in await store.runs(schedule_id)] == [
        ("SCHEDULED", "SUCCEEDED"),
        ("MANUAL", "SUCCEEDED"),
    ]
    assert store.receiver.batches == [["ord_1"]]


async def test_many_workers_start_a_due_schedule_once(store: SyncStore) -> None:
    schedule_id = await store.create(timezone="UTC")
    store.clock.advance(days=1)
    workers = [build(store.subgraph.runtime) for _ in range(10)]
    await asyncio.gather(*(worker.jobs[0].run(store.clock.now()) for worker in workers))
    assert [run["trigger"] for run in await store.runs(schedule_id)] == ["SCHEDULED"]


async def test_a_schedule_that_is_not_enabled_runs_by_hand_only(store: SyncStore) -> None:
    schedule_id = await store.create(enabled=False)
    store.clock.advance(days=400)
    await store.work()
    assert await store.runs(schedule_id) == []
    await store.start(schedule_id)
    await store.work()
    assert [run["status"] for run in await store.runs(schedule_id)] == ["SUCCEEDED"]


async def test_one_run_at_a_time_whoever_asks(store: SyncStore) -> None:
    schedule_id = await store.create()
    results = await asyncio.gather(*(store.data(RUN_NOW, {"id": schedule_id}) for _ in range(20)))
    outcomes = [result["runSyncNow"]["__typename"] for result in results]
    assert (outcomes.count("SyncRun"), outcomes.count("ConflictProblem")) == (1, 19)
    assert len((await store.snapshot())["runs"]) == 1


# -- everybody's orders ------------------------------------------------------------------------------------------------


async def test_staff_exports_everybodys_orders(store: SyncStore) -> None:
    schedule_id = await store.create(scope="ALL", by=STAFF)
    store.feed.roles["usr_staff"] = ["CUSTOMER", "STAFF"]
    store.feed.put("ord_1", updated_at=NOW)
    store.feed.put("ord_2", updated_at=NOW, buyer_id="usr_budi")
    await store.start(schedule_id, by=STAFF)
    await store.work()
    assert store.receiver.batches == [["ord_1", "ord_2"]]


@pytest.mark.parametrize("roles", [["CUSTOMER"], [], None])
async def test_who_is_no_longer_staff_exports_nothing(store: SyncStore, roles: list[str] | None) -> None:
    schedule_id = await store.create(scope="ALL", by=STAFF)
    if roles is not None:
        store.feed.roles["usr_staff"] = roles
    store.feed.put("ord_1", updated_at=NOW)
    await store.start(schedule_id, by=STAFF)
    await store.work()
    assert store.receiver.deliveries == []
    (run,) = await store.runs(schedule_id, by=STAFF)
    assert (run["status"], run["error"]) == ("FAILED", "the owner may not export the orders of others any more")


async def test_staff_whose_account_is_suspended_exports_nothing(store: SyncStore) -> None:
    schedule_id = await store.create(scope="ALL", by=STAFF)
    store.feed.roles["usr_staff"] = ["STAFF"]
    store.feed.suspended.add("usr_staff")
    store.feed.put("ord_1", updated_at=NOW)
    await store.start(schedule_id, by=STAFF)
    await store.work()
    assert store.receiver.deliveries == []
    assert [run["status"] for run in await store.runs(schedule_id, by=STAFF)] == ["FAILED"]


async def test_roles_are_read_from_the_real_user_subgraph(store: SyncStore, make_runtime: MakeRuntime) -> None:
    users = build_users(make_runtime("user"), passwords=Passwords(time_cost=1, memory_kib=8, threads=1))
    await users.start()
    accounts = [
        NewAccount("usr_staff", "sari@example.com", "Sari", NOW, roles=("CUSTOMER", "STAFF")),
        NewAccount("usr_ani", "ani@example.com", "Ani", NOW),
    ]
    await insert_users(
        users.runtime.database,
        accounts,
        password="correct horse",
        passwords=Passwords(time_cost=1, memory_kib=8, threads=1),
    )

    async def call(document: str, variables: Mapping[str, Any], identity: Identity) -> dict[str, Any]:
        return await users.execute(document, variables, None, Call(identity, trusted=True))

    peers = InProcessPeers(service_identity("sync"), {"user": call})
    loader = remote_entity_loader(peers, "user", "User", OWNER_FIELDS)
    assert await loader.load_many(["usr_staff", "usr_ani", "usr_none"]) == [
        {"id": "usr_staff", "scopes": sorted(scopes_of([Role.STAFF])), "status": "ACTIVE"},
        {"id": "usr_ani", "scopes": [], "status": "ACTIVE"},
        None,
    ]
