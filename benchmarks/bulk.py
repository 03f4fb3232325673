"""Measure how many orders a second `pasar seed` and `pasar import` bring into an embedded mongod.

The commands run as programs of their own, from their start to their end: making rows, writing them, building indexes,
and the sums that reports read, for a seed with the payments and the customers that belong to the orders. The baseline
is a plain `insert_many` of the very same rows, which are ready in memory, into collections with the same indexes, as
the store writes: acknowledged by a majority of its replica set. A table says where the time of a load goes.
"""

import asyncio
import gc
import itertools
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import TypeVar
from zoneinfo import ZoneInfo

from beanie import Document
from bson import encode

from benchmarks.report import Result, parse_arguments, publish
from core.mongo import Client, Row, connect, init_documents
from pasar.importing.encoding import PurchaseEncoder, to_task
from pasar.importing.load import encode_batch
from pasar.importing.order_file import Columns, FileFormat, Purchase, read_purchases
from pasar.importing.rows import imported_order
from pasar.importing.run import Imported
from pasar.mongod import EmbeddedMongod
from pasar.seed.catalogue import CURRENCY
from pasar.seed.encoding import RowEncoder
from pasar.seed.load import load_store
from pasar.seed.plan import Plan, SeededStore
from pasar.seed.rows import user_row
from subgraphs.order.bulk import batches_of, past_order_to_row
from subgraphs.order.documents import OrderDocument
from subgraphs.order.past_sums import PastSums
from subgraphs.payment.documents import PaymentDocument
from subgraphs.user.documents import UserDocument

UNTIL = datetime(2026, 11, 1, tzinfo=UTC)
FORMAT = FileFormat(Columns(product="product"), "USD", ZoneInfo("UTC"))
BATCH = 1000
# The baseline's rows are made before its clock runs, and so many are in memory at a time
CHUNK = 20_000
# What a row costs in Python is told from so many of them
SAMPLE = 5000

Rows = dict[type[Document], list[Row]]
T = TypeVar("T")


def seeded_rows(orders: int) -> Iterator[tuple[int, Rows]]:
    """Yield how many orders, and all rows that a seed writes for them, a chunk at a time."""
    store = SeededStore(Plan(1, orders, UNTIL))
    users = itertools.chain.from_iterable(map(store.make_people, store.user_batches()))
    sold = (rows for numbers in store.order_batches() for _, rows in store.make_sold(numbers))
    for chunk in batches_of(sold, CHUNK):
        people = itertools.islice(users, 2 + len(chunk) * store.plan.customers // orders)
        yield (
            len(chunk),
            {
                OrderDocument: [rows.order for rows in chunk],
                PaymentDocument: [rows.payment for rows in chunk],
                UserDocument: [user_row(person, "$argon2id$") for person in people],
            },
        )


def history_lines(orders: int) -> Iterator[str]:
    """Yield a CSV file, the same one in every run."""
    random = Random(1)
    yield "customer,date,quantity,amount,product\n"
    for _ in range(orders):
        day = f"{random.randint(2023, 2025)}-{random.randint(1, 12):02}-{random.randint(1, 28):02}"
        moment = f"{day}T{random.randrange(24):02}:{random.randrange(60):02}:00"
        cents = f"{random.randint(1, 900)}.{random.randrange(100):02}"
        yield f"c{random.randrange(orders)},{moment},{random.randint(1, 5)},{cents},thing {random.randrange(300)}\n"


def identified(orders: int) -> Iterator[tuple[str, Purchase]]:
    rows = read_purchases(history_lines(orders), FORMAT, now=UNTIL)
    yield from Imported().identify(rows, "history", lambda row: None)


def imported_rows(orders: int) -> Iterator[tuple[int, Rows]]:
    made = (
        past_order_to_row(imported_order(order_id, "history", purchase)) for order_id, purchase in identified(orders)
    )
    for chunk in batches_of(made, CHUNK):
        yield len(chunk), {OrderDocument: chunk}


async def insert_plainly(client: Client, chunks: Iterator[tuple[int, Rows]], documents: list[type[Document]]) -> float:
    """Insert all rows as anybody would, and return how many orders a second."""
    database = client["plain"]
    await init_documents(database, documents)
    orders, taken_s = 0, 0.0
    for count, rows in chunks:
        orders += count
        begun = time.perf_counter()
        for document, all_rows in rows.items():
            for batch in batches_of(all_rows, BATCH):
                await document.get_pymongo_collection().insert_many(batch, ordered=False)
        taken_s += time.perf_counter() - begun
    await client.drop_database("plain")
    return orders / taken_s


def run_command(*arguments: str) -> float:
    """Run a command of `pasar` and return the seconds it took."""
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-m", "pasar", *arguments], check=True, capture_output=True)
    return time.perf_counter() - begun


def cpu_s(pid: int) -> float:
    """Return the seconds of processor time that a program has used; Linux only."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def per_order_us(work: Callable[[], object], orders: int) -> float:
    """Return the microseconds of this program that *work* takes for each of *orders*."""
    gc.disable()
    begun = time.process_time()
    work()
    taken = time.process_time() - begun
    gc.enable()
    return taken / orders * 1e6


async def describe_load(uri: str, mongod_pid: int, orders: int) -> None:
    """Load a store as `pasar seed` does and print where the time goes."""
    marks: dict[str, float] = {}
    mongod: dict[str, float] = {}
    own: dict[str, float] = {}

    def report(what: str, done: int, total: int) -> None:
        name = f"{what} {'end' if done >= total else 'go'}"
        if name not in marks:
            marks[name], own[name] = time.perf_counter(), time.process_time()
            mongod[name] = cpu_s(mongod_pid)

    begun = time.perf_counter()
    await load_store(uri, "load_", Plan(1, orders, UNTIL), report=report)
    ended = time.perf_counter()
    store = SeededStore(Plan(1, orders, UNTIL))
    numbers = range(min(orders, SAMPLE))
    drawn = list(store.history.make_orders(numbers.start, numbers.stop))
    encoder = RowEncoder(store.people.staff.id)
    draw_us = per_order_us(lambda: list(store.history.make_orders(numbers.start, numbers.stop)), len(numbers))
    encode_us = per_order_us(lambda: [encoder.encode(order) for order in drawn], len(numbers))
    rows_us = per_order_us(
        lambda: [encode(row) for _, sold in store.make_sold(numbers) for row in (sold.order, sold.payment)],
        len(numbers),
    )

    def add_up() -> None:
        sums = PastSums()
        for order in drawn:
            lines = [(product.id, pieces, pieces * product.price.amount, path) for product, pieces, path in order.lines]
            sums.add_order(order.placed_s, CURRENCY, order.status.value, 1, 1, lines)

    def us(later: str, earlier: str, clock: dict[str, float]) -> float:
        return (clock[later] - clock[earlier]) / orders * 1e6

    written, indexed = "orders end", "indexes end"
    table = [
        ("on the clock", None),
        ("customers", us("users end", "users go", marks)),
        ("orders and payments", us(written, "users end", marks)),
        ("indexes, and sums for reports", us(indexed, written, marks)),
        ("all", (ended - begun) / orders * 1e6),
        ("of processors", None),
        ("makers: drawing an order", draw_us),
        ("makers: encoding it and its payment", encode_us),
        ("   (as rows, and then as BSON)", rows_us - draw_us),
        ("makers: adding up", per_order_us(add_up, len(numbers))),
        ("handing out batches", us(written, "users end", own)),
        ("sums for reports", us(indexed, written, own)),
        ("mongod: inserting", us(written, "users end", mongod)),
        ("mongod: indexes and sums", us(indexed, written, mongod)),
    ]
    print(f"\nWhere the time of a seed of {orders:,} orders goes, in us per order")
    for name, value in table:
        print(f"  {name}" if value is None else f"    {name:40} {value:8.1f}")


def measure(orders: int, folder: Path) -> list[Result]:
    rates: dict[str, tuple[float, float]] = {}
    with EmbeddedMongod(folder / "plain", binary="") as mongod:

        async def insert(chunks: Iterator[tuple[int, Rows]], documents: list[type[Document]]) -> float:
            client = connect(mongod.uri)
            try:
                return await insert_plainly(client, chunks, documents)
            finally:
                await client.close()

        plain_seed = asyncio.run(insert(seeded_rows(orders), [OrderDocument, PaymentDocument, UserDocument]))
        plain_import = asyncio.run(insert(imported_rows(orders), [OrderDocument]))
    seed = ("seed", "--orders", str(orders), "--until", f"{UNTIL:%Y-%m-%d}", "--data", str(folder / "seed"))
    rates["seed"] = orders / run_command(*seed), plain_seed
    history = folder / "history.csv"
    history.write_text("".join(history_lines(orders)))
    options = ("--product", "product", "--currency", "USD", "--timezone", "UTC", "--data", str(folder / "import"))
    rates["import"] = orders / run_command("import", "orders", str(history), *options), plain_import
    with EmbeddedMongod(folder / "load", binary="", is_replicated=False) as mongod:
        assert mongod.pid is not None
        asyncio.run(describe_load(mongod.uri, mongod.pid, orders))
    batch = [to_task(order_id, purchase) for order_id, purchase in identified(SAMPLE)]
    encoder = PurchaseEncoder("history", FORMAT.currency)
    print(f"\nOf an import, in us of a processor per line\n    {'reader: reading and numbering':40} ", end="")
    print(f"{per_order_us(lambda: list(identified(SAMPLE)), SAMPLE) - _writing_lines_us():8.1f}")
    made_us = per_order_us(lambda: encode_batch(encoder, "batch", batch), SAMPLE)
    print(f"    {'maker: rows, BSON and sums':40} {made_us:8.1f}")
    return [
        Result(f"pasar {name} of {orders:,} orders beside insert_many of their rows", ours, plain, "orders/s")
        for name, (ours, plain) in rates.items()
    ]


def _writing_lines_us() -> float:
    return per_order_us(lambda: list(history_lines(SAMPLE)), SAMPLE)


def main() -> None:
    arguments = parse_arguments(__doc__ or "", ("--orders", int, 1_000_000, "how many orders are written"))
    orders = 20_000 if arguments.quick else arguments.orders
    with tempfile.TemporaryDirectory() as folder:
        results = measure(orders, Path(folder))
    publish(results, arguments.json)


if __name__ == "__main__":
    main()
