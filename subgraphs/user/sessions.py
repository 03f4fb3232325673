"""Sessions: an access token that lives for minutes, and refresh tokens of which each works once.

A refresh token that comes a second time was copied, or its answer was lost; which of the two, nobody can tell. So the
whole family ends, its owner is told, and both holders log in again (RFC 9700, section 4.14.2). There is no grace period
for clients whose network lost the answer: a thief would have the same one.
"""

import secrets
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import TypeAlias

import structlog

from core.errors import Forbidden, Unauthenticated
from core.identity import ANONYMOUS, Identity, Role
from core.ids import new_id
from core.key_ring import RotatingIssuer
from core.mongo import Session, in_transaction
from core.scopes import scopes_of
from core.subgraph import UNKNOWN_ORIGIN, Origin, Runtime
from core.tokens import TokenFamily, new_token_id
from subgraphs.user.accounts.documents import LetterKind
from subgraphs.user.accounts.postbox import Postbox
from subgraphs.user.audit import AuditAction, AuditLog
from subgraphs.user.documents import RefreshTokenDocument, SessionDocument, UserDocument
from subgraphs.user.model import (
    AccountStatus,
    InvalidCredentials,
    InvalidRefreshToken,
    Profile,
    profile_from_row,
    session_of,
)
from subgraphs.user.session_repository import SessionRepository
from subgraphs.user.user_agents import describe_device

log = structlog.get_logger(__name__)


class EndReason(StrEnum):
    """Why a session has ended."""

    LOGOUT = "LOGOUT"
    LOGOUT_EVERYWHERE = "LOGOUT_EVERYWHERE"
    REUSE = "REUSE"
    REVOKED = "REVOKED"
    SECOND_FACTOR_CHANGED = "SECOND_FACTOR_CHANGED"


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a client holds after a login or a refresh; *profile* is who it is now."""

    profile: Profile
    identity: Identity
    access_token: str
    access_expires_at: datetime
    refresh_token: str
    refresh_expires_at: datetime


class SecondFactorMissing(Forbidden):
    """A session was to be opened without the second factor that its account has."""


FindScopes: TypeAlias = Callable[[Collection[str]], Awaitable[frozenset[str]]]
"""Returns the scopes that roles hold together."""


async def _built_in_scopes(roles: Collection[str]) -> frozenset[str]:
    return scopes_of(roles)


class Sessions:
    """Opens, refreshes and ends sessions."""

    def __init__(
        self,
        runtime: Runtime,
        issuer: RotatingIssuer,
        *,
        postbox: Postbox,
        find_scopes: FindScopes = _built_in_scopes,
    ) -> None:
        self._repository = SessionRepository(runtime.database)
        self._audit = AuditLog(runtime.database, runtime.clock)
        self._postbox = postbox
        self._client = runtime.client
        self._clock = runtime.clock
        self._issuer = issuer
        self._find_scopes = find_scopes
        self._refresh_ttl = timedelta(seconds=runtime.settings.refresh_token_ttl_s)
        self._guarded_roles = frozenset(runtime.settings.require_second_factor_for)

    async def open(
        self, profile: Profile, *, transport: str, origin: Origin, session: Session, second_factor: bool = False
    ) -> Tokens:
        """Start a session for *profile*, in the transaction of *session*.

        Args:
            profile: whose; the account is read anew, for its roles may have changed since.
            transport: how the client carries its tokens.
            origin: where the client is.
            session: the transaction.
            second_factor: whether a code has been checked.

        Raises:
            SecondFactorMissing: the account has a second factor, and no code has been checked.
            InvalidCredentials: the account is no more.
        """
        now = self._clock.now()
        account = await self._repository.touch_account(profile.id, {"last_login_at": now}, session=session)
        if account is None:
            raise InvalidCredentials("the account is no more")
        if account.has_second_factor and not second_factor:
            raise SecondFactorMissing("this account has a second factor: log in with it")
        document = SessionDocument(
            id=new_id("ses"),
            user_id=account.id,
            transport=transport,
            user_agent=origin.user_agent,
            address=origin.address,
            created_at=now,
            last_used_at=now,
            expires_at=now + self._refresh_ttl,
        )
        refresh_token, row = self._make_refresh_token(document.id, account.id, now)
        await self._repository.insert_session(document, row, session=session)
        return await self._issue(account, document, refresh_token, now)

    async def refresh(self, refresh_token: str, *, origin: Origin = UNKNOWN_ORIGIN) -> Tokens:
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
        successor, row = self._make_refresh_token(known.session_id, known.user_id, now)

        async def rotate(session: Session) -> Tokens | None:
            if not await self._repository.replace_refresh_token(token_hash, row, now=now, session=session):
                return None
            living = await self._repository.extend_session(
                known.session_id, now=now, expires_at=row.expires_at, origin=origin, session=session
            )
            account = await self._repository.find_account(known.user_id, session=session)
            if living is None or account is None or account.status is not AccountStatus.ACTIVE:
                # Raised rather than returned, to take back the new token
                raise refusal
            return await self._issue(account, living, successor, now)

        tokens = await in_transaction(self._client, rotate) if known.used_at is None else None
        if tokens is None:
            await self._end_reused(known, origin)
            raise refusal
        return tokens

    async def end(self, identity: Identity, refresh_token: str | None, *, origin: Origin = UNKNOWN_ORIGIN) -> bool:
        """End the sessions of the caller's access token and of *refresh_token*; return whether one lived."""
        owners = {session_of(identity.token_id): identity.subject}
        if refresh_token:
            known = await self._repository.find_refresh_token(hash_refresh_token(refresh_token))
            if known is not None:
                owners[known.session_id] = known.user_id
        ended = False
        for session_id, user_id in owners.items():
            if session_id is None:
                continue
            by = Identity(user_id)
            ended |= await self.end_one(
                session_id, user_id, EndReason.LOGOUT, AuditAction.LOGGED_OUT, by=by, origin=origin
            )
        return ended

    async def end_one(
        self,
        session_id: str,
        user_id: str | None,
        reason: EndReason,
        action: AuditAction,
        *,
        by: Identity,
        origin: Origin,
    ) -> bool:
        """End a session of *user_id* and record it; return whether it lived."""

        async def work(session: Session) -> bool:
            now = self._clock.now()
            ended = await self._repository.end_session(session_id, reason=reason, now=now, session=session)
            if ended:
                details = {"session_id": session_id}
                await self._audit.record(
                    action, by=by, user_id=user_id, origin=origin, details=details, session=session
                )
            return ended

        return await in_transaction(self._client, work)

    async def revoke_sessions_of(
        self, user_id: str, reason: str, *, except_session: str | None = None, session: Session
    ) -> int:
        """End all sessions of an account, but *except_session*, in the transaction of *session*; return how many.

        Their access tokens are refused everywhere within a minute. For a change after which whoever is logged in has to
        show again who they are: another password, a suspension.
        """
        ended = await self._repository.end_sessions_of(
            user_id, reason=reason, except_session=except_session, now=self._clock.now(), session=session
        )
        return len(ended)

    async def renew_tokens_of(self, user_ids: Collection[str], *, session: Session) -> None:
        """Have the access tokens of accounts refused within a minute, in the transaction of *session*.

        Their sessions go on: clients refresh, and get tokens with what the account may do now. For a change of roles.
        """
        await self._repository.begin_generation_of(user_ids, now=self._clock.now(), session=session)

    async def require_living(self, identity: Identity) -> None:
        """Raise Unauthenticated when the session of the caller's token has ended, be it a moment ago.

        For the few use cases that a stolen token must not reach even in the seconds until routers have heard of it.
        """
        session_id = session_of(identity.token_id)
        if session_id is not None and not await self._repository.is_living(session_id, now=self._clock.now()):
            raise Unauthenticated("this session has ended; log in again")

    def is_guarded(self, account: UserDocument) -> bool:
        """Tell whether the account has a role that needs a second factor."""
        return not self._guarded_roles.isdisjoint(account.roles)

    async def _end_reused(self, known: RefreshTokenDocument, origin: Origin) -> None:
        async def work(session: Session) -> bool:
            now = self._clock.now()
            found = await self._repository.find_session(known.session_id)
            ended = await self._repository.end_session(
                known.session_id, reason=EndReason.REUSE, now=now, session=session
            )
            if not ended or found is None:
                return False
            await self._audit.record(
                AuditAction.SESSION_REUSED,
                by=ANONYMOUS,
                user_id=known.user_id,
                origin=origin,
                details={"session_id": known.session_id},
                session=session,
            )
            account = await self._repository.find_account(known.user_id, session=session)
            if account is not None:
                device = describe_device(found.user_agent)
                await self._postbox.tell(
                    LetterKind.SESSION_REUSED, account, device=device, opened_at=found.created_at, session=session
                )
            return True

        if await in_transaction(self._client, work):
            log.warning("refresh token used twice", user_id=known.user_id, session_id=known.session_id)

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

    async def _issue(self, account: UserDocument, living: SessionDocument, refresh_token: str, now: datetime) -> Tokens:
        roles = frozenset(account.roles)
        if self.is_guarded(account) and not account.has_second_factor:
            # Good for nothing but to enrol one
            roles = frozenset({str(Role.CUSTOMER)})
        identity = Identity(
            subject=account.id,
            roles=roles,
            scopes=await self._find_scopes(roles),
            token_id=new_token_id(TokenFamily(living.id, living.generation)),
        )
        issuer = self._issuer.at(now)
        return Tokens(
            profile=profile_from_row({**account.model_dump(), "_id": account.id}),
            identity=identity,
            access_token=issuer.issue(identity, now=now),
            access_expires_at=now + timedelta(seconds=issuer.ttl_s),
            refresh_token=refresh_token,
            refresh_expires_at=now + self._refresh_ttl,
        )


def hash_refresh_token(token: str) -> str:
    """Return what is stored of a refresh token."""
    return sha256(token.encode()).hexdigest()
