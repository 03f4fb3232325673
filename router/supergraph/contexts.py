"""Contexts (`@context`, `@fromContext`): which objects set them, and whether an argument can be filled from one.

https://www.apollographql.com/docs/graphos/schema-design/federated-schemas/entities/use-contexts
"""

import re
from collections.abc import Mapping

from graphql import specified_scalar_types

from router.supergraph.errors import SupergraphErrorCode
from router.supergraph.field_set_check import find_field_set_problem
from router.supergraph.model import ContextArgument, FieldSet, FieldSetField, FieldSetFragment, Type, TypeKind
from router.supergraph.type_text import named_type

# Names become parts of documents, so one that is no name would change what a subgraph is asked.
_NAME = re.compile(r"[_A-Za-z][_0-9A-Za-z]*")

_INPUT_KINDS = frozenset({TypeKind.SCALAR, TypeKind.ENUM, TypeKind.INPUT_OBJECT})


def find_setters(types: Mapping[str, Type], context: str) -> frozenset[str]:
    """Return the object types that set a context: themselves, by an interface of theirs or by a union they are in."""
    named = {type_.name for type_ in types.values() if context in type_.contexts}
    members = {member for name in named for member in types[name].members}
    return frozenset(
        type_.name
        for type_ in types.values()
        if type_.kind is TypeKind.OBJECT
        and (type_.name in named or type_.name in members or not named.isdisjoint(type_.interfaces))
    )


def select_on(types: Mapping[str, Type], object_name: str, selections: FieldSet) -> tuple[FieldSetField, ...]:
    """Return those of the selections that apply to objects of a type, without fragments around them."""
    found: list[FieldSetField] = []
    for selection in selections:
        match selection:
            case FieldSetField():
                found.append(selection)
            case FieldSetFragment(condition, inner):
                if (
                    condition == object_name
                    or condition in types[object_name].interfaces
                    or object_name in types[condition].members
                ):
                    found.extend(select_on(types, object_name, inner))
    return tuple(found)


def find_context_flaw(
    types: Mapping[str, Type], coordinate: str, argument: ContextArgument, subgraph: str
) -> tuple[SupergraphErrorCode, str] | None:
    """Return what is wrong with an argument from a context, with its code; None if nothing is."""
    what = f"argument {argument.name!r} of {coordinate} in {subgraph}"
    setters = find_setters(types, argument.context)
    if not setters:
        return SupergraphErrorCode.UNKNOWN_CONTEXT, f"{what} comes from {argument.context!r}, which no type sets"
    problem = _find_problem(types, argument, setters, subgraph)
    if problem is None:
        return None
    return SupergraphErrorCode.INVALID_CONTEXT, f"{what} cannot come from {argument.context!r}: {problem}"


def _find_problem(
    types: Mapping[str, Type], argument: ContextArgument, setters: frozenset[str], subgraph: str
) -> str | None:
    if not _NAME.fullmatch(argument.name):
        return "it has no proper name"
    type_name = named_type(argument.type)
    if type_name not in specified_scalar_types and (
        type_name not in types or types[type_name].kind not in _INPUT_KINDS
    ):
        return f"{type_name} is no input type"
    if argument.type.endswith("!"):
        # What is selected may be null, and null is sent for an object that nothing is selected on.
        return f"it is {argument.type}, but must allow null"
    for selection in argument.selections:
        if isinstance(selection, FieldSetFragment) and selection.type_name not in types:
            return f"there is no type {selection.type_name}"
    for name in sorted(setters):
        selections = select_on(types, name, argument.selections)
        problem = find_field_set_problem(types, name, selections, subgraph)
        if problem:
            return problem
        if _count_values(selections) > 1:
            return f"it selects several values of {name}"
    return None


def _count_values(selections: FieldSet) -> int:
    return sum(_count_values(one.selections) if one.selections else 1 for one in selections)
