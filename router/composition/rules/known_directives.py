"""Directives exist, stand where they may, as often as they may, with the arguments they take.

https://spec.graphql.org/draft/#sec-Validation.Directives
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from graphql import BooleanValueNode, IntValueNode, ListValueNode, NullValueNode, StringValueNode, ValueNode

from router.composition.report import Report
from router.composition.specs import BUILT_IN_SCALARS, FEDERATION_DIRECTIVES, FEDERATION_IDENTITY, FEDERATION_SCALARS
from router.composition.subgraph import (
    DirectiveUse,
    EnumType,
    Family,
    InputType,
    InterfaceType,
    ObjectType,
    ScalarType,
    Subgraph,
    UnionType,
)
from router.composition.type_refs import ListOf, Named, NonNull, TypeRef


@dataclass(frozen=True, slots=True)
class _Shape:
    """What may be written: *arguments* maps a name to its type and whether it must be given."""

    arguments: Mapping[str, tuple[TypeRef, bool]]
    locations: tuple[str, ...]
    repeatable: bool


_BUILT_INS: Mapping[str, _Shape] = {
    "deprecated": _Shape(
        {"reason": (Named("String"), False)},
        ("FIELD_DEFINITION", "ARGUMENT_DEFINITION", "INPUT_FIELD_DEFINITION", "ENUM_VALUE"),
        False,
    ),
    "specifiedBy": _Shape({"url": (NonNull(Named("String")), True)}, ("SCALAR",), False),
    "oneOf": _Shape({}, ("INPUT_OBJECT",), False),
}


def check(subgraph: Subgraph, report: Report) -> None:
    """Report directives that are unknown, misplaced, repeated or given wrong arguments."""
    shapes: dict[tuple[Family, str], _Shape | None] = {}
    for place, owner, uses in _placed_directives(subgraph):
        seen: set[str] = set()
        for use in uses:
            name = use.name if use.family in {Family.FEDERATION, Family.BUILT_IN} else use.written
            key = (use.family, name)
            if key not in shapes:
                shapes[key] = _find_shape(subgraph, use)
            shape = shapes[key]
            if shape is None:
                if use.name != "link":
                    advice = ""
                    if use.written in FEDERATION_DIRECTIVES:
                        advice = (
                            f"If federation's @{use.written} is meant: extend schema @link(url:"
                            f' "{FEDERATION_IDENTITY}/v2.9", import: ["@{use.written}"]).'
                        )
                    report.error(
                        "INVALID_GRAPHQL",
                        f"[{subgraph.name}] Unknown directive @{use.written}.",
                        use.at,
                        remedy=advice,
                    )
                continue
            if place not in shape.locations:
                report.error(
                    "INVALID_GRAPHQL",
                    f"[{subgraph.name}] @{use.written} cannot stand on {owner}, only on {', '.join(shape.locations)}.",
                    use.at,
                )
            if use.written in seen and not shape.repeatable:
                report.error("INVALID_GRAPHQL", f"[{subgraph.name}] @{use.written} is repeated on {owner}.", use.at)
            seen.add(use.written)
            _check_arguments(subgraph, use, shape, owner, report)


def _find_shape(subgraph: Subgraph, use: DirectiveUse) -> _Shape | None:
    if use.family is Family.FEDERATION:
        directive = FEDERATION_DIRECTIVES[use.name]
        return _Shape(
            {
                parameter.name: (_read_type(parameter.type), parameter.type.endswith("!"))
                for parameter in directive.parameters
            },
            directive.locations,
            directive.repeatable,
        )
    if use.family is Family.BUILT_IN:
        return _BUILT_INS.get(use.name)
    definition = subgraph.directive_definitions.get(use.written)
    if definition is None:
        return None
    return _Shape(
        {
            argument.name: (argument.type, isinstance(argument.type, NonNull) and argument.default is None)
            for argument in definition.arguments.values()
        },
        definition.locations,
        definition.repeatable,
    )


def _read_type(text: str) -> TypeRef:
    if text.endswith("!"):
        inner = _read_type(text[:-1])
        assert not isinstance(inner, NonNull)
        return NonNull(inner)
    return ListOf(_read_type(text[1:-1])) if text.startswith("[") else Named(text)


def _check_arguments(subgraph: Subgraph, use: DirectiveUse, shape: _Shape, owner: str, report: Report) -> None:
    for name in use.arguments:
        if name not in shape.arguments:
            report.error(
                "INVALID_GRAPHQL",
                f"[{subgraph.name}] @{use.written} on {owner} has no argument {name!r}.",
                use.at,
            )
    for name, (type_ref, is_required) in shape.arguments.items():
        value = use.arguments.get(name)
        if value is None:
            if is_required:
                report.error(
                    "INVALID_GRAPHQL",
                    f"[{subgraph.name}] @{use.written} on {owner} needs its argument {name!r}.",
                    use.at,
                )
        # A `fields` of another kind has a code of its own.
        elif name != "fields" and not _fits(subgraph, value, type_ref):
            report.error(
                "INVALID_GRAPHQL",
                f"[{subgraph.name}] @{use.written} on {owner}: argument {name!r} must be {type_ref}.",
                use.at,
            )


def _fits(subgraph: Subgraph, value: ValueNode, type_ref: TypeRef) -> bool:
    if isinstance(value, NullValueNode):
        return not isinstance(type_ref, NonNull)
    match type_ref:
        case NonNull():
            return _fits(subgraph, value, type_ref.of)
        case ListOf():
            entries: Sequence[ValueNode] = value.values if isinstance(value, ListValueNode) else (value,)
            return all(_fits(subgraph, entry, type_ref.of) for entry in entries)
        case Named(name="Int"):
            return isinstance(value, IntValueNode)
        case Named(name="Boolean"):
            return isinstance(value, BooleanValueNode)
        case Named(name="String"):
            return isinstance(value, StringValueNode)
        case Named(name="Float"):
            return value.kind in {"int_value", "float_value"}
        case Named(name=name) if name in FEDERATION_SCALARS:
            return isinstance(value, StringValueNode)
        case Named(name=name) if name in BUILT_IN_SCALARS:
            return value.kind in {"int_value", "string_value"}
        case Named(name=name):
            target = subgraph.types.get(name)
            if isinstance(target, EnumType):
                return value.kind == "enum_value" and getattr(value, "value", None) in target.values
            return not isinstance(target, InputType) or value.kind == "object_value"


def _placed_directives(subgraph: Subgraph) -> Iterator[tuple[str, str, tuple[DirectiveUse, ...]]]:
    """Yield the directives of every element with its location and what to call it."""
    yield "SCHEMA", "the schema", subgraph.schema_directives
    for definition in subgraph.types.values():
        name = definition.name
        match definition:
            case ScalarType():
                yield "SCALAR", name, definition.directives
            case UnionType():
                yield "UNION", name, definition.directives
            case EnumType():
                yield "ENUM", name, definition.directives
                for value in definition.values.values():
                    yield "ENUM_VALUE", f"{name}.{value.name}", value.directives
            case InputType():
                yield "INPUT_OBJECT", name, definition.directives
                for field in definition.fields.values():
                    yield "INPUT_FIELD_DEFINITION", f"{name}.{field.name}", field.directives
            case ObjectType() | InterfaceType():
                yield "OBJECT" if isinstance(definition, ObjectType) else "INTERFACE", name, definition.directives
                for output in definition.fields.values():
                    yield "FIELD_DEFINITION", f"{name}.{output.name}", output.directives
                    for argument in output.arguments.values():
                        yield (
                            "ARGUMENT_DEFINITION",
                            f"{name}.{output.name}({argument.name}:)",
                            argument.directives,
                        )
