"""Outcomes of user mutations that a client must handle."""

from typing import Any

import strawberry

from schema.problems import Problem
from subgraphs.user.model import AccountInactive, InvalidCredentials, InvalidMailToken, InvalidRefreshToken
from subgraphs.user.throttle import TooManyAttempts


@strawberry.type(description="The password is right, and the account is suspended or deactivated.")
class AccountInactiveProblem(Problem):
    """AccountInactive as a result."""


@strawberry.type(description="The password is wrong, or at a login the e-mail address: which of them is not told.")
class InvalidCredentialsProblem(Problem):
    """InvalidCredentials as a result."""


@strawberry.type(description="The token from a letter was used, has expired, or a newer one was sent.")
class InvalidMailTokenProblem(Problem):
    """InvalidMailToken as a result."""


@strawberry.type(description="The refresh token is not valid any more: log in again.")
class InvalidRefreshTokenProblem(Problem):
    """InvalidRefreshToken as a result."""


class _AccountInactiveHandler(strawberry.ExceptionHandler[AccountInactive, AccountInactiveProblem]):
    def handle(self, exception: AccountInactive, *, field: Any, info: Any) -> AccountInactiveProblem:
        return AccountInactiveProblem(code=exception.code, message=exception.message)


@strawberry.type(description="Too many attempts have failed: wait. Says nothing of whether there is such an account.")
class TooManyAttemptsProblem(Problem):
    """TooManyAttempts as a result."""

    retry_after_seconds: int = strawberry.field(description="After how many seconds the next attempt is looked at.")


class _InvalidCredentialsHandler(strawberry.ExceptionHandler[InvalidCredentials, InvalidCredentialsProblem]):
    def handle(self, exception: InvalidCredentials, *, field: Any, info: Any) -> InvalidCredentialsProblem:
        return InvalidCredentialsProblem(code=exception.code, message=exception.message)


class _InvalidMailTokenHandler(strawberry.ExceptionHandler[InvalidMailToken, InvalidMailTokenProblem]):
    def handle(self, exception: InvalidMailToken, *, field: Any, info: Any) -> InvalidMailTokenProblem:
        return InvalidMailTokenProblem(code=exception.code, message=exception.message)


class _InvalidRefreshTokenHandler(strawberry.ExceptionHandler[InvalidRefreshToken, InvalidRefreshTokenProblem]):
    def handle(self, exception: InvalidRefreshToken, *, field: Any, info: Any) -> InvalidRefreshTokenProblem:
        return InvalidRefreshTokenProblem(code=exception.code, message=exception.message)


class _TooManyAttemptsHandler(strawberry.ExceptionHandler[TooManyAttempts, TooManyAttemptsProblem]):
    def handle(self, exception: TooManyAttempts, *, field: Any, info: Any) -> TooManyAttemptsProblem:
        return TooManyAttemptsProblem(
            code=exception.code, message=exception.message, retry_after_seconds=exception.retry_after_s
        )


USER_PROBLEM_HANDLERS: tuple[strawberry.ExceptionHandler[Any, Any], ...] = (
    _AccountInactiveHandler(),
    _InvalidCredentialsHandler(),
    _InvalidMailTokenHandler(),
    _InvalidRefreshTokenHandler(),
    _TooManyAttemptsHandler(),
)
