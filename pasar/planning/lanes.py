"""Where the requests of a plan stand in its picture: a column per sequential step, a lane per parallel branch.

Every node of the plan gets a rectangle of its own, so that no arrow ever has to cross a request: what a sequence runs
next begins in the column after all of what it waits for, parallel nodes stand below each other.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import assert_never

from pasar.planning.requests import Request, read_request
from router.planner.plan import (
    BatchFetch,
    Condition,
    Defer,
    DeferredBlock,
    Fetch,
    Flatten,
    Parallel,
    PlanNode,
    Sequence,
)


@dataclass(frozen=True, slots=True)
class Box:
    """A request and its place; *top* and *height* in the unit that heights were measured in."""

    request: Request
    column: int
    top: int
    height: int


@dataclass(frozen=True, slots=True)
class Wait:
    """Each box of *after* waits for every box of *before*; all of *after* stand in one column. Indices of boxes."""

    before: tuple[int, ...]
    after: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Lanes:
    """The placed requests of a plan, in the order of the plan's text."""

    columns: int
    height: int
    boxes: tuple[Box, ...]
    waits: tuple[Wait, ...]


def place_requests(root: PlanNode | None, measure_height: Callable[[Request], int], gap: int) -> Lanes:
    """Give every request of a plan its place, *gap* apart from the lane above."""
    placing = _Placing(measure_height, gap)
    block = _EMPTY if root is None else placing.place(root, 0, 0, ())
    return Lanes(block.columns, block.height, tuple(placing.boxes), tuple(placing.waits))


@dataclass(frozen=True, slots=True)
class _Block:
    """The rectangle of a node: what starts in it first, and what whoever comes next has to wait for."""

    columns: int
    height: int
    first: tuple[int, ...]
    last: tuple[int, ...]


_EMPTY = _Block(0, 0, (), ())


@dataclass(slots=True)
class _Placing:
    """Grows with every node that is placed."""

    measure_height: Callable[[Request], int]
    gap: int
    boxes: list[Box] = field(default_factory=list)
    waits: list[Wait] = field(default_factory=list)

    def place(self, node: PlanNode, column: int, top: int, conditions: tuple[str, ...]) -> _Block:
        match node:
            case Fetch() | Flatten() | BatchFetch():
                return self._place_request(read_request(node, conditions), column, top)
            case Sequence(nodes):
                return self._place_sequence(nodes, column, top, conditions)
            case Parallel(nodes):
                return self._place_parallel([(one, conditions) for one in nodes], column, top)
            case Condition(variable, then, otherwise):
                branches = [
                    (branch, (*conditions, f"{word} ${variable}"))
                    for branch, word in ((then, "if"), (otherwise, "unless"))
                    if branch is not None
                ]
                return self._place_parallel(branches, column, top)
            case Defer(primary, blocks):
                return self._place_deferred(primary, blocks, column, top)
            case _:
                assert_never(node)

    def _place_deferred(
        self, primary: PlanNode | None, blocks: tuple[DeferredBlock, ...], column: int, top: int
    ) -> _Block:
        """Place each deferred block below what stands there, one column after the requests that it waits for."""
        whole = self.place(primary, column, top, ()) if primary is not None else _EMPTY
        for deferred in blocks:
            # Boxes are placed in the order in which the plan numbers its requests
            waits_for = tuple(number - 1 for number in deferred.waits_for)
            start = max((self.boxes[number].column + 1 for number in waits_for), default=column)
            above = whole.height + self.gap if whole.columns else 0
            block = self.place(deferred.node, start, top + above, (_describe_deferrals(deferred),))
            if waits_for and block.first:
                self.waits.append(Wait(waits_for, block.first))
            whole = _Block(
                max(whole.columns, start - column + block.columns),
                above + block.height,
                whole.first if waits_for else whole.first + block.first,
                whole.last + block.last,
            )
        return whole

    def _place_request(self, request: Request, column: int, top: int) -> _Block:
        number = (len(self.boxes),)
        height = self.measure_height(request)
        self.boxes.append(Box(request, column, top, height))
        return _Block(1, height, number, number)

    def _place_sequence(
        self, nodes: tuple[PlanNode, ...], column: int, top: int, conditions: tuple[str, ...]
    ) -> _Block:
        whole = _EMPTY
        for node in nodes:
            block = self.place(node, column + whole.columns, top, conditions)
            if whole.last and block.first:
                self.waits.append(Wait(whole.last, block.first))
            whole = _Block(
                whole.columns + block.columns,
                max(whole.height, block.height),
                whole.first or block.first,
                block.last or whole.last,
            )
        return whole

    def _place_parallel(self, nodes: list[tuple[PlanNode, tuple[str, ...]]], column: int, top: int) -> _Block:
        whole = _EMPTY
        for node, conditions in nodes:
            above = whole.height + self.gap if whole.columns else 0
            block = self.place(node, column, top + above, conditions)
            whole = _Block(
                max(whole.columns, block.columns),
                above + block.height,
                whole.first + block.first,
                whole.last + block.last,
            )
        return whole


def _describe_deferrals(block: DeferredBlock) -> str:
    uses = (one.label or ".".join(one.path) or "root" for one in block.deferrals)
    return f"deferred: {', '.join(uses)}"
