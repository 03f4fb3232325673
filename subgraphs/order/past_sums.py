"""What many past orders are worth to the sums: added up order by order, without a row per order.

A load of millions has no use for a change of each. They are merged here by quarter-hour, by product and day, and by
category and hour, which are the finest buckets that `rollup.increments_of` fills from them.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from subgraphs.order.model import SALES_STATUSES

if TYPE_CHECKING:
    # It brings Beanie along, and the programs that make rows shall start at once
    from core.mongo import Row

QUARTER_S = 15 * 60
HOUR_S = 3600
DAY_S = 86_400

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SALES = frozenset(status.value for status in SALES_STATUSES)

#: (start of a bucket in seconds since 1970, currency, status, product or category; "" for whole orders)
_Key: TypeAlias = tuple[int, str, str, str]
_Sums: TypeAlias = dict[_Key, list[int]]
#: What is sold in a line: product, pieces, minor units, and the ids of the product's categories from the top down
SoldLine: TypeAlias = tuple[str, int, int, Sequence[str]]


class PastSums:
    """Sums of new orders. Mutable: orders are added to it."""

    def __init__(self) -> None:
        self._orders: _Sums = {}
        self._products: _Sums = {}
        self._categories: _Sums = {}

    @property
    def order_count(self) -> int:
        """Return how many orders were added."""
        return sum(orders for orders, _, _ in self._orders.values())

    def add_row(self, order: "Row") -> None:
        """Add a row of an order."""
        self.add_order(
            (order["placed_at"] - _EPOCH) // timedelta(seconds=1),
            order["currency"],
            order["status"],
            order["quantity"],
            order["total_amount"],
            [
                (line["product_id"], line["quantity"], line["total_amount"], line.get("category_path", ()))
                for line in order["lines"]
            ],
        )

    def add_order(
        self, placed_s: int, currency: str, status: str, quantity: int, amount: int, lines: Iterable[SoldLine]
    ) -> None:
        """Add an order, placed *placed_s* seconds after 1970 began."""
        _add(self._orders, (placed_s - placed_s % QUARTER_S, currency, status, ""), 1, quantity, amount)
        day_s, hour_s = placed_s - placed_s % DAY_S, placed_s - placed_s % HOUR_S
        # A product or category with several lines is in the order once
        seen: set[str] = set()
        for product, pieces, line_amount, categories in lines:
            _add(self._products, (day_s, currency, status, product), product not in seen, pieces, line_amount)
            seen.add(product)
            for category in categories:
                _add(self._categories, (hour_s, currency, status, category), category not in seen, pieces, line_amount)
                seen.add(category)

    def add(self, other: "PastSums") -> None:
        """Add all that was added to *other*."""
        for mine, theirs in zip(self._all, other._all, strict=True):
            for key, sums in theirs.items():
                _add(mine, key, *sums)

    def changes(self) -> "Iterator[Row]":
        """Yield changes, as rollup.py has them, that are worth as much as all orders together."""
        for field, all_sums in zip("epk", self._all, strict=True):
            rows: dict[tuple[int, str], Row] = {}
            for (start_s, currency, status, subject), sums in all_sums.items():
                row = rows.get((start_s, currency))
                if row is None:
                    at = _EPOCH + timedelta(seconds=start_s)
                    row = rows[start_s, currency] = {"at": at, "c": currency, field: []}
                row[field].append([status, *sums] if field == "e" else [subject, status, *sums])
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
        for (_, currency, status, _), (_, _, amount) in self._orders.items():
            if status in _SALES:
                amounts[currency] += amount
        return dict(amounts)

    def to_bytes(self) -> bytes:
        """Return all sums in a form that `from_bytes` reads."""
        return msgspec.msgpack.encode([list(sums.items()) for sums in self._all])

    @classmethod
    def from_bytes(cls, encoded: bytes) -> "PastSums":
        """Read what `to_bytes` returned."""
        sums = cls()
        for mine, items in zip(sums._all, msgspec.msgpack.decode(encoded, type=_Encoded), strict=True):
            mine.update(items)
        return sums

    @property
    def _all(self) -> tuple[_Sums, _Sums, _Sums]:
        return self._orders, self._products, self._categories


_Encoded: TypeAlias = list[list[tuple[_Key, list[int]]]]


def sum_up(orders: "Sequence[Row]") -> PastSums:
    """Return the sums of *orders*."""
    sums = PastSums()
    for order in orders:
        sums.add_row(order)
    return sums


def _add(sums: _Sums, key: _Key, orders: int, quantity: int, amount: int) -> None:
    entry = sums.get(key)
    if entry is None:
        sums[key] = [int(orders), quantity, amount]
    else:
        entry[0] += orders
        entry[1] += quantity
        entry[2] += amount
