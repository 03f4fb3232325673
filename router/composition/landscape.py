"""All subgraphs side by side: who defines what, who overrides whom, which type is a subtype of which."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from graphql import StringValueNode

from router.composition.annotations import Annotations, Coordinate, annotate
from router.composition.model import SourceLocation
from router.composition.subgraph import (
    InputType,
    InterfaceType,
    ObjectType,
    OutputField,
    Subgraph,
    SubgraphType,
    UnionType,
    directives_named,
    find_part,
)
from router.composition.type_refs import named_type


@dataclass(frozen=True, slots=True)
class Member:
    """A subgraph taking part: *graph* is its id in the supergraph."""

    index: int
    graph: str
    subgraph: Subgraph
    annotations: Annotations

    @property
    def name(self) -> str:
        """Return the subgraph's own name."""
        return self.subgraph.name


@dataclass(frozen=True, slots=True)
class Override:
    """`@override` on *coordinate* in *by*.

    *source* is the subgraph it names, None when no such subgraph takes part. *is_active* tells whether it takes the
    field from there: the source must resolve the field, plainly, and not have taken it from a third subgraph itself.
    """

    coordinate: Coordinate
    by: Member
    from_name: str
    source: Member | None
    source_field: OutputField | None
    label: str | None
    is_active: bool
    at: SourceLocation


@dataclass(frozen=True, slots=True)
class FieldSource:
    """One subgraph's declaration of an output field.

    *overridden_by* is the override that takes the field from this subgraph (a labelled one takes it for some requests
    only).
    """

    member: Member
    type_name: str
    field: OutputField
    is_external: bool
    overridden_by: Override | None
    override: Override | None

    @property
    def is_taken_over(self) -> bool:
        """Tell whether this subgraph never resolves the field any more."""
        return self.overridden_by is not None and self.overridden_by.label is None

    @property
    def is_referenced(self) -> bool:
        """Tell whether the subgraph itself needs the field, in a field set or to implement an interface."""
        definition = self.member.subgraph.types[self.type_name]
        if (self.type_name, self.field.name) in self.member.annotations.referenced:
            return True
        if not isinstance(definition, ObjectType):
            return False
        return any(
            isinstance(interface := self.member.subgraph.types.get(name), InterfaceType)
            and self.field.name in interface.fields
            for name in definition.interfaces
        )


@dataclass(frozen=True, slots=True)
class Landscape:
    """The subgraphs in the order of their names, with the indexes that rules and merging share.

    *supertypes* maps an object or interface to the interfaces and unions it belongs to in any subgraph.
    *implementations* maps an interface or union to its object types in any subgraph.
    """

    members: tuple[Member, ...]
    types: Mapping[str, tuple[tuple[Member, SubgraphType], ...]]
    sources: Mapping[str, Mapping[str, tuple[FieldSource, ...]]]
    supertypes: Mapping[str, frozenset[str]]
    implementations: Mapping[str, frozenset[str]]
    overrides: Mapping[Coordinate, tuple[Override, ...]]
    used_as_input: frozenset[str]
    used_as_output: frozenset[str]

    def is_named_subtype(self, sub: str, of: str) -> bool:
        """Tell whether type *sub* implements, or is a member of, *of* in some subgraph."""
        return of in self.supertypes.get(sub, ())

    def is_interface(self, name: str) -> bool:
        """Tell whether *name* is an interface of the supergraph (interface objects count)."""
        return any(
            isinstance(definition, InterfaceType) or name in member.annotations.interface_objects
            for member, definition in self.types.get(name, ())
        )

    def without(self, names: frozenset[str]) -> "Landscape":
        """Return the landscape without the types *names*."""
        if not names:
            return self
        return replace(
            self,
            types={name: definitions for name, definitions in self.types.items() if name not in names},
            sources={name: sources for name, sources in self.sources.items() if name not in names},
        )

    def locate(
        self, type_name: str, part: str | None = None, argument: str | None = None
    ) -> tuple[SourceLocation, ...]:
        """Return where subgraphs declare a type, its field, input field or enum value *part*, or an argument of it.

        What no subgraph declares by itself (an implementation's field from an interface object) is where its owner is.
        """
        found = [member.subgraph.types[type_name] for member in self.members if type_name in member.subgraph.types]
        parts = [own for each in found if part is not None and (own := find_part(each, part)) is not None]
        arguments = [
            each.arguments[argument]
            for each in parts
            if argument is not None and isinstance(each, OutputField) and argument in each.arguments
        ]
        return tuple(each.at for each in arguments or parts or found)

    def composites(self) -> Iterator[tuple[str, tuple[tuple[Member, ObjectType | InterfaceType], ...]]]:
        """Yield each object and interface with its definitions."""
        for name, definitions in self.types.items():
            composite = tuple(
                (member, definition)
                for member, definition in definitions
                if isinstance(definition, ObjectType | InterfaceType)
            )
            if len(composite) == len(definitions):
                yield name, composite

    def field_sources(self, type_name: str) -> Mapping[str, tuple[FieldSource, ...]]:
        """Return every declaration of every field of *type_name*, in order of appearance."""
        return self.sources.get(type_name, {})


def survey(subgraphs: Sequence[Subgraph]) -> Landscape:
    """Put upgraded *subgraphs* side by side."""
    ordered = sorted(subgraphs, key=lambda subgraph: subgraph.name)
    ids = assign_graph_ids([subgraph.name for subgraph in ordered])
    members = tuple(
        Member(index, ids[subgraph.name], subgraph, annotate(subgraph)) for index, subgraph in enumerate(ordered)
    )
    types = _index_types(members)
    overrides = _collect_overrides(members)
    supertypes: dict[str, set[str]] = {}
    implementations: dict[str, set[str]] = {}
    for member in members:
        for name, objects in member.annotations.implementations.items():
            implementations.setdefault(name, set()).update(objects)
        for definition in member.subgraph.types.values():
            if isinstance(definition, ObjectType | InterfaceType):
                supertypes.setdefault(definition.name, set()).update(definition.interfaces)
            elif isinstance(definition, UnionType):
                for name in definition.members:
                    supertypes.setdefault(name, set()).add(definition.name)
    return Landscape(
        members=members,
        types=types,
        sources=_index_sources(types, overrides),
        supertypes={name: frozenset(found) for name, found in supertypes.items()},
        implementations={name: frozenset(found) for name, found in implementations.items()},
        overrides=overrides,
        used_as_input=frozenset(_input_type_names(members)),
        used_as_output=frozenset(_output_type_names(members)),
    )


def assign_graph_ids(names: Iterable[str]) -> dict[str, str]:
    """Turn subgraph names into distinct enum values: `order-items` is ORDER_ITEMS.

    Names that give the same value are numbered (`ORDER_ITEMS_1`, `ORDER_ITEMS_2`), and a value that could be taken
    for such a number gets a trailing underscore.
    """
    wanted: dict[str, list[str]] = {}
    for name in names:
        value = re.sub(r"[^A-Z0-9_]", "_", name.upper())
        if value[:1].isdigit():
            value = f"_{value}"
        if re.search(r"_\d+$", value):
            value = f"{value}_"
        wanted.setdefault(value, []).append(name)
    ids: dict[str, str] = {}
    for value, holders in wanted.items():
        for number, name in enumerate(holders, start=1):
            ids[name] = value if len(holders) == 1 else f"{value}_{number}"
    return ids


def _index_types(members: tuple[Member, ...]) -> dict[str, tuple[tuple[Member, SubgraphType], ...]]:
    found: dict[str, list[tuple[Member, SubgraphType]]] = {}
    for member in members:
        for definition in member.subgraph.types.values():
            found.setdefault(definition.name, []).append((member, definition))
    if "Query" in found:
        # Every subgraph has a Query to the router (`_service` at least), even where nothing of it is left.
        present = {member.index: definition for member, definition in found["Query"]}
        found["Query"] = [
            (
                member,
                present.get(member.index)
                or ObjectType("Query", (), {}, None, (), SourceLocation(member.subgraph.name, 1, 1)),
            )
            for member in members
        ]
    return {name: tuple(definitions) for name, definitions in sorted(found.items())}


def _index_sources(
    types: Mapping[str, tuple[tuple[Member, SubgraphType], ...]],
    overrides: Mapping[Coordinate, tuple[Override, ...]],
) -> dict[str, dict[str, tuple[FieldSource, ...]]]:
    indexed: dict[str, dict[str, tuple[FieldSource, ...]]] = {}
    for name, definitions in types.items():
        found: dict[str, list[FieldSource]] = {}
        for member, definition in definitions:
            if isinstance(definition, ObjectType | InterfaceType):
                for field in definition.fields.values():
                    own = overrides.get((name, field.name), ())
                    found.setdefault(field.name, []).append(_find_source(member, name, field, own))
        indexed[name] = {field: tuple(sources) for field, sources in found.items()}
    return indexed


def _find_source(member: Member, type_name: str, field: OutputField, overrides: tuple[Override, ...]) -> FieldSource:
    return FieldSource(
        member=member,
        type_name=type_name,
        field=field,
        is_external=(type_name, field.name) in member.annotations.external,
        overridden_by=next((each for each in overrides if each.is_active and each.source is member), None),
        override=next((each for each in overrides if each.by is member), None),
    )


def _collect_overrides(members: tuple[Member, ...]) -> dict[Coordinate, tuple[Override, ...]]:
    by_name = {member.name: member for member in members}
    found: dict[Coordinate, list[Override]] = {}
    for member in members:
        for definition in member.subgraph.types.values():
            if not isinstance(definition, ObjectType):
                continue
            for field in definition.fields.values():
                for use in directives_named(field, "override"):
                    from_name, label = use.arguments.get("from"), use.arguments.get("label")
                    if not isinstance(from_name, StringValueNode):
                        continue
                    coordinate = (definition.name, field.name)
                    source = by_name.get(from_name.value)
                    source_field = _find_field(source, coordinate)
                    found.setdefault(coordinate, []).append(
                        Override(
                            coordinate,
                            member,
                            from_name.value,
                            source,
                            source_field,
                            label.value if isinstance(label, StringValueNode) else None,
                            source is not None
                            and source_field is not None
                            and _can_lose(source, coordinate, source_field),
                            use.at,
                        )
                    )
    return {coordinate: tuple(overrides) for coordinate, overrides in found.items()}


def _find_field(member: Member | None, coordinate: Coordinate) -> OutputField | None:
    definition = member.subgraph.types.get(coordinate[0]) if member is not None else None
    return definition.fields.get(coordinate[1]) if isinstance(definition, ObjectType) else None


def _can_lose(source: Member, coordinate: Coordinate, field: OutputField) -> bool:
    is_plain = (
        coordinate not in source.annotations.external and coordinate[0] not in source.annotations.interface_objects
    )
    return is_plain and not any(directives_named(field, name) for name in ("requires", "provides", "override"))


def _input_type_names(members: tuple[Member, ...]) -> Iterator[str]:
    for member in members:
        for definition in member.subgraph.types.values():
            if isinstance(definition, InputType):
                yield from (named_type(value.type) for value in definition.fields.values())
            elif isinstance(definition, ObjectType | InterfaceType):
                for field in definition.fields.values():
                    yield from (named_type(argument.type) for argument in field.arguments.values())


def _output_type_names(members: tuple[Member, ...]) -> Iterator[str]:
    for member in members:
        for definition in member.subgraph.types.values():
            if isinstance(definition, ObjectType | InterfaceType):
                yield from (named_type(field.type) for field in definition.fields.values())
