"""Plan an operation: from stage to stage."""

from dataclasses import dataclass

from graphql import DocumentNode

from router.planner.building import build_fetch_graph
from router.planner.documents import format_steps
from router.planner.fetch_graph import FetchStep
from router.planner.graph import Graph, graph_of
from router.planner.normalising import normalise_operation
from router.planner.operation import Operation, format_operation
from router.planner.passes import optimise
from router.planner.paths import PathFinder
from router.planner.plan import Plan
from router.planner.plan_text import format_plan
from router.planner.scheduling import schedule_steps
from router.planner.sites import Site, format_assignment
from router.supergraph import Supergraph


@dataclass(frozen=True, slots=True)
class Stages:
    """Every stage of one planning as text, to find the first that goes wrong."""

    operation: str
    paths: str
    fetch_graph: str
    optimised_fetch_graph: str
    plan: str


def plan_operation(
    supergraph: Supergraph,
    document: DocumentNode,
    operation_name: str | None = None,
    labels: frozenset[str] = frozenset(),
) -> Plan:
    """Take a document that is valid for the API schema and return the plan of one of its operations.

    *labels* are the progressive override labels that are active for this request. Equal questions get equal plans.
    Raises PlanningError when there is no such operation or a field of it cannot be reached.
    """
    graph = graph_of(supergraph, labels)
    operation = normalise_operation(graph, document, operation_name)
    return _finish(graph, operation, build_fetch_graph(PathFinder(graph), operation))


def explain_operation(
    supergraph: Supergraph,
    document: DocumentNode,
    operation_name: str | None = None,
    labels: frozenset[str] = frozenset(),
) -> Stages:
    """Plan an operation and return what each stage handed on; raises what `plan_operation` does."""
    graph = graph_of(supergraph, labels)
    operation = normalise_operation(graph, document, operation_name)
    finder = PathFinder(graph)
    groups = build_fetch_graph(finder, operation)
    before = format_steps(graph, groups)
    plan = _finish(graph, operation, groups)
    return Stages(
        operation=format_operation(operation),
        paths=format_assignment(finder.assign(Site(None, operation.selections.type_name), operation.selections)),
        fetch_graph=before,
        # The passes change steps in place, so that a second building shows what they made of them.
        optimised_fetch_graph=format_steps(graph, _optimise(graph, build_fetch_graph(PathFinder(graph), operation))),
        plan=format_plan(plan),
    )


def _finish(graph: Graph, operation: Operation, groups: tuple[tuple[FetchStep, ...], ...]) -> Plan:
    return Plan(operation.kind, schedule_steps(graph, operation, _optimise(graph, groups)))


def _optimise(graph: Graph, groups: tuple[tuple[FetchStep, ...], ...]) -> tuple[tuple[FetchStep, ...], ...]:
    return tuple(optimise(graph, group) for group in groups)
