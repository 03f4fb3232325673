"""The relay of one outbox on a real MongoDB: what a look costs, and what two looks at once do."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta

import pytest
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import AutoReconnect
from taskiq.exceptions import TaskiqError

from core import relay as relay_module
from core.events import Event
from core.mongo import Client, Row, Session, connect
from core.relay import Relay
from core.subgraph import Subgraph
from tests.testkit.clock import FixedClock
from tests.testkit.commands import CommandLog
from tests.testkit.publishing import MakeSubgraph, outbox, tell

SECOND = timedelta(seconds=1)
CLAIM = timedelta(seconds=30)


@pytest.fixture
async def logged(mongo_uri: str) -> AsyncIterator[tuple[Client, CommandLog]]:
    log = CommandLog()
    client = connect(mongo_uri, listeners=[log])
    yield client, log
    await client.close()


async def ignore(event: Event, session: Session) -> None: ...


async def tell_many(publisher: Subgraph, type_: str, count: int) -> list[str]:
    """Announce events one second apart, and return their ids, oldest first; they are all due now."""
    now = publisher.runtime.clock.now()
    ids = await asyncio.gather(*(tell(publisher, type_, f"ord_{n}") for n in range(count)))
    rows = publisher.runtime.database["outbox"]
    for n, event_id in enumerate(ids):
        await rows.update_one({"_id": event_id}, {"$set": {"due_at": now - (count - n) * SECOND}})
    return list(ids)


def due_at(rows: list[Row]) -> dict[str, datetime | None]:
    return {row["_id"]: row.get("due_at") for row in rows}


def claimed(rows: list[Row]) -> set[str]:
    return {row["_id"] for row in rows if "claimed" in row or "claimed_by" in row}


async def test_a_look_at_an_outbox_where_nothing_is_due_is_one_command(
    make_subgraph: MakeSubgraph, clock: FixedClock, logged: tuple[Client, CommandLog]
) -> None:
    client, log = logged
    publisher = await make_subgraph("order", {"OrderPaid": ignore}, client=client)
    [event_id] = await tell_many(publisher, "OrderPaid", 1)
    sent: list[str] = []

    async def send(event_id: str) -> None:
        sent.append(event_id)

    relay = Relay(publisher, [publisher], clock, send)
    await relay.look()
    assert sent == [event_id]
    log.clear()
    await relay.look()
    assert log.commands == ["find outbox"]
    assert sent == [event_id]


async def test_events_that_nobody_wants_are_two_commands_also_when_they_are_many(
    make_subgraph: MakeSubgraph, clock: FixedClock, logged: tuple[Client, CommandLog]
) -> None:
    client, log = logged
    publisher = await make_subgraph("order", {"OrderPaid": ignore}, client=client)
    await tell_many(publisher, "OrderPlaced", 150)
    sent: list[str] = []

    async def send(event_id: str) -> None:
        sent.append(event_id)

    log.clear()
    await Relay(publisher, [publisher], clock, send).look()
    assert log.commands == ["find outbox", "update outbox"]
    assert sent == []
    rows = await outbox(publisher)
    assert [(row["delivered_at"], row["delivered_to"], row["attempts"]) for row in rows] == [(clock.now(), [], 0)] * 150
    assert set(due_at(rows).values()) == {None}
    assert claimed(rows) == set()


async def test_an_event_that_all_who_want_it_have_is_not_sent(make_subgraph: MakeSubgraph, clock: FixedClock) -> None:
    publisher = await make_subgraph("order", {"OrderPaid": ignore})
    [lacking, has_it] = await tell_many(publisher, "OrderPaid", 2)
    # As a delivery leaves it that failed for a subscriber of another version
    rows = publisher.runtime.database["outbox"]
    await rows.update_one({"_id": has_it}, {"$set": {"delivered_to": ["order"], "attempts": 1}})
    sent: list[str] = []

    async def send(event_id: str) -> None:
        sent.append(event_id)

    await Relay(publisher, [publisher], clock, send).look()
    assert sent == [lacking]
    assert due_at(await outbox(publisher)) == {lacking: clock.now() + CLAIM, has_it: None}


async def test_fifty_events_with_a_subscriber_are_claimed_together_and_sent_oldest_first(
    make_subgraph: MakeSubgraph, clock: FixedClock, logged: tuple[Client, CommandLog]
) -> None:
    client, log = logged
    publisher = await make_subgraph("order", {"OrderPaid": ignore}, client=client)
    events = await tell_many(publisher, "OrderPaid", 50)
    sent: list[str] = []

    async def send(event_id: str) -> None:
        sent.append(event_id)

    log.clear()
    await Relay(publisher, [publisher], clock, send).look()
    # What is due, what is in delivery, the claims
    assert log.commands == ["find outbox", "aggregate outbox", "update outbox"]
    assert sent == events
    rows = await outbox(publisher)
    assert due_at(rows) == dict.fromkeys(events, clock.now() + CLAIM)
    assert claimed(rows) == set(events)


async def test_more_than_one_look_can_hold_is_looked_at_until_nothing_is_left(
    make_subgraph: MakeSubgraph,
    clock: FixedClock,
    logged: tuple[Client, CommandLog],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(relay_module, "MAX_IN_DELIVERY", 8)
    client, log = logged
    publisher = await make_subgraph("order", {"OrderPaid": ignore}, client=client)
    await tell_many(publisher, "OrderPlaced", 20)
    [wanted] = await tell_many(publisher, "OrderPaid", 1)
    sent: list[str] = []

    async def send(event_id: str) -> None:
        sent.append(event_id)

    await publisher.runtime.database["outbox"].update_one({"_id": wanted}, {"$set": {"due_at": clock.now()}})
    log.clear()
    await Relay(publisher, [publisher], clock, send).look()
    assert log.commands == [*["find outbox", "update outbox"] * 3, "aggregate outbox", "update outbox"]
    assert sent == [wanted]


async def test_what_is_in_delivery_bounds_what_is_claimed(
    make_subgraph: MakeSubgraph,
    clock: FixedClock,
    logged: tuple[Client, CommandLog],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(relay_module, "MAX_IN_DELIVERY", 8)
    client, log = logged
    publisher = await make_subgraph("order", {"OrderPaid": ignore}, client=client)
    events = await tell_many(publisher, "OrderPaid", 20)
    sent: list[str] = []

    async def send(event_id: str) -> None:
        sent.append(event_id)

    await Relay(publisher, [publisher], clock, send).look()
    assert sent == events[:8]
    await publisher.runtime.database["outbox"].update_many(
        {"_id": {"$in": events[:3]}}, {"$unset": {"due_at": "", "claimed": ""}}
    )
    # Also by another worker
    other = Relay(publisher, [publisher], clock, send)
    await other.look()
    assert sent == events[:11]
    log.clear()
    await other.look()
    assert sent == events[:11]
    assert log.commands == ["find outbox", "aggregate outbox"]
    # Claims that are over hold no place
    clock.advance(CLAIM)
    await other.look()
    assert sent[11:] == events[11:19]


async def test_ends_of_deliveries_make_a_full_relay_look_again_and_no_other(
    make_subgraph: MakeSubgraph, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "MAX_IN_DELIVERY", 8)
    monkeypatch.setattr(relay_module, "REFILL", 2)
    publisher = await make_subgraph("order", {"OrderPaid": ignore})

    async def send(event_id: str) -> None: ...

    relay = Relay(publisher, [publisher], clock, send)
    woken: list[int] = []
    monkeypatch.setattr(relay._wake, "set", lambda: woken.append(relay._ended))

    def end_deliveries(count: int) -> None:
        for _ in range(count):
            with relay.delivering():
                pass

    await tell_many(publisher, "OrderPaid", 8)
    await relay.look()
    with relay.delivering():
        end_deliveries(4)
    # Nothing was left behind
    assert woken == []
    await tell_many(publisher, "OrderPaid", 1)
    await relay.look()
    with relay.delivering():
        end_deliveries(1)
        assert woken == []
        end_deliveries(1)
        assert woken == [2]
    await relay.look()
    # None of the other eight is ours
    end_deliveries(1)
    assert woken == [2, 3, 1]


class _Together(Relay):
    """Goes on from its look only when *both* have looked."""

    both: asyncio.Barrier

    async def _find_due(self, now: datetime) -> list[Row]:
        rows = await super()._find_due(now)
        await self.both.wait()
        return rows


async def test_two_workers_that_see_the_same_events_share_them(make_subgraph: MakeSubgraph, clock: FixedClock) -> None:
    publisher = await make_subgraph("order", {"OrderPaid": ignore})
    events = await tell_many(publisher, "OrderPaid", 50)
    sent: list[str] = []

    async def send(event_id: str) -> None:
        sent.append(event_id)

    one, other = (_Together(publisher, [publisher], clock, send) for _ in range(2))
    one.both = other.both = asyncio.Barrier(2)
    await asyncio.gather(one.look(), other.look())
    assert sorted(sent) == sorted(events)


async def test_what_another_worker_claims_after_the_look_is_left_to_it(
    make_subgraph: MakeSubgraph, clock: FixedClock
) -> None:
    publisher = await make_subgraph("order")
    newer = await make_subgraph("payment", {"OrderPaid": ignore})
    [paid] = await tell_many(publisher, "OrderPaid", 1)
    [placed] = await tell_many(publisher, "OrderPlaced", 1)
    sent: list[str] = []

    async def send(event_id: str) -> None:
        sent.append(event_id)

    class Late(Relay):
        async def _find_due(self, now: datetime) -> list[Row]:
            rows = await super()._find_due(now)
            assert {row["_id"] for row in rows} == {paid, placed}
            await Relay(publisher, [publisher, newer], clock, send).look()
            return rows

    # It knows of no subscriber
    await Late(publisher, [publisher], clock, send).look()
    assert sent == [paid]
    rows = await outbox(publisher)
    assert due_at(rows) == {paid: clock.now() + CLAIM, placed: None}
    assert claimed(rows) == {paid}


async def test_what_the_broker_does_not_take_is_given_back(make_subgraph: MakeSubgraph, clock: FixedClock) -> None:
    publisher = await make_subgraph("order", {"OrderPaid": ignore})
    events = await tell_many(publisher, "OrderPaid", 5)
    sent: list[str] = []

    async def send(event_id: str) -> None:
        if len(sent) == 2:
            raise TaskiqError
        sent.append(event_id)

    relay = Relay(publisher, [publisher], clock, send)
    with pytest.raises(TaskiqError):
        await relay.look()
    assert sent == events[:2]
    rows = await outbox(publisher)
    claim, again = clock.now() + CLAIM, clock.now() + SECOND
    assert due_at(rows) == dict.fromkeys(events[:2], claim) | dict.fromkeys(events[2:], again)
    assert claimed(rows) == set(events[:2])


async def test_what_a_stopped_worker_has_not_sent_is_given_back(make_subgraph: MakeSubgraph, clock: FixedClock) -> None:
    publisher = await make_subgraph("order", {"OrderPaid": ignore})
    events = await tell_many(publisher, "OrderPaid", 3)
    sending = asyncio.Event()

    async def hang(event_id: str) -> None:
        sending.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(Relay(publisher, [publisher], clock, hang).look())
    await sending.wait()
    assert claimed(await outbox(publisher)) == set(events)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    rows = await outbox(publisher)
    assert due_at(rows) == dict.fromkeys(events, clock.now() + SECOND)
    assert claimed(rows) == set()


Lose = Callable[[Callable[[], Awaitable[object]]], Awaitable[None]]


async def make_and_lose(update: Callable[[], Awaitable[object]]) -> None:
    await update()
    raise AutoReconnect("connection closed")


async def lose(update: Callable[[], Awaitable[object]]) -> None:
    raise AutoReconnect("connection closed")


@pytest.mark.parametrize(("how", "sent_at_once"), [(make_and_lose, 5), (lose, 0)])
async def test_a_connection_that_is_lost_while_claiming_costs_no_event_its_turn(
    make_subgraph: MakeSubgraph, clock: FixedClock, monkeypatch: pytest.MonkeyPatch, how: Lose, sent_at_once: int
) -> None:
    publisher = await make_subgraph("order", {"OrderPaid": ignore})
    events = await tell_many(publisher, "OrderPaid", 5)
    sent: list[str] = []

    async def send(event_id: str) -> None:
        sent.append(event_id)

    real = AsyncCollection.update_many

    async def update_many(self: AsyncCollection[Row], *args: object, **options: object) -> None:
        monkeypatch.undo()
        await how(lambda: real(self, *args, **options))  # type: ignore[arg-type]

    monkeypatch.setattr(AsyncCollection, "update_many", update_many)
    relay = Relay(publisher, [publisher], clock, send)
    await relay.look()
    assert sent == events[:sent_at_once]
    await relay.look()
    assert sent == events
