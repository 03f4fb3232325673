"""How the router reaches a subgraph.

TransportError
├── SubgraphUnreachable      no connection, or none in time: another URL may be tried
├── SubgraphHttpError        an answer, but not a GraphQL one, with its HTTP status
└── MalformedResponse        an answer that is not what GraphQL over HTTP says
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from core.identity import ANONYMOUS, Identity


@dataclass(frozen=True, slots=True)
class RequestContext:
    """What one client request tells every subgraph request that it causes.

    *deadline_s* is on the event loop's clock; None means no deadline. *headers* are the ones that configuration
    forwards, with lower-case names. *sent* is where a transport that shares requests notes each that it sends or joins;
    None where nobody wants to know.
    """

    identity: Identity = ANONYMOUS
    request_id: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    deadline_s: float | None = None
    sent: list["asyncio.Future[Any]"] | None = None


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
