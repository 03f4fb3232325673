"""What many past orders are worth to the sums: added up order by order, without a row per order.

A load of millions has no use for a change row of each. They are merged here by quarter-hour, and by product and day,
which are the finest buckets that `rollup.increments_of` fills from them.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import msgspec

from subgraphs.order.model import SALES_STATUSES

if TYPE_CHECKING:
    # It brings Beanie along, and the programs that make rows shall start at once
    from core.mongo import Row

K = TypeVar("K")

QUARTER_S = 15 * 60
DAY_S = 86_400

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SALES = frozenset(status.value for status in SALES_STATUSES)

#: (start of a bucket in seconds since 1970, currency, status)
_Key: TypeAlias = tuple[int, str, str]
#: (start of a day in seconds since 1970, currency, status, product)
_ProductKey: TypeAlias = tuple[int, str, str, str]


class PastSums:
    """Sums of new orders. Mutable: orders are added to it."""

    def __init__(self) -> None:
        self._orders: dict[_Key, list[int]] = {}
        self._products: dict[_ProductKey, list[int]] = {}

    @property
    def order_count(self) -> int:
        """Return how many orders were added."""
        return sum(orders for orders, _, _ in self._orders.values())

    def add_row(self, order: "Row") -> None:
        """Add a row of an order."""
        lines: dict[str, tuple[int, int]] = {}
        for line in order["lines"]:
            # A product with several lines counts once
            quantity, amount = lines.get(line["product_id"], (0, 0))
            lines[line["product_id"]] = (quantity + line["quantity"], amount + line["total_amount"])
        placed_s = (order["placed_at"] - _EPOCH) // timedelta(seconds=1)
        key = (placed_s, order["currency"], order["status"])
        self.add_order(
            *key, order["quantity"], order["total_amount"], [(product, *sums) for product, sums in lines.items()]
        )

    def add_order(
        self,
        placed_s: int,
        currency: str,
        status: str,
        quantity: int,
        amount: int,
        lines: Iterable[tuple[str, int, int]],
    ) -> None:
        """Add an order, placed *placed_s* seconds after 1970 began; *lines* are (product, pieces, amount) of each."""
        _add(self._orders, (placed_s - placed_s % QUARTER_S, currency, status), 1, quantity, amount)
        day_s = placed_s - placed_s % DAY_S
        for product, pieces, line_amount in lines:
            _add(self._products, (day_s, currency, status, product), 1, pieces, line_amount)

    def add(self, other: "PastSums") -> None:
        """Add all that was added to *other*."""
        for key, sums in other._orders.items():
            _add(self._orders, key, *sums)
        for product_key, sums in other._products.items():
            _add(self._products, product_key, *sums)

    def changes(self) -> "Iterator[Row]":
        """Yield change rows, as rollup.py has them, that are worth as much as all orders together."""
        rows: dict[tuple[int, str], Row] = {}
        for (start_s, currency, status), sums in self._orders.items():
            _row_of(rows, start_s, currency)["e"].append([status, *sums])
        yield from rows.values()
        rows = {}
        for (start_s, currency, status, product), sums in self._products.items():
            _row_of(rows, start_s, currency)["p"].append([product, status, *sums])
        yield from rows.values()

    def units_sold(self) -> dict[str, int]:
        """Return the pieces per product that orders which are sales have."""
        units: Counter[str] = Counter()
        for (_, _, status, product), (_, quantity, _) in self._products.items():
            if status in _SALES:
                units[product] += quantity
        return dict(units)

    def revenue(self) -> dict[str, int]:
        """Return what orders which are sales brought in, in minor units per currency."""
        amounts: Counter[str] = Counter()
        for (_, currency, status), (_, _, amount) in self._orders.items():
            if status in _SALES:
                amounts[currency] += amount
        return dict(amounts)

    def to_bytes(self) -> bytes:
        """Return all sums in a form that `from_bytes` reads."""
        return msgspec.msgpack.encode((list(self._orders.items()), list(self._products.items())))

    @classmethod
    def from_bytes(cls, encoded: bytes) -> "PastSums":
        """Read what `to_bytes` returned."""
        sums = cls()
        orders, products = msgspec.msgpack.decode(encoded, type=_Encoded)
        sums._orders, sums._products = dict(orders), dict(products)
        return sums


_Encoded: TypeAlias = tuple[list[tuple[_Key, list[int]]], list[tuple[_ProductKey, list[int]]]]


def sum_up(orders: "Sequence[Row]") -> PastSums:
    """Return the sums of *orders*."""
    sums = PastSums()
    for order in orders:
        sums.add_row(order)
    return sums


def _add(sums: dict[K, list[int]], key: K, orders: int, quantity: int, amount: int) -> None:
    entry = sums.get(key)
    if entry is None:
        sums[key] = [orders, quantity, amount]
    else:
        entry[0] += orders
        entry[1] += quantity
        entry[2] += amount


def _row_of(rows: "dict[tuple[int, str], Row]", start_s: int, currency: str) -> "Row":
    row = rows.get((start_s, currency))
    if row is None:
        at = _EPOCH + timedelta(seconds=start_s)
        row = rows[start_s, currency] = {"at": at, "c": currency, "e": [], "p": []}
    return row
