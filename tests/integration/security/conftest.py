from collections.abc import AsyncIterator

import pytest

from core.clock import Clock
from core.ids import new_id
from core.mongo import Client
from core.peers import Peers
from core.settings import Settings
from core.subgraph import Runtime
from tests.integration.security.world import World, open_world
from tests.testkit.store import build_runtime, make_settings


@pytest.fixture(scope="package")
async def world(mongo_client: Client, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """Yield one store for all attacks: they must change nothing, and what is allowed brings its own rows."""
    settings = make_settings(tmp_path_factory.mktemp("world"), database_prefix=f"{new_id('t')}_")

    def make(
        name: str, *, peers: Peers | None = None, clock: Clock | None = None, settings: Settings | None = settings
    ) -> Runtime:
        assert settings is not None
        return build_runtime(name, mongo_client, settings, peers=peers, clock=clock)

    opened = await open_world(make)
    yield opened
    for subgraph in opened.subgraphs.values():
        await subgraph.stop()
        await mongo_client.drop_database(subgraph.runtime.database.name)
