"""Why a text cannot be read as a supergraph."""

from graphql import Node


class UnreadableSupergraphError(ValueError):
    """The SDL is no supergraph, or one this composition does not know; *line* and *column* count from 1.

    *code* is INVALID_GRAPHQL, NOT_A_SUPERGRAPH, UNKNOWN_JOIN_VERSION or UNKNOWN_GRAPH.
    """

    def __init__(self, code: str, message: str, line: int = 1, column: int = 1) -> None:
        super().__init__(f"{message} (line {line}, column {column})")
        self.code = code
        self.line = line
        self.column = column


def unreadable(code: str, message: str, node: Node | None) -> UnreadableSupergraphError:
    """Return the error that points at *node*."""
    start = node.loc.start_token if node is not None and node.loc is not None else None
    return UnreadableSupergraphError(code, message, start.line if start else 1, start.column if start else 1)
