"""Events between subgraphs: an outbox in the publisher's database, an inbox in each subscriber's.

An event is written in the transaction of the change that it tells of, so there is never one without the other. The
worker (core/worker.py) delivers it at least once; the inbox makes a handler's effect happen once.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from pymongo import IndexModel

from core.ids import new_id
from core.mongo import Client, Database, DuplicateKeyError, Row, Session, in_transaction

OUTBOX = "outbox"
INBOX = "inbox"
# A delivered event and its inbox entry are kept for so long: far beyond any redelivery, and enough to look back
RETENTION = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that has happened.

    *type* is in the past tense (`OrderPaid`), *subject* the id of what it happened to, *payload* BSON values.
    """

    id: str
    type: str
    subject: str
    payload: Mapping[str, Any]
    occurred_at: datetime


EventHandler: TypeAlias = Callable[[Event, Session], Awaitable[None]]
"""Reacts to an event with writes in the given session only; it may be run again until the transaction commits."""


async def announce(
    database: Database,
    type_: str,
    subject: str,
    payload: Mapping[str, Any],
    *,
    now: datetime,
    session: Session,
    beside: Sequence[Row] = (),
) -> Event:
    """Write an event to the outbox, in the transaction of *session*.

    *beside* are further rows of the outbox, for a reader of the subgraph's own: a command costs more than they do.
    """
    event = Event(id=new_id("evt"), type=type_, subject=subject, payload=payload, occurred_at=now)
    row: Row = {
        "_id": event.id,
        "type": event.type,
        "subject": event.subject,
        "payload": dict(payload),
        "occurred_at": now,
        "delivered_to": [],
        "attempts": 0,
        # When the relay looks at it next; absent once every subscriber has it
        "due_at": now,
    }
    await database[OUTBOX].insert_many([row, *beside], session=session)
    return event


async def handle_once(client: Client, database: Database, event: Event, handler: EventHandler) -> bool:
    """Run *handler* unless this event was handled before; return whether it ran.

    The inbox entry commits with the handler's writes: a second delivery, even one at the same time, changes nothing.
    """

    async def work(session: Session) -> None:
        await database[INBOX].insert_one(
            {"_id": event.id, "type": event.type, "at": event.occurred_at}, session=session
        )
        await handler(event, session)

    # The usual second delivery ends here, without the cost of a transaction
    if await database[INBOX].find_one({"_id": event.id}, projection={"_id": 1}) is not None:
        return False
    try:
        await in_transaction(client, work)
    except DuplicateKeyError as error:
        if (error.details or {}).get("keyPattern") == {"_id": 1} and INBOX in str(error):
            return False
        raise
    return True


def event_indexes() -> dict[str, tuple[IndexModel, ...]]:
    """Return the indexes of outbox and inbox, by collection."""
    ttl_s = int(RETENTION.total_seconds())
    return {
        OUTBOX: (
            # Only events still to be delivered have `due_at`: the relay's index stays as small as its backlog
            IndexModel("due_at", partialFilterExpression={"due_at": {"$exists": True}}),
            IndexModel("claimed", partialFilterExpression={"claimed": True}),
            IndexModel("delivered_at", expireAfterSeconds=ttl_s),
        ),
        INBOX: (IndexModel("at", expireAfterSeconds=2 * ttl_s),),
    }


async def create_event_indexes(database: Database) -> None:
    """Create the collections and indexes of outbox and inbox."""
    for collection, indexes in event_indexes().items():
        await database[collection].create_indexes(list(indexes))


def event_from_row(row: Row) -> Event:
    """Read an outbox row."""
    return Event(row["_id"], row["type"], row["subject"], row["payload"], row["occurred_at"])
