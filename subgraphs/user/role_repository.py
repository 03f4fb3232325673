"""The MongoDB queries of roles: those that were made up, who holds them, and who is left to administer."""

from collections.abc import Collection
from datetime import datetime

from core.identity import Role
from core.mongo import Database, DuplicateKeyError, Row, Session
from core.scopes import ASSIGNABLE_SCOPES
from subgraphs.user.documents import RoleDocument, UserDocument
from subgraphs.user.role_model import RoleDefinition

# An account that can log in: one that was neither suspended nor ended, nor is it too old to have a status
ACTIVE: Row = {"status": {"$in": [None, "ACTIVE"]}}


class RoleRepository:
    """Roles of one database. Built-in roles are code and not stored."""

    def __init__(self, database: Database) -> None:
        self._roles = database[RoleDocument.Settings.name]
        self._users = database[UserDocument.Settings.name]

    async def find_roles(
        self, names: Collection[str] | None = None, *, session: Session | None = None
    ) -> list[RoleDefinition]:
        """Return the roles of *names* that exist, or all of them, by name.

        A stored scope that is not assignable any more, or never was, is not read.
        """
        query: Row = {} if names is None else {"_id": {"$in": list(names)}}
        rows = self._roles.find(query, {"description": 1, "scopes": 1}, session=session).sort("_id", 1)
        return [
            RoleDefinition(row["_id"], row["description"], tuple(sorted(ASSIGNABLE_SCOPES.intersection(row["scopes"]))))
            async for row in rows
        ]

    async def count_roles(self, *, session: Session) -> int:
        """Return how many there are."""
        return await self._roles.count_documents({}, hint="_id_", session=session)

    async def insert_role(self, role: RoleDefinition, *, now: datetime, session: Session) -> bool:
        """Add *role*; return False, with nothing written, when its name is taken."""
        document = RoleDocument(
            id=role.name, description=role.description, scopes=list(role.scopes), created_at=now, updated_at=now
        )
        try:
            await document.insert(session=session)
        except DuplicateKeyError:
            return False
        return True

    async def replace_role(self, role: RoleDefinition, *, now: datetime, session: Session) -> bool:
        """Write description and scopes of *role*; return False when there is none of its name."""
        changes = {"description": role.description, "scopes": list(role.scopes), "updated_at": now}
        result = await self._roles.update_one(
            {"_id": role.name}, {"$set": changes, "$inc": {"version": 1}}, session=session
        )
        return result.matched_count == 1

    async def delete_role(self, name: str, *, session: Session) -> bool:
        """Remove the role; return False when there was none."""
        return (await self._roles.delete_one({"_id": name}, session=session)).deleted_count == 1

    async def touch_roles(self, names: Collection[str], *, session: Session) -> bool:
        """Write to the roles of *names*, so that deleting one at the same moment collides; return whether all exist."""
        result = await self._roles.update_many({"_id": {"$in": list(names)}}, {"$inc": {"version": 1}}, session=session)
        return result.matched_count == len(set(names))

    async def count_holders(self, name: str, *, session: Session) -> int:
        """Return how many accounts have the role."""
        return await self._users.count_documents({"roles": name}, session=session)

    async def find_holders(self, name: str, *, session: Session) -> list[str]:
        """Return the ids of the accounts that have the role."""
        return [row["_id"] async for row in self._users.find({"roles": name}, {"_id": 1}, session=session)]

    async def touch_another_admin(self, user_id: str, *, session: Session) -> bool:
        """Write to an active administrator other than *user_id*; return False when there is none.

        Two administrators that demote each other at the same moment write to each other's account here and there, so
        that one of the two transactions runs again and sees that nobody would be left.
        """
        other = {"roles": Role.ADMIN.value, "_id": {"$ne": user_id}, **ACTIVE}
        result = await self._users.update_one(other, {"$inc": {"version": 1}}, session=session)
        return result.matched_count == 1
