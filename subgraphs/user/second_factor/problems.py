"""Outcomes about second factors that a client must handle."""

from typing import Any

import strawberry

from schema.problems import Problem
from schema.scalars import DateTime
from subgraphs.user.second_factor.codes import InvalidCode
from subgraphs.user.second_factor.service import ChallengeEnded, SecondFactorNeeded


@strawberry.type(description="The password was right; send the challenge with a code to completeLogin.")
class SecondFactorRequired:
    """SecondFactorNeeded as a result: not a problem, but the first half of a login."""

    challenge: str = strawberry.field(description="Stands for this login; good for five codes.")
    expires_at: DateTime = strawberry.field(description="When the login has to begin anew.")


@strawberry.type(description="The code is wrong or was used before; another one may be tried.")
class InvalidCodeProblem(Problem):
    """InvalidCode as a result."""


@strawberry.type(description="The login took too long, or too many codes were wrong: begin anew.")
class ChallengeEndedProblem(Problem):
    """ChallengeEnded as a result."""


class _SecondFactorNeededHandler(strawberry.ExceptionHandler[SecondFactorNeeded, SecondFactorRequired]):
    def handle(self, exception: SecondFactorNeeded, *, field: Any, info: Any) -> SecondFactorRequired:
        return SecondFactorRequired(challenge=exception.challenge, expires_at=DateTime(exception.expires_at))


class _InvalidCodeHandler(strawberry.ExceptionHandler[InvalidCode, InvalidCodeProblem]):
    def handle(self, exception: InvalidCode, *, field: Any, info: Any) -> InvalidCodeProblem:
        return InvalidCodeProblem(code=exception.code, message=exception.message)


class _ChallengeEndedHandler(strawberry.ExceptionHandler[ChallengeEnded, ChallengeEndedProblem]):
    def handle(self, exception: ChallengeEnded, *, field: Any, info: Any) -> ChallengeEndedProblem:
        return ChallengeEndedProblem(code=exception.code, message=exception.message)


SECOND_FACTOR_HANDLERS: tuple[strawberry.ExceptionHandler[Any, Any], ...] = (
    _SecondFactorNeededHandler(),
    _InvalidCodeHandler(),
    _ChallengeEndedHandler(),
)
