"""Somebody must define what others extend."""

from router.composition.landscape import Landscape
from router.composition.report import Report
from router.composition.subgraph import ROOT_NAMES, has_directive


def check(landscape: Landscape, report: Report) -> None:
    """Report types that are only ever extended."""
    for name, definitions in landscape.types.items():
        if name in ROOT_NAMES.values():
            continue
        if any(definition.has_base and not has_directive(definition, "extends") for _, definition in definitions):
            continue
        report.error(
            "EXTENSION_WITH_NO_BASE",
            f"Type {name!r} is extended in {', '.join(repr(member.name) for member, _ in definitions)}, but no"
            " subgraph defines it.",
            *(definition.at for _, definition in definitions),
        )
