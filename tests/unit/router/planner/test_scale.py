"""The work of planning grows with the operation and the supergraph, not with their combinations.

Work is counted, not timed: lines of the planner that run. Each family of operations (`benchmarks/planner_families.py`)
is planned in a size and in twice that, or one level deeper where each level doubles what is asked.
"""

from functools import cache
from typing import NamedTuple

import pytest
from graphql import DocumentNode, parse

from benchmarks.planner_families import FAMILIES, Family
from router.composition import SubgraphSchema, compose
from router.executor.prepared import prepare_operation
from router.planner import count_fetches, plan_operation
from router.planner.building import build_fetch_graph
from router.planner.graph import graph_of
from router.planner.normalising import normalise_operation
from router.planner.paths import PathFinder
from router.supergraph import Supergraph, read_supergraph
from tests.testkit.counted_work import count_lines
from tests.unit.router.planner.conftest import load_supergraph


class Growth(NamedTuple):
    """Two sizes of a family, and how many times the work of the first the second may take."""

    small: int
    large: int
    factor: float


# Twice the work and a little more. What is more than that says why.
LINEAR = 2.15
GROWTH = {
    "fields of one subgraph": Growth(200, 400, LINEAR),
    "fields of ten subgraphs": Growth(200, 400, LINEAR),
    # 20 and 40 levels: each has a path, which gets longer
    "a hundred levels": Growth(200, 400, 2.5),
    "entities under aliases": Growth(100, 200, LINEAR),
    "entities that ask differently": Growth(100, 200, LINEAR),
    "entities with objects": Growth(100, 200, LINEAR),
    "chains over four subgraphs": Growth(160, 320, LINEAR),
    "deferred fields": Growth(150, 300, LINEAR),
    "root fields below others": Growth(150, 300, LINEAR),
    "mutations in turn": Growth(50, 100, LINEAR),
    "fragments": Growth(500, 1000, LINEAR),
    "one fragment many times": Growth(400, 800, LINEAR),
    "union of 100 types": Growth(400, 800, LINEAR),
    "interface of 100 types": Growth(200, 400, LINEAR),
    "interface objects": Growth(150, 300, LINEAR),
    "fields with a requirement": Growth(100, 200, LINEAR),
    "interchangeable subgraphs": Growth(6, 12, LINEAR),
    "subgraphs with own fields": Growth(3, 6, LINEAR),
    "value types split differently": Growth(2, 4, LINEAR),
    # From each subgraph the ways to all others, through those in between
    "keys shared with neighbours": Growth(6, 12, 7),
    "keys within keys, in a ring": Growth(4, 8, LINEAR),
    # A request's condition has an alternative for each field, and each is compared with the others
    "fields under two conditions": Growth(20, 40, 2.5),
    "one field, many conditions": Growth(20, 40, 2.5),
    "root fields, two conditions": Growth(20, 40, 2.5),
    # At most 16 guards a level, but each names the conditions of all levels above
    "conditions within conditions": Growth(6, 12, 6),
    "fragments under conditions": Growth(6, 12, LINEAR),
    "50 types within themselves": Growth(2, 4, LINEAR),
    # One level more
    "types that go on alike": Growth(4, 5, LINEAR),
    # What requires the last of n fields waits for all of them
    "requirements of requirements": Growth(10, 20, 4),
    "arguments from contexts": Growth(150, 300, LINEAR),
}

# Of preparing its plan, where that grows faster than planning: each level has a fetch, whose path is as long
PREPARING = {"a hundred levels": 4.0, "subgraphs with own fields": 4.0, "keys within keys, in a ring": 2.5}


@cache
def question_of(name: str, size: int) -> tuple[Supergraph, DocumentNode]:
    family = family_called(name)
    question = family.make(size)
    composed = compose([SubgraphSchema(name, sdl, "") for name, sdl in question.subgraphs.items()])
    assert composed.supergraph_sdl is not None
    return read_supergraph(composed.supergraph_sdl), parse(question.operation)


def family_called(name: str) -> Family:
    return next(family for family in FAMILIES if family.name == name)


def count_planning(name: str, size: int) -> int:
    supergraph, document = question_of(name, size)
    # What is worked out about the supergraph is there for the operations to come
    plan_operation(supergraph, document)
    return count_lines(lambda: plan_operation(supergraph, document), "router/planner")


def count_preparing(name: str, size: int) -> int:
    supergraph, document = question_of(name, size)
    plan = plan_operation(supergraph, document)
    return count_lines(lambda: prepare_operation(supergraph.api_schema, plan, document, None), "router/executor")


def test_every_family_of_the_benchmark_is_tested() -> None:
    assert list(GROWTH) == [family.name for family in FAMILIES]


@pytest.mark.parametrize("name", GROWTH)
def test_planning_grows_with_the_operation(name: str) -> None:
    small, large, factor = GROWTH[name]
    assert count_planning(name, large) <= factor * count_planning(name, small)


@pytest.mark.parametrize("name", GROWTH)
def test_preparing_a_plan_grows_with_the_operation(name: str) -> None:
    small, large, factor = GROWTH[name]
    assert count_preparing(name, large) <= PREPARING.get(name, factor) * count_preparing(name, small)


def test_twelve_interchangeable_subgraphs_take_milliseconds() -> None:
    # Less than a microsecond a line; 200 ms are allowed
    assert count_planning("interchangeable subgraphs", 12) <= 50_000


def test_an_interfaces_field_is_looked_at_once_for_all_aliases_and_types() -> None:
    one, many = (count_planning("interface of 100 types", size) for size in (2, 202))
    # 200 fields more, each of which may be of 100 types: a few hundred lines for each, not some for each type
    assert many - one <= 200 * 400


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
