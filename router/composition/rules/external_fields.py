"""`@external` is for fields of objects that something in the subgraph needs."""

from router.composition.annotations import Annotations
from router.composition.report import Report
from router.composition.subgraph import InterfaceType, ObjectType, Subgraph, directives_named, has_directive


def check(subgraph: Subgraph, annotations: Annotations, report: Report) -> None:
    """Report externals on interfaces and externals that nothing uses."""
    for definition in subgraph.types.values():
        if not isinstance(definition, ObjectType | InterfaceType):
            continue
        for field in definition.fields.values():
            if not has_directive(field, "external"):
                continue
            coordinate = f"{definition.name}.{field.name}"
            at = directives_named(field, "external")[0].at
            if isinstance(definition, InterfaceType):
                report.error(
                    "EXTERNAL_ON_INTERFACE",
                    f"[{subgraph.name}] {coordinate} is a field of an interface and cannot be @external.",
                    at,
                )
            colliding = directives_named(field, "provides")
            for use in colliding:
                report.error(
                    "EXTERNAL_COLLISION_WITH_ANOTHER_DIRECTIVE",
                    f"[{subgraph.name}] {coordinate} is @external: what this subgraph does not resolve it cannot"
                    " @provides either.",
                    use.at,
                )
            if not colliding and not _is_used(subgraph, annotations, definition, field.name):
                report.error(
                    "EXTERNAL_UNUSED",
                    f"[{subgraph.name}] {coordinate} is @external, but no @key, @requires, @provides or interface uses"
                    " it.",
                    at,
                )


def _is_used(subgraph: Subgraph, annotations: Annotations, definition: ObjectType | InterfaceType, field: str) -> bool:
    coordinate = (definition.name, field)
    if coordinate not in annotations.external or coordinate in annotations.referenced:
        return True
    return any(
        isinstance(interface := subgraph.types.get(name), InterfaceType) and field in interface.fields
        for name in definition.interfaces
    )
