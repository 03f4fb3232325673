"""What is to be planned: a supergraph and one valid operation on it, from whatever the command line names."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from graphql import DocumentNode, GraphQLError, OperationDefinitionNode, parse, validate

from core.errors import PasarError
from pasar.composing import compose_schemas, own_schemas
from router.errors import OperationNotResolved, ParseFailed, ValidationFailed
from router.limits import select_operation
from router.supergraph import Supergraph, SupergraphError, read_supergraph
from router.supergraph.api_schema import with_defer

STDIN = "-"

# All that graphql-core's validation says of such a document
_NESTED_TOO_DEEPLY = "Validation aborted."


class PlanRefused(PasarError):
    """Nothing can be planned; *code* is that of the stage that refused."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Question:
    """One operation of *document*, valid for the supergraph's API schema, and the override labels that are active."""

    supergraph: Supergraph
    document: DocumentNode
    operation: OperationDefinitionNode
    labels: frozenset[str] = frozenset()

    @property
    def operation_name(self) -> str | None:
        """Return the operation's name."""
        return self.operation.name.value if self.operation.name is not None else None


def read_question(
    query: str, supergraph_file: Path | None, operation_name: str | None, labels: Sequence[str]
) -> Question:
    """Read what the command line names; *query* is a file, `-` for standard input, or the document itself.

    None for *supergraph_file* means the store's own. Raises PlanRefused for whatever is unusable.
    """
    text = read_query(query)
    # The document first: composing the store's own graph takes seconds
    document = parse_query(text)
    return ask(load_supergraph(supergraph_file), document, operation_name, labels)


def ask(
    supergraph: Supergraph, document: DocumentNode, operation_name: str | None = None, labels: Sequence[str] = ()
) -> Question:
    """Return the question after checking it; raise PlanRefused when no such operation is valid for the API schema."""
    try:
        operation = select_operation(document, operation_name)
    except OperationNotResolved as error:
        raise PlanRefused(error.code, _name_operations(str(error), document)) from None
    errors = validate(with_defer(supergraph.api_schema), document)
    if errors and errors[-1].message == _NESTED_TOO_DEEPLY:
        raise PlanRefused(ValidationFailed.code, "the document is nested too deeply")
    if errors:
        raise PlanRefused(ValidationFailed.code, format_graphql_errors(errors))
    known = known_labels(supergraph)
    for label in labels:
        # A label that nothing asks about changes nothing: most likely a slip of the pen
        if label not in known:
            have = ", ".join(sorted(known)) or "none"
            raise PlanRefused(
                "UNKNOWN_LABEL", f"no @override of the supergraph has the label {label!r}; it has: {have}"
            )
    return Question(supergraph, document, operation, frozenset(labels))


def read_query(query: str) -> str:
    """Return the text of a document named by a file, by `-`, or given itself."""
    try:
        if query == STDIN:
            return sys.stdin.buffer.read().decode("utf-8")
        # os.path.isfile says False for what cannot be a file's name, such as a long document
        if os.path.isfile(query):
            return Path(query).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        where = "standard input" if query == STDIN else query
        raise PlanRefused("QUERY_UNREADABLE", f"{where} cannot be read: {_reason(error)}") from None
    if "{" not in query:
        raise PlanRefused("QUERY_UNREADABLE", f"{query!r} is neither a file nor a GraphQL document")
    return query


def parse_query(text: str) -> DocumentNode:
    """Parse *text* by the grammar that the router serves."""
    try:
        return parse(text, allow_empty_selection_sets=False)
    except GraphQLError as error:
        raise PlanRefused(ParseFailed.code, format_graphql_errors([error])) from None


def load_supergraph(file: Path | None) -> Supergraph:
    """Read the supergraph in *file*, or compose the store's own."""
    if file is None:
        return read_supergraph(compose_schemas(own_schemas()).supergraph_sdl)
    try:
        return read_supergraph(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise PlanRefused("SUPERGRAPH_UNREADABLE", f"{file} cannot be read: {_reason(error)}") from None
    except SupergraphError as error:
        place = f"{file}:{error.line}:{error.column}" if error.line is not None else f"{file}"
        raise PlanRefused(error.code, f"{place}: {error.message}") from None


def known_labels(supergraph: Supergraph) -> frozenset[str]:
    """Return the labels of the supergraph's progressive overrides."""
    return frozenset(
        here.override_label
        for type_ in supergraph.types.values()
        for field in type_.fields.values()
        for here in field.subgraphs.values()
        if here.override_label is not None
    )


def format_graphql_errors(errors: Sequence[GraphQLError]) -> str:
    """Return `line 1, column 3: message`, a line each."""
    lines: list[str] = []
    for error in errors:
        place = error.locations[0] if error.locations else None
        lines.append(f"line {place.line}, column {place.column}: {error.message}" if place else error.message)
    return "\n".join(lines)


def _name_operations(message: str, document: DocumentNode) -> str:
    names = [
        node.name.value for node in document.definitions if isinstance(node, OperationDefinitionNode) and node.name
    ]
    return f"{message}; --operation can be: {', '.join(names)}" if names else message


def _reason(error: OSError | UnicodeDecodeError) -> str:
    return "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else error.strerror or str(error)
