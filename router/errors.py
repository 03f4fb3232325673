"""Why the router refuses or fails a request, each cause with the code that clients read.

RouterError                     a request error: there is no `data` entry in the response
├── BadRequest                  BAD_REQUEST                     not a well-formed GraphQL request
│   ├── NotAcceptable           406: no media type that we can answer in
│   ├── MethodNotAllowed        405: the HTTP method, or a mutation over GET
│   ├── BodyTooLarge            413
│   ├── UnsupportedMediaType    415
│   └── CrossSiteRequest        400: a browser could have sent it from any page
├── Unauthenticated             UNAUTHENTICATED                 a token that is not valid, or a login is needed
├── Forbidden                   FORBIDDEN                       known, and not allowed
├── RateLimited                 RATE_LIMITED                    says when to come back
├── ParseFailed                 GRAPHQL_PARSE_FAILED
├── ValidationFailed            GRAPHQL_VALIDATION_FAILED
├── VariablesRefused            BAD_USER_INPUT
├── OperationNotResolved        OPERATION_RESOLUTION_FAILURE    which operation of the document is not clear
├── LimitExceeded               MAX_..._LIMIT, COST_ESTIMATED_TOO_EXPENSIVE
├── PersistedQueryNotSupported  PERSISTED_QUERY_NOT_SUPPORTED
├── NotReady                    SERVICE_UNAVAILABLE             no supergraph is loaded
└── InternalError               INTERNAL_SERVER_ERROR           anything unexpected; says nothing about itself

Whether a message may be read by clients is decided here: every RouterError's may, no other exception's.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from graphql import GraphQLError


class RouterError(Exception):
    """A request that is refused as a whole.

    *status* is the HTTP status where the response's media type lets it speak (`application/graphql-response+json`);
    with *is_http_error* it is also the status for clients of `application/json`, which otherwise get 200.
    """

    code: str = "INTERNAL_SERVER_ERROR"
    status: ClassVar[int] = 500
    is_http_error: ClassVar[bool] = False

    @property
    def headers(self) -> Mapping[str, str]:
        """Return the HTTP headers that the status requires."""
        return {}

    def to_graphql(self) -> list[dict[str, Any]]:
        """Return the entries of the response's `errors`."""
        return [{"message": str(self), "extensions": {"code": self.code}}]


class BadRequest(RouterError):
    """The HTTP request does not carry a well-formed GraphQL request."""

    code = "BAD_REQUEST"
    status = 400
    is_http_error = True


class NotAcceptable(BadRequest):
    """The client accepts none of the media types that we can answer in."""

    status = 406


class MethodNotAllowed(BadRequest):
    """The HTTP method is not one for this request; *allow* names those that are."""

    status = 405

    def __init__(self, message: str, *, allow: str) -> None:
        super().__init__(message)
        self._allow = allow

    @property
    def headers(self) -> Mapping[str, str]:
        """Return `Allow`, which RFC 9110 requires with 405."""
        return {"allow": self._allow}


class BodyTooLarge(BadRequest):
    """The body has more bytes than the limit."""

    status = 413


class UnsupportedMediaType(BadRequest):
    """The body is not `application/json` in UTF-8."""

    status = 415


class CrossSiteRequest(BadRequest):
    """Any web page could have made a visitor's browser send this request."""


class Unauthenticated(RouterError):
    """The token is not valid any more, or never was; *reason* is the `error` of RFC 6750."""

    code = "UNAUTHENTICATED"
    status = 401
    is_http_error = True

    def __init__(self, message: str, *, reason: str = "invalid_token") -> None:
        super().__init__(message)
        self._reason = reason

    @property
    def headers(self) -> Mapping[str, str]:
        """Return `WWW-Authenticate`, which RFC 9110 requires with 401."""
        description = str(self).replace('"', "'")
        return {"www-authenticate": f'Bearer error="{self._reason}", error_description="{description}"'}


class Forbidden(RouterError):
    """The caller is known, and may not do this."""

    code = "FORBIDDEN"
    status = 403
    is_http_error = True


class RateLimited(RouterError):
    """Too many requests; *retry_after_s* tells when the next one is allowed."""

    code = "RATE_LIMITED"
    status = 429
    is_http_error = True

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s

    @property
    def headers(self) -> Mapping[str, str]:
        """Return `Retry-After` in seconds."""
        return {"retry-after": str(self.retry_after_s)}


class _DocumentRefused(RouterError):
    """The GraphQL text is at fault, in one or several places."""

    status = 400

    def __init__(self, errors: Sequence[GraphQLError]) -> None:
        super().__init__(errors[0].message)
        self.errors = tuple(errors)

    def to_graphql(self) -> list[dict[str, Any]]:
        """Return one entry per fault, with its place in the document."""
        return [format_graphql_error(error, self.code) for error in self.errors]


class ParseFailed(_DocumentRefused):
    """The text is not GraphQL."""

    code = "GRAPHQL_PARSE_FAILED"


class ValidationFailed(_DocumentRefused):
    """The document does not fit the schema."""

    code = "GRAPHQL_VALIDATION_FAILED"


class VariablesRefused(RouterError):
    """The variables' values do not fit their types; *entries* are formatted for clients."""

    code = "BAD_USER_INPUT"
    status = 400

    def __init__(self, entries: Sequence[dict[str, Any]]) -> None:
        super().__init__(entries[0]["message"])
        self._entries = tuple(entries)

    def to_graphql(self) -> list[dict[str, Any]]:
        """Return one entry per value."""
        return list(self._entries)


class OperationNotResolved(RouterError):
    """`operationName` is missing where it is needed, or names no operation of the document."""

    code = "OPERATION_RESOLUTION_FAILURE"
    status = 400


class LimitExceeded(RouterError):
    """The operation asks for more than one operation may; *code* tells which limit."""

    status = 400

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


class PersistedQueryNotSupported(RouterError):
    """The request names a stored document; clients answer this one by sending the text."""

    code = "PERSISTED_QUERY_NOT_SUPPORTED"
    status = 400


class NotReady(RouterError):
    """No supergraph is loaded yet, or the router is going down."""

    code = "SERVICE_UNAVAILABLE"
    status = 503
    is_http_error = True


class InternalError(RouterError):
    """Something unexpected; the log has the rest, under the request id."""

    def __init__(self) -> None:
        super().__init__("Internal server error")


def format_graphql_error(error: GraphQLError, code: str) -> dict[str, Any]:
    """Return *error* as an entry of `errors`; *code* is used unless the error carries its own."""
    entry: dict[str, Any] = {"message": error.message}
    if error.locations:
        entry["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    if error.path is not None:
        entry["path"] = list(error.path)
    entry["extensions"] = {"code": code, **(error.extensions or {})}
    return entry
