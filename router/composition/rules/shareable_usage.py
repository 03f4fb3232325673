"""`@shareable` is for fields of objects, once per field."""

from router.composition.annotations import Annotations
from router.composition.report import Report
from router.composition.subgraph import InterfaceType, ObjectType, Subgraph, directives_named


def check(subgraph: Subgraph, annotations: Annotations, report: Report) -> None:
    """Report `@shareable` on interface fields, and twice on one field or one block of a type."""
    for definition in subgraph.types.values():
        if not isinstance(definition, ObjectType | InterfaceType):
            continue
        marked: set[int] = set()
        for use in directives_named(definition, "shareable"):
            if use.block in marked:
                report.error(
                    "INVALID_SHAREABLE_USAGE",
                    f"[{subgraph.name}] {definition.name} is marked @shareable more than once.",
                    use.at,
                )
            marked.add(use.block)
        for field in definition.fields.values():
            uses = directives_named(field, "shareable")
            if uses and isinstance(definition, InterfaceType):
                report.error(
                    "INVALID_SHAREABLE_USAGE",
                    f"[{subgraph.name}] {definition.name}.{field.name} is a field of an interface: only its"
                    " implementations are resolved, and can be @shareable.",
                    uses[0].at,
                )
            elif len(uses) > 1:
                report.error(
                    "INVALID_SHAREABLE_USAGE",
                    f"[{subgraph.name}] {definition.name}.{field.name} is marked @shareable more than once.",
                    uses[1].at,
                )
