"""Change streams that wake relays: one per client, or one per outbox where the user may not open that one."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent
from structlog.testing import capture_logs

from core import loops
from core.mongo import Client, connect
from core.outbox_streams import group_by_client
from core.relay import Relay
from core.settings import Settings
from core.subgraph import Subgraph
from core.worker import Worker, open_broker
from tests.testkit.clock import FixedClock
from tests.testkit.guarded_mongod import running_guarded_mongod
from tests.testkit.publishing import MakeSubgraph, outbox, tell
from tests.testkit.waiting import eventually

NAMES = ("order", "payment", "sync")


class Streams(CommandListener):
    """Counts what the driver sends for change streams, and looks at outboxes. Mutable."""

    def __init__(self) -> None:
        self.opened: Counter[str] = Counter()
        self.refused: Counter[int] = Counter()
        self.waiting: set[int] = set()
        self.looks: Counter[str] = Counter()
        self.settled: Counter[str] = Counter()

    def started(self, event: CommandStartedEvent) -> None:
        """Count a look at an outbox, by database, and note a stream that waits for changes."""
        if event.command_name == "find" and event.command["find"] == "outbox":
            self.looks[event.database_name] += 1
        if event.command_name == "getMore":
            self.waiting.add(event.command["getMore"])

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Count a stream that was opened, by what it is over, and looks that settled an event, by database."""
        if event.command_name == "aggregate":
            self.opened[event.reply["cursor"]["ns"]] += 1
        if event.command_name == "update":
            self.settled[event.database_name] += 1

    def failed(self, event: CommandFailedEvent) -> None:
        """Count a stream that was refused, by the error's code."""
        if event.command_name == "aggregate":
            self.refused[event.failure["code"]] += 1


@pytest.fixture(params=["all databases", "own databases"])
async def rights(request: pytest.FixtureRequest) -> str:
    rights: str = request.param
    return rights


@pytest.fixture
async def watched(
    rights: str, mongo_uri: str, store_settings: Settings, tmp_path: Path
) -> AsyncIterator[tuple[Client, Streams]]:
    """Yield a client of a user who may open a stream over all databases, or only over its own ones."""
    streams = Streams()
    if rights == "all databases":
        client = connect(mongo_uri, listeners=[streams])
        yield client, streams
        await client.close()
        return
    databases = [f"{store_settings.database_prefix}{name}" for name in NAMES]
    with running_guarded_mongod(tmp_path / "guarded", databases=databases) as uri:
        client = connect(uri, listeners=[streams])
        yield client, streams
        await client.close()


async def test_an_event_wakes_the_relay_of_its_database_and_no_other(
    rights: str,
    watched: tuple[Client, Streams],
    make_subgraph: MakeSubgraph,
    clock: FixedClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Or each relay would look by itself
    monkeypatch.setattr(loops, "POLL_S", 3600)
    client, streams = watched
    subgraphs = [await make_subgraph(name, client=client) for name in NAMES]
    order, payment, sync = (subgraph.runtime.database.name for subgraph in subgraphs)
    expected = 1 if rights == "all databases" else 3

    async def all_wait() -> bool:
        return len(streams.waiting) == expected and streams.looks == {order: 1, payment: 1, sync: 1}

    with capture_logs() as logs:
        worker = Worker(subgraphs, open_broker(""), clock)
        await worker.start()
        await eventually(all_wait)

        async def tell_and_see(publisher: Subgraph, times: int) -> None:
            event_id = await tell(publisher, "NobodyListens", "ord_1")
            # A row that is no event
            row = {"_id": f"row_{event_id}", "folded": False}
            await publisher.runtime.database["outbox"].insert_one(row)

            async def seen() -> bool:
                return streams.settled[publisher.runtime.database.name] == times

            await eventually(seen)

        await tell_and_see(subgraphs[0], 1)
        await tell_and_see(subgraphs[2], 1)
        await tell_and_see(subgraphs[0], 2)
        await worker.stop()
    # The first is at the start
    assert streams.looks == {order: 3, payment: 1, sync: 2}
    told = [row for subgraph in subgraphs for row in await outbox(subgraph) if "type" in row]
    assert [row["delivered_at"] for row in told] == [clock.now()] * 3
    if rights == "all databases":
        assert streams.opened == {"admin.$cmd.aggregate": 1}
        assert streams.refused == {}
        assert logs == []
    else:
        assert streams.opened == {f"{name}.outbox": 1 for name in (order, payment, sync)}
        assert streams.refused == {13: 1}
        sentence = "a change stream for each outbox, as one over all databases is not permitted"
        assert [(log["event"], log["log_level"]) for log in logs] == [(sentence, "info")]


async def test_subgraphs_with_clients_of_their_own_have_streams_of_their_own(
    mongo_uri: str, make_subgraph: MakeSubgraph, clock: FixedClock
) -> None:
    async def send(event_id: str) -> None: ...

    # Equal by address
    one, other = connect(mongo_uri), connect(mongo_uri)
    subgraphs = [
        await make_subgraph(name, client=client) for name, client in zip(NAMES, (one, other, one), strict=True)
    ]
    relays = [Relay(subgraph, subgraphs, clock, send) for subgraph in subgraphs]
    grouped = group_by_client(relays)
    assert [(client is one, group) for client, group in grouped] == [
        (True, [relays[0], relays[2]]),
        (False, [relays[1]]),
    ]
    await asyncio.gather(one.close(), other.close())
