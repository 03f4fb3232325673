"""Loaders over a repository: many references, one query."""

from collections.abc import Awaitable, Callable, Hashable, Iterable
from typing import TypeVar

from strawberry.dataloader import DataLoader

from loaders.batch import align, align_many

K = TypeVar("K", bound=Hashable)
R = TypeVar("R")


def entity_loader(
    find_many: Callable[[list[K]], Awaitable[Iterable[R]]], key_of: Callable[[R], K]
) -> DataLoader[K, R | None]:
    """Return a loader of one row per key; build one per request, for it remembers what it loaded."""

    async def load(keys: list[K]) -> list[R | None]:
        return align(keys, await find_many(keys), key_of)

    return DataLoader(load_fn=load)


def list_loader(
    find_many: Callable[[list[K]], Awaitable[Iterable[R]]], key_of: Callable[[R], K]
) -> DataLoader[K, list[R]]:
    """Return a loader of all rows of each key."""

    async def load(keys: list[K]) -> list[list[R]]:
        return align_many(keys, await find_many(keys), key_of)

    return DataLoader(load_fn=load)
