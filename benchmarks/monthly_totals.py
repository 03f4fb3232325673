"""Measure monthly order totals on a real mongod: from the cache, from the rollup, and from the orders themselves.

Orders of two years, `--orders` of them (a tenth first, to see whether the rollup's time grows with them), are written
into an embedded mongod, the rollup is rebuilt from them, and 24 months are asked for again and again in Asia/Jakarta.
All in one run, client and server sharing the cores. The baselines:

- With the report index the aggregation reads a range of it per month. Without, it reads every order once and groups by
  the UTC hour, which is the fastest form that was found for a collection scan (2.0 s a million orders; by quarter-hour
  2.4 s, by `$dateTrunc` to the month of a timezone 2.6 s, by a tree of comparisons 3.1 s); hours are added up to months
  in Python, and both answers are compared.
- What keeping the rollup costs is seen by placing orders as a checkout does, in transactions with their event and all
  their indexes, with and without it. With it, changes are folded meanwhile as the job does, and what is left at the end
  is folded before the clock stops.

The goals are printed with what was reached.
"""

import asyncio
import statistics
import tempfile
import time
from bisect import bisect_right
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from pymongo import IndexModel
from pymongo.monitoring import CommandListener

from benchmarks.report import Result, parse_arguments, publish
from core.cache import open_cache
from core.clock import SystemClock
from core.events import create_event_indexes
from core.money import Money
from core.mongo import Database, Row, Session, connect, in_transaction, init_documents
from pasar.mongod import EmbeddedMongod
from subgraphs.order.bulk import PastLine, PastOrder, past_order_to_row
from subgraphs.order.documents import DOCUMENTS, OrderDocument, OrderRow
from subgraphs.order.model import OrderStatus
from subgraphs.order.moves import OrderMover
from subgraphs.order.periods import DAYS, MONTHS, Month, divide, load_zone, parse_month
from subgraphs.order.repository import OrderRepository
from subgraphs.order.rollup_repair import RollupRepair
from subgraphs.order.rollup_repository import STATE_ID, TOTALS, RollupRepository
from subgraphs.order.totals import TotalsReader
from subgraphs.order.totals_model import (
    PeriodTotal,
    TopProductsOrder,
    TopProductsQuery,
    TotalsFilter,
    TotalsQuery,
    TotalsSource,
)

FIRST = datetime(2024, 1, 1, tzinfo=UTC)
# A rebuild goes day by day, so a quick run has fewer of them
ALL_DAYS, QUICK_DAYS = 731, 45
FILTER = TotalsFilter(timezone="Asia/Jakarta", currency="IDR")
QUERY = TotalsQuery(MONTHS, parse_month("2024-01"), parse_month("2025-12"), FILTER)
# What the dashboard asks for beside the months
BESIDES = {
    "366 days": TotalsQuery(DAYS, date(2024, 1, 1), date(2024, 12, 31), FILTER),
    "24 months of a category": replace(QUERY, filter=replace(FILTER, category_id="shelf_7")),
    "24 months of a product": replace(QUERY, filter=replace(FILTER, product_id="prd_7")),
}
TOP = TopProductsQuery(parse_month("2024-01"), TopProductsOrder.REVENUE, 10, FILTER)
BATCH = 5000
STATUSES = [OrderStatus.DELIVERED] * 18 + [OrderStatus.PAID, OrderStatus.CANCELLED]
# Orders that are placed one by one, by so many tasks, to see what the rollup costs
PLACED, PLACERS = 3000, 16
FOLD_EVERY_S = 1.0


class CommandCounter(CommandListener):
    """Counts what is sent. Mutable."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}

    def started(self, event: Any) -> None:
        target = event.command.get(event.command_name)
        name = f"{event.command_name} {target}"
        self.counts[name] = self.counts.get(name, 0) + 1

    def succeeded(self, event: Any) -> None:
        """Do nothing."""

    def failed(self, event: Any) -> None:
        """Do nothing."""


def make_order(number: int, random: Random, days: int) -> PastOrder:
    quantity, price = random.randint(1, 4), 1000 * random.randint(5, 400)
    shelf = random.randrange(300)
    product, categories = f"prd_{shelf}", (f"aisle_{shelf % 6}", f"shelf_{shelf % 30}")
    return PastOrder(
        id=f"ord_{number:09}",
        number=f"B-{number:09}",
        buyer_id=f"usr_{random.randrange(100_000)}",
        currency="IDR",
        lines=(
            PastLine(product, product, product, quantity, price, quantity * price, tuple(dict.fromkeys(categories))),
        ),
        placed_at=FIRST + timedelta(seconds=random.randrange(days * 86_400)),
        status=random.choice(STATUSES),
    )


def make_rows(first: int, count: int, days: int) -> Iterator[list[Row]]:
    """Yield batches of order rows, the same ones in every run."""
    random = Random(first)
    for start in range(first, first + count, BATCH):
        yield [past_order_to_row(make_order(n, random, days)) for n in range(start, min(start + BATCH, first + count))]


async def insert_rows(database: Database, first: int, count: int, days: int) -> None:
    orders = database["orders"]
    waiting: asyncio.Task[Any] | None = None
    for batch in make_rows(first, count, days):
        if waiting is not None:
            await waiting
        # The next batch is made while this one is written
        waiting = asyncio.create_task(orders.insert_many(batch, ordered=False))
        await asyncio.sleep(0)
    if waiting is not None:
        await waiting


async def time_each(ask: Callable[[], Awaitable[object]], count: int) -> list[float]:
    """Return the milliseconds that each of *count* calls took, sorted."""
    taken = []
    for _ in range(count):
        begun = time.perf_counter()
        await ask()
        taken.append((time.perf_counter() - begun) * 1000)
    return sorted(taken)


def p99(taken: list[float]) -> float:
    return taken[min(len(taken) - 1, int(len(taken) * 0.99))]


class NoRollup(RollupRepository):
    """Keeps nothing: what placing orders costs without it."""

    async def fold_all(self) -> None:
        """Do nothing."""

    def change_rows(self, before: Row | None, after: Row) -> list[Row]:
        """Return nothing."""
        return []


async def place_orders(database: Database, rollup: RollupRepository, first: int, count: int) -> float:
    """Place *count* orders as a checkout does, fold their changes, and return how many orders a second.

    They are those of a busy day: 20 a second, one after the other.
    """
    mover = OrderMover(database, OrderRepository(database), rollup)
    random = Random(first)
    opened_at = FIRST + timedelta(days=ALL_DAYS, seconds=first / 20)
    made = [make_order(first + n, random, ALL_DAYS) for n in range(count)]
    rows = [
        past_order_to_row(replace(order, placed_at=opened_at + timedelta(seconds=n / 20)))
        for n, order in enumerate(made)
    ]
    orders = iter([OrderRow.model_validate({**row, "id": row["_id"]}) for row in rows])

    async def work_on() -> None:
        for order in orders:

            async def place(session: Session, order: OrderRow = order) -> None:
                await mover.place(order, session=session)

            await in_transaction(database.client, place)

    async def keep_folding() -> None:
        while True:
            await asyncio.sleep(FOLD_EVERY_S)
            await rollup.fold_all()

    begun = time.perf_counter()
    folding = asyncio.create_task(keep_folding())
    await asyncio.gather(*(work_on() for _ in range(PLACERS)))
    folding.cancel()
    await asyncio.gather(folding, return_exceptions=True)
    await rollup.fold_all()
    return count / (time.perf_counter() - begun)


@dataclass(frozen=True, slots=True)
class Goal:
    """What issue and docs promise, and what this run reached."""

    name: str
    reached: float
    unit: str
    limit: float
    at_least: bool = False

    def line(self) -> str:
        is_met = self.reached >= self.limit if self.at_least else self.reached <= self.limit
        sign = ">=" if self.at_least else "<="
        return (
            f"{'met   ' if is_met else 'MISSED'}  {self.name}: {self.reached:,.4g} {self.unit} ({sign} {self.limit:g})"
        )


async def measure(uri: str, orders: int, days: int, rounds: int, placed: int) -> tuple[list[Result], list[Goal]]:
    counter = CommandCounter()
    client = connect(uri, listeners=[counter])
    database = client["benchmark_order"]
    await init_documents(database, DOCUMENTS)
    rollup, repair = RollupRepository(client, database), RollupRepair(client, database)
    repository = OrderRepository(database)
    await create_event_indexes(database)
    await repair.prepare()

    def open_reader(cache_name: str = "") -> TotalsReader:
        return TotalsReader(repository, rollup, open_cache(""), SystemClock(), namespace=cache_name)

    async def from_rollup() -> None:
        totals = await open_reader().read_totals(QUERY)
        assert totals.source is TotalsSource.ROLLUP

    await OrderDocument.get_pymongo_collection().drop_indexes()
    rollup_p99: list[float] = []
    rollup_median: list[float] = []
    done = 0
    for target in (orders // 10, orders):
        begun = time.perf_counter()
        await insert_rows(database, done, target - done, days)
        inserted_s = time.perf_counter() - begun
        indexes = [index for index in OrderDocument.Settings.indexes if isinstance(index, IndexModel)]
        await database["orders"].create_indexes(indexes)
        begun = time.perf_counter()
        await repair.start_rebuild()
        await repair.run_rebuild(FIRST)
        print(
            f"{target:,} orders: {(target - done) / inserted_s:,.0f} a second written,"
            f" rollup rebuilt in {time.perf_counter() - begun:.1f} s"
        )
        done = target
        taken = await time_each(from_rollup, rounds)
        rollup_p99.append(p99(taken))
        rollup_median.append(statistics.median(taken))
        print(f"  24 months from the rollup: median {statistics.median(taken):.2f} ms, p99 {p99(taken):.2f} ms")
        if target < orders:
            await database["orders"].drop_indexes()

    reader = open_reader()
    expected = (await reader.read_totals(QUERY)).periods
    assert sum(month.order_count for month in expected) > 0
    cached = await time_each(lambda: reader.read_totals(QUERY), rounds)
    assert (await reader.read_totals(QUERY)).source is TotalsSource.CACHE
    print(f"  from the cache: median {statistics.median(cached):.2f} ms, p99 {p99(cached):.2f} ms")
    for name, query in BESIDES.items():
        taken = await time_each(lambda query=query: open_reader().read_totals(query), 20)  # type: ignore[misc]
        print(f"  {name} from the rollup: median {statistics.median(taken):.2f} ms")
    taken = await time_each(lambda: open_reader().read_top_products(TOP), 20)
    print(f"  top products of a month from the rollup: median {statistics.median(taken):.2f} ms")

    # A thousand clients at once with nothing in the cache
    cold = open_reader("cold")
    counter.counts.clear()
    answers = await asyncio.gather(*(cold.read_totals(QUERY) for _ in range(1000)))
    assert all(answer.periods == expected for answer in answers)
    added_up = counter.counts["find order_totals"]

    # As while it is being rebuilt
    state = database[TOTALS]
    await state.update_one({"_id": STATE_ID}, {"$set": {"is_complete": False}})
    aggregation = open_reader()
    with_index = await time_each(lambda: aggregation.read_totals(QUERY), 5)
    assert (await aggregation.read_totals(QUERY)).periods == expected
    counter.counts.clear()
    answers = await asyncio.gather(*(aggregation.read_totals(QUERY) for _ in range(1000)))
    assert all(answer.periods == expected for answer in answers)
    aggregations = counter.counts["aggregate orders"]
    await state.update_one({"_id": STATE_ID}, {"$set": {"is_complete": True}})
    without_index = await time_each(lambda: aggregate_without_index(database), 5)
    assert await aggregate_without_index(database) == expected

    speeds: dict[bool, list[float]] = {True: [], False: []}
    first = orders
    for _ in range(5):
        for keeps in (True, False):
            chosen = rollup if keeps else NoRollup(client, database)
            speeds[keeps].append(await place_orders(database, chosen, first, placed))
            first += placed
    await client.close()
    # The best of five: other programs can only slow down
    kept, bare = max(speeds[True]), max(speeds[False])
    index_ms, no_index_ms = statistics.median(with_index), statistics.median(without_index)
    results = [
        Result("24 months from the cache, p99 beside the aggregation", p99(cached), index_ms, "ms"),
        Result("24 months from the rollup, p99 beside the aggregation", rollup_p99[1], index_ms, "ms"),
        Result("rollup with ten times the orders, median", rollup_median[1], rollup_median[0], "ms"),
        Result("rollup with ten times the orders, p99", rollup_p99[1], rollup_p99[0], "ms"),
        Result("aggregation with its index beside a collection scan", index_ms, no_index_ms, "ms"),
        Result("orders placed with the rollup kept beside without", kept, bare, "orders/s"),
        Result("rollup reads for 1,000 clients at once, nothing cached", added_up, 1000, "reads"),
        Result("aggregations for 1,000 clients at once, no rollup", aggregations, 1000, "aggregations"),
    ]
    goals = [
        Goal("24 months from the cache, p99", p99(cached), "ms", 2),
        Goal("24 months from the rollup, p99", rollup_p99[1], "ms", 15),
        Goal("rollup with ten times the orders, p99", rollup_p99[1] / rollup_p99[0], "times", 1.2),
        Goal("aggregation: speed-up by its index", no_index_ms / index_ms, "times", 2, at_least=True),
        Goal("order writes that keeping the rollup costs", 100 * (1 - kept / bare), "%", 15),
        Goal("1,000 clients at once, nothing cached", added_up, "reads of the rollup", 1),
        Goal("1,000 clients at once, no rollup", aggregations, "aggregations", 1),
    ]
    return results, goals


async def aggregate_without_index(database: Database) -> tuple[PeriodTotal[Month], ...]:
    """Sum up the same orders by reading all of them, and return the months.

    Months of Jakarta begin at a full hour of UTC, so that every hour belongs to one.
    """
    segments = divide(MONTHS, QUERY.first, QUERY.last, load_zone(FILTER.timezone))
    within = {"$gte": segments[0].start, "$lt": segments[-1].end}
    query = {"currency": FILTER.currency, "status": {"$in": list(FILTER.statuses)}, "placed_at": within}
    hour = {"_id": {"$dateTrunc": {"date": "$placed_at", "unit": "hour"}}}
    sums = {"orders": {"$sum": 1}, "quantity": {"$sum": "$quantity"}, "revenue": {"$sum": "$total_amount"}}
    pipeline: list[dict[str, Any]] = [{"$match": query}, {"$group": {**hour, **sums}}]
    found = {segment.period: [0, 0, 0] for segment in segments}
    starts = [segment.start for segment in segments]
    async with database.client.start_session(snapshot=True) as session:
        cursor = await database["orders"].aggregate(pipeline, hint={"$natural": 1}, session=session)
        async for row in cursor:
            month = found[segments[bisect_right(starts, row["_id"]) - 1].period]
            for position, name in enumerate(sums):
                month[position] += row[name]
    return tuple(PeriodTotal(month, n, q, Money(r, FILTER.currency)) for month, (n, q, r) in found.items())


def main() -> None:
    extra = ("--orders", int, 1_000_000, "how many orders there are in the end")
    arguments = parse_arguments(__doc__ or "", extra)
    full = (arguments.orders, ALL_DAYS, 1000, PLACED)
    orders, days, rounds, placed = (10_000, QUICK_DAYS, 50, 100) if arguments.quick else full
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedMongod(Path(folder) / "mongodb", binary="", cache_size_gb=2.0) as mongod,
    ):
        results, goals = asyncio.run(measure(mongod.uri, orders, days, rounds, placed))
    publish(results, arguments.json)
    print()
    for goal in goals:
        print(goal.line())


if __name__ == "__main__":
    main()
