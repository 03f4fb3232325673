"""How the router reaches a subgraph.

TransportError
├── SubgraphUnreachable      no connection, or none in time: another URL may be tried
├── SubgraphHttpError        an answer, but not a GraphQL one, with its HTTP status
└── MalformedResponse        an answer that is not what GraphQL over HTTP says
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

import msgspec

from core.identity import ANONYMOUS, Identity


class FirstAnswer:
    """Knows whether any of an operation's requests has been answered. Mutable on purpose; keeps no answer alive."""

    __slots__ = ("_awaited", "_has_arrived")

    def __init__(self) -> None:
        self._awaited: list[asyncio.Future[Any]] = []
        self._has_arrived = False

    def expect_from(self, request: "asyncio.Future[Any]") -> None:
        """Note a request that is under way, or joined."""
        if not self._has_arrived:
            self._awaited.append(request)

    def has_arrived(self) -> bool:
        """Tell whether one of the requests is done, though perhaps nobody has been woken by it yet."""
        return self._has_arrived or any(request.done() for request in self._awaited)

    def arrive(self) -> None:
        """Note that a request is done, and forget them all: they hold their answers."""
        self._has_arrived = True
        self._awaited.clear()


class Observation:
    """What a transport knows about one request beside its answer. Mutable on purpose: transports fill it in.

    Attributes:
        is_shared: whether the answer is that of an identical request which was under way already.
        answer_bytes: the size of the answer's body; None where it never was one.
    """

    __slots__ = ("answer_bytes", "is_shared")

    def __init__(self) -> None:
        self.is_shared = False
        self.answer_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class RequestContext:
    """What one client request tells every subgraph request that it causes.

    *deadline_s* is on the event loop's clock; None means no deadline. *headers* are the ones that configuration
    forwards, with lower-case names. *first_answer* is told by transports that share requests, *observation* by all
    about the one request that it was made for; None where nobody wants to know.
    """

    identity: Identity = ANONYMOUS
    request_id: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    deadline_s: float | None = None
    first_answer: "FirstAnswer | None" = None
    observation: "Observation | None" = None


@dataclass(frozen=True, slots=True)
class SubgraphRequest:
    """One GraphQL request to a subgraph. *is_mutation* tells a transport that a retry could act twice."""

    document: str
    variables: Mapping[str, Any]
    operation_name: str | None = None
    is_mutation: bool = False


@dataclass(frozen=True, slots=True)
class SubgraphResponse:
    """What a subgraph answered, as JSON values that the receiver owns and may change."""

    data: dict[str, Any] | None
    errors: list[dict[str, Any]]
    extensions: dict[str, Any]


class LargeResponse(SubgraphResponse):
    """A response whose data is too large to be decoded before somebody wants it.

    Attributes:
        unread: the data as JSON; it may be malformed inside.
    """

    __slots__ = ("unread",)
    unread: msgspec.Raw

    def __init__(self, unread: msgspec.Raw, errors: list[dict[str, Any]], extensions: dict[str, Any]) -> None:
        object.__setattr__(self, "unread", unread)
        object.__setattr__(self, "errors", errors)
        object.__setattr__(self, "extensions", extensions)

    @property
    def data(self) -> dict[str, Any]:
        """Decode the data, each time anew; raise MalformedResponse when that is no object."""
        return cast("dict[str, Any]", self.decode().data)

    def decode(self) -> SubgraphResponse:
        """Return the response with its data; raise MalformedResponse when that is no object."""
        try:
            data = _decode_object(self.unread)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise MalformedResponse(f"the data is no JSON object: {error}") from error
        return SubgraphResponse(data, self.errors, self.extensions)


_decode_object = msgspec.json.Decoder(dict[str, Any]).decode


class SubgraphTransport(Protocol):
    """The way to one subgraph, shared by all requests."""

    async def send(self, request: SubgraphRequest, context: RequestContext) -> SubgraphResponse:
        """Send *request* and return the answer; raise a TransportError when there is none."""
        ...

    def subscribe(self, request: SubgraphRequest, context: RequestContext) -> AsyncIterator[SubgraphResponse]:
        """Open a subscription and yield each event's response; raise a TransportError when it breaks."""
        ...

    async def aclose(self) -> None:
        """Give back connections; the transport is not used afterwards."""
        ...


class TransportError(Exception):
    """No usable answer came from the subgraph. The message is for logs; clients read only the code."""

    code = "SUBREQUEST_HTTP_ERROR"


class SubgraphUnreachable(TransportError):
    """No connection could be made, or no answer came in time."""


class SubgraphHttpError(TransportError):
    """The subgraph answered with an HTTP error and no GraphQL response."""

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


class MalformedResponse(TransportError):
    """The body is not a GraphQL response."""

    code = "SUBREQUEST_MALFORMED_RESPONSE"
