"""Import a purchase history into a store."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from pasar.importing.order_file import FileFormat, Purchase, RefusedRow, read_purchases
from pasar.importing.rows import Numbering, imported_order
from pasar.store import Store
from subgraphs.order.bulk import BATCH, PastOrder, insert_orders


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of the lines: every line is in exactly one of the three counts."""

    imported: int
    already_there: int
    refused: int
    first_at: datetime | None
    last_at: datetime | None


async def import_orders(
    store: Store,
    lines: Iterable[str],
    format_: FileFormat,
    *,
    source: str,
    now: datetime,
    on_refused: Callable[[RefusedRow], None],
    on_progress: Callable[[int], None] = lambda lines: None,
) -> Imported:
    """Write each line that is a purchase as an order; *store* has been started.

    Args:
        lines: the file's text, opened as `read_purchases` wants it.
        source: the history's name. Importing it again, also a longer file of it, adds only what is not there.
        on_refused: called with every other line.
        on_progress: called with the number of lines that were looked at.

    Raises:
        OrderFileUnusable: as read_purchases; nothing was written.
    """
    database = store.subgraphs["order"].runtime.database
    numbering = Numbering()
    batch: list[PastOrder] = []
    read = imported = refused = 0
    first_at: datetime | None = None
    last_at: datetime | None = None

    async def write_batch() -> None:
        nonlocal imported
        imported += await insert_orders(store.client, database, batch)
        batch.clear()
        on_progress(read)

    for row in read_purchases(lines, format_, now=now):
        read += 1
        if isinstance(row, Purchase):
            batch.append(imported_order(numbering.identify(source, row), source, row))
            first_at = min(first_at or row.placed_at, row.placed_at)
            last_at = max(last_at or row.placed_at, row.placed_at)
        else:
            refused += 1
            on_refused(row)
        if len(batch) == BATCH:
            await write_batch()
    if batch:
        await write_batch()
    on_progress(read)
    return Imported(imported, read - imported - refused, refused, first_at, last_at)
