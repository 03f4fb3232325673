"""What can be wrong with supergraph SDL, as codes that an operator can search for."""

from enum import StrEnum


class SupergraphErrorCode(StrEnum):
    """Why a supergraph is refused."""

    SYNTAX = "SUPERGRAPH_SYNTAX"
    INVALID_SCHEMA = "SUPERGRAPH_INVALID_SCHEMA"
    NO_JOIN_SPEC = "SUPERGRAPH_NO_JOIN_SPEC"
    UNSUPPORTED_VERSION = "SUPERGRAPH_UNSUPPORTED_VERSION"
    UNSUPPORTED_FEATURE = "SUPERGRAPH_UNSUPPORTED_FEATURE"
    NO_SUBGRAPHS = "SUPERGRAPH_NO_SUBGRAPHS"
    DUPLICATE_SUBGRAPH = "SUPERGRAPH_DUPLICATE_SUBGRAPH"
    UNKNOWN_SUBGRAPH = "SUPERGRAPH_UNKNOWN_SUBGRAPH"
    UNKNOWN_TYPE = "SUPERGRAPH_UNKNOWN_TYPE"
    INVALID_DIRECTIVE = "SUPERGRAPH_INVALID_DIRECTIVE"
    INVALID_FIELD_SET = "SUPERGRAPH_INVALID_FIELD_SET"
    UNKNOWN_CONTEXT = "SUPERGRAPH_UNKNOWN_CONTEXT"
    INVALID_CONTEXT = "SUPERGRAPH_INVALID_CONTEXT"
    NO_QUERY = "SUPERGRAPH_NO_QUERY"


class SupergraphError(Exception):
    """The text is not a supergraph that the router can serve.

    *line* and *column* count from 1 and point into the SDL; None where the fault has no single place.
    """

    def __init__(
        self, code: SupergraphErrorCode, message: str, *, line: int | None = None, column: int | None = None
    ) -> None:
        place = f" (line {line}, column {column})" if line is not None else ""
        super().__init__(f"{code.value}: {message}{place}")
        self.code = code.value
        self.message = message
        self.line = line
        self.column = column
