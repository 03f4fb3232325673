"""The normalised operation: first stage of planning.

Fragments are expanded, equal response keys merged, every field carries the concrete types it applies to and the guard
under which it counts. Two fields of one selection set with the same response key apply to disjoint types.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from router.planner.guards import ALWAYS, Guard, print_guard
from router.planner.plan import Deferral, OperationKind

#: The uses of `@defer` that a field stands in, sorted by number; empty for what the first answer holds.
Block: TypeAlias = tuple[Deferral, ...]


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument as GraphQL text, and the client's variables in it."""

    name: str
    text: str
    variables: tuple[str, ...] = ()

    @property
    def is_from_context(self) -> bool:
        """Whether the router fills it: its text is a variable then, but none of the client's."""
        return self.text.startswith("$") and not self.variables


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
    *block*: the uses of `@defer` that it stands in, of those that it stands in anywhere the outermost ones.
    """

    response_key: str
    name: str
    types: frozenset[str]
    arguments: tuple[Argument, ...] = ()
    directives: tuple[Argument, ...] = ()
    guard: Guard = ALWAYS
    selections: "SelectionSet | None" = None
    is_internal: bool = False
    block: Block = ()

    @property
    def signature(self) -> str:
        """The field's name and arguments: what decides whether two selections may share a response key."""
        return self.name + print_arguments(self.arguments)

    def in_block(self, block: Block) -> "FieldSelection":
        """Return the field, with all below it, as wanted in *block*."""
        if self.block == block:
            return self
        return replace(self, block=block, selections=self.selections.in_block(block) if self.selections else None)


@dataclass(frozen=True, slots=True, eq=False)
class SelectionSet:
    """What is selected on objects whose static type in the supergraph is *type_name*."""

    type_name: str
    fields: tuple[FieldSelection, ...]
    # Restrictions of a selection set to some types or fields, so that equal questions have identical answers.
    memo: dict[object, "SelectionSet"] = field(default_factory=dict, repr=False)

    def in_block(self, block: Block) -> "SelectionSet":
        """Return the selections as wanted in *block*; the planner's own ones are in none at first."""
        if all(one.block == block for one in self.fields):
            return self
        if ("in", block) not in self.memo:
            fields = tuple(one.in_block(block) for one in self.fields)
            self.memo["in", block] = SelectionSet(self.type_name, fields)
        return self.memo["in", block]

    def only_block(self, block: Block) -> "SelectionSet":
        """Return the fields of one block, with all below them."""
        if ("only", block) not in self.memo:
            fields = tuple(one for one in self.fields if one.block == block)
            self.memo["only", block] = SelectionSet(self.type_name, fields)
        return self.memo["only", block]

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
    """Return the stage as text: types in brackets where not all of a set's objects are meant, guards after `if`.

    Where a field begins a block of `@defer`, its uses stand after `in`.
    """
    lines = [operation.kind.value]
    _format_selections(operation.selections, "  ", lines)
    return "\n".join(lines)


def print_block(block: Block) -> str:
    """Return a block as text: `defer 1` or `defer 1 & 2`, by the numbers of the uses of `@defer`."""
    return f"defer {' & '.join(str(one.number) for one in block)}"


def _format_selections(selections: SelectionSet, indent: str, lines: list[str], outer: Block = ()) -> None:
    everywhere = frozenset().union(*(one.types for one in selections.fields)) if selections.fields else frozenset()
    for one in selections.fields:
        alias = f"{one.response_key}: " if one.response_key != one.name else ""
        types = f" [{'|'.join(sorted(one.types))}]" if one.types != everywhere else ""
        guard = f" if {print_guard(one.guard)}" if one.guard != ALWAYS else ""
        block = f" in {print_block(one.block)}" if one.block != outer else ""
        lines.append(f"{indent}{alias}{one.signature}{types}{guard}{block}")
        if one.selections:
            _format_selections(one.selections, indent + "  ", lines, one.block)
