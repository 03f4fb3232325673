"""The audit log: what was done to accounts and by whom. Rows are added and never changed."""

from collections.abc import Mapping
from enum import StrEnum

from core.clock import Clock
from core.identity import Identity
from core.ids import new_id
from core.mongo import Database, Row, Session
from core.subgraph import UNKNOWN_ORIGIN, Origin

AUDIT = "audit_entries"


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
    SECOND_FACTOR_DISABLED = "SECOND_FACTOR_DISABLED"
    SECOND_FACTOR_ENABLED = "SECOND_FACTOR_ENABLED"
    SECOND_FACTOR_FAILED = "SECOND_FACTOR_FAILED"
    SESSION_REUSED = "SESSION_REUSED"
    SESSION_REVOKED = "SESSION_REVOKED"


class AuditLog:
    """Adds to the log of one database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._entries = database[AUDIT]
        self._clock = clock

    async def record(
        self,
        action: AuditAction,
        *,
        by: Identity,
        user_id: str | None = None,
        origin: Origin = UNKNOWN_ORIGIN,
        details: Mapping[str, str | int | bool] | None = None,
        session: Session | None = None,
    ) -> None:
        """Add an entry: *by* did *action* to the account *user_id*.

        *details* hold no secrets and no contact data. With *session* the entry is written in that transaction, so that
        there is no change without its entry.
        """
        row: Row = {
            "_id": new_id("aud"),
            "at": self._clock.now(),
            "action": action.value,
            "actor_id": by.subject,
            "user_id": user_id,
            "address": origin.address,
            "user_agent": origin.user_agent,
            "details": dict(details or {}),
        }
        await self._entries.insert_one(row, session=session)
