"""A plan's requests, whatever kind of node they come from, as a picture shows them."""

from dataclasses import dataclass

from graphql import FieldNode, OperationDefinitionNode, SelectionNode, SelectionSetNode, parse

from router.planner.plan import (
    AT_ANY_TIME,
    Alternatives,
    BatchFetch,
    ContextVariable,
    EntityTarget,
    Fetch,
    Flatten,
    OperationKind,
    ResponsePath,
)


@dataclass(frozen=True, slots=True)
class Part:
    """What a request asks of the objects at *paths*; none means the root.

    *targets* are empty where no entities are asked for; *condition* is the part's own, empty for always. *contexts* are
    the variables that come from objects above.
    """

    paths: tuple[ResponsePath, ...]
    targets: tuple[EntityTarget, ...]
    asked: tuple[SelectionNode, ...]
    condition: str = ""
    contexts: tuple[ContextVariable, ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """One request to one subgraph; *conditions* are those under which it is made (`if $p`), outermost first."""

    subgraph: str
    kind: OperationKind
    document: str
    conditions: tuple[str, ...]
    parts: tuple[Part, ...]


def read_request(node: Fetch | Flatten | BatchFetch, conditions: tuple[str, ...] = ()) -> Request:
    """Return the one request that a node of a plan makes."""
    match node:
        case Fetch():
            return _read_fetch(node, (), conditions)
        case Flatten(path, fetch):
            return _read_fetch(fetch, (path,), conditions)
        case BatchFetch(subgraph, document):
            asked = {_response_key(field): _selections(field.selection_set) for field in _root_fields(document)}
            parts = tuple(
                Part(part.paths, part.targets, asked[part.answer_key], _print_condition(part.runs_if), part.contexts)
                for part in node.parts
            )
            return Request(subgraph, OperationKind.QUERY, document, conditions, parts)


def _read_fetch(fetch: Fetch, paths: tuple[ResponsePath, ...], conditions: tuple[str, ...]) -> Request:
    if fetch.targets:
        [entities] = _root_fields(fetch.document)
        asked = _selections(entities.selection_set)
    else:
        asked = _selections(_operation(fetch.document).selection_set)
    part = Part(paths, fetch.targets, asked, contexts=fetch.contexts)
    return Request(fetch.subgraph, fetch.kind, fetch.document, conditions, (part,))


def _operation(document: str) -> OperationDefinitionNode:
    definition = parse(document).definitions[0]
    assert isinstance(definition, OperationDefinitionNode)
    return definition


def _root_fields(document: str) -> list[FieldNode]:
    return [node for node in _operation(document).selection_set.selections if isinstance(node, FieldNode)]


def _selections(selection_set: SelectionSetNode | None) -> tuple[SelectionNode, ...]:
    return tuple(selection_set.selections) if selection_set else ()


def _response_key(field: FieldNode) -> str:
    return field.alias.value if field.alias else field.name.value


def _print_condition(alternatives: Alternatives) -> str:
    """Return `if $p & !$q | $r`, spelled as in the plan's text; nothing for always."""
    if alternatives == AT_ANY_TIME:
        return ""
    return "if " + " | ".join(
        " & ".join(f"${variable}" if value else f"!${variable}" for variable, value in alternative)
        for alternative in alternatives
    )
