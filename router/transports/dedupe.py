"""One request on the wire for identical queries that are under way at the same time.

This is not a cache: the moment an answer has arrived, the next identical query is sent again.
"""

import asyncio
from collections.abc import AsyncIterator, Hashable
from typing import Protocol, TypeAlias, runtime_checkable

import msgspec

from router.transports.base import Observation, RequestContext, SubgraphRequest, SubgraphResponse, SubgraphTransport
from router.transports.http import HttpAnswer

#: Differ for every request and say nothing about what may be answered.
_TRACING_HEADERS = frozenset({"traceparent", "tracestate", "baggage", "x-request-id"})

# sorted, so that two clients that write their variables in another order ask the same
_encode = msgspec.json.Encoder(order="sorted").encode
_decode = msgspec.json.Decoder().decode


@runtime_checkable
class FetchingTransport(Protocol):
    """A transport that can give an answer unread: its bytes never change, so each receiver reads them for itself."""

    async def fetch(self, request: SubgraphRequest, context: RequestContext) -> HttpAnswer:
        """Send *request* and return the answer unread."""
        ...


_Answer: TypeAlias = HttpAnswer | SubgraphResponse


class DedupingTransport:
    """Wraps a transport; identical queries under way share one request, mutations and subscriptions never do.

    Queries are identical when document, operation name, variables, identity and forwarded headers are. Every receiver
    gets dicts of its own. The shared request ends with the last client that waits for it, not with the first.

    Attributes:
        shared: how many queries were answered by another one's request.
    """

    def __init__(self, inner: SubgraphTransport) -> None:
        self.shared = 0
        self._inner = inner
        self._fetch = inner.fetch if isinstance(inner, FetchingTransport) else inner.send
        self._flights: dict[Hashable, _Flight] = {}

    async def send(self, request: SubgraphRequest, context: RequestContext) -> SubgraphResponse:
        """Send *request*, or wait for the identical one that is under way."""
        if request.is_mutation:
            return await self._inner.send(request, context)
        key = _identity_of(request, context)
        flight = self._flights.get(key)
        if flight is None or flight.task.done():
            flight = self._flights[key] = _Flight(asyncio.ensure_future(self._fetch(request, context)))
            flight.task.add_done_callback(lambda _: self._land(key, flight))
        else:
            flight.is_shared = True
            self.shared += 1
            if context.observation is not None:
                context.observation.is_shared = True
        if context.first_answer is None:
            return await self._wait(key, flight, context.observation)
        context.first_answer.expect_from(flight.task)
        try:
            return await self._wait(key, flight, context.observation)
        finally:
            context.first_answer.arrive()

    def subscribe(self, request: SubgraphRequest, context: RequestContext) -> AsyncIterator[SubgraphResponse]:
        """Open a subscription of its own."""
        return self._inner.subscribe(request, context)

    async def aclose(self) -> None:
        """Close the wrapped transport."""
        await self._inner.aclose()

    async def _wait(self, key: Hashable, flight: "_Flight", observation: Observation | None) -> SubgraphResponse:
        flight.waiting += 1
        try:
            # a client that goes away must not take the request from the others
            answer = await asyncio.shield(flight.task)
        finally:
            flight.waiting -= 1
            if not flight.waiting and not flight.task.done():
                self._land(key, flight)
                flight.task.cancel()
        if observation is not None and isinstance(answer, HttpAnswer):
            observation.answer_bytes = len(answer.body)
        return flight.read(answer)

    def _land(self, key: Hashable, flight: "_Flight") -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]


class _Flight:
    """A request under way. Mutable on purpose: it counts who waits for it."""

    __slots__ = ("_body", "is_shared", "task", "waiting")

    def __init__(self, task: "asyncio.Future[_Answer]") -> None:
        self.task = task
        self.waiting = 0
        self.is_shared = False
        self._body: bytes | None = None

    def read(self, answer: _Answer) -> SubgraphResponse:
        if isinstance(answer, HttpAnswer):
            return answer.read()
        if not self.is_shared:
            return answer
        # nobody gets the original: writing it once and reading it per receiver is faster than copying dict by dict
        if self._body is None:
            self._body = _encode_answer([answer.data, answer.errors, answer.extensions])
        data, errors, extensions = _decode(self._body)
        return SubgraphResponse(data, errors, extensions)


_encode_answer = msgspec.json.Encoder().encode


def _identity_of(request: SubgraphRequest, context: RequestContext) -> Hashable:
    variables = _encode(request.variables) if request.variables else b""
    return request.document, request.operation_name, variables, context.identity, telling_headers(context)


def telling_headers(context: RequestContext) -> tuple[tuple[str, str], ...]:
    """Return the forwarded headers that may make a difference to an answer, in an order of their own."""
    if not context.headers:
        return ()
    return tuple(sorted(item for item in context.headers.items() if item[0] not in _TRACING_HEADERS))
