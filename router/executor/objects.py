"""Finding objects in the response so far, and putting fetched fields into them."""

from collections.abc import Callable, Iterator
from typing import Any

from router.executor.reports import FieldPath
from router.planner.plan import KeyElement, ListElement, ResponsePath, TypeElement
from router.transports.json_values import copy_json

JsonObject = dict[str, Any]
CollectObjects = Callable[[JsonObject], list[JsonObject]]
_Step = Callable[[list[Any]], list[Any]]


def compile_collect(path: ResponsePath) -> CollectObjects:
    """Return a function that collects the objects at *path*, in the order of the response; nulls are passed over.

    One dict can stand at several places (see `merge_entity`). It may be collected once for each of them.
    """
    steps: list[_Step] = []
    for element in path:
        match element:
            case KeyElement(response_key=key):
                steps.append(_step_into_key(key))
            case ListElement():
                steps.append(_step_into_lists)
            case TypeElement(type_names=names):
                steps.append(_stay_on_types(frozenset(names)))
    compiled = tuple(steps)

    def collect_objects(root: JsonObject) -> list[JsonObject]:
        found: list[Any] = [root]
        try:
            for step in compiled:
                found = step(found)
        except (AttributeError, TypeError):
            # a subgraph sent something else than the schema says: pick the objects one by one
            return [found_object for found_object, _ in locate_objects(path, root)]
        for value in found:
            if value.__class__ is not dict:
                return [found_object for found_object, _ in locate_objects(path, root)]
        return found

    return collect_objects


def compile_collect_all(paths: tuple[ResponsePath, ...]) -> CollectObjects:
    """Return a function that collects the objects at all *paths*, path by path."""
    collectors = tuple(map(compile_collect, paths))
    if len(collectors) == 1:
        return collectors[0]

    def collect_all(root: JsonObject) -> list[JsonObject]:
        found: list[JsonObject] = []
        for collect_objects in collectors:
            found += collect_objects(root)
        return found

    return collect_all


def _step_into_key(key: str) -> _Step:
    def step(found: list[Any]) -> list[Any]:
        return [value for source in found if (value := source.get(key)) is not None]

    return step


def _step_into_lists(found: list[Any]) -> list[Any]:
    items = [value for values in found for value in values if value is not None]
    # one dict that stands at many places is followed once from here on
    items = list({id(value): value for value in items}.values())
    for value in items:
        if value.__class__ is list:
            return [
                each for value in items for each in (_step_into_lists([value]) if value.__class__ is list else [value])
            ]
    return items


def _stay_on_types(names: frozenset[str]) -> _Step:
    def step(found: list[Any]) -> list[Any]:
        return [source for source in found if source.get("__typename") in names]

    return step


def locate_objects(path: ResponsePath, root: JsonObject) -> Iterator[tuple[JsonObject, FieldPath]]:
    """Yield each object at *path* with its place in the response, once per place."""

    def locate(value: Any, position: int, place: FieldPath) -> Iterator[tuple[JsonObject, FieldPath]]:
        if position == len(path):
            if isinstance(value, dict):
                yield value, place
            return
        match path[position]:
            case KeyElement(response_key=key):
                if isinstance(value, dict):
                    yield from locate(value.get(key), position + 1, (*place, key))
            case ListElement():
                if isinstance(value, list):
                    for index, item in enumerate(value):
                        # a list in a list is stepped into by the same element
                        inner = position if isinstance(item, list) else position + 1
                        yield from locate(item, inner, (*place, index))
            case TypeElement(type_names=names):
                if isinstance(value, dict) and value.get("__typename") in names:
                    yield from locate(value, position + 1, place)

    yield from locate(root, 0, ())


class Merger:
    """Puts answers into the response so far.

    *concrete_types* are the object types that clients know: an object keeps such a name once it has it. Before, it
    may carry an interface's (it was reached through an interface object).
    """

    def __init__(self, concrete_types: frozenset[str]) -> None:
        self._concrete_types = concrete_types

    def merge(self, target: JsonObject, source: JsonObject) -> None:
        """Put the fields of *source* into *target*, which may keep parts of *source* as they are."""
        if target.keys().isdisjoint(source):
            target.update(source)
            return
        for key, value in source.items():
            present = target.get(key)
            if present is None:
                target[key] = value
            elif key == "__typename":
                if value in self._concrete_types or present not in self._concrete_types:
                    target[key] = value
            elif present.__class__ is dict:
                if value.__class__ is dict and value is not present:
                    self.merge(present, value)
            elif present.__class__ is list and value.__class__ is list:
                self._merge_lists(present, value)

    def merge_entity(self, targets: list[JsonObject], entity: JsonObject, *, may_share: bool) -> None:
        """Put *entity* into each of *targets*, the objects it was asked for.

        With *may_share* its nested objects become parts of all of them at once. Otherwise every target but the first
        gets its own copy: a later request may be about one of them only.
        """
        if not may_share:
            for target in targets[1:]:
                self.merge(target, copy_json(entity))
            targets = targets[:1]
        for target in targets:
            if target.keys().isdisjoint(entity):  # as in `merge`; a call less for what is nearly always so
                target.update(entity)
            else:
                self.merge(target, entity)

    def _merge_lists(self, target: list[Any], source: list[Any]) -> None:
        for index, (present, value) in enumerate(zip(target, source, strict=False)):
            if present is None:
                target[index] = value
            elif present.__class__ is dict and value.__class__ is dict:
                self.merge(present, value)
            elif present.__class__ is list and value.__class__ is list:
                self._merge_lists(present, value)
