"""Outcomes of user mutations that a client must handle."""

from typing import Any

import strawberry

from schema.problems import Problem
from subgraphs.user.model import AccountInactive, InvalidCredentials, InvalidMailToken, InvalidRefreshToken


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


class _InvalidCredentialsHandler(strawberry.ExceptionHandler[InvalidCredentials, InvalidCredentialsProblem]):
    def handle(self, exception: InvalidCredentials, *, field: Any, info: Any) -> InvalidCredentialsProblem:
        return InvalidCredentialsProblem(code=exception.code, message=exception.message)


class _InvalidMailTokenHandler(strawberry.ExceptionHandler[InvalidMailToken, InvalidMailTokenProblem]):
    def handle(self, exception: InvalidMailToken, *, field: Any, info: Any) -> InvalidMailTokenProblem:
        return InvalidMailTokenProblem(code=exception.code, message=exception.message)


class _InvalidRefreshTokenHandler(strawberry.ExceptionHandler[InvalidRefreshToken, InvalidRefreshTokenProblem]):
    def handle(self, exception: InvalidRefreshToken, *, field: Any, info: Any) -> InvalidRefreshTokenProblem:
        return InvalidRefreshTokenProblem(code=exception.code, message=exception.message)


USER_PROBLEM_HANDLERS: tuple[strawberry.ExceptionHandler[Any, Any], ...] = (
    _AccountInactiveHandler(),
    _InvalidCredentialsHandler(),
    _InvalidMailTokenHandler(),
    _InvalidRefreshTokenHandler(),
)
