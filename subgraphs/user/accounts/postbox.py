"""Sends the letters to account holders.

A use case only puts a letter into the box, in the transaction of the change that the letter is about. Who gets it, and
what it says, is found out by the worker. So a request takes the same steps whether or not an address has an account,
and its time tells nothing (`register`, `requestPasswordReset`).
"""

from datetime import datetime, timedelta
from traceback import format_tb
from typing import Any

import structlog

from core.clock import Clock
from core.errors import Unavailable
from core.identity import ANONYMOUS
from core.ids import new_id
from core.mail import Mail, Mailer
from core.mongo import Client, Session, in_transaction
from core.subgraph import UNKNOWN_ORIGIN, Origin
from subgraphs.user.accounts.documents import (
    LetterDocument,
    LetterKind,
    MailTokenDocument,
    TokenPurpose,
)
from subgraphs.user.accounts.letters import (
    NEWS_TTL,
    TOKEN_TTL,
    write_news,
    write_taken_letter,
    write_token_letter,
)
from subgraphs.user.accounts.mail_tokens import MailTokens, hash_mail_token, new_nonce
from subgraphs.user.accounts.repository import AccountRepository
from subgraphs.user.audit import AuditAction, AuditLog
from subgraphs.user.documents import UserDocument
from subgraphs.user.model import AccountStatus, email_key
from subgraphs.user.repository import UserRepository

log = structlog.get_logger(__name__)

# Letters that one run of the job sends
BATCH = 200
# A claimed letter belongs to one worker for so long: more than a mail server takes
CLAIM = timedelta(seconds=60)
LONGEST_RETRY = timedelta(hours=1)
# Whoever types strangers' addresses into a form must not fill their mailboxes. In an hour, because that is how long the
# token of a reset lives: the last of these letters is of use until the next one may be sent
MOST_LETTERS = 5
LETTERS_PER = timedelta(hours=1)


class Postbox:
    """Takes letters and sends them."""

    def __init__(
        self,
        repository: AccountRepository,
        users: UserRepository,
        *,
        client: Client,
        clock: Clock,
        mailer: Mailer,
        tokens: MailTokens,
        audit: AuditLog,
        url: str,
    ) -> None:
        self._repository = repository
        self._users = users
        self._client = client
        self._clock = clock
        self._mailer = mailer
        self._tokens = tokens
        self._audit = audit
        self._url = url

    async def may_write(
        self, kind: LetterKind, address_key: str, *, most: int | None = None, per: timedelta = LETTERS_PER
    ) -> bool:
        """Tell whether an address may be sent one more letter of this kind, and count it.

        At most *most*, or MOST_LETTERS, *per* so long from the first.
        """
        now = self._clock.now()
        return await self._repository.take_allowance(
            kind, address_key, most=MOST_LETTERS if most is None else most, now=now, until=now + per
        )

    async def put(
        self, kind: LetterKind, *, origin: Origin = UNKNOWN_ORIGIN, session: Session, **addressee: Any
    ) -> None:
        """Have a letter sent once the transaction commits; *addressee* are fields of LetterDocument."""
        now = self._clock.now()
        letter = LetterDocument(
            id=new_id("let"),
            kind=kind,
            nonce=new_nonce(),
            address=origin.address,
            user_agent=origin.user_agent,
            created_at=now,
            due_at=now,
            **addressee,
        )
        await self._repository.insert_letter(letter, session=session)

    async def tell(
        self, kind: LetterKind, account: UserDocument, *, to: str | None = None, session: Session, **values: Any
    ) -> None:
        """Have *account* told what has happened, at its address unless *to* is another one."""
        await self.put(kind, to=to or account.email, user_id=account.id, values=values, session=session)

    async def send_due(self, now: datetime) -> None:
        """Send what is in the box; a letter that cannot be sent is tried again later and holds up nothing."""
        await self._put_wanted_letters()
        for _ in range(BATCH):
            letter = await self._repository.claim_letter(now=now, until=now + CLAIM)
            if letter is None:
                return
            try:
                mail = await self._write(letter, now)
                if mail is not None:
                    await self._mailer.send(mail, now=now)
            except Exception as error:
                # One letter must not hold up the others. Of the error only where it came from: a library's message may
                # quote the address or the text
                expected = isinstance(error, Unavailable)
                log.warning(
                    "letter not sent yet",
                    letter_id=letter.id,
                    kind=letter.kind.value,
                    attempts=letter.attempts,
                    error=type(error).__name__,
                    trace=None if expected else "".join(format_tb(error.__traceback__)),
                )
                delay = min(CLAIM * 2 ** min(letter.attempts - 1, 10), LONGEST_RETRY)
                await self._repository.postpone_letter(letter.id, now + delay)
                continue
            await self._repository.delete_letter(letter.id)

    async def _put_wanted_letters(self) -> None:
        async def work(session: Session) -> bool:
            registration = await self._repository.take_wanted_letter(session=session)
            if registration is None:
                return False
            await self.put(LetterKind.REGISTRATION, registration_id=registration.id, session=session)
            return True

        for _ in range(BATCH):
            if not await in_transaction(self._client, work):
                return

    async def _write(self, letter: LetterDocument, now: datetime) -> Mail | None:
        """Return what is sent; None when nobody is to get it."""
        if now >= letter.created_at + TOKEN_TTL.get(letter.kind, NEWS_TTL):
            return None
        match letter.kind:
            case LetterKind.REGISTRATION:
                return await self._write_to_registrant(letter)
            case LetterKind.PASSWORD_RESET:
                account = await self._users.find_credentials(letter.email_key or "")
                return await self._write_to_holder(letter, account, TokenPurpose.PASSWORD_RESET)
            case LetterKind.EMAIL_CHANGE:
                account = await self._users.find_user(letter.user_id or "")
                return await self._write_to_holder(letter, account, TokenPurpose.EMAIL_CHANGE)
            case _:
                return _mail(letter, letter.to or "", write_news(letter.kind, letter.values))

    async def _write_to_registrant(self, letter: LetterDocument) -> Mail | None:
        registration = await self._repository.find_registration(letter.registration_id or "")
        if registration is None:
            return None
        account = await self._users.find_credentials(registration.email_key)
        if account is not None:
            # To the address as its holder has spelled it
            return _mail(letter, account.email, write_taken_letter(letter.kind, url=self._graphql_url))
        token = self._tokens.derive(letter.nonce)
        if not await self._repository.set_registration_token(registration.id, hash_mail_token(token)):
            return None
        return self._mail_token(letter, registration.email, token)

    async def _write_to_holder(
        self, letter: LetterDocument, account: UserDocument | None, purpose: TokenPurpose
    ) -> Mail | None:
        if account is None or account.status is not AccountStatus.ACTIVE:
            return None
        if letter.new_email is not None:
            other = await self._users.find_credentials(email_key(letter.new_email))
            if other is not None and other.id != account.id:
                return _mail(letter, other.email, write_taken_letter(letter.kind, url=self._graphql_url))
        token = self._tokens.derive(letter.nonce)
        row = MailTokenDocument(
            id=f"{account.id}:{purpose}",
            user_id=account.id,
            purpose=purpose,
            token_hash=hash_mail_token(token),
            new_email=letter.new_email,
            created_at=letter.created_at,
            expires_at=letter.created_at + TOKEN_TTL[letter.kind],
        )

        async def work(session: Session) -> bool:
            before = await self._repository.mark_minted(letter.id, session=session)
            if before is None:
                return False
            await self._repository.replace_token(row, session=session)
            if purpose is TokenPurpose.PASSWORD_RESET and not before.minted:
                await self._audit.record(
                    AuditAction.PASSWORD_RESET_REQUESTED,
                    by=ANONYMOUS,
                    user_id=account.id,
                    origin=Origin(letter.address, letter.user_agent),
                    session=session,
                )
            return True

        if not await in_transaction(self._client, work):
            return None
        return self._mail_token(letter, letter.new_email or account.email, token)

    def _mail_token(self, letter: LetterDocument, to: str, token: str) -> Mail:
        return _mail(letter, to, write_token_letter(letter.kind, token=token, url=self._graphql_url))

    @property
    def _graphql_url(self) -> str:
        return f"{self._url}/graphql"


def _mail(letter: LetterDocument, to: str, written: tuple[str, str]) -> Mail:
    subject, text = written
    return Mail(letter.id, to, subject, f"{text}\n")
