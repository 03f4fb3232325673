"""Measure monthly order totals on a real mongod: from the cache, from the rollup, and from the orders themselves.

Orders of two years, `--orders` of them (a tenth first, to see whether the rollup's time grows with them), are written
into an embedded mongod, the rollup is rebuilt from them, and 24 months are asked for again and again in Asia/Jakarta.
The baselines are the aggregation over the orders with its index, and the same without; for what keeping the rollup
costs, placing orders without it. All in one run, client and server sharing the cores.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from pymongo import IndexModel
from pymongo.monitoring import CommandListener

from benchmarks.report import Result, parse_arguments, publish
from core.cache import open_cache
from core.clock import SystemClock
from core.mongo import Database, Row, Session, connect, in_transaction, init_documents
from pasar.mongod import EmbeddedMongod
from subgraphs.order.bulk import PastLine, PastOrder, past_order_to_row
from subgraphs.order.documents import DOCUMENTS, OrderDocument, OrderRow
from subgraphs.order.model import OrderStatus
from subgraphs.order.months import divide_into_months, load_zone, parse_month, segment_expression
from subgraphs.order.moves import OrderMover
from subgraphs.order.repository import OrderRepository
from subgraphs.order.rollup_repair import RollupRepair
from subgraphs.order.rollup_repository import RollupRepository
from subgraphs.order.totals import TotalsQuery, TotalsReader, TotalsSource

FIRST = datetime(2024, 1, 1, tzinfo=UTC)
# A rebuild goes day by day, so a quick run has fewer of them
DAYS, QUICK_DAYS = 731, 45
QUERY = TotalsQuery(parse_month("2024-01"), parse_month("2025-12"), "Asia/Jakarta", "IDR")
BATCH = 5000
STATUSES = [OrderStatus.DELIVERED] * 18 + [OrderStatus.PAID, OrderStatus.CANCELLED]
# Orders that are placed one by one, by so many tasks, to see what the rollup costs
PLACED, PLACERS = 3000, 16


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
    product = f"prd_{random.randrange(300)}"
    return PastOrder(
        id=f"ord_{number:09}",
        number=f"B-{number:09}",
        buyer_id=f"usr_{random.randrange(100_000)}",
        currency="IDR",
        lines=(PastLine(product, product, product, quantity, price, quantity * price),),
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

    async def record_change(self, before: Row | None, after: Row, *, session: Session) -> None:
        """Do nothing."""


async def place_orders(database: Database, rollup: RollupRepository, first: int, count: int) -> float:
    """Place *count* orders as a checkout does, and return how many a second."""
    mover = OrderMover(database, OrderRepository(database), rollup)
    random = Random(first)
    rows = [past_order_to_row(make_order(first + n, random, DAYS)) for n in range(count)]
    orders = iter([OrderRow.model_validate({**row, "id": row["_id"]}) for row in rows])

    async def work_on() -> None:
        for order in orders:

            async def place(session: Session, order: OrderRow = order) -> None:
                await mover.place(order, session=session)

            await in_transaction(database.client, place)

    begun = time.perf_counter()
    await asyncio.gather(*(work_on() for _ in range(PLACERS)))
    return count / (time.perf_counter() - begun)


async def measure(uri: str, orders: int, days: int, rounds: int, placed: int) -> list[Result]:
    counter = CommandCounter()
    client = connect(uri, listeners=[counter])
    database = client["benchmark_order"]
    await init_documents(database, DOCUMENTS)
    rollup, repair = RollupRepository(client, database), RollupRepair(client, database)
    repository = OrderRepository(database)

    def open_reader(cache_name: str = "") -> TotalsReader:
        return TotalsReader(repository, rollup, open_cache(""), SystemClock(), namespace=cache_name)

    async def from_rollup() -> None:
        totals = await open_reader().read_totals(QUERY)
        assert totals.source is TotalsSource.ROLLUP

    await OrderDocument.get_pymongo_collection().drop_indexes()
    rollup_p99: list[float] = []
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
        print(f"  24 months from the rollup: median {statistics.median(taken):.2f} ms, p99 {p99(taken):.2f} ms")
        if target < orders:
            await database["orders"].drop_indexes()

    reader = open_reader()
    expected = (await reader.read_totals(QUERY)).months
    assert sum(month.order_count for month in expected) > 0
    cached = await time_each(lambda: reader.read_totals(QUERY), rounds)
    assert (await reader.read_totals(QUERY)).source is TotalsSource.CACHE
    print(f"  from the cache: median {statistics.median(cached):.2f} ms, p99 {p99(cached):.2f} ms")

    # A thousand clients at once with nothing in the cache
    cold = open_reader("cold")
    counter.counts.clear()
    answers = await asyncio.gather(*(cold.read_totals(QUERY) for _ in range(1000)))
    assert all(answer.months == expected for answer in answers)
    # Each looks at the versions; the rest is adding up
    added_up = counter.counts["find order_totals"] - 1000

    await repair.start_rebuild()
    aggregation = open_reader()
    with_index = await time_each(lambda: aggregation.read_totals(QUERY), 3)
    assert (await aggregation.read_totals(QUERY)).months == expected
    counter.counts.clear()
    answers = await asyncio.gather(*(aggregation.read_totals(QUERY) for _ in range(1000)))
    assert all(answer.months == expected for answer in answers)
    aggregations = counter.counts["aggregate orders"]
    await repair.run_rebuild(FIRST)
    without_index = await time_each(lambda: aggregate_without_index(database), 3)

    speeds: dict[bool, list[float]] = {True: [], False: []}
    first = orders
    for _ in range(3):
        for keeps in (True, False):
            chosen = rollup if keeps else NoRollup(client, database)
            speeds[keeps].append(await place_orders(database, chosen, first, placed))
            first += placed
    await client.close()
    kept, bare = statistics.median(speeds[True]), statistics.median(speeds[False])
    index_ms, no_index_ms = statistics.median(with_index), statistics.median(without_index)
    return [
        Result("24 months from the cache, p99 beside the aggregation", p99(cached), index_ms, "ms"),
        Result("24 months from the rollup, p99 beside the aggregation", rollup_p99[1], index_ms, "ms"),
        Result("rollup with ten times the orders, p99", rollup_p99[1], rollup_p99[0], "ms"),
        Result("aggregation with its index beside none", index_ms, no_index_ms, "ms"),
        Result("orders placed with the rollup kept beside without", kept, bare, "orders/s"),
        Result("rollup reads for 1,000 clients at once, nothing cached", added_up, 1000, "reads"),
        Result("aggregations for 1,000 clients at once, no rollup", aggregations, 1000, "aggregations"),
    ]


async def aggregate_without_index(database: Database) -> None:
    """Sum up the same orders in the same way, by reading all of them."""
    segments = divide_into_months(QUERY.first, QUERY.last, load_zone(QUERY.timezone))
    within = {"$gte": segments[0].start, "$lt": segments[-1].end}
    query = {"currency": QUERY.currency, "status": {"$in": list(QUERY.statuses)}, "placed_at": within}
    sums = {"orders": {"$sum": 1}, "quantity": {"$sum": "$quantity"}, "revenue": {"$sum": "$total_amount"}}
    month = {"_id": segment_expression(segments, "$placed_at"), **sums}
    pipeline: list[dict[str, Any]] = [{"$match": query}, {"$group": month}]
    async with database.client.start_session(snapshot=True) as session:
        cursor = await database["orders"].aggregate(pipeline, hint={"$natural": 1}, session=session)
        await cursor.to_list()


def main() -> None:
    extra = ("--orders", int, 1_000_000, "how many orders there are in the end")
    arguments = parse_arguments(__doc__ or "", extra)
    full = (arguments.orders, DAYS, 1000, PLACED)
    orders, days, rounds, placed = (10_000, QUICK_DAYS, 50, 100) if arguments.quick else full
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedMongod(Path(folder) / "mongodb", binary="", cache_size_gb=2.0) as mongod,
    ):
        results = asyncio.run(measure(mongod.uri, orders, days, rounds, placed))
    publish(results, arguments.json)


if __name__ == "__main__":
    main()
