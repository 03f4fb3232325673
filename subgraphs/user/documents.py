"""What the user subgraph stores."""

from datetime import datetime
from typing import Any, ClassVar

from beanie import Document
from pydantic import Field
from pymongo import ASCENDING, DESCENDING, IndexModel

from subgraphs.user.model import AccountStatus


class UserDocument(Document):
    """An account. *email_key* is the address in the one spelling that is unique."""

    id: str  # type: ignore[assignment]  # Beanie's is an ObjectId
    email: str
    email_key: str
    name: str
    phone: str | None = None
    roles: list[str]
    password_hash: str
    # A login opens no session without it
    has_second_factor: bool = False
    # Written with each session, so that opening one collides with whatever changes the account at the same moment
    last_login_at: datetime | None = None
    # Beginnings under which staff finds the account
    search_keys: list[str]
    status: AccountStatus = AccountStatus.ACTIVE
    # As accounts/address_book.py writes them
    addresses: list[dict[str, Any]] = Field(default_factory=list)
    default_address_id: str | None = None
    created_at: datetime
    updated_at: datetime
    version: int = 1

    class Settings:
        """Collection and indexes."""

        name = "users"
        indexes: ClassVar = [
            # Two registrations of one address cannot both be written, whatever ran before
            IndexModel([("email_key", ASCENDING)], unique=True),
            IndexModel([("search_keys", ASCENDING)]),
            # Who holds a role that is to be deleted; who is left to administer
            IndexModel([("roles", ASCENDING)]),
        ]


class RoleDocument(Document):
    """A role that administrators have made up; its name is its id. Built-in ones are not stored."""

    id: str  # type: ignore[assignment]
    description: str
    scopes: list[str]
    created_at: datetime
    updated_at: datetime
    # Raised by every assignment, too, so that a deletion at the same moment collides with it
    version: int = 1

    class Settings:
        """Collection."""

        name = "roles"


class SessionDocument(Document):
    """One login, and thereby the family of all refresh tokens that descend from it."""

    id: str  # type: ignore[assignment]
    user_id: str
    transport: str
    # Of the client that used it last
    user_agent: str
    address: str = ""
    created_at: datetime
    last_used_at: datetime
    # Of the newest refresh token; the session is forgotten with it
    expires_at: datetime
    # Of its access tokens; raised to make those that are out invalid, while the session goes on
    generation: int = 0
    # Null while it lives; then why it does not, an EndReason
    revoked_at: datetime | None = None
    revoked_reason: str | None = None

    class Settings:
        """Collection and indexes."""

        name = "sessions"
        indexes: ClassVar = [
            IndexModel([("user_id", ASCENDING), ("created_at", DESCENDING)]),
            IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0),
        ]


class RefreshTokenDocument(Document):
    """A refresh token, known by its hash. Used ones stay until they expire, so that a second use is recognised."""

    # SHA-256 in hex. The token has 256 random bits, so a slow hash would protect nothing more
    id: str  # type: ignore[assignment]
    session_id: str
    user_id: str
    issued_at: datetime
    expires_at: datetime
    used_at: datetime | None = None

    class Settings:
        """Collection and indexes."""

        name = "refresh_tokens"
        indexes: ClassVar = [
            IndexModel([("session_id", ASCENDING)]),
            IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0),
        ]


class RevocationDocument(Document):
    """Access tokens of a session that are refused although they have not expired; routers read this list."""

    # The session's
    id: str  # type: ignore[assignment]
    # Tokens of earlier generations are refused; null refuses all
    before: int | None = None
    at: datetime
    # The last token has expired by then
    until: datetime

    class Settings:
        """Collection and indexes."""

        name = "revocations"
        indexes: ClassVar = [
            IndexModel([("at", ASCENDING)]),
            IndexModel([("until", ASCENDING)], expireAfterSeconds=0),
        ]
