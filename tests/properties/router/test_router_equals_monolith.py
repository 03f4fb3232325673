"""The router's answer is that of one schema with all the data, whatever is asked: data, nulls and places of errors."""

import asyncio
from functools import cache
from pathlib import Path
from random import Random

import pytest
from graphql import parse, validate
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from router.composition import SubgraphSchema, compose
from router.supergraph import Supergraph, read_supergraph
from tests.testkit.federation.fixtures import FIXTURES
from tests.testkit.federation.graph import FEDERATION_LINK, Answer, FederatedGraph, null_places
from tests.testkit.federation.operations import operations
from tests.testkit.federation.random_supergraph import random_subgraphs
from tests.testkit.federation.random_world import random_world

#: Examples per named supergraph, and random supergraphs, of an ordinary run and of a nightly one.
EXAMPLES = 5
RANDOM_SUPERGRAPHS = 200
NIGHTLY_EXAMPLES = 150
NIGHTLY_RANDOM_SUPERGRAPHS = 20_000

#: Supergraph SDL by name: the planner's cases, each of which is one difficulty of planning.
PLANNER_CASES = {path.stem: path for path in (Path(__file__).parents[2] / "unit/router/planner/supergraphs").iterdir()}
NAMED = [*FIXTURES, *sorted(f"planner/{name}" for name in PLANNER_CASES)]


@cache
def supergraph_of(name: str) -> Supergraph:
    """Return a named supergraph, of the fixtures here or of the planner's cases."""
    if name.startswith("planner/"):
        return read_supergraph(PLANNER_CASES[name.removeprefix("planner/")].read_text())
    composed = compose([SubgraphSchema(each, FEDERATION_LINK + sdl) for each, sdl in FIXTURES[name].items()])
    assert composed.supergraph_sdl is not None, composed.errors
    return read_supergraph(composed.supergraph_sdl)


@cache
def random_supergraph(seed: int) -> Supergraph | None:
    """Return the random supergraph of this seed, or None when its subgraphs do not compose."""
    subgraphs = random_subgraphs(Random(seed))
    composed = compose([SubgraphSchema(name, FEDERATION_LINK + sdl) for name, sdl in subgraphs.items()])
    return read_supergraph(composed.supergraph_sdl) if composed.supergraph_sdl is not None else None


def check(data: st.DataObject, supergraph: Supergraph, *, failure_chance: float, kind: str = "query") -> None:
    """Draw an operation and a world and compare the router's answer with the monolith's."""
    operation = data.draw(operations(supergraph.api_schema, kind=kind), label="operation")
    document = parse(operation.text)
    assume(not validate(supergraph.api_schema, document))
    seed = data.draw(st.integers(0, 20), label="world")
    world = random_world(supergraph, Random(seed), failure_chance=failure_chance)
    graph = FederatedGraph(supergraph, world)
    if kind == "subscription":
        answers = asyncio.run(graph.ask_for_events(document, operation.variables))
    else:
        asked = asyncio.run(graph.ask(document, operation.variables))
        answers = [(asked.router, asked.monolith)]
    may_reorder = "..." in operation.text and has_interface_objects(supergraph)
    for router, monolith in answers:
        assert_same(router, monolith, may_reorder=may_reorder)
        if not failure_chance:
            assert_no_error_without_cause(router, monolith)
    assert graph.violations() == ()


def has_interface_objects(supergraph: Supergraph) -> bool:
    return any(each.is_interface_object for type_ in supergraph.types.values() for each in type_.subgraphs.values())


def assert_same(router: Answer, monolith: Answer, *, may_reorder: bool) -> None:
    """Compare data, the order of keys, and where errors left nulls.

    Where nobody asks for the type of an interface object, a fragment on a type cannot change the order of its keys.

    More errors than the monolith's are right: it stops at the first null that takes its parent along, while the
    router's other requests were under way already; and a plan may ask for a field of more objects than the client did.
    """
    assert router.data == monolith.data
    if not may_reorder:
        assert repr(router.data) == repr(monolith.data)
    assert null_places(router) >= null_places(monolith)


def assert_no_error_without_cause(router: Answer, monolith: Answer) -> None:
    """Compare errors of a world without failing fields: only nulls and hidden values cause them."""
    if not monolith.errors:
        assert router.errors == ()


SETTINGS = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
NIGHTLY = settings(SETTINGS, max_examples=NIGHTLY_EXAMPLES, derandomize=False, print_blob=True)


@pytest.mark.parametrize("name", NAMED)
@SETTINGS
@given(data=st.data())
def test_the_router_answers_what_a_monolith_answers(name: str, data: st.DataObject) -> None:
    failure_chance = data.draw(st.sampled_from([0.0, 0.1]), label="chance of failing fields")
    check(data, supergraph_of(name), failure_chance=failure_chance)


@settings(SETTINGS, max_examples=RANDOM_SUPERGRAPHS)
@given(data=st.data(), seed=st.integers(0, 10**9))
def test_the_router_answers_what_a_monolith_answers_on_random_supergraphs(data: st.DataObject, seed: int) -> None:
    supergraph = random_supergraph(seed)
    assume(supergraph is not None)
    assert supergraph is not None
    check(data, supergraph, failure_chance=0.05)


@pytest.mark.parametrize(
    "name", ["mutations", "planner/mutations", "planner/query-in-payload", "planner/context-with-requires"]
)
@SETTINGS
@given(data=st.data())
def test_mutations_answer_what_a_monolith_answers(name: str, data: st.DataObject) -> None:
    check(data, supergraph_of(name), failure_chance=0.1, kind="mutation")


@pytest.mark.parametrize("name", ["subscriptions", "planner/subscriptions"])
@settings(SETTINGS, max_examples=15)
@given(data=st.data())
def test_every_event_of_a_subscription_is_what_a_monolith_answers(name: str, data: st.DataObject) -> None:
    check(data, supergraph_of(name), failure_chance=0.1, kind="subscription")


@pytest.mark.nightly
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("name", NAMED)
@NIGHTLY
@given(data=st.data())
def test_the_router_answers_what_a_monolith_answers_through_the_night(name: str, data: st.DataObject) -> None:
    check(data, supergraph_of(name), failure_chance=0.1)


@pytest.mark.nightly
@pytest.mark.timeout(36000)
@settings(NIGHTLY, max_examples=NIGHTLY_RANDOM_SUPERGRAPHS)
@given(data=st.data(), seed=st.integers(0, 10**9))
def test_random_supergraphs_answer_what_a_monolith_answers_through_the_night(data: st.DataObject, seed: int) -> None:
    supergraph = random_supergraph(seed)
    assume(supergraph is not None)
    assert supergraph is not None
    check(data, supergraph, failure_chance=0.1)
