"""A type has the fields of the interfaces it implements.

https://spec.graphql.org/draft/#IsValidImplementation()
"""

from router.composition.report import Report
from router.composition.subgraph import InterfaceType, ObjectType, OutputField, Subgraph
from router.composition.type_refs import NonNull, is_subtype


def check(subgraph: Subgraph, report: Report) -> None:
    """Report implementations that are not."""
    supertypes: dict[str, set[str]] = {}
    for definition in subgraph.types.values():
        if isinstance(definition, ObjectType | InterfaceType):
            supertypes.setdefault(definition.name, set()).update(definition.interfaces)
        else:
            for member in getattr(definition, "members", ()):
                supertypes.setdefault(member, set()).add(definition.name)

    def is_named_subtype(sub: str, of: str) -> bool:
        return of in supertypes.get(sub, ())

    for definition in subgraph.types.values():
        if not isinstance(definition, ObjectType | InterfaceType):
            continue
        for name in definition.interfaces:
            interface = subgraph.types.get(name)
            if not isinstance(interface, InterfaceType):
                continue  # known_types reports it
            if name == definition.name:
                report.error("INVALID_GRAPHQL", f"[{subgraph.name}] {name!r} cannot implement itself.", definition.at)
                continue
            for inherited in interface.interfaces:
                if inherited not in definition.interfaces:
                    report.error(
                        "INVALID_GRAPHQL",
                        f"[{subgraph.name}] {definition.name} implements {name} and must therefore implement"
                        f" {inherited} too.",
                        definition.at,
                    )
            for expected in interface.fields.values():
                actual = definition.fields.get(expected.name)
                if actual is None:
                    report.error(
                        "INVALID_GRAPHQL",
                        f"[{subgraph.name}] {definition.name} implements {name} but has no field {expected.name!r}.",
                        definition.at,
                        expected.at,
                    )
                    continue
                if not is_subtype(actual.type, expected.type, is_named_subtype):
                    report.error(
                        "INVALID_GRAPHQL",
                        f"[{subgraph.name}] {name}.{expected.name} is {expected.type}, but"
                        f" {definition.name}.{actual.name} is {actual.type}.",
                        actual.at,
                        expected.at,
                    )
                _check_arguments(subgraph, definition.name, name, actual, expected, report)


def _check_arguments(
    subgraph: Subgraph, type_name: str, interface: str, actual: OutputField, expected: OutputField, report: Report
) -> None:
    for argument in expected.arguments.values():
        own = actual.arguments.get(argument.name)
        coordinate = f"{type_name}.{actual.name}({argument.name}:)"
        if own is None:
            report.error(
                "INVALID_GRAPHQL",
                f"[{subgraph.name}] {coordinate} is missing; {interface}.{expected.name} has that argument.",
                actual.at,
                argument.at,
            )
        elif own.type != argument.type:
            report.error(
                "INVALID_GRAPHQL",
                f"[{subgraph.name}] {coordinate} is {own.type}; {interface}.{expected.name} takes {argument.type}.",
                own.at,
                argument.at,
            )
    for own in actual.arguments.values():
        if own.name not in expected.arguments and isinstance(own.type, NonNull) and own.default is None:
            report.error(
                "INVALID_GRAPHQL",
                f"[{subgraph.name}] {type_name}.{actual.name}({own.name}:) is required, but"
                f" {interface}.{expected.name} has no such argument.",
                own.at,
            )
