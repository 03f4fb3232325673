import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from router.transports import sse
from router.transports.base import (
    MalformedResponse,
    RequestContext,
    SubgraphHttpError,
    SubgraphRequest,
    SubgraphResponse,
    SubgraphUnreachable,
)
from router.transports.http import HttpTransport, SubgraphSession
from router.transports.sse import EventStreamParser, ServerEvent, open_event_stream
from tests.unit.router.transports.servers import Handler, free_url, json_handler, serving, text_handler

REQUEST = SubgraphRequest("subscription($a:Int){x(a:$a)}", {"a": 1})
EVENT = b'event: next\ndata: {"data":{"x":1}}\n\n'
COMPLETE = b"event: complete\ndata:\n\n"


@pytest.fixture
async def session() -> AsyncIterator[SubgraphSession]:
    opened = SubgraphSession()
    yield opened
    await opened.aclose()


def streaming(*chunks: bytes, ended: asyncio.Event | None = None) -> Handler:
    """Send *chunks*; with *ended*, keep the stream open until the client goes away and say so."""

    async def handle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream; charset=utf-8"})
        await response.prepare(request)
        for chunk in chunks:
            await response.write(chunk)
        if ended is not None:
            try:
                while True:
                    await response.write(b":\n\n")
                    await asyncio.sleep(0.001)
            except (ConnectionError, asyncio.CancelledError):
                ended.set()
        return response

    return handle


async def collect(session: SubgraphSession, url: str) -> list[SubgraphResponse]:
    return [event async for event in open_event_stream(session.streams, url, REQUEST, {})]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_events_are_found_however_the_stream_is_cut(size: int, newline: bytes) -> None:
    stream = (
        b": comment\n\nevent: next\nid: 5\ndata: {\ndata:  1\n\n"
        b"data:x\n\nevent:complete\ndata\n\nevent: next\ndata: lost"
    ).replace(b"\n", newline)
    parser = EventStreamParser()
    events = [event for at in range(0, len(stream), size) for event in parser.feed(stream[at : at + size])]
    assert events == [ServerEvent("next", "{\n 1"), ServerEvent("message", "x"), ServerEvent("complete", "")]


def test_an_event_without_end_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_EVENT_BYTES", 100)
    parser = EventStreamParser()
    for _ in range(50):
        parser.feed(b"data: x\n\n")
    for _ in range(12):
        parser.feed(b"data: x\n")
    with pytest.raises(MalformedResponse, match="longer than 100 bytes"):
        parser.feed(b"data: x\n")


def test_an_event_that_is_no_utf_8_is_malformed() -> None:
    with pytest.raises(MalformedResponse, match="no UTF-8"):
        EventStreamParser().feed(b"data: \xff\n\n")


async def test_events_are_yielded_until_the_stream_says_that_it_is_complete(session: SubgraphSession) -> None:
    async with serving(streaming(b":\n\n", EVENT, EVENT.replace(b"1", b"2"), COMPLETE)) as server:
        transport = HttpTransport("a", (server.url,), session, open_subscription=open_event_stream)
        events = [event async for event in transport.subscribe(REQUEST, RequestContext(request_id="r1"))]
    assert events == [SubgraphResponse({"x": 1}, [], {}), SubgraphResponse({"x": 2}, [], {})]
    assert server.bodies == [{"query": REQUEST.document, "variables": {"a": 1}}]
    assert server.headers[0]["accept"] == "text/event-stream, application/json;q=0.9"
    assert server.headers[0]["x-request-id"] == "r1"


async def test_closing_the_stream_ends_it_at_the_subgraph(session: SubgraphSession) -> None:
    ended = asyncio.Event()
    async with serving(streaming(EVENT, ended=ended)) as server:
        stream = open_event_stream(session.streams, server.url, REQUEST, {})
        assert (await anext(stream)).data == {"x": 1}
        await stream.aclose()  # type: ignore[attr-defined]
        await ended.wait()


async def test_a_stream_that_ends_without_saying_so_is_broken(session: SubgraphSession) -> None:
    async with serving(streaming(EVENT)) as server:
        stream = open_event_stream(session.streams, server.url, REQUEST, {})
        assert (await anext(stream)).data == {"x": 1}
        with pytest.raises(SubgraphUnreachable, match="closed before the subscription ended"):
            await anext(stream)


@pytest.mark.parametrize("text", [b"no json", b"[]", b"{}"])
async def test_an_event_that_is_no_graphql_answer_is_malformed(session: SubgraphSession, text: bytes) -> None:
    async with serving(streaming(b"event: next\ndata: " + text + b"\n\n")) as server:
        with pytest.raises(MalformedResponse):
            await collect(session, server.url)


async def test_a_refusal_is_an_ordinary_graphql_answer(session: SubgraphSession) -> None:
    async with serving(json_handler({"errors": [{"message": "no"}]}, status=400)) as server:
        assert await collect(session, server.url) == [SubgraphResponse(None, [{"message": "no"}], {})]


async def test_an_http_error_and_a_missing_server_are_told_apart(session: SubgraphSession) -> None:
    async with serving(text_handler("<html>", status=500)) as server:
        with pytest.raises(SubgraphHttpError):
            await collect(session, server.url)
    with pytest.raises(SubgraphUnreachable):
        await collect(session, await free_url())
