"""Composition: subgraph SDL in, supergraph SDL and API schema out. Pure, synchronous, graphql-core only.

The phases, in one direction: ingest, upgrade, validate each subgraph, put them side by side, validate together,
merge, validate the whole (and that it can be answered), render. Each collects diagnostics; none throws.
"""

from router.composition.compose import compose
from router.composition.model import CompositionResult, Diagnostic, Severity, SourceLocation, SubgraphSchema
from router.composition.reading import UnreadableSupergraphError, rerender_supergraph
from router.composition.registry import ErrorCode, all_codes, find_code

__all__ = [
    "CompositionResult",
    "Diagnostic",
    "ErrorCode",
    "Severity",
    "SourceLocation",
    "SubgraphSchema",
    "UnreadableSupergraphError",
    "all_codes",
    "compose",
    "find_code",
    "rerender_supergraph",
]
