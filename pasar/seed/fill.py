"""Write the seeded store into the databases of a store that is, or may be, in use."""

from collections.abc import Callable, Sequence
from itertools import chain
from typing import TypeAlias

from core.errors import PasarError
from core.mongo import Client, Database
from pasar.seed.catalogue import Catalogue
from pasar.seed.people import PASSWORD
from pasar.seed.plan import Filled, Plan, SeededStore
from pasar.seed.rows import Sold, user_row
from pasar.store import Store
from subgraphs.inventory.bulk import insert_stock
from subgraphs.inventory.repository import MOVEMENTS, STOCK
from subgraphs.order.bulk import insert_rows
from subgraphs.order.past_sums import sum_up
from subgraphs.product.bulk import insert_categories, insert_products
from subgraphs.product.repository import CATEGORIES, PRODUCTS
from subgraphs.user.model import normalise_password
from subgraphs.user.passwords import Passwords

Report: TypeAlias = Callable[[str, int, int], None]
"""Takes what is being written, how many are, and how many there will be."""


class StoreNotEmpty(PasarError):
    """There are users or products already; nothing was written."""

    code = "STORE_NOT_EMPTY"


async def fill_store(store: Store, plan: Plan, *, report: Report = lambda what, written, total: None) -> Filled:
    """Write a store into empty databases; *store* has been started.

    Raises:
        StoreNotEmpty: there are users or products; nothing was written.
    """
    seeded, prefix = SeededStore(plan), store.settings.database_prefix
    await check_unused(store.client, prefix, seeded.catalogue)
    # Users last: without them a run was interrupted, and can be run again
    sales = 0
    for numbers in seeded.order_batches():
        batch = [sold for _, sold in seeded.make_sold(numbers)]
        await _insert_payments(store.client[f"{prefix}payment"], batch)
        orders = [sold.order for sold in batch]
        await insert_rows(store.client, store.client[f"{prefix}order"], orders)
        sales += sum(sum_up(orders).revenue().values())
        report("orders", numbers.stop, plan.orders)
    await insert_catalogue(store.client, prefix, seeded.catalogue)
    report("products", len(seeded.catalogue.products), len(seeded.catalogue.products))
    password_hash = await hash_password()
    people = chain.from_iterable(map(seeded.make_people, seeded.user_batches()))
    users = [user_row(person, password_hash) for person in people]
    await store.client[f"{prefix}user"]["users"].insert_many(users)
    report("users", len(users), len(users))
    return Filled.of(seeded, sales)


async def hash_password() -> str:
    """Return the hash that all seeded accounts share: one for each would take hours."""
    return await Passwords().hash(normalise_password(PASSWORD))


async def _insert_payments(database: Database, batch: Sequence[Sold]) -> None:
    payments = database["payments"]
    ids = [sold.payment["_id"] for sold in batch]
    present = {row["_id"] async for row in payments.find({"_id": {"$in": ids}}, {"_id": 1})}
    rows = [sold.payment for sold in batch if sold.payment["_id"] not in present]
    if rows:
        await payments.insert_many(rows)


async def insert_catalogue(client: Client, prefix: str, catalogue: Catalogue, *, atomically: bool = True) -> None:
    """Write categories, products and stock, in place of those of an interrupted run of the same plan.

    *atomically* is as of insert_stock.
    """
    product, inventory = client[f"{prefix}product"], client[f"{prefix}inventory"]
    ids = [entry.id for entry, _ in catalogue.products]
    await inventory[STOCK].delete_many({"_id": {"$in": ids}})
    await inventory[MOVEMENTS].delete_many({"product_id": {"$in": ids}})
    await product[PRODUCTS].delete_many({"_id": {"$in": ids}})
    await product[CATEGORIES].delete_many({"_id": {"$in": [category.id for category in catalogue.categories]}})
    await insert_stock(inventory, catalogue.on_hand, now=catalogue.products[0][0].created_at, atomically=atomically)
    await insert_categories(product, catalogue.categories)
    await insert_products(product, catalogue.products)


async def check_unused(client: Client, prefix: str, catalogue: Catalogue) -> None:
    """Raise StoreNotEmpty when there are users, or products that are not of *catalogue*."""
    others = {"_id": {"$nin": [product.id for product, _ in catalogue.products]}}
    if (
        await client[f"{prefix}user"]["users"].find_one({}, {"_id": 1}) is not None
        or await client[f"{prefix}product"][PRODUCTS].find_one(others, {"_id": 1}) is not None
    ):
        raise StoreNotEmpty("there are users or products already: seed a store with an empty data folder")
