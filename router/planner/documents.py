"""Print a step as the document that its subgraph gets: one line, only the client's variables that it uses."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TypeAlias

from router.planner.fetch_graph import FetchStep, SelectionTree, TreeField
from router.planner.graph import Graph
from router.planner.guards import ALWAYS, Guard, Literal, either, loosen, print_guard, sorted_alternatives
from router.planner.operation import Argument, Operation, print_arguments
from router.planner.plan import (
    AT_ANY_TIME,
    BatchFetch,
    BatchPart,
    ContextVariable,
    EntityTarget,
    Fetch,
    KeyRename,
    ResponsePath,
)
from router.planner.plan_text import print_path
from router.planner.representations import merge_representations

NO_NAMES: Mapping[str, str] = MappingProxyType({})
# A selection is written once for each alternative of its field's guard, unless that takes more than this.
_MOST_REPEATED_CHARACTERS = 4000

_PartMark: TypeAlias = tuple[str, tuple[EntityTarget, ...], tuple[KeyRename, ...], Guard, tuple[ContextVariable, ...]]


def guard_of(step: FetchStep) -> Guard:
    """Return when a step has anything to ask for."""
    guard: Guard = frozenset()
    for tree in step.trees.values():
        for one in tree.fields:
            guard = either(guard, one.guard)
            if guard == ALWAYS:
                return guard
    return guard


def format_steps(graph: Graph, groups: tuple[tuple[FetchStep, ...], ...]) -> str:
    """Return the fetch graph as text: steps by number, what they wait for, their path, and what they ask."""
    lines: list[str] = []
    for number, group in enumerate(groups):
        if len(groups) > 1:
            lines.append(f"group {number}")
        for step in group:
            waits = f" after {', '.join(f'#{one.number}' for one in step.waits_for)}" if step.waits_for else ""
            path = f" at {print_path(step.path)}" if step.path else ""
            guard = guard_of(step)
            condition = f" if {print_guard(guard)}" if guard != ALWAYS else ""
            lines.append(f"#{step.number} {step.subgraph}{waits}{path}{condition}: {print_selections(graph, step)}")
            for other in step.batched:
                guard = guard_of(other)
                condition = f" if {print_guard(guard)}" if guard != ALWAYS else ""
                lines.append(
                    f"  with #{other.number} at {print_path(other.path)}{condition}: {print_selections(graph, other)}"
                )
    return "\n".join(lines)


def print_selections(graph: Graph, step: FetchStep) -> str:
    """Return all that a step selects, as text."""
    printer = _Printer(graph, step.subgraph, frozenset())
    return " ".join(f"{name} {printer.print_tree(tree)}" for name, tree in sorted(step.trees.items()))


def print_fetch(graph: Graph, operation: Operation, step: FetchStep) -> Fetch:
    """Return the fetch of a step. Conditions that hold whenever the step runs are left out of the document."""
    guard = guard_of(step)
    holding = next(iter(guard)) if len(guard) == 1 else frozenset()
    printer = _Printer(graph, step.subgraph, holding)
    bodies = [(tree, printer.print_tree(tree)) for tree in step.trees.values()]
    variables = tuple(name for name in operation.variables if name in printer.variables)
    definitions = [operation.variables[name].text for name in variables]
    representations = "representations"
    if step.is_entity_step:
        while representations in operation.variables:
            representations = f"_{representations}"
        definitions.insert(0, f"${representations}: [_Any!]!")
        definitions.extend(f"${one.name}: {one.type}" for one in collect_contexts(step))
        body = f"{{ _entities(representations: ${representations}) {_print_entities(bodies)} }}"
    else:
        body = bodies[0][1]
    head = f"{step.kind.value}({', '.join(definitions)}) " if definitions else f"{step.kind.value} "
    if head == "query ":
        head = ""
    return Fetch(
        subgraph=step.subgraph,
        kind=step.kind,
        document=head + body,
        variables=variables,
        targets=collect_targets(step),
        renames=tuple(step.renames),
        representations_variable=representations,
        contexts=collect_contexts(step),
    )


def print_batch(graph: Graph, operation: Operation, steps: tuple[FetchStep, ...], *, holds: Guard) -> BatchFetch:
    """Return the request that several entity steps share; *holds* is true whenever it is sent.

    Steps that send and ask the same are one part with several paths.
    """
    paths: dict[_PartMark, dict[ResponsePath, None]] = {}
    firsts: dict[_PartMark, FetchStep] = {}
    used: set[str] = set()
    for step in steps:
        guard = guard_of(step)
        printer = _printer_of(graph, step)
        body = _print_entities([(tree, printer.print_tree(tree)) for tree in step.trees.values()])
        mark = (body, collect_targets(step), tuple(step.renames), guard, collect_contexts(step))
        paths.setdefault(mark, {})[step.path] = None
        firsts.setdefault(mark, step)
        used |= printer.variables
    parts: list[BatchPart] = []
    selections: list[str] = []
    taken = set(operation.variables)
    for number, (mark, places) in enumerate(paths.items()):
        body, targets, renames, guard, contexts = mark
        is_alone = len(paths) == 1
        answer_key = "_entities" if is_alone else f"_e{number}"
        variable = "representations" if is_alone else f"r{number}"
        while variable in operation.variables:
            variable = f"_{variable}"
        alias = "" if is_alone else f"{answer_key}: "
        if any(one.name in taken for one in contexts):
            # Another part has the same argument, for other objects
            names = {one.name: _fresh(f"{one.name}_{number}", taken) for one in contexts}
            contexts = tuple(replace(one, name=names[one.name]) for one in contexts)
            printer = _printer_of(graph, firsts[mark], names)
            body = _print_entities([(tree, printer.print_tree(tree)) for tree in firsts[mark].trees.values()])
        taken.update(one.name for one in contexts)
        selections.append(f"{alias}_entities(representations: ${variable}) {body}")
        runs_if = AT_ANY_TIME if guard == holds else sorted_alternatives(guard)
        parts.append(BatchPart(tuple(places), answer_key, variable, targets, renames, runs_if, contexts))
    variables = tuple(name for name in operation.variables if name in used)
    definitions = [f"${part.representations_variable}: [_Any!]!" for part in parts]
    definitions.extend(operation.variables[name].text for name in variables)
    definitions.extend(f"${one.name}: {one.type}" for part in parts for one in part.contexts)
    return BatchFetch(
        subgraph=steps[0].subgraph,
        document=f"query({', '.join(definitions)}) {{ {' '.join(selections)} }}",
        parts=tuple(parts),
        variables=variables,
    )


def _printer_of(graph: Graph, step: FetchStep, names: Mapping[str, str] = NO_NAMES) -> "_Printer":
    """Return the printer of a batch's part; *names* are other ones for its variables from contexts."""
    guard = guard_of(step)
    return _Printer(graph, step.subgraph, next(iter(guard)) if len(guard) == 1 else frozenset(), names)


def _fresh(name: str, taken: set[str]) -> str:
    while name in taken:
        name = f"_{name}"
    return name


def collect_contexts(step: FetchStep) -> tuple[ContextVariable, ...]:
    """Return the variables that an entity step takes from objects above its own, sorted by name."""
    return tuple(step.contexts[name] for name in sorted(step.contexts))


def _print_entities(bodies: list[tuple[SelectionTree, str]]) -> str:
    fragments = " ".join(f"... on {tree.type_name} {body}" for tree, body in sorted(bodies, key=_by_type_name))
    return f"{{ {fragments} }}"


def collect_targets(step: FetchStep) -> tuple[EntityTarget, ...]:
    """Return an entity step's targets, joining the types that are sent alike.

    Objects whose own type is not known stand under their interface's name: all of them are sent alike.
    """
    if step.unknown_as is not None:
        unknown = {name: target for name, target in step.targets.items() if target.sent_typename == step.unknown_as}
        if unknown:
            selections = merge_representations(one for name in sorted(unknown) for one in unknown[name].selections)
            known = {name: target for name, target in step.targets.items() if name not in unknown}
            first = EntityTarget((step.unknown_as, *sorted(unknown)), step.unknown_as, tuple(selections))
            return (
                first,
                *(
                    EntityTarget((name,), target.sent_typename, tuple(target.selections))
                    for name, target in sorted(known.items())
                ),
            )
    joined: dict[tuple[str, tuple[object, ...]], list[str]] = {}
    for name, target in sorted(step.targets.items()):
        joined.setdefault((target.sent_typename, tuple(target.selections)), []).append(name)
    return tuple(
        EntityTarget(tuple(names), sent_typename, tuple(step.targets[names[0]].selections))
        for (sent_typename, _), names in joined.items()
    )


def _by_type_name(pair: tuple[SelectionTree, str]) -> str:
    return pair[0].type_name


class _Printer:
    """Prints one step's trees and notes the client's variables; *holding* are literals known to hold.

    *names* are other names for variables from contexts.
    """

    def __init__(
        self, graph: Graph, subgraph: str, holding: frozenset[Literal], names: Mapping[str, str] = NO_NAMES
    ) -> None:
        self._graph = graph
        self._subgraph = subgraph
        self._holding = holding
        self._names = names
        self.variables: set[str] = set()

    def print_tree(self, tree: SelectionTree) -> str:
        parts: dict[str | None, list[str]] = {None: []}
        for one in tree.fields:
            for type_name in self._type_conditions(tree, one):
                parts.setdefault(type_name, []).extend(self._print_field(one))
        direct = parts.pop(None)
        texts = direct + [f"... on {name} {{ {' '.join(inner)} }}" for name, inner in parts.items()]
        # Objects of which nothing is wanted but that they are there, or of types that cannot come from here.
        return f"{{ {' '.join(texts) or '__typename'} }}"

    def _type_conditions(self, tree: SelectionTree, one: TreeField) -> tuple[str | None, ...]:
        """Return the fragments a field has to stand in; None for none.

        1. All objects here have it: no fragment, if the static type has the field. An interface object's fields are
           asked of all objects, for the subgraph cannot tell their types.
        2. An interface of the subgraph has exactly the objects meant: a fragment on it.
        3. Else a fragment on each type.
        """
        types = one.types & tree.types
        if not types:
            return ()
        if types == tree.types and self._has_field(tree.type_name, one):
            return (None,)
        if self._graph.is_interface_object(self._subgraph, tree.type_name):
            return (None,)
        if len(types) > 1 and one.name != "__typename":
            shared = frozenset.intersection(
                *(frozenset(self._graph.supergraph.types[name].interfaces) for name in types)
            )
            for interface in sorted(shared):
                if (
                    self._graph.is_abstract_in(self._subgraph, interface)
                    and self._graph.runtime_types(self._subgraph, interface) & tree.types == types
                    and self._has_field(interface, one)
                ):
                    return (interface,)
        return tuple(sorted(types))

    def _has_field(self, type_name: str, one: TreeField) -> bool:
        if one.name == "__typename":
            return True
        located = self._graph.interface_field(self._subgraph, type_name, one.name)
        if not self._graph.is_abstract_in(self._subgraph, type_name):
            return True
        if one.arguments and any(argument.is_from_context for argument in one.arguments):
            # An interface's field does not have the argument
            return False
        return located is not None and (one.below is None or located.type_name == one.below.type_name)

    def _print_field(self, one: TreeField) -> list[str]:
        alias = f"{one.response_key}: " if one.response_key != one.name else ""
        arguments = one.arguments
        if self._names:
            arguments = tuple(self._rename(argument) for argument in arguments)
        text = f"{alias}{one.name}{print_arguments(arguments)}"
        for argument in arguments:
            self.variables.update(argument.variables)
        for directive in one.directives:
            self.variables.update(directive.variables)
            text += f" {directive.text}"
        body = f" {self.print_tree(one.below)}" if one.below else ""
        guard = one.guard
        if len(guard) > 1 and len(guard) * len(body) > _MOST_REPEATED_CHARACTERS:
            # Alternatives at each level would double the document with each. What is below has its own conditions.
            guard = loosen(guard)
        return [
            self._print_guarded(text, body, tuple(literal for literal in alternative if literal not in self._holding))
            for alternative in sorted_alternatives(guard)
        ]

    def _rename(self, argument: Argument) -> Argument:
        if not argument.is_from_context:
            return argument
        return replace(argument, text=f"${self._names[argument.text[1:]]}")

    def _print_guarded(self, text: str, body: str, literals: tuple[Literal, ...]) -> str:
        """Return the field with its conditions; `@include` and `@skip` may each stand once on it, more wrap it."""
        self.variables.update(variable for variable, _ in literals)
        includes = [f"@include(if: ${variable})" for variable, value in literals if value]
        skips = [f"@skip(if: ${variable})" for variable, value in literals if not value]
        directives = "".join(f" {one}" for one in (*includes[:1], *skips[:1]))
        guarded = f"{text}{directives}{body}"
        for one in (*includes[1:], *skips[1:]):
            guarded = f"... {one} {{ {guarded} }}"
        return guarded
