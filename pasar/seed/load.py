"""Load the seeded store, of millions of orders, into an embedded mongod that nobody else uses."""

from dataclasses import replace
from datetime import datetime

from core.mongo import Client, init_documents
from pasar.loading.finish import finish_load
from pasar.loading.load import Load, Target, connect_for_load
from pasar.loading.makers import make_all
from pasar.seed.catalogue import CURRENCY
from pasar.seed.fill import Report, check_unused, hash_password, insert_catalogue
from pasar.seed.making import batch_name, make_batch, prepare_maker
from pasar.seed.plan import Filled, Plan, SeededStore
from subgraphs.order.documents import OrderDocument
from subgraphs.payment.documents import PaymentDocument
from subgraphs.product.documents import DOCUMENTS as PRODUCT_DOCUMENTS
from subgraphs.user.documents import UserDocument

TARGETS = (Target("order", OrderDocument), Target("payment", PaymentDocument), Target("user", UserDocument))
# With fewer, other programs take longer to start than they save
ORDERS_FOR_MAKERS = 20_000


async def load_store(
    uri: str,
    prefix: str,
    plan: Plan,
    *,
    is_until_chosen: bool = True,
    report: Report = lambda what, written, total: None,
    makers: int = 2,
) -> Filled | None:
    """Write a store into an empty folder, or go on with doing so; None where there are orders already, not of a load.

    Without *is_until_chosen*, days end where those of the interrupted run do: it may go on past midnight.

    Raises:
        StoreNotEmpty: there are users or products; nothing was written.
        LoadUnfinished: another load was interrupted; nothing was written.
    """
    client = connect_for_load(uri)
    try:
        return await _load(uri, client, prefix, plan, is_until_chosen, report, makers)
    finally:
        await client.close()


async def _load(
    uri: str, client: Client, prefix: str, plan: Plan, is_until_chosen: bool, report: Report, makers: int
) -> Filled | None:
    key = command = f"pasar seed --orders {plan.orders} --seed {plan.seed}"
    if is_until_chosen:
        key = command = f"{command} --until {plan.until:%Y-%m-%d}"
    seeded = SeededStore(plan)
    load = Load(uri, client, prefix, TARGETS, key=key, command=command)
    if not await load.is_begun():
        await check_unused(client, prefix, seeded.catalogue)
    facts = {"until": plan.until, "password_hash": await hash_password()}
    if not await load.begin(facts):
        return None
    until: datetime = load.facts["until"]
    if until != plan.until:
        seeded = SeededStore(replace(plan, until=until))
    written = {"orders": 0, "users": 0}
    totals = {"orders": plan.orders, "users": plan.customers}
    tasks: list[tuple[str, range]] = []
    for what, batches in (("users", seeded.user_batches()), ("orders", seeded.order_batches())):
        for numbers in batches:
            if load.is_written(batch_name(what, numbers)):
                written[what] += len(numbers)
            else:
                tasks.append((what, numbers))
        report(what, written[what], totals[what])

    numbers_of = {batch_name(*task): task for task in tasks}
    made = make_all(
        make_batch,
        tasks,
        makers=makers if plan.orders >= ORDERS_FOR_MAKERS else 0,
        prepare=prepare_maker,
        arguments=(seeded.plan, load.facts["password_hash"], load.destination),
    )
    async for batch in made:
        what, numbers = numbers_of[batch.name]
        written[what] += len(numbers)
        report(what, written[what], totals[what])
    sums = await finish_load(load, TARGETS, report)
    await init_documents(client[f"{prefix}product"], PRODUCT_DOCUMENTS)
    await insert_catalogue(client, prefix, seeded.catalogue, atomically=False)
    report("products", len(seeded.catalogue.products), len(seeded.catalogue.products))
    await load.end()
    return Filled.of(seeded, sums.revenue().get(CURRENCY, 0))
