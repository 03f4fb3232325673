"""Normalise an operation: expand fragments, fold constants, merge response keys, intersect types."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

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
from router.planner.guards import ALWAYS, NEVER, Guard, both, both_or_looser, contradict, either, implies, when
from router.planner.operation import Argument, Block, FieldSelection, Operation, SelectionSet, VariableDefinition
from router.planner.plan import Deferral, OperationKind

_KINDS = {
    OperationType.QUERY: OperationKind.QUERY,
    OperationType.MUTATION: OperationKind.MUTATION,
    OperationType.SUBSCRIPTION: OperationKind.SUBSCRIPTION,
}
# At the root, the router answers these itself.
_ANSWERED_BY_THE_ROUTER = frozenset({"__schema", "__type", "__typename"})
# Obeyed by the router, unknown to subgraphs.
_ROUTER_DIRECTIVES = frozenset({"skip", "include", "defer", "stream"})
# Fragments that spread each other under two conditions each are reached under 2**n guards.
_MOST_GUARDS = 16

# A selection set, the types it is collected for, and its `@defer`; and the guards under which it was collected.
_Met: TypeAlias = dict[tuple[int, frozenset[str], Deferral | None], set[Guard]]


def normalise_operation(graph: Graph, document: DocumentNode, operation_name: str | None) -> Operation:
    """Take a document that is valid for the API schema and return one of its operations, normalised.

    A `@defer` counts unless its `if` is the literal false: whoever knows the variables decides about it before.
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
    sources = [_Source(node.selection_set, root, ALWAYS, None)]
    occurrences = normaliser.collect((), sources, graph.possible_types(root))
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
        selections=normaliser.merge((), root, needing_subgraphs, ALWAYS, ()),
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
class _Source:
    """A selection set as written once: on objects of which static type, under which guard, in which `@defer`."""

    node: SelectionSetNode
    parent: str
    guard: Guard
    deferral: Deferral | None


@dataclass(slots=True)
class _Occurrence:
    """A field as written once: where, for which types, under which guard, in which `@defer`."""

    node: FieldNode
    parent: str
    types: frozenset[str]
    guard: Guard
    deferral: Deferral | None


class _Normaliser:
    def __init__(self, graph: Graph, fragments: Mapping[str, FragmentDefinitionNode]) -> None:
        self._graph = graph
        self._fragments = fragments
        # By where it is written, where that is spread, and what is around it there
        self._deferrals: dict[tuple[int, tuple[str, ...], int | None], Deferral] = {}
        self._by_number: dict[int, Deferral] = {}

    def collect(
        self, path: tuple[str, ...], sources: list[_Source], types: frozenset[str]
    ) -> dict[str, list[_Occurrence]]:
        """Collect the fields of several selection sets on the objects at *path*, by response key.

        A selection set that was already collected for the same types and guard adds nothing, so a document of fragments
        that spread each other twice stays as small as its answer. After many guards it is collected as if there were
        none: then too much is fetched at times, which the client does not see.
        """
        found: dict[str, list[_Occurrence]] = {}
        met: _Met = {}
        for source in sources:
            self._collect_once(path, source, types & self._graph.possible_types(source.parent), found, met)
        return found

    def _collect_once(
        self,
        path: tuple[str, ...],
        source: _Source,
        types: frozenset[str],
        found: dict[str, list[_Occurrence]],
        met: _Met,
    ) -> None:
        guards = met.setdefault((id(source.node), types, source.deferral), set())
        if source.guard in guards or len(guards) > _MOST_GUARDS:
            return
        guards.add(source.guard)
        if len(guards) > _MOST_GUARDS:
            source = replace(source, guard=ALWAYS)
        self._collect(path, source, types, found, met)

    def _collect(
        self,
        path: tuple[str, ...],
        source: _Source,
        types: frozenset[str],
        found: dict[str, list[_Occurrence]],
        met: _Met,
    ) -> None:
        parent = source.parent
        for selection in source.node.selections:
            inner_guard = both(source.guard, _guard_of(selection.directives or ()))
            if inner_guard == NEVER or not types:
                continue
            if isinstance(selection, FieldNode):
                key = selection.alias.value if selection.alias else selection.name.value
                if key == "__typename" and selection.name.value != "__typename":
                    raise PlanningError(
                        PlanningErrorCode.RESERVED_ALIAS, f"{selection.name.value} may not be called __typename"
                    )
                found.setdefault(key, []).append(_Occurrence(selection, parent, types, inner_guard, source.deferral))
            elif isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition.name.value if selection.type_condition else parent
                inner_types = types & self._graph.possible_types(condition)
                deferral = self._deferral_of(selection, path, source.deferral)
                inner = _Source(selection.selection_set, condition, inner_guard, deferral)
                self._collect(path, inner, inner_types, found, met)
            elif isinstance(selection, FragmentSpreadNode):
                fragment = self._fragments[selection.name.value]
                condition = fragment.type_condition.name.value
                inner_types = types & self._graph.possible_types(condition)
                deferral = self._deferral_of(selection, path, source.deferral)
                inner = _Source(fragment.selection_set, condition, inner_guard, deferral)
                self._collect_once(path, inner, inner_types, found, met)

    def _deferral_of(
        self, spread: InlineFragmentNode | FragmentSpreadNode, path: tuple[str, ...], outer: Deferral | None
    ) -> Deferral | None:
        """Return the `@defer` that a fragment's fields stand in: the spread's own, or the one around it."""
        directive = next((one for one in spread.directives or () if one.name.value == "defer"), None)
        if directive is None:
            return outer
        given = {argument.name.value: argument.value for argument in directive.arguments or ()}
        match given.get("if"):
            case BooleanValueNode(value=False):
                return outer
        label = given.get("label")
        mark = (id(directive), path, outer.number if outer else None)
        if mark not in self._deferrals:
            number = len(self._deferrals) + 1
            self._deferrals[mark] = self._by_number[number] = Deferral(
                number=number,
                path=path,
                label=label.value if isinstance(label, StringValueNode) else None,
                parent=outer.number if outer else None,
            )
        return self._deferrals[mark]

    def _block_of(self, occurrences: list[_Occurrence]) -> Block:
        """Return the uses of `@defer` that all of a field's occurrences stand in, without those inside of others.

        An occurrence that may not count, for its condition, counts here: fetching a field too early is right, too.
        https://github.com/graphql/graphql-spec/pull/1110
        """
        found = {one.deferral.number: one.deferral for one in occurrences if one.deferral is not None}
        if any(one.deferral is None for one in occurrences):
            return ()

        def stands_in_another(deferral: Deferral) -> bool:
            parent = deferral.parent
            while parent is not None:
                if parent in found:
                    return True
                parent = self._by_number[parent].parent
            return False

        return tuple(found[number] for number in sorted(found) if not stands_in_another(found[number]))

    def merge(
        self, path: tuple[str, ...], type_name: str, found: dict[str, list[_Occurrence]], context: Guard, block: Block
    ) -> SelectionSet:
        """Merge what was collected at *path* into fields; those of one response key apply to disjoint types.

        *context* is the guard under which the objects are there at all, or a looser one: what contradicts it never
        counts, and what it implies needs no guard. *block* is the one that brings the objects.
        """
        fields: list[FieldSelection] = []
        for key, occurrences in found.items():
            counting = [
                replace(one, guard=ALWAYS if implies(context, one.guard) else one.guard)
                for one in occurrences
                if not contradict(context, one.guard)
            ]
            below = (*path, key)
            cells = [self._merge_field(below, types, cell, context, block) for types, cell in _split_by_types(counting)]
            fields.extend(_join_leaves(cells))
        return SelectionSet(type_name, tuple(fields))

    def _merge_field(
        self,
        path: tuple[str, ...],
        types: frozenset[str],
        occurrences: list[_Occurrence],
        context: Guard,
        outer_block: Block,
    ) -> FieldSelection:
        node = occurrences[0].node
        # An object cannot be delivered before its type is known
        block = outer_block if node.name.value == "__typename" else self._block_of(occurrences)
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
            sources = [
                _Source(one.node.selection_set, returned, ALWAYS if has_one_guard else one.guard, one.deferral)
                for one in occurrences
                if one.node.selection_set
            ]
            found = self.collect(path, sources, self._graph.possible_types(returned))
            selections = self.merge(path, returned, found, both_or_looser(context, guard), block)
        return FieldSelection(
            response_key=path[-1],
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
            block=block,
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
        mark = (one.signature, one.directives, one.guard, one.block) if one.selections is None else one
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
