"""Change streams over outboxes: they wake a relay as soon as there is an event, which turns its poll into a push.

The poll remains for whatever a stream misses. Each stream makes the server look at every write of the deployment, so
outboxes that are reached through one client share one, where its user may open a stream over all databases.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeAlias

from pymongo.asynchronous.change_stream import AsyncChangeStream
from pymongo.errors import OperationFailure

from core.events import OUTBOX
from core.loops import wait_for_poll, warn
from core.mongo import Client, Row
from core.relay import Relay

_UNAUTHORIZED = 13

OpenStream: TypeAlias = Callable[[Sequence[Mapping[str, Any]]], Awaitable[AsyncChangeStream[Row]]]
"""The `watch` of a client, a database or a collection."""


def group_by_client(relays: Sequence[Relay]) -> list[tuple[Client, list[Relay]]]:
    """Return each client with the relays whose outboxes are reached through it."""
    # By identity: two clients of one server may be different users
    groups: dict[int, tuple[Client, list[Relay]]] = {}
    for relay in relays:
        client = relay.publisher.runtime.client
        groups.setdefault(id(client), (client, []))[1].append(relay)
    return list(groups.values())


async def wake_relays(
    open_stream: OpenStream, relays: Sequence[Relay], finish: asyncio.Event, *, may_be_refused: bool = False
) -> None:
    """Wake each of *relays* at every event of its outbox, until *finish* is set.

    With *may_be_refused* also return when the user may not open this stream.
    """
    by_database = {relay.publisher.runtime.database.name: relay for relay in relays}
    while not finish.is_set():
        try:
            async with await open_stream(_new_events(by_database)) as stream:
                async for change in stream:
                    by_database[change["ns"]["db"]].wake()
        except Exception as error:
            if may_be_refused and isinstance(error, OperationFailure) and error.code == _UNAUTHORIZED:
                return
            warn("change stream ended", error, databases=list(by_database))
        # Also when it ended without an error, as one of a collection does when its database is dropped
        await wait_for_poll(finish)


def _new_events(databases: Mapping[str, Relay]) -> list[Mapping[str, Any]]:
    match = {
        "operationType": "insert",
        "ns.db": {"$in": list(databases)},
        "ns.coll": OUTBOX,
        # Beside events the outbox may have rows for readers of the subgraph's own
        "fullDocument.due_at": {"$exists": True},
    }
    # Where it happened is enough; events may be long
    return [{"$match": match}, {"$project": {"ns": 1}}]
