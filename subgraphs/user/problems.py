"""Outcomes of user mutations that a client must handle."""

from typing import Any

import strawberry

from schema.problems import Problem
from subgraphs.user.model import EmailTaken, InvalidCredentials, InvalidRefreshToken


@strawberry.type(description="Another account has this e-mail address.")
class EmailTakenProblem(Problem):
    """EmailTaken as a result."""


@strawberry.type(description="No account has this e-mail address and password together.")
class InvalidCredentialsProblem(Problem):
    """InvalidCredentials as a result."""


@strawberry.type(description="The refresh token is not valid any more: log in again.")
class InvalidRefreshTokenProblem(Problem):
    """InvalidRefreshToken as a result."""


class _EmailTakenHandler(strawberry.ExceptionHandler[EmailTaken, EmailTakenProblem]):
    def handle(self, exception: EmailTaken, *, field: Any, info: Any) -> EmailTakenProblem:
        return EmailTakenProblem(code=exception.code, message=exception.message)


class _InvalidCredentialsHandler(strawberry.ExceptionHandler[InvalidCredentials, InvalidCredentialsProblem]):
    def handle(self, exception: InvalidCredentials, *, field: Any, info: Any) -> InvalidCredentialsProblem:
        return InvalidCredentialsProblem(code=exception.code, message=exception.message)


class _InvalidRefreshTokenHandler(strawberry.ExceptionHandler[InvalidRefreshToken, InvalidRefreshTokenProblem]):
    def handle(self, exception: InvalidRefreshToken, *, field: Any, info: Any) -> InvalidRefreshTokenProblem:
        return InvalidRefreshTokenProblem(code=exception.code, message=exception.message)


USER_PROBLEM_HANDLERS: tuple[strawberry.ExceptionHandler[Any, Any], ...] = (
    _EmailTakenHandler(),
    _InvalidCredentialsHandler(),
    _InvalidRefreshTokenHandler(),
)
