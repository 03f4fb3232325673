"""Subgraph names: present, distinct, and not `_`."""

from collections.abc import Sequence

from router.composition.model import SourceLocation, SubgraphSchema
from router.composition.report import Report


def check(subgraphs: Sequence[SubgraphSchema], report: Report) -> None:
    """Report names that a supergraph cannot hold."""
    if not subgraphs:
        report.error("NO_QUERIES", "There is no subgraph to compose.")
    seen: set[str] = set()
    for schema in subgraphs:
        start = SourceLocation(schema.name, 1, 1)
        if schema.name in {"", "_"}:
            report.error("INVALID_SUBGRAPH_NAME", f"A subgraph cannot be called {schema.name!r}.", start)
        elif schema.name in seen:
            report.error("DUPLICATE_SUBGRAPH_NAME", f"There are several subgraphs called {schema.name!r}.", start)
        seen.add(schema.name)
