"""Which uses of `@defer` count for one request: decided before planning, so that plans know no condition of theirs."""

from collections.abc import Mapping
from typing import Any

from graphql import (
    REMOVE,
    BooleanValueNode,
    DirectiveNode,
    DocumentNode,
    OperationDefinitionNode,
    VariableNode,
    Visitor,
    visit,
)


def find_defers(document: DocumentNode) -> frozenset[str] | None:
    """Return the variables that decide about uses of `@defer`; None for a document that has none."""
    variables: set[str] = set()
    found = False

    class Defers(Visitor):
        def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
            nonlocal found
            if node.name.value == "defer":
                found = True
                condition = _condition_of(node)
                if isinstance(condition, VariableNode):
                    variables.add(condition.name.value)

    visit(document, Defers())
    return frozenset(variables) if found else None


def true_variables(
    names: frozenset[str], operation: OperationDefinitionNode, variables: Mapping[str, Any]
) -> frozenset[str]:
    """Return those of the Boolean variables *names* that are true in a request, maybe by their default."""
    defaults = {
        definition.variable.name.value: isinstance(definition.default_value, BooleanValueNode)
        and definition.default_value.value
        for definition in operation.variable_definitions or ()
    }
    return frozenset(name for name in names if variables.get(name, defaults.get(name)) is True)


def decide_defers(document: DocumentNode, holding: frozenset[str] | None) -> DocumentNode:
    """Return *document* with unconditional uses of `@defer` only.

    Kept are those whose condition is one of the variables *holding*, or that have none; None keeps no use at all.
    """

    class Deciding(Visitor):
        def enter_directive(self, node: DirectiveNode, *_: Any) -> Any:
            if node.name.value != "defer":
                return None
            condition = _condition_of(node)
            match condition:
                case _ if holding is None:
                    return REMOVE
                case BooleanValueNode(value=False):
                    return REMOVE
                case VariableNode(name=name) if name.value not in holding:
                    return REMOVE
            kept = tuple(argument for argument in node.arguments or () if argument.name.value != "if")
            return DirectiveNode(name=node.name, arguments=kept)

    decided: DocumentNode = visit(document, Deciding())
    return decided


def _condition_of(directive: DirectiveNode) -> Any:
    return next((argument.value for argument in directive.arguments or () if argument.name.value == "if"), None)
