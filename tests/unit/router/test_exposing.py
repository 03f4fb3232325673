"""What an answer tells about its own making, for hand-written plans under a clock that only subgraphs move."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from graphql import parse

from router.executor import ExecutionResult, Executor, PreparedOperation, prepare_operation
from router.executor.incremental import IncrementalResult
from router.exposing import describe_execution
from router.planner.plan import (
    BatchFetch,
    BatchPart,
    Condition,
    Defer,
    Deferral,
    DeferredBlock,
    DeferredField,
    OperationKind,
    Parallel,
    PlanNode,
    Sequence,
)
from router.planner.plan_json import plan_to_json
from router.planner.plan_text import format_plan
from router.transports.base import (
    RequestContext,
    SubgraphRequest,
    SubgraphResponse,
    SubgraphTransport,
    SubgraphUnreachable,
)
from router.transports.fake import Answer, FakeTransport
from tests.unit.router.executor.plans import (
    API,
    PRODUCTS,
    STOCK,
    TWO_PRODUCTS,
    WITH_STOCK,
    entities,
    entity_fetch,
    path,
    prepare,
    root_fetch,
    target,
)

REVIEWS = entity_fetch("products.@", "reviews", "...on Product{reviews{id}}", target("Product", "id"))


class Clock:
    """Stands still until a subgraph takes its time. Mutable."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


class Taking(FakeTransport):
    """Gives the same answer to every request, each after some time."""

    async def send(self, request: SubgraphRequest, context: RequestContext) -> SubgraphResponse:
        # Whatever runs at the same time is sent before any of it is answered
        await asyncio.sleep(0)
        return await super().send(request, context)


def taking(clock: Clock, seconds: float, answer: Answer) -> FakeTransport:
    """Return a transport that gives *answer* after *seconds*."""

    def answer_later(_: SubgraphRequest) -> Answer:
        clock.now_s += seconds
        return answer

    return Taking(answer_later)


async def describe(
    prepared: PreparedOperation,
    transports: Mapping[str, SubgraphTransport],
    clock: Clock,
    variables: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    executor = Executor(API, transports, now=clock)
    result = await executor.execute(prepared, variables or {}, RequestContext(), measure=True)
    return describe_result(prepared, result)


def describe_result(prepared: PreparedOperation, result: ExecutionResult | IncrementalResult) -> dict[str, Any]:
    assert result.measures is not None
    return describe_execution(prepared.plan, "Shop", result.measures)


def fetch_report(number: int, subgraph: str, state: str = "ok", **others: Any) -> dict[str, Any]:
    told = {"startMs": 0.0, "durationMs": 0.0, "representations": 0, "shared": False, "answerBytes": None}
    return {"number": number, "subgraph": subgraph, "state": state, **told, **others}


def skipped(number: int, subgraph: str) -> dict[str, Any]:
    return fetch_report(number, subgraph, "skipped", startMs=None, durationMs=None)


async def test_each_fetch_has_its_start_its_duration_and_how_many_objects_it_was_about() -> None:
    clock = Clock()
    transports = {
        "catalog": taking(clock, 0.002, TWO_PRODUCTS),
        "stock": taking(clock, 0.0301239, entities({"stock": 5}, {"stock": 6})),
    }
    prepared = prepare("{ products { name stock } }", WITH_STOCK)
    assert await describe(prepared, transports, clock) == {
        **plan_to_json(prepared.plan, "Shop"),
        "text": format_plan(prepared.plan),
        "durationMs": 32.124,
        "fetches": [
            fetch_report(1, "catalog", durationMs=2.0),
            fetch_report(2, "stock", startMs=2.0, durationMs=30.124, representations=2),
        ],
    }


async def test_parallel_fetches_start_together() -> None:
    clock = Clock()

    transports = {
        "catalog": taking(clock, 0.001, TWO_PRODUCTS),
        "stock": taking(clock, 0.004, entities({"stock": 5}, {"stock": 6})),
        "reviews": taking(clock, 0.002, entities({"reviews": []}, {"reviews": []})),
    }
    prepared = prepare("{ products { stock reviews { id } } }", Sequence((PRODUCTS, Parallel((STOCK, REVIEWS)))))
    assert (await describe(prepared, transports, clock))["fetches"] == [
        fetch_report(1, "catalog", durationMs=1.0),
        fetch_report(2, "stock", startMs=1.0, durationMs=4.0, representations=2),
        fetch_report(3, "reviews", startMs=1.0, durationMs=6.0, representations=2),
    ]


async def test_what_is_not_asked_is_skipped() -> None:
    clock = Clock()
    catalog = taking(clock, 0.001, {"data": {"products": []}})
    conditional = Condition("full", root_fetch("full", "{me{name}}"), root_fetch("brief", "{me{id:name}}"))
    prepared = prepare(
        "query ($full: Boolean!) { products { stock } me @include(if: $full) { name } }",
        Parallel((WITH_STOCK, conditional)),
    )
    transports = {"catalog": catalog, "brief": taking(clock, 0, {"data": {"me": None}})}
    assert (await describe(prepared, transports, clock, {"full": False}))["fetches"] == [
        fetch_report(1, "catalog", durationMs=1.0),
        skipped(2, "stock"),
        skipped(3, "full"),
        fetch_report(4, "brief", durationMs=1.0),
    ]


async def test_a_batch_tells_how_many_objects_its_parts_were_about_together() -> None:
    clock = Clock()
    batch = BatchFetch(
        "stock",
        "query($a:[_Any!]!,$b:[_Any!]!)"
        "{a:_entities(representations:$a){...on Product{stock}}b:_entities(representations:$b){...on Product{stock}}}",
        (
            BatchPart((path("products.@"),), "a", "a", (target("Product", "id"),)),
            BatchPart((path("product"),), "b", "b", (target("Product", "id"),)),
        ),
    )
    both = {"data": {**TWO_PRODUCTS["data"], "product": {"__typename": "Product", "id": "1"}}}
    transports = {
        "catalog": taking(clock, 0, both),
        "stock": taking(clock, 0, {"data": {"a": [{"stock": 5}, {"stock": 6}], "b": [{"stock": 5}]}}),
    }
    root = root_fetch("catalog", '{products{__typename id name}product(id:"1"){__typename id}}')
    prepared = prepare('{ products { stock } product(id: "1") { stock } }', Sequence((root, batch)))
    assert (await describe(prepared, transports, clock))["fetches"] == [
        fetch_report(1, "catalog"),
        fetch_report(2, "stock", representations=3),
    ]


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (SubgraphUnreachable("gone"), "failed"),
        ({"data": {"_entities": [{"stock": 5}]}}, "failed"),
        ({"data": {"_entities": ["5", "6"]}}, "failed"),
        ({"data": {"_entities": [{"stock": 5}, None]}, "errors": [{"message": "m"}]}, "errors"),
        ({"data": None, "errors": [{"message": "m"}]}, "errors"),
    ],
)
async def test_a_fetch_that_went_wrong_says_so_and_has_its_time_all_the_same(answer: Answer, state: str) -> None:
    clock = Clock()
    transports = {"catalog": taking(clock, 0.001, TWO_PRODUCTS), "stock": taking(clock, 0.002, answer)}
    prepared = prepare("{ products { name stock } }", WITH_STOCK)
    assert (await describe(prepared, transports, clock))["fetches"] == [
        fetch_report(1, "catalog", durationMs=1.0),
        fetch_report(2, "stock", state, startMs=1.0, durationMs=2.0, representations=2),
    ]


async def test_a_subgraph_without_a_transport_failed() -> None:
    prepared = prepare("{ products { name } }", PRODUCTS)
    assert (await describe(prepared, {}, Clock()))["fetches"] == [fetch_report(1, "catalog", "failed")]


async def test_an_operation_that_needs_no_subgraph_has_no_fetches() -> None:
    told = await describe(prepare("{ __typename }", None), {}, Clock())
    assert (told["plan"], told["text"], told["fetches"], told["requests"]) == (None, "Nothing", [], 0)


async def test_every_event_of_a_subscription_is_measured_by_itself() -> None:
    clock = Clock()
    changes = root_fetch("catalog", "subscription{productChanged{__typename id}}", kind=OperationKind.SUBSCRIPTION)
    stock = entity_fetch("productChanged", "stock", "...on Product{stock}", target("Product", "id"))
    events: list[Answer] = [
        {"data": {"productChanged": {"__typename": "Product", "id": "1"}}},
        {"data": {"productChanged": None}, "errors": [{"message": "m"}]},
        SubgraphUnreachable("the stream broke"),
    ]
    transports = {
        "catalog": FakeTransport(events=events),
        "stock": taking(clock, 0.003, entities({"stock": 5})),
    }
    prepared = prepare(
        "subscription { productChanged { stock } }", Sequence((changes, stock)), kind=OperationKind.SUBSCRIPTION
    )
    executor = Executor(API, transports, now=clock)
    told = [
        describe_result(prepared, result)["fetches"]
        async for result in executor.subscribe(prepared, {}, RequestContext(), measure=True)
    ]
    assert told == [
        [fetch_report(1, "catalog"), fetch_report(2, "stock", durationMs=3.0, representations=1)],
        [fetch_report(1, "catalog", "errors"), skipped(2, "stock")],
        [fetch_report(1, "catalog", "failed"), skipped(2, "stock")],
    ]


def deferring(field: str, later: PlanNode) -> PreparedOperation:
    """Return products whose *field* is deferred and brought by *later*."""
    document = parse(f"{{ products {{ name ... @defer {{ {field} }} }} }}")
    deferred = DeferredField(("products", field.split()[0]), frozenset({"Product"}))
    block = DeferredBlock((Deferral(1, ("products",)),), (deferred,), waits_for=(1,), node=later)
    plan = prepare("{ products { name } }", Defer(PRODUCTS, (block,))).plan
    return prepare_operation(API, plan, document, None)


async def test_deferred_fetches_are_counted_on_and_complete_with_the_last_part() -> None:
    clock = Clock()
    transports = {
        "catalog": taking(clock, 0.001, TWO_PRODUCTS),
        "stock": taking(clock, 0.002, entities({"stock": 5}, {"stock": 6})),
    }
    prepared = deferring("stock", STOCK)
    executor = Executor(API, transports, now=clock)
    result = await executor.execute_incrementally(prepared, {}, RequestContext(), measure=True)
    assert isinstance(result, IncrementalResult)
    assert [part["hasNext"] async for part in result.parts] == [True, False]
    assert describe_result(prepared, result)["fetches"] == [
        fetch_report(1, "catalog", durationMs=1.0),
        fetch_report(2, "stock", startMs=1.0, durationMs=2.0, representations=2),
    ]


async def test_a_deferred_fetch_is_unfinished_where_the_answer_is_complete_without_it() -> None:
    clock = Clock()

    class Never(FakeTransport):
        async def send(self, request: SubgraphRequest, context: RequestContext) -> SubgraphResponse:
            await asyncio.Event().wait()
            raise AssertionError

    # Nothing of the block stands in the answer, so nobody waits for it
    beside = root_fetch("slow", "{me{name}}")
    plan = Defer(PRODUCTS, (DeferredBlock((Deferral(1, ()),), (), (), beside),))
    prepared = prepare_operation(API, prepare("{ products { name } }", plan).plan, parse("{ products { name } }"), None)
    transports = {"catalog": taking(clock, 0.001, TWO_PRODUCTS), "slow": Never()}
    executor = Executor(API, transports, now=clock)
    result = await executor.execute_incrementally(prepared, {}, RequestContext(), measure=True)
    assert isinstance(result, ExecutionResult)
    assert describe_result(prepared, result)["fetches"] == [
        fetch_report(1, "catalog", durationMs=1.0),
        fetch_report(2, "slow", "unfinished", startMs=0.0, durationMs=None),
    ]


async def test_nothing_is_measured_unless_it_is_asked_for() -> None:
    def never() -> float:
        raise AssertionError("the clock was read")

    catalog = FakeTransport([TWO_PRODUCTS])
    executor = Executor(API, {"catalog": catalog}, now=never)
    result = await executor.execute(prepare("{ products { name } }", PRODUCTS), {}, RequestContext())
    assert (result.measures, catalog.requests[0].context.observation) == (None, None)
