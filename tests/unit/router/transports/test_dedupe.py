import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from core.identity import Identity
from router.transports.base import (
    Observation,
    RequestContext,
    SubgraphRequest,
    SubgraphResponse,
    SubgraphUnreachable,
)
from router.transports.dedupe import DedupingTransport
from router.transports.fake import FakeTransport
from router.transports.http import HttpTransport, SubgraphSession
from tests.unit.router.transports.servers import serving

CONTEXT = RequestContext()


class Gated(FakeTransport):
    """Answers when its gate is opened."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.gate = asyncio.Event()
        self.cancelled = 0

    async def send(self, request: SubgraphRequest, context: RequestContext) -> SubgraphResponse:
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return await super().send(request, context)


def echo(request: SubgraphRequest) -> dict[str, Any]:
    return {"data": {"x": {"variables": dict(request.variables)}}, "errors": [{"message": "e"}], "extensions": {"c": 1}}


async def send_all(
    inner: Gated, *requests: tuple[SubgraphRequest, RequestContext]
) -> tuple[DedupingTransport, list[SubgraphResponse]]:
    transport = DedupingTransport(inner)
    tasks = [asyncio.ensure_future(transport.send(request, context)) for request, context in requests]
    for _ in range(5):
        await asyncio.sleep(0)
    inner.gate.set()
    return transport, await asyncio.gather(*tasks)


async def test_identical_queries_under_way_are_one_request_and_share_no_dict() -> None:
    inner = Gated(echo)
    request = SubgraphRequest("{x}", {"a": 1, "b": 2})
    other_order = SubgraphRequest("{x}", {"b": 2, "a": 1})
    transport, responses = await send_all(inner, (request, CONTEXT), (other_order, CONTEXT), (request, CONTEXT))
    assert len(inner.requests) == 1
    assert transport.shared == 2
    assert responses == [SubgraphResponse({"x": {"variables": {"a": 1, "b": 2}}}, [{"message": "e"}], {"c": 1})] * 3
    datas = [response.data["x"] for response in responses if response.data]
    assert len({id(each) for each in datas}) == len({id(each.errors[0]) for each in responses}) == 3


async def test_the_next_identical_query_is_sent_again() -> None:
    inner = FakeTransport(echo)
    transport = DedupingTransport(inner)
    for _ in range(3):
        await transport.send(SubgraphRequest("{x}", {}), CONTEXT)
    assert (len(inner.requests), transport.shared) == (3, 0)


@pytest.mark.parametrize(
    ("request_", "context"),
    [
        (SubgraphRequest("{y}", {"a": 1}), CONTEXT),
        (SubgraphRequest("{x}", {"a": 2}), CONTEXT),
        (SubgraphRequest("{x}", {}), CONTEXT),
        (SubgraphRequest("{x}", {"a": 1}, "Q"), CONTEXT),
        (SubgraphRequest("{x}", {"a": 1}), RequestContext(Identity("u2"))),
        (SubgraphRequest("{x}", {"a": 1}), RequestContext(headers={"accept-language": "id"})),
    ],
    ids=["document", "variables", "no variables", "operation name", "identity", "header"],
)
async def test_queries_that_differ_are_not_shared(request_: SubgraphRequest, context: RequestContext) -> None:
    inner = Gated(echo)
    await send_all(inner, (SubgraphRequest("{x}", {"a": 1}), CONTEXT), (request_, context))
    assert len(inner.requests) == 2


async def test_tracing_headers_and_the_requests_id_do_not_make_a_difference() -> None:
    inner = Gated(echo)
    request = SubgraphRequest("{x}", {})
    await send_all(
        inner,
        (request, RequestContext(request_id="1", headers={"traceparent": "1", "a": "b"})),
        (request, RequestContext(request_id="2", headers={"a": "b", "traceparent": "2"})),
    )
    assert len(inner.requests) == 1


async def test_mutations_are_never_shared() -> None:
    inner = Gated(echo)
    request = SubgraphRequest("mutation{x}", {}, is_mutation=True)
    await send_all(inner, (request, CONTEXT), (request, CONTEXT))
    assert len(inner.requests) == 2


async def test_a_failure_is_everybodys_failure_and_is_not_remembered() -> None:
    inner = Gated([SubgraphUnreachable("down"), {"data": {"x": 1}}])
    transport = DedupingTransport(inner)
    request = SubgraphRequest("{x}", {})
    inner.gate.set()
    outcomes = await asyncio.gather(*(transport.send(request, CONTEXT) for _ in range(2)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [SubgraphUnreachable] * 2
    assert (await transport.send(request, CONTEXT)).data == {"x": 1}


async def test_the_first_client_going_away_does_not_take_the_answer_from_the_second() -> None:
    inner = Gated(echo)
    transport = DedupingTransport(inner)
    first, second = (asyncio.ensure_future(transport.send(SubgraphRequest("{x}", {}), CONTEXT)) for _ in range(2))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    inner.gate.set()
    assert (await second).data == {"x": {"variables": {}}}
    assert first.cancelled()
    assert (inner.cancelled, len(inner.requests)) == (0, 1)


async def test_the_last_client_going_away_ends_the_request_and_the_next_one_starts_anew() -> None:
    inner = Gated(echo)
    transport = DedupingTransport(inner)
    tasks = [asyncio.ensure_future(transport.send(SubgraphRequest("{x}", {}), CONTEXT)) for _ in range(2)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    inner.gate.set()
    assert (await transport.send(SubgraphRequest("{x}", {}), CONTEXT)).data == {"x": {"variables": {}}}
    assert inner.cancelled == 1


async def test_subscriptions_go_through_and_closing_closes_the_wrapped_transport() -> None:
    inner = FakeTransport(events=[{"data": {"x": 1}}])
    transport = DedupingTransport(inner)
    events = [event async for event in transport.subscribe(SubgraphRequest("subscription{x}", {}), CONTEXT)]
    await transport.aclose()
    assert events == [SubgraphResponse({"x": 1}, [], {})]
    assert inner.is_closed


@pytest.fixture
async def session() -> AsyncIterator[SubgraphSession]:
    opened = SubgraphSession()
    yield opened
    await opened.aclose()


async def test_over_http_each_receiver_reads_the_shared_bytes_for_itself(session: SubgraphSession) -> None:
    gate = asyncio.Event()

    async def handle(_: web.Request) -> web.Response:
        await gate.wait()
        return web.json_response({"data": {"x": {"y": 1}}})

    async with serving(handle) as server:
        transport = DedupingTransport(HttpTransport("a", (server.url,), session))
        tasks = [asyncio.ensure_future(transport.send(SubgraphRequest("{x}", {}), CONTEXT)) for _ in range(4)]
        await server.wait_for_requests(1)
        gate.set()
        responses = await asyncio.gather(*tasks)
    assert (server.count, transport.shared) == (1, 3)
    assert [response.data for response in responses] == [{"x": {"y": 1}}] * 4
    assert len({id(response.data) for response in responses}) == 4


async def test_whoever_wants_to_know_learns_that_an_answer_was_shared_and_how_large_it_was() -> None:
    body = b'{"data":{"x":1}}'
    gate = asyncio.Event()

    async def answer(_: web.Request) -> web.Response:
        await gate.wait()
        return web.Response(body=body, content_type="application/json")

    observations = [Observation(), Observation(), Observation()]
    request = SubgraphRequest("{x}", {})
    async with serving(answer) as server, SubgraphSession() as session:
        transport = DedupingTransport(HttpTransport("s", (server.url,), session))
        tasks = [
            asyncio.ensure_future(transport.send(request, RequestContext(observation=observation)))
            for observation in observations[:2]
        ]
        await server.wait_for_requests(1)
        gate.set()
        await asyncio.gather(*tasks)
        mutation = SubgraphRequest("mutation{x}", {}, is_mutation=True)
        await transport.send(mutation, RequestContext(observation=observations[2]))
    assert [(each.is_shared, each.answer_bytes) for each in observations] == [
        (False, len(body)),
        (True, len(body)),
        (False, len(body)),
    ]


async def test_an_answer_that_never_was_a_body_has_no_size() -> None:
    observation = Observation()
    await DedupingTransport(FakeTransport(echo)).send(
        SubgraphRequest("{x}", {}), RequestContext(observation=observation)
    )
    assert (observation.is_shared, observation.answer_bytes) == (False, None)
