"""Mutations of the user subgraph."""

from typing import Annotated

import strawberry

from core.scopes import USERS_WRITE
from schema.ownership import Public
from subgraphs.user.accounts.mutations import AccountMutations
from subgraphs.user.accounts.types import VerifyEmailInput, VerifyEmailResult
from subgraphs.user.handing_over import hand_over, welcome
from subgraphs.user.model import InvalidRefreshToken
from subgraphs.user.second_factor.mutations import SecondFactorMutation
from subgraphs.user.service import UNCHANGED
from subgraphs.user.session_list.mutations import SessionMutation
from subgraphs.user.types import (
    CALLERS,
    SELF,
    LoginInput,
    LoginResult,
    RefreshResult,
    SetRolesResult,
    TokenTransport,
    UpdateProfileInput,
    UpdateProfileResult,
    User,
    UserContext,
)

RefreshTokenArgument = Annotated[
    str | None, strawberry.argument(description="The refresh token; left out where a cookie carries it.")
]


@strawberry.type
class Mutation(AccountMutations, SessionMutation, SecondFactorMutation):
    """Changes to accounts and sessions."""

    @strawberry.mutation(directives=CALLERS)
    async def verify_email(
        self,
        info: strawberry.Info[UserContext, None],
        input: Annotated[VerifyEmailInput, strawberry.argument(description="Token and password.")],
    ) -> VerifyEmailResult:
        """Open the account of a registration and log in to it: with the token that was sent, and the password."""
        tokens = await info.context.accounts.registrations.verify(
            input.token, input.password, transport=input.transport.name, origin=info.context.call.origin
        )
        return welcome(tokens, input.transport, info.context)

    @strawberry.mutation(directives=CALLERS)
    async def login(
        self,
        info: strawberry.Info[UserContext, None],
        input: Annotated[LoginInput, strawberry.argument(description="Who logs in.")],
    ) -> LoginResult:
        """Log in; where the account has a second factor, completeLogin is the second step."""
        context = info.context
        device_token = input.device_token or context.device_cookie.read(context.call.headers)
        tokens = await context.service.log_in(
            email=input.email,
            password=input.password,
            transport=input.transport.name,
            origin=context.call.origin,
            device_token=device_token,
        )
        return welcome(tokens, input.transport, context, device_token)

    @strawberry.mutation(directives=CALLERS)
    async def refresh(
        self,
        info: strawberry.Info[UserContext, None],
        refresh_token: RefreshTokenArgument = None,
        transport: Annotated[
            TokenTransport,
            strawberry.argument(description="How to carry the new tokens; a cookie is always answered with cookies."),
        ] = TokenTransport.BEARER,
    ) -> RefreshResult:
        """Exchange a refresh token, which works once, for new tokens. A second use ends the session."""
        context = info.context
        from_cookie = None if refresh_token else context.cookies.read_refresh_token(context.call.headers)
        if from_cookie is not None:
            # Otherwise a script on the page could turn the cookie that it cannot read into a token that it can
            transport = TokenTransport.COOKIE
        try:
            tokens = await context.service.refresh(refresh_token or from_cookie or "", origin=context.call.origin)
        except InvalidRefreshToken:
            if from_cookie is not None:
                context.call.cookies.extend(context.cookies.remove())
            raise
        return hand_over(tokens, transport, context)

    @strawberry.mutation(directives=[Public(because="it ends what the caller holds, and nothing else")])
    async def logout(
        self, info: strawberry.Info[UserContext, None], refresh_token: RefreshTokenArgument = None
    ) -> bool:
        """End the session of the caller's tokens and remove its cookies; false if none was left to end."""
        context = info.context
        token = refresh_token or context.cookies.read_refresh_token(context.call.headers)
        ended = await context.service.log_out(context.identity, token, origin=context.call.origin)
        context.call.cookies.extend(context.cookies.remove())
        return ended

    @strawberry.federation.mutation(authenticated=True, directives=SELF)
    async def update_profile(
        self,
        info: strawberry.Info[UserContext, None],
        input: Annotated[UpdateProfileInput, strawberry.argument(description="What changes.")],
    ) -> UpdateProfileResult:
        """Change one's own name and phone number."""
        identity = info.context.identity
        profile = await info.context.service.update_profile(
            by=identity,
            name=input.name.value if input.name else UNCHANGED,
            phone=input.phone.value if input.phone else UNCHANGED,
        )
        return User.from_profile(profile, viewer=identity)

    @strawberry.federation.mutation(requires_scopes=[[USERS_WRITE]])
    async def set_roles(
        self,
        info: strawberry.Info[UserContext, None],
        user_id: Annotated[strawberry.ID, strawberry.argument(description="Whose roles.")],
        roles: Annotated[list[str], strawberry.argument(description="Names of all roles from now on.")],
    ) -> SetRolesResult:
        """Assign roles to somebody else. Access tokens with the old ones stop working within a minute."""
        identity = info.context.identity
        profile = await info.context.service.set_roles(user_id, roles, by=identity)
        return User.from_profile(profile, viewer=identity)
