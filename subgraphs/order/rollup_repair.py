"""Rebuilding the rollup from the orders, and the nightly look whether it is still right.

Both do the same, a UTC day at a time: in one transaction the day's orders are summed up, compared with its buckets, and
what differs is put right; then each month is made the sum of its days. A snapshot sees orders, buckets and changes that
are not folded yet at one moment, so this is exact while orders arrive, and a day that was cut short is simply done
again. (`$merge` would write a day in one command, but not in a transaction: an order placed meanwhile would count twice
or not at all.)
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from pymongo import UpdateOne
from pymongo.asynchronous.collection import AsyncCollection

from core.events import OUTBOX
from core.mongo import Client, Database, Row, Session, in_transaction
from subgraphs.order.buckets import Bucket, Grain, bucket_of
from subgraphs.order.rollup import (
    CHANGE,
    NOTHING,
    Increments,
    Layer,
    Sums,
    add,
    increments_of,
    row_id,
)
from subgraphs.order.rollup_repository import CHANGE_INDEX, COLLECTIONS, STATE_ID, RollupRepository, month_marks

log = structlog.get_logger(__name__)

# One step of a rebuild: some seconds at most, between which other jobs of the worker have their turn
DAYS_PER_STEP = 20
FORMER_CHANGES = "total_changes"
# Before all orders
_EARLIEST = datetime.fromisoformat("0001-02-01T00:00Z")


@dataclass(frozen=True, slots=True, order=True)
class Drift:
    """Sums that were not those of the orders: *found* became *right*."""

    id: str
    status: str
    found: Sums
    right: Sums


class RollupRepair:
    """Rebuilds and reconciles the sums of one database."""

    def __init__(self, client: Client, database: Database) -> None:
        self._client = client
        self._orders = database["orders"]
        self._layers = {layer: database[name] for layer, name in COLLECTIONS.items()}
        self._totals = self._layers[Layer.ORDERS]
        self._database = database

    async def prepare(self) -> None:
        """Begin with an empty rollup where there are no orders; where there are, it is left to `rebuild_some`.

        A store of before changes were kept in the outbox has a collection of them: its sums are made anew without it.
        """
        await RollupRepository(self._client, self._database).create_indexes()
        if await self._database[FORMER_CHANGES].find_one({}, {"_id": 1}) is not None:
            await self.start_rebuild()
            await self._database.drop_collection(FORMER_CHANGES)
        state = await self._totals.find_one({"_id": STATE_ID})
        if state is None and await self._orders.find_one({}, {"_id": 1}) is None:
            complete = {"is_complete": True, "next_day": None}
            await self._totals.update_one({"_id": STATE_ID}, {"$setOnInsert": complete}, upsert=True)

    async def start_rebuild(self) -> None:
        """Distrust all sums and begin anew; until that is done, reports are made from the orders themselves.

        Nothing is deleted: what is right stays, and a million rows that are written again over deleted ones would take
        the server many times as long.
        """
        begun = {"is_complete": False, "next_day": _EARLIEST, "open_month": None}
        await self._totals.update_one({"_id": STATE_ID}, {"$set": begun}, upsert=True)

    async def rebuild_some(self, days: int = DAYS_PER_STEP) -> int:
        """Go on with a rebuild that is due or under way, for some days with orders or sums; return how many were done.

        It is complete once there are none left.
        """
        state = await self._totals.find_one({"_id": STATE_ID})
        if state is not None and state["is_complete"]:
            return 0
        if state is None or state["next_day"] is None:
            await self.start_rebuild()
        done = 0
        while done < days:
            step = await in_transaction(self._client, self._take_step)
            if step is None:
                break
            done += step
        return done

    async def _take_step(self, session: Session) -> int | None:
        """Do the next day or finish a month; return how many days were done, None when the rollup is complete."""
        state = await self._totals.find_one({"_id": STATE_ID}, session=session)
        if state is None or state["is_complete"] or state["next_day"] is None:
            return None
        day = await self._find_day(state["next_day"], session)
        month = None if day is None else bucket_of(day.start, Grain.MONTH).start
        open_month = state.get("open_month")
        if open_month is not None and month != open_month:
            await self._mend_month(bucket_of(open_month, Grain.MONTH), session)
            change: Row = {"open_month": None}
        elif day is None:
            change = {"is_complete": True, "next_day": None}
        else:
            await self._mend_day(day, session)
            change = {"next_day": day.end, "open_month": month}
        await self._totals.update_one({"_id": STATE_ID}, {"$set": change}, session=session)
        if day is None and "is_complete" in change:
            return None
        return int("next_day" in change)

    async def _find_day(self, start: datetime, session: Session) -> Bucket | None:
        """Return the first day from *start* on that has orders or sums; a month that has sums begins with its first."""
        found: list[datetime] = []
        query = {"placed_at": {"$gte": start}}
        order = await self._orders.find_one(query, {"placed_at": 1}, sort=[("placed_at", 1)], session=session)
        if order is not None:
            found.append(order["placed_at"])
        day = Bucket(Grain.DAY, start).key[2:]
        # Of a month that *start* is in the middle of, a day was found before
        month = Bucket(Grain.MONTH, bucket_of(start - timedelta(seconds=1), Grain.MONTH).end).key[2:]
        for collection in self._layers.values():
            for name, least, first in (("day", day, ""), ("month", month, "-01")):
                row = await collection.find_one({name: {"$gte": least}}, {name: 1}, sort=[(name, 1)], session=session)
                if row is not None:
                    found.append(datetime.fromisoformat(f"{row[name]}{first}T00:00Z"))
        return bucket_of(min(found), Grain.DAY) if found else None

    async def run_rebuild(self, _: datetime, *, slice_s: float | None = None) -> None:
        """Rebuild what is missing of the rollup, to its end, or for about *slice_s* seconds.

        A worker that is told to stop waits for its jobs: one that takes minutes would hold it up.
        """
        loop = asyncio.get_running_loop()
        deadline_s = None if slice_s is None else loop.time() + slice_s
        while await self.rebuild_some():
            if deadline_s is not None and loop.time() >= deadline_s:
                return

    async def run_reconciliation(self, _: datetime) -> None:
        """Do the nightly look."""
        await self.reconcile()

    async def reconcile(self) -> list[Drift]:
        """Compare every day and month with its orders; mend and return what differed."""
        state = await self._totals.find_one({"_id": STATE_ID})
        if state is None or not state["is_complete"]:
            return []
        drifts: list[Drift] = []
        days = await self._list_days()
        for day in days:
            drifts += await in_transaction(self._client, partial(self._mend_day, day))
        for month in sorted({bucket_of(day.start, Grain.MONTH) for day in days}):
            drifts += await in_transaction(self._client, partial(self._mend_month, month))
        for drift in drifts:
            log.error("the rollup had drifted", id=drift.id, status=drift.status, found=drift.found, right=drift.right)
        return drifts

    async def _list_days(self) -> list[Bucket]:
        """Return all days that have buckets or orders, with those in between."""
        bounds: list[datetime] = []
        for direction in (1, -1):
            order = await self._orders.find_one({}, {"placed_at": 1}, sort=[("placed_at", direction)])
            if order is not None:
                bounds.append(bucket_of(order["placed_at"], Grain.DAY).start)
            for collection in self._layers.values():
                row = await collection.find_one({"day": {"$exists": True}}, {"day": 1}, sort=[("day", direction)])
                if row is not None:
                    bounds.append(datetime.fromisoformat(f"{row['day']}T00:00Z"))
        if not bounds:
            return []
        first, last = min(bounds), max(bounds)
        return [Bucket(Grain.DAY, first + timedelta(days=number)) for number in range((last - first).days + 1)]

    async def _mend_day(self, day: Bucket, session: Session) -> list[Drift]:
        """Make the buckets of *day* what its orders say, less the changes that are still to be folded into them."""
        right = await self._sum_day(day, session)
        of_day = {CHANGE: {"$exists": True}, f"{CHANGE}.at": {"$gte": day.start, "$lt": day.end}}
        rows = await self._database[OUTBOX].find(of_day, session=session, hint=CHANGE_INDEX).to_list()
        for layer, waiting in increments_of(row[CHANGE] for row in rows).items():
            for key, sums in waiting.items():
                right[layer][key] = add(right[layer].get(key, NOTHING), sums, -1)
        drifts: list[Drift] = []
        for layer, collection in self._layers.items():
            rows_of_day = {"day": day.key[2:]}
            drifts += await self._mend(collection, _without_months(right[layer]), rows_of_day, session)
        return drifts

    async def _mend_month(self, month: Bucket, session: Session) -> list[Drift]:
        """Make the rows of *month* the sums of its days."""
        drifts: list[Drift] = []
        first, end = Bucket(Grain.DAY, month.start).key[2:], Bucket(Grain.DAY, month.end).key[2:]
        for layer, collection in self._layers.items():
            right: Increments = {}
            days = {"day": {"$gte": first, "$lt": end}, "_id": {"$regex": f"^[^/]*/{Grain.DAY}/"}}
            async for row in collection.find(days, session=session):
                currency, _, _, *subject = row["_id"].split("/", 3)
                id_of_month = row_id(layer, currency, month.key, *subject)
                for status, sums in _statuses_of(row):
                    right[id_of_month, status] = add(right.get((id_of_month, status), NOTHING), sums)
            drifts += await self._mend(collection, right, {"month": month.key[2:]}, session)
        return drifts

    async def _mend(
        self,
        collection: AsyncCollection[Row],
        right: Increments,
        query: Mapping[str, Any],
        session: Session,
    ) -> list[Drift]:
        """Make the rows that *query* finds, and further ones, have the sums of *right*; return what differed."""
        found: Increments = {}
        async for row in collection.find(query, session=session):
            for status, sums in _statuses_of(row):
                found[row["_id"], status] = sums
        drifts = [
            Drift(*key, found.get(key, NOTHING), right.get(key, NOTHING))
            for key in sorted(found.keys() | right.keys())
            if found.get(key, NOTHING) != right.get(key, NOTHING)
        ]
        updates = _mending_updates(drifts)
        if updates:
            await collection.bulk_write(updates, ordered=False, session=session)
        return drifts

    async def _sum_day(self, day: Bucket, session: Session) -> dict[Layer, Increments]:
        """Return the sums of the orders of *day* per bucket, of each layer."""
        match = {"$match": {"placed_at": {"$gte": day.start, "$lt": day.end}}}
        quarter = {"$dateTrunc": {"date": "$placed_at", "unit": "minute", "binSize": 15}}
        by_quarter = {
            "$group": {
                "_id": {"c": "$currency", "s": "$status", "at": quarter},
                "n": {"$sum": 1},
                "q": {"$sum": "$quantity"},
                "r": {"$sum": "$total_amount"},
            }
        }
        cursor = await self._orders.aggregate([match, by_quarter], session=session)
        changes: list[Row] = [
            {
                "at": row["_id"]["at"],
                "c": row["_id"]["c"],
                Layer.ORDERS: [[row["_id"]["s"], row["n"], row["q"], row["r"]]],
            }
            for row in await cursor.to_list()
        ]
        for layer, subject, unwound in (
            (Layer.PRODUCTS, "$lines.product_id", ["$lines"]),
            # A line without categories has nothing to unwind, and is left out
            (Layer.CATEGORIES, "$lines.category_path", ["$lines", "$lines.category_path"]),
        ):
            unit = {Grain.DAY: "day", Grain.HOUR: "hour"}[layer.finest]
            bucket = {"$dateTrunc": {"date": "$placed_at", "unit": unit}}
            pipeline: list[Mapping[str, Any]] = [
                match,
                *({"$unwind": path} for path in unwound),
                # What has several lines in an order is in one order
                {
                    "$group": {
                        "_id": {"o": "$_id", "c": "$currency", "s": "$status", "p": subject, "at": bucket},
                        "q": {"$sum": "$lines.quantity"},
                        "r": {"$sum": "$lines.total_amount"},
                    }
                },
                {
                    "$group": {
                        "_id": {"c": "$_id.c", "s": "$_id.s", "p": "$_id.p", "at": "$_id.at"},
                        "n": {"$sum": 1},
                        "q": {"$sum": "$q"},
                        "r": {"$sum": "$r"},
                    }
                },
            ]
            cursor = await self._orders.aggregate(pipeline, session=session)
            for row in await cursor.to_list():
                key = row["_id"]
                entry = [key["p"], key["s"], row["n"], row["q"], row["r"]]
                changes.append({"at": key["at"], "c": key["c"], layer: [entry]})
        return increments_of(changes)


def _without_months(increments: Increments) -> Increments:
    return {key: sums for key, sums in increments.items() if key[0].split("/")[1] != Grain.MONTH}


def _statuses_of(row: Row) -> Iterable[tuple[str, Sums]]:
    for status, sums in row.items():
        if isinstance(sums, dict):
            yield status, (sums["n"], sums["q"], sums["r"])


def _mending_updates(drifts: Iterable[Drift]) -> list[UpdateOne]:
    """Return the updates that put right what differed, one for each row."""
    right: dict[str, Row] = {}
    for drift in drifts:
        _, grain, text, *_ = drift.id.split("/", 3)
        marks = month_marks(text) if grain == Grain.MONTH else {"day": text[:10]}
        orders, quantity, revenue = drift.right
        right.setdefault(drift.id, {**marks})[drift.status] = {"n": orders, "q": quantity, "r": revenue}
    return [UpdateOne({"_id": id_}, {"$set": row}, upsert=True) for id_, row in sorted(right.items())]
