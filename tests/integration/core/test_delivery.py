"""One delivery of an event on a real MongoDB: who gets it, what is recorded, and what a crash between leaves."""

from datetime import UTC, datetime

import pytest
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import AutoReconnect

from core.delivery import deliver
from core.errors import Unavailable
from core.events import Event, EventHandler
from core.mongo import Row, Session
from core.subgraph import Subgraph
from tests.testkit.clock import FixedClock
from tests.testkit.publishing import MakeSubgraph, note_into, outbox, tell


async def effects(subgraph: Subgraph) -> list[str]:
    return [row["subject"] async for row in subgraph.runtime.database["effects"].find()]


async def test_a_crash_before_the_record_repeats_no_effect(
    make_subgraph: MakeSubgraph, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_for(name: str) -> EventHandler:
        async def write(event: Event, session: Session) -> None:
            subgraph = next(each for each in subgraphs if each.name == name)
            await subgraph.runtime.database["effects"].insert_one({"subject": event.subject}, session=session)

        return write

    publisher = await make_subgraph("order")
    subgraphs = [await make_subgraph(name, {"OrderPaid": write_for(name)}) for name in ("inventory", "payment")]
    event_id = await tell(publisher, "OrderPaid", "ord_1")

    async def crash(self: AsyncCollection[Row], *args: object, **options: object) -> None:
        raise AutoReconnect("connection closed")

    with monkeypatch.context() as patched:
        patched.setattr(AsyncCollection, "update_one", crash)
        with pytest.raises(AutoReconnect):
            await deliver(event_id, publisher, subgraphs, clock)
    [row] = await outbox(publisher)
    assert (row["delivered_to"], row["due_at"]) == ([], clock.now())
    assert [await effects(subgraph) for subgraph in subgraphs] == [["ord_1"], ["ord_1"]]
    await deliver(event_id, publisher, subgraphs, clock)
    [row] = await outbox(publisher)
    assert (row["delivered_to"], row["delivered_at"], "due_at" in row) == (
        ["inventory", "payment"],
        clock.now(),
        False,
    )
    assert [await effects(subgraph) for subgraph in subgraphs] == [["ord_1"], ["ord_1"]]


async def test_who_has_it_is_recorded_with_the_failure_of_another(
    make_subgraph: MakeSubgraph, clock: FixedClock
) -> None:
    seen: list[tuple[str, str, str]] = []

    async def fail(event: Event, session: Session) -> None:
        raise Unavailable("not now")

    publisher = await make_subgraph("order", {"OrderPaid": fail})
    mail = await make_subgraph("payment", {"OrderPaid": note_into("payment", seen)})
    event_id = await tell(publisher, "OrderPaid", "ord_1")
    claim = {"claimed": True, "claimed_by": "clm_1"}
    await publisher.runtime.database["outbox"].update_one({"_id": event_id}, {"$set": claim})
    for _ in range(2):
        await deliver(event_id, publisher, [publisher, mail], clock)
    [row] = await outbox(publisher)
    assert seen == [("payment", "OrderPaid", "ord_1")]
    assert (row["delivered_to"], row["attempts"]) == (["payment"], 2)
    assert row["due_at"] == datetime(2026, 11, 1, 0, 0, 2, tzinfo=UTC)
    assert not {"claimed", "claimed_by", "delivered_at"} & set(row)


async def test_a_task_that_comes_after_the_delivery_changes_nothing(
    make_subgraph: MakeSubgraph, clock: FixedClock
) -> None:
    seen: list[tuple[str, str, str]] = []
    publisher = await make_subgraph("order", {"OrderPaid": note_into("order", seen)})
    event_id = await tell(publisher, "OrderPaid", "ord_1")
    await deliver(event_id, publisher, [publisher], clock)
    delivered = await outbox(publisher)
    clock.advance(minutes=1)
    await deliver(event_id, publisher, [publisher], clock)
    await deliver("evt_of_a_row_that_is_gone", publisher, [publisher], clock)
    assert await outbox(publisher) == delivered
    assert seen == [("order", "OrderPaid", "ord_1")]
