"""Whole stores on databases of their own."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from core.ids import new_id
from pasar.store import Store, open_store
from tests.testkit.store import make_settings

OpenStore = Callable[[], Awaitable[Store]]


@pytest.fixture
async def open_empty_store(mongo_uri: str, tmp_path: Path) -> AsyncIterator[OpenStore]:
    """Yield a function that opens a store on databases of its own."""
    async with AsyncExitStack() as stack:

        async def open_one() -> Store:
            settings = make_settings(tmp_path, database_prefix=f"{new_id('t')}_")
            store = await stack.enter_async_context(open_store(settings, mongo_uri))
            stack.push_async_callback(_drop, store)
            await store.start()
            stack.push_async_callback(store.stop)
            return store

        yield open_one


async def _drop(store: Store) -> None:
    for name in await store.client.list_database_names():
        if name.startswith(store.settings.database_prefix):
            await store.client.drop_database(name)
