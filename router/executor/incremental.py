"""The answer to an operation with `@defer`, in parts: what is there first, then each fragment when it is.

https://github.com/graphql/graphql-spec/pull/1110
"""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from graphql import (
    ExecutionResult as CoreResult,
)
from graphql import (
    GraphQLError,
    experimental_execute_incrementally,
)
from graphql.execution import (
    ExperimentalIncrementalExecutionResults,
    IncrementalDeferResult,
    InitialIncrementalExecutionResult,
    SubsequentIncrementalExecutionResult,
)

from router.executor.measures import Measures
from router.executor.prepared import PreparedOperation
from router.executor.resolving import AlreadyReported, Causes, FieldValues
from router.executor.shape import ShapeReader

_log = structlog.get_logger("router.executor")

# graphql-core's words for what it finds itself; every other exception there is a bug of ours
_NULL_OUT_OF_PLACE = "Cannot return null for non-nullable field"


@dataclass(frozen=True, slots=True)
class IncrementalResult:
    """An answer in parts, each a response map with `hasNext`; whoever takes it must exhaust or close *parts*.

    The first has `data`, `pending` and maybe `errors`, the later ones `incremental`, `completed` and `pending`.
    *measures* are there if they were asked for, and complete with the last part.
    """

    parts: AsyncGenerator[dict[str, Any], None]
    measures: Measures | None = None


class Delivery:
    """Divides one operation's answer into parts. Mutable on purpose: it goes along with the fetches.

    Args:
        prepared: the operation.
        merged: the response so far, which fetches still add to.
        variables: the client's.
        request_id: for the log.
        reader: reads what the client wants of objects, deferred or not.
    """

    def __init__(
        self,
        prepared: PreparedOperation,
        merged: dict[str, Any],
        variables: Mapping[str, Any],
        request_id: str,
        reader: ShapeReader,
    ) -> None:
        self._prepared = prepared
        self._merged = merged
        self._variables = variables
        self._request_id = request_id
        self._causes = Causes()
        #: Set as soon as the first part is made: errors of deferred fetches belong to later ones.
        self.has_begun = asyncio.Event()
        #: Set when a block's fetches are through, in the order of the plan's blocks.
        self.gates = tuple(asyncio.Event() for _ in prepared.blocks)
        gates: dict[tuple[str, ...], list[tuple[frozenset[str], asyncio.Event]]] = {}
        for block, gate in zip(prepared.blocks, self.gates, strict=True):
            for field in block.fields:
                gates.setdefault(field.path, []).append((field.type_names, gate))
        self._values = FieldValues(
            prepared.api_schema,
            self._causes,
            {path: tuple(found) for path, found in gates.items()},
            prepared.subgraphs_at,
            reader,
        )

    def report(self, errors: Iterable[dict[str, Any]]) -> None:
        """Take the errors of fetches that are through, before anything that waits for them goes on."""
        self._causes.add(errors)

    def begin(self) -> tuple[dict[str, Any], AsyncGenerator[dict[str, Any], None] | None]:
        """Return the first part, and the later ones; None when it is the whole answer."""
        result = experimental_execute_incrementally(
            self._prepared.api_schema,
            self._prepared.document,
            self._merged,
            variable_values=dict(self._variables),
            operation_name=self._prepared.operation.name.value if self._prepared.operation.name else None,
            field_resolver=self._values.resolve_field,
            type_resolver=self._values.resolve_type,
        )
        self.has_begun.set()
        # What the first part holds is in the merged data, so nothing of it has to be waited for
        assert isinstance(result, CoreResult | ExperimentalIncrementalExecutionResults)
        if isinstance(result, CoreResult):
            return self._format_whole(result), None
        return self._format_first(result.initial_result), self._later_parts(result)

    async def _later_parts(
        self, result: ExperimentalIncrementalExecutionResults
    ) -> AsyncGenerator[dict[str, Any], None]:
        try:
            async for part in result.subsequent_results:
                yield self._format_later(part)
        finally:
            await result.subsequent_results.aclose()

    def _format_whole(self, result: CoreResult | InitialIncrementalExecutionResult) -> dict[str, Any]:
        errors = self._format_errors(result.errors)
        return {**({"errors": errors} if errors else {}), "data": result.data}

    def _format_first(self, result: InitialIncrementalExecutionResult) -> dict[str, Any]:
        pending = [pending.formatted for pending in result.pending]
        return {**self._format_whole(result), "pending": pending, "hasNext": result.has_next}

    def _format_later(self, result: SubsequentIncrementalExecutionResult) -> dict[str, Any]:
        part: dict[str, Any] = {}
        if result.pending:
            part["pending"] = [pending.formatted for pending in result.pending]
        if result.incremental:
            part["incremental"] = incremental = []
            for one in result.incremental:
                assert isinstance(one, IncrementalDeferResult)
                entry: dict[str, Any] = {"id": one.id}
                if one.sub_path:
                    entry["subPath"] = one.sub_path
                errors = self._format_errors(one.errors)
                incremental.append({**entry, **({"errors": errors} if errors else {}), "data": one.data})
        if result.completed:
            part["completed"] = []
            for completed in result.completed:
                errors = self._format_errors(completed.errors, takes_stray=False)
                if completed.errors and not errors:
                    # Why it is not there was told before
                    errors = [{"message": "The fragment cannot be delivered.", "extensions": self._values.blame(())}]
                part["completed"].append({"id": completed.id, **({"errors": errors} if errors else {})})
        part["hasNext"] = result.has_next
        return part

    def _format_errors(
        self, errors: Iterable[GraphQLError] | None, *, takes_stray: bool = True
    ) -> list[dict[str, Any]]:
        formatted = [self._format_error(error) for error in errors or () if not isinstance(error, AlreadyReported)]
        if takes_stray and self._causes.stray:
            formatted += self._causes.stray
            self._causes.stray = []
        return formatted

    def _format_error(self, error: GraphQLError) -> dict[str, Any]:
        path = error.path or []
        if error.original_error is None:
            return {"message": error.message, "path": path, "extensions": error.extensions or {}}
        if error.message.startswith(_NULL_OUT_OF_PLACE):
            return {"message": error.message, "path": path, "extensions": self._values.blame(path)}
        _log.error("projection_raised", request_id=self._request_id, exc_info=error.original_error)
        extensions = {"code": "INTERNAL_SERVER_ERROR"}
        return {"message": "Internal server error", "path": path, "extensions": extensions}
