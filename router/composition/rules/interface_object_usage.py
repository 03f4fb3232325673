"""`@interfaceObject` stands for an interface with a key, so it needs a key itself."""

from router.composition.annotations import Annotations
from router.composition.report import Report
from router.composition.subgraph import Subgraph


def check(subgraph: Subgraph, annotations: Annotations, report: Report) -> None:
    """Report interface objects without a key."""
    for name in sorted(annotations.interface_objects):
        if name not in annotations.keys:
            report.error(
                "INTERFACE_OBJECT_USAGE_ERROR",
                f"[{subgraph.name}] {name} is an @interfaceObject and needs a @key.",
                subgraph.types[name].at,
            )
