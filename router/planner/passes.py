"""Optimisation passes over the fetch graph, each a function from steps to steps."""

from collections.abc import Callable, Iterable
from typing import TypeAlias

from router.planner.documents import collect_contexts, guard_of, print_selections
from router.planner.fetch_graph import FetchStep, SelectionTree, Target, TreeField, ancestors, measure_depths
from router.planner.graph import Graph
from router.planner.guards import ALWAYS, implies
from router.planner.operation import Block
from router.planner.plan import ResponsePath, TypeElement
from router.planner.representations import can_not_be_merged, merge_representations

_DepthGroup: TypeAlias = tuple[str, int, Block]


def optimise(graph: Graph, steps: tuple[FetchStep, ...]) -> tuple[FetchStep, ...]:
    """Apply all passes in their order."""
    steps = merge_sibling_steps(graph, steps)
    steps = merge_steps_of_sibling_types(graph, steps)
    steps = drop_deferred_steps_asked_anyway(graph, steps)
    steps = delay_steps_to_later_ones_alike(graph, steps)
    steps = batch_steps_of_one_depth(steps)
    return drop_implied_waits(steps)


def merge_sibling_steps(graph: Graph, steps: tuple[FetchStep, ...]) -> tuple[FetchStep, ...]:
    """Merge entity steps that ask one subgraph about the objects at one path.

    They arise where a field is selected twice, once under a condition. One request brings both answers; it may start
    later than the earlier one of the two could have, but never waits for itself.
    """

    def can_merge(left: FetchStep, right: FetchStep) -> bool:
        return _can_merge_siblings(left, right) and not _ask_differently(graph, left, right)

    return _merge_all(steps, lambda step: [(step.subgraph, step.path, step.block)], can_merge, _merge_siblings)


def merge_steps_of_sibling_types(graph: Graph, steps: tuple[FetchStep, ...]) -> tuple[FetchStep, ...]:
    """Merge entity steps that ask the same about objects below different types of one parent.

    They arise where a subgraph's interface lacks a field that all its types have: `|Bag|.owner` and `|Crate|.owner`.
    """

    questions: dict[FetchStep, tuple[object, ...]] = {}

    def marks(step: FetchStep) -> list[object]:
        if step not in questions:
            sent = (_sent(step), collect_contexts(step))
            questions[step] = (step.block, step.conditional_on, print_selections(graph, step), sent)
        # The path with one element left open: two that differ in the types of one element have such a mark in common.
        return [
            (step.subgraph, step.path[:position], step.path[position + 1 :], questions[step])
            for position, element in enumerate(step.path)
            if isinstance(element, TypeElement)
        ] or [(step.subgraph, step.path, questions[step])]

    def can_merge(left: FetchStep, right: FetchStep) -> bool:
        return not left.renames and not right.renames

    def merge(left: FetchStep, right: FetchStep) -> None:
        left.path = _join_paths(left.path, right.path)

    return _merge_all(steps, marks, can_merge, merge)


def drop_deferred_steps_asked_anyway(graph: Graph, steps: tuple[FetchStep, ...]) -> tuple[FetchStep, ...]:
    """Drop deferred steps that bring nothing which the first answer's steps do not bring to the same objects.

    They arise where a deferred field requires what the client also asks for outside of the `@defer`.
    """
    replaced: dict[FetchStep, FetchStep] = {}
    undeferred: dict[tuple[object, ...], list[FetchStep]] = {}
    for step in steps:
        if step.is_entity_step and not step.block and guard_of(step) == ALWAYS:
            undeferred.setdefault((step.subgraph, step.path, step.unknown_as), []).append(step)
    for step in steps:
        if not step.block or not step.is_entity_step:
            continue
        for known in undeferred.get((step.subgraph, step.path, step.unknown_as), ()):
            if (
                not step.renames
                and known.targets.keys() >= step.targets.keys()
                and known.contexts.items() >= step.contexts.items()
                and all(
                    name in known.trees and _selects_all_of(known.trees[name], tree)
                    for name, tree in step.trees.items()
                )
            ):
                replaced[step] = known
                break
    kept = tuple(step for step in steps if step not in replaced)
    for step in kept:
        step.waits_for = dict.fromkeys(replaced.get(one, one) for one in step.waits_for)
    return kept


def delay_steps_to_later_ones_alike(graph: Graph, steps: tuple[FetchStep, ...]) -> tuple[FetchStep, ...]:
    """Let entity steps wait until their subgraph is asked the very same anyway, so that one request can do for both.

    Only steps on no critical path are delayed: nothing waits for them before that later request is through, so no
    step starts later for it and the plan gets no deeper. And the later request must ask the same of the same kind of
    objects under the same condition: then it takes as long with them as without (entities that are in both are even
    asked once), whereas a slow field of theirs would hold the answer up where it used to overlap with other requests.
    Nor is anything delayed from a request that has to be made nevertheless, for other steps of the same depth.
    """
    depths = measure_depths(steps)
    groups = _group_by_depth(steps, depths)
    deepest = max(depths.values(), default=0)
    dependents = _find_dependents(steps)
    marks: dict[FetchStep, tuple[object, ...]] = {}

    def mark(step: FetchStep) -> tuple[object, ...]:
        if step not in marks:
            sent = (_sent(step), collect_contexts(step))
            marks[step] = (print_selections(graph, step), sent, step.unknown_as, tuple(step.renames), guard_of(step))
        return marks[step]

    # The deepest first: what others are delayed to stays where it is then, and what waits for them is delayed already.
    for subgraph, depth, block in sorted(groups, key=_deepest_first):
        delayed = groups[subgraph, depth, block]
        free_until = min((depths[one] for step in delayed for one in dependents[step]), default=deepest + 1)
        for later in range(depth + 1, free_until):
            alike = {mark(step): step for step in groups.get((subgraph, later, block), ())}
            if alike and all(mark(step) in alike for step in delayed):
                for step in delayed:
                    step.wait_for(alike[mark(step)].waits_for)
                    depths[step] = later
                groups[subgraph, later, block].extend(delayed)
                groups[subgraph, depth, block] = []
                break
    return steps


def batch_steps_of_one_depth(steps: tuple[FetchStep, ...]) -> tuple[FetchStep, ...]:
    """Put entity steps of one subgraph that start at the same depth into one request, whatever they ask about what.

    No chain of steps gets longer: all that any of them waits for is less deep, so the shared request is at the depth
    of each, and so is everything behind it. Nor can they wait for each other.
    """
    replaced: dict[FetchStep, FetchStep] = {}
    for group in _group_by_depth(steps, measure_depths(steps)).values():
        first, *others = group
        for step in others:
            first.batched.append(step)
            first.wait_for(step.waits_for)
            replaced[step] = first
    kept = tuple(step for step in steps if step not in replaced)
    for step in kept:
        step.waits_for = dict.fromkeys(replaced.get(one, one) for one in step.waits_for)
    return kept


def drop_implied_waits(steps: tuple[FetchStep, ...]) -> tuple[FetchStep, ...]:
    """Drop the steps that a step waits for through another one anyway."""
    for step in steps:
        if len(step.waits_for) > 1:
            implied = ancestors(one for other in step.waits_for for one in other.waits_for)
            step.waits_for = {one: None for one in step.waits_for if one not in implied}
    return steps


def _group_by_depth(steps: tuple[FetchStep, ...], depths: dict[FetchStep, int]) -> dict[_DepthGroup, list[FetchStep]]:
    """Return the entity steps by subgraph, depth and block: what is deferred is not asked with what is not."""
    groups: dict[_DepthGroup, list[FetchStep]] = {}
    for step in steps:
        if step.is_entity_step:
            groups.setdefault((step.subgraph, depths[step], step.block), []).append(step)
    return groups


def _deepest_first(group: _DepthGroup) -> tuple[int, str, tuple[int, ...]]:
    subgraph, depth, block = group
    return (-depth, subgraph, tuple(one.number for one in block))


def _selects_all_of(known: SelectionTree, wanted: SelectionTree) -> bool:
    """Tell whether a tree has every field of another one, with all below it, under no condition."""

    def has(one: TreeField) -> bool:
        return any(
            (other.name, other.arguments) == (one.name, one.arguments)
            and other.types >= one.types
            and other.guard == ALWAYS
            and (one.below is None or (other.below is not None and _selects_all_of(other.below, one.below)))
            for other in known.fields_at(one.response_key)
        )

    return all(has(one) for one in wanted.fields)


def _merge_all(
    steps: tuple[FetchStep, ...],
    marks: Callable[[FetchStep], list[object]],
    can_merge: Callable[[FetchStep, FetchStep], bool],
    merge: Callable[[FetchStep, FetchStep], None],
) -> tuple[FetchStep, ...]:
    """Merge entity steps with a mark in common into the first of them, unless one waits for the other.

    Marks find the few steps that can be meant, instead of comparing each with each.
    """
    kept: dict[object, dict[FetchStep, None]] = {}
    order: dict[FetchStep, int] = {}
    replaced: dict[FetchStep, FetchStep] = {}
    dependents = _find_dependents(steps)
    for step in steps:
        if not step.is_entity_step:
            continue
        alike = {known for mark in marks(step) for known in kept.get(mark, ())}
        for known in sorted(alike, key=order.__getitem__):
            if can_merge(known, step) and known not in ancestors([step]) and step not in ancestors([known]):
                old_marks = marks(known)
                merge(known, step)
                known.wait_for(step.waits_for)
                for other in step.waits_for:
                    # Steps are not sorted by who waits for whom: it may be merged into another one yet
                    dependents[other].append(known)
                for other in dependents[step]:
                    if step in other.waits_for:
                        del other.waits_for[step]
                        other.wait_for([known])
                dependents[known] += dependents[step]
                replaced[step] = known
                for mark in old_marks:
                    del kept[mark][known]
                break
        else:
            known = step
            order[step] = len(order)
        for mark in marks(known):
            kept.setdefault(mark, {})[known] = None
    return tuple(step for step in steps if step not in replaced)


def _find_dependents(steps: tuple[FetchStep, ...]) -> dict[FetchStep, list[FetchStep]]:
    dependents: dict[FetchStep, list[FetchStep]] = {step: [] for step in steps}
    for step in steps:
        for one in step.waits_for:
            dependents[one].append(step)
    return dependents


def _can_merge_siblings(left: FetchStep, right: FetchStep) -> bool:
    return (
        (_can_take_condition(left, right) or _can_take_condition(right, left))
        and left.unknown_as == right.unknown_as
        and (left.only_for is right.only_for is None or left.targets.keys() == right.targets.keys())
        and not left.renames
        and not right.renames
        and left.shape.agrees_with(right.shape)
        and all(left.contexts.get(name, one) == one for name, one in right.contexts.items())
        and not any(
            name in left.targets
            and (
                left.targets[name].sent_typename != target.sent_typename
                or can_not_be_merged(left.targets[name].selections, target.selections)
            )
            for name, target in right.targets.items()
        )
    )


def _ask_differently(graph: Graph, left: FetchStep, right: FetchStep) -> bool:
    """Tell whether both use one response key for different fields of objects that the request cannot tell apart."""
    for type_name, tree in right.trees.items():
        known = left.trees.get(type_name)
        if known is None:
            continue
        are_alike = graph.is_interface_object(left.subgraph, type_name)
        for one in tree.fields:
            for other in known.fields_at(one.response_key):
                if (are_alike or one.types & other.types) and (
                    one.name != other.name
                    or one.arguments != other.arguments
                    or (are_alike and one.below is not None and one.types != other.types)
                ):
                    return True
    return False


def _can_take_condition(left: FetchStep, right: FetchStep) -> bool:
    """Tell whether all that both send is there whenever the left one may run."""
    if left.conditional_on == right.conditional_on:
        return True
    return (
        implies(right.conditional_on, left.conditional_on)
        and right.contexts.items() <= left.contexts.items()
        and all(
            name in left.targets
            and merge_representations([*left.targets[name].selections, *target.selections])
            == left.targets[name].selections
            for name, target in right.targets.items()
        )
    )


def _merge_siblings(left: FetchStep, right: FetchStep) -> None:
    """Move all of the right step into the left one."""
    if not _can_take_condition(left, right):
        left.conditional_on = right.conditional_on
    left.shape.take(right.shape)
    left.contexts.update(right.contexts)
    for type_name, tree in right.trees.items():
        if type_name in left.trees:
            _take_tree(left.trees[type_name], tree)
        else:
            left.trees[type_name] = tree
    for name, target in right.targets.items():
        known = left.targets.setdefault(name, Target(target.sent_typename, []))
        known.selections = merge_representations([*known.selections, *target.selections])


def _take_tree(left: SelectionTree, right: SelectionTree) -> None:
    left.types |= right.types
    for one in right.fields:
        if one.below is None:
            left.add_leaf(one)
        else:
            left.add_composite(one)


def _join_paths(left: ResponsePath, right: ResponsePath) -> ResponsePath:
    """Return the path to what either leads to; they differ in the types of one element at most."""
    return tuple(
        TypeElement(tuple(sorted({*one.type_names, *other.type_names})))
        if isinstance(one, TypeElement) and isinstance(other, TypeElement) and one != other
        else one
        for one, other in zip(left, right, strict=True)
    )


def _sent(step: FetchStep) -> tuple[object, ...]:
    return tuple(_target_mark(step.targets.items()))


def _target_mark(targets: Iterable[tuple[str, Target]]) -> Iterable[tuple[object, ...]]:
    for name, target in sorted(targets):
        yield (name, target.sent_typename, tuple(target.selections))
