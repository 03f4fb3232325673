"""Put steps into sequence and parallel: last stage of planning."""

from collections.abc import Iterable, Iterator
from itertools import count

from router.planner.documents import guard_of, print_batch, print_fetch
from router.planner.fetch_graph import FetchStep, in_order, measure_depths
from router.planner.graph import Graph
from router.planner.guards import ALWAYS, Guard, loosen, sorted_alternatives
from router.planner.operation import Block, Operation, SelectionSet
from router.planner.plan import (
    BatchFetch,
    Condition,
    Defer,
    DeferredBlock,
    DeferredField,
    Fetch,
    Flatten,
    Parallel,
    PlanNode,
    Sequence,
)

# A request stands in the plan once for each alternative, and more often where alternatives have several literals.
_MOST_COPIES = 16


def schedule_steps(graph: Graph, operation: Operation, groups: tuple[tuple[FetchStep, ...], ...]) -> PlanNode | None:
    """Return the plan of groups of steps that run one after another; None when there are none.

    Deferred steps run beside them, from when what they wait for is through.
    """
    scheduler = _Scheduler(graph, operation)
    primary = _in_sequence(scheduler.arrange([step for step in group if not step.block]) for group in groups)
    deferred = [step for group in groups for step in group if step.block]
    return Defer(primary, scheduler.arrange_blocks(primary, deferred)) if deferred else primary


class _Scheduler:
    """Makes nodes of steps. Mutable on purpose: it remembers which request each step became."""

    def __init__(self, graph: Graph, operation: Operation) -> None:
        self._graph = graph
        self._operation = operation
        self._requests: dict[FetchStep, PlanNode] = {}

    def arrange_blocks(self, primary: PlanNode | None, steps: list[FetchStep]) -> tuple[DeferredBlock, ...]:
        """Arrange deferred steps; all others are arranged already.

        Steps of one block that do not wait for each other become parts of their own, since each may wait for something
        else. A part comes after those that it waits for.
        """
        number_of: dict[int, int] = {}
        # A request that stands in several branches of conditions is written, and so counted, several times.
        numbers = count(1)
        if primary is not None:
            number_of.update(zip(map(id, _requests(primary)), numbers, strict=False))
        fields = _first_fields(self._operation.selections)
        arranged: list[DeferredBlock] = []
        for members in _connected(steps):
            block = members[0].block
            inside = set(members)
            waits_for = {self._requests[one] for step in members for one in step.waits_for if one not in inside}
            node = self.arrange(members)
            if node is not None:
                waited = tuple(sorted(number_of[id(request)] for request in waits_for))
                arranged.append(DeferredBlock(block, tuple(fields[block]), waited, node))
                number_of.update(zip(map(id, _requests(node)), numbers, strict=False))
        return tuple(arranged)

    def arrange(self, steps: list[FetchStep]) -> PlanNode | None:
        """Arrange steps whose outside waits are over."""
        return _arrange(self, steps)

    def node_of(self, step: FetchStep) -> PlanNode:
        """Return the request of a step, under its condition."""
        graph, operation = self._graph, self._operation
        request: PlanNode
        batch = (step, *step.batched)
        guards = {guard_of(one) for one in batch}
        # A condition of all parts decides about the request, which needs not look at them then.
        guard = guards.pop() if len(guards) == 1 else ALWAYS
        is_tangled = _count_copies(guard) > _MOST_COPIES
        if is_tangled:
            # Parts of a batch have conditions of their own. Any other request is made although it may ask for nothing:
            # its fields have their conditions in its document.
            guard = loosen(guard)
        if step.batched or (is_tangled and step.is_entity_step):
            request = print_batch(graph, operation, batch, holds=guard)
        else:
            fetch = print_fetch(graph, operation, step)
            request = Flatten(step.path, fetch) if step.path or step.is_entity_step else fetch
        self._requests[step] = request
        return _under_guard(request, guard)


def _connected(steps: list[FetchStep]) -> list[list[FetchStep]]:
    """Divide deferred steps into those of one block that wait for each other; what is waited for comes first."""
    part_of: dict[FetchStep, list[FetchStep]] = {}
    blocks: dict[Block, dict[int, list[FetchStep]]] = {}
    for step in in_order(steps):
        parts = blocks.setdefault(step.block, {})
        touched = {id(part_of[one]): part_of[one] for one in step.waits_for if one.block == step.block}
        if len(touched) > 1:
            touched = {number: part for number, part in parts.items() if number in touched}
        joined, *others = touched.values() or ([],)
        for part in others:
            joined += part
            part_of.update(dict.fromkeys(part, joined))
        joined.append(step)
        part_of[step] = joined
        for number in touched:
            del parts[number]
        parts[id(joined)] = joined
    # A block waits for those around it only, so they can be brought into an order
    around: dict[Block, set[Block]] = {block: set() for block in blocks}
    for step in steps:
        around[step.block].update(one.block for one in step.waits_for)
    placed: dict[Block, None] = {}
    left = list(blocks)
    while left:
        here = [block for block in left if around[block] - {(), block} <= placed.keys()]
        assert here, "blocks wait for each other"
        placed.update(dict.fromkeys(here))
        left = [block for block in left if block not in placed]
    return [part for block in placed for part in blocks[block].values()]


def _requests(node: PlanNode) -> Iterator[PlanNode]:
    """Yield the requests of a plan in the order in which it is written."""
    match node:
        case Fetch() | Flatten() | BatchFetch():
            yield node
        case Sequence(nodes) | Parallel(nodes):
            for inner in nodes:
                yield from _requests(inner)
        case Condition(_, then, otherwise):
            for branch in (then, otherwise):
                if branch is not None:
                    yield from _requests(branch)
        case Defer(primary, blocks):
            for part in (primary, *(block.node for block in blocks)):
                if part is not None:
                    yield from _requests(part)


def _first_fields(selections: SelectionSet) -> dict[Block, list[DeferredField]]:
    """Return for each block the fields at which it begins."""
    found: dict[Block, list[DeferredField]] = {}

    def look(selections: SelectionSet, path: tuple[str, ...], outer: Block) -> None:
        for one in selections.fields:
            below = (*path, one.response_key)
            if one.block != outer:
                found.setdefault(one.block, []).append(DeferredField(below, one.types))
            if one.selections:
                look(one.selections, below, one.block)

    look(selections, (), ())
    return found


def _arrange(scheduler: _Scheduler, steps: list[FetchStep]) -> PlanNode | None:
    """Arrange steps whose outside waits are over.

    1. A step that waits (through others) for one of those that are ready follows that one, and so on inside. A step
       that waits for several of them follows when all these are through, with all that follows them.
    2. Where that would make a chain longer than any in the graph (what follows one of them is long, and so is what
       follows all of them), all that are ready run together, and then the rest is arranged.

    So the plan is never deeper than the longest chain of steps that wait for each other.
    """
    if not steps:
        return None
    if len(steps) == 1:
        return scheduler.node_of(steps[0])
    pending = set(steps)
    ready: list[FetchStep] = []
    # For every step the ready ones that it waits for in the end.
    origins: dict[FetchStep, frozenset[FetchStep]] = {}
    for step in in_order(steps):
        waits = [one for one in step.waits_for if one in pending]
        if not waits:
            ready.append(step)
        above = {origins[one] for one in waits}
        origins[step] = frozenset().union(*above) if len(above) > 1 else above.pop() if above else frozenset({step})
    team_of = _teams(ready, origins.values())
    followers: dict[FetchStep, list[FetchStep]] = {step: [] for step in ready}
    joint: dict[FetchStep, list[FetchStep]] = {team: [] for team in team_of.values()}
    for step in steps:
        origin, *others = origins[step]
        if others:
            joint[team_of[origin]].append(step)
        elif step is not origin:
            followers[origin].append(step)
    teams: dict[FetchStep, list[FetchStep]] = {}
    for step in ready:
        teams.setdefault(team_of[step], []).append(step)
    arranged: list[PlanNode | None] = []
    for team, members in teams.items():
        later = joint[team]
        if later and _would_be_deeper(members, followers, later):
            own = {one for member in members for one in followers[member]}.union(later)
            together = _in_parallel(scheduler.node_of(member) for member in members)
            rest = _arrange(scheduler, [one for one in steps if one in own])
            arranged.append(_in_sequence([together, rest]))
            continue
        started = _in_parallel(
            _in_sequence([scheduler.node_of(member), _arrange(scheduler, followers[member])]) for member in members
        )
        arranged.append(_in_sequence([started, _arrange(scheduler, later)]))
    return _in_parallel(arranged)


def _would_be_deeper(
    members: list[FetchStep], followers: dict[FetchStep, list[FetchStep]], later: list[FetchStep]
) -> bool:
    """Tell whether letting *later* wait for all that follows the members is longer than the graph demands."""
    own = [one for member in members for one in followers[member]]
    longest = 1 + _depth(own)
    return longest + _depth(later) > _depth([*members, *own, *later])


def _depth(steps: list[FetchStep]) -> int:
    return max(measure_depths(steps).values(), default=0)


def _teams(ready: list[FetchStep], origins: Iterable[frozenset[FetchStep]]) -> dict[FetchStep, FetchStep]:
    """Join ready steps that some later step waits for together; return for each the one that stands for its team."""
    leader_of = {step: step for step in ready}

    def find(step: FetchStep) -> FetchStep:
        while leader_of[step] is not step:
            leader_of[step] = leader_of[leader_of[step]]
            step = leader_of[step]
        return step

    for first, *others in set(origins):
        for step in others:
            leader_of[find(step)] = find(first)
    return {step: find(step) for step in ready}


def _count_copies(guard: Guard) -> int:
    """Return how often `_under_guard` writes the node: 2**n times for n alternatives of two literals."""
    copies = 0
    for alternative in reversed(sorted_alternatives(guard)):
        copies = 1 + len(alternative) * copies
    return copies


def _under_guard(node: PlanNode, guard: Guard) -> PlanNode:
    """Return the node to run only if the guard holds."""
    if guard == ALWAYS:
        return node
    wrapped: PlanNode | None = None
    # Alternatives are tried one after the other: the last is innermost.
    for alternative in reversed(sorted_alternatives(guard)):
        otherwise = wrapped
        branch = node
        for variable, value in reversed(alternative):
            if value:
                branch = Condition(variable, branch, otherwise)
            else:
                branch = Condition(variable, otherwise, branch)
        wrapped = branch
    return wrapped or node


def _in_sequence(nodes: Iterable[PlanNode | None]) -> PlanNode | None:
    flat: list[PlanNode] = []
    for node in nodes:
        match node:
            case None:
                continue
            case Sequence(inner):
                flat.extend(inner)
            case _:
                flat.append(node)
    return flat[0] if len(flat) == 1 else Sequence(tuple(flat)) if flat else None


def _in_parallel(nodes: Iterable[PlanNode | None]) -> PlanNode | None:
    flat: list[PlanNode] = []
    for node in nodes:
        match node:
            case None:
                continue
            case Parallel(inner):
                flat.extend(inner)
            case _:
                flat.append(node)
    return flat[0] if len(flat) == 1 else Parallel(tuple(flat)) if flat else None
