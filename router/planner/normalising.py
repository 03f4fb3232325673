"""Normalise an operation: expand fragments, fold constants, merge response keys, intersect types."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from graphql import (
    ArgumentNode,
    BooleanValueNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    StringValueNode,
    ValueNode,
    VariableNode,
    print_ast,
)
from graphql.language.print_string import print_string

from router.planner.errors import PlanningError, PlanningErrorCode
from router.planner.graph import Graph
from router.planner.guards import ALWAYS, NEVER, Guard, both, either, implies, when
from router.planner.operation import Argument, FieldSelection, Operation, SelectionSet, VariableDefinition
from router.planner.plan import OperationKind

_KINDS = {
    OperationType.QUERY: OperationKind.QUERY,
    OperationType.MUTATION: OperationKind.MUTATION,
    OperationType.SUBSCRIPTION: OperationKind.SUBSCRIPTION,
}
# At the root, the router answers these itself.
_ANSWERED_BY_THE_ROUTER = frozenset({"__schema", "__type", "__typename"})
# Obeyed by the router, unknown to subgraphs.
_ROUTER_DIRECTIVES = frozenset({"skip", "include", "defer", "stream"})


def normalise_operation(graph: Graph, document: DocumentNode, operation_name: str | None) -> Operation:
    """Take a document that is valid for the API schema and return one of its operations, normalised.

    Raises PlanningError when the document has no such operation.
    """
    node = _find_operation(document, operation_name)
    fragments = {
        definition.name.value: definition
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }
    kind = _KINDS[node.operation]
    root = graph.root_type(kind)
    normaliser = _Normaliser(graph, fragments)
    occurrences = normaliser.collect(root, [(node.selection_set, root, ALWAYS)], graph.possible_types(root))
    needing_subgraphs = {
        key: found for key, found in occurrences.items() if found[0].node.name.value not in _ANSWERED_BY_THE_ROUTER
    }
    return Operation(
        kind=kind,
        name=node.name.value if node.name else None,
        variables={
            definition.variable.name.value: VariableDefinition(
                definition.variable.name.value,
                f"${definition.variable.name.value}: {print_ast(definition.type)}"
                + (f" = {print_value(definition.default_value)}" if definition.default_value else ""),
            )
            for definition in node.variable_definitions or ()
        },
        selections=normaliser.merge(root, needing_subgraphs, ALWAYS),
    )


def _find_operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    operations = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    if name is None and len(operations) == 1:
        return operations[0]
    for operation in operations:
        if name is not None and operation.name and operation.name.value == name:
            return operation
    wanted = f"no operation {name}" if name is not None else f"{len(operations)} operations, and no name says which"
    raise PlanningError(PlanningErrorCode.UNKNOWN_OPERATION, f"the document has {wanted}")


@dataclass(slots=True)
class _Occurrence:
    """A field as written once: where, for which types, under which guard."""

    node: FieldNode
    parent: str
    types: frozenset[str]
    guard: Guard


class _Normaliser:
    def __init__(self, graph: Graph, fragments: Mapping[str, FragmentDefinitionNode]) -> None:
        self._graph = graph
        self._fragments = fragments

    def collect(
        self, type_name: str, sets: list[tuple[SelectionSetNode, str, Guard]], types: frozenset[str]
    ) -> dict[str, list[_Occurrence]]:
        """Collect the fields of several selection sets on the same objects, by response key.

        A fragment that was already spread for the same types and guard adds nothing, so a document of fragments that
        spread each other twice stays as small as its answer.
        """
        found: dict[str, list[_Occurrence]] = {}
        seen: set[tuple[str, frozenset[str], Guard]] = set()
        for node, parent, guard in sets:
            self._collect(node, parent, types & self._graph.possible_types(parent), guard, found, seen)
        return found

    def _collect(
        self,
        node: SelectionSetNode,
        parent: str,
        types: frozenset[str],
        guard: Guard,
        found: dict[str, list[_Occurrence]],
        seen: set[tuple[str, frozenset[str], Guard]],
    ) -> None:
        for selection in node.selections:
            inner_guard = both(guard, _guard_of(selection.directives or ()))
            if inner_guard == NEVER or not types:
                continue
            if isinstance(selection, FieldNode):
                key = selection.alias.value if selection.alias else selection.name.value
                if key == "__typename" and selection.name.value != "__typename":
                    raise PlanningError(
                        PlanningErrorCode.RESERVED_ALIAS, f"{selection.name.value} may not be called __typename"
                    )
                found.setdefault(key, []).append(_Occurrence(selection, parent, types, inner_guard))
            elif isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition.name.value if selection.type_condition else parent
                inner_types = types & self._graph.possible_types(condition)
                self._collect(selection.selection_set, condition, inner_types, inner_guard, found, seen)
            elif isinstance(selection, FragmentSpreadNode):
                fragment = self._fragments[selection.name.value]
                condition = fragment.type_condition.name.value
                inner_types = types & self._graph.possible_types(condition)
                mark = (fragment.name.value, inner_types, inner_guard)
                if mark not in seen:
                    seen.add(mark)
                    self._collect(fragment.selection_set, condition, inner_types, inner_guard, found, seen)

    def merge(self, type_name: str, found: dict[str, list[_Occurrence]], context: Guard) -> SelectionSet:
        """Merge what was collected into fields; those of one response key apply to disjoint types.

        *context* is the guard under which the objects are there at all: what contradicts it never counts, and what it
        implies needs no guard.
        """
        fields: list[FieldSelection] = []
        for key, occurrences in found.items():
            counting = [
                replace(one, guard=ALWAYS if implies(context, one.guard) else one.guard)
                for one in occurrences
                if both(context, one.guard) != NEVER
            ]
            cells = [self._merge_field(key, types, cell, context) for types, cell in _split_by_types(counting)]
            fields.extend(_join_leaves(cells))
        return SelectionSet(type_name, tuple(fields))

    def _merge_field(
        self, key: str, types: frozenset[str], occurrences: list[_Occurrence], context: Guard
    ) -> FieldSelection:
        node = occurrences[0].node
        guard = occurrences[0].guard
        has_one_guard = all(occurrence.guard == guard for occurrence in occurrences)
        for occurrence in occurrences[1:]:
            guard = either(guard, occurrence.guard)
        if implies(context, guard):
            guard = ALWAYS
        selections: SelectionSet | None = None
        if node.selection_set:
            # The narrowest of the static types: an interface's field may be refined by those that implement it.
            returned = min(
                (self._graph.field_type_name(occurrence.parent, node.name.value) for occurrence in occurrences),
                key=lambda name: (len(self._graph.possible_types(name)), name),
            )
            sets = [
                (occurrence.node.selection_set, returned, ALWAYS if has_one_guard else occurrence.guard)
                for occurrence in occurrences
                if occurrence.node.selection_set
            ]
            found = self.collect(returned, sets, self._graph.possible_types(returned))
            selections = self.merge(returned, found, both(context, guard))
        return FieldSelection(
            response_key=key,
            name=node.name.value,
            types=types,
            arguments=_read_arguments(node.arguments or ()),
            directives=tuple(
                Argument(
                    directive.name.value,
                    _print_directive(directive),
                    tuple(sorted({name for one in directive.arguments or () for name in variables_in(one.value)})),
                )
                for directive in node.directives or ()
                if directive.name.value not in _ROUTER_DIRECTIVES
            ),
            guard=guard,
            selections=selections,
        )


def _split_by_types(occurrences: list[_Occurrence]) -> list[tuple[frozenset[str], list[_Occurrence]]]:
    """Split occurrences into cells of types that have the same ones of them."""
    if not occurrences:
        return []
    if all(occurrence.types == occurrences[0].types for occurrence in occurrences):
        return [(occurrences[0].types, occurrences)]
    cells: dict[tuple[int, ...], set[str]] = {}
    for name in sorted(frozenset().union(*(occurrence.types for occurrence in occurrences))):
        mark = tuple(number for number, occurrence in enumerate(occurrences) if name in occurrence.types)
        cells.setdefault(mark, set()).add(name)
    return [(frozenset(types), [occurrences[number] for number in mark]) for mark, types in cells.items()]


def _join_leaves(fields: list[FieldSelection]) -> list[FieldSelection]:
    """Join leaves that were split by types but turned out alike."""
    joined: dict[object, FieldSelection] = {}
    for one in fields:
        mark = (one.signature, one.directives, one.guard) if one.selections is None else one
        known = joined.get(mark)
        joined[mark] = replace(known, types=known.types | one.types) if known else one
    return list(joined.values())


def _guard_of(directives: tuple[DirectiveNode, ...]) -> Guard:
    guard = ALWAYS
    for directive in directives:
        if directive.name.value not in ("skip", "include"):
            continue
        value = next(argument.value for argument in directive.arguments or () if argument.name.value == "if")
        wanted = directive.name.value == "include"
        if isinstance(value, BooleanValueNode):
            guard = guard if value.value == wanted else NEVER
        elif isinstance(value, VariableNode):
            guard = both(guard, when(value.name.value, wanted))
    return guard


def _read_arguments(nodes: tuple[ArgumentNode, ...]) -> tuple[Argument, ...]:
    """Return the arguments sorted by name, so that two ways of writing one call compare equal."""
    return tuple(
        sorted(
            (Argument(node.name.value, print_value(node.value), variables_in(node.value)) for node in nodes),
            key=lambda argument: argument.name,
        )
    )


def _print_directive(node: DirectiveNode) -> str:
    arguments = ", ".join(f"{one.name.value}: {print_value(one.value)}" for one in node.arguments or ())
    return f"@{node.name.value}({arguments})" if arguments else f"@{node.name.value}"


def print_value(node: ValueNode) -> str:
    """Return a value as GraphQL text on one line."""
    match node:
        case VariableNode():
            return f"${node.name.value}"
        case StringValueNode():
            # A block string would bring line breaks.
            return print_string(node.value)
        case ListValueNode():
            return "[" + ", ".join(print_value(value) for value in node.values or ()) + "]"
        case ObjectValueNode():
            fields = ", ".join(f"{one.name.value}: {print_value(one.value)}" for one in node.fields or ())
            return "{" + fields + "}"
        case _:
            return print_ast(node)


def variables_in(node: ValueNode) -> tuple[str, ...]:
    """Return the names of the variables in a value, sorted."""
    match node:
        case VariableNode():
            return (node.name.value,)
        case ListValueNode():
            found = {name for value in node.values or () for name in variables_in(value)}
        case ObjectValueNode():
            found = {name for one in node.fields or () for name in variables_in(one.value)}
        case _:
            return ()
    return tuple(sorted(found))
