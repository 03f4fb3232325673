"""Merge the fields of objects and interfaces."""

from collections.abc import Sequence

from graphql import StringValueNode

from router.composition.annotations import read_fields_text, split_context_field
from router.composition.landscape import FieldSource, Landscape, Member
from router.composition.merge.directives import DirectiveMerger
from router.composition.merge.type_choice import (
    choose_default,
    choose_description,
    choose_input_type,
    choose_output_type,
)
from router.composition.merged import ContextArgument, JoinField, MergedField, MergedInput
from router.composition.subgraph import InputValue, directives_named
from router.composition.type_refs import nullable


def merge_field(
    landscape: Landscape, owners: Sequence[Member], declared: Sequence[FieldSource], merge_uses: DirectiveMerger
) -> MergedField | None:
    """Merge one field; *owners* are the subgraphs that define its type, *declared* those that declare the field.

    None when nothing is left of it (every subgraph that declares it was overridden).
    """
    sources = [source for source in declared if not source.is_taken_over or source.is_referenced]
    if not sources:
        return None
    # A subgraph that lost the field still declares what its own documents believe it to be.
    resolving = [source for source in declared if not source.is_external] or list(declared)
    chosen = choose_output_type([source.field.type for source in resolving], landscape.is_named_subtype)
    return MergedField(
        name=declared[0].field.name,
        type=chosen or resolving[0].field.type,
        arguments=merge_arguments(landscape, [source.field.arguments for source in resolving], merge_uses),
        description=choose_description(source.field.description for source in resolving),
        directives=merge_uses([source.field.directives for source in resolving]),
        joins=_join_fields(owners, sources, types_differ=len({source.field.type for source in declared}) > 1),
    )


def _join_fields(
    owners: Sequence[Member], sources: Sequence[FieldSource], *, types_differ: bool
) -> tuple[JoinField, ...]:
    """Say who resolves the field and how; nothing when every owner does, in the same plain way."""
    joins = tuple(_join_field(source, types_differ) for source in sources)
    return () if len(sources) == len(owners) and all(map(_is_plain, joins)) else joins


def _is_plain(join: JoinField) -> bool:
    """Tell whether *join* says no more than who. An override shows in the other subgraph."""
    return not (
        join.requires is not None
        or join.provides is not None
        or join.type is not None
        or join.external
        or join.used_overridden
        or join.override_label is not None
        or join.context_arguments
    )


def _join_field(source: FieldSource, types_differ: bool) -> JoinField:
    field, member = source.field, source.member
    label = source.override.label if source.override and source.override.is_active else None
    if source.overridden_by is not None and source.overridden_by.label is not None:
        label = source.overridden_by.label
    return JoinField(
        graph=member.graph,
        requires=_field_set_text(source, "requires"),
        provides=_field_set_text(source, "provides"),
        type=str(field.type) if types_differ else None,
        external=source.is_external,
        override=source.override.from_name if source.override else None,
        used_overridden=source.overridden_by is not None and source.is_referenced,
        override_label=label,
        context_arguments=tuple(
            context
            for argument in field.arguments.values()
            if (context := _context_argument(member, argument)) is not None
        ),
    )


def _field_set_text(source: FieldSource, directive: str) -> str | None:
    for use in directives_named(source.field, directive):
        return read_fields_text(use.arguments.get("fields"))
    return None


def _context_argument(member: Member, argument: InputValue) -> ContextArgument | None:
    for use in directives_named(argument, "fromContext"):
        value = use.arguments.get("field")
        if isinstance(value, StringValueNode):
            name, selection = split_context_field(value.value)
            if name is not None:
                return ContextArgument(context_id(member, name), argument.name, str(nullable(argument.type)), selection)
    return None


def context_id(member: Member, name: str) -> str:
    """Return the supergraph's name of a context: contexts of different subgraphs are different."""
    return f"{member.name}__{name}"


def merge_arguments(
    landscape: Landscape, declarations: Sequence[dict[str, InputValue] | object], merge_uses: DirectiveMerger
) -> dict[str, MergedInput]:
    """Merge arguments: those that every subgraph has, except the ones the router fills from a context."""
    tables = [table for table in declarations if isinstance(table, dict)]
    merged: dict[str, MergedInput] = {}
    for name in {name: None for table in tables for name in table}:
        values = [table[name] for table in tables if name in table]
        if len(values) < len(tables) or any(directives_named(value, "fromContext") for value in values):
            continue
        merged[name] = merge_input_value(landscape, values, merge_uses)
    return merged


def merge_input_value(landscape: Landscape, values: Sequence[InputValue], merge_uses: DirectiveMerger) -> MergedInput:
    """Merge one argument or input field that all of *values* declare."""
    chosen = choose_input_type([value.type for value in values], landscape.is_named_subtype)
    return MergedInput(
        name=values[0].name,
        type=chosen or values[0].type,
        default=choose_default([value.default for value in values]),
        description=choose_description(value.description for value in values),
        directives=merge_uses([value.directives for value in values]),
    )
