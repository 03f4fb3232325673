"""A directive that reaches the supergraph is imported by one name in all subgraphs that use it."""

from router.composition.landscape import Landscape
from router.composition.merge.spellings import collect_spellings
from router.composition.report import Report


def check(landscape: Landscape, report: Report) -> None:
    """Report merged directives that subgraphs call differently."""
    for name, spellings in collect_spellings(landscape).items():
        if len(spellings) > 1:
            described = ", ".join(f"@{written} in {', '.join(map(repr, uses))}" for written, uses in spellings.items())
            report.error(
                "LINK_IMPORT_NAME_MISMATCH",
                f"@{name} has several names: {described}.",
                *(at for uses in spellings.values() for at in uses.values()),
            )
