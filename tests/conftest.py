"""Fixtures for everything that needs a real database."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from xdist.remote import Producer

from core.clock import Clock
from core.mongo import Client, connect
from core.peers import Peers
from core.settings import Settings
from core.subgraph import Runtime
from tests.testkit.explained import OwnCommands, find_unindexed
from tests.testkit.groups import GroupScheduling, turn_of
from tests.testkit.mongod import running_mongodb
from tests.testkit.store import MakeRuntime, build_runtime, make_settings, own_databases

# What the store sent through `mongo_client`; a shape of query is looked at once in a run
SENT = OwnCommands()


@pytest.fixture(scope="session")
def mongo_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_mongodb(tmp_path_factory.mktemp("mongodb")) as uri:
        yield uri


@pytest.fixture(scope="session")
async def mongo_client(mongo_uri: str) -> AsyncIterator[Client]:
    # Tests without a loop of their own hold up this client's heartbeats, sometimes for minutes
    client = connect(mongo_uri, app_name="pasar-tests", connect_timeout_ms=3_600_000, listeners=[SENT])
    yield client
    await client.close()


@pytest.fixture
async def database_prefix(mongo_client: Client) -> AsyncIterator[str]:
    """Yield a prefix of its own for the databases of one test, and drop them afterwards."""
    async with own_databases(mongo_client) as prefix:
        yield prefix


@pytest.fixture
def store_settings(tmp_path: Path, database_prefix: str, mongo_uri: str) -> Settings:
    return make_settings(tmp_path, database_prefix=database_prefix, mongodb_uri=mongo_uri)


@pytest.fixture
def make_runtime(mongo_client: Client, store_settings: Settings) -> MakeRuntime:
    def make(
        name: str, *, peers: Peers | None = None, clock: Clock | None = None, settings: Settings | None = None
    ) -> Runtime:
        return build_runtime(name, mongo_client, settings or store_settings, peers=peers, clock=clock)

    return make


@pytest.fixture
async def indexed_queries(mongo_client: Client, database_prefix: str) -> AsyncIterator[None]:
    """See to it that no query of the store through `mongo_client` reads a collection as a whole, or sorts.

    It asks before the databases with *database_prefix* are dropped.
    """
    SENT.clear()
    SENT.is_listening = True
    yield
    SENT.is_listening = False
    found = await find_unindexed(mongo_client, SENT)
    # The mailbox of development is capped, and read from its end
    assert [str(each) for each in found if not each.command.endswith(" mailbox")] == []


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Bring the tests into their order, and leave the nightly ones out unless they are asked for with -m."""
    items.sort(key=lambda item: turn_of(item.nodeid))
    if config.option.markexpr:
        return
    nightly = [item for item in items if item.get_closest_marker("nightly")]
    if nightly:
        config.hook.pytest_deselected(items=nightly)
        items[:] = [item for item in items if item not in nightly]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> GroupScheduling:
    """Divide the tests among processes by our groups, whatever --dist says."""
    return GroupScheduling(config, log)
