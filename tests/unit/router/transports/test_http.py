import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from core.identity import Identity
from router.transports.base import (
    MalformedResponse,
    RequestContext,
    SubgraphHttpError,
    SubgraphRequest,
    SubgraphResponse,
    SubgraphUnreachable,
)
from router.transports.http import HttpTransport, SubgraphSession
from tests.unit.router.transports.servers import breaking, free_url, json_handler, serving, text_handler

QUERY = SubgraphRequest('query Q($a:Int){x(a:$a,text:"é\\n")}', {"a": 1}, "Q")
MUTATION = SubgraphRequest("mutation{x}", {}, None, is_mutation=True)
CONTEXT = RequestContext()
DATA = {"data": {"x": 1}}


@pytest.fixture
async def session() -> AsyncIterator[SubgraphSession]:
    opened = SubgraphSession()
    yield opened
    await opened.aclose()


async def test_a_request_is_json_over_post_and_the_answer_is_read(session: SubgraphSession) -> None:
    async with serving(
        json_handler({"data": {"x": 1}, "errors": [{"message": "e"}], "extensions": {"c": 1}})
    ) as server:
        response = await HttpTransport("a", (server.url,), session).send(QUERY, CONTEXT)
    assert response == SubgraphResponse({"x": 1}, [{"message": "e"}], {"c": 1})
    assert server.bodies == [{"query": QUERY.document, "operationName": "Q", "variables": {"a": 1}}]
    assert server.headers[0]["content-type"] == "application/json"
    assert server.headers[0]["accept"] == "application/graphql-response+json, application/json;q=0.9"


async def test_a_request_without_variables_and_name_is_only_its_document(session: SubgraphSession) -> None:
    async with serving(json_handler(DATA, content_type="application/graphql-response+json")) as server:
        response = await HttpTransport("a", (server.url,), session).send(MUTATION, CONTEXT)
    assert response.data == {"x": 1}
    assert server.bodies == [{"query": "mutation{x}"}]


async def test_headers_are_forwarded_and_the_identity_is_added_last(session: SubgraphSession) -> None:
    def headers_for(context: RequestContext, subgraph: str) -> dict[str, str]:
        return {"authorization": f"Assertion {context.identity.subject}@{subgraph}"}

    context = RequestContext(
        Identity("u1"),
        "request-1",
        {
            "traceparent": "00-1-2-01",
            "authorization": "Bearer of the client",
            "host": "evil",
            "content-length": "3",
            "content-type": "text/plain",
        },
    )
    async with serving(json_handler(DATA)) as server:
        await HttpTransport("a", (server.url,), session, headers_for=headers_for).send(QUERY, context)
    sent = server.headers[0]
    assert sent["traceparent"] == "00-1-2-01"
    assert sent["x-request-id"] == "request-1"
    assert sent["authorization"] == "Assertion u1@a"
    assert sent["host"].startswith("127.0.0.1")
    assert sent["content-type"] == "application/json"


async def test_the_connection_is_kept_for_the_next_request(session: SubgraphSession) -> None:
    peers: set[Any] = set()

    async def handle(request: web.Request) -> web.Response:
        assert request.transport is not None
        peers.add(request.transport.get_extra_info("peername"))
        return web.json_response(DATA)

    async with serving(handle) as server:
        transport = HttpTransport("a", (server.url,), session)
        for _ in range(5):
            await transport.send(QUERY, CONTEXT)
    assert (len(peers), server.count) == (1, 5)


@pytest.mark.parametrize("status", [400, 401, 422, 500, 503, 294])
async def test_a_graphql_answer_counts_whatever_its_status(session: SubgraphSession, status: int) -> None:
    answer = {"errors": [{"message": "no"}]}
    async with serving(json_handler(answer, status=status)) as server:
        response = await HttpTransport("a", (server.url,), session).send(QUERY, CONTEXT)
    assert response == SubgraphResponse(None, [{"message": "no"}], {})


@pytest.mark.parametrize("status", [301, 404, 500, 502])
async def test_an_http_error_without_a_graphql_answer_is_told_with_its_status(
    session: SubgraphSession, status: int
) -> None:
    async with serving(text_handler("<html>secret</html>", status=status)) as server:
        with pytest.raises(SubgraphHttpError) as caught:
            await HttpTransport("a", (server.url,), session).send(QUERY, CONTEXT)
    assert (caught.value.status, caught.value.code, server.count) == (status, "SUBREQUEST_HTTP_ERROR", 1)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        "<html></html>",
        '{"data": {"x": 1}',
        "",
        "[]",
        "null",
        '{"data": [1]}',
        '{"data": 1}',
        "{}",
        '{"errors": []}',
        '{"data": {}, "errors": {"message": "x"}}',
        '{"data": {}, "errors": ["x"]}',
        '{"data": {"x": "\\ud800"}}',
    ],
)
async def test_a_success_that_is_no_graphql_answer_is_malformed(session: SubgraphSession, body: str) -> None:
    async with serving(text_handler(body, content_type="application/json")) as server:
        with pytest.raises(MalformedResponse) as caught:
            await HttpTransport("a", (server.url,), session).send(QUERY, CONTEXT)
    assert caught.value.code == "SUBREQUEST_MALFORMED_RESPONSE"


async def test_broken_extensions_do_not_spoil_the_data(session: SubgraphSession) -> None:
    async with serving(json_handler({"data": {"x": 1}, "errors": None, "extensions": "?"})) as server:
        response = await HttpTransport("a", (server.url,), session).send(QUERY, CONTEXT)
    assert response == SubgraphResponse({"x": 1}, [], {})


@pytest.mark.parametrize("sends_length", [True, False])
async def test_an_answer_that_is_too_long_is_not_read(session: SubgraphSession, sends_length: bool) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        if sends_length:
            return web.json_response({"data": {"x": "y" * 300_000}})
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(10):
            await response.write(b"y" * 30_000)
        await response.write_eof()
        return response

    async with serving(handle) as server:
        with pytest.raises(MalformedResponse, match="longer than 100000 bytes"):
            await HttpTransport("a", (server.url,), session, max_response_bytes=100_000).send(QUERY, CONTEXT)


async def test_an_answer_within_the_limit_is_read_whole(session: SubgraphSession) -> None:
    async with serving(json_handler({"data": {"x": "y" * 300_000}})) as server:
        response = await HttpTransport("a", (server.url,), session, max_response_bytes=400_000).send(QUERY, CONTEXT)
    assert response.data == {"x": "y" * 300_000}


async def test_an_answer_that_does_not_come_in_time_is_given_up(session: SubgraphSession) -> None:
    async def handle(_: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    async with serving(handle) as server:
        with pytest.raises(SubgraphUnreachable, match=r"a: no answer in 0\.05 s"):
            await HttpTransport("a", (server.url,), session, timeout_s=0.05).send(QUERY, CONTEXT)
    assert server.count == 1


async def test_requests_take_turns_over_the_urls(session: SubgraphSession) -> None:
    async with serving(json_handler(DATA)) as one, serving(json_handler(DATA)) as two:
        transport = HttpTransport("a", (one.url, two.url), session)
        for _ in range(10):
            await transport.send(QUERY, CONTEXT)
    assert (one.count, two.count) == (5, 5)


async def test_a_busy_url_gets_fewer_requests(session: SubgraphSession) -> None:
    release = asyncio.Event()

    async def slow(_: web.Request) -> web.Response:
        await release.wait()
        return web.json_response(DATA)

    async with serving(slow) as busy, serving(json_handler(DATA)) as idle:
        transport = HttpTransport("a", (busy.url, idle.url), session)
        waiting = [asyncio.ensure_future(transport.send(QUERY, CONTEXT)) for _ in range(2)]
        await busy.wait_for_requests(1)
        await idle.wait_for_requests(1)
        for _ in range(6):
            await transport.send(QUERY, CONTEXT)
        release.set()
        await asyncio.gather(*waiting)
    assert (busy.count, idle.count) == (1, 7)


@pytest.mark.parametrize("request_", [QUERY, MUTATION], ids=["query", "mutation"])
async def test_a_url_that_cannot_be_connected_to_is_passed_over_and_rests(
    session: SubgraphSession, request_: SubgraphRequest
) -> None:
    async with serving(json_handler(DATA)) as up:
        transport = HttpTransport("a", (await free_url(), up.url), session, rest_s=1000)
        for _ in range(4):
            assert (await transport.send(request_, CONTEXT)).data == {"x": 1}
        down = transport._endpoints.choose(
            float("inf"), tried=[e for e in transport._endpoints._endpoints if e.url == up.url]
        )
    assert up.count == 4
    assert down is not None
    assert down.rests_until_s > 0


async def test_when_no_url_can_be_connected_to_the_subgraph_is_unreachable(session: SubgraphSession) -> None:
    transport = HttpTransport("a", (await free_url(), await free_url()), session)
    with pytest.raises(SubgraphUnreachable):
        await transport.send(QUERY, CONTEXT)
    # all rest now; they are asked all the same
    with pytest.raises(SubgraphUnreachable):
        await transport.send(QUERY, CONTEXT)


async def test_a_query_moves_on_when_the_connection_breaks(session: SubgraphSession) -> None:
    async with breaking() as broken, serving(json_handler(DATA)) as up:
        transport = HttpTransport("a", (up.url, broken.url), session)
        for _ in range(3):
            assert (await transport.send(QUERY, CONTEXT)).data == {"x": 1}
    assert (broken.count, up.count) == (1, 3)


async def test_a_mutation_does_not_move_on_when_the_connection_breaks(session: SubgraphSession) -> None:
    async with breaking() as broken, serving(json_handler(DATA)) as up:
        transport = HttpTransport("a", (up.url, broken.url), session)
        # the second URL has the first turn
        with pytest.raises(SubgraphUnreachable):
            await transport.send(MUTATION, CONTEXT)
    assert (broken.count, up.count) == (1, 0)


async def test_a_query_to_the_only_url_is_sent_once_more_when_the_connection_breaks(
    session: SubgraphSession,
) -> None:
    async with breaking() as broken:
        with pytest.raises(SubgraphUnreachable):
            await HttpTransport("a", (broken.url,), session).send(QUERY, CONTEXT)
        assert broken.count == 2
        with pytest.raises(SubgraphUnreachable):
            await HttpTransport("a", (broken.url,), session).send(MUTATION, CONTEXT)
        assert broken.count == 3


@pytest.mark.parametrize(("request_", "counts"), [(QUERY, (1, 1)), (MUTATION, (1, 0))], ids=["query", "mutation"])
async def test_only_a_query_moves_on_from_a_proxy_that_does_not_reach_its_subgraph(
    session: SubgraphSession, request_: SubgraphRequest, counts: tuple[int, int]
) -> None:
    async with serving(text_handler("", status=503)) as proxy, serving(json_handler(DATA)) as up:
        transport = HttpTransport("a", (up.url, proxy.url), session)
        if request_.is_mutation:
            with pytest.raises(SubgraphHttpError):
                await transport.send(request_, CONTEXT)
        else:
            assert (await transport.send(request_, CONTEXT)).data == {"x": 1}
    assert (proxy.count, up.count) == counts


async def test_when_all_proxies_fail_the_last_answer_is_told(session: SubgraphSession) -> None:
    async with serving(text_handler("", status=502)) as one, serving(text_handler("", status=503)) as two:
        with pytest.raises(SubgraphHttpError):
            await HttpTransport("a", (one.url, two.url), session).send(QUERY, CONTEXT)
    assert (one.count, two.count) == (1, 1)


async def test_closing_a_transport_leaves_the_shared_session_open(session: SubgraphSession) -> None:
    async with serving(json_handler(DATA)) as server:
        transport = HttpTransport("a", (server.url,), session)
        await transport.aclose()
        assert not session.is_closed


async def test_subscribing_without_a_protocol_is_refused(session: SubgraphSession) -> None:
    transport = HttpTransport("a", ("http://127.0.0.1:1/",), session)
    with pytest.raises(SubgraphUnreachable):
        await anext(aiter(transport.subscribe(QUERY, CONTEXT)))
