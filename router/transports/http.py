"""The way to a subgraph over HTTP: keep-alive connections, several URLs, fail-over.

https://graphql.github.io/graphql-over-http/draft/
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol, Self, TypeAlias

import aiohttp
import msgspec

from router.transports.base import (
    LargeResponse,
    MalformedResponse,
    RequestContext,
    SubgraphHttpError,
    SubgraphRequest,
    SubgraphResponse,
    SubgraphUnreachable,
    TransportError,
)
from router.transports.endpoints import DEFAULT_REST_S, Endpoint, Endpoints
from router.transports.http1 import (
    AnswerTooLong,
    ConnectionBroken,
    Http1Client,
    Http1Error,
    Target,
    write_headers,
)
from router.transports.responses import read_response
from router.transports.turns import LARGE_ANSWER_BYTES, Turns

#: Adds what a subgraph must know about the caller, such as a signed assertion of its identity.
HeadersFor: TypeAlias = Callable[[RequestContext, str], Mapping[str, str]]

ACCEPT = "application/graphql-response+json, application/json;q=0.9"
#: Servers commonly close a connection that was idle for 5 s (uvicorn, Node); a mutation must not run into that.
KEEPALIVE_S = 4.0
#: A list of 100,000 objects fits; a runaway answer does not take the router's memory.
DEFAULT_MAX_RESPONSE_BYTES = 64 * 1024 * 1024
#: From here on it matters whether the data stands in memory as objects, too, which take several times their JSON.
LARGE_BYTES = 256 * 1024
#: Below the executor's own time-out, so that this more exact one speaks first.
DEFAULT_TIMEOUT_S = 25.0
#: A replica on the same network that needs longer to accept is as good as gone.
DEFAULT_CONNECT_TIMEOUT_S = 3.0

# set by the transport; forwarded from a client they would describe another message
_OWN_HEADERS = frozenset(
    {
        "accept",
        "accept-encoding",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)

# what a proxy in front of a subgraph says when the subgraph is not there: another URL may do better
_GATEWAY_ERRORS = frozenset({502, 503, 504})

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A subgraph's answer as it came. It never changes, so several receivers may each read it."""

    status: int
    body: bytes

    def read(self) -> SubgraphResponse:
        """Return the GraphQL response in the body, in dicts that the caller owns.

        An HTTP error with a GraphQL response is that response: servers differ in their status for the same answer.

        Raises:
            SubgraphHttpError: an HTTP error without a GraphQL response.
            MalformedResponse: a success without one.
        """
        try:
            large = _read_large(self.body) if len(self.body) > LARGE_BYTES else None
            return large or read_response(_decode(self.body))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, MalformedResponse) as error:
            if not 200 <= self.status < 300:
                raise SubgraphHttpError(f"HTTP status {self.status}", status=self.status) from error
            if isinstance(error, MalformedResponse):
                raise
            raise MalformedResponse(f"the body is no JSON: {error}") from error


class _Envelope(msgspec.Struct):
    # empty where there is none
    data: msgspec.Raw = msgspec.Raw()
    errors: Any = None
    extensions: Any = None


_NOTHING, _NULL = msgspec.Raw(), msgspec.Raw(b"null")
_decode_envelope = msgspec.json.Decoder(_Envelope).decode


def _read_large(body: bytes) -> LargeResponse | None:
    """Return a large response with its data unread; None when it has no data or is not what it should be."""
    try:
        envelope = _decode_envelope(body)
    except msgspec.ValidationError:
        return None
    if envelope.data in (_NOTHING, _NULL):
        return None
    others = read_response({"data": {}, "errors": envelope.errors, "extensions": envelope.extensions})
    return LargeResponse(envelope.data, others.errors, others.extensions)


class OpenSubscription(Protocol):
    """A protocol for subscriptions: opens a stream of responses at *url*."""

    def __call__(
        self, session: aiohttp.ClientSession, url: str, request: SubgraphRequest, headers: Mapping[str, str]
    ) -> AsyncIterator[SubgraphResponse]:
        """Yield each event's response; raise a TransportError when the stream breaks."""
        ...


class SubgraphSession:
    """The connections that the transports of a router share: *requests* for requests, *streams* for subscriptions.

    Large answers take *turns*.

    Whoever opens it closes it. Needs a running loop.
    """

    def __init__(self, *, max_requests: int = 1000) -> None:
        self.requests = Http1Client(max_requests=max_requests, keepalive_s=KEEPALIVE_S)
        self.turns = Turns()
        self.streams = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=max_requests, keepalive_timeout=KEEPALIVE_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"accept-encoding": "identity"},
            skip_auto_headers=("user-agent",),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    @property
    def is_closed(self) -> bool:
        """Tell whether it was closed."""
        return self.requests.is_closed

    async def aclose(self) -> None:
        """Close all connections."""
        await self.requests.aclose()
        await self.streams.close()


class HttpTransport:
    """Sends requests to one subgraph over HTTP.

    Args:
        subgraph: its name, for `headers_for` and messages.
        urls: where it can be reached; they take turns, and one that cannot be connected to rests for a while.
        session: shared with other transports and closed by its owner.
        headers_for: what to tell the subgraph about the caller; wins over forwarded headers.
        timeout_s: for one request with all its attempts.
        max_response_bytes: a longer answer is not read to its end.
        open_subscription: `websocket.open_websocket` or `sse.open_event_stream`; None when it has no subscriptions.
        subscription_url: where subscriptions are opened, if not at the first of *urls*.
    """

    def __init__(
        self,
        subgraph: str,
        urls: tuple[str, ...],
        session: SubgraphSession,
        *,
        headers_for: HeadersFor | None = None,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        connect_timeout_s: float = DEFAULT_CONNECT_TIMEOUT_S,
        max_response_bytes: int = DEFAULT_MAX_RESPONSE_BYTES,
        rest_s: float = DEFAULT_REST_S,
        open_subscription: OpenSubscription | None = None,
        subscription_url: str | None = None,
    ) -> None:
        self.subgraph = subgraph
        self._session = session
        self._headers_for = headers_for
        self._timeout_s = timeout_s
        self._connect_timeout_s = connect_timeout_s
        self._max_response_bytes = max_response_bytes
        self._endpoints = Endpoints(urls, rest_s=rest_s)
        self._targets = {url: Target.of_url(url) for url in urls}
        self._open_subscription = open_subscription
        self._subscription_url = subscription_url or urls[0]

    async def send(self, request: SubgraphRequest, context: RequestContext) -> SubgraphResponse:
        """Send *request* and return the answer."""
        answer = await self.fetch(request, context)
        if context.observation is not None:
            context.observation.answer_bytes = len(answer.body)
        return answer.read()

    async def fetch(self, request: SubgraphRequest, context: RequestContext) -> HttpAnswer:
        """Send *request* and return the answer unread; a large one when its turn has come.

        When a URL cannot be connected to, the next one is tried. A connection that breaks later, or a proxy's 502 to
        504, lets only queries move on: a mutation may have been carried out.

        Raises:
            SubgraphUnreachable: no URL gave an answer, or none in time.
            MalformedResponse: the answer is too long.
        """
        body = write_body(request)
        try:
            headers = write_headers(self.headers(context))
        except ValueError as error:
            raise SubgraphUnreachable(f"{self.subgraph}: {error}") from error
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await self._try_endpoints(request, body, headers)
        except TimeoutError as error:
            raise SubgraphUnreachable(f"{self.subgraph}: no answer in {self._timeout_s} s") from error
        if len(answer.body) >= LARGE_ANSWER_BYTES:
            await self._session.turns.take()
        return answer

    async def subscribe(self, request: SubgraphRequest, context: RequestContext) -> AsyncIterator[SubgraphResponse]:
        """Open a subscription over the configured protocol."""
        if self._open_subscription is None:
            raise SubgraphUnreachable(f"{self.subgraph}: no protocol for subscriptions is configured")
        stream = self._open_subscription(self._session.streams, self._subscription_url, request, self.headers(context))
        async with aclosing(stream) as events:  # type: ignore[type-var]
            async for event in events:
                yield event

    async def aclose(self) -> None:
        """Do nothing: the session is shared and belongs to whoever opened it."""

    def headers(self, context: RequestContext) -> dict[str, str]:
        """Return the headers of a request: forwarded ones, the request's id, and what `headers_for` adds."""
        headers = {name: value for name, value in context.headers.items() if name not in _OWN_HEADERS}
        if context.request_id:
            headers["x-request-id"] = context.request_id
        if self._headers_for is not None:
            headers.update(self._headers_for(context, self.subgraph))
        headers["content-type"] = "application/json"
        headers["accept"] = ACCEPT
        return headers

    async def _try_endpoints(self, request: SubgraphRequest, body: bytes, headers: bytes) -> HttpAnswer:
        clock = asyncio.get_running_loop().time
        tried: list[Endpoint] = []
        last: HttpAnswer | TransportError | None = None
        while (endpoint := self._endpoints.choose(clock(), tried=tried)) is not None:
            tried.append(endpoint)
            endpoint.pending += 1
            try:
                answer = await self._post(endpoint, body, headers)
            except AnswerTooLong as error:
                raise MalformedResponse(f"{self.subgraph}: {error}") from error
            except Http1Error as error:
                last = self._unreachable(endpoint, error)
                if isinstance(error, ConnectionBroken):
                    if request.is_mutation:
                        raise last from error
                    if len(self._endpoints) == 1 and not error.answer_begun:
                        # most likely a connection that the server had given up as idle: the same URL deserves another
                        return await self._retry_once(endpoint, body, headers)
                self._endpoints.rest(endpoint, clock())
                continue
            finally:
                endpoint.pending -= 1
            if answer.status in _GATEWAY_ERRORS and not request.is_mutation and len(self._endpoints) > 1:
                last = answer
                continue
            endpoint.rests_until_s = 0.0
            return answer
        if isinstance(last, HttpAnswer):
            return last
        raise last or SubgraphUnreachable(f"{self.subgraph}: no URL")

    async def _retry_once(self, endpoint: Endpoint, body: bytes, headers: bytes) -> HttpAnswer:
        try:
            return await self._post(endpoint, body, headers)
        except AnswerTooLong as error:
            raise MalformedResponse(f"{self.subgraph}: {error}") from error
        except Http1Error as error:
            raise self._unreachable(endpoint, error) from error

    def _unreachable(self, endpoint: Endpoint, error: Http1Error) -> SubgraphUnreachable:
        return SubgraphUnreachable(f"{self.subgraph} at {endpoint.url}: {type(error).__name__}: {error}")

    async def _post(self, endpoint: Endpoint, body: bytes, headers: bytes) -> HttpAnswer:
        status, answer = await self._session.requests.post(
            self._targets[endpoint.url],
            headers,
            body,
            max_bytes=self._max_response_bytes,
            connect_timeout_s=self._connect_timeout_s,
        )
        return HttpAnswer(status, answer)


def write_body(request: SubgraphRequest) -> bytes:
    """Return the JSON body of *request*."""
    start = _body_start(request.document, request.operation_name)
    if not request.variables:
        return start + b"}"
    return b"".join((start, b',"variables":', _encode(request.variables), b"}"))


@lru_cache(maxsize=4096)
def _body_start(document: str, operation_name: str | None) -> bytes:
    # the same few documents are sent over and over: escape each once
    body: dict[str, Any] = {"query": document}
    if operation_name is not None:
        body["operationName"] = operation_name
    return _encode(body)[:-1]
