"""The rollup: sums of orders per bucket of time, kept exact while orders change.

Every change of an order leaves a *change* row in its transaction: what it takes from the sums and adds to them. A job
folds change rows into the buckets; a reader adds up buckets and the changes not yet folded, in one snapshot. So

- an order's transaction inserts one small row, and no two orders meet on a counter;
- the sums are right from the moment the order's transaction commits, whether or not the job runs;
- nothing has to be ordered or delivered, as with change streams, which also are not there on a standalone server.

Sums are per currency, status and bucket (quarter-hour, hour, day, month in UTC: `buckets.py`), and per product, too, at
days and months.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from core.mongo import Row
from subgraphs.order.buckets import Grain, buckets_of

#: Orders, pieces, and minor units.
Sums: TypeAlias = tuple[int, int, int]
#: What is added to the rollup: (id of the row, status) -> sums.
Increments: TypeAlias = dict[tuple[str, str], Sums]

NOTHING: Sums = (0, 0, 0)
# A product's days are enough: what lies between is read from its orders, which are few
FINEST_OF_PRODUCTS = Grain.DAY


def add(left: Sums, right: Sums, factor: int = 1) -> Sums:
    """Return *left* plus *factor* times *right*."""
    return left[0] + factor * right[0], left[1] + factor * right[1], left[2] + factor * right[2]


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one order is worth to the sums."""

    currency: str
    status: str
    placed_at: datetime
    sums: Sums
    products: tuple[tuple[str, Sums], ...]


def contribution_of(order: Row) -> Contribution:
    """Return what an order's row is worth; a product with several lines counts once."""
    products: dict[str, Sums] = {}
    for line in order["lines"]:
        _, quantity, amount = products.get(line["product_id"], NOTHING)
        products[line["product_id"]] = (1, quantity + line["quantity"], amount + line["total_amount"])
    return Contribution(
        currency=order["currency"],
        status=str(order["status"]),
        placed_at=order["placed_at"],
        sums=(1, order["quantity"], order["total_amount"]),
        products=tuple(sorted(products.items())),
    )


def change_row(before: Row | None, after: Row) -> Row | None:
    """Return the row that tells how an order's change changes the sums; None when it does not.

    *before* is None for a new order. An order keeps its currency and the moment at which it was placed.
    """
    entries: dict[str, Sums] = {}
    products: dict[tuple[str, str], Sums] = {}
    for order, factor in ((before, -1), (after, 1)):
        if order is not None:
            worth = contribution_of(order)
            entries[worth.status] = add(entries.get(worth.status, NOTHING), worth.sums, factor)
            for product, sums in worth.products:
                key = (product, worth.status)
                products[key] = add(products.get(key, NOTHING), sums, factor)
    changed = [[status, *sums] for status, sums in entries.items() if sums != NOTHING]
    changed_products = [[*key, *sums] for key, sums in products.items() if sums != NOTHING]
    if not changed and not changed_products:
        return None
    return {"at": after["placed_at"], "c": after["currency"], "e": changed, "p": changed_products}


def bucket_id(currency: str, key: str) -> str:
    """Return the id of the sums of a currency's orders in the bucket called *key*."""
    return f"{currency}/{key}"


def product_bucket_id(currency: str, key: str, product_id: str) -> str:
    """Return the id of the sums of a product's lines; those of one bucket stand together."""
    return f"{currency}/{key}/{product_id}"


def increments_of(changes: Iterable[Row]) -> tuple[Increments, Increments]:
    """Return what change rows add to the buckets, and to those of products."""
    totals: Increments = {}
    products: Increments = {}
    for change in changes:
        buckets = buckets_of(change["at"])
        for status, *sums in change["e"]:
            for bucket in buckets:
                key = (bucket_id(change["c"], bucket.key), status)
                totals[key] = add(totals.get(key, NOTHING), _sums(sums))
        buckets = buckets_of(change["at"], FINEST_OF_PRODUCTS)
        for product, status, *sums in change["p"]:
            for bucket in buckets:
                key = (product_bucket_id(change["c"], bucket.key, product), status)
                products[key] = add(products.get(key, NOTHING), _sums(sums))
    return totals, products


def sums_of_row(row: Mapping[str, Any], statuses: Iterable[str]) -> Sums:
    """Return a bucket row's sums over *statuses*."""
    total = NOTHING
    for status in statuses:
        found = row.get(status)
        if found is not None:
            total = add(total, (found["n"], found["q"], found["r"]))
    return total


def _sums(values: list[int]) -> Sums:
    orders, quantity, revenue = values
    return orders, quantity, revenue
