"""`@key(fields:)` selects fields of the type that identify it: no arguments, no interfaces or unions."""

from router.composition.annotations import Annotations
from router.composition.field_set_problems import Flaw
from router.composition.report import Report
from router.composition.rules.field_sets import check_field_set
from router.composition.subgraph import InterfaceType, ObjectType, Subgraph, directives_named

_CODES = {
    Flaw.INVALID: "KEY_INVALID_FIELDS",
    Flaw.ARGUMENTS: "KEY_FIELDS_HAS_ARGS",
    Flaw.DIRECTIVE: "KEY_DIRECTIVE_IN_FIELDS_ARG",
    Flaw.ABSTRACT: "KEY_FIELDS_SELECT_INVALID_TYPE",
}
FIRST_VERSION_ON_INTERFACES = (2, 3)


def check(subgraph: Subgraph, annotations: Annotations, report: Report) -> None:
    """Report keys that cannot be."""
    for definition in subgraph.types.values():
        if not isinstance(definition, ObjectType | InterfaceType):
            continue
        for use in directives_named(definition, "key"):
            if isinstance(definition, InterfaceType) and subgraph.version < FIRST_VERSION_ON_INTERFACES:
                report.error(
                    "KEY_UNSUPPORTED_ON_INTERFACE",
                    f"[{subgraph.name}] The interface {definition.name} cannot have a @key before federation v2.3.",
                    use.at,
                )
            else:
                check_field_set(subgraph, annotations, use, definition.name, definition.name, _CODES, report)
