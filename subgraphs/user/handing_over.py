"""How tokens get to a client: in the answer, or in cookies."""

from schema.scalars import DateTime
from subgraphs.user.sessions import Tokens
from subgraphs.user.types import AuthSession, TokenTransport, User, UserContext


def hand_over(tokens: Tokens, transport: TokenTransport, context: UserContext) -> AuthSession:
    """Return what the client is told of *tokens*; with COOKIE they go into the answer's cookies instead."""
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


def welcome(
    tokens: Tokens, transport: TokenTransport, context: UserContext, device_token: str | None = None
) -> AuthSession:
    """Hand over *tokens* after a login, and let the device be a known one from now on.

    *device_token* is what the device sent, if it was known already.
    """
    session = hand_over(tokens, transport, context)
    token = context.service.remember_device(tokens.profile, device_token)
    if transport is TokenTransport.COOKIE:
        context.call.cookies.append(context.device_cookie.carry(token))
    else:
        session.device_token = token
    return session
