"""Who can resolve an interface by its key must know all of its implementations."""

from router.composition.landscape import Landscape
from router.composition.report import Report
from router.composition.subgraph import InterfaceType


def check(landscape: Landscape, report: Report) -> None:
    """Report subgraphs with a key on an interface that lack one of its implementations."""
    for name, definitions in landscape.types.items():
        for member, definition in definitions:
            if not isinstance(definition, InterfaceType):
                continue
            if not any(key.resolvable for key in member.annotations.keys.get(name, ())):
                continue
            missing = sorted(
                landscape.implementations.get(name, frozenset())
                - member.annotations.implementations.get(name, frozenset())
            )
            if missing:
                report.error(
                    "INTERFACE_KEY_MISSING_IMPLEMENTATION_TYPE",
                    f"{member.name!r} has a @key on the interface {name} but lacks its"
                    f" implementation{'s' if len(missing) > 1 else ''} {', '.join(missing)}.",
                    definition.at,
                )
