"""The user subgraph's MongoDB queries."""

import re
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from core.mongo import Database, DuplicateKeyError, Row, Session, find_one_and_update
from core.paging import Page, PageRequest, find_page
from subgraphs.user.documents import UserDocument
from subgraphs.user.model import AccountStatus, EmailTaken, Profile, profile_from_row

# What a profile is read from; never the password's hash
PROFILE_FIELDS = {"email": 1, "name": 1, "phone": 1, "roles": 1, "created_at": 1, "status": 1}


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
        query: Row = {"status": {"$ne": AccountStatus.ERASED}}
        if search:
            query["search_keys"] = {"$regex": f"^{re.escape(search.casefold())}"}
        # Ids begin with the time of their creation
        found = await find_page(self._users, query, [("_id", -1)], page, projection=PROFILE_FIELDS)
        return Page(
            tuple(profile_from_row(row) for row in found.rows), found.cursors, found.has_next, found.has_previous
        )

    async def update_user(self, user_id: str, changes: Mapping[str, Any], *, session: Session) -> UserDocument | None:
        """Apply *changes*; return the account, or None when there is none.

        What was read in the same transaction still holds: a write in between would have made this one conflict.
        Raises EmailTaken when another account has the new address.
        """
        try:
            return await find_one_and_update(
                UserDocument, {"_id": user_id}, {"$set": dict(changes), "$inc": {"version": 1}}, session=session
            )
        except DuplicateKeyError as error:
            raise EmailTaken("another account has this e-mail address") from error

    async def replace_password_hash(self, user_id: str, old: str, new: str) -> None:
        """Store *new* unless the password was changed in the meantime."""
        await self._users.update_one({"_id": user_id, "password_hash": old}, {"$set": {"password_hash": new}})

    async def note_login(self, user_id: str, password_hash: str, *, now: datetime, session: Session) -> bool:
        """Note a login on the account; return False if its password or its status has changed since it was read.

        Writing to the account makes a login collide with what ends all sessions at the same moment, so that no session
        with the old password outlives it.
        """
        result = await self._users.update_one(
            # None finds rows from before accounts had a status
            {"_id": user_id, "password_hash": password_hash, "status": {"$in": [AccountStatus.ACTIVE, None]}},
            {"$set": {"last_login_at": now}},
            session=session,
        )
        return result.matched_count == 1
