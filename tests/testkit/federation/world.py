"""The one truth behind a federated graph in tests: every object and field value, whoever may know it."""

import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import GraphQLError

from router.supergraph.type_text import named_type


@dataclass(frozen=True, slots=True, eq=False)
class WorldObject:
    """An object: its concrete type and its raw field values. *label* is `Type:key`, empty for one without identity."""

    type_name: str
    fields: Mapping[str, Any]
    label: str = ""


@dataclass(frozen=True, slots=True)
class FieldFailure:
    """A field value that cannot be had: resolving it is an error with this message."""

    message: str


@dataclass(frozen=True, slots=True)
class LookUp:
    """A field value found by the arguments: the object of *type_name* whose fields equal them, else null."""

    type_name: str


@dataclass(slots=True)
class World:
    """All objects, read from plain data.

    *data* maps a type's name to its objects by key; root types map to their one object. In field values, "@Product:1"
    is that object, a dict with `__typename` is an object without identity, other dicts are JSON, FieldFailure an
    error, LookUp a search. A field of the subscription type is the list of its events. Arguments change values: see
    `value_of`. Mutable on purpose: *mutated* lists the mutation fields in the order in which they were carried out.
    """

    objects: dict[str, WorldObject] = field(default_factory=dict)
    roots: dict[str, WorldObject] = field(default_factory=dict)
    mutated: list[str] = field(default_factory=list)

    @staticmethod
    def read(
        data: Mapping[str, Mapping[str, Any]], roots: tuple[str, ...] = ("Query", "Mutation", "Subscription")
    ) -> "World":
        """Read a world from plain data."""
        world = World()
        for type_name, entries in data.items():
            if type_name in roots:
                world.roots[type_name] = WorldObject(type_name, entries)
                continue
            for key, fields in entries.items():
                label = f"{type_name}:{key}"
                world.objects[label] = WorldObject(type_name, fields, label)
        return world

    def root(self, type_name: str) -> WorldObject:
        """Return the root object of a root type."""
        return self.roots.get(type_name) or WorldObject(type_name, {})

    def events(self, type_name: str, field_name: str) -> Iterator[WorldObject]:
        """Yield a root object per event of a subscription: its field in the data is the list of them."""
        for event in self.root(type_name).fields.get(field_name) or ():
            yield WorldObject(type_name, {field_name: event})

    def of_types(self, type_names: frozenset[str]) -> Iterator[WorldObject]:
        """Yield the objects with identity of these types, in the order of the data."""
        return (each for each in self.objects.values() if each.type_name in type_names)

    def value_of(self, source: WorldObject, name: str, arguments: Mapping[str, Any], type_text: str) -> Any:
        """Return a field's value: objects, lists of them, or JSON; raise GraphQLError for a FieldFailure.

        `first` cuts a list. All other arguments leave their mark on text and integers, so that an argument that got
        lost or mixed up on its way shows in the answer.
        """
        raw = source.fields.get(name)
        if isinstance(raw, FieldFailure):
            raise GraphQLError(raw.message, extensions={"code": "FIELD_FAILED"})
        if isinstance(raw, LookUp):
            return self._look_up(raw.type_name, arguments)
        value = self._read(raw)
        given = dict(arguments)
        first = given.pop("first", None)
        if isinstance(value, list) and first is not None:
            value = value[:first]
        if any(each is not None for each in given.values()):
            value = _mark(value, json.dumps(given, sort_keys=True), named_type(type_text))
        return value

    def plain_value(self, source: WorldObject, name: str) -> Any:
        """Return a field's value without arguments; None for one that fails."""
        raw = source.fields.get(name)
        return None if isinstance(raw, FieldFailure) else self._read(raw)

    def _read(self, raw: Any) -> Any:
        match raw:
            case str() if raw.startswith("@"):
                return self.objects[raw[1:]]
            case list():
                return [self._read(item) for item in raw]
            case {"__typename": str(type_name)}:
                return WorldObject(type_name, raw)
        return raw

    def _look_up(self, type_name: str, arguments: Mapping[str, Any]) -> WorldObject | None:
        for each in self.objects.values():
            if each.type_name == type_name and all(each.fields.get(k) == v for k, v in arguments.items()):
                return each
        return None


def _mark(value: Any, text: str, type_name: str) -> Any:
    if isinstance(value, list):
        return [_mark(item, text, type_name) for item in value]
    match value:
        case str() if type_name == "String":
            return f"{value}{text}"
        case int() if type_name == "Int":
            return value + zlib.crc32(text.encode()) % 1000
    return value
