"""`@cost` and `@listSize` must describe something that can be counted.

https://ibm.github.io/graphql-specs/cost-spec.html
"""

from collections.abc import Iterator

from graphql import IntValueNode, ListValueNode, StringValueNode, ValueNode

from router.composition.annotations import Annotations
from router.composition.report import Report
from router.composition.subgraph import (
    DirectiveUse,
    InterfaceType,
    ObjectType,
    OutputField,
    Subgraph,
    directives_named,
)
from router.composition.type_refs import ListOf, Named, named_type, nullable


def check(subgraph: Subgraph, annotations: Annotations, report: Report) -> None:
    """Report costs on interfaces and list sizes that size no list."""
    for definition in subgraph.types.values():
        if not isinstance(definition, ObjectType | InterfaceType):
            continue
        for field in definition.fields.values():
            coordinate = f"{definition.name}.{field.name}"
            for use in directives_named(field, "cost"):
                if isinstance(definition, InterfaceType):
                    report.error(
                        "COST_APPLIED_TO_INTERFACE_FIELD",
                        f"[{subgraph.name}] {coordinate} is a field of an interface; its @cost belongs on the"
                        " implementations.",
                        use.at,
                    )
            for use in directives_named(field, "listSize"):
                for code, message in _find_list_size_problems(subgraph, field, use):
                    report.error(code, f"[{subgraph.name}] {coordinate}: {message}.", use.at)


def _find_list_size_problems(subgraph: Subgraph, field: OutputField, use: DirectiveUse) -> Iterator[tuple[str, str]]:
    assumed = use.arguments.get("assumedSize")
    if isinstance(assumed, IntValueNode) and int(assumed.value) < 0:
        yield "LIST_SIZE_INVALID_ASSUMED_SIZE", f"an assumed size of {assumed.value} is negative"
    sized = _strings(use.arguments.get("sizedFields"))
    if not sized and not isinstance(nullable(field.type), ListOf):
        yield "LIST_SIZE_APPLIED_TO_NON_LIST", f"{field.type} is no list"
    for name in _strings(use.arguments.get("slicingArguments")):
        argument = field.arguments.get(name)
        if argument is None:
            yield "LIST_SIZE_INVALID_SLICING_ARGUMENT", f"the slicing argument {name!r} does not exist"
        elif nullable(argument.type) != Named("Int"):
            yield "LIST_SIZE_INVALID_SLICING_ARGUMENT", f"the slicing argument {name!r} is {argument.type}, not Int"
    target = subgraph.types.get(named_type(field.type))
    for name in sized:
        if not isinstance(target, ObjectType | InterfaceType):
            yield "LIST_SIZE_INVALID_SIZED_FIELD", f"{field.type} has no field {name!r} to size"
        elif name not in target.fields:
            yield "LIST_SIZE_INVALID_SIZED_FIELD", f"the sized field {target.name}.{name} does not exist"
        elif not isinstance(nullable(target.fields[name].type), ListOf):
            yield "LIST_SIZE_APPLIED_TO_NON_LIST", f"the sized field {target.name}.{name} is no list"


def _strings(value: ValueNode | None) -> list[str]:
    if not isinstance(value, ListValueNode):
        return []
    return [entry.value for entry in value.values if isinstance(entry, StringValueNode)]
