"""A subgraph's own schema, told from the supergraph."""

from collections.abc import Mapping

from router.supergraph.model import Field, FieldInSubgraph, Type, TypeInSubgraph, TypeKind

_BUILT_IN_SCALARS = frozenset({"Int", "Float", "String", "Boolean", "ID"})


def print_subgraph_schema(
    subgraph: str, types: Mapping[str, Type], roots: tuple[str | None, str | None, str | None]
) -> str:
    """Return the SDL of what *subgraph* knows, with `_entities` if it has entities.

    *roots* are the query, mutation and subscription types.
    """
    entities = tuple(
        name
        for name, type_ in sorted(types.items())
        if subgraph in type_.subgraphs
        and type_.subgraphs[subgraph].keys
        and _kind_in(type_, type_.subgraphs[subgraph]) is TypeKind.OBJECT
    )
    query, mutation, subscription = roots
    blocks: list[str] = []
    operations: list[str] = []
    for operation, root in (("query", query), ("mutation", mutation), ("subscription", subscription)):
        if root is None:
            continue
        has_fields = any(subgraph in field.subgraphs for field in types[root].fields.values())
        if has_fields or operation == "query":
            operations.append(f"{operation}: {root}")
    blocks.append("schema { " + " ".join(operations) + " }")
    for name, type_ in sorted(types.items()):
        here = type_.subgraphs.get(subgraph)
        if name == query:
            blocks.append(_print_query(type_, subgraph, entities))
        elif here is not None and name not in _BUILT_IN_SCALARS:
            block = _print_type(type_, here, subgraph)
            if block:
                blocks.append(block)
    if entities:
        blocks.append("scalar _Any")
        blocks.append("union _Entity = " + " | ".join(entities))
    return "\n\n".join(blocks) + "\n"


def _kind_in(type_: Type, here: TypeInSubgraph) -> TypeKind:
    return TypeKind.OBJECT if here.is_interface_object else type_.kind


def _print_query(type_: Type, subgraph: str, entities: tuple[str, ...]) -> str:
    lines = _field_lines(type_, subgraph, is_input=False)
    if entities:
        lines.append("  _entities(representations: [_Any!]!): [_Entity]!")
    if not lines:
        # A subgraph without root fields still has a query type, for `_service` at least.
        lines.append("  _service: String")
    return f"type {type_.name} {{\n" + "\n".join(lines) + "\n}"


def _print_type(type_: Type, here: TypeInSubgraph, subgraph: str) -> str:
    match _kind_in(type_, here):
        case TypeKind.SCALAR:
            return f"scalar {type_.name}"
        case TypeKind.UNION:
            return f"union {type_.name} = " + " | ".join(here.members) if here.members else ""
        case TypeKind.ENUM:
            return f"enum {type_.name} {{\n" + "\n".join(f"  {value}" for value in here.values) + "\n}"
        case kind:
            lines = _field_lines(type_, subgraph, is_input=kind is TypeKind.INPUT_OBJECT)
            implements = "" if here.is_interface_object or not here.interfaces else " implements "
            if implements:
                implements += " & ".join(here.interfaces)
            return f"{kind.value} {type_.name}{implements} {{\n" + "\n".join(lines) + "\n}" if lines else ""


def _field_lines(type_: Type, subgraph: str, *, is_input: bool) -> list[str]:
    lines: list[str] = []
    for field in type_.fields.values():
        here = field.subgraphs.get(subgraph)
        if here is None:
            continue
        default = f" = {field.default}" if is_input and field.default is not None else ""
        lines.append(f"  {field.name}{_print_arguments(field, here)}: {here.type}{default}")
    return lines


def _print_arguments(field: Field, here: FieldInSubgraph) -> str:
    """Return a field's arguments, those too that the router fills from a context: only the subgraph knows them."""
    arguments = [
        f"{argument.name}: {argument.type}" + (f" = {argument.default}" if argument.default is not None else "")
        for argument in field.arguments
    ]
    arguments.extend(f"{argument.name}: {argument.type}" for argument in here.context_arguments)
    return f"({', '.join(arguments)})" if arguments else ""
