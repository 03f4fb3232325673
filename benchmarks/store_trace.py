"""Where the time of one request goes: marks on its way through a store in this process, and its MongoDB commands.

A request is followed by a context variable, so that what the worker does meanwhile is nobody's.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from pymongo.monitoring import CommandListener

from core.subgraph import Call, Subgraph
from subgraphs.order.checkout import Checkout
from subgraphs.order.checkout_repository import CheckoutRepository


@dataclass(slots=True)
class Part:
    """What one part of a kind of request took, all requests together. Mutable."""

    milliseconds: float = 0.0
    commands: int = 0
    waited_ms: float = 0.0


@dataclass(slots=True)
class Trace:
    """One request under way: its parts end one after the other at marks. Mutable."""

    parts: dict[str, Part] = field(default_factory=dict)
    _since_s: float = field(default_factory=time.perf_counter)
    _open: Part = field(default_factory=Part)

    def mark(self, name: str) -> None:
        """End a part here and call it *name*."""
        now_s = time.perf_counter()
        part = self.parts.setdefault(name, Part())
        part.milliseconds += (now_s - self._since_s) * 1000
        part.commands += self._open.commands
        part.waited_ms += self._open.waited_ms
        self._since_s, self._open = now_s, Part()

    def count(self, waited_ms: float) -> None:
        """Note a command of the part that is under way."""
        self._open.commands += 1
        self._open.waited_ms += waited_ms


_current: ContextVar[Trace | None] = ContextVar("trace", default=None)


class CommandTimes(CommandListener):
    """Gives each command to the request that sent it, and adds them up by collection. Mutable."""

    def __init__(self) -> None:
        self.waited_ms: dict[str, list[float]] = {}
        self._sent: dict[int, str] = {}

    def started(self, event: Any) -> None:
        if _current.get() is None:
            return
        target = event.command.get(event.command_name)
        name = f"{event.command_name} {target}" if isinstance(target, str) else event.command_name
        self._sent[event.request_id] = name

    def succeeded(self, event: Any) -> None:
        self._ended(event)

    def failed(self, event: Any) -> None:
        self._ended(event)

    def _ended(self, event: Any) -> None:
        name, trace = self._sent.pop(event.request_id, None), _current.get()
        if name is None or trace is None:
            return
        waited_ms = event.duration_micros / 1000
        trace.count(waited_ms)
        self.waited_ms.setdefault(name, []).append(waited_ms)


@contextmanager
def tracing(on_request: Callable[[str, Trace], None]) -> Iterator[None]:
    """Follow checkouts and product pages of all stores in this process; *on_request* is given each that has ended."""
    originals: tuple[tuple[Any, str, Any], ...] = (
        (Checkout, "check_out", Checkout.check_out),
        (CheckoutRepository, "insert_checkout", CheckoutRepository.insert_checkout),
        (CheckoutRepository, "move_checkout", CheckoutRepository.move_checkout),
        (Subgraph, "execute", Subgraph.execute),
    )
    check_out, insert, move, execute = (original for _, _, original in originals)

    async def traced_check_out(self: Checkout, request: Any) -> Any:
        trace = Trace()
        token = _current.set(trace)
        try:
            result = await check_out(self, request)
        finally:
            _current.reset(token)
        trace.mark("answer")
        on_request("checkout", trace)
        return result

    async def traced_insert(self: CheckoutRepository, row: Any) -> Any:
        result = await insert(self, row)
        if (trace := _current.get()) is not None:
            trace.mark(f"until {row['state']} is recorded")
        return result

    async def traced_move(
        self: CheckoutRepository, order_id: str, source: Any, target: Any, *args: Any, **kw: Any
    ) -> Any:
        result = await move(self, order_id, source, target, *args, **kw)
        if (trace := _current.get()) is not None:
            trace.mark(f"until {target} is recorded")
        return result

    async def traced_execute(self: Subgraph, document: str, variables: Any, name: Any, call: Call) -> Any:
        # Only the router's have an id; a checkout, which the order subgraph is asked for, is followed as a whole
        if not call.request_id or self.name == "order":
            return await execute(self, document, variables, name, call)
        trace = Trace()
        token = _current.set(trace)
        try:
            result = await execute(self, document, variables, name, call)
        finally:
            _current.reset(token)
        trace.mark(f"subgraph {self.name}")
        on_request("page", trace)
        return result

    replacements = (traced_check_out, traced_insert, traced_move, traced_execute)
    for (owner, name, _), replacement in zip(originals, replacements, strict=True):
        setattr(owner, name, replacement)
    try:
        yield
    finally:
        for owner, name, original in originals:
            setattr(owner, name, original)
