"""Measure planning beside Apollo's planner on the same operations.

First the operations that the planner's tests know, over all of their supergraphs: from a parsed document to the plan,
and on to the prepared operation (what the router keeps). Then operations that grow (`planner_families.py`): 10,000
fields in many shapes, and what looks exponential. `@apollo/query-planner` (`npm ci` in tests/node/supergraph) is timed
inside Node; where it does not finish in time, the line says so and its number is the time it was given. All times are
processor time, so that others on the machine do not count (Node's has its compiler's and collector's threads in it),
the best of some rounds. Without Node only ours is measured.
"""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from statistics import median, quantiles
from typing import Any, TypeVar

from graphql import parse, validate

from benchmarks.planner_families import FAMILIES, Family
from benchmarks.report import Result, parse_arguments, publish
from router.composition import SubgraphSchema, compose
from router.executor.prepared import prepare_operation
from router.garbage import rarely_collecting
from router.planner import count_fetches, plan_operation
from router.planner.graph import graph_of
from router.supergraph import Supergraph, read_supergraph
from router.supergraph.api_schema import with_defer
from tests.unit.router.planner.conftest import SUPERGRAPHS
from tests.unit.router.planner.test_second_opinion import NAMES, random_operations, written_operations

PEERS = Path(__file__).resolve().parent.parent / "tests" / "node" / "supergraph"
PEER = "@apollo/query-planner"
ROUNDS, QUICK_ROUNDS = 5, 1
# No more rounds than fit in here, but always one
PATIENCE_S = 2.0
# How long Apollo's planner may take for one of the operations that grow
LIMIT_S, QUICK_LIMIT_S = 60, 5
CORPUS_LIMIT_S = 600
# Beyond it, Node would take the machine's memory along
NODE_HEAP_MB = 3000

T = TypeVar("T")


def main() -> int:
    """Print both tables, and a line for each comparison."""
    arguments = parse_arguments((__doc__ or "").splitlines()[0])
    results: list[Result] = []
    # As in the running router
    with rarely_collecting():
        results.extend(compare_known(QUICK_ROUNDS if arguments.quick else ROUNDS))
        limit_s = QUICK_LIMIT_S if arguments.quick else LIMIT_S
        print(
            f"\n{'milliseconds':38}{'size':>15}{'parse':>8}{'validate':>9}{'plan':>8}{'prepare':>8}{'answer':>8}"
            f"{'fetches':>8}{'Apollo':>12}{'fetches':>8}"
        )
        for family in FAMILIES:
            size = family.quick_size if arguments.quick else family.size
            if size is not None:
                results.extend(compare_family(family, size, limit_s))
    publish(results, arguments.json)
    return 0


# --- the operations that tests know ---


def compare_known(rounds: int) -> Iterator[Result]:
    """Compare over the operations of the planner's tests, written and random ones."""
    written = written_operations()
    operations = {name: sorted(written[name] | random_operations(name)) for name in NAMES}
    texts = {name: (SUPERGRAPHS / f"{name}.graphql").read_text() for name in NAMES}
    supergraphs: dict[str, Supergraph] = {}
    read_ms = 0.0
    for name, text in texts.items():
        supergraphs[name], spent_ms = take_time(partial(read_for_planning, text), rounds)
        read_ms += spent_ms
    plan_ms: list[float] = []
    prepare_ms: list[float] = []
    fetches = 0
    for name in NAMES:
        supergraph = supergraphs[name]
        for text in operations[name]:
            planned, prepared, count = plan_once(supergraph, text, rounds)
            plan_ms.append(planned)
            prepare_ms.append(planned + prepared)
            fetches += count
    questions = [{"supergraph": texts[name], "operations": operations[name]} for name in NAMES]
    answers, reason = ask_apollo(questions, rounds, CORPUS_LIMIT_S)
    if answers is None:
        print(f"no comparison: {reason}", file=sys.stderr)
        answers = []
    plans = [one for answer in answers for one in answer["plans"] if "error" not in one]
    failed = sum(len(answer["plans"]) for answer in answers) - len(plans)
    their_ms = [one["ms"] for one in plans]
    their_fetches = sum(one["fetches"] for one in plans)
    print(f"{len(plan_ms)} operations over {len(NAMES)} supergraphs; {PEER} failed on {failed}")
    print(f"{'milliseconds':38}{'p50':>8}{'p99':>8}{'max':>8}{'fetches':>9}")
    for name, times, count in (
        ("plan", plan_ms, fetches),
        ("plan and prepare", prepare_ms, fetches),
        (PEER, their_ms, their_fetches),
    ):
        if times:
            print(f"{name:38}{median(times):8.2f}{percentile_99(times):8.2f}{max(times):8.2f}{count:9}")
    what = f"over {len(plan_ms)} operations, against {PEER}"
    for name, times in (("plan", plan_ms), ("plan and prepare", prepare_ms)):
        for which, measure in (("p50", median), ("p99", percentile_99), ("max", max)):
            baseline = measure(their_ms) if their_ms else float("nan")
            yield Result(f"{name}, {which} {what}", measure(times), baseline, "ms")
    yield Result(f"fetches planned {what}", fetches, their_fetches, "fetches")
    their_read_ms = sum(answer["read_ms"] for answer in answers)
    yield Result(f"read {len(NAMES)} supergraphs for planning, against {PEER}", read_ms, their_read_ms, "ms")


def plan_once(supergraph: Supergraph, text: str, rounds: int) -> tuple[float, float, int]:
    """Return the milliseconds of planning and of preparing an operation, and the plan's number of fetches."""
    document = parse(text)
    plan, plan_ms = take_time(lambda: plan_operation(supergraph, document), rounds)
    _, prepare_ms = take_time(lambda: prepare_operation(supergraph.api_schema, plan, document, None), rounds)
    return plan_ms, prepare_ms, count_fetches(plan.root)


def percentile_99(times: list[float]) -> float:
    """Return the time that one in a hundred exceeds."""
    return quantiles(times, n=100, method="inclusive")[-1]


# --- operations that grow ---


def compare_family(family: Family, size: int, limit_s: float) -> Iterator[Result]:
    """Print a row of the table: how long the phases of one operation take, and Apollo's planner."""
    question = family.make(size)
    sdl = compose_supergraph(question.subgraphs)
    supergraph = read_for_planning(sdl)
    document, parse_ms = take_time(lambda: parse(question.operation), 1)
    errors, validate_ms = take_time(lambda: validate(with_defer(supergraph.api_schema), document), 1)
    if errors:
        print(f"{family.name}: {errors[0].message} (planned nevertheless)")
    plan, plan_ms = take_time(lambda: plan_operation(supergraph, document), ROUNDS)
    prepared, prepare_ms = take_time(lambda: prepare_operation(supergraph.api_schema, plan, document, None), 1)
    _, answer_ms = take_time(lambda: prepared.response_for(dict.fromkeys(prepared.conditions, True)), 1)
    answers, reason = ask_apollo([{"supergraph": sdl, "operations": [question.operation]}], ROUNDS, limit_s)
    their: dict[str, Any] = answers[0]["plans"][0] if answers else {"error": reason}
    their_ms = f"{their['ms']:12,.1f}" if "ms" in their else f"{their['error']:>12.12}"
    print(
        f"{family.name:38}{f'{size:,} {family.counts}':>15}{parse_ms:8,.1f}{validate_ms:9,.1f}{plan_ms:8,.1f}"
        f"{prepare_ms:8,.1f}{answer_ms:8,.1f}{count_fetches(plan.root):8,}{their_ms}{their.get('fetches', ''):>8}",
        flush=True,
    )
    name = f"plan {family.name}, {size:,} {family.counts}"
    if "ms" in their:
        yield Result(f"{name}, against {PEER}", plan_ms, their["ms"], "ms")
    elif answers is None and reason == "too slow":
        yield Result(f"{name}, against {PEER} (stopped after {limit_s} s)", plan_ms, limit_s * 1000, "ms")
    else:
        yield Result(f"{name} ({PEER}: {their['error'][:60]})", plan_ms, float("nan"), "ms")


def compose_supergraph(subgraphs: Mapping[str, str]) -> str:
    """Return the supergraph of subgraphs that compose."""
    composed = compose([SubgraphSchema(name, sdl, f"http://{name}") for name, sdl in subgraphs.items()])
    assert composed.supergraph_sdl is not None, composed.errors[0].message
    return composed.supergraph_sdl


# --- clocks ---


def read_for_planning(sdl: str) -> Supergraph:
    """Read a supergraph with all that the planner prepares for it."""
    supergraph = read_supergraph(sdl)
    graph_of(supergraph, frozenset())
    return supergraph


def take_time(work: Callable[[], T], rounds: int) -> tuple[T, float]:
    """Do the work *rounds* times, or as often as there is patience for; return its result and the best time in ms."""
    times_s: list[float] = []
    while True:
        start = time.process_time()
        result = work()
        times_s.append(time.process_time() - start)
        if len(times_s) == rounds or sum(times_s) >= PATIENCE_S:
            return result, min(times_s) * 1000


def ask_apollo(questions: list[dict[str, Any]], rounds: int, limit_s: float) -> tuple[list[dict[str, Any]] | None, str]:
    """Return what Apollo's planner answers, or None and the reason."""
    node = shutil.which("node")
    if node is None or not (PEERS / "node_modules").is_dir():
        return None, f"run `npm ci` in {PEERS}"
    try:
        finished = subprocess.run(
            [node, f"--max-old-space-size={NODE_HEAP_MB}", "time-plans.mjs", str(rounds)],
            cwd=PEERS,
            input=json.dumps(questions),
            capture_output=True,
            text=True,
            timeout=limit_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None, "too slow"
    if finished.returncode != 0:
        return None, "out of memory" if "heap out of memory" in finished.stderr else "crashed"
    answers: list[dict[str, Any]] = json.loads(finished.stdout)
    return answers, ""


if __name__ == "__main__":
    sys.exit(main())
