"""Executable directives stay when every subgraph has them, with what all of them have in common."""

from router.composition.landscape import Landscape
from router.composition.merged import EXECUTABLE_LOCATIONS
from router.composition.report import Report
from router.composition.rules.field_arguments import check_arguments


def check(landscape: Landscape, report: Report) -> None:
    """Hint at executable directives that are left out or cut down; report arguments that cannot be merged."""
    names = sorted(set().union(*(member.subgraph.directive_definitions for member in landscape.members)))
    for name in names:
        found = [
            (member, member.subgraph.directive_definitions[name])
            for member in landscape.members
            if name in member.subgraph.directive_definitions
        ]
        executable = [set(definition.locations) & EXECUTABLE_LOCATIONS for _, definition in found]
        if not any(executable):
            continue
        places = tuple(definition.at for _, definition in found)
        missing = [member.name for member in landscape.members if name not in member.subgraph.directive_definitions]
        if missing:
            report.hint(
                "INCONSISTENT_EXECUTABLE_DIRECTIVE_PRESENCE",
                f"@{name} is missing in {', '.join(map(repr, missing))}; the supergraph leaves it out.",
                *places,
            )
            continue
        common = set.intersection(*executable)
        if not common:
            report.hint(
                "NO_EXECUTABLE_DIRECTIVE_INTERSECTION",
                f"@{name} has no place that all subgraphs allow; the supergraph leaves it out.",
                *places,
            )
            continue
        if any(locations != common for locations in executable):
            report.hint(
                "INCONSISTENT_EXECUTABLE_DIRECTIVE_LOCATIONS",
                f"@{name} is not allowed in the same places everywhere; the supergraph allows it on"
                f" {', '.join(sorted(common))}.",
                *places,
            )
        if len({definition.repeatable for _, definition in found}) > 1:
            report.hint(
                "INCONSISTENT_EXECUTABLE_DIRECTIVE_REPEATABLE",
                f"@{name} is repeatable in some subgraphs only; in the supergraph it is not.",
                *places,
            )
        check_arguments(
            landscape, f"@{name}", [(member.name, definition.arguments) for member, definition in found], report
        )
