"""Write the seeded store into its databases."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import TypeAlias, TypeVar

from core.clock import SystemClock
from core.errors import PasarError
from core.money import Money
from core.mongo import Database
from pasar.seed.catalogue import CURRENCY, Catalogue, make_catalogue
from pasar.seed.history import SeededOrder, make_history, opening_day
from pasar.seed.people import PASSWORD, STAFF_COUNT, Person, make_people
from pasar.seed.rows import past_order, payment_row, user_row
from pasar.store import Store
from subgraphs.inventory.bulk import insert_stock
from subgraphs.inventory.repository import MOVEMENTS, STOCK
from subgraphs.order.bulk import BATCH, insert_orders
from subgraphs.order.model import SALES_STATUSES
from subgraphs.product.bulk import insert_categories, insert_products
from subgraphs.product.repository import CATEGORIES, PRODUCTS
from subgraphs.user.model import normalise_password
from subgraphs.user.passwords import Passwords

DEFAULT_ORDERS = 5000
DEFAULT_SEED = 1
# A customer in so many orders, at least so many
ORDERS_PER_CUSTOMER = 12
LEAST_CUSTOMERS = 50

T = TypeVar("T")
Report: TypeAlias = Callable[[str, int, int], None]
"""Takes what is being written, how many are, and how many there will be."""


class StoreNotEmpty(PasarError):
    """There are users or products already; nothing was written."""

    code = "STORE_NOT_EMPTY"


@dataclass(frozen=True, slots=True)
class Plan:
    """What shall be written. Everything follows from *seed*, *orders* and *until*."""

    seed: int
    orders: int
    until: datetime

    @classmethod
    def of_today(cls) -> "Plan":
        """Return the usual plan: two years of orders that end with yesterday."""
        return cls(DEFAULT_SEED, DEFAULT_ORDERS, start_of_today())


@dataclass(frozen=True, slots=True)
class Filled:
    """What was written."""

    categories: int
    products: int
    users: int
    orders: int
    sales: Money
    people: tuple[Person, ...]
    """Admin, staff and the customer known by name: whom one can log in as."""


async def fill_store(store: Store, plan: Plan, *, report: Report = lambda what, written, total: None) -> Filled:
    """Write a store into empty databases; *store* has been started.

    Raises:
        StoreNotEmpty: there are users or products; nothing was written.
    """
    random = Random(plan.seed)
    opened_at = opening_day(plan.until)
    catalogue = make_catalogue(random, opened_at=opened_at)
    if await _is_used(store, catalogue):
        raise StoreNotEmpty("there are users or products already: seed a store with an empty data folder")
    count = max(LEAST_CUSTOMERS, plan.orders // ORDERS_PER_CUSTOMER)
    people = make_people(random, count, opened_at=opened_at, until=plan.until)
    staff = people[:STAFF_COUNT]
    history = list(make_history(random, plan.orders, catalogue, people[STAFF_COUNT:], until=plan.until))
    # Users last: without them a run was interrupted, and can be run again
    written = 0
    for batch in _batches(history, BATCH):
        await _insert_payments(store, batch)
        orders = [past_order(order, packer=staff[1]) for order in batch]
        await insert_orders(store.client, _database(store, "order"), orders)
        written += len(batch)
        report("orders", written, len(history))
    await _insert_catalogue(store, catalogue, report)
    password_hash = await Passwords().hash(normalise_password(PASSWORD))
    await _database(store, "user")["users"].insert_many([user_row(person, password_hash) for person in people])
    report("users", len(people), len(people))
    sold = [order.quote.total.amount for order in history if order.status in SALES_STATUSES]
    return Filled(
        categories=len(catalogue.categories),
        products=len(catalogue.products),
        users=len(people),
        orders=len(history),
        sales=Money(sum(sold), CURRENCY),
        people=people[: STAFF_COUNT + 1],
    )


async def _insert_payments(store: Store, orders: Sequence[SeededOrder]) -> None:
    payments = _database(store, "payment")["payments"]
    ids = [order.id for order in orders]
    present = {row["order_id"] async for row in payments.find({"order_id": {"$in": ids}}, projection={"order_id": 1})}
    rows = [payment_row(order) for order in orders if order.id not in present]
    if rows:
        await payments.insert_many(rows)


async def _insert_catalogue(store: Store, catalogue: Catalogue, report: Report) -> None:
    product, inventory = _database(store, "product"), _database(store, "inventory")
    ids = [entry.id for entry, _ in catalogue.products]
    # Of an interrupted run of the same plan
    await inventory[STOCK].delete_many({"_id": {"$in": ids}})
    await inventory[MOVEMENTS].delete_many({"product_id": {"$in": ids}})
    await product[PRODUCTS].delete_many({"_id": {"$in": ids}})
    await product[CATEGORIES].delete_many({"_id": {"$in": [category.id for category in catalogue.categories]}})
    await insert_stock(inventory, catalogue.on_hand, now=catalogue.products[0][0].created_at)
    await insert_categories(product, catalogue.categories)
    await insert_products(product, catalogue.products)
    report("products", len(ids), len(ids))


async def _is_used(store: Store, catalogue: Catalogue) -> bool:
    if await _database(store, "user")["users"].find_one({}, projection={"_id": 1}) is not None:
        return True
    others = {"_id": {"$nin": [product.id for product, _ in catalogue.products]}}
    return await _database(store, "product")[PRODUCTS].find_one(others, projection={"_id": 1}) is not None


def _database(store: Store, subgraph: str) -> Database:
    return store.subgraphs[subgraph].runtime.database


def _batches(rows: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def start_of_today() -> datetime:
    """Return the last midnight UTC: the same seed gives the same store all day."""
    return SystemClock().now().replace(hour=0, minute=0, second=0, microsecond=0)
