"""A type is of one kind in all subgraphs; an interface object counts as the interface it stands for."""

from router.composition.landscape import Landscape, Member
from router.composition.report import Report
from router.composition.subgraph import (
    EnumType,
    InputType,
    InterfaceType,
    ObjectType,
    ScalarType,
    SubgraphType,
    UnionType,
)


def check(landscape: Landscape, report: Report) -> None:
    """Report types of several kinds."""
    mixed = find_mixed_types(landscape)
    for name, definitions in landscape.types.items():
        if name in mixed:
            kinds = {member.name: kind_of(member, definition) for member, definition in definitions}
            described = ", ".join(f"{kind} in {subgraph!r}" for subgraph, kind in kinds.items())
            report.error(
                "TYPE_KIND_MISMATCH",
                f"Type {name!r} is not of one kind: {described}.",
                *(definition.at for _, definition in definitions),
            )


def find_mixed_types(landscape: Landscape) -> frozenset[str]:
    """Return the types that are of several kinds."""
    return frozenset(
        name
        for name, definitions in landscape.types.items()
        if len({kind_of(member, definition) for member, definition in definitions}) > 1
    )


def kind_of(member: Member, definition: SubgraphType) -> str:
    """Return what *definition* is for the supergraph."""
    match definition:
        case ObjectType() if definition.name in member.annotations.interface_objects:
            return "interface"
        case ObjectType():
            return "object"
        case InterfaceType():
            return "interface"
        case UnionType():
            return "union"
        case EnumType():
            return "enum"
        case InputType():
            return "input"
        case ScalarType():
            return "scalar"
