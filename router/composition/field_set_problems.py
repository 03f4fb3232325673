"""What can be wrong with a field set, whichever directive it stands in."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from graphql import FieldNode, OperationDefinitionNode, parse

from router.composition.annotations import Annotations
from router.composition.field_sets import FieldSet, SelectedField, SelectedFragment
from router.composition.specs import BUILT_IN_SCALARS
from router.composition.subgraph import (
    EnumType,
    InterfaceType,
    ObjectType,
    OutputField,
    ScalarType,
    Subgraph,
    UnionType,
)
from router.composition.type_refs import NonNull, named_type


class Flaw(Enum):
    """A class of problem; each directive has its own code for it."""

    INVALID = "invalid"
    ARGUMENTS = "arguments"
    DIRECTIVE = "directive"
    ABSTRACT = "abstract"
    NOT_EXTERNAL = "not external"


@dataclass(frozen=True, slots=True)
class FieldSetProblem:
    """One problem, as the rest of a sentence."""

    flaw: Flaw
    message: str


def find_problems(
    subgraph: Subgraph, annotations: Annotations, type_name: str, selections: FieldSet
) -> Iterator[FieldSetProblem]:
    """Yield every problem of *selections* on *type_name*; the caller decides which flaws matter to it."""
    yield from _check(subgraph, annotations, type_name, selections, is_below_external=False)


def _check(
    subgraph: Subgraph, annotations: Annotations, type_name: str, selections: FieldSet, *, is_below_external: bool
) -> Iterator[FieldSetProblem]:
    definition = subgraph.types.get(type_name)
    for selection in selections:
        for directive in selection.directives:
            yield FieldSetProblem(Flaw.DIRECTIVE, f"it applies the directive @{directive}")
        match selection:
            case SelectedFragment():
                condition = selection.type_condition or type_name
                if not isinstance(subgraph.types.get(condition), ObjectType | InterfaceType | UnionType):
                    yield FieldSetProblem(Flaw.INVALID, f"{condition!r} is no type that a fragment can be on")
                elif not _may_overlap(annotations, type_name, condition):
                    yield FieldSetProblem(Flaw.INVALID, f"{type_name!r} can never be {condition!r}")
                else:
                    yield from _check(
                        subgraph,
                        annotations,
                        condition,
                        selection.selections,
                        is_below_external=is_below_external,
                    )
            case SelectedField(name="__typename"):
                continue
            case SelectedField():
                field = (
                    definition.fields.get(selection.name)
                    if isinstance(definition, ObjectType | InterfaceType)
                    else None
                )
                if field is None:
                    yield FieldSetProblem(Flaw.INVALID, f"this subgraph has no field {type_name}.{selection.name}")
                    continue
                if selection.alias is not None:
                    yield FieldSetProblem(Flaw.INVALID, f"the alias {selection.alias!r} is not allowed in it")
                yield from _check_field(subgraph, annotations, type_name, field, selection, is_below_external)


def _check_field(
    subgraph: Subgraph,
    annotations: Annotations,
    type_name: str,
    field: OutputField,
    selection: SelectedField,
    is_below_external: bool,
) -> Iterator[FieldSetProblem]:
    coordinate = f"{type_name}.{field.name}"
    target = subgraph.types.get(named_type(field.type))
    is_leaf = named_type(field.type) in BUILT_IN_SCALARS or isinstance(target, ScalarType | EnumType)
    if isinstance(target, InterfaceType | UnionType):
        kind = "interface" if isinstance(target, InterfaceType) else "union"
        yield FieldSetProblem(Flaw.ABSTRACT, f"field {coordinate} is of the {kind} type {target.name}")
    yield from _check_arguments(coordinate, field, selection)
    if is_leaf and selection.selections:
        yield FieldSetProblem(Flaw.INVALID, f"field {coordinate} is {field.type} and has no fields to select")
    if not is_leaf and not selection.selections:
        yield FieldSetProblem(Flaw.INVALID, f"field {coordinate} is {field.type} and needs a selection of its fields")
    if field.arguments:
        yield FieldSetProblem(Flaw.ARGUMENTS, f"field {coordinate} has arguments")
    is_external = (
        is_below_external
        or (type_name, field.name) in annotations.external
        or any(
            (implementation, field.name) in annotations.external
            for implementation in annotations.implementations.get(type_name, ())
        )
    )
    if not selection.selections and not is_external:
        yield FieldSetProblem(
            Flaw.NOT_EXTERNAL, f"field {coordinate} is not @external: this subgraph resolves it itself"
        )
    if selection.selections and not is_leaf:
        yield from _check(
            subgraph, annotations, named_type(field.type), selection.selections, is_below_external=is_external
        )


def _check_arguments(coordinate: str, field: OutputField, selection: SelectedField) -> Iterator[FieldSetProblem]:
    given: set[str] = set()
    if selection.arguments:
        operation = parse(f"{{f({selection.arguments})}}", no_location=True).definitions[0]
        assert isinstance(operation, OperationDefinitionNode)
        node = operation.selection_set.selections[0]
        assert isinstance(node, FieldNode)
        given = {argument.name.value for argument in node.arguments or ()}
    for name in sorted(given - set(field.arguments)):
        yield FieldSetProblem(Flaw.INVALID, f"field {coordinate} has no argument {name!r}")
    for argument in field.arguments.values():
        if isinstance(argument.type, NonNull) and argument.default is None and argument.name not in given:
            yield FieldSetProblem(Flaw.INVALID, f"field {coordinate} needs its argument {argument.name!r}")


def _may_overlap(annotations: Annotations, one: str, other: str) -> bool:
    """Tell whether a value can be of both types."""
    return bool(_possible(annotations, one) & _possible(annotations, other))


def _possible(annotations: Annotations, name: str) -> frozenset[str]:
    return annotations.implementations.get(name, frozenset()) | {name}
