"""The supergraphs of these tests were composed by Apollo's composition; the project's own gives the same plans.

The subgraphs are in `cases/`, one file a supergraph, `# subgraph NAME` before each; `supergraphs/` has what Apollo's
composition (@apollo/composition 2.x) made of them with the header below.
"""

import random
import re

import pytest
from graphql import lexicographic_sort_schema, parse, print_schema

from router.composition import compose
from router.composition.model import SubgraphSchema
from router.planner import format_plan, plan_operation
from router.supergraph import Supergraph, read_supergraph
from tests.unit.router.planner.conftest import SUPERGRAPHS, load_supergraph
from tests.unit.router.planner.random_operations import OperationMaker

CASES = SUPERGRAPHS.parent / "cases"
HEADER = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@requires", "@provides",'
    ' "@external", "@shareable", "@override", "@inaccessible", "@interfaceObject", "@extends", "@tag", "@context",'
    ' "@fromContext"])\n'
)


def compose_case(name: str) -> Supergraph:
    parts = re.split(r"^# subgraph (\w+)\n", (CASES / f"{name}.graphql").read_text(), flags=re.MULTILINE)[1:]
    composed = compose(
        [
            SubgraphSchema(subgraph, HEADER + sdl, f"http://{subgraph}.test")
            for subgraph, sdl in zip(parts[::2], parts[1::2], strict=True)
        ]
    )
    assert composed.errors == ()
    assert composed.supergraph_sdl is not None
    return read_supergraph(composed.supergraph_sdl)


def test_every_case_has_a_supergraph() -> None:
    assert sorted(path.stem for path in CASES.iterdir()) == sorted(path.stem for path in SUPERGRAPHS.iterdir())


@pytest.mark.parametrize("name", sorted(path.stem for path in CASES.iterdir()))
def test_own_composition_leads_to_the_same_plans(name: str) -> None:
    theirs, ours = load_supergraph(name), compose_case(name)
    schemas = [print_schema(lexicographic_sort_schema(one.api_schema)) for one in (theirs, ours)]
    assert schemas[0] == schemas[1]
    for seed in range(4):
        query, _ = OperationMaker(theirs.api_schema, random.Random(f"{name}{seed}")).make()
        assert format_plan(plan_operation(ours, parse(query))) == format_plan(plan_operation(theirs, parse(query)))
