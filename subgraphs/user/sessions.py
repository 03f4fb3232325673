"""Sessions: an access token that lives for minutes, and refresh tokens of which each works once.

A refresh token that comes a second time was copied, or its answer was lost; which of the two, nobody can tell. So the
whole family ends and both holders log in again (RFC 9700, section 4.14.2).
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

import structlog

from core.clock import Clock
from core.identity import Identity
from core.ids import new_id
from core.mongo import Client, Session, in_transaction
from core.subgraph import Origin
from core.tokens import AccessTokenIssuer
from subgraphs.user.documents import RefreshTokenDocument, SessionDocument
from subgraphs.user.model import InvalidRefreshToken, Profile, session_of, token_id_of
from subgraphs.user.repository import UserRepository
from subgraphs.user.roles import RoleService

log = structlog.get_logger(__name__)

LOGOUT = "LOGOUT"
REUSE = "REUSE"


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a client holds after a login or a refresh; *profile* is who it is now."""

    profile: Profile
    identity: Identity
    access_token: str
    access_expires_at: datetime
    refresh_token: str
    refresh_expires_at: datetime


class Sessions:
    """Opens, refreshes and ends sessions."""

    def __init__(
        self,
        repository: UserRepository,
        client: Client,
        issuer: AccessTokenIssuer,
        clock: Clock,
        *,
        roles: RoleService,
        refresh_ttl: timedelta,
    ) -> None:
        self._repository = repository
        self._client = client
        self._issuer = issuer
        self._clock = clock
        self._roles = roles
        self._refresh_ttl = refresh_ttl

    async def open(self, profile: Profile, *, transport: str, origin: Origin, session: Session) -> Tokens:
        """Start a session for *profile*, in the transaction of *session*."""
        now = self._clock.now()
        session_id = new_id("ses")
        document = SessionDocument(
            id=session_id,
            user_id=profile.id,
            transport=transport,
            user_agent=origin.user_agent,
            address=origin.address,
            created_at=now,
            last_used_at=now,
            expires_at=now + self._refresh_ttl,
        )
        refresh_token, row = self._make_refresh_token(session_id, profile.id, now)
        await self._repository.insert_session(document, row, session=session)
        return await self._issue(profile, session_id, refresh_token, now)

    async def refresh(self, refresh_token: str) -> Tokens:
        """Use up *refresh_token* and return new tokens, with the roles that the account has now.

        Raises:
            InvalidRefreshToken: and if it was used before, the session that it belongs to is over.
        """
        now = self._clock.now()
        refusal = InvalidRefreshToken("the refresh token is not valid; log in again")
        token_hash = hash_refresh_token(refresh_token)
        known = await self._repository.find_refresh_token(token_hash)
        if known is None or known.expires_at <= now:
            raise refusal
        profiles = await self._repository.find_profiles([known.user_id])
        if not profiles:
            raise refusal
        successor, row = self._make_refresh_token(known.session_id, known.user_id, now)

        async def rotate(session: Session) -> bool:
            if not await self._repository.replace_refresh_token(token_hash, row, now=now, session=session):
                return False
            if not await self._repository.extend_session(
                known.session_id, now=now, expires_at=row.expires_at, session=session
            ):
                # Raised rather than returned, to take back the new token
                raise refusal
            return True

        if known.used_at is not None or not await in_transaction(self._client, rotate):
            if await self._repository.revoke_session(known.session_id, reason=REUSE, now=now):
                log.warning("refresh token used twice", user_id=known.user_id, session_id=known.session_id)
            raise refusal
        return await self._issue(profiles[0], known.session_id, successor, now)

    async def end(self, identity: Identity, refresh_token: str | None) -> bool:
        """End the sessions of the caller's access token and of *refresh_token*; return whether one lived."""
        session_ids = {session_of(identity.token_id)}
        if refresh_token:
            known = await self._repository.find_refresh_token(hash_refresh_token(refresh_token))
            session_ids.add(known.session_id if known else None)
        ended = False
        for session_id in sorted(filter(None, session_ids)):
            ended |= await self._repository.revoke_session(session_id, reason=LOGOUT, now=self._clock.now())
        return ended

    def _make_refresh_token(self, session_id: str, user_id: str, now: datetime) -> tuple[str, RefreshTokenDocument]:
        token = secrets.token_urlsafe(32)
        document = RefreshTokenDocument(
            id=hash_refresh_token(token),
            session_id=session_id,
            user_id=user_id,
            issued_at=now,
            expires_at=now + self._refresh_ttl,
        )
        return token, document

    async def _issue(self, profile: Profile, session_id: str, refresh_token: str, now: datetime) -> Tokens:
        identity = Identity(
            subject=profile.id,
            roles=frozenset(profile.roles),
            scopes=await self._roles.find_scopes(profile.roles),
            token_id=token_id_of(session_id),
        )
        return Tokens(
            profile=profile,
            identity=identity,
            access_token=self._issuer.issue(identity, now=now),
            access_expires_at=now + timedelta(seconds=self._issuer.ttl_s),
            refresh_token=refresh_token,
            refresh_expires_at=now + self._refresh_ttl,
        )


def hash_refresh_token(token: str) -> str:
    """Return what is stored of a refresh token."""
    return sha256(token.encode()).hexdigest()
