"""Import a purchase history into a store."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import TypeAlias

from pasar.importing.order_file import FileFormat, Purchase, RefusedRow, read_purchases
from pasar.importing.rows import Numbering, imported_order
from pasar.store import Store
from subgraphs.order.bulk import BATCH, batches_of, insert_orders

#: A purchase with the id of its order.
Identified: TypeAlias = tuple[str, Purchase]


class Imported:
    """What became of the lines: every line is in exactly one of three counts. Mutable: lines are counted in it."""

    def __init__(self) -> None:
        self.read = 0
        self.imported = 0
        self.refused = 0
        self.first_at: datetime | None = None
        self.last_at: datetime | None = None

    @property
    def already_there(self) -> int:
        """Return how many lines were orders of the store, or of the lines before them."""
        return self.read - self.imported - self.refused

    def identify(
        self,
        rows: Iterable[Purchase | RefusedRow],
        source: str,
        on_refused: Callable[[RefusedRow], None],
    ) -> Iterator[Identified]:
        """Yield the purchases among *rows*, counting all of them."""
        numbering = Numbering()
        for row in rows:
            self.read += 1
            if isinstance(row, RefusedRow):
                self.refused += 1
                on_refused(row)
                continue
            self.first_at = min(self.first_at or row.placed_at, row.placed_at)
            self.last_at = max(self.last_at or row.placed_at, row.placed_at)
            order_id = numbering.identify(source, row)
            if order_id is not None:
                yield order_id, row


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
    """Write each line that is a purchase as an order into a store that may be in use; *store* has been started.

    Args:
        lines: the file's text, opened as `read_purchases` wants it.
        source: the history's name. Importing it again, also a longer file of it, adds only what is not there.
        on_refused: called with every other line.
        on_progress: called with the number of lines that were looked at.

    Raises:
        OrderFileUnusable: as read_purchases; nothing was written.
    """
    database = store.subgraphs["order"].runtime.database
    result = Imported()
    purchases = result.identify(read_purchases(lines, format_, now=now), source, on_refused)
    for batch in batches_of(purchases, BATCH):
        orders = [imported_order(order_id, source, purchase) for order_id, purchase in batch]
        result.imported += await insert_orders(store.client, database, orders)
        on_progress(result.read)
    on_progress(result.read)
    return result
