"""`@requires(fields:)` selects external fields of the same type."""

from router.composition.annotations import Annotations
from router.composition.field_set_problems import Flaw
from router.composition.report import Report
from router.composition.rules.field_sets import check_field_set
from router.composition.subgraph import InterfaceType, ObjectType, Subgraph, directives_named

_CODES = {
    Flaw.INVALID: "REQUIRES_INVALID_FIELDS",
    Flaw.DIRECTIVE: "REQUIRES_DIRECTIVE_IN_FIELDS_ARG",
    Flaw.NOT_EXTERNAL: "REQUIRES_FIELDS_MISSING_EXTERNAL",
}


def check(subgraph: Subgraph, annotations: Annotations, report: Report) -> None:
    """Report requirements that cannot be."""
    for definition in subgraph.types.values():
        if not isinstance(definition, ObjectType | InterfaceType):
            continue
        for field in definition.fields.values():
            owner = f"{definition.name}.{field.name}"
            for use in directives_named(field, "requires"):
                if isinstance(definition, InterfaceType):
                    report.error(
                        "REQUIRES_UNSUPPORTED_ON_INTERFACE",
                        f"[{subgraph.name}] {owner} is a field of an interface and cannot have @requires.",
                        use.at,
                    )
                check_field_set(subgraph, annotations, use, owner, definition.name, _CODES, report)
