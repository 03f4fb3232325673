"""Load a purchase history, of millions of lines, into an embedded mongod that nobody else uses."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import chain, islice

from pasar.importing.encoding import PurchaseEncoder, Task, to_task
from pasar.importing.order_file import FileFormat, Purchase, RefusedRow, read_purchases
from pasar.importing.run import Imported
from pasar.loading.batch import BatchWriter, Destination, EncodedBatch, WrittenBatch
from pasar.loading.finish import finish_load
from pasar.loading.load import Load, Target, connect_for_load
from pasar.loading.makers import make_all
from subgraphs.order.bulk import batches_of
from subgraphs.order.documents import OrderDocument
from subgraphs.order.past_sums import PastSums

TARGETS = (Target("order", OrderDocument),)
BATCH = 2500
# With fewer, another program takes longer to start than it saves
LINES_FOR_MAKERS = 20_000


async def load_orders(
    uri: str,
    prefix: str,
    lines: Iterable[str],
    format_: FileFormat,
    *,
    key: str,
    command: str,
    source: str,
    now: datetime,
    line_count: int,
    on_refused: Callable[[RefusedRow], None],
    report: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> Imported | None:
    """Write each line that is a purchase as an order, or go on with doing so; None where there are orders already.

    Arguments are as of import_orders. *key* tells this file, read in this way, from any other; *command* is how people
    go on with it after a kill; *line_count* is about how many lines there are. After a kill, orders of the interrupted
    run count as already there.

    Raises:
        OrderFileUnusable: as read_purchases; nothing was written.
        LoadUnfinished: another load was interrupted; nothing was written.
    """
    rows: Iterator[Purchase | RefusedRow] = read_purchases(lines, format_, now=now)
    result = Imported()
    # A file that cannot be read is told before anything is written
    rows = chain(list(islice(rows, 1)), rows)
    purchases = result.identify(rows, source, on_refused)
    client = connect_for_load(uri)
    try:
        load = Load(uri, client, prefix, TARGETS, key=key, command=command)
        if not await load.begin({}):
            return None

        def list_tasks() -> Iterator[tuple[str, list[Task]]]:
            for batch in batches_of(purchases, BATCH):
                name = batch[0][0]
                if load.is_written(name):
                    report("orders", result.read, line_count)
                else:
                    yield name, [to_task(*identified) for identified in batch]

        makers = 1 if line_count >= LINES_FOR_MAKERS else 0
        arguments = (source, format_.currency, load.destination)
        made = make_all(make_batch, list_tasks(), makers=makers, prepare=prepare_maker, arguments=arguments)
        async for written in made:
            result.imported += written.new["orders"]
            report("orders", min(result.read, line_count), line_count)
        report("orders", line_count, line_count)
        await finish_load(load, TARGETS, report)
        await load.end()
        return result
    finally:
        await client.close()


# Mutable: set once in each program that makes batches
_encoder: PurchaseEncoder
_writer: BatchWriter


def prepare_maker(source: str, currency: str, destination: Destination) -> Callable[[], None]:
    """Be ready to write batches; return what ends that."""
    global _encoder, _writer
    _encoder, _writer = PurchaseEncoder(source, currency), BatchWriter(destination)
    return _writer.close


def make_batch(task: tuple[str, list[Task]]) -> WrittenBatch:
    """Make the rows of a batch, and write them."""
    return _writer.write(encode_batch(_encoder, *task))


def encode_batch(encoder: PurchaseEncoder, name: str, purchases: list[Task]) -> EncodedBatch:
    """Make the rows of a batch."""
    sums = PastSums()
    return EncodedBatch(name, {"orders": [encoder.encode(each, sums) for each in purchases]}, sums.to_bytes())
