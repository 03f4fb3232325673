"""The user subgraph's MongoDB queries."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from core.mongo import Database, DuplicateKeyError, Row, Session, find_one_and_update
from core.paging import Page, PageRequest, find_page
from subgraphs.user.documents import UserDocument
from subgraphs.user.model import EmailTaken, Profile, profile_from_row

# What a profile is read from; never the password's hash
PROFILE_FIELDS = {"email": 1, "name": 1, "phone": 1, "roles": 1, "created_at": 1}


class UserRepository:
    """Accounts in one database."""

    def __init__(self, database: Database) -> None:
        self._users = database["users"]

    async def insert_user(self, document: UserDocument, *, session: Session | None = None) -> None:
        """Add an account; raise EmailTaken when another one has its address."""
        try:
            await document.insert(session=session)
        except DuplicateKeyError as error:
            if (error.details or {}).get("keyPattern") == {"email_key": 1}:
                raise EmailTaken("an account with this e-mail address exists already") from error
            raise

    async def find_credentials(self, email_key: str) -> UserDocument | None:
        """Return the whole account of an address, for a login."""
        row = await self._users.find_one({"email_key": email_key})
        return None if row is None else UserDocument.model_validate(row)

    async def find_user(self, user_id: str, *, session: Session | None = None) -> UserDocument | None:
        """Return the whole account, for a change."""
        row = await self._users.find_one({"_id": user_id}, session=session)
        return None if row is None else UserDocument.model_validate(row)

    async def find_profiles(self, user_ids: Collection[str]) -> list[Profile]:
        """Return the profiles of *user_ids* that exist, in any order."""
        rows = self._users.find({"_id": {"$in": list(user_ids)}}, PROFILE_FIELDS)
        return [profile_from_row(row) async for row in rows]

    async def find_profile_page(self, search: str | None, page: PageRequest) -> Page[Profile]:
        """Return a page of profiles, newest first; *search* is the beginning of an address, a name, or a word of it."""
        query: Row = {} if not search else {"search_keys": {"$regex": f"^{re.escape(search.casefold())}"}}
        # Ids begin with the time of their creation
        found = await find_page(self._users, query, [("_id", -1)], page, projection=PROFILE_FIELDS)
        return Page(
            tuple(profile_from_row(row) for row in found.rows), found.cursors, found.has_next, found.has_previous
        )

    async def update_user(self, user_id: str, changes: Mapping[str, Any], *, session: Session) -> UserDocument | None:
        """Apply *changes*; return the account, or None when there is none.

        What was read in the same transaction still holds: a write in between would have made this one conflict.
        """
        return await find_one_and_update(
            UserDocument, {"_id": user_id}, {"$set": dict(changes), "$inc": {"version": 1}}, session=session
        )

    async def replace_password_hash(self, user_id: str, old: str, new: str) -> None:
        """Store *new* unless the password was changed in the meantime."""
        await self._users.update_one({"_id": user_id, "password_hash": old}, {"$set": {"password_hash": new}})
