"""Where in the client's response a subgraph's failure or error belongs."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

from router.executor.objects import JsonObject, locate_objects
from router.executor.prepared import (
    AnyPreparedFetch,
    PreparedEntityFetch,
    PreparedEntityPart,
    PreparedFetch,
    PreparedNestedFetch,
    PreparedResponse,
)
from router.executor.reports import FieldPath
from router.executor.representations import Representations
from router.planner.plan import ResponsePath

#: A selection of `_entities` in a request, and what it asks about.
Asked: TypeAlias = tuple[PreparedEntityPart, Representations]


class FailedPlaces:
    """Finds places in the response so far: *merged*, of which the client sees what *response* selects."""

    __slots__ = ("_merged", "_response")

    def __init__(self, response: PreparedResponse, merged: JsonObject) -> None:
        self._response = response
        self._merged = merged

    def of_request(self, node: AnyPreparedFetch, asked: Sequence[Asked] | None = None) -> list[FieldPath | None]:
        """Return where a failed request leaves nulls: its root fields, or the places of what each part *asked*."""
        match node:
            case PreparedFetch(root_keys=keys):
                return self.clip((key,) for key in keys)
            case PreparedNestedFetch(root_keys=keys):
                return self.clip((*place, key) for _, place in locate_objects(node.path, self._merged) for key in keys)
            case PreparedEntityFetch():
                # A part that is asked for several values has one place, and needs one error there
                objects: dict[tuple[ResponsePath, ...], list[list[JsonObject]]] = {}
                for part, each in asked or ():
                    objects.setdefault(part.paths, []).extend(each.objects)
                return self.clip(
                    [place for paths, askers in objects.items() for place in self._asked_at(paths, askers)]
                )

    def of_part(self, part: PreparedEntityPart, asked: Representations) -> list[FieldPath | None]:
        """Return where nulls are left when a part of a request fails."""
        return self.clip(self._asked_at(part.paths, asked.objects))

    def of_objects(self, part: PreparedEntityPart) -> dict[int, list[FieldPath]]:
        """Return where each object at the part's paths stands, by the object's id."""
        places: dict[int, list[FieldPath]] = {}
        for path in part.paths:
            for source, place in locate_objects(path, self._merged):
                places.setdefault(id(source), []).append(place)
        return places

    def clip(self, paths: Iterable[FieldPath]) -> list[FieldPath | None]:
        """Return the paths as far as the client selected them, each once; None stands for no place at all."""
        return list(dict.fromkeys(self._response.clip_path(path, self._merged) or None for path in paths)) or [None]

    def _asked_at(self, paths: tuple[ResponsePath, ...], objects: list[list[JsonObject]]) -> Iterator[FieldPath]:
        """Yield for each of *paths* the place that the *objects* asked about there have in common.

        One error for a thousand objects is enough, so it stands at the longest path that leads to all of them.
        """
        wanted = {id(source) for askers in objects for source in askers}
        for path in paths:
            places = [place for source, place in locate_objects(path, self._merged) if id(source) in wanted]
            if places:
                yield _common_prefix(places)


def read_error_path(error: Any) -> FieldPath | None:
    """Return the path of a subgraph's error, or None when it has none that could be one."""
    path = error.get("path") if isinstance(error, dict) else None
    if not isinstance(path, list) or not path:
        return None
    if not all(isinstance(element, str | int) and not isinstance(element, bool) for element in path):
        return None
    return tuple(path)


def _common_prefix(paths: list[FieldPath]) -> FieldPath:
    if not paths:
        return ()
    # the smallest and the greatest differ where any two do; keys and indexes never meet at one position
    first, last = min(paths, key=_comparable), max(paths, key=_comparable)
    length = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    return first[:length]


def _comparable(path: FieldPath) -> tuple[tuple[bool, str, int], ...]:
    return tuple((isinstance(e, int), e, 0) if isinstance(e, str) else (True, "", e) for e in path)
