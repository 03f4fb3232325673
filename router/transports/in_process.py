"""The way to a subgraph in the same process: a call, no HTTP and no JSON."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from router.transports.base import (
    RequestContext,
    SubgraphRequest,
    SubgraphResponse,
    SubgraphUnreachable,
)
from router.transports.json_values import copy_json
from router.transports.responses import read_response

ExecuteRequest: TypeAlias = Callable[[SubgraphRequest, RequestContext], Awaitable[Mapping[str, Any]]]
SubscribeRequest: TypeAlias = Callable[[SubgraphRequest, RequestContext], AsyncIterator[Mapping[str, Any]]]


class InProcessTransport:
    """Calls a subgraph's executor.

    Args:
        execute: answers a query or mutation with `data`, `errors` and `extensions`, as JSON values that it gives away.
        subscribe: opens a subscription; None when the subgraph has none.

    A subgraph may change what it is given (Strawberry takes `__typename` out of representations), so it is given
    copies of the variables.
    """

    def __init__(self, execute: ExecuteRequest, subscribe: SubscribeRequest | None = None) -> None:
        self._execute = execute
        self._subscribe = subscribe

    async def send(self, request: SubgraphRequest, context: RequestContext) -> SubgraphResponse:
        """Call the subgraph; what it raises goes through to the caller."""
        return read_response(await self._execute(_own_copy(request), context))

    async def subscribe(self, request: SubgraphRequest, context: RequestContext) -> AsyncIterator[SubgraphResponse]:
        """Yield the answer to each event of the subgraph's subscription."""
        if self._subscribe is None:
            raise SubgraphUnreachable("the subgraph was given no way to subscribe")
        events = self._subscribe(_own_copy(request), context)
        try:
            async for event in events:
                yield read_response(event)
        finally:
            aclose = getattr(events, "aclose", None)
            if aclose is not None:
                await aclose()

    async def aclose(self) -> None:
        """Do nothing: the subgraph belongs to someone else."""


def _own_copy(request: SubgraphRequest) -> SubgraphRequest:
    return SubgraphRequest(
        document=request.document,
        variables=copy_json(dict(request.variables)),
        operation_name=request.operation_name,
        is_mutation=request.is_mutation,
    )
