"""The errors of one operation, formatted for the client as they are found."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

FieldPath: TypeAlias = tuple[str | int, ...]

DOWNSTREAM_SERVICE_ERROR = "DOWNSTREAM_SERVICE_ERROR"
SUBREQUEST_MALFORMED_RESPONSE = "SUBREQUEST_MALFORMED_RESPONSE"

#: Entries of a subgraph error's `extensions` that show its inside.
_INTERNAL_EXTENSIONS = frozenset({"exception", "stacktrace", "stackTrace", "trace", "debug", "debugMessage"})


class Reports:
    """Collects errors. Mutable on purpose: one lives as long as one operation.

    *subgraphs_at* names the subgraphs that answer for a place in the response, given its response keys.
    """

    def __init__(self, subgraphs_at: Callable[[tuple[str, ...]], tuple[str, ...]]) -> None:
        self._subgraphs_at = subgraphs_at
        self._errors: list[tuple[int, dict[str, Any]]] = []
        self._exact: set[FieldPath] = set()
        self._covered: set[FieldPath] = set()

    def __bool__(self) -> bool:
        return bool(self._errors)

    def add_failure(
        self, order: int, subgraph: str, code: str, message: str, paths: Iterable[FieldPath | None]
    ) -> None:
        """Report once per path that *subgraph* gave no usable answer; *message* is fit for clients."""
        for path in paths:
            error: dict[str, Any] = {"message": message}
            if path is not None:
                error["path"] = list(path)
            error["extensions"] = {"code": code, "serviceName": subgraph}
            self._add(order, error, path)

    def add_subgraph_error(self, order: int, subgraph: str, error: Mapping[str, Any], path: FieldPath | None) -> None:
        """Report an error that *subgraph* answered with, at *path* of the client's response.

        Its message and code are the subgraph's; its locations, which point into the router's document, and what shows
        the subgraph's inside are left out.
        """
        given = error.get("extensions")
        extensions = {
            key: value
            for key, value in (given.items() if isinstance(given, Mapping) else ())
            if key not in _INTERNAL_EXTENSIONS
        }
        if not isinstance(extensions.get("code"), str):
            extensions["code"] = DOWNSTREAM_SERVICE_ERROR
        extensions["serviceName"] = subgraph
        message = error.get("message")
        formatted: dict[str, Any] = {"message": message if isinstance(message, str) else "Unknown error"}
        if path is not None:
            formatted["path"] = list(path)
        formatted["extensions"] = extensions
        self._add(order, formatted, path)

    def add_internal_error(self) -> None:
        """Report that something is wrong with the router itself, wherever it leaves nulls."""
        self._add(_LAST, {"message": "Internal server error", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}, None)

    def add_out_of_place(self, path: FieldPath, message: str) -> None:
        """Report a value that cannot stand at *path*, unless an error explains already why nothing is there.

        That is an error at *path*, below it (a null that came up from there) or above it (a failed request).
        """
        if path in self._covered or any(path[:length] in self._exact for length in range(1, len(path))):
            return
        subgraphs = self._subgraphs_at(tuple(key for key in path if isinstance(key, str)))
        extensions = {"code": SUBREQUEST_MALFORMED_RESPONSE}
        if subgraphs:
            extensions["serviceName"] = ", ".join(subgraphs)
        # after all subgraph errors: projection comes last
        self._add(_LAST, {"message": message, "path": list(path), "extensions": extensions}, path)

    def formatted(self) -> list[dict[str, Any]]:
        """Return all errors in the order of the plan, whichever request came back first."""
        return [error for _, error in sorted(self._errors, key=_order)]

    def _add(self, order: int, error: dict[str, Any], path: FieldPath | None) -> None:
        self._errors.append((order, error))
        if path is not None:
            self._exact.add(path)
            self._covered.update(path[:length] for length in range(1, len(path) + 1))


_LAST = 1 << 30


def _order(entry: tuple[int, dict[str, Any]]) -> int:
    return entry[0]
