"""A supergraph needs something to ask for."""

from router.composition.landscape import Landscape
from router.composition.model import SourceLocation
from router.composition.report import Report
from router.composition.subgraph import ObjectType


def check(landscape: Landscape, report: Report) -> None:
    """Report that no subgraph has a query field."""
    if not any(
        isinstance(definition, ObjectType) and definition.fields for _, definition in landscape.types.get("Query", ())
    ):
        # It could stand in any of them, so each is pointed at where it begins.
        starts = (SourceLocation(member.name, 1, 1) for member in landscape.members)
        report.error("NO_QUERIES", "No subgraph has a query field.", *starts)
