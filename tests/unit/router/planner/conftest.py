"""Plans of named supergraphs, each proved on a generated world before a test looks at it."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import pytest
from graphql import parse, print_ast, validate

from router.deferring import decide_defers
from router.planner import Plan, plan_operation
from router.supergraph import Supergraph, read_supergraph
from router.supergraph.api_schema import with_defer
from tests.unit.router.planner.generated_world import World
from tests.unit.router.planner.reference_execution import project, run_plan

SUPERGRAPHS = Path(__file__).parent / "supergraphs"


@cache
def load_supergraph(name: str) -> Supergraph:
    return read_supergraph((SUPERGRAPHS / f"{name}.graphql").read_text())


class PlanFor(Protocol):
    def __call__(
        self,
        name: str,
        query: str,
        variables: Mapping[str, Any] | None = None,
        *,
        operation_name: str | None = None,
        labels: frozenset[str] = frozenset(),
    ) -> Plan: ...


@pytest.fixture
def plan_for() -> PlanFor:
    """Return a function from a supergraph's name and an operation to the plan.

    The plan is run over a generated world with strict subgraphs: its answer must equal that of one schema.
    """

    def plan(
        name: str,
        query: str,
        variables: Mapping[str, Any] | None = None,
        *,
        operation_name: str | None = None,
        labels: frozenset[str] = frozenset(),
    ) -> Plan:
        supergraph = load_supergraph(name)
        document = parse(query)
        assert validate(with_defer(supergraph.api_schema), document) == []
        made = plan_operation(supergraph, document, operation_name, labels)
        if len(document.definitions) == 1:
            prove(World(supergraph, labels), made, query, variables or {})
        return made

    return plan


def prove(world: World, plan: Plan, query: str, variables: Mapping[str, Any]) -> None:
    """Assert that a plan's answer over a world, put together, is the answer of one schema over it."""
    if plan.kind.value == "subscription":
        return
    query = print_ast(decide_defers(parse(query), None))
    data = run_plan(world, plan, variables).data
    got = project(world.supergraph.api_schema, parse(query), data, variables)
    whole = world.execute_whole(query, variables)
    assert whole.errors is None
    assert got.errors is None
    assert got.data == whole.data
