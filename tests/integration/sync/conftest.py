from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from core.identity import ANONYMOUS, Identity
from core.mongo import Database
from core.scopes import scopes_of
from core.subgraph import Call, Subgraph
from subgraphs.sync.app import build
from tests.testkit.clock import FixedClock
from tests.testkit.order_feed import FakeOrderFeed
from tests.testkit.store import MakeRuntime
from tests.testkit.webhook_receiver import WebhookReceiver, running_receiver

NOW = datetime(2040, 5, 1, 12, 0, tzinfo=UTC)
ANI = Identity("usr_ani", frozenset({"CUSTOMER"}))
BUDI = Identity("usr_budi", frozenset({"CUSTOMER"}))
STAFF = Identity("usr_staff", frozenset({"STAFF"}), scopes_of(["STAFF"]))

CREATE = """
mutation($input: CreateSyncScheduleInput!) {
  createSyncSchedule(input: $input) {
    __typename
    ... on SyncScheduleCreated {
      secret
      schedule {
        id name frequency timeOfDay timezone dayOfWeek dayOfMonth month webhookUrl scope enabled
        nextRunAt lastRunAt createdAt owner { id }
      }
    }
    ... on InvalidInputProblem { code field message }
    ... on ConflictProblem { code message }
  }
}
"""
RUN_NOW = """
mutation($id: ID!) {
  runSyncNow(id: $id) { __typename ... on SyncRun { id status trigger } ... on Problem { code message } }
}
"""
RUNS = """
query($id: ID!) {
  syncSchedule(id: $id) {
    nextRunAt lastRunAt
    runs { nodes { id status trigger startedAt finishedAt exportedCount from until error } }
  }
}
"""


@dataclass(slots=True)
class SyncStore:
    """A started sync subgraph between a fake order subgraph and a real webhook."""

    subgraph: Subgraph
    clock: FixedClock
    feed: FakeOrderFeed
    receiver: WebhookReceiver

    @property
    def database(self) -> Database:
        return self.subgraph.runtime.database

    async def run(
        self,
        document: str,
        variables: Mapping[str, Any] | None = None,
        *,
        by: Identity = ANI,
        trusted: bool = True,
    ) -> dict[str, Any]:
        """Return the whole GraphQL response."""
        return await self.subgraph.execute(document, variables, None, Call(identity=by, trusted=trusted))

    async def data(
        self, document: str, variables: Mapping[str, Any] | None = None, *, by: Identity = ANI
    ) -> dict[str, Any]:
        """Return the data of a response that must have no errors."""
        response = await self.run(document, variables, by=by)
        assert "errors" not in response, response["errors"]
        data: dict[str, Any] = response["data"]
        return data

    async def code(self, document: str, variables: Mapping[str, Any] | None = None, *, by: Identity = ANONYMOUS) -> str:
        """Return the code of the one error of a response."""
        (error,) = (await self.run(document, variables, by=by))["errors"]
        code: str = error["extensions"]["code"]
        return code

    async def create(self, *, by: Identity = ANI, **changes: Any) -> str:
        """Create a daily schedule for the receiver and return its id; the receiver knows its secret from then on."""
        created = (await self.data(CREATE, {"input": schedule_input(self.receiver.url, **changes)}, by=by))[
            "createSyncSchedule"
        ]
        assert created["__typename"] == "SyncScheduleCreated", created
        self.receiver.secret = created["secret"]
        schedule_id: str = created["schedule"]["id"]
        return schedule_id

    async def start(self, schedule_id: str, *, by: Identity = ANI) -> str:
        """Start a run by hand and return its id."""
        run = (await self.data(RUN_NOW, {"id": schedule_id}, by=by))["runSyncNow"]
        assert run["__typename"] == "SyncRun", run
        run_id: str = run["id"]
        return run_id

    async def work(self) -> None:
        """Do what a worker does every two seconds."""
        (job,) = self.subgraph.jobs
        await job.run(self.clock.now())

    async def runs(self, schedule_id: str, *, by: Identity = ANI) -> list[dict[str, Any]]:
        """Return the runs of a schedule, newest first."""
        found = await self.data(RUNS, {"id": schedule_id}, by=by)
        runs: list[dict[str, Any]] = found["syncSchedule"]["runs"]["nodes"]
        return runs

    async def snapshot(self) -> dict[str, list[dict[str, Any]]]:
        """Return everything that is stored, to compare before and after."""
        names = ("schedules", "runs", "recent_exports", "outbox")
        return {name: await self.database[name].find().sort("_id", 1).to_list() for name in names}


def schedule_input(url: str, **changes: Any) -> dict[str, Any]:
    """Return the input of a daily schedule."""
    return {"name": "To the ERP", "frequency": "DAILY", "timeOfDay": "03:00", "webhookUrl": url, **changes}


@pytest.fixture
async def receiver() -> AsyncIterator[WebhookReceiver]:
    async with running_receiver() as running:
        yield running


@pytest.fixture
async def store(make_runtime: MakeRuntime, receiver: WebhookReceiver) -> SyncStore:
    clock, feed = FixedClock(NOW), FakeOrderFeed()
    subgraph = build(make_runtime("sync", clock=clock, peers=feed))
    await subgraph.start()
    return SyncStore(subgraph, clock, feed, receiver)


@pytest.fixture(autouse=True)
def every_query_has_an_index(indexed_queries: None) -> None:
    """Look at all queries that the tests of this folder make the store send."""
