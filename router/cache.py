"""The cache of operations that are parsed, validated, planned and prepared, bounded in number and in memory."""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class CacheCounts:
    """What a cache has seen so far, and what it holds now."""

    hits: int
    misses: int
    evictions: int
    entries: int
    size_bytes: int


class BoundedCache(Generic[Value]):
    """Keeps the most recently used values. Mutable; for one event loop, so nothing is locked.

    A value that alone is larger than *max_bytes* is not kept at all.
    """

    def __init__(self, *, max_entries: int, max_bytes: int) -> None:
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._entries: OrderedDict[Hashable, tuple[Value, int]] = OrderedDict()
        self._size_bytes = 0
        self._hits = self._misses = self._evictions = 0

    def get(self, key: Hashable) -> Value | None:
        """Return the value of *key* and mark it as used; None if it is not kept."""
        entry = self._entries.get(key)
        if entry is None:
            self._misses += 1
            return None
        self._hits += 1
        self._entries.move_to_end(key)
        return entry[0]

    def put(self, key: Hashable, value: Value, size_bytes: int) -> None:
        """Keep *value*, and forget the least recently used ones where there is no room."""
        previous = self._entries.pop(key, None)
        if previous is not None:
            self._size_bytes -= previous[1]
        if size_bytes > self._max_bytes:
            return
        self._entries[key] = (value, size_bytes)
        self._size_bytes += size_bytes
        while len(self._entries) > self._max_entries or self._size_bytes > self._max_bytes:
            _, (_, freed_bytes) = self._entries.popitem(last=False)
            self._size_bytes -= freed_bytes
            self._evictions += 1

    def counts(self) -> CacheCounts:
        """Return what the metrics page shows."""
        return CacheCounts(self._hits, self._misses, self._evictions, len(self._entries), self._size_bytes)
