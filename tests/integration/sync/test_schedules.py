import asyncio
from typing import Any

import pytest
from graphql import build_schema, parse, validate

from core.identity import ANONYMOUS, Identity, service_identity
from core.settings import Environment
from core.subgraph import Call
from subgraphs.order.app import build as build_order
from subgraphs.sync.app import build
from subgraphs.sync.order_feed import CHANGED_ORDERS
from subgraphs.sync.service import MAX_SCHEDULES
from tests.integration.sync.conftest import ANI, BUDI, CREATE, RUN_NOW, RUNS, STAFF, SyncStore, schedule_input
from tests.testkit.profiler import recorded_queries
from tests.testkit.store import MakeRuntime

EDIT = """
mutation($input: EditSyncScheduleInput!) {
  editSyncSchedule(input: $input) {
    __typename
    ... on SyncSchedule {
      id name frequency timeOfDay timezone dayOfWeek dayOfMonth month webhookUrl scope enabled nextRunAt
    }
    ... on InvalidInputProblem { code field }
    ... on NotFoundProblem { code }
    ... on ConflictProblem { code }
  }
}
"""
DELETE = """
mutation($id: ID!) {
  deleteSyncSchedule(id: $id) { __typename ... on SyncScheduleDeleted { id } ... on Problem { code } }
}
"""
LIST = "{ syncSchedules { id name } }"
ONE = "query($id: ID!) { syncSchedule(id: $id) { id } }"
RUN = "query($id: ID!) { syncRun(id: $id) { id status } }"
USERS = """
query($representations: [_Any!]!) {
  _entities(representations: $representations) { ... on User { id syncSchedules { id } } }
}
"""
ENTITY = (
    "query($representations: [_Any!]!) { _entities(representations: $representations) { ... on SyncSchedule { id } } }"
)


async def edit(store: SyncStore, schedule_id: str, **changes: Any) -> dict[str, Any]:
    result: dict[str, Any] = (await store.data(EDIT, {"input": {"id": schedule_id, **changes}}))["editSyncSchedule"]
    return result


# -- creating ----------------------------------------------------------------------------------------------------------


async def test_a_customer_creates_a_schedule(store: SyncStore) -> None:
    wanted = schedule_input(store.receiver.url, name=" To  the ERP ")
    created = (await store.data(CREATE, {"input": wanted}))["createSyncSchedule"]
    assert created == {
        "__typename": "SyncScheduleCreated",
        "secret": created["secret"],
        "schedule": {
            "id": created["schedule"]["id"],
            "name": "To the ERP",
            "frequency": "DAILY",
            "timeOfDay": "03:00",
            "timezone": "Asia/Jakarta",
            "dayOfWeek": None,
            "dayOfMonth": None,
            "month": None,
            "webhookUrl": store.receiver.url,
            "scope": "OWN",
            "enabled": True,
            "nextRunAt": "2040-05-01T20:00:00.000Z",
            "lastRunAt": None,
            "createdAt": "2040-05-01T12:00:00.000Z",
            "owner": {"id": "usr_ani"},
        },
    }
    assert created["secret"].startswith("whsec_")
    assert created["schedule"]["id"].startswith("sch_")


@pytest.mark.parametrize(
    ("changes", "next_run_at"),
    [
        ({"frequency": "WEEKLY", "dayOfWeek": "SUNDAY", "timezone": "UTC"}, "2040-05-06T03:00:00.000Z"),
        ({"frequency": "MONTHLY", "dayOfMonth": 31, "timezone": "UTC"}, "2040-05-31T03:00:00.000Z"),
        ({"frequency": "YEARLY", "dayOfMonth": 29, "month": 2, "timezone": "UTC"}, "2041-02-28T03:00:00.000Z"),
        ({"enabled": False}, None),
    ],
)
async def test_a_new_schedule_knows_when_it_runs_first(
    store: SyncStore, changes: dict[str, Any], next_run_at: str | None
) -> None:
    schedule_id = await store.create(**changes)
    found = await store.data(RUNS, {"id": schedule_id})
    assert found["syncSchedule"]["nextRunAt"] == next_run_at


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"timeOfDay": "25:00"}, "timeOfDay"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"frequency": "WEEKLY"}, "dayOfWeek"),
        ({"frequency": "MONTHLY", "dayOfMonth": 32}, "dayOfMonth"),
        ({"dayOfMonth": 1}, "dayOfMonth"),
        ({"webhookUrl": "ftp://erp.example/orders"}, "webhookUrl"),
        ({"webhookUrl": "http://169.254.169.254/latest/meta-data"}, "webhookUrl"),
    ],
)
async def test_a_schedule_that_cannot_be_is_refused_and_not_stored(
    store: SyncStore, changes: dict[str, Any], field: str
) -> None:
    result = (await store.data(CREATE, {"input": schedule_input(store.receiver.url, **changes)}))["createSyncSchedule"]
    assert (result["__typename"], result["code"], result["field"]) == ("InvalidInputProblem", "BAD_USER_INPUT", field)
    assert (await store.snapshot())["schedules"] == []


async def test_private_addresses_are_refused_in_production(store: SyncStore, make_runtime: MakeRuntime) -> None:
    runtime = store.subgraph.runtime
    settings = runtime.settings.model_copy(update={"environment": Environment.PRODUCTION})
    production = build(make_runtime("sync", settings=settings, clock=runtime.clock))
    for url in (store.receiver.url, "http://localhost/x", "https://10.0.0.1/x", "http://[::1]/x"):
        response = await production.execute(CREATE, {"input": schedule_input(url)}, None, Call(ANI, trusted=True))
        assert response["data"]["createSyncSchedule"]["field"] == "webhookUrl"
    assert (await store.snapshot())["schedules"] == []


async def test_the_number_of_schedules_is_bounded(store: SyncStore) -> None:
    for number in range(MAX_SCHEDULES):
        await store.create(name=f"Schedule {number}")
    wanted = {"input": schedule_input(store.receiver.url)}
    refused = (await store.data(CREATE, wanted))["createSyncSchedule"]
    assert (refused["__typename"], refused["code"]) == ("ConflictProblem", "CONFLICT")
    assert (await store.data(CREATE, wanted, by=BUDI))["createSyncSchedule"]["__typename"] == "SyncScheduleCreated"
    assert len((await store.snapshot())["schedules"]) == MAX_SCHEDULES + 1


async def test_all_orders_are_for_holders_of_the_scope(store: SyncStore) -> None:
    wanted = {"input": schedule_input(store.receiver.url, scope="ALL")}
    assert await store.code(CREATE, wanted, by=ANI) == "FORBIDDEN"
    own = await store.create()
    before = await store.snapshot()
    assert await store.code(EDIT, {"input": {"id": own, "scope": "ALL"}}, by=ANI) == "FORBIDDEN"
    assert await store.snapshot() == before
    assert (await store.data(CREATE, wanted, by=STAFF))["createSyncSchedule"]["schedule"]["scope"] == "ALL"


# -- editing and deleting ----------------------------------------------------------------------------------------------


async def test_an_edit_changes_what_is_given_only(store: SyncStore) -> None:
    schedule_id = await store.create(frequency="YEARLY", dayOfMonth=31, month=12, timezone="UTC")
    steps: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"name": "Renamed"}, {"name": "Renamed", "nextRunAt": "2040-12-31T03:00:00.000Z"}),
        ({"timeOfDay": "04:30"}, {"timeOfDay": "04:30", "nextRunAt": "2040-12-31T04:30:00.000Z"}),
        (
            {"frequency": "MONTHLY"},
            {"frequency": "MONTHLY", "month": None, "dayOfMonth": 31, "nextRunAt": "2040-05-31T04:30:00.000Z"},
        ),
        (
            {"frequency": "WEEKLY", "dayOfWeek": "MONDAY"},
            {"frequency": "WEEKLY", "dayOfMonth": None, "dayOfWeek": "MONDAY", "nextRunAt": "2040-05-07T04:30:00.000Z"},
        ),
        (
            {"frequency": "DAILY", "timezone": "Asia/Jakarta"},
            {"dayOfWeek": None, "timezone": "Asia/Jakarta", "nextRunAt": "2040-05-01T21:30:00.000Z"},
        ),
        ({"enabled": False}, {"enabled": False, "nextRunAt": None}),
        ({"webhookUrl": "https://erp.example/new"}, {"webhookUrl": "https://erp.example/new", "nextRunAt": None}),
        ({"enabled": True}, {"enabled": True, "nextRunAt": "2040-05-01T21:30:00.000Z"}),
        ({}, {"name": "Renamed", "enabled": True}),
    ]
    for changes, expected in steps:
        edited = await edit(store, schedule_id, **changes)
        assert {name: edited[name] for name in expected} == expected, changes


async def test_an_edit_of_the_name_does_not_move_a_run_that_is_due(store: SyncStore) -> None:
    schedule_id = await store.create(timezone="UTC")
    store.clock.advance(days=1)
    edited = await edit(store, schedule_id, name="Renamed")
    assert edited["nextRunAt"] == "2040-05-02T03:00:00.000Z"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "x" * 101}, "name"),
        ({"frequency": "WEEKLY"}, "dayOfWeek"),
        ({"dayOfMonth": 3}, "dayOfMonth"),
        ({"timezone": ""}, "timezone"),
        ({"webhookUrl": "javascript:alert(1)"}, "webhookUrl"),
    ],
)
async def test_a_refused_edit_changes_nothing(store: SyncStore, changes: dict[str, Any], field: str) -> None:
    schedule_id = await store.create()
    before = await store.snapshot()
    refused = await edit(store, schedule_id, **changes)
    assert (refused["__typename"], refused["field"]) == ("InvalidInputProblem", field)
    assert await store.snapshot() == before


async def test_edits_at_the_same_time_do_not_undo_each_other(store: SyncStore) -> None:
    schedule_id = await store.create()
    results = await asyncio.gather(
        *(edit(store, schedule_id, name=f"Name {number}") for number in range(5)),
        *(edit(store, schedule_id, timeOfDay=f"0{number}:00") for number in range(5)),
    )
    won = [result for result in results if result["__typename"] == "SyncSchedule"]
    assert {result["__typename"] for result in results} <= {"SyncSchedule", "ConflictProblem"}
    (stored,) = (await store.snapshot())["schedules"]
    assert stored["version"] == 1 + len(won)
    assert (stored["name"], stored["time_of_day"]) in {(result["name"], result["timeOfDay"]) for result in won}


async def test_a_deleted_schedule_is_gone_with_its_runs(store: SyncStore) -> None:
    schedule_id, other = await store.create(), await store.create(name="Other")
    run_id = await store.start(schedule_id)
    kept = await store.start(other)
    assert await store.data(DELETE, {"id": schedule_id}) == {
        "deleteSyncSchedule": {"__typename": "SyncScheduleDeleted", "id": schedule_id}
    }
    assert await store.data(LIST) == {"syncSchedules": [{"id": other, "name": "Other"}]}
    assert await store.data(RUN, {"id": run_id}) == {"syncRun": None}
    assert [run["_id"] for run in (await store.snapshot())["runs"]] == [kept]
    again = (await store.data(DELETE, {"id": schedule_id}))["deleteSyncSchedule"]
    assert again == {"__typename": "NotFoundProblem", "code": "NOT_FOUND"}


# -- who sees what -----------------------------------------------------------------------------------------------------


async def test_the_secret_is_shown_once(store: SyncStore) -> None:
    schedule_id = await store.create()
    assert "secret" not in store.subgraph.sdl.split("type SyncSchedule @key")[1].split("}")[0]
    edited = await store.run(EDIT, {"input": {"id": schedule_id, "name": "X"}})
    assert store.receiver.secret not in str(edited)


async def test_a_schedule_exists_for_its_owner_only(store: SyncStore) -> None:
    schedule_id = await store.create()
    run_id = await store.start(schedule_id)
    before = await store.snapshot()
    for other in (BUDI, STAFF):
        assert await store.data(LIST, by=other) == {"syncSchedules": []}
        assert await store.data(ONE, {"id": schedule_id}, by=other) == {"syncSchedule": None}
        assert await store.data(RUN, {"id": run_id}, by=other) == {"syncRun": None}
        for document, variables in (
            (EDIT, {"input": {"id": schedule_id, "name": "Mine"}}),
            (DELETE, {"id": schedule_id}),
            (RUN_NOW, {"id": schedule_id}),
        ):
            (result,) = (await store.data(document, variables, by=other)).values()
            assert (result["__typename"], result["code"]) == ("NotFoundProblem", "NOT_FOUND")
    assert await store.snapshot() == before
    assert await store.data(ONE, {"id": schedule_id}) == {"syncSchedule": {"id": schedule_id}}
    assert await store.data(RUN, {"id": run_id}) == {"syncRun": {"id": run_id, "status": "RUNNING"}}


async def test_an_anonymous_caller_gets_nowhere(store: SyncStore) -> None:
    schedule_id = await store.create()
    before = await store.snapshot()
    for document, variables in (
        (LIST, None),
        (ONE, {"id": schedule_id}),
        (RUN, {"id": "run_1"}),
        (CREATE, {"input": schedule_input(store.receiver.url)}),
        (EDIT, {"input": {"id": schedule_id}}),
        (DELETE, {"id": schedule_id}),
        (RUN_NOW, {"id": schedule_id}),
    ):
        assert await store.code(document, variables) == "UNAUTHENTICATED", document
    assert await store.snapshot() == before


async def test_a_user_shows_schedules_to_the_user_only(store: SyncStore) -> None:
    schedule_id = await store.create()
    reference = {"representations": [{"__typename": "User", "id": "usr_ani"}]}
    shown = {"_entities": [{"id": "usr_ani", "syncSchedules": [{"id": schedule_id}]}]}
    hidden = {"_entities": [{"id": "usr_ani", "syncSchedules": None}]}
    for viewer in (ANI, service_identity("order")):
        assert await store.data(USERS, reference, by=viewer) == shown
    for viewer, code in ((BUDI, "FORBIDDEN"), (STAFF, "FORBIDDEN"), (ANONYMOUS, "UNAUTHENTICATED")):
        response = await store.run(USERS, reference, by=viewer)
        assert response["data"] == hidden
        assert response["errors"][0]["extensions"]["code"] == code


async def test_a_reference_shows_a_schedule_to_its_owner_and_to_services(store: SyncStore) -> None:
    schedule_id = await store.create()
    reference = {"representations": [{"__typename": "SyncSchedule", "id": schedule_id}]}
    viewers: list[tuple[Identity, dict[str, str] | None]] = [
        (ANI, {"id": schedule_id}),
        (service_identity("order"), {"id": schedule_id}),
        (BUDI, None),
        (ANONYMOUS, None),
    ]
    for viewer, expected in viewers:
        assert await store.data(ENTITY, reference, by=viewer) == {"_entities": [expected]}
    assert (await store.run(ENTITY, reference, trusted=False))["data"] is None


async def test_schedules_with_their_runs_are_two_queries(store: SyncStore) -> None:
    for number in range(3):
        await store.start(await store.create(name=f"Schedule {number}"))
    async with recorded_queries(store.database) as queries:
        found = await store.data("{ syncSchedules { name runs(first: 1) { nodes { status } } } }")
    assert [(schedule["name"], len(schedule["runs"]["nodes"])) for schedule in found["syncSchedules"]] == [
        ("Schedule 0", 1),
        ("Schedule 1", 1),
        ("Schedule 2", 1),
    ]
    assert len(queries) == 2
    assert queries[0] == "schedules"


async def test_runs_are_paged_newest_first(store: SyncStore) -> None:
    schedule_id = await store.create()
    started = []
    for _ in range(3):
        started.append(await store.start(schedule_id))
        await store.work()
    page = """
    query($id: ID!, $after: String) {
      syncSchedule(id: $id) { runs(first: 2, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } }
    }
    """
    first = (await store.data(page, {"id": schedule_id}))["syncSchedule"]["runs"]
    assert [run["id"] for run in first["nodes"]] == [started[2], started[1]]
    assert first["pageInfo"]["hasNextPage"] is True
    rest = (await store.data(page, {"id": schedule_id, "after": first["pageInfo"]["endCursor"]}))["syncSchedule"][
        "runs"
    ]
    assert [run["id"] for run in rest["nodes"]] == [started[0]]
    assert rest["pageInfo"]["hasNextPage"] is False


async def test_what_is_asked_of_the_order_subgraph_is_what_it_offers(make_runtime: MakeRuntime) -> None:
    offered = build_schema(build_order(make_runtime("order")).schema.as_str(), assume_valid_sdl=True)
    assert validate(offered, parse(CHANGED_ORDERS)) == []
