"""A new account before it is written."""

from collections.abc import Collection
from datetime import datetime

from core.ids import new_id
from subgraphs.user.documents import UserDocument
from subgraphs.user.model import Profile, email_key, profile_from_row, search_keys


def draft_user(*, email: str, name: str, roles: Collection[str], password_hash: str, now: datetime) -> UserDocument:
    """Return an account of checked values."""
    return UserDocument(
        id=new_id("usr"),
        email=email,
        email_key=email_key(email),
        name=name,
        roles=list(roles),
        password_hash=password_hash,
        search_keys=list(search_keys(email, name)),
        created_at=now,
        updated_at=now,
    )


def profile_of(document: UserDocument) -> Profile:
    """Return the account as others may read it."""
    return profile_from_row({**document.model_dump(), "_id": document.id})
