"""Compose: the phases in their order, each one's output the next one's input."""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from router.composition.api_schema import derive_api_schema
from router.composition.fed1 import upgrade
from router.composition.ingest import ingest
from router.composition.landscape import survey
from router.composition.merge import merge
from router.composition.model import CompositionResult, SubgraphSchema
from router.composition.render import render_api_schema, render_supergraph
from router.composition.report import Report
from router.composition.rules import check_landscape, check_meanings, check_names, check_subgraph, check_supergraph
from router.composition.satisfiability import check_satisfiability


def compose(subgraphs: Sequence[SubgraphSchema]) -> CompositionResult:
    """Compose *subgraphs* into a supergraph.

    Pure: no I/O, the same result whatever the order of *subgraphs*. Bad input never raises; it is reported in
    `errors`, each phase's together: what a subgraph says wrong by itself, then what does not fit together, then what
    the whole cannot answer.
    """
    with _collector_paused():
        return _run(subgraphs)


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Pause the garbage collector: looking for cycles among so many new objects took half of the time.

    The only cycles are the parser's chained tokens, which are left for the collector afterwards.
    """
    was_running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_running:
            gc.enable()


def _run(subgraphs: Sequence[SubgraphSchema]) -> CompositionResult:
    report = Report()
    ordered = sorted(subgraphs, key=lambda subgraph: subgraph.name)
    check_names(ordered, report)
    ingested = [subgraph for schema in ordered if (subgraph := ingest(schema, report)) is not None]
    if report.has_errors:
        return _refusal(report)
    meaningful = [subgraph for subgraph in ingested if check_meanings(subgraph, report)]
    upgraded = upgrade(meaningful, report)
    for subgraph in upgraded:
        check_subgraph(subgraph, report)
    if report.has_errors:
        return _refusal(report)
    landscape = survey(upgraded)
    check_landscape(landscape, report)
    if report.has_errors:
        return _refusal(report)
    supergraph = merge(landscape)
    check_supergraph(supergraph, landscape, report)
    if report.has_errors:
        return _refusal(report)
    api = derive_api_schema(supergraph)
    check_satisfiability(landscape, supergraph, api, report)
    if report.has_errors:
        return _refusal(report)
    return CompositionResult(render_supergraph(supergraph), render_api_schema(api), (), report.hints)


def _refusal(report: Report) -> CompositionResult:
    return CompositionResult(None, None, report.errors, report.hints)
