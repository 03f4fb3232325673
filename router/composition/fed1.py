"""Upgrade Federation 1 subgraphs: say in Federation 2's terms what they mean.

Federation 1 had no `@shareable`, needed `@external` on the keys that an extension repeats, ignored directives on
interfaces, and forgave externals that nothing uses.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from graphql import StringValueNode

from router.composition.annotations import Annotations, Coordinate, annotate, read_fields_argument
from router.composition.field_sets import FieldSet, SelectedField, SelectedFragment, format_field_set, top_level_fields
from router.composition.report import Report
from router.composition.subgraph import (
    DirectiveUse,
    Family,
    InterfaceType,
    ObjectType,
    OutputField,
    Subgraph,
    SubgraphType,
    directives_named,
    has_directive,
)
from router.composition.type_refs import named_type


@dataclass(frozen=True, slots=True)
class _Peers:
    """What other subgraphs know of the types and fields of the subgraph that is upgraded.

    *types* are those they define too, *resolved* the fields they resolve too, *first_keys* their first key of a type.
    """

    types: frozenset[str]
    resolved: frozenset[Coordinate]
    first_keys: Mapping[str, FieldSet]


def upgrade(subgraphs: Sequence[Subgraph], report: Report) -> tuple[Subgraph, ...]:
    """Return *subgraphs* with each Federation 1 subgraph upgraded; the others are returned as they are."""
    if not any(subgraph.is_federation_1 for subgraph in subgraphs):
        return tuple(subgraphs)
    annotated = [(subgraph, annotate(subgraph)) for subgraph in subgraphs]
    owners: dict[str, int] = {}
    resolvers: dict[Coordinate, int] = {}
    keys: dict[str, list[tuple[int, FieldSet]]] = {}
    for index, (subgraph, annotations) in enumerate(annotated):
        for name in subgraph.types:
            owners[name] = owners.get(name, 0) + 1
        for coordinate in _resolved(subgraph, annotations):
            resolvers[coordinate] = resolvers.get(coordinate, 0) + 1
        for name, found in annotations.keys.items():
            if isinstance(subgraph.types[name], ObjectType):
                keys.setdefault(name, []).append((index, found[0].selections))
    upgraded = []
    for index, (subgraph, annotations) in enumerate(annotated):
        if not subgraph.is_federation_1:
            upgraded.append(subgraph)
            continue
        own = frozenset(_resolved(subgraph, annotations))
        peers = _Peers(
            types=frozenset(name for name in subgraph.types if owners[name] > 1),
            resolved=frozenset(
                (definition.name, field)
                for definition in subgraph.types.values()
                if isinstance(definition, ObjectType)
                for field in definition.fields
                if resolvers.get((definition.name, field), 0) > ((definition.name, field) in own)
            ),
            first_keys={
                name: key
                for name in subgraph.types
                for key in [next((key for holder, key in keys.get(name, ()) if holder != index), None)]
                if key is not None
            },
        )
        upgraded.append(_upgrade_subgraph(subgraph, annotations, peers, report))
    return tuple(upgraded)


def _resolved(subgraph: Subgraph, annotations: Annotations) -> Iterator[Coordinate]:
    """Yield the fields that a subgraph resolves, at least on paths that provide them."""
    for definition in subgraph.types.values():
        if isinstance(definition, ObjectType):
            for field in definition.fields:
                coordinate = (definition.name, field)
                if coordinate not in annotations.external or coordinate in annotations.provided:
                    yield coordinate


def _upgrade_subgraph(subgraph: Subgraph, annotations: Annotations, peers: _Peers, report: Report) -> Subgraph:
    types: dict[str, SubgraphType] = {}
    for definition in subgraph.types.values():
        match definition:
            case InterfaceType():
                types[definition.name] = _plain_interface(definition)
            case ObjectType():
                types[definition.name] = _object_with_active_directives(
                    subgraph, definition, annotations, _borrowed_key_fields(definition, annotations, peers)
                )
            case _:
                types[definition.name] = definition
    ignored = tuple(name for name in annotations.keys if isinstance(subgraph.types[name], InterfaceType))
    upgraded = _without_unused_externals(replace(subgraph, types=types, ignored_interface_keys=ignored), report)
    return _with_shareable(upgraded, annotate(upgraded), peers)


def _plain_interface(definition: InterfaceType) -> InterfaceType:
    """Drop what Federation 1 ignored on interfaces."""
    ignored = {"key", "external", "requires", "provides"}

    def kept(uses: tuple[DirectiveUse, ...]) -> tuple[DirectiveUse, ...]:
        return tuple(use for use in uses if use.family is not Family.FEDERATION or use.name not in ignored)

    return replace(
        definition,
        directives=kept(definition.directives),
        fields={field.name: replace(field, directives=kept(field.directives)) for field in definition.fields.values()},
    )


def _borrowed_key_fields(definition: ObjectType, annotations: Annotations, peers: _Peers) -> frozenset[str]:
    """Return the fields by which an extension without a key of its own refers to the entity.

    They are those of the first key that another subgraph gives the entity, and the extension does know them.
    """
    is_extension = not definition.has_base or has_directive(definition, "extends")
    key = peers.first_keys.get(definition.name)
    if key is None or not is_extension or definition.name in annotations.keys:
        return frozenset()
    return frozenset(field.name for field in top_level_fields(key))


def _object_with_active_directives(
    subgraph: Subgraph, definition: ObjectType, annotations: Annotations, borrowed: frozenset[str]
) -> ObjectType:
    """Drop `@external` from the keys of an extension and keep, of field sets, the part that is external."""
    fields = {}
    for field in definition.fields.values():
        directives = []
        for use in field.directives:
            if use.family is Family.FEDERATION:
                if use.name == "external" and field.name in borrowed:
                    directives.append(replace(use, name="shareable", written="shareable"))
                    continue
                if use.name == "external" and (definition.name, field.name) not in annotations.external:
                    continue
                is_external = (definition.name, field.name) in annotations.external and field.name not in borrowed
                if use.name == "tag" and is_external:
                    continue
                if use.name in {"requires", "provides"}:
                    target = definition.name if use.name == "requires" else named_type(field.type)
                    if use.name == "provides" and not isinstance(
                        subgraph.types.get(target), ObjectType | InterfaceType
                    ):
                        continue
                    active = _active_directive(subgraph, target, use, annotations)
                    if active is not None:
                        directives.append(active)
                    continue
            directives.append(use)
        fields[field.name] = replace(field, directives=tuple(directives))
    return replace(
        definition,
        fields=fields,
        directives=tuple(
            replace(use, on_extension=False)
            for use in definition.directives
            if use.family is not Family.FEDERATION or use.name != "external"
        ),
    )


def _active_directive(
    subgraph: Subgraph, target: str, use: DirectiveUse, annotations: Annotations
) -> DirectiveUse | None:
    """Return *use* without the fields the subgraph resolves anyway, or None when nothing else is left."""
    selections = read_fields_argument(use)
    if selections is None:
        return use  # a rule will report it
    active = _keep_external(subgraph, target, selections, annotations)
    if active == selections:
        return use
    if not active:
        return None
    return replace(use, arguments={**use.arguments, "fields": StringValueNode(value=format_field_set(active))})


def _keep_external(subgraph: Subgraph, type_name: str, selections: FieldSet, annotations: Annotations) -> FieldSet:
    kept: list[SelectedField | SelectedFragment] = []
    definition = subgraph.types.get(type_name)
    for selection in selections:
        match selection:
            case SelectedFragment():
                nested = _keep_external(
                    subgraph, selection.type_condition or type_name, selection.selections, annotations
                )
                if nested:
                    kept.append(replace(selection, selections=nested))
            case SelectedField():
                field = (
                    definition.fields.get(selection.name)
                    if isinstance(definition, ObjectType | InterfaceType)
                    else None
                )
                if field is None or _is_external_somewhere(type_name, field, annotations):
                    kept.append(selection)
                elif selection.selections:
                    nested = _keep_external(subgraph, named_type(field.type), selection.selections, annotations)
                    if nested:
                        kept.append(replace(selection, selections=nested))
    return tuple(kept)


def _is_external_somewhere(type_name: str, field: OutputField, annotations: Annotations) -> bool:
    """Tell whether *field* is external, on an interface: external in any implementation."""
    return (type_name, field.name) in annotations.external or any(
        (implementation, field.name) in annotations.external
        for implementation in annotations.implementations.get(type_name, ())
    )


def _without_unused_externals(subgraph: Subgraph, report: Report) -> Subgraph:
    annotations = annotate(subgraph)
    types: dict[str, SubgraphType] = {}
    removed: set[str] = set()
    for definition in subgraph.types.values():
        if not isinstance(definition, ObjectType):
            types[definition.name] = definition
            continue
        needed = _interface_fields(subgraph, definition)
        fields = {
            field.name: field
            for field in definition.fields.values()
            if (definition.name, field.name) not in annotations.external
            or (definition.name, field.name) in annotations.referenced
            or field.name in needed
        }
        if not fields and definition.fields:
            removed.add(definition.name)
            if _is_referenced(subgraph, definition.name):
                report.error(
                    "TYPE_WITH_ONLY_UNUSED_EXTERNAL",
                    f"[{subgraph.name}] Type {definition.name!r} has only @external fields, and nothing uses them.",
                    definition.at,
                )
        else:
            types[definition.name] = replace(definition, fields=fields)
    return replace(subgraph, types=types)


def _is_referenced(subgraph: Subgraph, name: str) -> bool:
    return any(
        named_type(field.type) == name
        for definition in subgraph.types.values()
        if isinstance(definition, ObjectType | InterfaceType) and definition.name != name
        for field in definition.fields.values()
    )


def _interface_fields(subgraph: Subgraph, definition: ObjectType) -> frozenset[str]:
    names: set[str] = set()
    for interface in definition.interfaces:
        declared = subgraph.types.get(interface)
        if isinstance(declared, InterfaceType):
            names.update(declared.fields)
    return frozenset(names)


def _with_shareable(subgraph: Subgraph, annotations: Annotations, peers: _Peers) -> Subgraph:
    """Mark what Federation 1 allowed several subgraphs to resolve.

    1. A value type (neither root nor entity) that another subgraph defines too: all of its fields.
    2. A field of an entity or a root type, not a key, that another subgraph resolves too: this field.
    """
    types: dict[str, SubgraphType] = {}
    for definition in subgraph.types.values():
        if not isinstance(definition, ObjectType) or definition.name == "Subscription":
            types[definition.name] = definition
            continue
        is_root = definition.name in {"Query", "Mutation"}
        is_entity = definition.name in annotations.keys
        if not is_root and not is_entity:
            shared = frozenset(definition.fields) if definition.name in peers.types else frozenset()
        else:
            shared = frozenset(
                field
                for field in definition.fields
                if (definition.name, field) in peers.resolved and (definition.name, field) not in annotations.in_keys
            )
        types[definition.name] = replace(
            definition, fields=dict(_share(definition.fields, shared, annotations, definition.name))
        )
    return replace(subgraph, types=types)


def _share(
    fields: Mapping[str, OutputField], shared: frozenset[str], annotations: Annotations, type_name: str
) -> Iterator[tuple[str, OutputField]]:
    for name, field in fields.items():
        if name not in shared or (type_name, name) in annotations.external or directives_named(field, "shareable"):
            yield name, field
            continue
        mark = DirectiveUse("shareable", "shareable", Family.FEDERATION, {}, field.at)
        yield name, replace(field, directives=(*field.directives, mark))
