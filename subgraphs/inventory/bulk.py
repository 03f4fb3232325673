"""Opening stock of many products at once, for seeds and imports: raw rows."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from itertools import islice

from core.identity import service_identity
from core.mongo import Database, Row, Session, in_transaction
from subgraphs.inventory.model import MovementKind
from subgraphs.inventory.repository import MOVEMENTS, STOCK, level_row, movement_row

BATCH = 1000
# Of what the catalogue is told beside this
FIRST_REVISION = 1
BY = service_identity("inventory").subject


async def insert_stock(
    database: Database, on_hand: Mapping[str, int], *, now: datetime, atomically: bool = True
) -> int:
    """Give products without counters *on_hand* pieces each in the main warehouse, with ledger rows; return how many.

    Counters without their ledger rows would be taken for drift, and mended. They count as announced, and nothing is:
    whoever calls this also tells the catalogue (`Product.in_stock`). Not *atomically* is for a load into a database
    that nobody else uses, which has no transactions: it is repeated when it was cut short.
    """
    products = iter(on_hand.items())
    while batch := list(islice(products, BATCH)):
        levels = [
            {"_id": product_id, **level_row(count, now=now), "announced": count > 0, "revision": FIRST_REVISION}
            for product_id, count in batch
        ]
        movements = [
            movement_row(product_id, MovementKind.ADJUSTED, now, on_hand=count, reason="opening stock", by=BY)
            for product_id, count in batch
            if count
        ]
        if atomically:
            await in_transaction(database.client, partial(_insert, database, levels, movements))
        else:
            await _insert(database, levels, movements)
    return len(on_hand)


async def _insert(database: Database, levels: list[Row], movements: list[Row], session: Session | None = None) -> None:
    await database[STOCK].insert_many(levels, ordered=False, session=session)
    if movements:
        await database[MOVEMENTS].insert_many(movements, ordered=False, session=session)
