"""The MongoDB queries about sessions, refresh tokens and revoked access tokens."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from pymongo import UpdateOne

from core.key_ring import OVERLAP
from core.mongo import Database, Row, Session, find_one_and_update
from core.subgraph import Origin
from subgraphs.user.documents import RefreshTokenDocument, SessionDocument, UserDocument

# A list for a person to read. Whoever has more sessions than this ends them all at once
MAX_LISTED = 200


class SessionRepository:
    """Sessions, refresh tokens and revocations in one database."""

    def __init__(self, database: Database) -> None:
        self._sessions = database["sessions"]
        self._revocations = database["revocations"]

    async def touch_account(self, user_id: str, changes: dict[str, Any], *, session: Session) -> UserDocument | None:
        """Apply *changes* and return the account as it is now; None when there is none.

        Reading it would not do: a change at the same moment must collide with this one, so that one sees the other.
        """
        return await find_one_and_update(UserDocument, {"_id": user_id}, {"$set": changes}, session=session)

    async def find_account(self, user_id: str, *, session: Session) -> UserDocument | None:
        """Return the account."""
        return await UserDocument.find_one({"_id": user_id}, session=session)

    async def insert_session(self, document: SessionDocument, token: RefreshTokenDocument, *, session: Session) -> None:
        """Add a session with its first refresh token."""
        await document.insert(session=session)
        await token.insert(session=session)

    async def find_refresh_token(self, token_hash: str) -> RefreshTokenDocument | None:
        """Return a refresh token, used or not."""
        return await RefreshTokenDocument.find_one({"_id": token_hash})

    async def replace_refresh_token(
        self, token_hash: str, successor: RefreshTokenDocument, *, now: datetime, session: Session
    ) -> bool:
        """Mark the token as used and add its successor; return False, with nothing written, if it was used before."""
        used = await find_one_and_update(
            RefreshTokenDocument,
            {"_id": token_hash, "used_at": None, "expires_at": {"$gt": now}},
            {"$set": {"used_at": now}},
            session=session,
        )
        if used is None:
            return False
        await successor.insert(session=session)
        return True

    async def extend_session(
        self, session_id: str, *, now: datetime, expires_at: datetime, origin: Origin, session: Session
    ) -> SessionDocument | None:
        """Note a use of the session and return it; None if it has ended.

        Writing to the session makes a refresh collide with whatever ends it, or changes the account's roles, at the
        same moment, so that one of them sees the other.
        """
        seen = {"address": origin.address, "user_agent": origin.user_agent}
        return await find_one_and_update(
            SessionDocument,
            {"_id": session_id, "revoked_at": None},
            {
                "$set": {
                    "last_used_at": now,
                    "expires_at": expires_at,
                    **{name: value for name, value in seen.items() if value},
                }
            },
            session=session,
        )

    async def find_session(self, session_id: str) -> SessionDocument | None:
        """Return a session, living or not."""
        return await SessionDocument.find_one({"_id": session_id})

    async def is_living(self, session_id: str, *, now: datetime) -> bool:
        """Tell whether the session goes on."""
        return await self._sessions.find_one({"_id": session_id, **_living(now)}, {"_id": 1}) is not None

    async def find_living_of(self, user_id: str, *, now: datetime) -> list[SessionDocument]:
        """Return the sessions of an account that go on, the newest first."""
        rows = self._sessions.find({"user_id": user_id, **_living(now)}).sort("created_at", -1).limit(MAX_LISTED)
        return [SessionDocument.model_validate(row) async for row in rows]

    async def end_session(self, session_id: str, *, reason: str, now: datetime, session: Session) -> bool:
        """End the session with all its tokens; return whether it lived until now."""
        result = await self._sessions.update_one(
            {"_id": session_id, **_living(now)},
            {"$set": {"revoked_at": now, "revoked_reason": reason}},
            session=session,
        )
        if result.modified_count == 0:
            return False
        await self._revoke({session_id: None}, now=now, session=session)
        return True

    async def end_sessions_of(
        self, user_id: str, *, reason: str, except_session: str | None, now: datetime, session: Session
    ) -> list[str]:
        """End the sessions of an account, but one, and return their ids."""
        query = {"user_id": user_id, "_id": {"$ne": except_session}, **_living(now)}
        ids = [row["_id"] async for row in self._sessions.find(query, {"_id": 1}, session=session)]
        if ids:
            ended = {"revoked_at": now, "revoked_reason": reason}
            await self._sessions.update_many({"_id": {"$in": ids}}, {"$set": ended}, session=session)
            await self._revoke(dict.fromkeys(ids), now=now, session=session)
        return ids

    async def begin_generation_of(self, user_ids: Collection[str], *, now: datetime, session: Session) -> None:
        """Refuse the access tokens of accounts that are out, and let their sessions go on."""
        query = {"user_id": {"$in": list(user_ids)}, **_living(now)}
        await self._sessions.update_many(query, {"$inc": {"generation": 1}}, session=session)
        rows = self._sessions.find(query, {"generation": 1}, session=session)
        before: dict[str, int | None] = {row["_id"]: row["generation"] async for row in rows}
        await self._revoke(before, now=now, session=session)

    async def find_revocations(self, since: datetime | None, *, now: datetime) -> list[Row]:
        """Return the revocations that still matter, those of *since* or later if it is given."""
        query: Row = {"until": {"$gt": now}}
        if since is not None:
            query["at"] = {"$gte": since}
        return await self._revocations.find(query, {"before": 1, "until": 1}).to_list()

    async def _revoke(self, before: dict[str, int | None], *, now: datetime, session: Session) -> None:
        # An overlap of keys is the longest life of a token, with something for clocks that differ
        writes = [
            UpdateOne(
                {"_id": session_id},
                {"$set": {"before": generation, "at": now, "until": now + OVERLAP}},
                upsert=True,
            )
            for session_id, generation in before.items()
        ]
        if writes:
            await self._revocations.bulk_write(writes, session=session)


def _living(now: datetime) -> Row:
    return {"revoked_at": None, "expires_at": {"$gt": now}}
