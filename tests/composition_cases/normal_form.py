"""A supergraph or schema as a mapping that is equal for equal meanings: order and defaults do not show."""

import re
from collections.abc import Callable, Iterable, Sequence

from graphql import (
    ConstDirectiveNode,
    DirectiveDefinitionNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    FieldDefinitionNode,
    InputObjectTypeDefinitionNode,
    InputValueDefinitionNode,
    InterfaceTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    SchemaDefinitionNode,
    StringValueNode,
    TypeDefinitionNode,
    UnionTypeDefinitionNode,
    ValueNode,
    parse,
    print_ast,
)

# What a supergraph only defines so that it is complete SDL.
_MACHINERY_PREFIXES = ("join__", "link__", "policy__", "requiresScopes__", "context__", "cost__")
_MACHINERY_DIRECTIVES = {"link", "tag", "inaccessible", "authenticated", "requiresScopes", "policy", "cost", "listSize"}
_MACHINERY_DIRECTIVES |= {"context"}
_DEFAULTS = {("join__type", "resolvable"): "true", ("join__type", "extension"): "false"}
_VISIBLE_TO_CLIENTS = {"deprecated", "specifiedBy", "oneOf"}

NormalForm = dict[str, list[str]]


def normalise_supergraph(sdl: str) -> NormalForm:
    """Return what each element of a supergraph is."""
    return _normalise(parse(sdl), lambda directive: True)


def normalise_api_schema(sdl: str) -> NormalForm:
    """Return what each element of an API schema is; directives that mean nothing to clients are passed over."""
    return _normalise(parse(sdl), lambda directive: directive.name.value in _VISIBLE_TO_CLIENTS)


def _normalise(document: DocumentNode, is_kept: Callable[[ConstDirectiveNode], bool]) -> NormalForm:
    found: NormalForm = {}

    def directives(nodes: Iterable[ConstDirectiveNode] | None) -> list[str]:
        return sorted(_directive(node) for node in nodes or () if is_kept(node))

    def add_input(owner: str, node: InputValueDefinitionNode) -> None:
        default = f" = {_value(node.default_value)}" if node.default_value else ""
        found[f"{owner}{node.name.value}"] = [
            print_ast(node.type) + default,
            *_described(node),
            *directives(node.directives),
        ]

    def add_fields(owner: str, fields: Sequence[FieldDefinitionNode]) -> None:
        for field in fields:
            found[f"{owner}.{field.name.value}"] = [
                print_ast(field.type),
                *_described(field),
                *directives(field.directives),
            ]
            for argument in field.arguments or ():
                add_input(f"{owner}.{field.name.value}:", argument)

    for node in document.definitions:
        match node:
            case SchemaDefinitionNode():
                operations = [f"{each.operation.value}: {each.type.name.value}" for each in node.operation_types]
                kept = directives(node.directives)
                if kept:
                    found["schema"] = [*sorted(operations), *kept]
            case DirectiveDefinitionNode():
                name = node.name.value
                if name in _MACHINERY_DIRECTIVES or name.startswith(_MACHINERY_PREFIXES):
                    continue
                locations = sorted(location.value for location in node.locations)
                found[f"@{name}"] = [f"{'repeatable ' if node.repeatable else ''}on {' | '.join(locations)}"]
                for argument in node.arguments or ():
                    add_input(f"@{name}:", argument)
            case TypeDefinitionNode():
                name = node.name.value
                if name.startswith(_MACHINERY_PREFIXES) and name != "join__Graph":
                    continue
                facts = [node.kind.removesuffix("_type_definition"), *_described(node)]
                match node:
                    case ObjectTypeDefinitionNode() | InterfaceTypeDefinitionNode():
                        facts.extend(sorted(f"implements {each.name.value}" for each in node.interfaces or ()))
                        add_fields(name, node.fields or ())
                    case UnionTypeDefinitionNode():
                        facts.extend(sorted(f"member {each.name.value}" for each in node.types or ()))
                    case EnumTypeDefinitionNode():
                        for value in node.values or ():
                            found[f"{name}.{value.name.value}"] = [*_described(value), *directives(value.directives)]
                    case InputObjectTypeDefinitionNode():
                        for field in node.fields or ():
                            add_input(f"{name}.", field)
                found[name] = [*facts, *directives(node.directives)]
            case _:
                raise AssertionError(f"unexpected in a schema: {node.kind}")
    return dict(sorted(found.items()))


def _described(node: TypeDefinitionNode | FieldDefinitionNode | InputValueDefinitionNode | object) -> list[str]:
    description = getattr(node, "description", None)
    return [f'"{description.value}"'] if isinstance(description, StringValueNode) else []


def _directive(node: ConstDirectiveNode) -> str:
    arguments = sorted(
        f"{argument.name.value}: {_value(argument.value)}"
        for argument in node.arguments or ()
        if _DEFAULTS.get((node.name.value, argument.name.value)) != print_ast(argument.value)
    )
    if node.name.value == "deprecated" and not arguments:
        arguments = ['reason: "No longer supported"']
    if node.name.value == "link":
        # Who needs which version of the join specification is a matter of taste; readers know them all.
        arguments = [re.sub(r"(specs.apollo.dev/join)/v0\.\d", r"\1", argument) for argument in arguments]
    return f"@{node.name.value}({', '.join(arguments)})"


def _value(node: ValueNode) -> str:
    if isinstance(node, StringValueNode):
        return f'"{node.value}"'
    match node.kind:
        case "object_value":
            fields = sorted(f"{field.name.value}: {_value(field.value)}" for field in node.fields)  # type: ignore[attr-defined]
            return "{" + ", ".join(fields) + "}"
        case "list_value":
            return "[" + ", ".join(_value(each) for each in node.values) + "]"  # type: ignore[attr-defined]
        case _:
            return print_ast(node)
