"""An interface object stands for an interface that another subgraph defines, without knowing its implementations."""

from router.composition.landscape import Landscape
from router.composition.report import Report


def check(landscape: Landscape, report: Report) -> None:
    """Report interface objects without an interface, and those beside an implementation."""
    for name, definitions in landscape.types.items():
        objects = [
            (member, definition) for member, definition in definitions if name in member.annotations.interface_objects
        ]
        if not objects:
            continue
        if len(objects) == len(definitions):
            report.error(
                "INTERFACE_OBJECT_USAGE_ERROR",
                f"{name} is an @interfaceObject in {', '.join(repr(member.name) for member, _ in objects)}, but no"
                " subgraph defines the interface.",
                *(definition.at for _, definition in objects),
            )
            continue
        for member, definition in objects:
            known = sorted(
                implementation
                for implementation in landscape.implementations.get(name, ())
                if implementation in member.subgraph.types
            )
            if known:
                report.error(
                    "INTERFACE_OBJECT_USAGE_ERROR",
                    f"{member.name!r} has {name} as an @interfaceObject and cannot also have its"
                    f" implementation{'s' if len(known) > 1 else ''} {', '.join(known)}.",
                    definition.at,
                    *(member.subgraph.types[implementation].at for implementation in known),
                )
