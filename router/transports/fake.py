"""A transport for tests: answers from a script and remembers what it was asked."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from router.transports.base import (
    RequestContext,
    SubgraphRequest,
    SubgraphResponse,
    SubgraphUnreachable,
    TransportError,
)
from router.transports.json_values import copy_json
from router.transports.responses import read_response

Answer: TypeAlias = Mapping[str, Any] | TransportError
Script: TypeAlias = Callable[[SubgraphRequest], Answer] | Iterable[Answer]


@dataclass(frozen=True, slots=True)
class SentRequest:
    """A request as the fake saw it; the variables are a copy from the moment of sending."""

    document: str
    variables: dict[str, Any]
    operation_name: str | None
    is_mutation: bool
    context: RequestContext


class FakeTransport:
    """Gives the answers of a script, one per request, or those of a function.

    Attributes:
        requests: all requests so far, in order.
        is_closed: whether `aclose` was called.
    """

    def __init__(self, script: Script = (), *, events: Iterable[Answer] = ()) -> None:
        self.requests: list[SentRequest] = []
        self.is_closed = False
        self.open_subscriptions = 0
        self._script = script if callable(script) else None
        self._answers = None if callable(script) else iter(script)
        self._events = tuple(events)

    async def send(self, request: SubgraphRequest, context: RequestContext) -> SubgraphResponse:
        """Record *request* and give the next answer; a TransportError in the script is raised."""
        self._record(request, context)
        if self._script is not None:
            return _give(self._script(request))
        assert self._answers is not None
        answer = next(self._answers, None)
        if answer is None:
            raise SubgraphUnreachable("the fake's script has no further answer")
        return _give(answer)

    async def subscribe(self, request: SubgraphRequest, context: RequestContext) -> AsyncIterator[SubgraphResponse]:
        """Record *request* and yield the scripted events; a TransportError among them is raised."""
        self._record(request, context)
        self.open_subscriptions += 1
        try:
            for event in self._events:
                yield _give(event)
        finally:
            self.open_subscriptions -= 1

    async def aclose(self) -> None:
        """Remember that it was closed."""
        self.is_closed = True

    def _record(self, request: SubgraphRequest, context: RequestContext) -> None:
        self.requests.append(
            SentRequest(
                document=request.document,
                variables=copy_json(dict(request.variables)),
                operation_name=request.operation_name,
                is_mutation=request.is_mutation,
                context=context,
            )
        )


def _give(answer: Answer) -> SubgraphResponse:
    if isinstance(answer, TransportError):
        raise answer
    return read_response(copy_json(dict(answer)))
