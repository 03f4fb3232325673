"""Subgraphs that only publish and subscribe, for the tests of the worker."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

import strawberry

from core.clock import Clock
from core.events import Event, EventHandler, announce
from core.jobs import Job
from core.mongo import Client, Row, Session, in_transaction
from core.subgraph import Subgraph
from schema.build import build_schema


@strawberry.type
class Query:
    """What a schema cannot be without."""

    nothing: str = "nothing"


SCHEMA = build_schema(Query)


class MakeSubgraph(Protocol):
    """Makes and starts a subgraph with these handlers and jobs; *client* is another than the tests' own."""

    async def __call__(
        self,
        name: str,
        handlers: Mapping[str, EventHandler] | None = None,
        jobs: tuple[Job, ...] = (),
        *,
        at: Clock | None = None,
        client: Client | None = None,
    ) -> Subgraph:
        """Return the subgraph, on a database of its own."""
        ...


async def tell(publisher: Subgraph, type_: str, subject: str) -> str:
    """Announce an event as *publisher* and return its id."""
    database, now = publisher.runtime.database, publisher.runtime.clock.now()

    async def work(session: Session) -> Event:
        return await announce(database, type_, subject, {"subject": subject}, now=now, session=session)

    return (await in_transaction(publisher.runtime.client, work)).id


def all_delivered(publisher: Subgraph) -> Callable[[], Awaitable[bool]]:
    """Return the question whether nothing waits in the outbox of *publisher*."""

    async def look() -> bool:
        return await publisher.runtime.database["outbox"].count_documents({"due_at": {"$exists": True}}) == 0

    return look


async def outbox(publisher: Subgraph) -> list[Row]:
    """Return all rows of the outbox, oldest first."""
    return await publisher.runtime.database["outbox"].find().sort("_id", 1).to_list()


def note_into(subgraph_name: str, seen: list[tuple[str, str, str]]) -> EventHandler:
    """Return a handler that notes the subgraph's name, the event's type and its subject."""

    async def handle(event: Event, session: Session) -> None:
        seen.append((subgraph_name, event.type, event.subject))

    return handle
