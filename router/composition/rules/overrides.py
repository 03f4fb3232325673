"""`@override` takes a field from a subgraph that resolves it, plainly and by itself."""

from router.composition.landscape import Landscape, Override
from router.composition.report import Report
from router.composition.subgraph import directives_named


def check(landscape: Landscape, report: Report) -> None:
    """Report overrides that collide with what the source says; hint at those that are done or do nothing."""
    for coordinate, overrides in landscape.overrides.items():
        for override in overrides:
            _check_override(landscape, ".".join(coordinate), override, report)


def _check_override(landscape: Landscape, coordinate: str, override: Override, report: Report) -> None:
    by, source, field = override.by, override.source, override.source_field
    if source is by:
        return  # override_usage reports it
    for member in (by, source):
        if member is not None and override.coordinate[0] in member.annotations.interface_objects:
            report.error(
                "OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE",
                f"{coordinate} cannot be overridden: {override.coordinate[0]} is an @interfaceObject in"
                f" {member.name!r}.",
                override.at,
            )
            return
    if source is None:
        report.hint(
            "FROM_SUBGRAPH_DOES_NOT_EXIST",
            f"{coordinate} in {by.name!r} overrides {override.from_name!r}, which takes no part.",
            override.at,
        )
        return
    if field is None or override.coordinate in source.annotations.external:
        what = "no longer has it" if field is None else "only mentions it, as @external"
        report.hint(
            "OVERRIDE_DIRECTIVE_CAN_BE_REMOVED",
            f"{coordinate} in {by.name!r} overrides {source.name!r}, which {what}.",
            override.at,
        )
        return
    if override.coordinate in by.annotations.external:
        report.error(
            "OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE",
            f"{coordinate} cannot be @override and @external at once in {by.name!r}.",
            override.at,
        )
        return
    if directives_named(field, "override"):
        report.error(
            "OVERRIDE_SOURCE_HAS_OVERRIDE",
            f"{coordinate} in {by.name!r} overrides {source.name!r}, which itself overrides another subgraph.",
            override.at,
            field.at,
        )
        return
    for directive in ("requires", "provides"):
        if directives_named(field, directive):
            report.error(
                "OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE",
                f"{coordinate} in {by.name!r} cannot override {source.name!r}, where it has @{directive}.",
                override.at,
                field.at,
            )
            return
    if override.label is not None:
        report.hint(
            "OVERRIDE_MIGRATION_IN_PROGRESS",
            f"{coordinate} is on its way from {source.name!r} to {by.name!r} ({override.label}).",
            override.at,
            field.at,
        )
    else:
        report.hint(
            "OVERRIDDEN_FIELD_CAN_BE_REMOVED",
            f"{coordinate} has moved from {source.name!r} to {by.name!r} and can be removed from the former.",
            field.at,
            override.at,
        )
