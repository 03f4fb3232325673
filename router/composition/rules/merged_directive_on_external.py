"""Directives that reach the supergraph belong where the field is resolved, not where it is mentioned."""

from router.composition.annotations import Annotations
from router.composition.landscape import Landscape
from router.composition.merge.directives import MERGED_FEDERATION_DIRECTIVES
from router.composition.report import Report
from router.composition.subgraph import Family, ObjectType, Subgraph


def check(landscape: Landscape, report: Report) -> None:
    """Report such directives on external fields and their arguments."""
    for member in landscape.members:
        _check_subgraph(member.subgraph, member.annotations, report)


def _check_subgraph(subgraph: Subgraph, annotations: Annotations, report: Report) -> None:
    for definition in subgraph.types.values():
        if not isinstance(definition, ObjectType):
            continue
        for field in definition.fields.values():
            if (definition.name, field.name) not in annotations.external:
                continue
            elements = [(f"{definition.name}.{field.name}", field.directives)]
            elements.extend(
                (f"{definition.name}.{field.name}({argument.name}:)", argument.directives)
                for argument in field.arguments.values()
            )
            for coordinate, uses in elements:
                for use in uses:
                    if use.family is Family.FEDERATION and use.name in MERGED_FEDERATION_DIRECTIVES:
                        report.error(
                            "MERGED_DIRECTIVE_APPLICATION_ON_EXTERNAL",
                            f"[{subgraph.name}] {coordinate} is @external; @{use.written} must stand in the subgraph"
                            " that resolves it.",
                            use.at,
                        )
