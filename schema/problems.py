"""Problems: outcomes of a mutation that a client must handle, as members of its result union.

Who is not logged in or not allowed gets a top-level error instead: no form can mend that.
"""

from typing import Any

import strawberry

from core.errors import BadUserInput, Conflict, NotFound


@strawberry.interface(description="An outcome that the client must handle.")
class Problem:
    """What every problem tells."""

    code: str = strawberry.field(description="Stable and for machines, such as NOT_FOUND.")
    message: str = strawberry.field(description="A sentence for people.")


@strawberry.federation.type(shareable=True, description="There is no such thing, or it is not yours.")
class NotFoundProblem(Problem):
    """NotFound as a result."""


@strawberry.federation.type(shareable=True, description="A value was refused.")
class InvalidInputProblem(Problem):
    """BadUserInput as a result."""

    field: str | None = strawberry.field(description="Path of the value in the input, such as lines.0.quantity.")


@strawberry.federation.type(shareable=True, description="The present state does not allow it.")
class ConflictProblem(Problem):
    """Conflict as a result."""


class _NotFoundHandler(strawberry.ExceptionHandler[NotFound, NotFoundProblem]):
    def handle(self, exception: NotFound, *, field: Any, info: Any) -> NotFoundProblem:
        return NotFoundProblem(code=exception.code, message=exception.message)


class _BadUserInputHandler(strawberry.ExceptionHandler[BadUserInput, InvalidInputProblem]):
    def handle(self, exception: BadUserInput, *, field: Any, info: Any) -> InvalidInputProblem:
        return InvalidInputProblem(code=exception.code, message=exception.message, field=exception.field)


class _ConflictHandler(strawberry.ExceptionHandler[Conflict, ConflictProblem]):
    def handle(self, exception: Conflict, *, field: Any, info: Any) -> ConflictProblem:
        return ConflictProblem(code=exception.code, message=exception.message)


PROBLEM_HANDLERS: tuple[strawberry.ExceptionHandler[Any, Any], ...] = (
    _NotFoundHandler(),
    _BadUserInputHandler(),
    _ConflictHandler(),
)
