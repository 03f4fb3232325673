"""A world of values made up from a supergraph alone, behind one schema and behind strict subgraphs.

Every field of every object has one value, worked out from the object's identity; so a plan is right exactly when the
subgraphs' answers, put together, equal the answer of one schema over the same world.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from graphql import (
    ExecutionResult,
    GraphQLEnumType,
    GraphQLError,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    execute,
    parse,
    validate,
)
from graphql.type import GraphQLInterfaceType, GraphQLOutputType

from router.supergraph import Supergraph
from router.supergraph.model import FieldInSubgraph, FieldSet, FieldSetField, FieldSetFragment, TypeKind
from router.supergraph.type_text import named_type
from tests.testkit.federation.contexts import Placed, fill_arguments, place

# How many entities of a type there are. Few, so that different paths meet the same one.
ENTITIES = 3


@dataclass(frozen=True, slots=True)
class Thing:
    """An object: its own type and its identity, which is a number for entities and its path for values."""

    type_name: str
    identity: str


@dataclass(frozen=True, slots=True)
class Held:
    """A thing as one subgraph holds it, with what the path provides and what its representation brought."""

    thing: Thing
    provided: FieldSet = ()
    representation: Mapping[str, Any] | None = None


def dice(*parts: object) -> int:
    """Return a number that depends on the parts only."""
    return int.from_bytes(hashlib.blake2b(repr(parts).encode(), digest_size=6).digest(), "big")


@dataclass
class World:
    """All values of a supergraph's world; *labels* are the active override labels."""

    supergraph: Supergraph
    labels: frozenset[str] = frozenset()
    _schemas: dict[str, GraphQLSchema] = field(default_factory=dict)

    # --- values ---

    @cached_property
    def entity_types(self) -> frozenset[str]:
        return frozenset(
            name
            for name, type_ in self.supergraph.types.items()
            if type_.kind is TypeKind.OBJECT
            and any(
                here.keys for one in (name, *type_.interfaces) for here in self.supergraph.types[one].subgraphs.values()
            )
        )

    def value(self, thing: Thing, name: str, arguments: Mapping[str, Any], required: object = None) -> Any:
        """Return a field's value; *required* is what the field is worked out from, None for the truth about it."""
        field_ = self.supergraph.types[thing.type_name].fields[name]
        if required is None:
            required = self.requirements_of(thing, name)
        # Null arguments and absent ones mean the same here, or defaults would have to be known.
        given = {key: value for key, value in sorted(arguments.items()) if value is not None}
        seed = (thing.type_name, thing.identity, name, json.dumps(given, sort_keys=True, default=str), required)
        # A subgraph that promises not to give null keeps its promise.
        texts = [field_.type, *(one.type for one in self._located(thing.type_name, name).values())]
        text = max(texts, key=lambda one: (one.count("!"), one))
        return self._make(text, self._concrete_types(thing.type_name, name), seed)

    def requirements_of(self, thing: Thing, name: str) -> str:
        """Return the truth about what a field requires in any subgraph, as text; empty for nothing."""
        for one in self._located(thing.type_name, name).values():
            if one.requires:
                return json.dumps(self.copy(thing, one.requires), sort_keys=True)
        return ""

    def copy(self, thing: Thing, selections: FieldSet) -> dict[str, Any]:
        """Return the true values of a field set."""
        copied: dict[str, Any] = {}
        for selection in selections:
            match selection:
                case FieldSetFragment(type_name, inner):
                    if thing.type_name in self._possible(type_name):
                        copied.update(self.copy(thing, inner))
                case FieldSetField(name, arguments, inner):
                    given = {key: _plain(text) for key, text in arguments}
                    given = self._with_defaults(thing.type_name, name, given)
                    copied[name] = self._copy_value(self.value(thing, name, given), inner)
        return copied

    def _copy_value(self, value: Any, inner: FieldSet) -> Any:
        if isinstance(value, list):
            return [self._copy_value(one, inner) for one in value]
        return self.copy(value, inner) if isinstance(value, Thing) else value

    def _with_defaults(self, type_name: str, name: str, given: dict[str, Any]) -> dict[str, Any]:
        for argument in self.supergraph.types[type_name].fields[name].arguments:
            if argument.default is not None and argument.name not in given:
                given[argument.name] = _plain(argument.default)
        return given

    def _located(self, type_name: str, name: str) -> dict[str, FieldInSubgraph]:
        """Return who resolves a field, interface objects included."""
        type_ = self.supergraph.types[type_name]
        located = dict(type_.fields[name].subgraphs)
        for interface in type_.interfaces:
            other = self.supergraph.types[interface]
            for here in other.subgraphs.values():
                known = other.fields[name].subgraphs.get(here.subgraph) if name in other.fields else None
                if here.is_interface_object and known:
                    located.setdefault(here.subgraph, known)
        return located

    def _possible(self, name: str) -> frozenset[str]:
        type_ = self.supergraph.types[name]
        if type_.kind is TypeKind.INTERFACE:
            return frozenset(
                one.name
                for one in self.supergraph.types.values()
                if name in one.interfaces and one.kind is TypeKind.OBJECT
            )
        return frozenset(type_.members) if type_.kind is TypeKind.UNION else frozenset({name})

    def _runtime(self, subgraph: str, name: str) -> frozenset[str]:
        type_ = self.supergraph.types[name]
        here = type_.subgraphs.get(subgraph)
        if here is None or here.is_interface_object or type_.kind is TypeKind.OBJECT:
            return self._possible(name)
        if type_.kind is TypeKind.UNION:
            return frozenset(here.members)
        return frozenset(
            one
            for one in self._possible(name)
            if subgraph in self.supergraph.types[one].subgraphs
            and name in self.supergraph.types[one].subgraphs[subgraph].interfaces
        )

    def _concrete_types(self, type_name: str, name: str) -> tuple[str, ...]:
        """Return the types that a field may give: those that all subgraphs that know the field can give."""
        possible = self._possible_of(named_type(self.supergraph.types[type_name].fields[name].type))
        for subgraph, one in self._located(type_name, name).items():
            possible &= self._runtime(subgraph, named_type(one.type)) if self._is_composite(one.type) else possible
        return tuple(sorted(name for name in possible if not self.supergraph.types[name].is_inaccessible))

    def _possible_of(self, name: str) -> frozenset[str]:
        return self._possible(name) if self._is_composite(name) else frozenset()

    def _is_composite(self, text: str) -> bool:
        type_ = self.supergraph.types.get(named_type(text))
        return type_ is not None and type_.kind in (TypeKind.OBJECT, TypeKind.INTERFACE, TypeKind.UNION)

    def _make(self, text: str, concrete: tuple[str, ...], seed: tuple[object, ...]) -> Any:
        number = dice(seed)
        if not text.endswith("!") and number % 11 == 0:
            return None
        text = text.rstrip("!") if not text.endswith("!") else text[:-1]
        if text.startswith("["):
            return [self._make(text[1:-1], concrete, (*seed, index)) for index in range(number % 3 + 1)]
        if self._is_composite(text):
            if not concrete:
                return None
            name = concrete[number % len(concrete)]
            if name in self.entity_types:
                return Thing(name, str(number % ENTITIES))
            if name == self.supergraph.query_type:
                return Thing(name, "root")
            return Thing(name, f"{number:x}")
        return self._make_leaf(text, number)

    def _make_leaf(self, name: str, number: int) -> Any:
        type_ = self.supergraph.types.get(name)
        if type_ is not None and type_.kind is TypeKind.ENUM:
            enum = self.supergraph.api_schema.type_map[name]
            assert isinstance(enum, GraphQLEnumType)
            return sorted(enum.values)[number % len(enum.values)]
        match name:
            case "Int":
                return number % 2_000_000_000
            case "Float":
                return float(number % 1_000_000) + 0.5
            case "Boolean":
                return number % 2 == 0
            case _:
                return f"{number:x}"

    # --- one schema ---

    def execute_whole(self, document: str, variables: Mapping[str, Any]) -> ExecutionResult:
        """Execute a client's operation over the whole world."""

        def value_of(placed: Placed[Thing], selected: FieldSetField) -> Any:
            thing = placed.source
            given = {key: _plain(text) for key, text in selected.arguments}
            given = self._with_defaults(thing.type_name, selected.name, given)
            filled = fill_arguments(self.supergraph, placed, selected.name, _type_of, value_of)
            return place(self.value(thing, selected.name, {**given, **filled}), placed, Thing)

        def resolve(source: Placed[Thing], info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
            filled = fill_arguments(self.supergraph, source, info.field_name, _type_of, value_of)
            return place(self.value(source.source, info.field_name, {**arguments, **filled}), source, Thing)

        root = parse(document).definitions[0]
        operation = getattr(root, "operation", None)
        assert operation is not None
        api = self.supergraph.api_schema
        root_type = api.get_root_type(operation)
        assert root_type is not None
        result = execute(
            api,
            parse(document),
            Placed(Thing(root_type.name, "root")),
            variable_values=dict(variables),
            field_resolver=resolve,
            type_resolver=lambda value, _info, _type: value.source.type_name,
        )
        assert isinstance(result, ExecutionResult)
        return result

    # --- subgraphs ---

    def schema_of(self, subgraph: str) -> GraphQLSchema:
        if subgraph not in self._schemas:
            self._schemas[subgraph] = self.supergraph.subgraph_schema(subgraph)
        return self._schemas[subgraph]

    def ask(self, subgraph: str, document: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Execute a request as a subgraph that refuses whatever it could not really answer."""
        schema = self.schema_of(subgraph)
        node = parse(document)
        problems = validate(schema, node)
        assert not problems, f"{subgraph} refuses {document}: {problems[0].message}"
        operation = getattr(node.definitions[0], "operation", None)
        assert operation is not None
        root_type = schema.get_root_type(operation)
        assert root_type is not None

        def resolve(source: Held, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
            if info.field_name == "_entities":
                return [self._find(subgraph, one) for one in arguments["representations"]]
            return self._resolve_in(subgraph, source, info.field_name, arguments)

        result = execute(
            schema,
            node,
            Held(Thing(root_type.name, "root")),
            variable_values=dict(variables),
            field_resolver=resolve,
            type_resolver=lambda value, _info, abstract: self._type_in(subgraph, value, abstract),
        )
        assert isinstance(result, ExecutionResult)
        assert not result.errors, f"{subgraph}: {document}: {result.errors[0]}"
        assert result.data is not None
        return result.data

    def _type_in(self, subgraph: str, held: Held, abstract: object) -> str:
        type_ = self.supergraph.types[held.thing.type_name]
        if subgraph in type_.subgraphs:
            return type_.name
        return next(
            interface
            for interface in type_.interfaces
            if (here := self.supergraph.types[interface].subgraphs.get(subgraph)) and here.is_interface_object
        )

    def _find(self, subgraph: str, representation: Mapping[str, Any]) -> Held | None:
        """Find the entity that a representation names, by one of the subgraph's own keys."""
        sent = representation["__typename"]
        here = self.supergraph.types[sent].subgraphs.get(subgraph)
        assert here is not None, f"{subgraph} does not know {sent}"
        for key in here.keys:
            for name in sorted(self._possible(sent)):
                for number in range(ENTITIES):
                    thing = Thing(name, str(number))
                    if _covers(representation, self.copy(thing, key.selections)):
                        return Held(thing, representation=representation)
        raise GraphQLError(f"{subgraph} has no key for {dict(representation)}")

    def _resolve_in(self, subgraph: str, held: Held, name: str, arguments: Mapping[str, Any]) -> Any:
        thing = held.thing
        located = self._located(thing.type_name, name).get(subgraph)
        assert located is not None, f"{subgraph} does not know {thing.type_name}.{name}"
        provided = _provided(held.provided, name, thing.type_name, self)
        is_key = self._is_in_key(subgraph, name)
        if provided is None and self._is_lost(located) and not is_key:
            raise GraphQLError(f"{subgraph} cannot resolve the external {thing.type_name}.{name}")
        required: object = None
        if located.requires:
            if held.representation is None:
                raise GraphQLError(f"{subgraph} needs a representation for {thing.type_name}.{name}")
            required = json.dumps(_pick(held.representation, located.requires, thing.type_name, self), sort_keys=True)
            assert required == self.requirements_of(thing, name), f"{subgraph} got {required} for {name}"
        lacking = [one.name for one in located.context_arguments if one.name not in arguments]
        assert not lacking, f"{subgraph} was asked for {thing.type_name}.{name} without {lacking}"
        value = self.value(thing, name, arguments, required)
        return _hold(value, (*located.provides, *(provided or ())))

    def _is_lost(self, located: FieldInSubgraph) -> bool:
        if located.override_label is not None:
            is_active = located.override_label in self.labels
            return located.is_external or (not is_active if located.override else is_active)
        return located.is_external or located.is_used_overridden

    def _is_in_key(self, subgraph: str, name: str) -> bool:
        return any(
            _mentions(key.selections, name)
            for type_ in self.supergraph.types.values()
            if subgraph in type_.subgraphs
            for key in type_.subgraphs[subgraph].keys
        )


def _type_of(thing: Thing) -> str:
    return thing.type_name


def _mentions(selections: FieldSet, name: str) -> bool:
    return any(
        (isinstance(one, FieldSetField) and one.name == name) or _mentions(one.selections, name) for one in selections
    )


def _hold(value: Any, provided: FieldSet) -> Any:
    if isinstance(value, list):
        return [_hold(one, provided) for one in value]
    return Held(value, provided) if isinstance(value, Thing) else value


def _provided(selections: FieldSet, name: str, type_name: str, world: World) -> FieldSet | None:
    found: list[FieldSet] = []
    for one in selections:
        match one:
            case FieldSetField(field_name, _, inner) if field_name == name:
                found.append(inner)
            case FieldSetFragment(condition, inner) if type_name in world._possible(condition):
                deeper = _provided(inner, name, type_name, world)
                if deeper is not None:
                    found.append(deeper)
            case _:
                pass
    return tuple(one for inner in found for one in inner) if found else None


def _pick(representation: Any, selections: FieldSet, type_name: str | None, world: World) -> Any:
    """Return the part of a representation that a field set names; a missing field is an error."""
    if isinstance(representation, list):
        return [_pick(one, selections, type_name, world) for one in representation]
    if representation is None or not selections:
        return representation
    picked: dict[str, Any] = {}
    for one in selections:
        match one:
            case FieldSetField(name, _, inner):
                if name not in representation:
                    raise GraphQLError(f"the representation lacks {name}: {representation}")
                picked[name] = _pick(representation[name], inner, None, world)
            case FieldSetFragment(_, inner):
                if "__typename" not in representation:
                    raise GraphQLError(f"the representation does not tell the type of {representation}")
                # Only what applies to the object's type has been copied.
                names = [part.name for part in inner if isinstance(part, FieldSetField)]
                if all(name in representation for name in names):
                    picked.update(_pick(representation, inner, None, world))
    return picked


def _covers(given: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict):
        return isinstance(given, Mapping) and all(
            key in given and _covers(given[key], value) for key, value in wanted.items()
        )
    if isinstance(wanted, list):
        return (
            isinstance(given, list)
            and len(given) == len(wanted)
            and all(_covers(one, other) for one, other in zip(given, wanted, strict=True))
        )
    return bool(given == wanted)


def _plain(text: str) -> Any:
    """Return a literal's value; enums as their names."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def is_composite(type_: GraphQLOutputType) -> bool:
    """Tell whether a type, lists and non-nulls apart, has fields."""
    while isinstance(type_, GraphQLList | GraphQLNonNull):
        type_ = type_.of_type
    return isinstance(type_, GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType) and not isinstance(
        type_, GraphQLScalarType
    )
