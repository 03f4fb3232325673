"""`@provides(fields:)` selects external fields of what the field returns."""

from router.composition.annotations import Annotations
from router.composition.field_set_problems import Flaw
from router.composition.report import Report
from router.composition.rules.field_sets import check_field_set
from router.composition.subgraph import InterfaceType, ObjectType, Subgraph, UnionType, directives_named
from router.composition.type_refs import named_type

_CODES = {
    Flaw.INVALID: "PROVIDES_INVALID_FIELDS",
    Flaw.ARGUMENTS: "PROVIDES_FIELDS_HAS_ARGS",
    Flaw.DIRECTIVE: "PROVIDES_DIRECTIVE_IN_FIELDS_ARG",
    Flaw.NOT_EXTERNAL: "PROVIDES_FIELDS_MISSING_EXTERNAL",
}


def check(subgraph: Subgraph, annotations: Annotations, report: Report) -> None:
    """Report provisions that cannot be."""
    for definition in subgraph.types.values():
        if not isinstance(definition, ObjectType | InterfaceType):
            continue
        for field in definition.fields.values():
            owner = f"{definition.name}.{field.name}"
            for use in directives_named(field, "provides"):
                target = named_type(field.type)
                if isinstance(definition, InterfaceType):
                    report.error(
                        "PROVIDES_UNSUPPORTED_ON_INTERFACE",
                        f"[{subgraph.name}] {owner} is a field of an interface and cannot have @provides.",
                        use.at,
                    )
                elif not isinstance(subgraph.types.get(target), ObjectType | InterfaceType | UnionType):
                    report.error(
                        "PROVIDES_ON_NON_OBJECT_FIELD",
                        f"[{subgraph.name}] {owner} returns {field.type}, which has no fields to provide.",
                        use.at,
                    )
                else:
                    check_field_set(subgraph, annotations, use, owner, target, _CODES, report)
