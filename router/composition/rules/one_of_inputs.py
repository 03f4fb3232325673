"""The fields of a `@oneOf` input are nullable and have no defaults.

https://spec.graphql.org/draft/#sec-OneOf-Input-Objects
"""

from router.composition.report import Report
from router.composition.subgraph import InputType, Subgraph, has_directive
from router.composition.type_refs import NonNull


def check(subgraph: Subgraph, report: Report) -> None:
    """Report fields that a `@oneOf` input cannot have."""
    for definition in subgraph.types.values():
        if not isinstance(definition, InputType) or not has_directive(definition, "oneOf"):
            continue
        for value in definition.fields.values():
            if isinstance(value.type, NonNull) or value.default is not None:
                report.error(
                    "INVALID_GRAPHQL",
                    f"[{subgraph.name}] {definition.name}.{value.name} must be nullable and without a default, because"
                    f" {definition.name} is @oneOf.",
                    value.at,
                )
