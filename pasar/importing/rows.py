"""A purchase of a file as an order: delivered and paid on its day, with an id that follows from what it is."""

from collections import Counter
from hashlib import blake2b

from pasar.derived_ids import derived_id
from pasar.importing.order_file import Purchase
from subgraphs.order.bulk import PastLine, PastOrder


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
            what: tuple[str, ...] = (purchase.order_id,)
            return derived_id("ord", "import", source, *what) if self._count(what) == 1 else None
        what = (
            purchase.customer,
            purchase.placed_at.isoformat(),
            str(purchase.quantity),
            str(purchase.total.amount),
            purchase.total.currency,
            purchase.product,
        )
        return derived_id("ord", "import", source, *what, str(self._count(what)))

    def _count(self, what: tuple[str, ...]) -> int:
        """Return how many times *what* was seen, now included."""
        # Of 16 bytes, for the texts of millions of lines are many
        digest = blake2b("\x1f".join(what).encode("utf-8", "surrogateescape"), digest_size=16).digest()
        if digest not in self._seen:
            self._seen.add(digest)
            return 1
        self._repeated[digest] += 1
        return 1 + self._repeated[digest]


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
        number=f"IMP-{purchase.placed_at:%y%m%d}-{order_id[-16:].upper()}",
        buyer_id=derived_id("usr", "import", source, purchase.customer),
        buyer_name=purchase.customer,
        currency=purchase.total.currency,
        lines=(line,),
        placed_at=purchase.placed_at,
    )
