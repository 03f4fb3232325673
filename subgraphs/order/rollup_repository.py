"""The rollup in MongoDB: every query on it is here."""

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from pymongo import UpdateOne

from core.mongo import Client, Database, Row, Session, in_transaction
from subgraphs.order.buckets import Bucket, Cover, Grain, Rest, bucket_of, buckets_of, cover
from subgraphs.order.months import Segment
from subgraphs.order.rollup import (
    FINEST_OF_PRODUCTS,
    NOTHING,
    Increments,
    Sums,
    add,
    bucket_id,
    change_row,
    increments_of,
    product_bucket_id,
    sums_of_row,
)

TOTALS = "order_totals"
PRODUCT_TOTALS = "product_totals"
CHANGES = "total_changes"

# In the collection of the sums, so that whoever drops them drops it along: without it they are not believed
STATE_ID = "state"
# A transaction of so many changes takes a few hundredths of a second
FOLD_BATCH = 500


class RollupRepository:
    """The sums of one database's orders."""

    def __init__(self, client: Client, database: Database) -> None:
        self._client = client
        self._database = database
        self._orders = database["orders"]
        self._totals = database[TOTALS]
        self._products = database[PRODUCT_TOTALS]
        self._changes = database[CHANGES]

    # --- writing, with the orders ---

    async def record_change(self, before: Row | None, after: Row, *, session: Session) -> None:
        """Note how an order's change changes the sums, in its transaction."""
        row = change_row(before, after)
        if row is not None:
            await self._changes.insert_one(row, session=session)

    async def add_changes(self, changes: Iterable[Row], *, session: Session) -> None:
        """Add what *changes* are worth to the sums at once, in the transaction of the orders that they tell of."""
        await self._increment(*increments_of(changes), session=session)

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
            changes = await self._changes.find(session=session).sort("_id", 1).limit(limit).to_list()
            if changes:
                totals, products = increments_of(changes)
                await self._increment(totals, products, session=session)
                await self._changes.delete_many({"_id": {"$in": [row["_id"] for row in changes]}}, session=session)
            return len(changes)

        return await in_transaction(self._client, work)

    async def _increment(self, totals: Increments, products: Increments, *, session: Session) -> None:
        updates = _updates(totals)
        if updates:
            await self._totals.bulk_write(updates, ordered=False, session=session)
        product_updates = _updates(products)
        if product_updates:
            await self._products.bulk_write(product_updates, ordered=False, session=session)

    # --- reading ---

    async def read_versions(self, start: datetime, end: datetime, currency: str) -> str | None:
        """Return a text that is another one after every change of an order placed between; None without a rollup.

        Changes are read first: one that is folded in between shows in its month's version, and a text that mixes the
        two moments is nobody else's. The other way round, such a text could be that of a time before the change.
        """
        pending = await self._changes.find(_within(currency, start, end), {"_id": 1}).sort("_id", 1).to_list()
        ids = [STATE_ID, *(bucket_id(currency, key) for key in _months_between(start, end))]
        rows = await self._totals.find({"_id": {"$in": ids}}, {"v": 1, "is_complete": 1}).to_list()
        if not _is_complete(rows):
            return None
        versions = sorted(f"{row['_id']}={row.get('v', '')}" for row in rows)
        return " ".join([*versions, *(str(row["_id"]) for row in pending)])

    async def read_sums(
        self, segments: Sequence[Segment], base: Grain, *, currency: str, statuses: Sequence[str]
    ) -> list[Sums] | None:
        """Return the sums of the orders in each of *segments*; None without a complete rollup."""
        covered = cover(segments, base)
        ids = {bucket: bucket_id(currency, bucket.key) for bucket, _ in covered.buckets}
        query = {"currency": currency, "status": {"$in": list(statuses)}}
        async with self._client.start_session(snapshot=True) as session:
            rows = await self._totals.find({"_id": {"$in": [STATE_ID, *ids.values()]}}, session=session).to_list()
            if not _is_complete(rows):
                return None
            pending = await self._read_pending(segments, currency, session)
            rests = await self._sum_rests(covered.rests, query, session)
        changes = [(change["at"], [tuple(entry) for entry in change["e"]]) for change in pending]
        return _add_up(len(segments), covered, ids, rows, changes, rests, frozenset(statuses))

    async def read_product_sums(
        self, segments: Sequence[Segment], base: Grain, *, currency: str, statuses: Sequence[str], product_id: str
    ) -> list[Sums] | None:
        """Return the sums of one product's lines in each of *segments*; None without a complete rollup."""
        covered = cover(segments, base, FINEST_OF_PRODUCTS)
        ids = {bucket: product_bucket_id(currency, bucket.key, product_id) for bucket, _ in covered.buckets}
        query = {"lines.product_id": product_id, "currency": currency, "status": {"$in": list(statuses)}}
        async with self._client.start_session(snapshot=True) as session:
            state = await self._totals.find({"_id": STATE_ID}, session=session).to_list()
            if not _is_complete(state):
                return None
            rows = await self._products.find({"_id": {"$in": list(ids.values())}}, session=session).to_list()
            pending = await self._read_pending(segments, currency, session)
            rests = await self._sum_rests(covered.rests, query, session, product_id=product_id)
        changes = [
            (change["at"], [tuple(entry) for product, *entry in change["p"] if product == product_id])
            for change in pending
        ]
        return _add_up(len(segments), covered, ids, rows, changes, rests, frozenset(statuses))

    async def _read_pending(self, segments: Sequence[Segment], currency: str, session: Session) -> list[Row]:
        # Whole months, for a bucket that counts may reach beyond the segments
        start, end = _month_bounds(segments[0].start, segments[-1].end)
        return await self._changes.find(_within(currency, start, end), session=session).to_list()

    async def _sum_rests(
        self, rests: Sequence[Rest], query: Mapping[str, Any], session: Session, *, product_id: str | None = None
    ) -> list[tuple[Rest, Sums]]:
        """Sum up the orders that *query* finds in each rest."""
        if not rests:
            return []
        bounds = sorted({bound for rest in rests for bound in (rest.start, rest.end)})
        ranges = [{"placed_at": {"$gte": rest.start, "$lt": rest.end}} for rest in rests]
        quantity: Any = "$quantity"
        revenue: Any = "$total_amount"
        stages: list[Mapping[str, Any]] = []
        if product_id is not None:
            lines = {"$filter": {"input": "$lines", "cond": {"$eq": ["$$this.product_id", product_id]}}}
            stages.append({"$set": {"lines": lines}})
            quantity, revenue = {"$sum": "$lines.quantity"}, {"$sum": "$lines.total_amount"}
        pipeline: list[Mapping[str, Any]] = [
            {"$match": {**query, "$or": ranges}},
            *stages,
            {
                "$bucket": {
                    "groupBy": "$placed_at",
                    "boundaries": bounds,
                    "output": {"n": {"$sum": 1}, "q": {"$sum": quantity}, "r": {"$sum": revenue}},
                }
            },
        ]
        cursor = await self._orders.aggregate(pipeline, session=session)
        found = {row["_id"]: (row["n"], row["q"], row["r"]) for row in await cursor.to_list()}
        return [(rest, found.get(rest.start, NOTHING)) for rest in rests]


def _is_complete(rows: Sequence[Row]) -> bool:
    return any(row["_id"] == STATE_ID and row["is_complete"] for row in rows)


def _within(currency: str, start: datetime, end: datetime) -> dict[str, Any]:
    return {"c": currency, "at": {"$gte": start, "$lt": end}}


def _month_bounds(start: datetime, end: datetime) -> tuple[datetime, datetime]:
    return bucket_of(start, Grain.MONTH).start, bucket_of(end, Grain.MONTH).end


def _months_between(start: datetime, end: datetime) -> list[str]:
    """Return the keys of the UTC months that have a part between *start* and *end*."""
    bucket = bucket_of(start, Grain.MONTH)
    keys = []
    while bucket.start < end:
        keys.append(bucket.key)
        bucket = bucket_of(bucket.end, Grain.MONTH)
    return keys


def _updates(increments: Increments) -> list[UpdateOne]:
    """Return the updates that add *increments*; a month gets a new version with them."""
    by_id: dict[str, dict[str, int]] = {}
    for (row_id, status), (orders, quantity, revenue) in increments.items():
        added = by_id.setdefault(row_id, {})
        added |= {f"{status}.n": orders, f"{status}.q": quantity, f"{status}.r": revenue}
    return [
        UpdateOne({"_id": row_id}, {"$inc": added, **_marks(row_id)}, upsert=True)
        for row_id, added in sorted(by_id.items())
    ]


def new_rows(increments: Increments) -> Iterator[Row]:
    """Yield the rows of *increments* for a collection that has none."""
    by_id: dict[str, Row] = {}
    for (row_id, status), (orders, quantity, revenue) in increments.items():
        row = by_id.get(row_id)
        if row is None:
            marks = _marks(row_id)
            row = by_id[row_id] = {"_id": row_id, **marks.get("$set", {}), **marks.get("$setOnInsert", {})}
        row[status] = {"n": orders, "q": quantity, "r": revenue}
    for row_id in sorted(by_id):
        yield by_id[row_id]


def _marks(row_id: str) -> dict[str, Any]:
    """Return what else is set in a row that changes: the version of a month, the day of what is finer."""
    _, grain, text, *_ = row_id.split("/")
    if grain == Grain.MONTH:
        return {"$set": month_marks(text)}
    return {"$setOnInsert": {"day": text[:10]}}


def month_marks(month: str) -> dict[str, str]:
    """Return what is set in a month's row that changes: its month, and a version that no other change gives it."""
    return {"month": month, "v": secrets.token_hex(8)}


def _add_up(
    count: int,
    covered: Cover,
    ids: Mapping[Bucket, str],
    rows: Sequence[Row],
    changes: Sequence[tuple[datetime, Sequence[tuple[Any, ...]]]],
    rests: Sequence[tuple[Rest, Sums]],
    statuses: frozenset[str],
) -> list[Sums]:
    """Return the sums of *count* segments out of what was read in one snapshot.

    A change that is not folded yet counts like the buckets that it will be folded into. Rests were read from the orders
    themselves, which have changed already.
    """
    sums = [NOTHING] * count
    by_id = {row["_id"]: row for row in rows}
    weights = dict(covered.buckets)
    for bucket, bucket_weights in covered.buckets:
        row = by_id.get(ids[bucket])
        if row is not None:
            worth = sums_of_row(row, statuses)
            for number, factor in bucket_weights:
                sums[number] = add(sums[number], worth, factor)
    for rest, worth in rests:
        for number, factor in rest.weights:
            sums[number] = add(sums[number], worth, factor)
    for at, entries in changes:
        for bucket in buckets_of(at):
            for number, factor in weights.get(bucket, ()):
                for status, orders, quantity, revenue in entries:
                    if status in statuses:
                        sums[number] = add(sums[number], (orders, quantity, revenue), factor)
    return sums
