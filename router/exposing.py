"""What an answer tells about its own making: the plan, and how each of its requests went.

It is for developers and admins, as `expose_query_plan` says. It names subgraphs and fields that the API schema hides,
and has no values: neither variables nor representations nor anything of an answer.
"""

from collections.abc import Iterator
from typing import Any, assert_never

from router.executor.measures import MeasuredRequest, Measures, RequestState
from router.planner.plan import (
    BatchFetch,
    Condition,
    Defer,
    Fetch,
    Flatten,
    Parallel,
    Plan,
    PlanNode,
    Sequence,
)
from router.planner.plan_json import plan_to_json
from router.planner.plan_text import format_plan

Json = dict[str, Any]


def describe_execution(plan: Plan, operation_name: str | None, measures: Measures) -> Json:
    """Return the plan as `pasar plan --format json` prints it, its text, and what was measured.

    The structure is a promise, written down in docs/router.md.
    """
    return {
        **plan_to_json(plan, operation_name),
        "text": format_plan(plan),
        "durationMs": _milliseconds(measures.elapsed_s()),
        "fetches": [
            _describe_request(number, subgraph, measures.requests.get(number), measures.started_s)
            for number, subgraph in enumerate(_subgraphs_asked(plan.root), start=1)
        ],
    }


def _describe_request(number: int, subgraph: str, request: MeasuredRequest | None, started_s: float) -> Json:
    if request is None:
        request = MeasuredRequest(started_s, state=RequestState.SKIPPED)
    was_made = request.state is not RequestState.SKIPPED
    return {
        "number": number,
        "subgraph": subgraph,
        "state": request.state.value,
        "startMs": _milliseconds(request.started_s - started_s) if was_made else None,
        "durationMs": None if request.ended_s is None else _milliseconds(request.ended_s - request.started_s),
        "representations": request.representations,
        "shared": request.observation.is_shared,
        "answerBytes": request.observation.answer_bytes,
    }


def _subgraphs_asked(node: PlanNode | None) -> Iterator[str]:
    """Yield the subgraph of each request, in the order in which plans are written and their requests numbered."""
    match node:
        case None:
            return
        case Fetch(subgraph) | BatchFetch(subgraph) | Flatten(_, Fetch(subgraph)):
            yield subgraph
        case Sequence(nodes) | Parallel(nodes):
            for one in nodes:
                yield from _subgraphs_asked(one)
        case Condition(_, then, otherwise):
            yield from _subgraphs_asked(then)
            yield from _subgraphs_asked(otherwise)
        case Defer(primary, blocks):
            yield from _subgraphs_asked(primary)
            for block in blocks:
                yield from _subgraphs_asked(block.node)
        case _:
            assert_never(node)


def _milliseconds(seconds: float) -> float:
    """Return milliseconds with the microsecond as the last place: finer, clocks and event loop tell nothing."""
    return round(seconds * 1000, 3)
