"""Second factors: an authenticator app beside the password, and recovery codes for when it is lost.

enrol (password) -> confirm (a code) -> each login answers with a challenge, which a code completes

A code of the app works once, a recovery code works once, a challenge takes five codes, and an account takes ten wrong
codes before each further one has to wait. Only somebody who knows the password gets as far as any of this.
"""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from math import ceil
from typing import TypeAlias, TypeVar

from core.errors import Conflict, DomainError, NotFound, RateLimited
from core.identity import ANONYMOUS, Identity
from core.mongo import Session, in_transaction
from core.scopes import USERS_WRITE
from core.sealing import open_sealer
from core.subgraph import UNKNOWN_ORIGIN, Origin, Runtime, require_person, require_scopes
from core.totp import generate_totp_secret, match_totp, show_totp_secret, totp_uri
from subgraphs.user.accounts.documents import LetterKind
from subgraphs.user.accounts.owner import prove_password
from subgraphs.user.accounts.postbox import Postbox
from subgraphs.user.audit import AuditAction, AuditLog
from subgraphs.user.documents import UserDocument
from subgraphs.user.model import (
    Profile,
    profile_from_row,
    session_of,
)
from subgraphs.user.passwords import Passwords
from subgraphs.user.repository import UserRepository
from subgraphs.user.second_factor.codes import (
    AppCode,
    Code,
    InvalidCode,
    RecoveryCode,
    generate_recovery_codes,
    read_code,
)
from subgraphs.user.second_factor.documents import ChallengeDocument, SecondFactorDocument
from subgraphs.user.second_factor.repository import SecondFactorRepository
from subgraphs.user.session_repository import SessionRepository
from subgraphs.user.sessions import EndReason, Sessions, Tokens
from subgraphs.user.throttle import Throttle

T = TypeVar("T")

# Long enough to find the phone
CHALLENGE_TTL = timedelta(minutes=5)
CHALLENGE_TRIES = 5
# Guesses that go on are news again
GUESSES_TOLD_AGAIN = timedelta(days=30)


class SecondFactorNeeded(DomainError):
    """The password was right, and a code is needed to complete the login."""

    code = "SECOND_FACTOR_REQUIRED"

    def __init__(self, challenge: str, expires_at: datetime) -> None:
        super().__init__("complete the login with a code")
        self.challenge = challenge
        self.expires_at = expires_at


class ChallengeEnded(DomainError):
    """The challenge is unknown, expired, used, or has taken too many codes. Which one is not told."""

    code = "CHALLENGE_ENDED"

    def __init__(self) -> None:
        super().__init__("log in again: this login took too long, or too many codes were wrong")


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator app needs: *uri* as a QR code, or *secret* to be typed."""

    secret: str
    uri: str


@dataclass(frozen=True, slots=True)
class SecondFactorStatus:
    """How the second factor of an account stands. *enabled_at* is None while there is none."""

    enabled_at: datetime | None
    recovery_codes_left: int
    is_required: bool


@dataclass(frozen=True, slots=True)
class _AppStep:
    """A code of the app, by its time step, with what else is to be written when it is used."""

    counter: int
    changes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Recovery:
    """A recovery code, by its hashes."""

    digests: tuple[str, ...]


_Verified: TypeAlias = _AppStep | _Recovery


class SecondFactors:
    """The use cases about second factors; each checks who is asking."""

    def __init__(
        self, runtime: Runtime, *, passwords: Passwords, sessions: Sessions, postbox: Postbox, throttle: Throttle
    ) -> None:
        self._throttle = throttle
        self._client = runtime.client
        self._clock = runtime.clock
        self._repository = SecondFactorRepository(runtime.database)
        self._users = UserRepository(runtime.database)
        self._accounts = SessionRepository(runtime.database)
        self._audit = AuditLog(runtime.database, runtime.clock)
        self._postbox = postbox
        self._sessions = sessions
        self._passwords = passwords
        self._sealer = open_sealer(runtime.settings, purpose="second factor")
        self._issuer_name = runtime.settings.token_issuer

    async def status(self, *, by: Identity) -> SecondFactorStatus:
        """Return how the caller's own second factor stands."""
        user_id = require_person(by)
        account = await self._find_account(user_id)
        factor = await self._repository.find(user_id)
        if factor is None or factor.confirmed_at is None:
            return SecondFactorStatus(None, 0, self._sessions.is_guarded(account))
        return SecondFactorStatus(factor.confirmed_at, len(factor.recovery_digests), self._sessions.is_guarded(account))

    async def enrol(self, *, password: str, by: Identity) -> Enrolment:
        """Make a secret for an authenticator app; it counts once a code of it has been confirmed.

        Raises:
            InvalidCredentials: the password is wrong.
            Conflict: the account has a second factor.
        """
        account = await self._authenticate(by, password)
        secret = generate_totp_secret()
        factor = SecondFactorDocument(
            id=account.id,
            sealed_secret=self._sealer.seal(secret, context=account.id),
            created_at=self._clock.now(),
            recovery_digests=[],
        )

        async def work(session: Session) -> bool:
            return await self._repository.put_unconfirmed(factor, session=session)

        if not await in_transaction(self._client, work):
            raise Conflict("this account has a second factor already")
        return Enrolment(show_totp_secret(secret), totp_uri(secret, issuer=self._issuer_name, account=account.email))

    async def confirm(self, *, code: str, by: Identity, origin: Origin = UNKNOWN_ORIGIN) -> tuple[str, ...]:
        """Let the enrolled app count from now on, and return the recovery codes, which are shown this once.

        All other sessions end: they were opened without a code.

        Raises:
            Conflict: nothing waits to be confirmed.
            InvalidCode: it is none of the app's.
        """
        user_id = require_person(by)
        await self._sessions.require_living(by)
        waiting = await self._repository.find(user_id)
        if waiting is None or waiting.confirmed_at is not None:
            raise Conflict(
                "enrol an authenticator app first" if waiting is None else "the second factor counts already"
            )
        counter = self._match(waiting, read_code(code))
        if counter is None:
            raise InvalidCode
        codes = generate_recovery_codes()
        digests = [self._digests(user_id, shown)[0] for shown in codes]

        async def work(session: Session) -> None:
            now = self._clock.now()
            if not await self._repository.confirm(
                user_id, waiting.sealed_secret, counter, digests, now=now, session=session
            ):
                raise Conflict("the second factor was changed at the same moment")
            await self._change_account(user_id, enabled=True, by=by, origin=origin, session=session)

        await in_transaction(self._client, work)
        return codes

    async def renew_recovery_codes(
        self, *, password: str, code: str, by: Identity, origin: Origin = UNKNOWN_ORIGIN
    ) -> tuple[str, ...]:
        """Return ten new recovery codes; the old ones are worth nothing any more.

        Raises:
            InvalidCredentials, InvalidCode: password or code is wrong.
            Conflict: the account has no second factor.
            RateLimited: too many codes were wrong.
        """
        account = await self._authenticate(by, password)
        verified = await self._verify(account.id, code, origin)
        codes = generate_recovery_codes()
        digests = [self._digests(account.id, shown)[0] for shown in codes]

        async def work(session: Session) -> None:
            await self._use(account, verified, by=by, origin=origin, session=session)
            await self._repository.replace_recovery_codes(account.id, digests, session=session)
            await self._audit.record(
                AuditAction.RECOVERY_CODES_RENEWED, by=by, user_id=account.id, origin=origin, session=session
            )

        await self._run(account.id, work, origin)
        return codes

    async def disable(
        self, *, password: str, code: str, by: Identity, origin: Origin = UNKNOWN_ORIGIN
    ) -> SecondFactorStatus:
        """Let the password be enough again; other sessions end. See renew_recovery_codes for the errors."""
        account = await self._authenticate(by, password)
        verified = await self._verify(account.id, code, origin)

        async def work(session: Session) -> None:
            await self._use(account, verified, by=by, origin=origin, session=session)
            await self._repository.delete_of(account.id, session=session)
            await self._change_account(account.id, enabled=False, by=by, origin=origin, session=session)

        await self._run(account.id, work, origin)
        return SecondFactorStatus(None, 0, self._sessions.is_guarded(account))

    async def reset(self, user_id: str, *, by: Identity, origin: Origin = UNKNOWN_ORIGIN) -> Profile:
        """Remove the second factor of somebody who has lost the app and the recovery codes; their sessions end.

        Raises:
            Forbidden: the caller lacks users:write.
            Conflict: it is the caller's own, or there is none.
            NotFound: there is no such account.
        """
        require_scopes(by, USERS_WRITE)
        await self._sessions.require_living(by)
        if by.subject == user_id:
            raise Conflict("nobody resets their own second factor: disable it with a code")

        async def work(session: Session) -> UserDocument:
            if not await self._repository.delete_of(user_id, session=session):
                if await self._accounts.find_account(user_id, session=session) is None:
                    raise NotFound(f"there is no user {user_id}")
                raise Conflict("this account has no second factor")
            return await self._change_account(user_id, enabled=False, by=by, origin=origin, session=session)

        account = await in_transaction(self._client, work)
        return profile_from_row({**account.model_dump(), "_id": account.id})

    async def require(self, account: UserDocument) -> None:
        """Let a login pass whose account has no second factor. The password has been checked.

        Raises:
            SecondFactorNeeded: it has one; with a challenge that `complete_login` takes.
        """
        if not account.has_second_factor:
            return
        challenge, now = secrets.token_urlsafe(32), self._clock.now()
        document = ChallengeDocument(
            id=_hash(challenge),
            user_id=account.id,
            password_digest=_hash(account.password_hash),
            created_at=now,
            expires_at=now + CHALLENGE_TTL,
        )
        await self._repository.insert_challenge(document)
        raise SecondFactorNeeded(challenge, document.expires_at)

    async def complete_login(
        self, *, challenge: str, code: str, transport: str = "BEARER", origin: Origin = UNKNOWN_ORIGIN
    ) -> Tokens:
        """Open the session that a login with a second factor had to wait for.

        Raises:
            ChallengeEnded: the login has to begin anew.
            InvalidCode: another code may be tried.
            RateLimited: too many codes of this account were wrong.
        """
        challenge_hash = _hash(challenge)
        now = self._clock.now()
        known = await self._repository.find_challenge(challenge_hash, most_tries=CHALLENGE_TRIES, now=now)
        if known is None:
            raise ChallengeEnded
        await self._require_no_wait(known.user_id)
        if not await self._repository.claim_challenge_try(challenge_hash, most_tries=CHALLENGE_TRIES, now=now):
            raise ChallengeEnded
        try:
            verified = await self._verify(known.user_id, code, origin)
        except Conflict:
            # Disabled in the meantime: the password alone is enough again
            raise ChallengeEnded from None

        async def work(session: Session) -> Tokens:
            if not await self._repository.use_challenge(challenge_hash, now=now, session=session):
                raise ChallengeEnded
            account = await self._accounts.find_account(known.user_id, session=session)
            if account is None or _hash(account.password_hash) != known.password_digest:
                raise ChallengeEnded
            if not await self._users.note_login(account.id, account.password_hash, now=now, session=session):
                # Suspended or deactivated in the meantime
                raise ChallengeEnded
            profile = profile_from_row({**account.model_dump(), "_id": account.id})
            tokens = await self._sessions.open(
                profile, transport=transport, origin=origin, session=session, second_factor=True
            )
            await self._use(account, verified, by=tokens.identity, origin=origin, session=session)
            await self._audit.record(
                AuditAction.LOGGED_IN,
                by=tokens.identity,
                user_id=account.id,
                origin=origin,
                details={"second_factor": "app" if isinstance(verified, _AppStep) else "recovery code"},
                session=session,
            )
            return tokens

        return await self._run(known.user_id, work, origin)

    async def _find_account(self, user_id: str) -> UserDocument:
        account = await self._users.find_user(user_id)
        if account is None:
            raise NotFound(f"there is no user {user_id}")
        return account

    async def _authenticate(self, by: Identity, password: str) -> UserDocument:
        """Return the caller's account; raise InvalidCredentials unless *password* is its."""
        user_id = require_person(by)
        await self._sessions.require_living(by)
        account = await self._find_account(user_id)
        await prove_password(account, password, passwords=self._passwords, throttle=self._throttle)
        return account

    async def _require_no_wait(self, user_id: str) -> None:
        factor = await self._repository.find(user_id)
        now = self._clock.now()
        if factor is not None and factor.blocked_until is not None and factor.blocked_until > now:
            wait_s = ceil((factor.blocked_until - now).total_seconds())
            raise RateLimited("too many codes were wrong: wait before you try another one", retry_after_s=wait_s)

    async def _verify(self, user_id: str, code: str, origin: Origin) -> _Verified:
        """Count a try and return what *code* is; it is not used up yet."""
        factor = await self._repository.claim_try(user_id, now=self._clock.now())
        if factor is None:
            await self._require_no_wait(user_id)
            raise Conflict("this account has no second factor")
        read = read_code(code)
        match read:
            case AppCode():
                counter = self._match(factor, read)
                if counter is not None:
                    return _AppStep(counter, self._resealed(factor))
            case RecoveryCode():
                digests = tuple(self._sealer.digests(read.text, context=user_id))
                if not set(digests).isdisjoint(factor.recovery_digests):
                    return _Recovery(digests)
        await self._record_failure(user_id, origin)
        raise InvalidCode

    async def _use(
        self, account: UserDocument, verified: _Verified, *, by: Identity, origin: Origin, session: Session
    ) -> None:
        """Use up a code; raise InvalidCode if somebody else was faster."""
        match verified:
            case _AppStep(counter=counter, changes=changes):
                used = await self._repository.use_counter(account.id, counter, dict(changes), session=session)
            case _Recovery(digests=digests):
                used = await self._repository.use_recovery_code(account.id, digests, session=session)
        if used is None:
            raise InvalidCode
        if isinstance(verified, _Recovery):
            now, left = self._clock.now(), len(used.recovery_digests)
            await self._audit.record(
                AuditAction.RECOVERY_CODE_USED,
                by=by,
                user_id=account.id,
                origin=origin,
                details={"codes_left": left},
                session=session,
            )
            await self._postbox.tell(LetterKind.RECOVERY_CODE_USED, account, codes_left=left, at=now, session=session)

    async def _run(self, user_id: str, work: Callable[[Session], Awaitable[T]], origin: Origin) -> T:
        try:
            return await in_transaction(self._client, work)
        except InvalidCode:
            await self._record_failure(user_id, origin)
            raise

    async def _record_failure(self, user_id: str, origin: Origin) -> None:
        factor = await self._repository.find(user_id)
        is_new = False
        if factor is not None and factor.blocked_until is not None:
            # Whoever comes so far knows the password. One letter for each series of tries: a right code ends it
            series = f"{user_id}-{factor.last_counter}-{len(factor.recovery_digests)}"
            is_new = await self._postbox.may_write(LetterKind.CODES_GUESSED, series, most=1, per=GUESSES_TOLD_AGAIN)

        async def work(session: Session) -> None:
            await self._audit.record(
                AuditAction.SECOND_FACTOR_FAILED, by=ANONYMOUS, user_id=user_id, origin=origin, session=session
            )
            account = await self._accounts.find_account(user_id, session=session)
            if is_new and account is not None:
                await self._postbox.tell(LetterKind.CODES_GUESSED, account, session=session)

        await in_transaction(self._client, work)

    async def _change_account(
        self, user_id: str, *, enabled: bool, by: Identity, origin: Origin, session: Session
    ) -> UserDocument:
        account = await self._accounts.touch_account(user_id, {"has_second_factor": enabled}, session=session)
        if account is None:
            raise NotFound(f"there is no user {user_id}")
        kept = session_of(by.token_id) if by.subject == user_id else None
        await self._sessions.revoke_sessions_of(
            user_id, EndReason.SECOND_FACTOR_CHANGED, except_session=kept, session=session
        )
        if not enabled:
            # What a role needs a second factor for ends with it
            await self._sessions.renew_tokens_of([user_id], session=session)
        action = AuditAction.SECOND_FACTOR_ENABLED if enabled else AuditAction.SECOND_FACTOR_DISABLED
        await self._audit.record(action, by=by, user_id=user_id, origin=origin, session=session)
        kind = LetterKind.SECOND_FACTOR_ENABLED if enabled else LetterKind.SECOND_FACTOR_DISABLED
        await self._postbox.tell(kind, account, at=self._clock.now(), session=session)
        return account

    def _match(self, factor: SecondFactorDocument, read: Code | None) -> int | None:
        """Return the time step of a code of *factor*'s app that was not used before."""
        if not isinstance(read, AppCode):
            return None
        secret = self._sealer.open(factor.sealed_secret, context=factor.id)
        counter = match_totp(secret, read.digits, now=self._clock.now())
        return counter if counter is not None and counter > factor.last_counter else None

    def _resealed(self, factor: SecondFactorDocument) -> Mapping[str, str]:
        if self._sealer.is_current(factor.sealed_secret):
            return {}
        secret = self._sealer.open(factor.sealed_secret, context=factor.id)
        return {"sealed_secret": self._sealer.seal(secret, context=factor.id)}

    def _digests(self, user_id: str, shown: str) -> list[str]:
        read = read_code(shown)
        assert isinstance(read, RecoveryCode)
        return self._sealer.digests(read.text, context=user_id)


def _hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()
