"""Mutations of the user subgraph."""

from typing import Annotated

import strawberry

from core.scopes import USERS_WRITE
from schema.ownership import Public
from schema.scalars import DateTime
from subgraphs.user.model import InvalidRefreshToken
from subgraphs.user.service import UNCHANGED
from subgraphs.user.sessions import Tokens
from subgraphs.user.types import (
    CALLERS,
    SELF,
    AuthSession,
    LoginInput,
    LoginResult,
    RefreshResult,
    RegisterInput,
    RegisterResult,
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
class Mutation:
    """Changes to accounts and sessions."""

    @strawberry.mutation(directives=CALLERS)
    async def register(
        self,
        info: strawberry.Info[UserContext, None],
        input: Annotated[RegisterInput, strawberry.argument(description="The new account.")],
    ) -> RegisterResult:
        """Create a customer's account and log in to it."""
        tokens = await info.context.service.register(
            email=input.email,
            password=input.password,
            name=input.name,
            transport=input.transport.name,
            origin=info.context.call.origin,
        )
        session = _hand_over(tokens, input.transport, info.context)
        return _remember_device(session, tokens, input.transport, info.context)

    @strawberry.mutation(directives=CALLERS)
    async def login(
        self,
        info: strawberry.Info[UserContext, None],
        input: Annotated[LoginInput, strawberry.argument(description="Who logs in.")],
    ) -> LoginResult:
        """Log in."""
        context = info.context
        device_token = input.device_token or context.device_cookie.read(context.call.headers)
        tokens = await context.service.log_in(
            email=input.email,
            password=input.password,
            transport=input.transport.name,
            origin=context.call.origin,
            device_token=device_token,
        )
        session = _hand_over(tokens, input.transport, context)
        return _remember_device(session, tokens, input.transport, context, device_token)

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
            tokens = await context.service.refresh(refresh_token or from_cookie or "")
        except InvalidRefreshToken:
            if from_cookie is not None:
                context.call.cookies.extend(context.cookies.remove())
            raise
        return _hand_over(tokens, transport, context)

    @strawberry.mutation(directives=[Public(because="it ends what the caller holds, and nothing else")])
    async def logout(
        self, info: strawberry.Info[UserContext, None], refresh_token: RefreshTokenArgument = None
    ) -> bool:
        """End the session of the caller's tokens and remove its cookies; false if none was left to end."""
        context = info.context
        token = refresh_token or context.cookies.read_refresh_token(context.call.headers)
        ended = await context.service.log_out(context.identity, token)
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
        """Assign roles to somebody else. They count from the user's next access token on."""
        identity = info.context.identity
        profile = await info.context.service.set_roles(user_id, roles, by=identity)
        return User.from_profile(profile, viewer=identity)


def _hand_over(tokens: Tokens, transport: TokenTransport, context: UserContext) -> AuthSession:
    in_cookies = transport is TokenTransport.COOKIE
    if in_cookies:
        context.call.cookies.extend(context.cookies.carry(tokens, now=context.now()))
    return AuthSession(
        access_token=None if in_cookies else tokens.access_token,
        token_type="Bearer",
        expires_at=DateTime(tokens.access_expires_at),
        refresh_token=None if in_cookies else tokens.refresh_token,
        # Whoever has just proven to be this user reads it as that user, although the request came without a token
        user=User.from_profile(tokens.profile, viewer=tokens.identity),
    )


def _remember_device(
    session: AuthSession,
    tokens: Tokens,
    transport: TokenTransport,
    context: UserContext,
    device_token: str | None = None,
) -> AuthSession:
    """Tell the device of a login that it is known from now on; the tokens' transport carries that, too."""
    token = context.service.remember_device(tokens.profile, device_token)
    if transport is TokenTransport.COOKIE:
        context.call.cookies.append(context.device_cookie.carry(token))
    else:
        session.device_token = token
    return session
