from typing import Any

from router.executor import ExecutionResult, Executor
from router.planner.plan import (
    OperationKind,
    Sequence,
)
from router.transports.base import (
    RequestContext,
    SubgraphUnreachable,
)
from router.transports.fake import FakeTransport
from tests.unit.router.executor.plans import (
    API,
    entities,
    entity_fetch,
    failure,
    prepare,
    root_fetch,
    target,
)

CHANGES = root_fetch("catalog", "subscription{productChanged{__typename id}}", kind=OperationKind.SUBSCRIPTION)
CHANGES_WITH_STOCK = Sequence(
    (CHANGES, entity_fetch("productChanged", "stock", "...on Product{stock}", target("Product", "id")))
)


async def subscribe(
    query: str, plan: Any, transports: dict[str, FakeTransport], **variables: Any
) -> list[ExecutionResult]:
    prepared = prepare(query, plan, kind=OperationKind.SUBSCRIPTION)
    return [result async for result in Executor(API, transports).subscribe(prepared, variables, RequestContext())]


async def test_the_rest_of_the_plan_runs_for_every_event() -> None:
    events = [{"data": {"productChanged": {"__typename": "Product", "id": id}}} for id in "12"]
    catalog = FakeTransport(events=events)
    stock = FakeTransport([entities({"stock": 5}), entities({"stock": 6})])
    results = await subscribe(
        "subscription { productChanged { id stock } }", CHANGES_WITH_STOCK, {"catalog": catalog, "stock": stock}
    )
    assert results == [
        ExecutionResult({"productChanged": {"id": "1", "stock": 5}}),
        ExecutionResult({"productChanged": {"id": "2", "stock": 6}}),
    ]
    assert (len(catalog.requests), len(stock.requests), catalog.open_subscriptions) == (1, 2, 0)


async def test_a_failure_during_one_event_does_not_end_the_subscription() -> None:
    events = [{"data": {"productChanged": {"__typename": "Product", "id": id}}} for id in "12"]
    stock = FakeTransport([SubgraphUnreachable("down"), entities({"stock": 6})])
    results = await subscribe(
        "subscription { productChanged { id stock } }",
        CHANGES_WITH_STOCK,
        {"catalog": FakeTransport(events=events), "stock": stock},
    )
    assert results == [
        ExecutionResult({"productChanged": None}, [failure("stock", "productChanged")]),
        ExecutionResult({"productChanged": {"id": "2", "stock": 6}}),
    ]


async def test_a_stream_that_breaks_ends_with_an_answer_that_says_so() -> None:
    catalog = FakeTransport(events=[{"data": {"productChanged": {"id": "1"}}}, SubgraphUnreachable("cut")])
    results = await subscribe("subscription { productChanged { id } }", CHANGES, {"catalog": catalog})
    assert results == [
        ExecutionResult({"productChanged": {"id": "1"}}),
        ExecutionResult({"productChanged": None}, [failure("catalog", "productChanged")]),
    ]


async def test_closing_a_subscription_closes_it_at_the_subgraph() -> None:
    catalog = FakeTransport(events=[{"data": {"productChanged": {"id": "1"}}}] * 3)
    prepared = prepare("subscription { productChanged { id } }", CHANGES, kind=OperationKind.SUBSCRIPTION)
    stream = Executor(API, {"catalog": catalog}).subscribe(prepared, {}, RequestContext())
    assert await anext(stream) == ExecutionResult({"productChanged": {"id": "1"}})
    assert catalog.open_subscriptions == 1
    await stream.aclose()  # type: ignore[attr-defined]
    assert catalog.open_subscriptions == 0


async def test_a_subscription_with_bad_variables_is_never_opened() -> None:
    catalog = FakeTransport()
    results = await subscribe("subscription($n: Int!) { productChanged { id } }", CHANGES, {"catalog": catalog}, n="x")
    assert [result.executed for result in results] == [False]
    assert results[0].errors[0]["extensions"] == {"code": "BAD_USER_INPUT"}
    assert catalog.requests == []


async def test_a_subscription_to_a_subgraph_without_a_transport_says_so() -> None:
    results = await subscribe("subscription { productChanged { id } }", CHANGES, {})
    assert results == [ExecutionResult({"productChanged": None}, [failure("catalog", "productChanged")])]
