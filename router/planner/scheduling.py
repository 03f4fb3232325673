"""Put steps into sequence and parallel: last stage of planning."""

from collections.abc import Iterable

from router.planner.documents import guard_of, print_batch, print_fetch
from router.planner.fetch_graph import FetchStep, in_order, measure_depths
from router.planner.graph import Graph
from router.planner.guards import ALWAYS, Guard, sorted_alternatives
from router.planner.operation import Operation
from router.planner.plan import Condition, Flatten, Parallel, PlanNode, Sequence


def schedule_steps(graph: Graph, operation: Operation, groups: tuple[tuple[FetchStep, ...], ...]) -> PlanNode | None:
    """Return the plan of groups of steps that run one after another; None when there are none."""
    return _in_sequence(_arrange(graph, operation, list(group)) for group in groups)


def _arrange(graph: Graph, operation: Operation, steps: list[FetchStep]) -> PlanNode | None:
    """Arrange steps whose outside waits are over.

    1. A step that waits (through others) for one of those that are ready follows that one, and so on inside. A step
       that waits for several of them follows when all these are through, with all that follows them.
    2. Where that would make a chain longer than any in the graph (what follows one of them is long, and so is what
       follows all of them), all that are ready run together, and then the rest is arranged.

    So the plan is never deeper than the longest chain of steps that wait for each other.
    """
    if not steps:
        return None
    pending = set(steps)
    ready: list[FetchStep] = []
    # For every step the ready ones that it waits for in the end.
    origins: dict[FetchStep, frozenset[FetchStep]] = {}
    for step in in_order(steps):
        waits = [one for one in step.waits_for if one in pending]
        if not waits:
            ready.append(step)
        origins[step] = frozenset({step}).union(*(origins[one] for one in waits)) & frozenset(ready)
    team_of = _teams(ready, origins.values())
    followers: dict[FetchStep, list[FetchStep]] = {step: [] for step in ready}
    joint: dict[frozenset[FetchStep], list[FetchStep]] = {team: [] for team in team_of.values()}
    for step in steps:
        origin, *others = origins[step]
        if others:
            joint[team_of[origin]].append(step)
        elif step is not origin:
            followers[origin].append(step)
    teams: dict[frozenset[FetchStep], list[FetchStep]] = {}
    for step in ready:
        teams.setdefault(team_of[step], []).append(step)
    arranged: list[PlanNode | None] = []
    for team, members in teams.items():
        later = joint[team]
        if later and _would_be_deeper(members, followers, later):
            own = {one for member in members for one in followers[member]}.union(later)
            together = _in_parallel(_node(graph, operation, member) for member in members)
            rest = _arrange(graph, operation, [one for one in steps if one in own])
            arranged.append(_in_sequence([together, rest]))
            continue
        started = _in_parallel(
            _in_sequence([_node(graph, operation, member), _arrange(graph, operation, followers[member])])
            for member in members
        )
        arranged.append(_in_sequence([started, _arrange(graph, operation, later)]))
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


def _teams(ready: list[FetchStep], origins: Iterable[frozenset[FetchStep]]) -> dict[FetchStep, frozenset[FetchStep]]:
    """Join ready steps that some later step waits for together; return the team of each."""
    team_of = {step: frozenset({step}) for step in ready}
    for joint in origins:
        if len(joint) == 1:
            continue
        joined = frozenset().union(*(team_of[step] for step in joint))
        for step in joined:
            team_of[step] = joined
    return team_of


def _node(graph: Graph, operation: Operation, step: FetchStep) -> PlanNode:
    if step.batched:
        batch = (step, *step.batched)
        guards = {guard_of(one) for one in batch}
        # A condition of all parts decides about the request, which needs not look at them then.
        shared = guards.pop() if len(guards) == 1 else ALWAYS
        return _under_guard(print_batch(graph, operation, batch, holds=shared), shared)
    fetch = print_fetch(graph, operation, step)
    node: PlanNode = Flatten(step.path, fetch) if step.path or step.is_entity_step else fetch
    return _under_guard(node, guard_of(step))


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
