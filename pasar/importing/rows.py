"""A purchase of a file as an order: delivered and paid on its day, with an id that follows from what it is."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from pasar.derived_ids import derived_id, digest_of, id_from_digest
from pasar.importing.order_file import Purchase
from subgraphs.order.bulk import PastLine, PastOrder

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Numbering:
    """Tells equal lines of one file apart. Mutable: it remembers those it has seen, about 100 bytes each.

    A customer may buy the same for the same money twice a day, so the second of two equal lines is another purchase.
    In a file that is imported again, also a longer one, each line gets the same number again.
    """

    def __init__(self) -> None:
        self._seen: set[bytes] = set()
        self._repeated: Counter[bytes] = Counter()

    def identify(self, source: str, purchase: Purchase) -> str | None:
        """Return the order id of *purchase* in the history *source*; None when a line before it has the same id.

        That is only so where the history numbers its orders itself.
        """
        if purchase.order_id:
            digest = digest_of("import", source, purchase.order_id)
            if digest in self._seen:
                return None
        else:
            what = (
                purchase.customer,
                purchase.placed_at.isoformat(),
                str(purchase.quantity),
                str(purchase.total.amount),
                purchase.total.currency,
                purchase.product,
            )
            digest = digest_of("import", source, *what, "1")
            if digest in self._seen:
                self._repeated[digest] += 1
                return derived_id("ord", "import", source, *what, str(1 + self._repeated[digest]))
        self._seen.add(digest)
        return id_from_digest("ord", digest)


def imported_order(order_id: str, source: str, purchase: Purchase) -> PastOrder:
    """Return the order of *purchase*.

    The price of one piece is the total divided by their number, rounded down: the total is what was paid, and reports
    add up totals.
    """
    product = purchase.product or source
    line = PastLine(
        product_id=derived_id("prd", "import", source, product),
        name=product,
        sku=product,
        quantity=purchase.quantity,
        unit_amount=purchase.total.amount // purchase.quantity,
        total_amount=purchase.total.amount,
    )
    return PastOrder(
        id=order_id,
        number=number_of(order_id, (purchase.placed_at - _EPOCH) // timedelta(seconds=1)),
        buyer_id=derived_id("usr", "import", source, purchase.customer),
        buyer_name=purchase.customer,
        currency=purchase.total.currency,
        lines=(line,),
        placed_at=purchase.placed_at,
    )


def number_of(order_id: str, placed_s: int) -> str:
    """Return the number of an imported order that was placed so many seconds after 1970 began."""
    return f"IMP-{_day_of(placed_s // 86_400)}-{order_id[-16:].upper()}"


@lru_cache(50_000)
def _day_of(number: int) -> str:
    return f"{_EPOCH + timedelta(days=number):%y%m%d}"
