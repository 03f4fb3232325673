"""What an operation came to."""

from dataclasses import dataclass, field
from typing import Any

import msgspec

from router.executor.measures import Measures


@dataclass(frozen=True, slots=True)
class ExecutionResult:
    """The answer to one operation, or to one event of a subscription.

    *errors* are formatted as in a response (`message`, `path`, `extensions`). *executed* is False for a request error,
    such as a variable of the wrong type: nothing was asked of any subgraph. The receiver owns everything in it.
    *encoded* is set instead of *data* where that is very large and was never made. *measures* are there if they were
    asked for.
    """

    data: dict[str, Any] | None
    errors: list[dict[str, Any]] = field(default_factory=list)
    extensions: dict[str, Any] = field(default_factory=dict)
    executed: bool = True
    encoded: msgspec.Raw | None = None
    measures: Measures | None = None

    def to_response(self) -> dict[str, Any]:
        """Return the response map, errors first, without the entries that are empty.

        A request error has no `data` entry at all: https://spec.graphql.org/draft/#sec-Response-Format
        """
        response: dict[str, Any] = {}
        if self.errors:
            response["errors"] = self.errors
        if self.executed:
            response["data"] = self.data if self.encoded is None else self.encoded
        if self.extensions:
            response["extensions"] = self.extensions
        return response
