"""The rollup: sums of orders per bucket of time, kept exact while orders change.

Every change of an order leaves a *change* row in its transaction: what it takes from the sums and adds to them. It
stands in the outbox, written by the same command as the event that tells of the change. A job folds change rows into
the buckets; a reader adds up buckets and the changes not yet folded, in one snapshot. So

- an order's transaction has no command more than without the rollup, and no two orders meet on a counter;
- the sums are right from the moment the order's transaction commits, whether or not the job runs;
- nothing has to be followed, as a change stream has: one that is behind makes figures late, one that falls out of the
  oplog loses them, and neither could be read in the same snapshot as the orders.

Sums are per currency, status and bucket (quarter-hour, hour, day, month in UTC: `buckets.py`), per product at days and
months, and per category from hours on.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeAlias

from core.mongo import Row
from subgraphs.order.buckets import Bucket, Grain, bucket_of, buckets_of

#: Orders, pieces, and minor units.
Sums: TypeAlias = tuple[int, int, int]
#: What is added to the rollup: (id of the row, status) -> sums.
Increments: TypeAlias = dict[tuple[str, str], Sums]

NOTHING: Sums = (0, 0, 0)
#: The field of an outbox row that tells what to add to the sums; the row is there until that is done.
CHANGE = "change"


class Layer(StrEnum):
    """What is summed up; the value is the field of a change row that has its part."""

    ORDERS = "e"
    PRODUCTS = "p"
    CATEGORIES = "k"

    @property
    def finest(self) -> Grain:
        """Return its finest grain; what lies between is read from the orders.

        Those of a product are few, and products many: days are enough. Those of a category are many, and hours fit
        nearly every timezone.
        """
        return {Layer.ORDERS: Grain.QUARTER, Layer.PRODUCTS: Grain.DAY, Layer.CATEGORIES: Grain.HOUR}[self]


def add(left: Sums, right: Sums, factor: int = 1) -> Sums:
    """Return *left* plus *factor* times *right*."""
    return left[0] + factor * right[0], left[1] + factor * right[1], left[2] + factor * right[2]


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one order is worth to the sums: itself (the subject ""), and its lines by product and by category."""

    status: str
    parts: tuple[tuple[Layer, str, Sums], ...]


def contribution_of(order: Row) -> Contribution:
    """Return what an order's row is worth; a product or category with several lines counts once."""
    parts: dict[tuple[Layer, str], Sums] = {
        (Layer.ORDERS, ""): (1, order["quantity"], order["total_amount"]),
    }
    for line in order["lines"]:
        categories = ((Layer.CATEGORIES, category) for category in line.get("category_path", ()))
        for key in ((Layer.PRODUCTS, line["product_id"]), *categories):
            _, quantity, amount = parts.get(key, NOTHING)
            parts[key] = (1, quantity + line["quantity"], amount + line["total_amount"])
    return Contribution(str(order["status"]), tuple((*key, sums) for key, sums in sorted(parts.items())))


def change_row(before: Row | None, after: Row) -> Row | None:
    """Return the row of the outbox that tells how an order's change changes the sums; None when it does not.

    *before* is None for a new order. An order keeps its currency, its lines and the moment at which it was placed. An
    entry is [status, orders, pieces, minor units], with the product or category in front.
    """
    entries: dict[tuple[Layer, str, str], Sums] = {}
    for order, factor in ((before, -1), (after, 1)):
        if order is not None:
            worth = contribution_of(order)
            for layer, subject, sums in worth.parts:
                key = (layer, subject, worth.status)
                entries[key] = add(entries.get(key, NOTHING), sums, factor)
    change: Row = {}
    for (layer, subject, status), sums in entries.items():
        if sums != NOTHING:
            entry = [status, *sums] if layer is Layer.ORDERS else [subject, status, *sums]
            change.setdefault(layer.value, []).append(entry)
    return {CHANGE: {"at": after["placed_at"], "c": after["currency"], **change}} if change else None


def entries_of(change: Row, layer: Layer) -> Iterable[tuple[str, str, Sums]]:
    """Yield (subject, status, sums) of a change."""
    for entry in change.get(layer, ()):
        subject, status, orders, quantity, revenue = ("", *entry) if layer is Layer.ORDERS else entry
        yield subject, status, (orders, quantity, revenue)


def row_id(layer: Layer, currency: str, key: str, subject: str = "") -> str:
    """Return the id of the sums in the bucket called *key*; those of a bucket's products stand together."""
    return f"{currency}/{key}" if layer is Layer.ORDERS else f"{currency}/{key}/{subject}"


def increments_of(changes: Iterable[Row]) -> dict[Layer, Increments]:
    """Return what changes add to the buckets of each layer."""
    increments: dict[Layer, Increments] = {layer: {} for layer in Layer}
    for change in changes:
        for layer, added in increments.items():
            keys = _keys_at(bucket_of(change["at"], layer.finest))
            for subject, status, sums in entries_of(change, layer):
                for key in keys:
                    place = (row_id(layer, change["c"], key, subject), status)
                    added[place] = add(added.get(place, NOTHING), sums)
    return increments


# Orders that are folded together were mostly placed in the same quarter-hour
@lru_cache(maxsize=256)
def _keys_at(finest: Bucket) -> tuple[str, ...]:
    return tuple(bucket.key for bucket in buckets_of(finest.start, finest.grain))


def sums_of_row(row: Mapping[str, Any], statuses: Iterable[str]) -> Sums:
    """Return a bucket row's sums over *statuses*."""
    total = NOTHING
    for status in statuses:
        found = row.get(status)
        if found is not None:
            total = add(total, (found["n"], found["q"], found["r"]))
    return total
