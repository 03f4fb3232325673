"""The API schema: what clients may know of a supergraph."""

from functools import lru_cache
from typing import Any

from graphql import (
    ConstDirectiveNode,
    DefinitionNode,
    DirectiveDefinitionNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    FieldDefinitionNode,
    GraphQLDeferDirective,
    GraphQLSchema,
    InputObjectTypeDefinitionNode,
    InputValueDefinitionNode,
    InterfaceTypeDefinitionNode,
    ListTypeNode,
    NamedTypeNode,
    NonNullTypeNode,
    ObjectTypeDefinitionNode,
    ScalarTypeDefinitionNode,
    SchemaDefinitionNode,
    TypeDefinitionNode,
    TypeNode,
    UnionTypeDefinitionNode,
    build_ast_schema,
    validate_schema,
)

from router.supergraph.links import Features

_STANDARD_DIRECTIVES = frozenset({"deprecated", "specifiedBy", "oneOf"})
_EXECUTABLE_LOCATIONS = frozenset(
    {
        "QUERY",
        "MUTATION",
        "SUBSCRIPTION",
        "FIELD",
        "FRAGMENT_DEFINITION",
        "FRAGMENT_SPREAD",
        "INLINE_FRAGMENT",
        "VARIABLE_DEFINITION",
    }
)


def build_api_schema(document: DocumentNode, features: Features) -> GraphQLSchema:
    """Take a supergraph's document and return the schema without machinery and without what is `@inaccessible`.

    Raises GraphQLError or TypeError when what remains is no valid schema.
    """
    stripper = _Stripper(document, features)
    schema = build_ast_schema(DocumentNode(definitions=stripper.strip()))
    problems = validate_schema(schema)
    if problems:
        raise TypeError("; ".join(problem.message for problem in problems))
    return schema


@lru_cache(maxsize=16)
def with_defer(api_schema: GraphQLSchema) -> GraphQLSchema:
    """Return the API schema with `@defer`: what clients may write, and read by introspection.

    The router obeys it whatever subgraphs know. It is a schema of its own, because graphql-core's plain `execute`
    refuses one that has the directive.
    """
    others = (directive for directive in api_schema.directives if directive.name != GraphQLDeferDirective.name)
    arguments: Any = {**api_schema.to_kwargs(), "directives": (*others, GraphQLDeferDirective)}
    return GraphQLSchema(**arguments)


class _Stripper:
    def __init__(self, document: DocumentNode, features: Features) -> None:
        self._document = document
        self._features = features
        self._inaccessible = features.name_of_directive("inaccessible")
        self._hidden = frozenset(
            definition.name.value
            for definition in document.definitions
            if isinstance(definition, TypeDefinitionNode)
            and (features.owns_type(definition.name.value) or self._is_inaccessible(definition.directives))
        )

    def strip(self) -> tuple[DefinitionNode, ...]:
        """Return the definitions that remain.

        A type may lose all its fields and then has to go too, so that hiding is repeated until nothing changes.
        """
        while True:
            kept = tuple(kept for node in self._document.definitions if (kept := self._strip_definition(node)))
            emptied = frozenset(
                node.name.value
                for node in kept
                if (
                    isinstance(
                        node, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode | InputObjectTypeDefinitionNode
                    )
                    and not node.fields
                )
                or (isinstance(node, UnionTypeDefinitionNode) and not node.types)
                or (isinstance(node, EnumTypeDefinitionNode) and not node.values)
            )
            if not emptied:
                return kept
            self._hidden |= emptied

    def _strip_definition(self, node: DefinitionNode) -> DefinitionNode | None:
        match node:
            case SchemaDefinitionNode():
                return SchemaDefinitionNode(
                    description=node.description,
                    directives=(),
                    operation_types=tuple(
                        root for root in node.operation_types or () if root.type.name.value not in self._hidden
                    ),
                )
            case DirectiveDefinitionNode():
                executable = tuple(name for name in node.locations if name.value in _EXECUTABLE_LOCATIONS)
                if self._features.owns_directive(node.name.value) or not executable:
                    return None
                return DirectiveDefinitionNode(
                    description=node.description,
                    name=node.name,
                    arguments=self._strip_inputs(node.arguments),
                    repeatable=node.repeatable,
                    locations=executable,
                )
            case TypeDefinitionNode() if node.name.value in self._hidden:
                return None
            case ObjectTypeDefinitionNode() | InterfaceTypeDefinitionNode():
                return type(node)(
                    description=node.description,
                    name=node.name,
                    directives=self._strip_directives(node.directives),
                    interfaces=self._strip_names(node.interfaces),
                    fields=self._strip_fields(node.fields),
                )
            case InputObjectTypeDefinitionNode():
                return InputObjectTypeDefinitionNode(
                    description=node.description,
                    name=node.name,
                    directives=self._strip_directives(node.directives),
                    fields=self._strip_inputs(node.fields),
                )
            case UnionTypeDefinitionNode():
                return UnionTypeDefinitionNode(
                    description=node.description,
                    name=node.name,
                    directives=self._strip_directives(node.directives),
                    types=self._strip_names(node.types),
                )
            case EnumTypeDefinitionNode():
                return EnumTypeDefinitionNode(
                    description=node.description,
                    name=node.name,
                    directives=self._strip_directives(node.directives),
                    values=tuple(
                        type(value)(
                            description=value.description,
                            name=value.name,
                            directives=self._strip_directives(value.directives),
                        )
                        for value in node.values or ()
                        if not self._is_inaccessible(value.directives)
                    ),
                )
            case ScalarTypeDefinitionNode():
                return ScalarTypeDefinitionNode(
                    description=node.description,
                    name=node.name,
                    directives=self._strip_directives(node.directives),
                )
            case _:
                return None

    def _strip_fields(self, fields: tuple[FieldDefinitionNode, ...] | None) -> tuple[FieldDefinitionNode, ...]:
        return tuple(
            FieldDefinitionNode(
                description=field.description,
                name=field.name,
                directives=self._strip_directives(field.directives),
                arguments=self._strip_inputs(field.arguments),
                type=field.type,
            )
            for field in fields or ()
            if not self._is_inaccessible(field.directives) and _named(field.type) not in self._hidden
        )

    def _strip_inputs(
        self, inputs: tuple[InputValueDefinitionNode, ...] | None
    ) -> tuple[InputValueDefinitionNode, ...]:
        return tuple(
            InputValueDefinitionNode(
                description=value.description,
                name=value.name,
                directives=self._strip_directives(value.directives),
                type=value.type,
                default_value=value.default_value,
            )
            for value in inputs or ()
            if not self._is_inaccessible(value.directives) and _named(value.type) not in self._hidden
        )

    def _strip_names(self, names: tuple[NamedTypeNode, ...] | None) -> tuple[NamedTypeNode, ...]:
        return tuple(name for name in names or () if name.name.value not in self._hidden)

    def _strip_directives(self, directives: tuple[ConstDirectiveNode, ...] | None) -> tuple[ConstDirectiveNode, ...]:
        return tuple(directive for directive in directives or () if directive.name.value in _STANDARD_DIRECTIVES)

    def _is_inaccessible(self, directives: tuple[ConstDirectiveNode, ...] | None) -> bool:
        return any(directive.name.value == self._inaccessible for directive in directives or ())


def _named(node: TypeNode) -> str:
    while isinstance(node, ListTypeNode | NonNullTypeNode):
        node = node.type
    assert isinstance(node, NamedTypeNode)
    return node.name.value
