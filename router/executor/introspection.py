"""Answering `__schema` and `__type` from the API schema; no subgraph is asked."""

from collections.abc import Mapping
from typing import Any, cast

import msgspec
from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLSchema,
    NameNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    Visitor,
    experimental_execute_incrementally,
    visit,
)

from router.executor.shape import INTROSPECTION_FIELDS, ObjectShape
from router.supergraph.api_schema import with_defer


class IntrospectionQuery:
    """The introspection part of one operation. Remembers its answer when that depends on no variable."""

    def __init__(self, api_schema: GraphQLSchema, document: DocumentNode) -> None:
        self._api_schema = api_schema
        self._document = document
        self._uses_variables = _uses_variables(document)
        self._answer: bytes | None = None

    def answer(self, variables: Mapping[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Return the introspection fields by response key, in dicts that the caller owns, and the errors."""
        if self._answer is not None:
            return cast("dict[str, Any]", msgspec.json.decode(self._answer)), []
        # The plain `execute` refuses a schema with @defer, even where no operation uses it
        result = experimental_execute_incrementally(
            with_defer(self._api_schema), self._document, variable_values=dict(variables)
        )
        assert isinstance(result, ExecutionResult)  # introspection has no awaitable and no @defer
        errors: list[dict[str, Any]] = [
            {"message": error.message, "path": list(error.path or ()), "extensions": {"code": "INTERNAL_SERVER_ERROR"}}
            for error in result.errors or ()
        ]
        fields = dict(result.data or {})
        if not self._uses_variables and not errors:
            self._answer = msgspec.json.encode(fields)
        return fields, errors


def read_introspection(
    api_schema: GraphQLSchema,
    operation: OperationDefinitionNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    root: ObjectShape,
) -> IntrospectionQuery | None:
    """Return the part of *operation* that asks about the schema, or None when there is none."""
    nodes: list[FieldNode] = [
        node for field in root.fields if field.name in INTROSPECTION_FIELDS for node in field.nodes
    ]
    if not nodes:
        return None
    query = OperationDefinitionNode(
        operation=OperationType.QUERY,
        name=NameNode(value="Introspection"),
        variable_definitions=operation.variable_definitions,
        directives=(),
        selection_set=SelectionSetNode(selections=tuple(nodes)),
    )
    return IntrospectionQuery(api_schema, DocumentNode(definitions=(query, *fragments.values())))


def _uses_variables(document: DocumentNode) -> bool:
    found = False

    class Variables(Visitor):
        def enter_variable_definition(self, *_: Any) -> Any:
            return False  # declared is not used

        def enter_variable(self, *_: Any) -> None:
            nonlocal found
            found = True

    visit(document, Variables())
    return found
