"""Redis, a clock and small subgraphs for the tests of cache and worker."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.clock import Clock
from core.events import EventHandler
from core.jobs import Job
from core.mongo import Client
from core.settings import Settings
from core.subgraph import Subgraph
from tests.testkit.clock import FixedClock
from tests.testkit.publishing import SCHEMA, MakeSubgraph
from tests.testkit.redis_server import RedisServer
from tests.testkit.store import build_runtime


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 11, 1, tzinfo=UTC))


@pytest.fixture
def make_subgraph(mongo_client: Client, store_settings: Settings, clock: FixedClock) -> MakeSubgraph:
    async def make(
        name: str,
        handlers: Mapping[str, EventHandler] | None = None,
        jobs: tuple[Job, ...] = (),
        *,
        at: Clock | None = None,
        client: Client | None = None,
    ) -> Subgraph:
        subgraph = Subgraph(
            name=name,
            schema=SCHEMA,
            runtime=build_runtime(name, client or mongo_client, store_settings, clock=at or clock),
            documents=(),
            context=lambda call: call,
            handlers=handlers or {},
            jobs=jobs,
        )
        await subgraph.start()
        return subgraph

    return make
