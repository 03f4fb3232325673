"""Types need content, and names that begin with two underscores are introspection's.

https://spec.graphql.org/draft/#sec-Objects.Type-Validation
"""

from router.composition.report import Report
from router.composition.subgraph import EnumType, InputType, InterfaceType, ObjectType, Subgraph, UnionType


def check(subgraph: Subgraph, report: Report) -> None:
    """Report empty types and reserved names."""
    for definition in subgraph.types.values():
        named = [(definition.name, definition.at)]
        is_empty = False
        match definition:
            case ObjectType() | InterfaceType():
                # Query may be left empty by the removal of `_service` and `_entities`.
                is_empty = not definition.fields and definition.name != "Query"
                for field in definition.fields.values():
                    named.append((field.name, field.at))
                    named.extend((argument.name, argument.at) for argument in field.arguments.values())
            case InputType():
                is_empty = not definition.fields
                named.extend((value.name, value.at) for value in definition.fields.values())
            case EnumType():
                is_empty = not definition.values
            case UnionType():
                is_empty = not definition.members
            case _:
                pass
        if is_empty:
            report.error("INVALID_GRAPHQL", f"[{subgraph.name}] Type {definition.name!r} is empty.", definition.at)
        for name, at in named:
            if name.startswith("__"):
                report.error(
                    "INVALID_GRAPHQL",
                    f"[{subgraph.name}] {name!r} begins with two underscores, which is reserved for introspection.",
                    at,
                )
