"""Merge types, kind by kind."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from graphql import StringValueNode

from router.composition.annotations import read_context_name
from router.composition.landscape import Landscape, Member
from router.composition.merge.directives import DirectiveMerger
from router.composition.merge.fields import context_id, merge_field, merge_input_value
from router.composition.merge.type_choice import choose_description
from router.composition.merged import (
    AppliedDirective,
    JoinField,
    JoinType,
    MergedComposite,
    MergedEnum,
    MergedEnumValue,
    MergedInput,
    MergedInputType,
    MergedScalar,
    MergedType,
    MergedUnion,
)
from router.composition.subgraph import (
    EnumType,
    InputType,
    InterfaceType,
    ObjectType,
    ScalarType,
    SubgraphType,
    UnionType,
    directives_named,
    has_directive,
)

Definitions = Sequence[tuple[Member, SubgraphType]]


def merge_type(landscape: Landscape, name: str, definitions: Definitions, merge_uses: DirectiveMerger) -> MergedType:
    """Merge all *definitions* of the type *name*, which are of one kind."""
    description = choose_description(definition.description for _, definition in definitions)
    directives = merge_uses([definition.directives for _, definition in definitions])
    joins = tuple(JoinType(member.graph) for member, _ in definitions)
    match definitions[0][1]:
        case ScalarType():
            return MergedScalar(name, description, directives, joins)
        case UnionType():
            members = [
                (member.graph, each)
                for member, definition in definitions
                if isinstance(definition, UnionType)
                for each in definition.members
            ]
            return MergedUnion(
                name,
                description,
                (*directives, *_merge_contexts(definitions)),
                joins,
                tuple(dict.fromkeys(each for _, each in members)),
                tuple(members),
            )
        case EnumType():
            values = _merge_enum_values(landscape, name, definitions, merge_uses)
            return MergedEnum(name, description, directives, joins, values)
        case InputType():
            return MergedInputType(
                name, description, directives, joins, _merge_input_fields(landscape, definitions, merge_uses)
            )
        case ObjectType() | InterfaceType():
            return _merge_composite(landscape, name, definitions, description, directives, merge_uses)


def _merge_enum_values(
    landscape: Landscape, name: str, definitions: Definitions, merge_uses: DirectiveMerger
) -> dict[str, MergedEnumValue]:
    """Merge the values: all of them, unless clients send the enum; then those that every subgraph understands."""
    enums = [(member, definition) for member, definition in definitions if isinstance(definition, EnumType)]
    only_common = name in landscape.used_as_input and name not in landscape.used_as_output
    merged: dict[str, MergedEnumValue] = {}
    for value_name in {value: None for _, definition in enums for value in definition.values}:
        values = [
            (member, definition.values[value_name]) for member, definition in enums if value_name in definition.values
        ]
        hidden = any(has_directive(value, "inaccessible") for _, value in values)
        if only_common and len(values) < len(enums) and not hidden:
            continue
        merged[value_name] = MergedEnumValue(
            value_name,
            choose_description(value.description for _, value in values),
            merge_uses([value.directives for _, value in values]),
            tuple(member.graph for member, _ in values),
        )
    return merged


def _merge_input_fields(
    landscape: Landscape, definitions: Definitions, merge_uses: DirectiveMerger
) -> dict[str, MergedInput]:
    """Merge the fields that every subgraph has: a client can send no other. A hidden field it cannot send anyway."""
    inputs = [(member, definition) for member, definition in definitions if isinstance(definition, InputType)]
    merged: dict[str, MergedInput] = {}
    for name in {field: None for _, definition in inputs for field in definition.fields}:
        values = [(member, definition.fields[name]) for member, definition in inputs if name in definition.fields]
        hidden = any(has_directive(value, "inaccessible") for _, value in values)
        if len(values) < len(inputs) and not hidden:
            continue
        types_differ = len({value.type for _, value in values}) > 1
        joins: tuple[JoinField, ...] = ()
        if types_differ or len(values) < len(inputs):
            joins = tuple(
                JoinField(member.graph, type=str(value.type) if types_differ else None) for member, value in values
            )
        merged[name] = replace(merge_input_value(landscape, [value for _, value in values], merge_uses), joins=joins)
    return merged


def _merge_composite(
    landscape: Landscape,
    name: str,
    definitions: Definitions,
    description: str | None,
    directives: tuple[AppliedDirective, ...],
    merge_uses: DirectiveMerger,
) -> MergedComposite:
    owners = [member for member, _ in definitions]
    composites = [
        (member, definition) for member, definition in definitions if isinstance(definition, ObjectType | InterfaceType)
    ]
    implements = tuple(
        (member.graph, interface) for member, definition in composites for interface in definition.interfaces
    )
    fields = {}
    for field_name, sources in landscape.field_sources(name).items():
        merged = merge_field(landscape, owners, sources, merge_uses)
        if merged is not None:
            fields[field_name] = merged
    return MergedComposite(
        name=name,
        is_interface=landscape.is_interface(name),
        description=description,
        directives=(*directives, *_merge_contexts(definitions)),
        joins=tuple(join for member, definition in composites for join in _join_types(member, definition)),
        interfaces=tuple(dict.fromkeys(interface for _, interface in implements)),
        implements=implements,
        fields=fields,
    )


def _join_types(member: Member, definition: ObjectType | InterfaceType) -> list[JoinType]:
    is_interface_object = definition.name in member.annotations.interface_objects
    extends = has_directive(definition, "extends")
    keys = member.annotations.keys.get(definition.name, ())
    if not keys:
        return [JoinType(member.graph, is_interface_object=is_interface_object)]
    return [
        JoinType(
            member.graph,
            key=key.text,
            extension=key.on_extension or extends,
            resolvable=None if key.resolvable else False,
            is_interface_object=is_interface_object,
        )
        for key in keys
    ]


def _merge_contexts(definitions: Definitions) -> tuple[AppliedDirective, ...]:
    """Keep `@context`, each under the name that tells whose context it is."""
    return tuple(
        AppliedDirective("context", {"name": StringValueNode(value=context_id(member, name), block=False)})
        for member, definition in definitions
        for use in directives_named(definition, "context")
        if (name := read_context_name(use)) is not None
    )


def add_interface_object_fields(landscape: Landscape, types: Mapping[str, MergedType]) -> dict[str, MergedType]:
    """Give each implementation the fields that interface objects add to its interface.

    Their `@join__field` names no graph: the router gets them through the interface.
    """
    completed = dict(types)
    for name, merged in types.items():
        if not isinstance(merged, MergedComposite) or merged.is_interface:
            continue
        missing = {}
        for interface_name in merged.interfaces:
            interface = types.get(interface_name)
            if not isinstance(interface, MergedComposite):
                continue
            objects = {
                member.graph
                for member, _ in landscape.types[interface_name]
                if interface_name in member.annotations.interface_objects
            }
            if not objects:
                continue
            for field in interface.fields.values():
                if field.name not in merged.fields and field.name not in missing and _comes_from(field.joins, objects):
                    missing[field.name] = replace(field, joins=(JoinField(graph=None),))
        if missing:
            completed[name] = replace(merged, fields={**merged.fields, **missing})
    return completed


def _comes_from(joins: tuple[JoinField, ...], graphs: set[str]) -> bool:
    return not joins or any(join.graph in graphs for join in joins)
