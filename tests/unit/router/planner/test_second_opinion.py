"""Plans beside those of Apollo's planner: never more requests or steps, unless the documentation says why."""

import ast
import json
import random
import re
from pathlib import Path

import pytest
from graphql import parse

from router.planner import count_fetches, measure_depth, plan_operation
from tests.testkit.node import run_node
from tests.unit.router.planner.conftest import SUPERGRAPHS, load_supergraph
from tests.unit.router.planner.random_operations import OperationMaker

NAMES = sorted(path.stem for path in SUPERGRAPHS.glob("*.graphql"))
DOCUMENTATION = Path(__file__).parents[4] / "docs" / "query-planning.md"
RANDOM_OPERATIONS = 4


def written_operations() -> dict[str, set[str]]:
    """Return the operations of this folder's tests, by supergraph: all calls of `plan_for` with texts in them.

    Calls with labels or an operation's name are left out: the other planner is asked about plain operations.
    """
    found: dict[str, set[str]] = {name: set() for name in NAMES}
    for file in sorted(Path(__file__).parent.glob("test_*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            match node:
                case ast.Call(
                    func=ast.Name(id="plan_for"),
                    args=[ast.Constant(value=str(name)), ast.Constant(value=str(query)), *_],
                    keywords=[],
                ):
                    found[name].add(query)
                case _:
                    pass
    return found


def random_operations(name: str) -> set[str]:
    schema = load_supergraph(name).api_schema
    return {OperationMaker(schema, random.Random(f"{name}{seed}")).make()[0] for seed in range(RANDOM_OPERATIONS)}


def documented_exceptions() -> set[tuple[str, str]]:
    """Return what the documentation admits: the supergraph, and what is worse there (`fetches` or `depth`)."""
    return set(re.findall(r"^\| `([a-z0-9-]+)` \| (fetches|depth) \| .+ \|$", DOCUMENTATION.read_text(), re.MULTILINE))


@pytest.mark.node
def test_plans_need_no_more_requests_and_steps_than_another_planners_unless_documented() -> None:
    written = written_operations()
    operations = {name: sorted(written[name] | random_operations(name)) for name in NAMES}
    assert sum(map(len, written.values())) > 100
    questions = [
        {"supergraph": (SUPERGRAPHS / f"{name}.graphql").read_text(), "operations": operations[name]} for name in NAMES
    ]
    answers = json.loads(run_node("supergraph", "plan-many.mjs", stdin=json.dumps(questions)))
    worse: set[tuple[str, str]] = set()
    for name, theirs in zip(NAMES, answers, strict=True):
        for query, their in zip(operations[name], theirs, strict=True):
            assert "error" not in their, (name, query, their)
            plan = plan_operation(load_supergraph(name), parse(query))
            if count_fetches(plan.root) > their["fetches"]:
                worse.add((name, "fetches"))
            if measure_depth(plan.root) > their["depth"]:
                worse.add((name, "depth"))
    assert worse == documented_exceptions()
