"""What a new API schema means for the clients of an old one: changes that break, that may surprise, that are safe."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from graphql import (
    GraphQLArgument,
    GraphQLDirective,
    GraphQLEnumType,
    GraphQLEnumValue,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    OperationType,
    is_introspection_type,
    is_specified_directive,
    is_specified_scalar_type,
)
from graphql.utilities.find_schema_changes import (
    BreakingChangeType,
    DangerousChangeType,
    SafeChangeType,
    find_schema_changes,
)

_Element: TypeAlias = (
    GraphQLNamedType | GraphQLField | GraphQLArgument | GraphQLInputField | GraphQLEnumValue | GraphQLDirective
)
# Told by the walk over schema coordinates below, which names the argument of a directive rightly and quotes nothing
_TOLD_HERE = frozenset({SafeChangeType.DESCRIPTION_CHANGED})


class Impact(StrEnum):
    """What a change does to clients: BREAKING fails operations, DANGEROUS may surprise code, SAFE does neither."""

    BREAKING = "BREAKING"
    DANGEROUS = "DANGEROUS"
    SAFE = "SAFE"


_ORDER = {impact: position for position, impact in enumerate(Impact)}


@dataclass(frozen=True, slots=True)
class Change:
    """One change: its *code* in the words of graphql-core, and a sentence."""

    impact: Impact
    code: str
    message: str


def find_changes(old: GraphQLSchema, new: GraphQLSchema) -> tuple[Change, ...]:
    """Return what differs from *old* to *new*, the worst first, then by code and message.

    graphql-core finds most of it. Added here is what clients also meet: roots that are another type, new
    implementations of an interface, `@oneOf`, deprecations, `@specifiedBy` and texts.
    """
    changes = [
        *_raw_changes(old, new),
        *_root_changes(old, new),
        *_implementation_changes(old, new),
        *_element_changes(old, new),
    ]
    return tuple(sorted(changes, key=lambda change: (_ORDER[change.impact], change.code, change.message)))


def has_worse_than(allowed: Impact, changes: Sequence[Change]) -> bool:
    """Tell whether a change is worse than what is *allowed*."""
    return any(_ORDER[change.impact] < _ORDER[allowed] for change in changes)


def _raw_changes(old: GraphQLSchema, new: GraphQLSchema) -> Iterator[Change]:
    unused = {
        f"Standard scalar {name} was removed because it is not referenced anymore."
        for name, type_ in old.type_map.items()
        if is_specified_scalar_type(type_)
    } | {f"{name} was added." for name, type_ in new.type_map.items() if is_specified_scalar_type(type_)}
    for change in find_schema_changes(old, new):
        # A standard scalar comes and goes with the fields that use it, which are told anyway
        if change.type in _TOLD_HERE or change.description in unused:
            continue
        match change.type:
            case BreakingChangeType():
                impact = Impact.BREAKING
            case DangerousChangeType():
                impact = Impact.DANGEROUS
            case SafeChangeType():
                impact = Impact.SAFE
        yield Change(impact, change.type.name, change.description)


def _root_changes(old: GraphQLSchema, new: GraphQLSchema) -> Iterator[Change]:
    for operation in OperationType:
        before, after = old.get_root_type(operation), new.get_root_type(operation)
        match before, after:
            case None, GraphQLObjectType():
                yield Change(Impact.SAFE, "ROOT_ADDED", f"{operation.value.capitalize()} operations became possible.")
            case GraphQLObjectType(), None:
                yield Change(
                    Impact.BREAKING,
                    "ROOT_REMOVED",
                    f"{operation.value.capitalize()} operations are no longer possible.",
                )
            case GraphQLObjectType(), GraphQLObjectType() if before.name != after.name:
                # Fragments name the type: `fragment Cart on Query`
                yield Change(
                    Impact.BREAKING,
                    "ROOT_TYPE_CHANGED",
                    f"The {operation.value} type changed from {before.name} to {after.name}.",
                )


def _implementation_changes(old: GraphQLSchema, new: GraphQLSchema) -> Iterator[Change]:
    # As dangerous as a new member of a union: a client that tells results apart by __typename meets an unknown name
    for name, type_ in new.type_map.items():
        if name not in old.type_map and isinstance(type_, GraphQLObjectType):
            for interface in type_.interfaces:
                if isinstance(old.type_map.get(interface.name), GraphQLInterfaceType):
                    yield Change(
                        Impact.DANGEROUS,
                        "IMPLEMENTATION_ADDED",
                        f"{name} was added, an implementation of {interface.name}.",
                    )


def _element_changes(old: GraphQLSchema, new: GraphQLSchema) -> Iterator[Change]:
    before = dict(_walk(old))
    for coordinate, element in _walk(new):
        former = before.get(coordinate)
        if former is None:
            continue
        if (former.description or "") != (element.description or ""):
            yield Change(Impact.SAFE, "DESCRIPTION_CHANGED", f"The description of {coordinate} changed.")
        yield from _deprecation_changes(coordinate, _deprecation(former), _deprecation(element))
        match former, element:
            case GraphQLInputObjectType(), GraphQLInputObjectType() if element.is_one_of and not former.is_one_of:
                yield Change(
                    Impact.BREAKING, "ONE_OF_ADDED", f"{coordinate} accepts only one of its fields now (@oneOf)."
                )
            case GraphQLInputObjectType(), GraphQLInputObjectType() if former.is_one_of and not element.is_one_of:
                yield Change(
                    Impact.SAFE, "ONE_OF_REMOVED", f"{coordinate} accepts several of its fields now (no @oneOf)."
                )
            case GraphQLScalarType(), GraphQLScalarType() if former.specified_by_url != element.specified_by_url:
                # What the scalar looks like may have changed with its specification
                yield Change(
                    Impact.DANGEROUS,
                    "SPECIFIED_BY_CHANGED",
                    f"{coordinate} is specified by {element.specified_by_url or 'nothing'} now,"
                    f" not by {former.specified_by_url or 'nothing'}.",
                )


def _deprecation_changes(coordinate: str, before: str | None, after: str | None) -> Iterator[Change]:
    if before == after:
        return
    if before is None:
        yield Change(Impact.SAFE, "DEPRECATED", f"{coordinate} was deprecated: {after}")
    elif after is None:
        yield Change(Impact.SAFE, "DEPRECATION_REMOVED", f"{coordinate} is no longer deprecated.")
    else:
        yield Change(
            Impact.SAFE, "DEPRECATION_REASON_CHANGED", f"{coordinate} is deprecated with another reason: {after}"
        )


def _deprecation(element: _Element) -> str | None:
    match element:
        case GraphQLField() | GraphQLArgument() | GraphQLInputField() | GraphQLEnumValue():
            reason = element.deprecation_reason
            return None if reason is None else " ".join(reason.split())
        case _:
            return None


def _walk(schema: GraphQLSchema) -> Iterator[tuple[str, _Element]]:
    """Yield every element by its schema coordinate (https://spec.graphql.org/September2025/#sec-Schema-Coordinates)."""
    for name, type_ in schema.type_map.items():
        if is_introspection_type(type_) or is_specified_scalar_type(type_):
            continue
        yield name, type_
        match type_:
            case GraphQLObjectType() | GraphQLInterfaceType():
                for field_name, field in type_.fields.items():
                    yield f"{name}.{field_name}", field
                    for argument_name, argument in field.args.items():
                        yield f"{name}.{field_name}({argument_name}:)", argument
            case GraphQLInputObjectType():
                for field_name, input_field in type_.fields.items():
                    yield f"{name}.{field_name}", input_field
            case GraphQLEnumType():
                for value_name, value in type_.values.items():
                    yield f"{name}.{value_name}", value
    for directive in schema.directives:
        if is_specified_directive(directive):
            continue
        yield f"@{directive.name}", directive
        for argument_name, argument in directive.args.items():
            yield f"@{directive.name}({argument_name}:)", argument
