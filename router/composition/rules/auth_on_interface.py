"""Authorisation stands on what is resolved: objects and their fields, not interfaces."""

from router.composition.annotations import Annotations
from router.composition.report import Report
from router.composition.subgraph import DirectiveUse, Family, InterfaceType, ObjectType, Subgraph

AUTH_DIRECTIVES = frozenset({"authenticated", "requiresScopes", "policy"})


def check(subgraph: Subgraph, annotations: Annotations, report: Report) -> None:
    """Report authorisation directives on interfaces, their fields, and interface objects.

    The fields of an interface object may have them: these are resolved, for every implementation alike.
    """

    def refuse(coordinate: str, use: DirectiveUse, what: str) -> None:
        report.error(
            "AUTH_REQUIREMENTS_APPLIED_ON_INTERFACE",
            f"[{subgraph.name}] @{use.written} cannot stand on {coordinate}, {what}.",
            use.at,
        )

    for definition in subgraph.types.values():
        if isinstance(definition, InterfaceType):
            what = "an interface"
        elif isinstance(definition, ObjectType) and definition.name in annotations.interface_objects:
            what = "an interface object"
        else:
            continue
        for use in definition.directives:
            if use.family is Family.FEDERATION and use.name in AUTH_DIRECTIVES:
                refuse(definition.name, use, what)
        if not isinstance(definition, InterfaceType):
            continue
        for field in definition.fields.values():
            for use in field.directives:
                if use.family is Family.FEDERATION and use.name in AUTH_DIRECTIVES:
                    refuse(f"{definition.name}.{field.name}", use, "a field of an interface")
