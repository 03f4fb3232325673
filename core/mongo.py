"""MongoDB as the store uses it: one client per process, majority writes, transactions that are retried."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

from beanie import Document, init_beanie
from pymongo import AsyncMongoClient, ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError
from pymongo.monitoring import CommandListener

Row: TypeAlias = dict[str, Any]
Client: TypeAlias = AsyncMongoClient[Row]
Database: TypeAlias = AsyncDatabase[Row]
Session: TypeAlias = AsyncClientSession

D = TypeVar("D", bound=Document)
T = TypeVar("T")

__all__ = [
    "Client",
    "Database",
    "DuplicateKeyError",
    "Row",
    "Session",
    "connect",
    "find_one_and_update",
    "in_transaction",
    "init_documents",
]


def connect(
    uri: str,
    *,
    app_name: str = "pasar",
    listeners: Sequence[CommandListener] = (),
    connect_timeout_ms: int = 5_000,
) -> Client:
    """Return a client for *uri*; nothing is sent before the first command. *listeners* are told of each command.

    *connect_timeout_ms* bounds the driver's heartbeats, too; when one fails, commands under way are given up.
    A write is acknowledged by a majority, so that it outlives the primary. Time-outs are bounded: a store that waits
    for ever looks the same as one that is down.
    """
    return AsyncMongoClient(
        uri,
        appname=app_name,
        tz_aware=True,
        w="majority",
        readConcernLevel="majority",
        serverSelectionTimeoutMS=10_000,
        connectTimeoutMS=connect_timeout_ms,
        socketTimeoutMS=60_000,
        maxPoolSize=100,
        event_listeners=listeners,
    )


async def init_documents(database: Database, documents: Sequence[type[Document]]) -> None:
    """Bind *documents* to *database* and create their indexes."""
    # Beanie annotates its parameters with invariant types; ours are narrower
    await init_beanie(database=database, document_models=list(documents))


async def in_transaction(client: Client, work: Callable[[Session], Awaitable[T]]) -> T:
    """Run *work* in one transaction and return its result; it is run again after a transient conflict.

    *work* must therefore have no effect but its writes with the given session.
    """
    async with client.start_session() as session:
        result: T = await session.with_transaction(work)
        return result


async def find_one_and_update(
    document: type[D],
    query: Mapping[str, Any],
    update: Mapping[str, Any] | Sequence[Mapping[str, Any]],
    *,
    session: Session | None = None,
    upsert: bool = False,
    sort: Sequence[tuple[str, int]] | None = None,
) -> D | None:
    """Update the one document that *query* finds and return it as it is afterwards, or None if there was none.

    The guard belongs in *query*: two callers with the same guard cannot both win.
    """
    row = await document.get_pymongo_collection().find_one_and_update(
        query,
        update,
        session=session,
        upsert=upsert,
        sort=sort,
        return_document=ReturnDocument.AFTER,
    )
    return None if row is None else document.model_validate(row)
