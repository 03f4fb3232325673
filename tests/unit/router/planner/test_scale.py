"""The work of planning grows with the operation and the supergraph, not with their combinations."""

from graphql import parse

from router.planner import count_fetches, plan_operation
from router.planner.building import build_fetch_graph
from router.planner.graph import graph_of
from router.planner.normalising import normalise_operation
from router.planner.paths import PathFinder
from tests.unit.router.planner.conftest import load_supergraph


def count_work(name: str, query: str) -> int:
    """Return how many questions the path finder worked out for an operation."""
    graph = graph_of(load_supergraph(name), frozenset())
    finder = PathFinder(graph)
    build_fetch_graph(finder, normalise_operation(graph, parse(query), None))
    return finder.answer_count


def nested(depth: int, fields: str) -> str:
    return "{ thing " + f"{{ {fields} child " * depth + "{ id }" + " }" * depth + " }"


def test_interchangeable_subgraphs_at_ten_levels_are_looked_at_once_per_level() -> None:
    shallow, deep = (count_work("interchangeable", nested(depth, "a b")) for depth in (5, 10))
    assert shallow <= 12 * 12
    assert deep <= 2 * shallow


def test_subgraphs_with_own_fields_are_looked_at_once_per_level_each() -> None:
    own = " ".join(f"u{number}" for number in range(12))
    shallow, deep = (count_work("interchangeable-with-own-fields", nested(depth, own)) for depth in (5, 10))
    # Twelve sites a level, and for each what is asked there and how to get away.
    assert shallow <= 5 * 12 * 3
    assert deep <= 2 * shallow + 12


def test_fragments_that_double_at_every_level_stay_small() -> None:
    spreads = " ".join(
        f"fragment F{number} on Thing {{ child {{ ...F{number + 1} ...F{number + 1} }} ...F{number + 1} }}"
        for number in range(12)
    )
    query = f"{{ thing {{ ...F0 }} }} {spreads} fragment F12 on Thing {{ a }}"
    assert count_work("interchangeable", query) <= 12 * 20 * 3


def test_wide_operation_is_planned_as_one_request_per_subgraph() -> None:
    fields = " ".join(f"x{number}: name" for number in range(3000))
    plan = plan_operation(load_supergraph("entity-fetch"), parse(f"{{ orders {{ product {{ {fields} }} }} }}"))
    assert count_fetches(plan.root) == 2
