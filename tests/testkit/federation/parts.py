"""Answers in parts put together again, as a client does.

https://github.com/graphql/graphql-spec/pull/1110
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from router.transports.json_values import copy_json

#: Where a deferred fragment stands, and its label.
Pending: TypeAlias = tuple[tuple[str | int, ...], str | None]


@dataclass(slots=True)
class Assembled:
    """All parts of one answer. Mutable: it grows part by part.

    *announced* counts fragments that were pending, *failed* those that could not be delivered.
    """

    first: Any
    data: Any
    errors: list[Any] = field(default_factory=list)
    announced: Counter[Pending] = field(default_factory=Counter)
    failed: Counter[Pending] = field(default_factory=Counter)


def assemble(parts: Sequence[Any]) -> Assembled:
    """Put the parts of an answer together; assert that they obey the format.

    Every fragment is announced before it is delivered, completed once, and delivered to an object that is there.
    """
    first, *later = parts
    whole = Assembled(copy_json(first["data"]), copy_json(first["data"]), list(first.get("errors", ())))
    pending: dict[str, Pending] = {}
    seen: set[str] = set()
    for part in parts:
        for one in part.get("pending", ()):
            assert one["id"] not in seen
            seen.add(one["id"])
            pending[one["id"]] = (tuple(one["path"]), one.get("label"))
            whole.announced[pending[one["id"]]] += 1
        for entry in part.get("incremental", ()):
            target = whole.data
            for element in (*pending[entry["id"]][0], *entry.get("subPath", ())):
                target = target[element]
            assert target.keys().isdisjoint(entry["data"])
            target.update(copy_json(entry["data"]))
            whole.errors += entry.get("errors", ())
        for one in part.get("completed", ()):
            done = pending.pop(one["id"])
            whole.errors += one.get("errors", ())
            if "errors" in one:
                whole.failed[done] += 1
        assert part.get("hasNext", False) is (part is not parts[-1])
    assert not pending
    assert all("data" not in part for part in later)
    return whole


_ABSENT: Any = object()


def agrees_with_one(data: Any, expected: Any, whole: Any) -> bool:
    """Tell whether everything in *data* is as in *expected* or in *whole*, and only missing where *whole* has a null.

    *whole* is the answer to the same operation without `@defer`.
    """
    if data is None or data is _ABSENT:
        return data is expected or whole is None
    if data in (expected, whole):
        return True
    if isinstance(data, dict):
        delivered = expected if isinstance(expected, dict) else {}
        known = whole if isinstance(whole, dict) else {}
        return all(
            agrees_with_one(data.get(key, _ABSENT), delivered.get(key, _ABSENT), known.get(key))
            for key in data.keys() | delivered.keys()
        )
    if isinstance(data, list):
        absent = [_ABSENT] * len(data)
        delivered_items = expected if isinstance(expected, list) else absent
        known_items = whole if isinstance(whole, list) else absent
        if not len(data) == len(delivered_items) == len(known_items):
            return False
        return all(map(agrees_with_one, data, delivered_items, known_items))
    return False
