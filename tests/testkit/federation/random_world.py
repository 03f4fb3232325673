"""A world for any supergraph, made up from its types: deterministic for a given source of randomness."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from graphql import TypeNode, parse_type
from graphql.language import ListTypeNode, NamedTypeNode, NonNullTypeNode

from router.supergraph import Supergraph
from router.supergraph.model import ContextArgument, Field, FieldSet, FieldSetField, Type, TypeKind
from tests.testkit.federation.contexts import fields_on, sets_context
from tests.testkit.federation.world import FieldFailure, World, WorldObject

#: Objects of each type: enough for equal and different references to meet in one list.
OBJECTS_PER_TYPE = 3

#: Events of each subscription.
EVENTS = 3


def random_world(
    supergraph: Supergraph, random: Random, *, null_chance: float = 0.2, failure_chance: float = 0.0
) -> World:
    """Make up every object and field of *supergraph*.

    Keys are never null and differ between objects; what a key or a requirement mentions never fails: subgraphs must be
    able to rely on it, or the answers of router and monolith would rightly differ. So they would where a non-null field
    of an interface object failed: its subgraph is asked for it before anybody knows which objects the client wants it
    of, and would take the others along. Nor is anything null that one of its subgraphs calls non-null.
    """
    return _Inventing(supergraph, random, null_chance, failure_chance).invent()


@dataclass(frozen=True, slots=True)
class _Site:
    """The field that a value is made up for, of the object of *type_name* with this ordinal."""

    type_name: str
    name: str
    ordinal: int
    may_be_null: bool
    is_key: bool


class _Inventing:
    def __init__(self, supergraph: Supergraph, random: Random, null_chance: float, failure_chance: float) -> None:
        self._supergraph = supergraph
        self._random = random
        self._null_chance = null_chance
        self._failure_chance = failure_chance
        self._world = World()
        self._first_key: dict[str, int] = {}
        self._roots = {
            name
            for name in (supergraph.query_type, supergraph.mutation_type, supergraph.subscription_type)
            if name is not None
        }
        self._relied_on = {
            pair
            for type_ in supergraph.types.values()
            for here in type_.subgraphs.values()
            for key in here.keys
            for pair in self._mentioned(type_.name, key.selections)
        }
        self._in_keys = frozenset(self._relied_on)
        for type_ in supergraph.types.values():
            for each in type_.fields.values():
                for field_here in each.subgraphs.values():
                    self._relied_on |= set(self._mentioned(type_.name, field_here.requires))
                    for argument in field_here.context_arguments:
                        self._relied_on |= set(self._selected_of_setters(argument))
            self._relied_on |= set(self._asked_of_all(type_))

    def _asked_of_all(self, type_: Type) -> Iterator[tuple[str, str]]:
        """Yield (type, field) of the non-null fields that *type_* has as an interface object."""
        as_object = {name for name, here in type_.subgraphs.items() if here.is_interface_object}
        for field in type_.fields.values():
            if field.type.endswith("!") and as_object & field.subgraphs.keys():
                for other in self._supergraph.types.values():
                    if type_.name in other.interfaces:
                        yield other.name, field.name

    def invent(self) -> World:
        objects = [type_ for type_ in self._supergraph.types.values() if type_.kind is TypeKind.OBJECT]
        fields: dict[str, dict[str, Any]] = {}
        for position, type_ in enumerate(sorted(objects, key=lambda each: each.name)):
            # keys differ between types too: an interface object is found by its key alone
            self._first_key[type_.name] = position * 10
            if type_.name in self._roots:
                fields[type_.name] = {}
                self._world.roots[type_.name] = WorldObject(type_.name, fields[type_.name])
                continue
            for ordinal in range(1, OBJECTS_PER_TYPE + 1):
                label = f"{type_.name}:{ordinal}"
                fields[label] = {}
                self._world.objects[label] = WorldObject(type_.name, fields[label], label)
        for label, values in fields.items():
            type_name, _, number = label.partition(":")
            type_ = self._supergraph.types[type_name]
            for each in type_.fields.values():
                if type_name == self._supergraph.subscription_type:
                    values[each.name] = [self._invent_field(type_, each, 1) for _ in range(EVENTS)]
                else:
                    values[each.name] = self._invent_field(type_, each, int(number or 1))
        return self._world

    def _invent_field(self, type_: Type, field: Field, ordinal: int) -> Any:
        pair = (type_.name, field.name)
        texts = {here.type for here in field.subgraphs.values()} | {field.type}
        # where subgraphs disagree about nulls, only a value is right for all
        may_be_null = len(texts) == 1 and pair not in self._in_keys
        if may_be_null and pair not in self._relied_on and self._random.random() < self._failure_chance:
            return FieldFailure(f"{type_.name}.{field.name} failed")
        site = _Site(type_.name, field.name, ordinal, may_be_null, pair in self._in_keys)
        return self._invent_value(parse_type(field.type), site)

    def _invent_value(self, node: TypeNode, site: "_Site") -> Any:
        if isinstance(node, NonNullTypeNode):
            return self._invent_present(node.type, site)
        if site.may_be_null and self._random.random() < self._null_chance:
            return None
        return self._invent_present(node, site)

    def _invent_present(self, node: TypeNode, site: "_Site") -> Any:
        match node:
            case ListTypeNode(type=inner):
                return [self._invent_value(inner, site) for _ in range(self._random.randrange(4))]
            case NamedTypeNode(name=named):
                return self._invent_named(named.value, site)
        raise AssertionError(node)

    def _invent_named(self, type_name: str, site: "_Site") -> Any:
        key = self._first_key.get(site.type_name, 0) + site.ordinal
        match type_name:
            case "ID":
                return str(key)
            case "String":
                return f"{site.name} {key}" if site.is_key else f"{site.name} {self._random.randrange(5)}"
            case "Int":
                return key if site.is_key else self._random.randrange(100)
            case "Float":
                return self._random.randrange(100) + 0.5
            case "Boolean":
                return self._random.random() < 0.5
        type_ = self._supergraph.types[type_name]
        # what a key leads through is as different as the key must be
        ordinal = site.ordinal if site.is_key else self._random.randint(1, OBJECTS_PER_TYPE)
        match type_.kind:
            case TypeKind.SCALAR:
                return {"json": self._random.randrange(100)}
            case TypeKind.ENUM:
                known = (set(here.values) for here in type_.subgraphs.values())
                return self._random.choice(sorted(set.intersection(*known)))
            case TypeKind.OBJECT:
                return f"@{type_name}:{ordinal}"
        possible = self._concrete_types(type_)
        return f"@{self._random.choice(possible)}:{ordinal}" if possible else None

    def _concrete_types(self, type_: Type) -> list[str]:
        """Return the types that every subgraph with *type_* can return for it, sorted."""
        possible: set[str] | None = None
        for subgraph, here in type_.subgraphs.items():
            if here.is_interface_object:
                continue
            known = (
                set(here.members)
                if type_.kind is TypeKind.UNION
                else {
                    each.name
                    for each in self._supergraph.types.values()
                    if each.kind is TypeKind.OBJECT
                    and subgraph in each.subgraphs
                    and type_.name in each.subgraphs[subgraph].interfaces
                }
            )
            possible = known if possible is None else possible & known
        return sorted(possible or ())

    def _selected_of_setters(self, argument: ContextArgument) -> Iterator[tuple[str, str]]:
        """Yield the fields that an argument may come from, of all types that set its context."""
        for name, type_ in self._supergraph.types.items():
            if type_.kind is TypeKind.OBJECT and sets_context(self._supergraph, name, argument.context):
                yield from self._mentioned(name, tuple(fields_on(self._supergraph, name, argument.selections)))

    def _mentioned(self, type_name: str, selections: FieldSet) -> list[tuple[str, str]]:
        """Return the fields that a field set mentions, as (type, field), for all types they may belong to."""
        found: list[tuple[str, str]] = []
        for each in selections:
            if not isinstance(each, FieldSetField):
                found.extend(self._mentioned(each.type_name, each.selections))
                continue
            owners = [
                type_name,
                *(name for name, type_ in self._supergraph.types.items() if type_name in type_.interfaces),
            ]
            for owner in owners:
                field = self._supergraph.types[owner].fields.get(each.name)
                if field is not None:
                    found.append((owner, each.name))
                    if each.selections:
                        found.extend(self._mentioned(_named(parse_type(field.type)), each.selections))
        return found


def _named(node: TypeNode) -> str:
    match node:
        case ListTypeNode(type=inner) | NonNullTypeNode(type=inner):
            return _named(inner)
        case NamedTypeNode(name=named):
            return named.value
    raise AssertionError(node)
