"""One execution for identical queries of several clients that are under way at the same time.

Sharing requests to subgraphs (`router.transports.dedupe`) still leaves each client's answer to be decoded, merged,
projected and encoded anew; here all of that is done once. Like there it is not a cache, and no answer is older for it:
a query joins another one's execution only as long as none of that one's requests has been answered. Until then the two
would have shared every request anyway.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping
from typing import Any, Generic, TypeVar

import msgspec

from router.cookies import RouterContext
from router.transports.base import FirstAnswer
from router.transports.dedupe import telling_headers

Answered = TypeVar("Answered")

# sorted, so that two clients that write their variables in another order ask the same
_encode = msgspec.json.Encoder(order="sorted").encode


class SharedExecutions(Generic[Answered]):
    """Runs executions; identical ones under way are one. Mutable; for one event loop.

    A shared execution ends with the last client that waits for it, not with the first. What it raises, everybody who
    waits for it gets.

    Args:
        when_shared: called for each client that is answered by another one's execution.

    Attributes:
        shared: how many those were.
    """

    def __init__(self, when_shared: Callable[[], None] = lambda: None) -> None:
        self.shared = 0
        self._when_shared = when_shared
        self._executions: dict[Hashable, _Execution[Answered]] = {}

    async def run(
        self, key: Hashable, first_answer: FirstAnswer, execute: Callable[[], Awaitable[Answered]]
    ) -> Answered:
        """Call *execute*, whose requests to subgraphs tell *first_answer*, or wait for the identical execution."""
        execution = self._executions.get(key)
        if execution is None or not execution.may_be_joined():
            execution = self._executions[key] = _Execution(asyncio.ensure_future(execute()), first_answer)
        else:
            self.shared += 1
            self._when_shared()
        return await self._wait(key, execution)

    async def _wait(self, key: Hashable, execution: "_Execution[Answered]") -> Answered:
        execution.waiting += 1
        try:
            # a client that goes away must not take the answer from the others
            return await asyncio.shield(execution.task)
        finally:
            execution.waiting -= 1
            if not execution.waiting:
                # it may be done, or a later one may have taken its place
                if self._executions.get(key) is execution:
                    del self._executions[key]
                execution.task.cancel()


class _Execution(Generic[Answered]):
    """An execution under way. Mutable on purpose: it counts who waits for it."""

    __slots__ = ("_first_answer", "task", "waiting")

    def __init__(self, task: "asyncio.Future[Answered]", first_answer: FirstAnswer) -> None:
        self.task = task
        self.waiting = 0
        self._first_answer = first_answer

    def may_be_joined(self) -> bool:
        """Tell whether a client that came now would share every request that has been sent."""
        return not self.task.done() and not self._first_answer.has_arrived()


def identify_query(planned: Hashable, variables: Mapping[str, Any], context: RouterContext) -> Hashable | None:
    """Return what is equal for two queries that are answered alike; None when nothing can tell.

    *planned* is the planned operation, the same object for both. Of what the caller sent, its cookies count where
    *context* has any: only a subgraph that may set cookies sees them.
    """
    try:
        encoded = _encode(variables) if variables else b""
    except (TypeError, ValueError, RecursionError):
        return None
    return planned, encoded, context.identity, telling_headers(context), context.cookie_header
