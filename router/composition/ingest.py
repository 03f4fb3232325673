"""Ingest: SDL in, a `Subgraph` out (or diagnostics).

What a subgraph library adds (`_entities`, `_service`, `_Any`, the definitions of federation's directives) is dropped,
definitions and extensions of a type are joined, root types get their standard names, and every directive is resolved
to what it means.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from graphql import (
    ConstDirectiveNode,
    DefinitionNode,
    DirectiveDefinitionNode,
    EnumTypeDefinitionNode,
    EnumTypeExtensionNode,
    FieldDefinitionNode,
    GraphQLSyntaxError,
    InputObjectTypeDefinitionNode,
    InputObjectTypeExtensionNode,
    InputValueDefinitionNode,
    InterfaceTypeDefinitionNode,
    InterfaceTypeExtensionNode,
    Node,
    ObjectTypeDefinitionNode,
    ObjectTypeExtensionNode,
    ScalarTypeDefinitionNode,
    ScalarTypeExtensionNode,
    SchemaDefinitionNode,
    SchemaExtensionNode,
    StringValueNode,
    TypeDefinitionNode,
    TypeExtensionNode,
    UnionTypeDefinitionNode,
    UnionTypeExtensionNode,
    parse,
)

from router.composition.blocks import Blocks, find_roots, group_blocks, locate
from router.composition.federation_definitions import check_federation_definition
from router.composition.links import Vocabulary, read_links
from router.composition.model import SourceLocation, SubgraphSchema
from router.composition.report import Report
from router.composition.specs import (
    BUILT_IN_DIRECTIVES,
    MACHINERY_FIELDS,
)
from router.composition.subgraph import (
    ROOT_NAMES,
    DirectiveDefinition,
    DirectiveUse,
    EnumType,
    EnumValue,
    Family,
    InputType,
    InputValue,
    InterfaceType,
    ObjectType,
    OutputField,
    ScalarType,
    Subgraph,
    SubgraphType,
    UnionType,
)
from router.composition.type_refs import read_type_ref

_ObjectNode = ObjectTypeDefinitionNode | ObjectTypeExtensionNode
_InterfaceNode = InterfaceTypeDefinitionNode | InterfaceTypeExtensionNode
_Named = TypeVar("_Named", OutputField, InputValue, EnumValue)


def ingest(schema: SubgraphSchema, report: Report) -> Subgraph | None:
    """Read one subgraph; None when its SDL cannot be parsed at all."""
    try:
        document = parse(schema.sdl)
    except GraphQLSyntaxError as error:
        line, column = (error.locations[0].line, error.locations[0].column) if error.locations else (1, 1)
        report.error("INVALID_GRAPHQL", f"[{schema.name}] {error.message}", SourceLocation(schema.name, line, column))
        return None
    return _Ingestion(schema, document.definitions, report).run()


class _Ingestion:
    """The reading of one document; holds what every step needs."""

    def __init__(self, schema: SubgraphSchema, definitions: Iterable[DefinitionNode], report: Report) -> None:
        self.schema = schema
        self.report = report
        self.definitions = tuple(definitions)
        self.schema_nodes = tuple(
            node for node in self.definitions if isinstance(node, SchemaDefinitionNode | SchemaExtensionNode)
        )
        self.vocabulary: Vocabulary = read_links(
            [(directive, self.locate(directive)) for node in self.schema_nodes for directive in node.directives or ()],
            frozenset(node.name.value for node in self.definitions if isinstance(node, DirectiveDefinitionNode)),
            report,
            schema.name,
        )
        self.renames: dict[str, str] = {}

    def run(self) -> Subgraph:
        for node in self.definitions:
            if not isinstance(
                node,
                TypeDefinitionNode
                | TypeExtensionNode
                | SchemaDefinitionNode
                | SchemaExtensionNode
                | DirectiveDefinitionNode,
            ):
                self.report.error(
                    "INVALID_GRAPHQL",
                    f"[{self.schema.name}] A subgraph's SDL holds definitions only, not operations or fragments.",
                    self.locate(node),
                )
        blocks = group_blocks(self.schema.name, self.definitions, self.vocabulary, self.report)
        roots = find_roots(self.schema.name, self.schema_nodes, blocks, self.report)
        self.renames = {written: ROOT_NAMES[operation] for operation, written in roots.items()}
        types: dict[str, SubgraphType] = {}
        for block in blocks.values():
            built = self.build_type(block)
            if built is not None:
                types[built.name] = built
        schema_directives = tuple(
            self.use(directive, on_extension=isinstance(node, SchemaExtensionNode))
            for node in self.schema_nodes
            for directive in node.directives or ()
        )
        return Subgraph(
            name=self.schema.name,
            url=self.schema.url,
            version=self.vocabulary.version,
            types=types,
            directive_definitions=self.read_directive_definitions(),
            links=self.vocabulary.links,
            schema_directives=tuple(use for use in schema_directives if use.name != "link"),
            roots=roots,
            composed_directives=tuple(use for use in schema_directives if use.name == "composeDirective"),
        )

    def locate(self, node: Node) -> SourceLocation:
        return locate(self.schema.name, node)

    def rename(self, name: str) -> str:
        return self.renames.get(name, name)

    def use(self, node: ConstDirectiveNode, *, on_extension: bool = False, block: int = 0) -> DirectiveUse:
        written = node.name.value
        name, family = self.vocabulary.meaning(written)
        return DirectiveUse(
            name=name,
            written=written,
            family=family,
            arguments={argument.name.value: argument.value for argument in node.arguments or ()},
            at=self.locate(node),
            on_extension=on_extension,
            block=block,
        )

    def uses(
        self, nodes: Sequence[ConstDirectiveNode] | None, *, on_extension: bool = False, block: int = 0
    ) -> tuple[DirectiveUse, ...]:
        return tuple(self.use(node, on_extension=on_extension, block=block) for node in nodes or ())

    def block_uses(self, block: Blocks) -> tuple[DirectiveUse, ...]:
        return tuple(
            use
            for index, node in enumerate(block.all)
            for use in self.uses(node.directives, on_extension=isinstance(node, TypeExtensionNode), block=index)
        )

    def build_type(self, block: Blocks) -> SubgraphType | None:
        first = block.first
        name = self.rename(block.name)
        description = _description(block.base)
        directives = self.block_uses(block)
        at = self.locate(first)
        has_base = block.base is not None
        match first:
            case ScalarTypeDefinitionNode() | ScalarTypeExtensionNode():
                return ScalarType(name, description, directives, at, has_base)
            case UnionTypeDefinitionNode() | UnionTypeExtensionNode():
                members = self.unique_names(
                    block,
                    lambda node: (
                        node.types if isinstance(node, UnionTypeDefinitionNode | UnionTypeExtensionNode) else ()
                    ),
                    "union member",
                )
                return UnionType(name, members, description, directives, at, has_base)
            case EnumTypeDefinitionNode() | EnumTypeExtensionNode():
                values = [
                    EnumValue(value.name.value, _description(value), self.uses(value.directives), self.locate(value))
                    for node in block.all
                    if isinstance(node, EnumTypeDefinitionNode | EnumTypeExtensionNode)
                    for value in node.values or ()
                ]
                return EnumType(name, self.unique(values, name), description, directives, at, has_base)
            case InputObjectTypeDefinitionNode() | InputObjectTypeExtensionNode():
                inputs = [
                    self.build_input_value(value)
                    for node in block.all
                    if isinstance(node, InputObjectTypeDefinitionNode | InputObjectTypeExtensionNode)
                    for value in node.fields or ()
                ]
                return InputType(name, self.unique(inputs, name), description, directives, at, has_base)
            case ObjectTypeDefinitionNode() | ObjectTypeExtensionNode():
                return ObjectType(
                    name,
                    self.read_interfaces(block),
                    self.read_fields(block, name),
                    description,
                    directives,
                    at,
                    has_base,
                )
            case InterfaceTypeDefinitionNode() | InterfaceTypeExtensionNode():
                return InterfaceType(
                    name,
                    self.read_interfaces(block),
                    self.read_fields(block, name),
                    description,
                    directives,
                    at,
                    has_base,
                )
        return None

    def read_interfaces(self, block: Blocks) -> tuple[str, ...]:
        return self.unique_names(
            block,
            lambda node: node.interfaces if isinstance(node, _ObjectNode | _InterfaceNode) else (),
            "interface",
        )

    def read_fields(self, block: Blocks, type_name: str) -> dict[str, OutputField]:
        fields: list[OutputField] = []
        for node in block.all:
            if not isinstance(node, _ObjectNode | _InterfaceNode):
                continue
            on_extension = isinstance(node, TypeExtensionNode)
            # `@external` and `@shareable` on a type mean all of the fields of this very block, not of its other blocks.
            inherited = tuple(
                use
                for use in self.uses(node.directives, on_extension=on_extension)
                if use.family is Family.FEDERATION and use.name in {"external", "shareable"}
            )
            fields.extend(
                self.build_field(written, inherited, on_extension)
                for written in node.fields or ()
                if type_name != "Query" or written.name.value not in MACHINERY_FIELDS
            )
        return self.unique(fields, type_name)

    def build_field(
        self, node: FieldDefinitionNode, inherited: tuple[DirectiveUse, ...], on_extension: bool
    ) -> OutputField:
        directives = self.uses(node.directives)
        own = {use.name for use in directives}
        directives = (*directives, *(use for use in inherited if use.name not in own))
        return OutputField(
            name=node.name.value,
            type=read_type_ref(node.type, self.rename),
            arguments=self.unique([self.build_input_value(value) for value in node.arguments or ()], node.name.value),
            description=_description(node),
            directives=directives,
            at=self.locate(node),
            on_extension=on_extension,
        )

    def build_input_value(self, node: InputValueDefinitionNode) -> InputValue:
        return InputValue(
            name=node.name.value,
            type=read_type_ref(node.type, self.rename),
            default=node.default_value,
            description=_description(node),
            directives=self.uses(node.directives),
            at=self.locate(node),
        )

    def unique(self, elements: list[_Named], owner: str) -> dict[str, _Named]:
        found: dict[str, _Named] = {}
        for element in elements:
            if element.name in found:
                self.report.error(
                    "INVALID_GRAPHQL",
                    f"[{self.schema.name}] {owner!r} defines {element.name!r} more than once.",
                    found[element.name].at,
                    element.at,
                )
            else:
                found[element.name] = element
        return found

    def unique_names(
        self,
        block: Blocks,
        select: Callable[[TypeDefinitionNode | TypeExtensionNode], Iterable[Node] | None],
        what: str,
    ) -> tuple[str, ...]:
        names: list[str] = []
        for node in block.all:
            for named in select(node) or ():
                name = self.rename(named.name.value)  # type: ignore[attr-defined]  # all are NamedTypeNode
                if name in names:
                    self.report.error(
                        "INVALID_GRAPHQL",
                        f"[{self.schema.name}] {block.name!r} lists the {what} {name!r} more than once.",
                        self.locate(named),
                    )
                else:
                    names.append(name)
        return tuple(names)

    def read_directive_definitions(self) -> dict[str, DirectiveDefinition]:
        """Return the subgraph's own directives; definitions of federation's are checked and dropped."""
        found: dict[str, DirectiveDefinition] = {}
        for node in self.definitions:
            if not isinstance(node, DirectiveDefinitionNode):
                continue
            written = node.name.value
            definition = DirectiveDefinition(
                name=written,
                arguments=self.unique([self.build_input_value(value) for value in node.arguments or ()], f"@{written}"),
                locations=tuple(location.value for location in node.locations),
                repeatable=node.repeatable,
                description=_description(node),
                at=self.locate(node),
            )
            name, family = self.vocabulary.meaning(written)
            if family is Family.FEDERATION:
                check_federation_definition(self.schema.name, name, definition, self.report)
            elif written in BUILT_IN_DIRECTIVES or name == "link":
                continue
            elif written in found:
                self.report.error(
                    "INVALID_GRAPHQL",
                    f"[{self.schema.name}] There can be only one directive named '@{written}'.",
                    found[written].at,
                    definition.at,
                )
            else:
                found[written] = definition
        return found


def _description(node: Node | None) -> str | None:
    description = getattr(node, "description", None)
    return description.value if isinstance(description, StringValueNode) else None
