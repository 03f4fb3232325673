"""Mail to customers: over SMTP, or into a development mailbox in MongoDB that a page shows."""

import re
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from typing import Protocol
from urllib.parse import unquote, urlsplit

import aiosmtplib
import structlog
from pymongo.errors import CollectionInvalid, OperationFailure

from core.errors import Unavailable
from core.mongo import Database, Row

log = structlog.get_logger(__name__)

MAILBOX = "mailbox"
# The development mailbox keeps the newest messages only
MAILBOX_SIZE_BYTES = 16 * 1024 * 1024
_NAMESPACE_EXISTS = 48
SMTP_TIMEOUT_S = 15


@dataclass(frozen=True, slots=True)
class Mail:
    """One message. *id* is stable across retries, so that a second sending can be recognised."""

    id: str
    to: str
    subject: str
    text: str


class Mailer(Protocol):
    """Whatever gets a message to its reader."""

    async def send(self, mail: Mail, *, now: datetime) -> None:
        """Hand *mail* over; raise Unavailable when it should be tried again."""
        ...


class MailboxMailer:
    """Keeps mail in a capped collection instead of sending it. Mutable: it creates the collection at the first use."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._exists = False

    async def send(self, mail: Mail, *, now: datetime) -> None:
        """Store *mail* once."""
        await self._ensure_collection()
        row: Row = {"to": mail.to, "subject": mail.subject, "text": mail.text, "at": now}
        await self._database[MAILBOX].update_one({"_id": mail.id}, {"$setOnInsert": row}, upsert=True)

    async def read(self, *, to: str | None = None, limit: int = 100) -> list[Mail]:
        """Return the newest messages first, of one recipient if *to* is given."""
        # A capped collection keeps its rows in the order in which they came
        rows = self._database[MAILBOX].find({} if to is None else {"to": to}).sort("$natural", -1).limit(limit)
        return [Mail(row["_id"], row["to"], row["subject"], row["text"]) async for row in rows]

    async def _ensure_collection(self) -> None:
        if self._exists:
            return
        try:
            await self._database.create_collection(MAILBOX, capped=True, size=MAILBOX_SIZE_BYTES)
        except CollectionInvalid:
            # It is there already
            pass
        except OperationFailure as error:
            # Another process was faster between the driver's look and its own try
            if error.code != _NAMESPACE_EXISTS:
                raise
        self._exists = True


class SmtpMailer:
    """Sends mail through an SMTP server: `smtp://user:password@host:587` (STARTTLS) or `smtps://host:465`."""

    def __init__(self, url: str, *, sender: str) -> None:
        self._url = urlsplit(url)
        self._sender = sender

    async def send(self, mail: Mail, *, now: datetime) -> None:
        """Send *mail*; its id becomes the Message-ID.

        An address that the server refuses for good is logged and dropped: trying again would not help.
        """
        message = EmailMessage()
        message["From"] = self._sender
        message["To"] = mail.to
        # A header must be one line: a subject is often built from what people typed
        message["Subject"] = re.sub(r"\s+", " ", mail.subject)
        message["Date"] = now
        message["Message-ID"] = f"<{mail.id}@{self._url.hostname}>"
        message.set_content(mail.text)
        username = unquote(self._url.username) if self._url.username else None
        try:
            await aiosmtplib.send(
                message,
                hostname=self._url.hostname,
                port=self._url.port,
                username=username,
                password=unquote(self._url.password) if self._url.password else None,
                use_tls=self._url.scheme == "smtps",
                # Encrypted when the server offers it; a password never goes over an open line
                start_tls=True if username is not None and self._url.scheme == "smtp" else None,
                timeout=SMTP_TIMEOUT_S,
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            if all(refused.code >= 500 for refused in error.recipients):
                log.warning("the mail server refused an address for good", mail_id=mail.id)
                return
            raise Unavailable("the mail server does not take mail for the recipient now") from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise Unavailable(f"the mail server refused or did not answer: {type(error).__name__}") from error
