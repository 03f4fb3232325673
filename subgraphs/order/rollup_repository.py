"""The rollup in MongoDB: every query on it is here."""

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from pymongo import IndexModel, UpdateOne

from core.events import OUTBOX
from core.mongo import Client, Database, Row, Session, in_transaction
from subgraphs.order.buckets import Cover, Grain, bucket_of, buckets_of, cover
from subgraphs.order.order_sums import Range, Selection, sum_products, sum_ranges
from subgraphs.order.rollup import (
    CHANGE,
    NOTHING,
    Increments,
    Layer,
    Sums,
    add,
    change_row,
    entries_of,
    increments_of,
    row_id,
    sums_of_row,
)

TOTALS = "order_totals"
PRODUCT_TOTALS = "product_totals"
CATEGORY_TOTALS = "category_totals"
COLLECTIONS: Mapping[Layer, str] = {
    Layer.ORDERS: TOTALS,
    Layer.PRODUCTS: PRODUCT_TOTALS,
    Layer.CATEGORIES: CATEGORY_TOTALS,
}

# In the collection of the sums, so that whoever drops them drops it along: without it they are not believed
STATE_ID = "state"
# A transaction of so many changes takes a tenth of a second
FOLD_BATCH = 2000

# Only changes are in this index of the outbox, and they are there for about a second
CHANGE_INDEX = "change"
_WAITING: dict[str, Any] = {CHANGE: {"$exists": True}}
CHANGE_INDEXES = (
    IndexModel([(f"{CHANGE}.c", 1), (f"{CHANGE}.at", 1)], name=CHANGE_INDEX, partialFilterExpression=_WAITING),
)


class RollupRepository:
    """The sums of one database's orders."""

    def __init__(self, client: Client, database: Database) -> None:
        self._client = client
        self._database = database
        self._orders = database["orders"]
        self._totals = database[TOTALS]
        self._outbox = database[OUTBOX]

    async def create_indexes(self) -> None:
        """Create the index of the changes; those of the sums are Beanie's to create."""
        await self._outbox.create_indexes(list(CHANGE_INDEXES))

    # --- writing, with the orders ---

    def change_rows(self, before: Row | None, after: Row) -> list[Row]:
        """Return what has to be written to the outbox with an order's change: a row, or nothing."""
        row = change_row(before, after)
        return [] if row is None else [row]

    async def record_changes(self, rows: Sequence[Row], *, session: Session) -> None:
        """Write rows of `change_rows` that go with no event."""
        if rows:
            await self._outbox.insert_many(rows, session=session)

    async def add_changes(self, changes: Iterable[Row], *, session: Session) -> None:
        """Add what *changes* are worth to the sums at once, in the transaction of the orders that they tell of."""
        await self._increment(increments_of(changes), session=session)

    # --- folding ---

    async def fold_all(self) -> None:
        """Fold until less than a batch is left."""
        while await self.fold() == FOLD_BATCH:
            pass

    async def fold(self, limit: int = FOLD_BATCH) -> int:
        """Move up to *limit* changes into the buckets; return how many, 0 also while the rollup is being rebuilt.

        Two folders at once collide, and one of them starts again with what the other has left.
        """

        async def work(session: Session) -> int:
            state = await self._totals.find_one({"_id": STATE_ID}, session=session)
            if state is None or not state["is_complete"]:
                return 0
            rows = await self._outbox.find(_WAITING, {CHANGE: 1}, session=session, hint=CHANGE_INDEX).to_list(limit)
            if rows:
                await self._increment(increments_of(row[CHANGE] for row in rows), session=session)
                await self._outbox.delete_many({"_id": {"$in": [row["_id"] for row in rows]}}, session=session)
            return len(rows)

        return await in_transaction(self._client, work)

    async def _increment(self, increments: Mapping[Layer, Increments], *, session: Session) -> None:
        for layer, added in increments.items():
            updates = _updates(added)
            if updates:
                await self._database[COLLECTIONS[layer]].bulk_write(updates, ordered=False, session=session)

    # --- reading ---

    async def read_versions(self, start: datetime, end: datetime, currency: str) -> str | None:
        """Return a text that is another one after every change of an order placed between; None without a rollup.

        Changes are read first: one that is folded in between shows in its month's version, and a text that
        mixes the two moments is nobody else's. The other way round, it could be that of a time before the change.
        """
        ids = [STATE_ID, *(row_id(Layer.ORDERS, currency, key) for key in _months_between(start, end))]
        of_months = [{"$match": {"_id": {"$in": ids}}}, {"$project": {"v": 1, "is_complete": 1}}]
        # In one command, for whoever is served from the cache waits for nothing else
        pipeline: list[Row] = [
            {"$match": _within(currency, start, end)},
            {"$project": {"_id": 1}},
            {"$unionWith": {"coll": TOTALS, "pipeline": of_months}},
        ]
        async with await self._outbox.aggregate(pipeline, hint=CHANGE_INDEX) as cursor:
            rows = await cursor.to_list()
        if not _is_complete(rows):
            return None
        return " ".join(sorted(f"{row['_id']}={row.get('v', '')}" for row in rows))

    async def read_sums(self, ranges: Sequence[Range], base: Grain, selection: Selection) -> list[Sums] | None:
        """Return the sums of the selected orders in each of *ranges*; None without a complete rollup.

        Also None for one product within one category: there are sums for either.
        """
        match selection:
            case Selection(product_id=None, category_id=None):
                layer, subject = Layer.ORDERS, ""
            case Selection(product_id=str(subject), category_id=None):
                layer = Layer.PRODUCTS
            case Selection(product_id=None, category_id=str(subject)):
                layer = Layer.CATEGORIES
            case _:
                return None
        covered = cover(ranges, base, layer.finest)
        ids = [row_id(layer, selection.currency, key, subject) for key in covered.keys]
        rests = [(rest.start, rest.end) for rest in covered.rests]
        async with self._client.start_session(snapshot=True) as session:
            if layer is not Layer.ORDERS and not await self._is_complete(session):
                return None
            found = self._database[COLLECTIONS[layer]].find({"_id": {"$in": [STATE_ID, *ids]}}, session=session)
            by_id = {row["_id"]: row async for row in found}
            if layer is Layer.ORDERS and not _is_complete(by_id.values()):
                return None
            pending = await self._read_pending(ranges, selection.currency, session)
            of_rests = await sum_ranges(self._orders, rests, selection, session) if rests else []
        sums = [NOTHING] * len(ranges)

        def count(worth: Sums, weights: Iterable[tuple[int, int]]) -> None:
            for number, factor in weights:
                sums[number] = add(sums[number], worth, factor)

        for id_, (_, weights) in zip(ids, covered.buckets, strict=True):
            row = by_id.get(id_)
            if row is not None:
                count(sums_of_row(row, selection.statuses), weights)
        for rest, worth in zip(covered.rests, of_rests, strict=True):
            count(worth, rest.weights)
        for changed, worth, weights in _weigh_pending(pending, layer, covered, selection.statuses):
            if changed == subject:
                count(worth, weights)
        return sums

    async def read_products(self, ranges: Sequence[Range], base: Grain, selection: Selection) -> dict[str, Sums] | None:
        """Return the sums of each product's lines in all *ranges* together; None without a complete rollup."""
        covered = cover(ranges, base, Layer.PRODUCTS.finest)
        rests = [(rest.start, rest.end) for rest in covered.rests]
        sums: dict[str, Sums] = {}

        def count(product: str, worth: Sums, weights: Iterable[tuple[int, int]]) -> None:
            factor = sum(factor for _, factor in weights)
            sums[product] = add(sums.get(product, NOTHING), worth, factor)

        async with self._client.start_session(snapshot=True) as session:
            if not await self._is_complete(session):
                return None
            for key, (_, weights) in zip(covered.keys, covered.buckets, strict=True):
                prefix = row_id(Layer.PRODUCTS, selection.currency, key)
                # "0" follows "/", so that these are all that begin with the prefix
                query = {"_id": {"$gte": prefix, "$lt": f"{prefix[:-1]}0"}}
                async for row in self._database[PRODUCT_TOTALS].find(query, session=session):
                    count(row["_id"][len(prefix) :], sums_of_row(row, selection.statuses), weights)
            pending = await self._read_pending(ranges, selection.currency, session)
            of_rests = await sum_products(self._orders, rests, selection, session) if rests else []
        for rest, products in zip(covered.rests, of_rests, strict=True):
            for product, worth in products.items():
                count(product, worth, rest.weights)
        for product, worth, weights in _weigh_pending(pending, Layer.PRODUCTS, covered, selection.statuses):
            count(product, worth, weights)
        return sums

    async def _is_complete(self, session: Session) -> bool:
        state = await self._totals.find_one({"_id": STATE_ID}, session=session)
        return state is not None and bool(state["is_complete"])

    async def _read_pending(self, ranges: Sequence[Range], currency: str, session: Session) -> list[Row]:
        # Whole months, for a bucket that counts may reach beyond the ranges
        start = bucket_of(min(start for start, _ in ranges), Grain.MONTH).start
        end = bucket_of(max(end for _, end in ranges), Grain.MONTH).end
        rows = self._outbox.find(_within(currency, start, end), {CHANGE: 1}, session=session, hint=CHANGE_INDEX)
        return [row[CHANGE] for row in await rows.to_list()]


def _weigh_pending(
    changes: Iterable[Row], layer: Layer, covered: Cover, statuses: Iterable[str]
) -> Iterator[tuple[str, Sums, tuple[tuple[int, int], ...]]]:
    """Yield (subject, sums, weights) of changes that are not folded yet.

    They count like the buckets that they will be folded into. Rests were read from the orders themselves, which have
    changed already.
    """
    weights = dict(covered.buckets)
    for change in changes:
        buckets = [bucket for bucket in buckets_of(change["at"], layer.finest) if bucket in weights]
        for subject, status, worth in entries_of(change, layer):
            if status in statuses:
                for bucket in buckets:
                    yield subject, worth, weights[bucket]


def _is_complete(rows: Iterable[Row]) -> bool:
    return any(row["_id"] == STATE_ID and row["is_complete"] for row in rows)


def _within(currency: str, start: datetime, end: datetime) -> dict[str, Any]:
    return {**_WAITING, f"{CHANGE}.c": currency, f"{CHANGE}.at": {"$gte": start, "$lt": end}}


@lru_cache(maxsize=256)
def _months_between(start: datetime, end: datetime) -> tuple[str, ...]:
    """Return the keys of the UTC months that have a part between *start* and *end*."""
    bucket = bucket_of(start, Grain.MONTH)
    keys = []
    while bucket.start < end:
        keys.append(bucket.key)
        bucket = bucket_of(bucket.end, Grain.MONTH)
    return tuple(keys)


def _updates(increments: Increments) -> list[UpdateOne]:
    """Return the updates that add *increments*; a month gets a new version with them."""
    by_id: dict[str, dict[str, int]] = {}
    for (id_, status), (orders, quantity, revenue) in increments.items():
        added = by_id.setdefault(id_, {})
        added |= {f"{status}.n": orders, f"{status}.q": quantity, f"{status}.r": revenue}
    return [
        UpdateOne({"_id": id_}, {"$inc": added, **_marks(id_)}, upsert=True) for id_, added in sorted(by_id.items())
    ]


def new_rows(increments: Increments) -> Iterator[Row]:
    """Yield the rows of *increments* for a collection that has none."""
    by_id: dict[str, Row] = {}
    for (id_, status), (orders, quantity, revenue) in increments.items():
        row = by_id.get(id_)
        if row is None:
            marks = _marks(id_)
            row = by_id[id_] = {"_id": id_, **marks.get("$set", {}), **marks.get("$setOnInsert", {})}
        row[status] = {"n": orders, "q": quantity, "r": revenue}
    for id_ in sorted(by_id):
        yield by_id[id_]


def _marks(id_: str) -> dict[str, Any]:
    """Return what else is set in a row that changes: the version of a month, the day of what is finer."""
    _, grain, text, *_ = id_.split("/")
    if grain == Grain.MONTH:
        return {"$set": month_marks(text)}
    return {"$setOnInsert": {"day": text[:10]}}


def month_marks(month: str) -> dict[str, str]:
    """Return what is set in a month's row that changes: its month, and a version that no other change gives it."""
    return {"month": month, "v": secrets.token_hex(8)}
