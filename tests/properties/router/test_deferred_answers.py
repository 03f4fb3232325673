"""An answer in parts is, put together, what a monolith sends in parts, and its first part is the monolith's."""

import asyncio
from random import Random

import pytest
from graphql import parse, validate
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from router.deferring import decide_defers
from router.planner.plan import Defer
from router.supergraph import Supergraph
from router.supergraph.api_schema import with_defer
from tests.properties.router.test_router_equals_monolith import (
    NAMED,
    NIGHTLY,
    SETTINGS,
    random_supergraph,
    supergraph_of,
)
from tests.testkit.federation.graph import FederatedGraph
from tests.testkit.federation.operations import operations
from tests.testkit.federation.parts import agrees_with_one, assemble
from tests.testkit.federation.random_world import random_world

#: Examples per named supergraph of an ordinary run, and random supergraphs; and of a nightly one.
EXAMPLES = 5
RANDOM_SUPERGRAPHS = 100
NIGHTLY_RANDOM_SUPERGRAPHS = 5_000


def check(data: st.DataObject, supergraph: Supergraph, *, failure_chance: float) -> None:
    """Draw an operation with `@defer` and a world and compare the router's parts with the monolith's."""
    operation = data.draw(operations(supergraph.api_schema, defers=True), label="operation")
    document = parse(operation.text)
    assume("@defer" in operation.text and not validate(with_defer(supergraph.api_schema), document))
    seed = data.draw(st.integers(0, 20), label="world")
    graph = FederatedGraph(supergraph, random_world(supergraph, Random(seed), failure_chance=failure_chance))
    answers = asyncio.run(graph.ask_in_parts(document, operation.variables))
    assert graph.violations() == ()
    if answers.monolith is None:
        # Nothing of it would have come later
        assert not isinstance(answers.plan.root, Defer) or "pending" not in answers.router[0]
        return
    router, monolith = assemble(answers.router), assemble(answers.monolith)
    if monolith.errors and (router.first, router.data) != (monolith.first, monolith.data):
        # The fields of a value that has no key come with it, deferred or not, and so do their failures
        whole = graph.ask_monolith(decide_defers(document, None), operation.variables).data
        assert agrees_with_one(router.first, monolith.first, whole)
        assert agrees_with_one(router.data, monolith.data, whole)
        return
    assert router.first == monolith.first
    assert router.announced == monolith.announced
    assert router.failed == monolith.failed
    assert router.data == monolith.data
    if not failure_chance and not monolith.errors:
        assert router.errors == []


@pytest.mark.parametrize("name", NAMED)
@settings(SETTINGS, max_examples=EXAMPLES)
@given(data=st.data())
def test_what_is_deferred_is_what_a_monolith_defers(name: str, data: st.DataObject) -> None:
    failure_chance = data.draw(st.sampled_from([0.0, 0.1]), label="chance of failing fields")
    check(data, supergraph_of(name), failure_chance=failure_chance)


@settings(SETTINGS, max_examples=RANDOM_SUPERGRAPHS)
@given(data=st.data(), seed=st.integers(0, 10**9))
def test_what_is_deferred_is_what_a_monolith_defers_on_random_supergraphs(data: st.DataObject, seed: int) -> None:
    supergraph = random_supergraph(seed)
    assume(supergraph is not None)
    assert supergraph is not None
    check(data, supergraph, failure_chance=0.05)


@pytest.mark.nightly
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("name", NAMED)
@NIGHTLY
@given(data=st.data())
def test_what_is_deferred_is_what_a_monolith_defers_in_named_supergraphs_through_the_night(
    name: str, data: st.DataObject
) -> None:
    check(data, supergraph_of(name), failure_chance=0.1)


@pytest.mark.nightly
@pytest.mark.timeout(36000)
@settings(NIGHTLY, max_examples=NIGHTLY_RANDOM_SUPERGRAPHS)
@given(data=st.data(), seed=st.integers(0, 10**9))
def test_what_is_deferred_is_what_a_monolith_defers_through_the_night(data: st.DataObject, seed: int) -> None:
    supergraph = random_supergraph(seed)
    assume(supergraph is not None)
    assert supergraph is not None
    check(data, supergraph, failure_chance=0.1)


def test_an_object_whose_type_could_not_be_told_is_null_from_the_start() -> None:
    """The request for its type failed; as an object of any possible type it would be in the first part nevertheless."""
    supergraph = random_supergraph(277393278)
    assert supergraph is not None
    graph = FederatedGraph(supergraph, random_world(supergraph, Random(4), failure_chance=0.1))
    document = parse("{ ofs1 { id ... on E1 { f2 id __typename } ... @defer { type: __typename key: id } } }")
    answers = asyncio.run(graph.ask_in_parts(document))
    assert answers.monolith is not None
    router, monolith = assemble(answers.router), assemble(answers.monolith)
    assert router.first == monolith.first
    assert [item is None for item in router.first["ofs1"]] == [False, True]


def test_a_step_that_a_merged_one_waited_for_may_be_merged_itself() -> None:
    """Below one list the fragments' steps are merged type by type, in an order that is not that of their waiting."""
    supergraph = random_supergraph(126)
    assert supergraph is not None
    document = parse(
        "{ ofs3 { id } ofs3 { nexts3 { nexts3 { id ...F @defer } } } } fragment F on E0 { a: ds0(first: 0) f1 }"
    )
    graph = FederatedGraph(supergraph, random_world(supergraph, Random(1)))
    answers = asyncio.run(graph.ask_in_parts(document))
    assert answers.monolith is not None
    router, monolith = assemble(answers.router), assemble(answers.monolith)
    assert (router.first, router.data) == (monolith.first, monolith.data)
