"""What arrives when a subgraph fails, wholly or in part, and what the client is told."""

import asyncio
from typing import Any

import pytest

from router.executor import ExecutionResult, Executor
from router.planner.plan import (
    Parallel,
    Sequence,
)
from router.transports.base import (
    MalformedResponse,
    RequestContext,
    SubgraphHttpError,
    SubgraphRequest,
    SubgraphResponse,
    SubgraphUnreachable,
)
from router.transports.fake import FakeTransport
from tests.unit.router.executor.plans import (
    API,
    PRODUCTS,
    TWO_PRODUCTS,
    WITH_STOCK,
    entities,
    entity_fetch,
    execute,
    failure,
    prepare,
    root_fetch,
    target,
)


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (SubgraphUnreachable("10.0.0.7 refused"), "SUBREQUEST_HTTP_ERROR", "The request to subgraph 'stock' failed."),
        (SubgraphHttpError("500", status=500), "SUBREQUEST_HTTP_ERROR", "The request to subgraph 'stock' failed."),
        (
            MalformedResponse("<html>"),
            "SUBREQUEST_MALFORMED_RESPONSE",
            "Subgraph 'stock' sent a malformed response.",
        ),
    ],
)
async def test_a_failed_entity_request_is_one_error_and_the_rest_of_the_answer_arrives(
    error: SubgraphUnreachable, code: str, message: str
) -> None:
    plan = Sequence((PRODUCTS, entity_fetch("products.@", "stock", "...on Product{price}", target("Product", "id"))))
    result = await execute(
        "{ products { name price } }", plan, {"catalog": FakeTransport([TWO_PRODUCTS]), "stock": FakeTransport([error])}
    )
    assert result.data == {"products": [{"name": "Table", "price": None}, {"name": "Chair", "price": None}]}
    assert result.errors == [failure("stock", "products", code=code, message=message)]


async def test_a_failed_request_for_a_non_null_field_takes_its_parents_along_without_a_second_error() -> None:
    result = await execute(
        "{ products { name stock } me { name } }",
        Parallel((WITH_STOCK, root_fetch("users", "{me{name}}"))),
        {
            "catalog": FakeTransport([TWO_PRODUCTS]),
            "stock": FakeTransport([SubgraphUnreachable("down")]),
            "users": FakeTransport([{"data": {"me": {"name": "Ada"}}}]),
        },
    )
    assert result == ExecutionResult(None, [failure("stock", "products")])


async def test_a_failed_root_request_is_an_error_at_each_of_its_fields() -> None:
    plan = Parallel((root_fetch("a", "{status ids}"), root_fetch("b", "{me{name}}")))
    result = await execute(
        "{ status ids me { name } }",
        plan,
        {"a": FakeTransport([SubgraphUnreachable("down")]), "b": FakeTransport([{"data": {"me": {"name": "Ada"}}}])},
    )
    assert result == ExecutionResult(
        {"status": None, "ids": None, "me": {"name": "Ada"}}, [failure("a", "status"), failure("a", "ids")]
    )


async def test_a_subgraph_without_a_transport_is_a_failed_request() -> None:
    result = await execute("{ status }", root_fetch("a", "{status}"), {})
    assert result == ExecutionResult({"status": None}, [failure("a", "status")])


async def test_a_bug_in_a_transport_is_a_failed_request() -> None:
    def explode(_: SubgraphRequest) -> Any:
        raise ZeroDivisionError("secret")

    result = await execute("{ status }", root_fetch("a", "{status}"), {"a": FakeTransport(explode)})
    assert result == ExecutionResult({"status": None}, [failure("a", "status")])


async def test_a_subgraph_that_does_not_answer_in_time_is_given_up() -> None:
    class Silent(FakeTransport):
        async def send(self, request: SubgraphRequest, context: RequestContext) -> SubgraphResponse:
            await asyncio.Event().wait()
            raise AssertionError

    late = failure("a", "status", message="Subgraph 'a' did not answer in time.")
    prepared = prepare("{ status }", root_fetch("a", "{status}"))
    by_timeout = await Executor(API, {"a": Silent()}, subgraph_timeout_s=0.001).execute(prepared, {}, RequestContext())
    assert by_timeout == ExecutionResult({"status": None}, [late])
    context = RequestContext(deadline_s=asyncio.get_running_loop().time())
    by_deadline = await Executor(API, {"a": Silent()}).execute(prepared, {}, context)
    assert by_deadline == ExecutionResult({"status": None}, [late])


@pytest.mark.parametrize(
    "answer",
    [
        {"data": {"_entities": [{"price": 1}]}},
        {"data": {"_entities": [{"price": 1}, {"price": 2}, {"price": 3}]}},
        {"data": {"_entities": {"price": 1}}},
        {"data": {"_entities": None}},
        {"data": {}},
    ],
    ids=["too few", "too many", "an object", "null", "nothing"],
)
async def test_entities_that_cannot_be_told_apart_are_not_used(answer: dict[str, Any]) -> None:
    plan = Sequence((PRODUCTS, entity_fetch("products.@", "stock", "...on Product{price}", target("Product", "id"))))
    result = await execute(
        "{ products { name price } }",
        plan,
        {"catalog": FakeTransport([TWO_PRODUCTS]), "stock": FakeTransport([answer])},
    )
    assert result == ExecutionResult(
        {"products": [{"name": "Table", "price": None}, {"name": "Chair", "price": None}]},
        [
            failure(
                "stock",
                "products",
                code="SUBREQUEST_MALFORMED_RESPONSE",
                message="Subgraph 'stock' sent a malformed response.",
            )
        ],
    )


async def test_an_entity_that_is_no_object_is_an_error_at_its_place_only() -> None:
    plan = Sequence((PRODUCTS, entity_fetch("products.@", "stock", "...on Product{price}", target("Product", "id"))))
    result = await execute(
        "{ products { name price } }",
        plan,
        {"catalog": FakeTransport([TWO_PRODUCTS]), "stock": FakeTransport([entities("gone", {"price": 2})])},
    )
    assert result == ExecutionResult(
        {"products": [{"name": "Table", "price": None}, {"name": "Chair", "price": 2}]},
        [
            failure(
                "stock",
                "products",
                0,
                code="SUBREQUEST_MALFORMED_RESPONSE",
                message="Subgraph 'stock' sent a malformed response.",
            )
        ],
    )


async def test_a_list_where_an_object_belongs_is_an_error_that_names_subgraph_and_path() -> None:
    result = await execute(
        "{ me { name } status }",
        root_fetch("users", "{me{name} status}"),
        {"users": FakeTransport([{"data": {"me": [], "status": "OPEN"}}])},
    )
    assert result == ExecutionResult(
        {"me": None, "status": "OPEN"},
        [
            failure(
                "users", "me", code="SUBREQUEST_MALFORMED_RESPONSE", message="Expected an object for field Query.me."
            )
        ],
    )


# --- errors that subgraphs report


async def test_an_error_of_one_entity_is_reported_at_every_place_where_it_stands() -> None:
    shelves = {"shelves": [[{"__typename": "Product", "id": "1"}], [{"__typename": "Product", "id": "1"}]]}
    plan = Sequence(
        (
            root_fetch("catalog", "{shelves{__typename id}}"),
            entity_fetch("shelves.@", "reviews", "...on Product{name reviews{body}}", target("Product", "id")),
        )
    )
    answer = {
        "data": {"_entities": [{"name": "Table", "reviews": None}]},
        "errors": [
            {
                "message": "no body",
                "path": ["_entities", 0, "reviews", 3, "body"],
                "locations": [{"line": 1, "column": 2}],
                "extensions": {"code": "GONE", "hint": "x", "stacktrace": ["secret"], "exception": {"a": 1}},
            }
        ],
    }
    result = await execute(
        "{ shelves { name reviews { body } } }",
        plan,
        {"catalog": FakeTransport([{"data": shelves}]), "reviews": FakeTransport([answer])},
    )
    assert result.data == {"shelves": [[{"name": "Table", "reviews": None}], [{"name": "Table", "reviews": None}]]}
    extensions = {"code": "GONE", "hint": "x", "serviceName": "reviews"}
    assert result.errors == [
        {"message": "no body", "path": ["shelves", 0, 0, "reviews", 3, "body"], "extensions": extensions},
        {"message": "no body", "path": ["shelves", 1, 0, "reviews", 3, "body"], "extensions": extensions},
    ]


async def test_a_path_ends_where_the_client_stopped_selecting() -> None:
    answer = {
        "data": {"me": {"name": "Ada", "_key": None}},
        "errors": [{"message": "no key", "path": ["me", "_key", "id"]}],
    }
    result = await execute(
        "{ me { name } }", root_fetch("users", "{me{name _key}}"), {"users": FakeTransport([answer])}
    )
    assert result == ExecutionResult(
        {"me": {"name": "Ada"}},
        [
            {
                "message": "no key",
                "path": ["me"],
                "extensions": {"code": "DOWNSTREAM_SERVICE_ERROR", "serviceName": "users"},
            }
        ],
    )


@pytest.mark.parametrize("path", [None, [], "me", [True], [None]])
async def test_an_error_without_a_usable_path_is_put_where_its_request_left_nulls(path: Any) -> None:
    answer = {"data": None, "errors": [{"message": "refused", "path": path}]}
    result = await execute(
        "{ me { name } status }", root_fetch("users", "{me{name} status}"), {"users": FakeTransport([answer])}
    )
    extensions = {"code": "DOWNSTREAM_SERVICE_ERROR", "serviceName": "users"}
    assert result == ExecutionResult(
        {"me": None, "status": None},
        [
            {"message": "refused", "path": ["me"], "extensions": extensions},
            {"message": "refused", "path": ["status"], "extensions": extensions},
        ],
    )


async def test_errors_come_in_the_order_of_the_plan_whoever_answers_first() -> None:
    answered = asyncio.Event()

    class Last(FakeTransport):
        async def send(self, request: SubgraphRequest, context: RequestContext) -> SubgraphResponse:
            await answered.wait()
            return await super().send(request, context)

    class First(FakeTransport):
        async def send(self, request: SubgraphRequest, context: RequestContext) -> SubgraphResponse:
            answered.set()
            return await super().send(request, context)

    plan = Parallel((root_fetch("a", "{status}"), root_fetch("b", "{me{name}}")))
    result = await execute(
        "{ status me { name } }",
        plan,
        {"a": Last([SubgraphUnreachable("x")]), "b": First([SubgraphUnreachable("y")])},
    )
    assert result.errors == [failure("a", "status"), failure("b", "me")]


async def test_a_client_that_goes_away_ends_the_requests_that_are_under_way() -> None:
    started, cancelled = asyncio.Event(), []

    class Hanging(FakeTransport):
        async def send(self, request: SubgraphRequest, context: RequestContext) -> SubgraphResponse:
            try:
                started.set()
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.append(request.document)
                raise
            raise AssertionError

    plan = Parallel((root_fetch("a", "{status}"), root_fetch("b", "{me{name}}")))
    execution = asyncio.ensure_future(execute("{ status me { name } }", plan, {"a": Hanging(), "b": Hanging()}))
    await started.wait()
    await asyncio.sleep(0)
    execution.cancel()
    with pytest.raises(asyncio.CancelledError):
        await execution
    assert sorted(cancelled) == ["{me{name}}", "{status}"]
