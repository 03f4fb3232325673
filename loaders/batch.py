"""Align what a database returned with the keys that were asked for."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TypeVar

K = TypeVar("K", bound=Hashable)
R = TypeVar("R")


def align(keys: Sequence[K], rows: Iterable[R], key_of: Callable[[R], K]) -> list[R | None]:
    """Return for each key its row, or None; *rows* may come in any order and lack some."""
    by_key = {key_of(row): row for row in rows}
    return [by_key.get(key) for key in keys]


def align_many(keys: Sequence[K], rows: Iterable[R], key_of: Callable[[R], K]) -> list[list[R]]:
    """Return for each key all its rows, in the order in which they came."""
    by_key: defaultdict[K, list[R]] = defaultdict(list)
    for row in rows:
        by_key[key_of(row)].append(row)
    return [by_key.get(key, []) for key in keys]
