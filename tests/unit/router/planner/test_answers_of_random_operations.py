"""Whatever is asked, the subgraphs' answers put together are the answer of one schema."""

import random

import pytest
from graphql import parse

from router.planner import plan_operation
from tests.unit.router.planner.conftest import SUPERGRAPHS, load_supergraph, prove
from tests.unit.router.planner.generated_world import World
from tests.unit.router.planner.random_operations import OperationMaker

NAMES = sorted(path.stem for path in SUPERGRAPHS.glob("*.graphql"))
LABELS = (frozenset[str](), frozenset({"percent(10)"}))


def prove_random_operations(name: str, seeds: range) -> None:
    supergraph = load_supergraph(name)
    kinds = ["query"] * 3 + (["mutation"] * 2 if supergraph.mutation_type else [])
    for seed in seeds:
        dice = random.Random(f"{name}{seed}")
        query, variables = OperationMaker(supergraph.api_schema, dice).make(dice.choice(kinds))
        labels = LABELS[seed % 2]
        plan = plan_operation(supergraph, parse(query), None, labels)
        try:
            prove(World(supergraph, labels), plan, query, variables)
        except Exception as error:
            error.add_note(f"{name}, seed {seed}: {query} with {variables}")
            raise


@pytest.mark.parametrize("name", NAMES)
def test_random_operations_are_answered_like_by_one_schema(name: str) -> None:
    prove_random_operations(name, range(5))


@pytest.mark.nightly
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", NAMES)
def test_many_random_operations_are_answered_like_by_one_schema(name: str) -> None:
    prove_random_operations(name, range(5, 400))
