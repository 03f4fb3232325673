"""The audit log: kept for all subgraphs, read by administrators, covered by indexes, and forgotten by age."""

from typing import Any

import pytest

from core.audit import announce_privileged
from core.events import OUTBOX, event_from_row, handle_once
from core.identity import Identity, service_identity
from core.mongo import Session, in_transaction
from core.scopes import AUDIT_READ, scopes_of
from core.settings import Settings
from subgraphs.user.audit import AUDIT, AuditAction, AuditLog
from tests.integration.user.conftest import NOW, UserStore, open_store
from tests.testkit.clock import FixedClock
from tests.testkit.store import MakeRuntime

AUDIT_LOG = """
query($filter: AuditLogFilter, $first: Int, $after: String, $last: Int, $before: String) {
  auditLog(filter: $filter, first: $first, after: $after, last: $last, before: $before) {
    nodes { id at action actorId userId target address details { name value } actor { name } user { email } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}
"""
ADMIN = Identity("usr_root", frozenset({"ADMIN"}), scopes_of(["ADMIN"]))
AUDITOR = Identity("usr_aud", frozenset({"AUDITOR"}), frozenset({AUDIT_READ}))
STAFF = Identity("usr_staff", frozenset({"STAFF"}), scopes_of(["STAFF"]))


async def read(store: UserStore, *, by: Identity = ADMIN, **variables: Any) -> dict[str, Any]:
    page: dict[str, Any] = (await store.data(AUDIT_LOG, variables, by=by))["auditLog"]
    return page


async def fill(store: UserStore, count: int) -> None:
    """Write *count* entries, one a minute, by three actors to four accounts."""
    log = AuditLog(store.database, store.clock)
    for number in range(count):
        await log.record(
            AuditAction.ROLES_CHANGED if number % 2 else AuditAction.LOGIN_FAILED,
            by=Identity(f"usr_actor{number % 3}"),
            user_id=f"usr_{number % 4}",
            details={"number": number, "odd": bool(number % 2)},
        )
        store.clock.advance(minutes=1)


def numbers(page: dict[str, Any]) -> list[int]:
    return [int(detail["value"]) for node in page["nodes"] for detail in node["details"] if detail["name"] == "number"]


async def test_an_entry_says_who_did_what_to_whom(store: UserStore) -> None:
    ani, _ = await store.add("Ani")
    root, admin = await store.add("Root", "ADMIN")
    document = 'mutation($id: ID!) { setRoles(userId: $id, roles: ["STAFF"]) { __typename } }'
    await store.data(document, {"id": ani.id}, by=admin)
    (node,) = (await read(store, filter={"action": "ROLES_CHANGED"}))["nodes"]
    assert node.pop("id").startswith("aud_")
    assert node == {
        "at": "2040-05-01T12:00:00.000Z",
        "action": "ROLES_CHANGED",
        "actorId": root.id,
        "userId": ani.id,
        "target": None,
        "address": None,
        "details": [{"name": "roles", "value": "STAFF"}],
        "actor": {"name": "Root"},
        "user": {"email": "ani@example.com"},
    }


async def test_the_log_is_for_holders_of_its_scope(store: UserStore) -> None:
    await fill(store, 2)
    _, ani = await store.add("Ani")
    assert await store.code(AUDIT_LOG) == "UNAUTHENTICATED"
    for refused in (ani, STAFF, service_identity("order"), Identity("usr_x", frozenset({"ADMIN"}))):
        assert await store.code(AUDIT_LOG, by=refused) == "FORBIDDEN"
    assert numbers(await read(store, by=AUDITOR)) == [1, 0]


@pytest.mark.parametrize(
    ("filter_", "expected"),
    [
        ({}, [11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]),
        ({"action": "LOGIN_FAILED"}, [10, 8, 6, 4, 2, 0]),
        ({"actorId": "usr_actor1"}, [10, 7, 4, 1]),
        ({"userId": "usr_3"}, [11, 7, 3]),
        ({"userId": "usr_3", "actorId": "usr_actor1"}, [7]),
        ({"action": "ROLES_CHANGED", "actorId": "usr_actor0"}, [9, 3]),
        ({"from": "2040-05-01T12:03:00Z", "to": "2040-05-01T12:05:00Z"}, [4, 3]),
        ({"userId": "usr_1", "from": "2040-05-01T12:02:00Z"}, [9, 5]),
        ({"action": "NOTHING"}, []),
    ],
)
async def test_entries_are_found_newest_first_and_page_by_page(
    store: UserStore, filter_: dict[str, str], expected: list[int]
) -> None:
    await fill(store, 12)
    assert numbers(await read(store, filter=filter_)) == expected
    found: list[int] = []
    after = None
    for _ in range(13):
        page = await read(store, filter=filter_, first=2, after=after)
        found += numbers(page)
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert found == expected
    assert numbers(await read(store, filter=filter_, last=2)) == expected[-2:]


@pytest.mark.parametrize(
    "filter_",
    [
        {},
        {"action": "LOGIN_FAILED"},
        {"actorId": "usr_actor1"},
        {"userId": "usr_1"},
        {"userId": "usr_1", "actorId": "usr_actor1", "action": "ROLES_CHANGED"},
    ],
)
@pytest.mark.parametrize("is_later_page", [False, True], ids=["first page", "later page"])
async def test_every_way_of_reading_is_served_by_an_index_in_its_order(
    store: UserStore, filter_: dict[str, str], is_later_page: bool
) -> None:
    # What the repository asks, taken from the database's own profile
    await fill(store, 40)
    for each in (filter_, {**filter_, "from": "2040-05-01T12:00:00Z"}):
        cursor = (await read(store, filter=filter_, first=2))["pageInfo"]["endCursor"] if is_later_page else None
        if is_later_page and len(filter_) < 2:
            # Deep in the list: what was read before is not read again
            cursor = (await read(store, filter=filter_, first=8))["pageInfo"]["endCursor"]
        await store.database["system.profile"].drop()
        await store.database.command("profile", 2)
        assert numbers(await read(store, filter=each, first=1, after=cursor))
        await store.database.command("profile", 0)
        (row,) = await store.database["system.profile"].find({"ns": {"$regex": AUDIT}, "op": "query"}).to_list()
        assert "COLLSCAN" not in row["planSummary"]
        assert "IXSCAN" in row["planSummary"]
        assert not row.get("hasSortStage")
        # A page costs a page, not the log; with several filters at most what the account has
        assert row["docsExamined"] <= (10 if len(filter_) > 1 else 4), (row["docsExamined"], row["planSummary"])


async def test_what_other_subgraphs_announce_becomes_one_entry(store: UserStore) -> None:
    runtime = store.subgraph.runtime

    async def work(session: Session) -> None:
        await announce_privileged(
            store.database,
            "PRODUCT_EDITED",
            "prd_1",
            actor_id="usr_staff",
            now=NOW,
            session=session,
            details={"price": 5},
        )

    await in_transaction(runtime.client, work)
    (row,) = await store.database[OUTBOX].find({"type": "PrivilegedAction"}).to_list()
    event, handler = event_from_row(row), store.subgraph.handlers["PrivilegedAction"]
    for _ in range(2):
        await handle_once(runtime.client, store.database, event, handler)
    # Nor once more when the inbox has forgotten it
    await store.database["inbox"].delete_many({})
    await handle_once(runtime.client, store.database, event, handler)
    (node,) = (await read(store))["nodes"]
    assert (node["action"], node["target"], node["actorId"], node["userId"]) == (
        "PRODUCT_EDITED",
        "prd_1",
        "usr_staff",
        None,
    )
    assert node["details"] == [{"name": "price", "value": "5"}]


async def test_entries_are_forgotten_after_the_time_that_is_set(
    store: UserStore, make_runtime: MakeRuntime, clock: FixedClock
) -> None:
    async def kept_s(opened: UserStore) -> int:
        index = (await opened.database[AUDIT].index_information())["retention"]
        assert index["key"] == [("at", 1)]
        return int(index["expireAfterSeconds"])

    assert await kept_s(store) == 730 * 86_400
    settings = Settings.model_validate({**store.subgraph.runtime.settings.model_dump(), "audit_retention_days": 90})
    # A start with another setting changes the index that is there
    assert await kept_s(await open_store(make_runtime, clock, settings)) == 90 * 86_400
