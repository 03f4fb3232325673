"""Plan -> response: run the plan's requests, merge their answers, project the client's operation."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from time import perf_counter
from typing import Any

from graphql import GraphQLSchema

from router.executor.incremental import IncrementalResult
from router.executor.measures import Measures
from router.executor.prepared import (
    PreparedFetch,
    PreparedNode,
    PreparedOperation,
    PreparedSequence,
)
from router.executor.result import ExecutionResult
from router.executor.run import Run
from router.executor.variables import BadVariables, coerce_variables
from router.planner.plan import OperationKind
from router.transports.base import (
    RequestContext,
    SubgraphResponse,
    SubgraphTransport,
    TransportError,
)

#: Longer than any healthy subgraph needs, shorter than the time-outs of the proxies in front of a router.
DEFAULT_SUBGRAPH_TIMEOUT_S = 30.0


class Executor:
    """Executes prepared operations; one serves all requests.

    Args:
        api_schema: what clients see.
        transports: the way to each subgraph, by its name in the plans. Their owner closes them.
        subgraph_timeout_s: how long one request to a subgraph may take; the request's own deadline counts too.
        now: a monotonic clock in seconds, for executions whose requests are measured.
    """

    def __init__(
        self,
        api_schema: GraphQLSchema,
        transports: Mapping[str, SubgraphTransport],
        *,
        subgraph_timeout_s: float = DEFAULT_SUBGRAPH_TIMEOUT_S,
        now: Callable[[], float] = perf_counter,
    ) -> None:
        self.api_schema = api_schema
        self._transports = transports
        self._subgraph_timeout_s = subgraph_timeout_s
        self._now = now

    async def execute(
        self,
        prepared: PreparedOperation,
        variables: Mapping[str, Any],
        context: RequestContext,
        *,
        measure: bool = False,
    ) -> ExecutionResult:
        """Run a query or mutation and return its answer; what a subgraph failed to give is null and has an error.

        The answer is whole, also where the operation's `@defer` allows to send it in parts. With *measure* it tells how
        its requests went.
        """
        try:
            coerced = coerce_variables(prepared, variables)
        except BadVariables as bad:
            return ExecutionResult(None, bad.errors, executed=False)
        measures = Measures(self._now) if measure else None
        run = Run(prepared, self._transports, variables, coerced, context, self._subgraph_timeout_s, measures)
        if prepared.root is not None:
            await run.run(prepared.root)
        for block in prepared.blocks:
            await run.run(block.node)
        return run.finish()

    async def execute_incrementally(
        self,
        prepared: PreparedOperation,
        variables: Mapping[str, Any],
        context: RequestContext,
        *,
        measure: bool = False,
    ) -> ExecutionResult | IncrementalResult:
        """Run a query or mutation and return its answer; in parts, where something of it is deferred."""
        if not prepared.blocks:
            return await self.execute(prepared, variables, context, measure=measure)
        try:
            coerced = coerce_variables(prepared, variables)
        except BadVariables as bad:
            return ExecutionResult(None, bad.errors, executed=False)
        measures = Measures(self._now) if measure else None
        run = Run(prepared, self._transports, variables, coerced, context, self._subgraph_timeout_s, measures)
        parts = run.answer_in_parts()
        first = await anext(parts)
        if "hasNext" in first:
            return IncrementalResult(_chain(first, parts), measures)
        await parts.aclose()
        return ExecutionResult(first["data"], first.get("errors", []), measures=measures)

    async def subscribe(
        self,
        prepared: PreparedOperation,
        variables: Mapping[str, Any],
        context: RequestContext,
        *,
        measure: bool = False,
    ) -> AsyncIterator[ExecutionResult]:
        """Open the subscription and yield an answer per event, the rest of the plan having run for it.

        When the subgraph's stream breaks, the last answer says so. Closing the iterator closes the stream. With
        *measure* each event is measured by itself, from when it arrives.
        """
        try:
            coerced = coerce_variables(prepared, variables)
        except BadVariables as bad:
            yield ExecutionResult(None, bad.errors, executed=False)
            return
        source, rest = _split_subscription(prepared)
        # a deadline is for one answer, a subscription lives on
        context = replace(context, deadline_s=None)

        def start() -> Run:
            measures = Measures(self._now) if measure else None
            return Run(prepared, self._transports, variables, coerced, context, self._subgraph_timeout_s, measures)

        opening = start()
        transport = opening.transport_of(source)
        if transport is None:
            yield opening.finish()
            return
        try:
            async with _closing(transport.subscribe(opening.request_of(source), context)) as events:
                async for event in events:
                    run = start()
                    run.accept_event(source, event)
                    for node in rest:
                        await run.run(node)
                    yield run.finish()
        except TransportError as error:
            broken = start()
            broken.fail(source, error)
            yield broken.finish()


async def _chain(
    first: dict[str, Any], parts: AsyncGenerator[dict[str, Any], None]
) -> AsyncGenerator[dict[str, Any], None]:
    async with aclosing(parts):
        yield first
        async for part in parts:
            yield part


@asynccontextmanager
async def _closing(events: AsyncIterator[SubgraphResponse]) -> AsyncIterator[AsyncIterator[SubgraphResponse]]:
    """Close *events* afterwards if it can be closed: a transport need not give a generator."""
    try:
        yield events
    finally:
        aclose = getattr(events, "aclose", None)
        if aclose is not None:
            await aclose()


def _split_subscription(prepared: PreparedOperation) -> tuple[PreparedFetch, tuple[PreparedNode, ...]]:
    match prepared.root:
        case PreparedFetch() as source:
            return source, ()
        case PreparedSequence(nodes=(PreparedFetch() as source, *rest)) if (
            source.fetch.kind is OperationKind.SUBSCRIPTION
        ):
            return source, tuple(rest)
    raise ValueError("the plan of a subscription begins with its fetch")
