"""Outcomes of user mutations that a client must handle."""

from typing import Any

import strawberry

from schema.problems import Problem
from subgraphs.user.model import EmailTaken, InvalidCredentials, InvalidRefreshToken
from subgraphs.user.throttle import TooManyAttempts


@strawberry.type(description="Another account has this e-mail address.")
class EmailTakenProblem(Problem):
    """EmailTaken as a result."""


@strawberry.type(description="No account has this e-mail address and password together.")
class InvalidCredentialsProblem(Problem):
    """InvalidCredentials as a result."""


@strawberry.type(description="The refresh token is not valid any more: log in again.")
class InvalidRefreshTokenProblem(Problem):
    """InvalidRefreshToken as a result."""


@strawberry.type(description="Too many attempts have failed: wait. Says nothing of whether there is such an account.")
class TooManyAttemptsProblem(Problem):
    """TooManyAttempts as a result."""

    retry_after_seconds: int = strawberry.field(description="After how many seconds the next attempt is looked at.")


class _EmailTakenHandler(strawberry.ExceptionHandler[EmailTaken, EmailTakenProblem]):
    def handle(self, exception: EmailTaken, *, field: Any, info: Any) -> EmailTakenProblem:
        return EmailTakenProblem(code=exception.code, message=exception.message)


class _InvalidCredentialsHandler(strawberry.ExceptionHandler[InvalidCredentials, InvalidCredentialsProblem]):
    def handle(self, exception: InvalidCredentials, *, field: Any, info: Any) -> InvalidCredentialsProblem:
        return InvalidCredentialsProblem(code=exception.code, message=exception.message)


class _InvalidRefreshTokenHandler(strawberry.ExceptionHandler[InvalidRefreshToken, InvalidRefreshTokenProblem]):
    def handle(self, exception: InvalidRefreshToken, *, field: Any, info: Any) -> InvalidRefreshTokenProblem:
        return InvalidRefreshTokenProblem(code=exception.code, message=exception.message)


class _TooManyAttemptsHandler(strawberry.ExceptionHandler[TooManyAttempts, TooManyAttemptsProblem]):
    def handle(self, exception: TooManyAttempts, *, field: Any, info: Any) -> TooManyAttemptsProblem:
        return TooManyAttemptsProblem(
            code=exception.code, message=exception.message, retry_after_seconds=exception.retry_after_s
        )


USER_PROBLEM_HANDLERS: tuple[strawberry.ExceptionHandler[Any, Any], ...] = (
    _EmailTakenHandler(),
    _InvalidCredentialsHandler(),
    _InvalidRefreshTokenHandler(),
    _TooManyAttemptsHandler(),
)
