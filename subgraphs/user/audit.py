"""The audit log: what was done and by whom. Rows are added and stay; MongoDB forgets them by their age.

This module is the only one that touches the collection, and it knows no way to remove a row, or to change what was done
and by whom; `forget_origins_of` alone empties where an erased person was.
tests/unit/subgraphs/user/test_audit.py reads the code and says so. The application's database user can be kept from it,
too; docs/users.md has the role to grant.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.errors import OperationFailure

from core.audit import PrivilegedAction
from core.clock import Clock
from core.identity import Identity
from core.ids import new_id
from core.mongo import Database, Row, Session
from core.paging import Page, PageRequest, find_page
from core.subgraph import UNKNOWN_ORIGIN, Origin

AUDIT = "audit_entries"

# Newest first; the id tells two entries of one millisecond apart
_ORDER = (("at", -1), ("_id", -1))
# One index per way of filtering, each in the order of the list. The first one that a filter names serves it: what an
# account did or suffered is less than all that was done by the same action
_INDEXED = ("user_id", "actor_id", "action")
_UNFILTERED_INDEX = "newest"
_RETENTION_INDEX = "retention"
_INDEX_OPTIONS_CONFLICT = 85


class AuditAction(StrEnum):
    """What happened. Add a member for every privileged or security-relevant action."""

    ACCOUNT_DEACTIVATED = "ACCOUNT_DEACTIVATED"
    ACCOUNT_ERASED = "ACCOUNT_ERASED"
    ACCOUNT_OPENED = "ACCOUNT_OPENED"
    ACCOUNT_STATUS_CHANGED = "ACCOUNT_STATUS_CHANGED"
    DATA_EXPORT_REQUESTED = "DATA_EXPORT_REQUESTED"
    EMAIL_CHANGED = "EMAIL_CHANGED"
    EMAIL_CHANGE_REQUESTED = "EMAIL_CHANGE_REQUESTED"
    LOGGED_IN = "LOGGED_IN"
    LOGGED_OUT = "LOGGED_OUT"
    LOGGED_OUT_EVERYWHERE = "LOGGED_OUT_EVERYWHERE"
    LOGIN_FAILED = "LOGIN_FAILED"
    PASSWORD_CHANGED = "PASSWORD_CHANGED"
    PASSWORD_RESET = "PASSWORD_RESET"
    PASSWORD_RESET_REQUESTED = "PASSWORD_RESET_REQUESTED"
    RECOVERY_CODES_RENEWED = "RECOVERY_CODES_RENEWED"
    RECOVERY_CODE_USED = "RECOVERY_CODE_USED"
    ROLES_CHANGED = "ROLES_CHANGED"
    ROLE_CREATED = "ROLE_CREATED"
    ROLE_DELETED = "ROLE_DELETED"
    ROLE_UPDATED = "ROLE_UPDATED"
    SECOND_FACTOR_DISABLED = "SECOND_FACTOR_DISABLED"
    SECOND_FACTOR_ENABLED = "SECOND_FACTOR_ENABLED"
    SECOND_FACTOR_FAILED = "SECOND_FACTOR_FAILED"
    SESSION_REUSED = "SESSION_REUSED"
    SESSION_REVOKED = "SESSION_REVOKED"
    TOO_MANY_ATTEMPTS = "TOO_MANY_ATTEMPTS"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One row. *target* is what it was done to where that is no account: a product, an order, a role."""

    id: str
    at: datetime
    action: str
    actor_id: str | None
    user_id: str | None
    target: str | None
    address: str
    user_agent: str
    details: Mapping[str, str | int | bool]


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries; None means all. *since* is included, *until* is not."""

    action: str | None = None
    actor_id: str | None = None
    user_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def audit_indexes(retention_days: int) -> tuple[IndexModel, ...]:
    """Return the indexes of the entries; the last one forgets them after *retention_days*."""
    newest_first = [("at", DESCENDING), ("_id", DESCENDING)]
    return (
        IndexModel(newest_first, name=_UNFILTERED_INDEX),
        *(IndexModel([(name, ASCENDING), *newest_first], name=f"by_{name}") for name in _INDEXED),
        IndexModel([("at", ASCENDING)], name=_RETENTION_INDEX, expireAfterSeconds=retention_days * 86_400),
    )


class AuditLog:
    """Adds to the log of one database, and reads it."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._entries = database[AUDIT]
        self._clock = clock

    async def prepare(self, *, retention_days: int) -> None:
        """Create the indexes: those that serve the list, and the one that forgets."""
        *listing, retention = audit_indexes(retention_days)
        await self._entries.create_indexes(listing)
        retention_s = retention.document["expireAfterSeconds"]
        try:
            await self._entries.create_indexes([retention])
        except OperationFailure as error:
            if error.code != _INDEX_OPTIONS_CONFLICT:
                raise
            # The setting was changed since the last start
            index = {"name": _RETENTION_INDEX, "expireAfterSeconds": retention_s}
            await self._database.command("collMod", AUDIT, index=index)

    async def record(
        self,
        action: AuditAction,
        *,
        by: Identity,
        user_id: str | None = None,
        target: str | None = None,
        origin: Origin = UNKNOWN_ORIGIN,
        details: Mapping[str, str | int | bool] | None = None,
        session: Session | None = None,
    ) -> None:
        """Add an entry: *by* did *action* to the account *user_id*, or to *target* that is none.

        *details* hold no secrets and no contact data. With *session* the entry is written in that transaction, so that
        there is no change without its entry.
        """
        row: Row = {
            "_id": new_id("aud"),
            "at": self._clock.now(),
            "action": action.value,
            "actor_id": by.subject,
            "user_id": user_id,
            "target": target,
            "address": origin.address,
            "user_agent": origin.user_agent,
            "details": dict(details or {}),
        }
        await self._entries.insert_one(row, session=session)

    async def append(self, privileged: PrivilegedAction, *, event_id: str, session: Session) -> None:
        """Add what another subgraph has announced by the event *event_id*, in the transaction of *session*."""
        row: Row = {
            # Of the event: delivered twice, it is one entry, whatever the inbox remembers
            "_id": f"aud_{event_id.removeprefix('evt_')}",
            "at": privileged.at,
            "action": privileged.action,
            "actor_id": privileged.actor_id,
            "user_id": None,
            "target": privileged.target,
            "address": "",
            "user_agent": "",
            "details": dict(privileged.details),
        }
        if await self._entries.find_one({"_id": row["_id"]}, {"_id": 1}, session=session) is None:
            await self._entries.insert_one(row, session=session)

    async def find_entries(self, wanted: AuditFilter, page: PageRequest) -> Page[AuditEntry]:
        """Return a page of entries, newest first."""
        query: dict[str, Any] = {name: getattr(wanted, name) for name in _INDEXED if getattr(wanted, name) is not None}
        index = next((f"by_{name}" for name in query), _UNFILTERED_INDEX)
        bounds = {"$gte": wanted.since, "$lt": wanted.until}
        moments = {operator: moment for operator, moment in bounds.items() if moment is not None}
        if moments:
            query["at"] = moments
        found = await find_page(self._entries, query, _ORDER, page, hint=index)
        entries = tuple(_entry_from(row) for row in found.rows)
        return Page(entries, found.cursors, found.has_next, found.has_previous)

    async def find_entries_about(self, user_id: str) -> list[AuditEntry]:
        """Return all that was done to an account, oldest first, for its holder: without where others were."""
        rows = await self._entries.find({"user_id": user_id}).sort([("at", 1), ("_id", 1)]).to_list()
        entries = [_entry_from(row) for row in rows]
        return [
            entry if entry.actor_id in (None, user_id) else replace(entry, address="", user_agent="")
            for entry in entries
        ]

    async def forget_origins_of(self, user_id: str, *, session: Session) -> None:
        """Empty the network addresses and browsers that were an erased person's, in the transaction of *session*."""
        theirs = [{"actor_id": user_id}, {"actor_id": None, "user_id": user_id}]
        await self._entries.update_many({"$or": theirs}, {"$set": {"address": "", "user_agent": ""}}, session=session)


def _entry_from(row: Row) -> AuditEntry:
    return AuditEntry(
        id=row["_id"],
        at=row["at"],
        action=row["action"],
        actor_id=row["actor_id"],
        user_id=row["user_id"],
        target=row.get("target"),
        address=row["address"],
        user_agent=row["user_agent"],
        details=row["details"],
    )
