"""A shop whose gateway is in memory, emptied for every test."""

from collections.abc import AsyncIterator

import pytest

from core.clock import Clock
from core.ids import new_id
from core.mongo import Client, connect
from core.peers import Peers
from core.settings import Settings
from core.subgraph import Runtime
from tests.testkit.commands import CommandLog
from tests.testkit.shop import Shop, open_shop, reopen_shop
from tests.testkit.store import build_runtime, make_settings


@pytest.fixture(scope="session")
async def counted_shop(
    mongo_uri: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Shop, CommandLog]]:
    log = CommandLog()
    client: Client = connect(mongo_uri, listeners=[log])
    settings = make_settings(tmp_path_factory.mktemp("shop"), database_prefix=f"{new_id('t')}_")

    def make(
        name: str, *, peers: Peers | None = None, clock: Clock | None = None, settings: Settings | None = settings
    ) -> Runtime:
        assert settings is not None
        return build_runtime(name, client, settings, peers=peers, clock=clock)

    shop = await open_shop(make)
    yield shop, log
    for subgraph in shop.subgraphs.values():
        await subgraph.stop()
        await client.drop_database(subgraph.runtime.database.name)
    await client.close()


@pytest.fixture
async def shop(counted_shop: tuple[Shop, CommandLog]) -> Shop:
    return await reopen_shop(counted_shop[0])


@pytest.fixture
def commands(counted_shop: tuple[Shop, CommandLog]) -> CommandLog:
    return counted_shop[1]
