"""Privileged actions: what staff did, announced by the subgraph in whose data it was done.

The user subgraph keeps the audit log. Every other subgraph owns its own database, so it writes an event into its
outbox, in the transaction of the change: there is no change without its entry, and no entry of what was rolled back.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from core.events import Event, announce
from core.mongo import Database, Session

PRIVILEGED_ACTION = "PrivilegedAction"


@dataclass(frozen=True, slots=True)
class PrivilegedAction:
    """What was done. *action* is in the past tense (`PRODUCT_EDITED`), *target* the id of what it was done to.

    *details* hold no secrets and no contact data.
    """

    action: str
    target: str
    actor_id: str | None
    details: Mapping[str, str | int | bool]
    at: datetime


async def announce_privileged(
    database: Database,
    action: str,
    target: str,
    *,
    actor_id: str | None,
    now: datetime,
    session: Session,
    details: Mapping[str, str | int | bool] | None = None,
) -> None:
    """Tell the audit log, in the transaction of *session*, that *actor_id* did *action* to *target*."""
    payload = {"action": action, "target": target, "actor_id": actor_id, "details": dict(details or {})}
    await announce(database, PRIVILEGED_ACTION, target, payload, now=now, session=session)


def read_privileged(event: Event) -> PrivilegedAction:
    """Read an event that `announce_privileged` has written."""
    payload = event.payload
    return PrivilegedAction(
        action=payload["action"],
        target=payload["target"],
        actor_id=payload["actor_id"],
        details=payload["details"],
        at=event.occurred_at,
    )
