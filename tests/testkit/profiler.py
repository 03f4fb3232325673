"""What a database was asked, as its own profiler saw it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from core.mongo import Database


@asynccontextmanager
async def recorded_queries(database: Database) -> AsyncIterator[list[str]]:
    """Yield a list that holds, after the block, the collection of each query and aggregation sent within, in order."""
    recorded: list[str] = []
    await database["system.profile"].drop()
    await database.command("profile", 2)
    try:
        yield recorded
    finally:
        await database.command("profile", 0)
    query = {"$or": [{"op": "query"}, {"op": "command", "command.aggregate": {"$exists": True}}]}
    async for row in database["system.profile"].find(query).sort("ts", 1):
        recorded.append(row["ns"].partition(".")[2])
