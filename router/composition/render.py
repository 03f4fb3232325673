"""Render: a merged supergraph as SDL that other federation routers read, and the API schema as SDL for clients.

https://specs.apollo.dev/join/v0.5, https://specs.apollo.dev/link/v1.0
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from graphql import StringValueNode, ValueNode, print_ast
from graphql.language.block_string import is_printable_as_block_string, print_block_string
from graphql.language.print_string import print_string

from router.composition.merged import (
    AppliedDirective,
    ContextArgument,
    JoinField,
    JoinType,
    MergedComposite,
    MergedDirectiveDefinition,
    MergedElement,
    MergedEnum,
    MergedField,
    MergedInput,
    MergedInputType,
    MergedScalar,
    MergedType,
    MergedUnion,
    Supergraph,
    SupergraphLink,
)
from router.composition.specs import SUPERGRAPH_HEADER, SUPERGRAPH_SPECS, SUPERGRAPH_TYPES

_DEFINED_NAME = re.compile(r"(?:directive @|scalar |enum |input )(\w+)")


def render_supergraph(supergraph: Supergraph) -> str:
    """Write the supergraph SDL, definitions sorted by name."""
    definitions: dict[str, str] = {}
    for text in (*SUPERGRAPH_HEADER, *SUPERGRAPH_TYPES, *_spec_definitions(supergraph)):
        matched = _DEFINED_NAME.match(text)
        assert matched is not None
        definitions[("@" if text.startswith("directive") else "") + matched[1]] = text
    for definition in supergraph.directive_definitions.values():
        definitions[f"@{definition.name}"] = _directive_definition(definition)
    graphs = "\n".join(
        f"  {graph.id} @join__graph(name: {print_string(graph.name)}, url: {print_string(graph.url)})"
        for graph in supergraph.graphs
    )
    definitions["join__Graph"] = f"enum join__Graph {{\n{graphs}\n}}"
    writer = _Writer(lambda element: _supergraph_directives(element, supergraph.spellings))
    for merged in supergraph.types.values():
        definitions[merged.name] = writer.type(merged)
    schema = _schema(supergraph)
    directives = [definitions[name] for name in sorted(definitions) if name.startswith("@")]
    types = [definitions[name] for name in sorted(definitions) if not name.startswith("@")]
    return "\n\n".join((schema, *directives, *types)) + "\n"


def render_api_schema(api: Supergraph) -> str:
    """Write the SDL of what clients see; *api* must already be without the inaccessible parts."""
    parts = [
        _directive_definition(definition)
        for _, definition in sorted(api.directive_definitions.items())
        if definition.executable
    ]
    writer = _Writer(_api_directives)
    parts.extend(writer.type(merged) for _, merged in sorted(api.types.items()))
    return "\n\n".join(parts) + "\n"


def _spec_definitions(supergraph: Supergraph) -> Iterable[str]:
    linked = {link.url for link in supergraph.links}
    imports = {link.url.split("/")[-2]: {name for name, _ in link.imports} for link in supergraph.links}
    for spec in SUPERGRAPH_SPECS:
        if f"https://specs.apollo.dev/{spec.name}/{spec.version}" in linked:
            for name, definition in spec.directives.items():
                if name != spec.name and f"@{name}" not in imports[spec.name]:
                    continue
                yield definition.replace(f"@{name}", f"@{supergraph.spellings.get(name, name)}", 1)
            yield from spec.definitions


def _schema(supergraph: Supergraph) -> str:
    lines = ["schema", *(f"  {_link(link)}" for link in supergraph.links)]
    lines.extend(f"  {text}" for text in _applied(supergraph.schema_directives, supergraph.spellings))
    lines.append("{")
    lines.extend(f"  {operation}: {name}" for operation, name in supergraph.roots.items())
    lines.append("}")
    return "\n".join(lines)


def _link(link: SupergraphLink) -> str:
    parts = [f"url: {print_string(link.url)}"]
    if link.alias:
        parts.append(f"as: {print_string(link.alias)}")
    if link.purpose:
        parts.append(f"for: {link.purpose}")
    if link.imports:
        entries = [
            print_string(name) if name == alias else f"{{name: {print_string(name)}, as: {print_string(alias)}}}"
            for name, alias in link.imports
        ]
        parts.append(f"import: [{', '.join(entries)}]")
    return f"@link({', '.join(parts)})"


def _directive_definition(definition: MergedDirectiveDefinition) -> str:
    arguments = ", ".join(_inline_input(argument, ()) for argument in definition.arguments.values())
    return (
        f"{_described(definition.description, '')}directive @{definition.name}"
        f"{f'({arguments})' if arguments else ''}{' repeatable' if definition.repeatable else ''}"
        f" on {' | '.join(definition.locations)}"
    )


def _applied(directives: Iterable[AppliedDirective], spellings: Mapping[str, str]) -> list[str]:
    texts = []
    for directive in directives:
        name = spellings.get(directive.name, directive.name)
        arguments = ", ".join(f"{argument}: {print_value(value)}" for argument, value in directive.arguments.items())
        texts.append(f"@{name}({arguments})" if arguments else f"@{name}")
    return texts


def print_value(value: ValueNode) -> str:
    """Write a value on one line (block strings included)."""
    if isinstance(value, StringValueNode):
        return print_string(value.value)
    return print_ast(value)


def _supergraph_directives(element: MergedElement, spellings: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Return the join directives and the others of *element*."""
    joins: list[str] = []
    match element:
        case MergedComposite():
            joins.extend(
                f"@join__implements(graph: {graph}, interface: {print_string(interface)})"
                for graph, interface in element.implements
            )
            joins.extend(_join_type(join) for join in element.joins)
        case MergedUnion():
            joins.extend(_join_type(join) for join in element.joins)
            joins.extend(
                f"@join__unionMember(graph: {graph}, member: {print_string(member)})"
                for graph, member in element.members
            )
        case MergedScalar() | MergedEnum() | MergedInputType():
            joins.extend(_join_type(join) for join in element.joins)
        case MergedField() | MergedInput():
            joins.extend(_join_field(join) for join in element.joins)
        case _:
            joins.extend(f"@join__enumValue(graph: {graph})" for graph in element.graphs)
    return joins, _applied(element.directives, spellings)


_API_DIRECTIVES = frozenset({"deprecated", "specifiedBy", "oneOf"})


def _api_directives(element: MergedElement) -> tuple[list[str], list[str]]:
    return [], _applied((directive for directive in element.directives if directive.name in _API_DIRECTIVES), {})


def _join_type(join: JoinType) -> str:
    parts = [f"graph: {join.graph}"]
    if join.key is not None:
        parts.append(f"key: {print_string(join.key)}")
    if join.extension:
        parts.append("extension: true")
    if join.resolvable is not None:
        parts.append(f"resolvable: {'true' if join.resolvable else 'false'}")
    if join.is_interface_object:
        parts.append("isInterfaceObject: true")
    return f"@join__type({', '.join(parts)})"


def _join_field(join: JoinField) -> str:
    parts = []
    if join.graph is not None:
        parts.append(f"graph: {join.graph}")
    for name, value in (("requires", join.requires), ("provides", join.provides), ("type", join.type)):
        if value is not None:
            parts.append(f"{name}: {print_string(value)}")
    if join.external:
        parts.append("external: true")
    if join.override is not None:
        parts.append(f"override: {print_string(join.override)}")
    if join.used_overridden:
        parts.append("usedOverridden: true")
    if join.override_label is not None:
        parts.append(f"overrideLabel: {print_string(join.override_label)}")
    if join.context_arguments:
        parts.append(f"contextArguments: [{', '.join(map(_context_argument, join.context_arguments))}]")
    return f"@join__field({', '.join(parts)})" if parts else "@join__field"


def _context_argument(argument: ContextArgument) -> str:
    return (
        f"{{context: {print_string(argument.context)}, name: {print_string(argument.name)},"
        f" type: {print_string(argument.type)}, selection: {print_string(argument.selection)}}}"
    )


def _described(description: str | None, indent: str) -> str:
    if description is None:
        return ""
    # What a block string would lose (blank lines around it, odd characters) needs quotes.
    block = print_block_string(description) if is_printable_as_block_string(description) else print_string(description)
    return "\n".join(f"{indent}{line}" if line else "" for line in block.split("\n")) + "\n"


def _inline_input(argument: MergedInput, directives: Sequence[str]) -> str:
    default = f" = {print_value(argument.default)}" if argument.default is not None else ""
    return " ".join((f"{argument.name}: {argument.type}{default}", *directives))


class _Writer:
    """Write one type; *directives_of* decides which directives the elements show."""

    def __init__(self, directives_of: Callable[[MergedElement], tuple[list[str], list[str]]]) -> None:
        self._directives_of = directives_of

    def type(self, merged: MergedType) -> str:
        match merged:
            case MergedScalar():
                return self._head("scalar", merged)
            case MergedUnion():
                return f"{self._head('union', merged, '')}= {' | '.join(merged.types)}"
            case MergedEnum():
                values = [
                    f"{_described(value.description, '  ')}  {' '.join((value.name, *self._inline(value)))}"
                    for value in merged.values.values()
                ]
                return self._block(self._head("enum", merged, "{"), merged.values, values)
            case MergedInputType():
                inputs = [
                    f"{_described(value.description, '  ')}  {_inline_input(value, self._inline(value))}"
                    for value in merged.fields.values()
                ]
                return self._block(self._head("input", merged, "{"), merged.fields, inputs)
            case MergedComposite():
                fields = [self._field(field) for field in merged.fields.values()]
                keyword = "interface" if merged.is_interface else "type"
                return self._block(self._head(keyword, merged, "{"), merged.fields, fields)

    def _head(self, keyword: str, merged: MergedType, opening: str | None = None) -> str:
        """Write up to the body; many directives go on lines of their own, as in every supergraph."""
        interfaces = ""
        if isinstance(merged, MergedComposite) and merged.interfaces:
            interfaces = f" implements {' & '.join(merged.interfaces)}"
        joins, others = self._directives_of(merged)
        head = f"{_described(merged.description, '')}{keyword} {merged.name}{interfaces}"
        if joins:
            head += "".join(f"\n  {text}" for text in (*joins, *others))
            return head if opening is None else f"{head}\n{opening or ' '}"
        head = " ".join((head, *others))
        return head if opening is None else f"{head} {opening}"

    def _block(self, head: str, elements: Mapping[str, object], lines: Sequence[str]) -> str:
        described = any(getattr(element, "description", None) for element in elements.values())
        return "\n".join((head, ("\n\n" if described else "\n").join(lines), "}"))

    def _inline(self, element: MergedElement) -> list[str]:
        joins, others = self._directives_of(element)
        return [*joins, *others]

    def _field(self, field: MergedField) -> str:
        arguments = ""
        if field.arguments:
            if any(argument.description for argument in field.arguments.values()):
                lines = "\n".join(
                    f"{_described(argument.description, '    ')}    {_inline_input(argument, self._inline(argument))}"
                    for argument in field.arguments.values()
                )
                arguments = f"(\n{lines}\n  )"
            else:
                inline = (_inline_input(argument, self._inline(argument)) for argument in field.arguments.values())
                arguments = f"({', '.join(inline)})"
        text = " ".join((f"{field.name}{arguments}: {field.type}", *self._inline(field)))
        return f"{_described(field.description, '  ')}  {text}"
