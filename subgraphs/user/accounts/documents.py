"""What is stored about accounts besides the accounts: everything here ends by itself."""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from beanie import Document
from pydantic import Field
from pymongo import ASCENDING, DESCENDING, IndexModel


class LetterKind(StrEnum):
    """What a letter is about. The first three carry a token."""

    REGISTRATION = "REGISTRATION"
    PASSWORD_RESET = "PASSWORD_RESET"
    EMAIL_CHANGE = "EMAIL_CHANGE"
    PASSWORD_CHANGED = "PASSWORD_CHANGED"
    EMAIL_CHANGE_REQUESTED = "EMAIL_CHANGE_REQUESTED"
    EMAIL_CHANGED = "EMAIL_CHANGED"
    ACCOUNT_DEACTIVATED = "ACCOUNT_DEACTIVATED"
    ACCOUNT_SUSPENDED = "ACCOUNT_SUSPENDED"
    ACCOUNT_REACTIVATED = "ACCOUNT_REACTIVATED"
    ACCOUNT_ERASED = "ACCOUNT_ERASED"
    EXPORT_READY = "EXPORT_READY"
    BACK_IN_STOCK = "BACK_IN_STOCK"
    CODES_GUESSED = "CODES_GUESSED"
    RECOVERY_CODE_USED = "RECOVERY_CODE_USED"
    SECOND_FACTOR_DISABLED = "SECOND_FACTOR_DISABLED"
    SECOND_FACTOR_ENABLED = "SECOND_FACTOR_ENABLED"
    SESSION_REUSED = "SESSION_REUSED"


class TokenPurpose(StrEnum):
    """What a token of an account is good for."""

    PASSWORD_RESET = "PASSWORD_RESET"
    EMAIL_CHANGE = "EMAIL_CHANGE"


class RegistrationDocument(Document):
    """One attempt to register. It becomes an account when its own mail token comes back with its own password."""

    id: str  # type: ignore[assignment]  # Beanie's is an ObjectId
    email: str
    email_key: str
    name: str
    password_hash: str
    # Of the letter that was sent last; null before the first
    token_hash: str | None = None
    # When a letter was queued last, and whether another one is asked for
    letter_at: datetime
    letter_wanted: bool = False
    created_at: datetime
    expires_at: datetime

    class Settings:
        """Collection and indexes."""

        name = "registrations"
        indexes: ClassVar = [
            IndexModel([("email_key", ASCENDING), ("_id", DESCENDING)]),
            IndexModel(
                [("token_hash", ASCENDING)], unique=True, partialFilterExpression={"token_hash": {"$type": "string"}}
            ),
            IndexModel([("letter_wanted", ASCENDING)], partialFilterExpression={"letter_wanted": True}),
            IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0),
        ]


class MailTokenDocument(Document):
    """The one token of its purpose that an account has; its id says both, so that a newer one replaces it."""

    id: str  # type: ignore[assignment]
    user_id: str
    purpose: TokenPurpose
    token_hash: str
    # Of an EMAIL_CHANGE
    new_email: str | None = None
    created_at: datetime
    expires_at: datetime

    class Settings:
        """Collection and indexes."""

        name = "mail_tokens"
        indexes: ClassVar = [
            IndexModel([("token_hash", ASCENDING)], unique=True),
            IndexModel([("user_id", ASCENDING)]),
            IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0),
        ]


class LetterDocument(Document):
    """A letter to be written and sent; it is deleted when it is out.

    Whom it goes to is *to*, or found out when it is written: the account *user_id*, the one with *email_key*, or
    whoever registered by *registration_id*. *address* and *user_agent* are where it was asked for.
    """

    id: str  # type: ignore[assignment]
    kind: LetterKind
    nonce: str
    to: str | None = None
    user_id: str | None = None
    email_key: str | None = None
    registration_id: str | None = None
    new_email: str | None = None
    values: dict[str, Any] = Field(default_factory=dict)
    address: str = ""
    user_agent: str = ""
    created_at: datetime
    due_at: datetime
    attempts: int = 0
    # Whether its token was stored at least once
    minted: bool = False

    class Settings:
        """Collection and indexes."""

        name = "letters"
        indexes: ClassVar = [
            IndexModel([("due_at", ASCENDING)]),
            IndexModel([("user_id", ASCENDING)]),
            IndexModel([("email_key", ASCENDING)]),
        ]


class LetterAllowanceDocument(Document):
    """How many letters of a kind an address was sent lately; its id is a hash of both."""

    id: str  # type: ignore[assignment]
    letters: int
    expires_at: datetime

    class Settings:
        """Collection and indexes."""

        name = "letter_allowances"
        indexes: ClassVar = [IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0)]


class ExportStatus(StrEnum):
    """How a data export stands."""

    COLLECTING = "COLLECTING"
    READY = "READY"


class DataExportDocument(Document):
    """The one data export of an account, whose id is its own. *session_id* is the session that may read it."""

    id: str  # type: ignore[assignment]
    export_id: str
    session_id: str | None
    status: ExportStatus
    requested_at: datetime
    ready_at: datetime | None = None
    expires_at: datetime
    part_count: int = 0
    # Only while it is being collected
    due_at: datetime | None = None
    attempts: int = 0

    class Settings:
        """Collection and indexes."""

        name = "data_exports"
        indexes: ClassVar = [
            IndexModel([("due_at", ASCENDING)], partialFilterExpression={"due_at": {"$type": "date"}}),
            IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0),
        ]


class ExportPartDocument(Document):
    """A part of a data export as JSON; its id is the export's and its number, from 1."""

    id: str  # type: ignore[assignment]
    user_id: str
    content: str
    expires_at: datetime

    class Settings:
        """Collection and indexes."""

        name = "data_export_parts"
        indexes: ClassVar = [
            IndexModel([("user_id", ASCENDING)]),
            IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0),
        ]


DOCUMENTS: tuple[type[Document], ...] = (
    RegistrationDocument,
    MailTokenDocument,
    LetterDocument,
    LetterAllowanceDocument,
    DataExportDocument,
    ExportPartDocument,
)
