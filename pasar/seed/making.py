"""What the programs do that make a seeded store's rows. They import little, to start at once."""

from collections.abc import Callable

from bson import encode

from pasar.loading.batch import BatchWriter, Destination, EncodedBatch, WrittenBatch
from pasar.seed.catalogue import CURRENCY
from pasar.seed.encoding import RowEncoder
from pasar.seed.plan import Plan, SeededStore
from pasar.seed.rows import user_row
from subgraphs.order.past_sums import PastSums


def batch_name(what: str, numbers: range) -> str:
    """Return what the batch of *what* with these *numbers* is called in the journal."""
    return f"{what} {numbers.start:010}"


class Maker:
    """Makes batches of one plan."""

    def __init__(self, plan: Plan, password_hash: str) -> None:
        self._store = SeededStore(plan)
        self._password_hash = password_hash
        self._encoder = RowEncoder(self._store.people.staff.id)

    def make_users(self, numbers: range) -> EncodedBatch:
        """Make accounts."""
        rows = [encode(user_row(person, self._password_hash)) for person in self._store.make_people(numbers)]
        return EncodedBatch(batch_name("users", numbers), {"users": rows}, PastSums().to_bytes())

    def make_orders(self, numbers: range) -> EncodedBatch:
        """Make orders and payments."""
        sums = PastSums()
        orders, payments = [], []
        for seeded in self._store.history.make_orders(numbers.start, numbers.stop):
            sold = self._encoder.encode(seeded)
            orders.append(sold.order)
            payments.append(sold.payment)
            lines = [
                (product.id, pieces, pieces * product.price.amount, path) for product, pieces, path in seeded.lines
            ]
            sums.add_order(seeded.placed_s, CURRENCY, seeded.status.value, sold.quantity, sold.amount, lines)
        return EncodedBatch(batch_name("orders", numbers), {"orders": orders, "payments": payments}, sums.to_bytes())


# Mutable: set once in each program that makes batches
_maker: Maker
_writer: BatchWriter


def prepare_maker(plan: Plan, password_hash: str, destination: Destination) -> Callable[[], None]:
    """Be ready to make batches of *plan*, and to write them; return what ends that."""
    global _maker, _writer
    _maker, _writer = Maker(plan, password_hash), BatchWriter(destination)
    return _writer.close


def make_batch(task: tuple[str, range]) -> WrittenBatch:
    """Make the rows of a batch, and write them."""
    what, numbers = task
    return _writer.write(_maker.make_users(numbers) if what == "users" else _maker.make_orders(numbers))
