"""GraphQL types of second factors."""

from typing import Annotated, TypeAlias

import strawberry

from schema.problems import ConflictProblem
from schema.scalars import DateTime
from subgraphs.user.problems import InvalidCredentialsProblem, TooManyAttemptsProblem
from subgraphs.user.second_factor.problems import InvalidCodeProblem
from subgraphs.user.second_factor.service import Enrolment, SecondFactorStatus
from subgraphs.user.types import CALLERS, OWN


@strawberry.type(description="How the second factor of one's own account stands.")
class SecondFactor:
    enabled_at: DateTime | None = strawberry.field(
        description="Since when logins need a code; null while they do not.", directives=OWN
    )
    recovery_codes_left: int = strawberry.field(description="Recovery codes that are not used up.", directives=OWN)
    is_required: bool = strawberry.field(
        description="Whether a role of the account counts only with a second factor.", directives=OWN
    )

    @classmethod
    def from_status(cls, status: SecondFactorStatus) -> "SecondFactor":
        return cls(
            enabled_at=None if status.enabled_at is None else DateTime(status.enabled_at),
            recovery_codes_left=status.recovery_codes_left,
            is_required=status.is_required,
        )


@strawberry.type(description="What an authenticator app needs; it counts once a code of it is confirmed.")
class SecondFactorEnrolment:
    uri: str = strawberry.field(description="An otpauth:// address, to be shown as a QR code.", directives=CALLERS)
    secret: str = strawberry.field(description="The same secret in base 32, to be typed.", directives=CALLERS)

    @classmethod
    def from_enrolment(cls, enrolment: Enrolment) -> "SecondFactorEnrolment":
        return cls(uri=enrolment.uri, secret=enrolment.secret)


@strawberry.type(description="Codes for when the app is lost, each good for one login. They are shown this once.")
class RecoveryCodes:
    codes: list[str] = strawberry.field(description="Ten codes, to be kept where the phone is not.", directives=CALLERS)


EnrolSecondFactorResult: TypeAlias = Annotated[
    SecondFactorEnrolment | InvalidCredentialsProblem | ConflictProblem | TooManyAttemptsProblem,
    strawberry.union("EnrolSecondFactorResult", description="What the app needs, or why there is nothing."),
]
ConfirmSecondFactorResult: TypeAlias = Annotated[
    RecoveryCodes | InvalidCodeProblem | ConflictProblem,
    strawberry.union("ConfirmSecondFactorResult", description="Logins need a code from now on, or why not."),
]
RenewRecoveryCodesResult: TypeAlias = Annotated[
    RecoveryCodes | InvalidCredentialsProblem | InvalidCodeProblem | ConflictProblem | TooManyAttemptsProblem,
    strawberry.union("RenewRecoveryCodesResult", description="New codes, or why the old ones stay."),
]
DisableSecondFactorResult: TypeAlias = Annotated[
    SecondFactor | InvalidCredentialsProblem | InvalidCodeProblem | ConflictProblem | TooManyAttemptsProblem,
    strawberry.union("DisableSecondFactorResult", description="The password is enough again, or why not."),
]
