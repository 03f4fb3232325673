"""Whatever one subgraph does, the router answers, and what it answers is true: equal to the monolith or null."""

import asyncio
from random import Random
from typing import Any

import pytest
from graphql import parse, validate
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from router.executor import ExecutionResult, Executor
from router.transports.base import RequestContext
from tests.properties.router.test_router_equals_monolith import SETTINGS, supergraph_of
from tests.testkit.federation.faults import FAULTS, FaultyTransport
from tests.testkit.federation.fixtures import FIXTURES
from tests.testkit.federation.graph import Answer, FederatedGraph
from tests.testkit.federation.operations import operations
from tests.testkit.federation.random_world import random_world

#: After these the answer is whole: the subgraph only said something that nobody understands.
HARMLESS = {"errors of no shape"}


@pytest.mark.parametrize("fault", FAULTS)
@settings(SETTINGS, max_examples=8)
@given(data=st.data())
def test_a_subgraph_at_fault_costs_only_what_it_was_asked_for(fault: str, data: st.DataObject) -> None:
    fixture = data.draw(st.sampled_from(sorted(FIXTURES)), label="fixture")
    supergraph = supergraph_of(fixture)
    operation = data.draw(operations(supergraph.api_schema), label="operation")
    document = parse(operation.text)
    assume(not validate(supergraph.api_schema, document))
    seed = data.draw(st.integers(0, 20), label="seed")
    graph = FederatedGraph(supergraph, random_world(supergraph, Random(seed)))
    at_fault = data.draw(st.sampled_from(sorted(graph.subgraphs)), label="at fault")
    transports: dict[str, Any] = {name: each.transport() for name, each in graph.subgraphs.items()}
    faulty = transports[at_fault] = FaultyTransport(transports[at_fault], FAULTS[fault], Random(seed))

    async def run() -> ExecutionResult:
        executor = Executor(supergraph.api_schema, transports)
        return await executor.execute(graph.prepare(document), operation.variables, RequestContext())

    result = asyncio.run(run())
    monolith: Answer = graph.ask_monolith(document, operation.variables)
    differences = list(differing(result.data, monolith.data))
    assert all(value is None for _, value in differences), differences
    assert "secret" not in repr(result.to_response())
    for error in result.errors:
        assert error["extensions"]["code"]
        assert error.get("path") != []
    if not faulty.spoiled or fault in HARMLESS:
        assert differences == []
    if result.data is None and monolith.data is not None:
        assert result.errors, "a response without data says why"


def differing(answered: Any, truth: Any, path: tuple[str | int, ...] = ()) -> Any:
    """Yield the places where *answered* is not *truth*, with what stands there."""
    match answered, truth:
        case dict(), dict() if list(answered) == list(truth):
            for key in truth:
                yield from differing(answered[key], truth[key], (*path, key))
        case list(), list() if len(answered) == len(truth):
            for index, (item, true_item) in enumerate(zip(answered, truth, strict=True)):
                yield from differing(item, true_item, (*path, index))
        case _ if answered != truth:
            yield path, answered
