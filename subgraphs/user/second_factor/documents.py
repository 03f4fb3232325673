"""What is stored about second factors."""

from datetime import datetime
from typing import ClassVar

from beanie import Document
from pymongo import ASCENDING, IndexModel


class SecondFactorDocument(Document):
    """The authenticator app of an account, whose id is its own."""

    id: str  # type: ignore[assignment]  # Beanie's is an ObjectId
    sealed_secret: str
    created_at: datetime
    # Null until a code has shown that the app has the secret
    confirmed_at: datetime | None = None
    # Time step of the code that was accepted last: none of it or of an earlier one counts again
    last_counter: int = -1
    # Keyed hashes; a used one is removed
    recovery_digests: list[str]
    # Codes that were tried since the last right one; from some number on, each makes the next one wait
    tries: int = 0
    blocked_until: datetime | None = None

    class Settings:
        """Collection."""

        name = "second_factors"


class ChallengeDocument(Document):
    """A login that has shown the password and still has to show a code."""

    # SHA-256 in hex, as of refresh tokens
    id: str  # type: ignore[assignment]
    user_id: str
    # Of the password's hash: a challenge does not outlive the password that it was given for
    password_digest: str
    tries: int = 0
    used_at: datetime | None = None
    created_at: datetime
    expires_at: datetime

    class Settings:
        """Collection and indexes."""

        name = "login_challenges"
        indexes: ClassVar = [
            IndexModel([("user_id", ASCENDING)]),
            IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0),
        ]
