"""An interface object needs a subgraph that resolves the interface by its key, which Federation 1 never does."""

from router.composition.landscape import Landscape
from router.composition.report import Report


def check(landscape: Landscape, report: Report) -> None:
    """Report interface objects whose interface has a key in a Federation 1 subgraph."""
    for name, definitions in landscape.types.items():
        objects = [member.name for member, _ in definitions if name in member.annotations.interface_objects]
        ignored = [
            (member, definition) for member, definition in definitions if name in member.subgraph.ignored_interface_keys
        ]
        if objects and ignored:
            report.error(
                "INTERFACE_OBJECT_USAGE_ERROR",
                f"{name} is an @interfaceObject in {', '.join(map(repr, objects))}, but its @key in"
                f" {', '.join(repr(member.name) for member, _ in ignored)} is Federation 1's, which resolves nothing.",
                *(definition.at for _, definition in ignored),
                remedy="Link that subgraph to federation v2.3 or later, or remove the key from its interface.",
            )
