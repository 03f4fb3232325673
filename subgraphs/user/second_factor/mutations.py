"""Mutations about second factors."""

from typing import Annotated, TypeAlias

import strawberry

from core.scopes import USERS_WRITE
from schema.problems import ConflictProblem, NotFoundProblem
from subgraphs.user.handing_over import welcome
from subgraphs.user.second_factor.problems import ChallengeEndedProblem, InvalidCodeProblem
from subgraphs.user.second_factor.types import (
    ConfirmSecondFactorResult,
    DisableSecondFactorResult,
    EnrolSecondFactorResult,
    RecoveryCodes,
    RenewRecoveryCodesResult,
    SecondFactor,
    SecondFactorEnrolment,
)
from subgraphs.user.types import CALLERS, OWN, AuthSession, TokenTransport, User, UserContext

CompleteLoginResult: TypeAlias = Annotated[
    AuthSession | InvalidCodeProblem | ChallengeEndedProblem,
    strawberry.union("CompleteLoginResult", description="Logged in, or why not yet."),
]
ResetSecondFactorResult: TypeAlias = Annotated[
    User | NotFoundProblem | ConflictProblem,
    strawberry.union("ResetSecondFactorResult", description="The user, now without one, or why nothing changed."),
]

Password = Annotated[str, strawberry.argument(description="The account's password.")]
Code = Annotated[str, strawberry.argument(description="Six digits of the authenticator app, or a recovery code.")]


@strawberry.type
class SecondFactorMutation:
    """Changes to second factors."""

    @strawberry.mutation(directives=CALLERS)
    async def complete_login(
        self,
        info: strawberry.Info[UserContext, None],
        challenge: Annotated[str, strawberry.argument(description="What the login was answered with.")],
        code: Code,
        transport: Annotated[
            TokenTransport, strawberry.argument(description="How to carry the tokens.")
        ] = TokenTransport.BEARER,
    ) -> CompleteLoginResult:
        """Log in with a code, after `login` was answered with SecondFactorRequired."""
        context = info.context
        tokens = await context.second_factors.complete_login(
            challenge=challenge, code=code, transport=transport.name, origin=context.call.origin
        )
        return welcome(tokens, transport, context, context.device_cookie.read(context.call.headers))

    @strawberry.federation.mutation(authenticated=True, directives=OWN)
    async def enrol_second_factor(
        self, info: strawberry.Info[UserContext, None], password: Password
    ) -> EnrolSecondFactorResult:
        """Make a secret for an authenticator app; it counts once confirmSecondFactor has seen a code of it."""
        enrolment = await info.context.second_factors.enrol(password=password, by=info.context.identity)
        return SecondFactorEnrolment.from_enrolment(enrolment)

    @strawberry.federation.mutation(authenticated=True, directives=OWN)
    async def confirm_second_factor(
        self,
        info: strawberry.Info[UserContext, None],
        code: Annotated[str, strawberry.argument(description="Six digits that the app shows now.")],
    ) -> ConfirmSecondFactorResult:
        """Let logins need a code from now on. All other sessions end; this one has its roles after a refresh."""
        context = info.context
        codes = await context.second_factors.confirm(code=code, by=context.identity, origin=context.call.origin)
        return RecoveryCodes(codes=list(codes))

    @strawberry.federation.mutation(authenticated=True, directives=OWN)
    async def renew_recovery_codes(
        self, info: strawberry.Info[UserContext, None], password: Password, code: Code
    ) -> RenewRecoveryCodesResult:
        """Make ten new recovery codes; the old ones are worth nothing any more."""
        context = info.context
        codes = await context.second_factors.renew_recovery_codes(
            password=password, code=code, by=context.identity, origin=context.call.origin
        )
        return RecoveryCodes(codes=list(codes))

    @strawberry.federation.mutation(authenticated=True, directives=OWN)
    async def disable_second_factor(
        self, info: strawberry.Info[UserContext, None], password: Password, code: Code
    ) -> DisableSecondFactorResult:
        """Let the password be enough again. All other sessions end."""
        context = info.context
        status = await context.second_factors.disable(
            password=password, code=code, by=context.identity, origin=context.call.origin
        )
        return SecondFactor.from_status(status)

    @strawberry.federation.mutation(requires_scopes=[[USERS_WRITE]])
    async def reset_second_factor(
        self,
        info: strawberry.Info[UserContext, None],
        user_id: Annotated[strawberry.ID, strawberry.argument(description="Who has lost app and recovery codes.")],
    ) -> ResetSecondFactorResult:
        """Remove somebody else's second factor. All their sessions end, and they are told."""
        context = info.context
        profile = await context.second_factors.reset(user_id, by=context.identity, origin=context.call.origin)
        return User.from_profile(profile, viewer=context.identity)
