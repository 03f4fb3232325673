"""A load into empty collections: batch by batch, noted in a journal, and gone on with after a kill.

A batch is written before it is noted, and mongod's journal keeps that order, so a noted batch is there as a whole. What
was written and not noted is found by its ids and left out when the batch comes again. With each batch the journal has
its sums: reports are written from them, at the end, without a look at the orders.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from beanie import Document
from pymongo import AsyncMongoClient, IndexModel
from pymongo.asynchronous.collection import AsyncCollection

from core.mongo import Client, Row
from pasar.loading.batch import Destination
from pasar.loading.journal import JOURNAL, LOAD_ID, LoadUnfinished
from subgraphs.order.bulk import has_orders, write_sums
from subgraphs.order.past_sums import PastSums

# So many groups of indexes are built at once, each with a look at all rows: two keep two cores busy
INDEX_GROUPS = 2


@dataclass(frozen=True, slots=True)
class Target:
    """A collection that is loaded: where it is, and the document that has its indexes."""

    subgraph: str
    document: type[Document]

    @property
    def collection(self) -> str:
        """Return its name."""
        name: str = self.document.Settings.name
        return name

    @property
    def indexes(self) -> list[IndexModel]:
        """Return its secondary indexes."""
        indexes: list[IndexModel] = self.document.Settings.indexes
        return indexes


def connect_for_load(uri: str) -> Client:
    """Return a client for a mongod of ours without an oplog: its journal is what makes a write last."""
    return AsyncMongoClient(uri, appname="pasar load", tz_aware=True, w="majority")


class Load:
    """One load. Mutable: knows which batches are written.

    *client* leads to *uri*, where batches are written by programs of their own; *prefix* begins the names of the
    databases. *key* tells the load from any other, and *command* is how people go on with it.
    """

    def __init__(
        self, uri: str, client: Client, prefix: str, targets: Sequence[Target], *, key: str, command: str
    ) -> None:
        self._uri = uri
        self._client = client
        self._prefix = prefix
        self._key = key
        self._command = command
        self._targets = targets
        self._journal = _journal_of(client, prefix)
        self._written: set[str] = set()
        self._is_resumed = False
        self.facts: Mapping[str, Any] = {}

    async def is_begun(self) -> bool:
        """Tell whether an interrupted run began it, or another load."""
        return await self._journal.find_one({"_id": LOAD_ID}) is not None

    async def begin(self, facts: Mapping[str, Any]) -> bool:
        """Begin, or go on with what an interrupted run began; return False where the collections have rows of others.

        *facts* are kept for who goes on: `self.facts` are those of the first run.

        Raises:
            LoadUnfinished: another load was interrupted; nothing was written.
        """
        begun = await self._journal.find_one({"_id": LOAD_ID})
        if begun is not None and begun["key"] != self._key:
            raise LoadUnfinished.of(begun)
        self._is_resumed = begun is not None
        if begun is None:
            if await self._has_rows():
                return False
            begun = {"_id": LOAD_ID, "key": self._key, "command": self._command, "facts": dict(facts)}
            begun["collections"] = [[target.subgraph, target.collection] for target in self._targets]
            await self._journal.insert_one(begun)
        self.facts = begun["facts"]
        async for row in self._journal.find({"_id": {"$ne": LOAD_ID}}, {"_id": 1}):
            self._written.add(row["_id"])
        for target in self._targets:
            # A store that was started once, and sold nothing, has them
            if target.collection in await self._client[f"{self._prefix}{target.subgraph}"].list_collection_names():
                await self._collection(target).drop_indexes()
        return True

    async def _has_rows(self) -> bool:
        if await has_orders(self._client[f"{self._prefix}order"]):
            return True
        return any([await self._collection(target).find_one({}, {"_id": 1}) is not None for target in self._targets])

    @property
    def destination(self) -> Destination:
        """Return where the batches that are missing go."""
        databases = {target.collection: f"{self._prefix}{target.subgraph}" for target in self._targets}
        return Destination(self._uri, self._prefix, databases, self._is_resumed)

    def is_written(self, name: str) -> bool:
        """Tell whether the batch called *name* is there as a whole."""
        return name in self._written

    async def build_indexes(self, target: Target, group: int) -> None:
        """Build a group of a collection's indexes, of INDEX_GROUPS."""
        indexes = target.indexes[group::INDEX_GROUPS]
        if indexes:
            await self._collection(target).create_indexes(indexes)

    async def read_sums(self) -> PastSums:
        """Return the sums of all batches."""
        sums = PastSums()
        async for row in self._journal.find({"sums": {"$exists": True}}):
            sums.add(PastSums.from_bytes(row["sums"]))
        return sums

    async def write_sums(self, sums: PastSums) -> None:
        """Make reports those of *sums*."""
        await write_sums(self._client[f"{self._prefix}order"], sums)

    async def end(self) -> None:
        """Forget the journal: everything is there."""
        await self._journal.drop()

    def _collection(self, target: Target) -> AsyncCollection[Row]:
        return self._client[f"{self._prefix}{target.subgraph}"][target.collection]


async def take_back_load(client: Client, prefix: str) -> str | None:
    """Empty the collections of a load that was interrupted; return its command, None when there is none."""
    begun = await _journal_of(client, prefix).find_one({"_id": LOAD_ID})
    if begun is None:
        return None
    for subgraph, collection in begun["collections"]:
        await client[f"{prefix}{subgraph}"][collection].drop()
    await write_sums(client[f"{prefix}order"], PastSums())
    await _journal_of(client, prefix).drop()
    return str(begun["command"])


def _journal_of(client: Client, prefix: str) -> AsyncCollection[Row]:
    return client[f"{prefix}order"][JOURNAL]
