from collections.abc import AsyncIterator
from typing import Any

import pytest

from core.identity import Identity
from router.transports.base import (
    MalformedResponse,
    RequestContext,
    SubgraphRequest,
    SubgraphResponse,
    SubgraphUnreachable,
)
from router.transports.in_process import InProcessTransport

CONTEXT = RequestContext(Identity("u1"))


async def test_the_subgraph_gets_the_request_and_the_callers_identity() -> None:
    seen: list[Any] = []

    async def execute(request: SubgraphRequest, context: RequestContext) -> dict[str, Any]:
        seen.append((request, context))
        return {"data": {"x": 1}, "errors": [{"message": "e"}], "extensions": {"c": 1}}

    request = SubgraphRequest("{x}", {"a": [1]}, "Q", is_mutation=True)
    assert await InProcessTransport(execute).send(request, CONTEXT) == SubgraphResponse(
        {"x": 1}, [{"message": "e"}], {"c": 1}
    )
    assert seen == [(request, CONTEXT)]


async def test_what_the_subgraph_does_to_its_variables_the_router_does_not_see() -> None:
    async def execute(request: SubgraphRequest, _: RequestContext) -> dict[str, Any]:
        for representation in request.variables["representations"]:
            representation.pop("__typename")
            representation["tags"].append("x")
            representation["owner"]["info"] = 1
        return {"data": {}}

    variables = {"representations": [{"__typename": "P", "tags": [], "owner": {"id": "1"}}]}
    await InProcessTransport(execute).send(SubgraphRequest("{x}", variables), CONTEXT)
    assert variables == {"representations": [{"__typename": "P", "tags": [], "owner": {"id": "1"}}]}


async def test_an_answer_of_the_wrong_shape_is_malformed() -> None:
    async def execute(_request: SubgraphRequest, _context: RequestContext) -> Any:
        return {"data": [1]}

    with pytest.raises(MalformedResponse):
        await InProcessTransport(execute).send(SubgraphRequest("{x}", {}), CONTEXT)


async def test_events_are_passed_on_and_the_subgraphs_stream_is_closed_with_ours() -> None:
    closed = False

    async def events(_request: SubgraphRequest, _context: RequestContext) -> AsyncIterator[dict[str, Any]]:
        nonlocal closed
        try:
            while True:
                yield {"data": {"x": 1}}
        finally:
            closed = True

    async def execute(_request: SubgraphRequest, _context: RequestContext) -> Any:
        raise AssertionError

    stream = InProcessTransport(execute, events).subscribe(SubgraphRequest("subscription{x}", {}), CONTEXT)
    assert await anext(stream) == SubgraphResponse({"x": 1}, [], {})
    assert not closed
    await stream.aclose()  # type: ignore[attr-defined]
    assert closed


async def test_a_subgraph_without_subscriptions_cannot_be_subscribed_to() -> None:
    async def execute(_request: SubgraphRequest, _context: RequestContext) -> Any:
        raise AssertionError

    with pytest.raises(SubgraphUnreachable):
        await anext(InProcessTransport(execute).subscribe(SubgraphRequest("subscription{x}", {}), CONTEXT))
