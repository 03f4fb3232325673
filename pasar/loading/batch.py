"""A batch of rows: made, written and noted by one program of several."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bson.binary import Binary
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError

from pasar.loading.journal import JOURNAL


@dataclass(frozen=True, slots=True)
class EncodedBatch:
    """Some rows as BSON, by collection, with the sums of the orders among them. *name* is unique in the load."""

    name: str
    rows: Mapping[str, Sequence[bytes]]
    sums: bytes


@dataclass(frozen=True, slots=True)
class WrittenBatch:
    """A batch that is there as a whole; *new* are the rows, by collection, that were not before."""

    name: str
    new: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Destination:
    """Where batches go: *databases* by collection. *is_resumed*: rows may be there, of batches that were cut short."""

    uri: str
    prefix: str
    databases: Mapping[str, str]
    is_resumed: bool


class BatchWriter:
    """Writes batches, and notes them in the journal.

    The driver's plain client, for its programs do nothing else meanwhile.
    """

    def __init__(self, destination: Destination) -> None:
        self._destination = destination
        self._client = MongoClient[dict[str, Any]](destination.uri, appname="pasar load", w="majority")

    def write(self, batch: EncodedBatch) -> WrittenBatch:
        """Write a batch that is not noted yet, and note it."""
        new: dict[str, int] = {}
        for name, encoded in batch.rows.items():
            collection = self._client[self._destination.databases[name]][name]
            rows = [RawBSONDocument(row) for row in encoded]
            if self._destination.is_resumed:
                rows = _without_present(collection, rows)
            new[name] = len(rows)
            if rows:
                _insert(collection, rows)
        journal = self._client[f"{self._destination.prefix}order"][JOURNAL]
        journal.insert_one({"_id": batch.name, "sums": Binary(batch.sums)})
        return WrittenBatch(batch.name, new)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def _insert(collection: Collection[dict[str, Any]], rows: Sequence[RawBSONDocument]) -> None:
    # insert_many would decode each row for its id
    command = {"insert": collection.name, "documents": rows, "ordered": False, "writeConcern": {"w": "majority"}}
    answer = collection.database.command(command)
    if "writeErrors" in answer or "writeConcernError" in answer:
        raise BulkWriteError(answer)


def _without_present(collection: Collection[dict[str, Any]], rows: Sequence[RawBSONDocument]) -> list[RawBSONDocument]:
    ids = [row["_id"] for row in rows]
    present = {row["_id"] for row in collection.find({"_id": {"$in": ids}}, {"_id": 1})}
    return [row for row, row_id in zip(rows, ids, strict=True) if row_id not in present]
