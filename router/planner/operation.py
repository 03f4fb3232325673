"""The normalised operation: first stage of planning.

Fragments are expanded, equal response keys merged, every field carries the concrete types it applies to and the guard
under which it counts. Two fields of one selection set with the same response key apply to disjoint types.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from router.planner.guards import ALWAYS, Guard, print_guard
from router.planner.plan import OperationKind


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument as GraphQL text, and the client's variables in it."""

    name: str
    text: str
    variables: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VariableDefinition:
    """A client's variable; *text* is its definition as in a document: `$first: Int = 5`."""

    name: str
    text: str


# Compared by identity: selections are keys of the planner's memos.
@dataclass(frozen=True, slots=True, eq=False)
class FieldSelection:
    """A field selected on objects of *types*.

    *is_internal*: wanted by the planner (a key, a requirement), not by the client; its response key may be chosen.
    """

    response_key: str
    name: str
    types: frozenset[str]
    arguments: tuple[Argument, ...] = ()
    directives: tuple[Argument, ...] = ()
    guard: Guard = ALWAYS
    selections: "SelectionSet | None" = None
    is_internal: bool = False

    @property
    def signature(self) -> str:
        """The field's name and arguments: what decides whether two selections may share a response key."""
        return self.name + print_arguments(self.arguments)


@dataclass(frozen=True, slots=True, eq=False)
class SelectionSet:
    """What is selected on objects whose static type in the supergraph is *type_name*."""

    type_name: str
    fields: tuple[FieldSelection, ...]
    # Restrictions of a selection set to some types or fields, so that equal questions have identical answers.
    memo: dict[object, "SelectionSet"] = field(default_factory=dict, repr=False)

    @property
    def leaf_count(self) -> int:
        """How many leaves there are in it."""
        return sum(one.selections.leaf_count if one.selections else 1 for one in self.fields)


@dataclass(frozen=True, slots=True)
class Operation:
    """A whole operation; introspection fields of the root are left out, they need no subgraph."""

    kind: OperationKind
    name: str | None
    variables: Mapping[str, VariableDefinition]
    selections: SelectionSet


def print_arguments(arguments: tuple[Argument, ...]) -> str:
    """Return `(first: 5, after: $cursor)`, or nothing for no arguments."""
    if not arguments:
        return ""
    return "(" + ", ".join(f"{argument.name}: {argument.text}" for argument in arguments) + ")"


def format_operation(operation: Operation) -> str:
    """Return the stage as text: types in brackets where not all of a set's objects are meant, guards after `if`."""
    lines = [operation.kind.value]
    _format_selections(operation.selections, "  ", lines)
    return "\n".join(lines)


def _format_selections(selections: SelectionSet, indent: str, lines: list[str]) -> None:
    everywhere = frozenset().union(*(one.types for one in selections.fields)) if selections.fields else frozenset()
    for one in selections.fields:
        alias = f"{one.response_key}: " if one.response_key != one.name else ""
        types = f" [{'|'.join(sorted(one.types))}]" if one.types != everywhere else ""
        guard = f" if {print_guard(one.guard)}" if one.guard != ALWAYS else ""
        lines.append(f"{indent}{alias}{one.signature}{types}{guard}")
        if one.selections:
            _format_selections(one.selections, indent + "  ", lines)
