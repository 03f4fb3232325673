"""Every type that is referred to must exist, and must fit the place.

https://spec.graphql.org/draft/#IsInputType(), https://spec.graphql.org/draft/#IsOutputType()
"""

from router.composition.model import SourceLocation
from router.composition.report import Report
from router.composition.specs import BUILT_IN_SCALARS
from router.composition.subgraph import (
    EnumType,
    InputType,
    InterfaceType,
    ObjectType,
    ScalarType,
    Subgraph,
    UnionType,
)
from router.composition.type_refs import TypeRef, named_type


def check(subgraph: Subgraph, report: Report) -> None:
    """Report references to types that do not exist or do not fit."""

    def refuse(message: str, at: SourceLocation) -> None:
        report.error("INVALID_GRAPHQL", f"[{subgraph.name}] {message}", at)

    def check_reference(type_ref: TypeRef, coordinate: str, at: SourceLocation, *, is_input: bool) -> None:
        name = named_type(type_ref)
        if name in BUILT_IN_SCALARS:
            return
        target = subgraph.types.get(name)
        if target is None:
            refuse(f"{coordinate} is of the unknown type {name!r}.", at)
        elif is_input and not isinstance(target, ScalarType | EnumType | InputType):
            refuse(f"{coordinate} is of type {name!r}, which cannot be sent as input.", at)
        elif not is_input and isinstance(target, InputType):
            refuse(f"{coordinate} is of type {name!r}, which is for input only.", at)

    for definition in subgraph.types.values():
        match definition:
            case ObjectType() | InterfaceType():
                for field in definition.fields.values():
                    coordinate = f"{definition.name}.{field.name}"
                    check_reference(field.type, coordinate, field.at, is_input=False)
                    for argument in field.arguments.values():
                        check_reference(argument.type, f"{coordinate}({argument.name}:)", argument.at, is_input=True)
                for interface in definition.interfaces:
                    if interface not in subgraph.types:
                        refuse(f"{definition.name} implements the unknown type {interface!r}.", definition.at)
                    elif not isinstance(subgraph.types[interface], InterfaceType):
                        refuse(f"{definition.name} implements {interface!r}, which is no interface.", definition.at)
            case InputType():
                for value in definition.fields.values():
                    check_reference(value.type, f"{definition.name}.{value.name}", value.at, is_input=True)
            case UnionType():
                for member in definition.members:
                    if member not in subgraph.types:
                        refuse(f"{definition.name} has the unknown member {member!r}.", definition.at)
                    elif not isinstance(subgraph.types[member], ObjectType):
                        refuse(f"{definition.name} has the member {member!r}, which is no object type.", definition.at)
            case _:
                continue
    for directive in subgraph.directive_definitions.values():
        for argument in directive.arguments.values():
            if named_type(argument.type) in BUILT_IN_SCALARS or "__" in named_type(argument.type):
                continue
            check_reference(argument.type, f"@{directive.name}({argument.name}:)", argument.at, is_input=True)
