"""From the wish for an account to the account.

`register` only writes down the attempt. Whether the address has an account, it does not look: the worker does, and
writes either "confirm your address" or "you already have an account" (postbox.py). So the answer, the work and the time
are the same for every address.

An attempt becomes an account when *both* its mail token and its password come back. The token proves the mailbox, the
password that it is the same person who registered: a stranger who registers somebody's address with a password of his
own gets no account with it, not even if the owner of the mailbox confirms whatever arrives there. Each attempt has a
token of its own, and the first that is confirmed ends the others.

Until then nobody can log in: if a login told a new account from a password that does not fit an old one, registering
and logging in would tell whose addresses are registered.
"""

from datetime import timedelta

from core.clock import Clock
from core.identity import ANONYMOUS, Role
from core.ids import new_id
from core.mongo import Client, Database, Session, in_transaction
from core.subgraph import UNKNOWN_ORIGIN, Origin
from subgraphs.user.accounts.documents import LetterKind, RegistrationDocument
from subgraphs.user.accounts.letters import VERIFICATION_TTL
from subgraphs.user.accounts.mail_tokens import hash_mail_token
from subgraphs.user.accounts.postbox import Postbox
from subgraphs.user.accounts.repository import AccountRepository
from subgraphs.user.audit import AuditAction, AuditLog
from subgraphs.user.drafts import draft_user, profile_of
from subgraphs.user.events import USER_REGISTERED, announce_user
from subgraphs.user.model import (
    EmailTaken,
    InvalidCredentials,
    InvalidMailToken,
    can_be_password,
    check_email,
    check_name,
    check_password,
    email_key,
    normalise_password,
)
from subgraphs.user.passwords import Passwords
from subgraphs.user.repository import UserRepository
from subgraphs.user.sessions import Sessions, Tokens
from subgraphs.user.throttle import AttemptKind, Throttle

# Whoever tries to log in before confirming gets the letter again, at most so often
LETTER_AGAIN_AFTER = timedelta(minutes=5)


class Registrations:
    """Takes attempts to register and makes accounts of confirmed ones."""

    def __init__(
        self,
        repository: AccountRepository,
        users: UserRepository,
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
        self._client = client
        self._database = database
        self._clock = clock
        self._passwords = passwords
        self._sessions = sessions
        self._postbox = postbox
        self._audit = audit
        self._throttle = throttle

    async def register(self, *, email: str, password: str, name: str, origin: Origin = UNKNOWN_ORIGIN) -> None:
        """Write an attempt down and have its mailbox asked; the same steps for every address.

        Raises:
            BadUserInput: a value is not acceptable.
            TooManyAttempts: so many were made for this address, or from this network.
        """
        checked_email, checked_name = check_email(email), check_name(name)
        attempt = await self._throttle.admit(AttemptKind.REGISTER, email_key(checked_email), origin)
        # Counted either way, and noted where it closed a gate
        await attempt.succeeded()
        password_hash = await self._passwords.hash(check_password(password, email=checked_email))
        key, now = email_key(checked_email), self._clock.now()
        if not await self._postbox.may_write(LetterKind.REGISTRATION, key):
            return
        registration = RegistrationDocument(
            id=new_id("reg"),
            email=checked_email,
            email_key=key,
            name=checked_name,
            password_hash=password_hash,
            letter_at=now,
            created_at=now,
            expires_at=now + VERIFICATION_TTL,
        )

        async def work(session: Session) -> None:
            await self._repository.insert_registration(registration, session=session)
            await self._postbox.put(
                LetterKind.REGISTRATION, registration_id=registration.id, origin=origin, session=session
            )

        await in_transaction(self._client, work)

    async def verify(
        self, token: str, password: str, *, transport: str = "BEARER", origin: Origin = UNKNOWN_ORIGIN
    ) -> Tokens:
        """Make a confirmed attempt an account, and log in to it.

        Raises:
            InvalidMailToken: the token is not valid, or the address has an account by now.
            InvalidCredentials: the attempt was made with another password; the token may be tried again.
        """
        refusal = InvalidMailToken("the token is not valid: it was used, has expired, or a newer letter was sent")
        token_hash = hash_mail_token(token)
        registration = await self._repository.find_registration_by_token(token_hash, now=self._clock.now())
        if registration is None:
            raise refusal
        if not can_be_password(password) or not await self._passwords.verify(
            registration.password_hash, normalise_password(password)
        ):
            raise InvalidCredentials("this is not the password that you have registered with")
        now = self._clock.now()
        account = draft_user(
            email=registration.email,
            name=registration.name,
            roles=(Role.CUSTOMER,),
            password_hash=registration.password_hash,
            now=now,
        )
        profile = profile_of(account)

        async def work(session: Session) -> Tokens:
            if not await self._repository.take_registration(registration.id, token_hash, session=session):
                raise refusal
            await self._users.insert_user(account, session=session)
            await self._repository.delete_registrations(account.email_key, session=session)
            await announce_user(USER_REGISTERED, profile, database=self._database, now=now, session=session)
            await self._audit.record(
                AuditAction.ACCOUNT_OPENED, by=ANONYMOUS, user_id=account.id, origin=origin, session=session
            )
            return await self._sessions.open(profile, transport=transport, origin=origin, session=session)

        try:
            return await in_transaction(self._client, work)
        except EmailTaken:
            raise refusal from None

    async def find_unconfirmed(self, address_key: str) -> RegistrationDocument | None:
        """Return the last attempt with an address that can still be confirmed, for a login."""
        return await self._repository.find_newest_registration(address_key, now=self._clock.now())

    async def remind(self, registration: RegistrationDocument | None) -> None:
        """Have the letter about an attempt sent again, now and then; None costs as much and does nothing."""
        now = self._clock.now()
        await self._repository.ask_for_letter(
            None if registration is None else registration.id, before=now - LETTER_AGAIN_AFTER, now=now
        )
