"""Read the document of a supergraph: each definition becomes what merging would have left of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from graphql import (
    BooleanValueNode,
    ConstDirectiveNode,
    DirectiveDefinitionNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    EnumValueNode,
    FieldDefinitionNode,
    InputObjectTypeDefinitionNode,
    InputValueDefinitionNode,
    InterfaceTypeDefinitionNode,
    ListValueNode,
    Node,
    ObjectTypeDefinitionNode,
    ObjectValueNode,
    ScalarTypeDefinitionNode,
    SchemaDefinitionNode,
    SchemaExtensionNode,
    StringValueNode,
    TypeDefinitionNode,
    UnionTypeDefinitionNode,
    ValueNode,
)

from router.composition.merged import (
    BASE_LINKS,
    EXECUTABLE_LOCATIONS,
    AppliedDirective,
    ContextArgument,
    Graph,
    JoinField,
    JoinType,
    MergedComposite,
    MergedDirectiveDefinition,
    MergedEnum,
    MergedEnumValue,
    MergedField,
    MergedInput,
    MergedInputType,
    MergedScalar,
    MergedType,
    MergedUnion,
    Supergraph,
)
from router.composition.reading.errors import unreadable
from router.composition.reading.vocabulary import SupergraphVocabulary, read_vocabulary
from router.composition.subgraph import ROOT_NAMES
from router.composition.type_refs import read_type_ref


@dataclass(frozen=True, slots=True)
class ReadSupergraph:
    """What a document says, and no more; *owners* maps an entity of join v0.1 to the graph that defines it."""

    supergraph: Supergraph
    join_version: tuple[int, int]
    owners: Mapping[str, str]


def read_document(document: DocumentNode) -> ReadSupergraph:
    """Read a supergraph's *document*.

    Raises:
        UnreadableSupergraphError: it is none, or speaks of a graph that it does not list.
    """
    schema_nodes = [
        node for node in document.definitions if isinstance(node, SchemaDefinitionNode | SchemaExtensionNode)
    ]
    vocabulary = read_vocabulary(schema_nodes)
    reader = _Reader(vocabulary, _read_graphs(document, vocabulary))
    schema_directives = tuple(
        reader.apply(directive)
        for node in schema_nodes
        for directive in node.directives or ()
        if directive.name.value not in vocabulary.linking
    )
    types: dict[str, MergedType] = {}
    directive_definitions: dict[str, MergedDirectiveDefinition] = {}
    for node in document.definitions:
        match node:
            case TypeDefinitionNode() if not vocabulary.owns_type(node.name.value):
                types[node.name.value] = reader.read_type(node)
            case DirectiveDefinitionNode() if not vocabulary.owns_directive(node.name.value):
                directive_definitions[node.name.value] = reader.read_directive_definition(node)
    supergraph = Supergraph(
        graphs=tuple(reader.graphs.values()),
        types=types,
        directive_definitions=directive_definitions,
        links=(*BASE_LINKS, *vocabulary.links(frozenset(reader.used))),
        roots=_read_roots(schema_nodes, types),
        schema_directives=schema_directives,
        spellings=vocabulary.spellings,
    )
    return ReadSupergraph(supergraph, vocabulary.join_version, reader.owners)


def _read_graphs(document: DocumentNode, vocabulary: SupergraphVocabulary) -> dict[str, Graph]:
    graphs: dict[str, Graph] = {}
    for node in document.definitions:
        if isinstance(node, EnumTypeDefinitionNode) and node.name.value == f"{vocabulary.join}__Graph":
            for value in node.values or ():
                graph = Graph(value.name.value, value.name.value, "")
                for directive in value.directives or ():
                    if directive.name.value == f"{vocabulary.join}__graph":
                        arguments = _Arguments(directive)
                        graph = Graph(graph.id, arguments.text("name") or graph.name, arguments.text("url") or "")
                graphs[graph.id] = graph
    return graphs


def _read_roots(
    schema_nodes: Iterable[SchemaDefinitionNode | SchemaExtensionNode], types: Mapping[str, MergedType]
) -> dict[str, str]:
    named = {
        operation.operation.value: operation.type.name.value
        for node in schema_nodes
        for operation in node.operation_types or ()
    }
    return named or {operation: name for operation, name in ROOT_NAMES.items() if name in types}


@dataclass(slots=True)
class _Reader:
    """Read definition by definition. Mutable on purpose: notes on the way who owns what and what is applied."""

    vocabulary: SupergraphVocabulary
    graphs: Mapping[str, Graph]
    owners: dict[str, str] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    meanings: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.meanings = {written: name for name, written in self.vocabulary.spellings.items()}

    def read_type(self, node: TypeDefinitionNode) -> MergedType:
        name, description = node.name.value, _description(node)
        directives, joins = self.split(node.directives)
        join_types = tuple(self.read_join_type(directive) for directive in joins["type"])
        for directive in joins["owner"]:
            self.owners[name] = self.graph_of(directive)
        match node:
            case ObjectTypeDefinitionNode() | InterfaceTypeDefinitionNode():
                return MergedComposite(
                    name,
                    isinstance(node, InterfaceTypeDefinitionNode),
                    description,
                    directives,
                    join_types,
                    tuple(each.name.value for each in node.interfaces or ()),
                    self.read_parts(joins["implements"], "interface"),
                    {each.name.value: self.read_field(each) for each in node.fields or ()},
                )
            case UnionTypeDefinitionNode():
                return MergedUnion(
                    name,
                    description,
                    directives,
                    join_types,
                    tuple(each.name.value for each in node.types or ()),
                    self.read_parts(joins["unionMember"], "member"),
                )
            case EnumTypeDefinitionNode():
                values: dict[str, MergedEnumValue] = {}
                for value in node.values or ():
                    applied, value_joins = self.split(value.directives)
                    values[value.name.value] = MergedEnumValue(
                        value.name.value,
                        _description(value),
                        applied,
                        tuple(self.graph_of(directive) for directive in value_joins["enumValue"]),
                    )
                return MergedEnum(name, description, directives, join_types, values)
            case InputObjectTypeDefinitionNode():
                fields = {each.name.value: self.read_input(each) for each in node.fields or ()}
                return MergedInputType(name, description, directives, join_types, fields)
            case ScalarTypeDefinitionNode():
                return MergedScalar(name, description, directives, join_types)
        raise AssertionError(f"not a type: {node.kind}")

    def read_field(self, node: FieldDefinitionNode) -> MergedField:
        directives, joins = self.split(node.directives)
        return MergedField(
            node.name.value,
            read_type_ref(node.type, _as_written),
            {each.name.value: self.read_input(each) for each in node.arguments or ()},
            _description(node),
            directives,
            tuple(self.read_join_field(directive) for directive in joins["field"]),
        )

    def read_input(self, node: InputValueDefinitionNode) -> MergedInput:
        directives, joins = self.split(node.directives)
        return MergedInput(
            node.name.value,
            read_type_ref(node.type, _as_written),
            node.default_value,
            _description(node),
            directives,
            tuple(self.read_join_field(directive) for directive in joins["field"]),
        )

    def read_directive_definition(self, node: DirectiveDefinitionNode) -> MergedDirectiveDefinition:
        locations = tuple(location.value for location in node.locations)
        return MergedDirectiveDefinition(
            node.name.value,
            {each.name.value: self.read_input(each) for each in node.arguments or ()},
            locations,
            node.repeatable,
            _description(node),
            executable=bool(EXECUTABLE_LOCATIONS & set(locations)),
        )

    def split(
        self, nodes: Sequence[ConstDirectiveNode] | None
    ) -> tuple[tuple[AppliedDirective, ...], dict[str, list[ConstDirectiveNode]]]:
        """Part the directives of an element: those that stay as they are, and the join directives by name."""
        joins: dict[str, list[ConstDirectiveNode]] = {name: [] for name in _JOIN_DIRECTIVES}
        applied: list[AppliedDirective] = []
        for node in nodes or ():
            prefix, _, name = node.name.value.partition("__")
            if prefix == self.vocabulary.join and name in joins:
                joins[name].append(node)
            else:
                applied.append(self.apply(node))
        return tuple(applied), joins

    def apply(self, node: ConstDirectiveNode) -> AppliedDirective:
        written = node.name.value
        name = self.meanings.get(written, written)
        if written == f"{self.vocabulary.join}__directive":
            name = "join__directive"
        self.used.add(name)
        return AppliedDirective(name, {each.name.value: each.value for each in node.arguments or ()})

    def read_join_type(self, node: ConstDirectiveNode) -> JoinType:
        arguments = _Arguments(node)
        return JoinType(
            self.graph_of(node),
            key=arguments.text("key"),
            extension=arguments.flag("extension") or False,
            resolvable=arguments.flag("resolvable"),
            is_interface_object=arguments.flag("isInterfaceObject") or False,
        )

    def read_join_field(self, node: ConstDirectiveNode) -> JoinField:
        arguments = _Arguments(node)
        return JoinField(
            self.graph_of(node) if "graph" in arguments.values else None,
            requires=arguments.text("requires"),
            provides=arguments.text("provides"),
            type=arguments.text("type"),
            external=arguments.flag("external") or False,
            override=arguments.text("override"),
            used_overridden=arguments.flag("usedOverridden") or False,
            override_label=arguments.text("overrideLabel"),
            context_arguments=tuple(_read_context_arguments(arguments.values.get("contextArguments"))),
        )

    def read_parts(self, nodes: Iterable[ConstDirectiveNode], argument: str) -> tuple[tuple[str, str], ...]:
        return tuple((self.graph_of(node), _Arguments(node).text(argument) or "") for node in nodes)

    def graph_of(self, node: ConstDirectiveNode) -> str:
        value = _Arguments(node).values.get("graph")
        if isinstance(value, EnumValueNode) and value.value in self.graphs:
            return value.value
        written = value.value if isinstance(value, EnumValueNode) else "no graph"
        raise unreadable(
            "UNKNOWN_GRAPH",
            f"@{node.name.value} names {written}, which the enum {self.vocabulary.join}__Graph does not list",
            node,
        )


_JOIN_DIRECTIVES = ("type", "field", "implements", "unionMember", "enumValue", "owner")


class _Arguments:
    """The arguments of a directive by the kind of value that is wanted; None is one that is not there."""

    __slots__ = ("values",)

    def __init__(self, node: ConstDirectiveNode) -> None:
        self.values: dict[str, ValueNode] = {argument.name.value: argument.value for argument in node.arguments or ()}

    def text(self, name: str) -> str | None:
        value = self.values.get(name)
        return value.value if isinstance(value, StringValueNode) else None

    def flag(self, name: str) -> bool | None:
        value = self.values.get(name)
        return value.value if isinstance(value, BooleanValueNode) else None


def _read_context_arguments(value: ValueNode | None) -> Iterable[ContextArgument]:
    for entry in value.values if isinstance(value, ListValueNode) else ():
        if isinstance(entry, ObjectValueNode):
            texts = {
                each.name.value: each.value.value for each in entry.fields if isinstance(each.value, StringValueNode)
            }
            yield ContextArgument(*(texts.get(name, "") for name in ("context", "name", "type", "selection")))


def _as_written(name: str) -> str:
    return name


def _description(node: Node) -> str | None:
    description = getattr(node, "description", None)
    return description.value if isinstance(description, StringValueNode) else None
