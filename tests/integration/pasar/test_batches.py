"""A batch of a load is noted when all of it was written, and only then."""

import pytest
from bson import encode
from pymongo.errors import BulkWriteError

from core.mongo import Client
from pasar.loading.batch import BatchWriter, Destination, EncodedBatch, WrittenBatch
from pasar.loading.journal import JOURNAL


async def test_a_batch_of_which_a_row_is_refused_is_not_noted(
    mongo_uri: str, mongo_client: Client, database_prefix: str
) -> None:
    database = mongo_client[f"{database_prefix}order"]
    destination = Destination(mongo_uri, database_prefix, {"orders": database.name}, is_resumed=False)
    writer = BatchWriter(destination)
    rows = [encode({"_id": name}) for name in "ab"]
    try:
        assert writer.write(EncodedBatch("first", {"orders": rows}, b"")) == WrittenBatch("first", {"orders": 2})
        with pytest.raises(BulkWriteError) as refusal:
            writer.write(EncodedBatch("second", {"orders": [*rows[1:], encode({"_id": "c"})]}, b""))
    finally:
        writer.close()
    assert [error["index"] for error in (refusal.value.details or {})["writeErrors"]] == [0]
    assert [row["_id"] async for row in database[JOURNAL].find()] == ["first"]
    assert {row["_id"] async for row in database["orders"].find()} == {"a", "b", "c"}
