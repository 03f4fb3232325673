"""Passwords and e-mail addresses of accounts: how they are reset and changed.

Whatever changes a password makes every mail token of the account worthless, and ends sessions; whatever changes the
address does the former, for a token may lie in the old mailbox. The account holder is told each time.
"""

from typing import Any

from core.clock import Clock
from core.errors import BadUserInput
from core.identity import ANONYMOUS, Identity
from core.mongo import Client, Database, Session, in_transaction
from core.subgraph import UNKNOWN_ORIGIN, Origin
from subgraphs.user.accounts.documents import LetterKind, MailTokenDocument, TokenPurpose
from subgraphs.user.accounts.mail_tokens import hash_mail_token
from subgraphs.user.accounts.owner import Owners
from subgraphs.user.accounts.postbox import Postbox
from subgraphs.user.accounts.repository import AccountRepository
from subgraphs.user.audit import AuditAction, AuditLog
from subgraphs.user.documents import UserDocument
from subgraphs.user.drafts import profile_of
from subgraphs.user.events import USER_UPDATED, announce_user
from subgraphs.user.model import (
    AccountStatus,
    InvalidCredentials,
    InvalidMailToken,
    Profile,
    check_email,
    check_password,
    email_key,
    normalise_password,
    search_keys,
    session_of,
)
from subgraphs.user.passwords import Passwords
from subgraphs.user.repository import UserRepository
from subgraphs.user.sessions import Sessions
from subgraphs.user.throttle import AttemptKind, Throttle

PASSWORD_RESET = "PASSWORD_RESET"
PASSWORD_CHANGED = "PASSWORD_CHANGED"


class Credentials:
    """Resets and changes what people log in with."""

    def __init__(
        self,
        repository: AccountRepository,
        users: UserRepository,
        owners: Owners,
        *,
        client: Client,
        database: Database,
        clock: Clock,
        passwords: Passwords,
        sessions: Sessions,
        postbox: Postbox,
        audit: AuditLog,
        throttle: Throttle,
    ) -> None:
        self._repository = repository
        self._users = users
        self._owners = owners
        self._client = client
        self._database = database
        self._clock = clock
        self._passwords = passwords
        self._sessions = sessions
        self._postbox = postbox
        self._audit = audit
        self._throttle = throttle

    async def request_password_reset(self, email: str, *, origin: Origin = UNKNOWN_ORIGIN) -> None:
        """Have a token sent to *email*, if it has an active account. The worker finds that out: here nobody looks.

        Raises:
            TooManyAttempts: so many were made for this address, or from this network.
        """
        try:
            key = email_key(check_email(email))
        except BadUserInput:
            # Nobody's, and no secret either
            return
        attempt = await self._throttle.admit(AttemptKind.PASSWORD_RESET, key, origin)
        await attempt.succeeded()
        if not await self._postbox.may_write(LetterKind.PASSWORD_RESET, key):
            return

        async def work(session: Session) -> None:
            await self._postbox.put(LetterKind.PASSWORD_RESET, email_key=key, origin=origin, session=session)

        await in_transaction(self._client, work)

    async def reset_password(self, token: str, new_password: str, *, origin: Origin = UNKNOWN_ORIGIN) -> None:
        """Set a new password with a token from a mail, and end all sessions.

        Raises:
            InvalidMailToken: it is not valid.
            BadUserInput: the password is not acceptable; the token may be used again.
        """
        found = await self._find_token(TokenPurpose.PASSWORD_RESET, token)
        account = await self._users.find_user(found.user_id)
        if account is None:
            raise _invalid_token()
        checked = check_password(new_password, email=account.email, field="newPassword")
        password_hash = await self._passwords.hash(checked)

        async def work(session: Session) -> None:
            if not await self._repository.take_token(found, session=session):
                raise _invalid_token()
            current = await self._users.find_user(found.user_id, session=session)
            if current is None or current.status is not AccountStatus.ACTIVE:
                raise _invalid_token()
            await self._store_password(current, password_hash, reason=PASSWORD_RESET, keep=None, session=session)
            await self._audit.record(
                AuditAction.PASSWORD_RESET, by=ANONYMOUS, user_id=current.id, origin=origin, session=session
            )

        await in_transaction(self._client, work)

    async def change_password(
        self, current_password: str, new_password: str, *, by: Identity, origin: Origin = UNKNOWN_ORIGIN
    ) -> None:
        """Set a new password and end all sessions but the caller's.

        Raises:
            InvalidCredentials: the current password is another one.
            BadUserInput: the new one is not acceptable, or is the current one.
        """
        account = await self._owners.prove(by, current_password)
        checked = check_password(new_password, email=account.email, field="newPassword")
        if checked == normalise_password(current_password):
            raise BadUserInput("this is the password that you have", field="newPassword")
        password_hash = await self._passwords.hash(checked)

        async def work(session: Session) -> None:
            unchanged = await self._find_unchanged(account, session)
            keep = session_of(by.token_id)
            await self._store_password(unchanged, password_hash, reason=PASSWORD_CHANGED, keep=keep, session=session)
            await self._audit.record(
                AuditAction.PASSWORD_CHANGED, by=by, user_id=account.id, origin=origin, session=session
            )

        await in_transaction(self._client, work)

    async def request_email_change(
        self, new_email: str, password: str, *, by: Identity, origin: Origin = UNKNOWN_ORIGIN
    ) -> None:
        """Have the new address asked, and the old one told. Whether the new one has an account is not told.

        Raises:
            InvalidCredentials: it is another password.
            BadUserInput: it is no address, or the one that the account has.
        """
        account = await self._owners.prove(by, password)
        checked = check_email(new_email, field="newEmail")
        if checked == account.email:
            raise BadUserInput("this is the address that you have", field="newEmail")
        if not await self._postbox.may_write(LetterKind.EMAIL_CHANGE, email_key(checked)):
            return

        async def work(session: Session) -> None:
            unchanged = await self._find_unchanged(account, session)
            await self._postbox.put(
                LetterKind.EMAIL_CHANGE, user_id=account.id, new_email=checked, origin=origin, session=session
            )
            await self._postbox.tell(LetterKind.EMAIL_CHANGE_REQUESTED, unchanged, session=session)
            await self._audit.record(
                AuditAction.EMAIL_CHANGE_REQUESTED, by=by, user_id=account.id, origin=origin, session=session
            )

        await in_transaction(self._client, work)

    async def confirm_email_change(self, token: str, *, by: Identity, origin: Origin = UNKNOWN_ORIGIN) -> Profile:
        """Give the caller's account the address that *token* was sent to; tell both addresses. Sessions stay.

        The account's own session is needed beside the token: otherwise whoever confirms a letter without reading it
        would lend their address to a stranger's account.

        Raises:
            InvalidMailToken: it is not valid, or is for another account.
            EmailTaken: somebody has opened an account with the address meanwhile.
        """
        account = await self._owners.find(by)
        found = await self._find_token(TokenPurpose.EMAIL_CHANGE, token)
        if found.user_id != account.id or found.new_email is None:
            raise _invalid_token()
        new_email, now = found.new_email, self._clock.now()

        async def work(session: Session) -> Profile:
            if not await self._repository.take_token(found, session=session):
                raise _invalid_token()
            old = await self._users.find_user(account.id, session=session)
            if old is None or old.status is not AccountStatus.ACTIVE:
                raise _invalid_token()
            changes: dict[str, Any] = {
                "email": new_email,
                "email_key": email_key(new_email),
                "search_keys": list(search_keys(new_email, old.name)),
                "updated_at": now,
            }
            new = await self._users.update_user(account.id, changes, session=session)
            if new is None:
                raise _invalid_token()
            await self._repository.void_tokens(account.id, old.email_key, session=session)
            await self._repository.delete_registrations(new.email_key, session=session)
            for address in (old.email, new.email):
                await self._postbox.tell(LetterKind.EMAIL_CHANGED, new, to=address, session=session)
            profile = profile_of(new)
            await announce_user(USER_UPDATED, profile, database=self._database, now=now, session=session)
            await self._audit.record(
                AuditAction.EMAIL_CHANGED, by=by, user_id=account.id, origin=origin, session=session
            )
            return profile

        return await in_transaction(self._client, work)

    async def _find_token(self, purpose: TokenPurpose, token: str) -> MailTokenDocument:
        found = await self._repository.find_token(purpose, hash_mail_token(token), now=self._clock.now())
        if found is None:
            raise _invalid_token()
        return found

    async def _find_unchanged(self, account: UserDocument, session: Session) -> UserDocument:
        """Return the account as it is in this transaction; refuse when the password just proven is not its any more."""
        current = await self._users.find_user(account.id, session=session)
        if (
            current is None
            or current.status is not AccountStatus.ACTIVE
            or current.password_hash != account.password_hash
        ):
            raise InvalidCredentials("the password is wrong")
        return current

    async def _store_password(
        self, account: UserDocument, password_hash: str, *, reason: str, keep: str | None, session: Session
    ) -> None:
        changes = {"password_hash": password_hash, "updated_at": self._clock.now()}
        await self._users.update_user(account.id, changes, session=session)
        await self._repository.void_tokens(account.id, account.email_key, session=session)
        await self._sessions.revoke_sessions_of(account.id, reason, except_session=keep, session=session)
        await self._postbox.tell(
            LetterKind.PASSWORD_CHANGED, account, all_sessions=reason == PASSWORD_RESET, session=session
        )


def _invalid_token() -> InvalidMailToken:
    return InvalidMailToken("the token is not valid: it was used, has expired, or a newer letter was sent")
