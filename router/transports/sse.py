"""Subscriptions over server-sent events, in the "distinct connections mode" of graphql-sse.

https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import aiohttp
import msgspec

from router.transports.base import MalformedResponse, SubgraphRequest, SubgraphResponse, SubgraphUnreachable
from router.transports.http import HttpAnswer, write_body
from router.transports.responses import read_response

MAX_EVENT_BYTES = 16 * 1024 * 1024

_decode = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event of a stream; *name* is `message` where the stream gave none."""

    name: str
    text: str


class EventStreamParser:
    """Cuts a `text/event-stream` into events. Mutable on purpose: it keeps the unfinished end of what it was fed.

    https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
    """

    def __init__(self) -> None:
        self._rest = b""
        self._name = ""
        self._lines: list[str] = []
        self._size_bytes = 0

    def feed(self, chunk: bytes) -> list[ServerEvent]:
        """Take the next bytes and return the events that they complete.

        Raises:
            MalformedResponse: an event is longer than MAX_EVENT_BYTES or is no UTF-8.
        """
        self._size_bytes += len(chunk)
        # a \r at the end may be half of a \r\n: it waits for the next chunk
        text = self._rest + chunk
        held = text[-1:] == b"\r"
        *lines, self._rest = (text[:-1] if held else text).replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        if held:
            self._rest += b"\r"
        events: list[ServerEvent] = []
        for line in lines:
            event = self._take_line(line)
            if event is not None:
                events.append(event)
                self._size_bytes = 0
        if self._size_bytes > MAX_EVENT_BYTES:
            raise MalformedResponse(f"an event is longer than {MAX_EVENT_BYTES} bytes")
        return events

    def _take_line(self, line: bytes) -> ServerEvent | None:
        if not line:
            event = ServerEvent(self._name or "message", "\n".join(self._lines)) if self._lines or self._name else None
            self._name, self._lines = "", []
            return event
        name, _, value = line.partition(b":")
        try:
            text = value.removeprefix(b" ").decode()
        except UnicodeDecodeError as error:
            raise MalformedResponse("an event is no UTF-8") from error
        match name:
            case b"event":
                self._name = text
            case b"data":
                self._lines.append(text)
        return None


async def open_event_stream(
    session: aiohttp.ClientSession, url: str, request: SubgraphRequest, headers: Mapping[str, str]
) -> AsyncIterator[SubgraphResponse]:
    """Open a subscription at *url* and yield each event's response; closing the iterator ends it at the subgraph.

    A server that refuses may answer with an ordinary GraphQL response: that is the only event then.

    Raises:
        SubgraphUnreachable: no connection, or it closed before the `complete` event.
        SubgraphHttpError: an HTTP error without a GraphQL response.
        MalformedResponse: an event that is no GraphQL response.
    """
    try:
        async with session.post(
            url,
            data=write_body(request),
            headers={**headers, "accept": "text/event-stream, application/json;q=0.9"},
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=10),
            allow_redirects=False,
        ) as response:
            if response.content_type != "text/event-stream":
                yield HttpAnswer(response.status, await response.read()).read()
                return
            parser = EventStreamParser()
            async for chunk in response.content.iter_any():
                for event in parser.feed(chunk):
                    match event.name:
                        case "next":
                            yield _read_event(event.text)
                        case "complete":
                            return
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise SubgraphUnreachable(f"event stream at {url}: {type(error).__name__}: {error}") from error
    raise SubgraphUnreachable(f"event stream at {url}: closed before the subscription ended")


def _read_event(text: str) -> SubgraphResponse:
    try:
        return read_response(_decode(text))
    except msgspec.DecodeError as error:
        raise MalformedResponse(f"an event is no JSON: {error}") from error
