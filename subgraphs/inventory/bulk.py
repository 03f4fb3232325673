"""Opening stock of many products at once, for seeds and imports: raw rows, no transaction."""

from collections.abc import Mapping
from datetime import datetime
from itertools import islice

from core.mongo import Database
from subgraphs.inventory.model import MovementKind
from subgraphs.inventory.repository import MOVEMENTS, STOCK, movement_row

BATCH = 1000


async def insert_stock(database: Database, on_hand: Mapping[str, int], *, now: datetime) -> int:
    """Give products that have no stock row yet *on_hand* pieces each, with their ledger rows; return how many."""
    products = iter(on_hand.items())
    while batch := list(islice(products, BATCH)):
        levels = [
            {"_id": product_id, "on_hand": count, "reserved": 0, "available": count, "updated_at": now}
            for product_id, count in batch
        ]
        await database[STOCK].insert_many(levels, ordered=False)
        movements = [
            movement_row(product_id, MovementKind.ADJUSTED, now, on_hand=count, reason="opening stock")
            for product_id, count in batch
            if count
        ]
        if movements:
            await database[MOVEMENTS].insert_many(movements, ordered=False)
    return len(on_hand)
