"""Read supergraph SDL: parse, find the machinery, then the subgraphs, then what each knows of every type."""

from dataclasses import dataclass

from graphql import (
    BooleanValueNode,
    DirectiveNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    EnumValueNode,
    FieldDefinitionNode,
    GraphQLError,
    GraphQLSyntaxError,
    InputObjectTypeDefinitionNode,
    InputValueDefinitionNode,
    InterfaceTypeDefinitionNode,
    ListValueNode,
    Node,
    ObjectTypeDefinitionNode,
    ObjectValueNode,
    OperationType,
    ScalarTypeDefinitionNode,
    SchemaDefinitionNode,
    SchemaExtensionNode,
    StringValueNode,
    TypeDefinitionNode,
    UnionTypeDefinitionNode,
    ValueNode,
    parse,
    parse_type,
    print_ast,
)

from router.supergraph.api_schema import build_api_schema
from router.supergraph.contexts import find_context_flaw
from router.supergraph.errors import SupergraphError, SupergraphErrorCode
from router.supergraph.field_set_check import find_field_set_problem
from router.supergraph.field_sets import InvalidFieldSet, parse_field_set
from router.supergraph.join_v01 import spread_value_types
from router.supergraph.links import Features, read_features
from router.supergraph.model import (
    ContextArgument,
    Field,
    FieldInSubgraph,
    FieldSet,
    InputValue,
    Key,
    Subgraph,
    Type,
    TypeInSubgraph,
    TypeKind,
)
from router.supergraph.supergraph import Supergraph
from router.supergraph.type_text import named_type

_KINDS: dict[type[TypeDefinitionNode], TypeKind] = {
    ScalarTypeDefinitionNode: TypeKind.SCALAR,
    ObjectTypeDefinitionNode: TypeKind.OBJECT,
    InterfaceTypeDefinitionNode: TypeKind.INTERFACE,
    UnionTypeDefinitionNode: TypeKind.UNION,
    EnumTypeDefinitionNode: TypeKind.ENUM,
    InputObjectTypeDefinitionNode: TypeKind.INPUT_OBJECT,
}


def read_supergraph(sdl: str) -> Supergraph:
    """Take supergraph SDL (join v0.1 to v0.5) and return what it says.

    Raises SupergraphError, with a code and where possible a place, for anything else.
    """
    try:
        document = parse(sdl)
    except GraphQLSyntaxError as error:
        place = error.locations[0] if error.locations else None
        raise SupergraphError(
            SupergraphErrorCode.SYNTAX,
            error.message,
            line=place.line if place else None,
            column=place.column if place else None,
        ) from None
    features = read_features(document)
    reader = _Reader(features, _read_subgraphs(document, features.prefix_of("join")))
    types = reader.read_types(document)
    roots = _read_roots(document)
    if OperationType.QUERY not in roots:
        raise SupergraphError(SupergraphErrorCode.NO_QUERY, "the supergraph has no query type")
    if features.join_version == "v0.1":
        types = spread_value_types(types, tuple(reader.subgraphs.values()), frozenset(roots.values()), reader.owners)
    try:
        api_schema = build_api_schema(document, features)
    except (GraphQLError, TypeError) as error:
        raise SupergraphError(SupergraphErrorCode.INVALID_SCHEMA, str(error)) from None
    return Supergraph(
        subgraphs=tuple(sorted(reader.subgraphs.values(), key=lambda subgraph: subgraph.name)),
        types=types,
        query_type=roots[OperationType.QUERY],
        mutation_type=roots.get(OperationType.MUTATION),
        subscription_type=roots.get(OperationType.SUBSCRIPTION),
        api_schema=api_schema,
    )


def _read_roots(document: DocumentNode) -> dict[OperationType, str]:
    roots: dict[OperationType, str] = {}
    defined = {
        definition.name.value for definition in document.definitions if isinstance(definition, ObjectTypeDefinitionNode)
    }
    has_definition = False
    for definition in document.definitions:
        if isinstance(definition, SchemaDefinitionNode | SchemaExtensionNode):
            has_definition = has_definition or isinstance(definition, SchemaDefinitionNode)
            for root in definition.operation_types or ():
                if root.type.name.value in defined:
                    roots[root.operation] = root.type.name.value
    if not has_definition:
        for operation in OperationType:
            if operation.value.capitalize() in defined:
                roots[operation] = operation.value.capitalize()
    return roots


def _read_subgraphs(document: DocumentNode, prefix: str) -> dict[str, Subgraph]:
    """Return the subgraphs by their enum value."""
    subgraphs: dict[str, Subgraph] = {}
    for definition in document.definitions:
        if isinstance(definition, EnumTypeDefinitionNode) and definition.name.value == f"{prefix}__Graph":
            for value in definition.values or ():
                for directive in value.directives or ():
                    if directive.name.value == f"{prefix}__graph":
                        arguments = _Arguments(directive)
                        name = arguments.text("name")
                        if not name:
                            raise _error(SupergraphErrorCode.INVALID_DIRECTIVE, "a subgraph has no name", directive)
                        if any(name == known.name for known in subgraphs.values()):
                            raise _error(
                                SupergraphErrorCode.DUPLICATE_SUBGRAPH, f"subgraph {name} stands twice", directive
                            )
                        subgraphs[value.name.value] = Subgraph(name, value.name.value, arguments.text("url") or "")
                if value.name.value not in subgraphs:
                    raise _error(
                        SupergraphErrorCode.INVALID_DIRECTIVE,
                        f"{value.name.value} of {prefix}__Graph has no @{prefix}__graph",
                        value,
                    )
    if not subgraphs:
        raise SupergraphError(SupergraphErrorCode.NO_SUBGRAPHS, "the supergraph names no subgraphs")
    return subgraphs


@dataclass(slots=True)
class _TypeDraft:
    """What one subgraph knows of a type, while its directives are being read; changes in place."""

    keys: list[Key]
    is_interface_object: bool = False
    is_extension: bool = False


class _Reader:
    """Reads type definitions; *owners* collects Federation 1's `@join__owner`."""

    def __init__(self, features: Features, subgraphs: dict[str, Subgraph]) -> None:
        self._features = features
        self._join = features.prefix_of("join")
        self._inaccessible = features.name_of_directive("inaccessible")
        self.subgraphs = subgraphs
        self.owners: dict[str, str] = {}
        self._context = features.name_of_directive("context")
        # Field sets and contexts can be checked when all types have been read.
        self._unchecked: list[tuple[str, FieldSet, str, DirectiveNode]] = []
        self._unchecked_contexts: list[tuple[str, ContextArgument, str, DirectiveNode]] = []

    def read_types(self, document: DocumentNode) -> dict[str, Type]:
        types: dict[str, Type] = {}
        for definition in document.definitions:
            if isinstance(definition, TypeDefinitionNode) and not self._features.owns_type(definition.name.value):
                name = definition.name.value
                if name in types:
                    raise _error(SupergraphErrorCode.INVALID_SCHEMA, f"type {name} is defined twice", definition)
                types[name] = self._read_type(name, definition)
        for type_name, field_set, subgraph, directive in self._unchecked:
            problem = find_field_set_problem(types, type_name, field_set, subgraph)
            if problem:
                raise _error(SupergraphErrorCode.INVALID_FIELD_SET, problem, directive)
        for coordinate, argument, subgraph, directive in self._unchecked_contexts:
            flaw = find_context_flaw(types, coordinate, argument, subgraph)
            if flaw:
                raise _error(flaw[0], flaw[1], directive)
        return types

    def _read_type(self, name: str, node: TypeDefinitionNode) -> Type:
        drafts = self._read_type_drafts(name, node)
        interfaces: tuple[str, ...] = ()
        members: tuple[str, ...] = ()
        values: tuple[str, ...] = ()
        fields: dict[str, Field] = {}
        here = tuple(drafts)
        if isinstance(node, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode | InputObjectTypeDefinitionNode):
            if not isinstance(node, InputObjectTypeDefinitionNode):
                interfaces = tuple(interface.name.value for interface in node.interfaces or ())
            for field in node.fields or ():
                fields[field.name.value] = self._read_field(name, field, here)
        elif isinstance(node, UnionTypeDefinitionNode):
            members = tuple(member.name.value for member in node.types or ())
        elif isinstance(node, EnumTypeDefinitionNode):
            values = tuple(value.name.value for value in node.values or ())
        return Type(
            name=name,
            kind=_KINDS[type(node)],
            fields=fields,
            interfaces=interfaces,
            members=members,
            values=values,
            is_inaccessible=self._is_inaccessible(node),
            subgraphs={
                subgraph: TypeInSubgraph(
                    subgraph=subgraph,
                    keys=tuple(draft.keys),
                    is_interface_object=draft.is_interface_object,
                    is_extension=draft.is_extension,
                    interfaces=self._parts_in(node, "implements", "interface", interfaces, subgraph),
                    members=self._parts_in(node, "unionMember", "member", members, subgraph),
                    values=self._values_in(node, subgraph),
                )
                for subgraph, draft in drafts.items()
            },
            contexts=self._contexts_of(node),
        )

    def _contexts_of(self, node: TypeDefinitionNode) -> tuple[str, ...]:
        """Return the contexts that a type sets."""
        found: list[str] = []
        for directive in node.directives or ():
            if directive.name.value == self._context:
                name = _Arguments(directive).text("name")
                if not name:
                    raise _error(SupergraphErrorCode.INVALID_DIRECTIVE, "a context has no name", directive)
                found.append(name)
        return tuple(found)

    def _read_type_drafts(self, name: str, node: TypeDefinitionNode) -> dict[str, _TypeDraft]:
        drafts: dict[str, _TypeDraft] = {}
        for directive in node.directives or ():
            if directive.name.value == f"{self._join}__owner":
                self.owners[name] = self._subgraph_of(directive)
            if directive.name.value != f"{self._join}__type":
                continue
            arguments = _Arguments(directive)
            subgraph = self._subgraph_of(directive)
            draft = drafts.setdefault(subgraph, _TypeDraft([]))
            key = self._field_set(arguments, "key")
            if key:
                self._unchecked.append((name, key, subgraph, directive))
                draft.keys.append(Key(key, resolvable=arguments.flag("resolvable", default=True)))
            draft.is_interface_object = draft.is_interface_object or arguments.flag("isInterfaceObject")
            draft.is_extension = draft.is_extension or arguments.flag("extension")
        return drafts

    def _read_field(
        self, type_name: str, node: FieldDefinitionNode | InputValueDefinitionNode, type_subgraphs: tuple[str, ...]
    ) -> Field:
        type_text = print_ast(node.type)
        joins = [directive for directive in node.directives or () if directive.name.value == f"{self._join}__field"]
        located: dict[str, FieldInSubgraph] = {}
        for directive in joins:
            arguments = _Arguments(directive)
            # Without a graph: the field is there by way of an interface object only, or (v0.1) it is its owner's.
            if arguments.enum("graph") is None:
                continue
            subgraph = self._subgraph_of(directive)
            requires, provides = self._field_set(arguments, "requires"), self._field_set(arguments, "provides")
            self._unchecked.append((type_name, requires, subgraph, directive))
            self._unchecked.append((named_type(type_text), provides, subgraph, directive))
            context_arguments = _read_context_arguments(arguments)
            for argument in context_arguments:
                self._unchecked_contexts.append((f"{type_name}.{node.name.value}", argument, subgraph, directive))
            located[subgraph] = FieldInSubgraph(
                subgraph=subgraph,
                type=arguments.text("type") or type_text,
                is_external=arguments.flag("external"),
                requires=requires,
                provides=provides,
                override=arguments.text("override"),
                override_label=arguments.text("overrideLabel"),
                is_used_overridden=arguments.flag("usedOverridden"),
                context_arguments=context_arguments,
            )
        if not joins and type_name not in self.owners:
            located = {subgraph: FieldInSubgraph(subgraph, type_text) for subgraph in type_subgraphs}
        if self._features.join_version == "v0.1" and not located and type_name in self.owners:
            owner = self.owners[type_name]
            located = {owner: FieldInSubgraph(owner, type_text)}
        return Field(
            name=node.name.value,
            type=type_text,
            arguments=tuple(
                InputValue(
                    argument.name.value,
                    print_ast(argument.type),
                    print_ast(argument.default_value) if argument.default_value else None,
                )
                for argument in (node.arguments or () if isinstance(node, FieldDefinitionNode) else ())
            ),
            default=print_ast(node.default_value)
            if isinstance(node, InputValueDefinitionNode) and node.default_value
            else None,
            is_inaccessible=self._is_inaccessible(node),
            subgraphs=located,
        )

    def _parts_in(
        self, node: TypeDefinitionNode, directive_name: str, argument: str, everywhere: tuple[str, ...], subgraph: str
    ) -> tuple[str, ...]:
        """Return those of a type's interfaces or members that it has in the subgraph.

        Before v0.2 (interfaces) and v0.3 (members) the SDL did not say, and they were the same in all subgraphs.
        """
        name = f"{self._join}__{directive_name}"
        since = {"implements": "v0.2", "unionMember": "v0.3"}[directive_name]
        if self._features.join_version < since:
            return everywhere
        parts: list[str] = []
        for directive in node.directives or ():
            if directive.name.value == name and self._subgraph_of(directive) == subgraph:
                part = _Arguments(directive).text(argument) or ""
                if part not in everywhere:
                    raise _error(
                        SupergraphErrorCode.UNKNOWN_TYPE,
                        f"@{name} names {part or 'nothing'}, which {node.name.value} does not",
                        directive,
                    )
                parts.append(part)
        return tuple(parts)

    def _values_in(self, node: TypeDefinitionNode, subgraph: str) -> tuple[str, ...]:
        if not isinstance(node, EnumTypeDefinitionNode):
            return ()
        name = f"{self._join}__enumValue"
        if self._features.join_version < "v0.3":
            return tuple(value.name.value for value in node.values or ())
        return tuple(
            value.name.value
            for value in node.values or ()
            if any(
                directive.name.value == name and self._subgraph_of(directive) == subgraph
                for directive in value.directives or ()
            )
        )

    def _is_inaccessible(self, node: TypeDefinitionNode | FieldDefinitionNode | InputValueDefinitionNode) -> bool:
        return any(directive.name.value == self._inaccessible for directive in node.directives or ())

    def _subgraph_of(self, directive: DirectiveNode) -> str:
        graph = _Arguments(directive).enum("graph")
        if graph is None or graph not in self.subgraphs:
            raise _error(
                SupergraphErrorCode.UNKNOWN_SUBGRAPH,
                f"@{directive.name.value} names {graph or 'no graph'}, which {self._join}__Graph does not have",
                directive,
            )
        return self.subgraphs[graph].name

    def _field_set(self, arguments: "_Arguments", name: str) -> FieldSet:
        text = arguments.text(name)
        if text is None or text == "":
            return ()
        try:
            return parse_field_set(text)
        except InvalidFieldSet as error:
            raise _error(
                SupergraphErrorCode.INVALID_FIELD_SET, f'{name}: "{text}": {error}', arguments.directive
            ) from None


class _Arguments:
    """A directive's arguments by kind of value."""

    def __init__(self, directive: DirectiveNode) -> None:
        self.directive = directive
        self._values: dict[str, ValueNode] = {
            argument.name.value: argument.value for argument in directive.arguments or ()
        }

    def text(self, name: str) -> str | None:
        value = self._values.get(name)
        return value.value if isinstance(value, StringValueNode) else None

    def enum(self, name: str) -> str | None:
        value = self._values.get(name)
        return value.value if isinstance(value, EnumValueNode) else None

    def flag(self, name: str, *, default: bool = False) -> bool:
        value = self._values.get(name)
        return value.value if isinstance(value, BooleanValueNode) else default

    def objects(self, name: str) -> tuple[ObjectValueNode, ...]:
        value = self._values.get(name)
        items = value.values if isinstance(value, ListValueNode) else ()
        return tuple(item for item in items if isinstance(item, ObjectValueNode))


def _read_context_arguments(arguments: _Arguments) -> tuple[ContextArgument, ...]:
    read: list[ContextArgument] = []
    for item in arguments.objects("contextArguments"):
        fields = {
            field.name.value: field.value.value for field in item.fields if isinstance(field.value, StringValueNode)
        }
        for name in ("name", "type", "context", "selection"):
            if not fields.get(name):
                raise _error(
                    SupergraphErrorCode.INVALID_DIRECTIVE,
                    f"an argument from a context has no {name}",
                    arguments.directive,
                )
        try:
            type_text = print_ast(parse_type(fields["type"]))
            selections = parse_field_set(fields["selection"])
        except (GraphQLSyntaxError, InvalidFieldSet) as error:
            raise _error(
                SupergraphErrorCode.INVALID_CONTEXT,
                f"argument {fields['name']!r} from context {fields['context']!r}: {_message_of(error)}",
                arguments.directive,
            ) from None
        read.append(ContextArgument(fields["name"], type_text, fields["context"], selections))
    return tuple(read)


def _message_of(error: GraphQLSyntaxError | InvalidFieldSet) -> str:
    return error.message if isinstance(error, GraphQLSyntaxError) else str(error)


def _error(code: SupergraphErrorCode, message: str, node: Node) -> SupergraphError:
    start = node.loc.start_token if node.loc else None
    return SupergraphError(code, message, line=start.line if start else None, column=start.column if start else None)
