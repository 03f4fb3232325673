"""Cache, rollup and aggregation agree to the last unit, whatever happens to orders and to the rollup meanwhile."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.events import OUTBOX
from core.money import Money
from core.mongo import Database, Row, Session, in_transaction
from subgraphs.order.bulk import past_order_to_row
from subgraphs.order.documents import OrderRow
from subgraphs.order.model import NEXT_STATUSES, SYSTEM, OrderStatus
from subgraphs.order.moves import OrderMover
from subgraphs.order.periods import DAYS, MONTHS, YEARS, Month, list_periods, parse_month
from subgraphs.order.repository import OrderRepository
from subgraphs.order.rollup import CHANGE
from subgraphs.order.rollup_repair import Drift, RollupRepair
from subgraphs.order.rollup_repository import COLLECTIONS, PRODUCT_TOTALS, STATE_ID, TOTALS, RollupRepository
from subgraphs.order.totals import TotalsReader
from subgraphs.order.totals_model import (
    PeriodTotal,
    TopProductsOrder,
    TopProductsQuery,
    TotalsFilter,
    TotalsQuery,
    TotalsSource,
)
from tests.integration.order.test_totals import ZONES, empty_rollup, import_orders, months_of, open_reader, past_order
from tests.testkit.commands import CommandLog
from tests.testkit.shop import Shop

# Around a year's end, a leap day and both changes of summer time
FIRST_DAY = datetime(2023, 12, 20, tzinfo=UTC)
DAY_COUNT = 120
PRODUCTS = ("prd_cup", "prd_teapot")
# A product is moved between shelves: the same one is ordered from several, and from none before there were any
SHELVES = ((), ("cat_home",), ("cat_home", "cat_kitchen"), ("cat_home", "cat_garden"), ("cat_sale",))
CATEGORIES = ("cat_home", "cat_kitchen", "cat_sale", "cat_none")
STATUSES = tuple(OrderStatus)
# A nightly run tries other ones, and more
EXAMPLES, NIGHTLY_EXAMPLES = 10, 400


@pytest.fixture
def database(shop: Shop) -> Database:
    return shop.subgraphs["order"].runtime.database


class History:
    """Orders that are placed, paid, packed and cancelled at random. Mutable: numbers them."""

    def __init__(self, database: Database, random: Random) -> None:
        self.database = database
        self.random = random
        self.rollup = RollupRepository(database.client, database)
        self.repair = RollupRepair(database.client, database)
        self.mover = OrderMover(database, OrderRepository(database), self.rollup)
        self.count = 0

    def draw_order(self, status: OrderStatus) -> Row:
        self.count += 1
        lines = [
            (product, self.random.randint(1, 5), self.random.randint(1, 9000), self.random.choice(SHELVES))
            for product in self.random.choices(PRODUCTS, k=self.random.randint(1, 3))
        ]
        # On the second, at the very edges of quarter-hours, and in between
        placed_at = FIRST_DAY + timedelta(
            days=self.random.randrange(DAY_COUNT),
            minutes=15 * self.random.randrange(96),
            milliseconds=self.random.choice([0, 1, 899_999, 450_000]),
        )
        currency = self.random.choice(["IDR", "IDR", "USD"])
        order = past_order(self.count, placed_at, *lines, status=status, currency=currency, shipping_amount=7)
        return past_order_to_row(order)

    async def place(self) -> None:
        row = self.draw_order(OrderStatus.PENDING_PAYMENT)
        order = OrderRow.model_validate({**row, "id": row["_id"]})

        async def work(session: Session) -> None:
            await self.mover.place(order, session=session)

        await in_transaction(self.database.client, work)

    async def move(self) -> None:
        rows = await self.database["orders"].find({}, {"status": 1}).to_list()
        movable = sorted(row["_id"] for row in rows if NEXT_STATUSES[OrderStatus(row["status"])])
        if not movable:
            return
        chosen = self.random.choice(movable)
        choice = self.random.random()

        async def work(session: Session) -> None:
            row = await self.database["orders"].find_one({"_id": chosen}, session=session)
            assert row is not None
            following = NEXT_STATUSES[OrderStatus(row["status"])]
            if following:
                target = following[int(choice * len(following))]
                await self.mover.move(row, target, by=SYSTEM, now=row["placed_at"], session=session)

        await in_transaction(self.database.client, work)

    async def do(self, action: str) -> None:
        match action:
            case "place":
                await self.place()
            case "move":
                await self.move()
            case "fold":
                await self.rollup.fold(self.random.choice([1, 3, 500]))
            case "drop":
                await self.database.drop_collection(TOTALS)
            case "rebuild a day":
                await self.repair.rebuild_some(1)
            case "rebuild":
                await self.repair.run_rebuild(FIRST_DAY)
            case "start a rebuild":
                await self.repair.start_rebuild()


async def compare(shop: Shop, readers: Iterable[TotalsReader], query: TotalsQuery[Any]) -> list[TotalsSource]:
    """Ask each reader twice, compare all answers with the aggregation, and return where they came from."""
    database = shop.subgraphs["order"].runtime.database
    sources = []
    for reader in (*readers, open_reader(shop, database)):
        bare = without_rollup(reader)
        for _ in range(2):
            totals = await reader.read_totals(query)
            sources.append(totals.source)
            by_definition = await bare.read_totals(query)
            assert by_definition.source is TotalsSource.AGGREGATION
            assert totals.periods == by_definition.periods == await by_hand(database, query)
    return sources


def without_rollup(reader: TotalsReader) -> TotalsReader:
    """Return a reader that answers by definition."""

    class NoRollup:
        async def read_versions(self, *_: Any) -> None:
            return None

        async def read_sums(self, *_: Any, **__: Any) -> None:
            return None

        read_products = read_sums

    return TotalsReader(reader._orders, NoRollup(), reader._cache, reader._clock, namespace="")  # type: ignore[arg-type]


async def by_hand(database: Database, query: TotalsQuery[Any]) -> tuple[PeriodTotal[Any], ...]:
    """Return the totals as anybody would add them up, with nothing of the store's code but the order's fields."""
    zone, asked = ZoneInfo(query.filter.timezone), query.filter
    found: dict[Any, list[int]] = {}
    async for order in database["orders"].find({"currency": asked.currency}):
        local = order["placed_at"].astimezone(zone)
        period = {"days": local.date(), "months": (local.year, local.month), "years": local.year}[query.calendar.name]
        lines = [
            line
            for line in order["lines"]
            if asked.product_id in (None, line["product_id"])
            and (asked.category_id is None or asked.category_id in line.get("category_path", []))
        ]
        if order["status"] not in asked.statuses or not lines:
            continue
        is_whole = asked.product_id is None and asked.category_id is None
        sums = found.setdefault(period, [0, 0, 0])
        sums[0] += 1
        sums[1] += order["quantity"] if is_whole else sum(line["quantity"] for line in lines)
        sums[2] += order["total_amount"] if is_whole else sum(line["total_amount"] for line in lines)
    totals = []
    for period in list_periods(query.calendar, query.first, query.last):
        key = (period.year, period.number) if isinstance(period, Month) else period
        orders, quantity, revenue = found.get(key, [0, 0, 0])
        totals.append(PeriodTotal(period, orders, quantity, Money(revenue, asked.currency)))
    return tuple(totals)


async def compare_top_products(shop: Shop, reader: TotalsReader, query: TotalsQuery[Any]) -> None:
    """Compare the top products of a month with those by definition, and with what each product's totals say."""
    if query.filter.product_id is not None or query.filter.category_id is not None:
        return
    for by in TopProductsOrder:
        asked = TopProductsQuery(parse_month("2024-01"), by, 10, query.filter)
        ranked = await reader.read_top_products(asked)
        assert ranked.products == (await without_rollup(reader).read_top_products(asked)).products
        for product in PRODUCTS:
            filter_ = replace(query.filter, product_id=product)
            months = TotalsQuery(MONTHS, asked.month, asked.month, filter_)
            (total,) = await by_hand(shop.subgraphs["order"].runtime.database, months)
            rows = [each for each in ranked.products if each.product_id == product]
            expected = (total.order_count, total.quantity, total.revenue)
            assert [(row.order_count, row.quantity, row.revenue) for row in rows] == ([expected] if expected[0] else [])


ACTIONS = st.sampled_from(
    [*["place"] * 8, *["move"] * 8, *["fold"] * 3, *["rebuild a day"] * 2, "rebuild", "start a rebuild", "drop"]
)
FILTERS = st.builds(
    TotalsFilter,
    timezone=st.sampled_from(ZONES),
    currency=st.sampled_from(["IDR", "USD"]),
    statuses=st.lists(st.sampled_from(STATUSES), unique=True, max_size=7).map(lambda chosen: tuple(sorted(chosen))),
    product_id=st.sampled_from([None, None, None, *PRODUCTS, "prd_none"]),
    category_id=st.sampled_from([None, None, None, *CATEGORIES]),
)
QUERIES = st.one_of(
    st.builds(
        TotalsQuery,
        st.just(MONTHS),
        st.sampled_from(["2023-11", "2023-12", "2024-01", "2024-03"]).map(parse_month),
        st.sampled_from(["2024-03", "2024-04", "2024-05"]).map(parse_month),
        FILTERS,
    ),
    st.builds(
        TotalsQuery,
        st.just(DAYS),
        st.sampled_from([date(2023, 12, 18), date(2024, 2, 28), date(2024, 3, 9)]),
        st.sampled_from([date(2024, 3, 11), date(2024, 4, 2)]),
        FILTERS,
    ),
    st.builds(TotalsQuery, st.just(YEARS), st.sampled_from([2022, 2023]), st.sampled_from([2023, 2024]), FILTERS),
)


HISTORIES = {
    "seed": st.integers(0, 10**6),
    "steps": st.lists(st.lists(ACTIONS, min_size=1, max_size=8), min_size=1, max_size=5),
    "query": QUERIES,
}
SETTINGS = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


async def check_history(shop: Shop, seed: int, steps: list[list[str]], query: TotalsQuery[Any]) -> None:
    """Let a history happen and compare all answers again and again."""
    database = shop.subgraphs["order"].runtime.database
    for name in ("orders", "outbox", "product_sales"):
        await database[name].delete_many({})
    await empty_rollup(database)
    history = History(database, Random(seed))
    reader = open_reader(shop, database)
    for actions in steps:
        for action in actions:
            await history.do(action)
        await compare(shop, [reader], query)
        await compare_top_products(shop, reader, query)
    await history.do("rebuild")
    # There are sums per product and per category, and none for one within the other
    is_of_both = query.filter.product_id is not None and query.filter.category_id is not None
    computed = TotalsSource.AGGREGATION if is_of_both else TotalsSource.ROLLUP
    assert (await compare(shop, [reader], query))[0] in (computed, TotalsSource.CACHE)
    await history.rollup.fold_all()
    assert await history.repair.reconcile() == []
    assert set(await compare(shop, [reader], query)) <= {computed, TotalsSource.CACHE}


@given(**HISTORIES)
@SETTINGS
async def test_cache_rollup_and_aggregation_agree(
    shop: Shop, seed: int, steps: list[list[str]], query: TotalsQuery[Any]
) -> None:
    await check_history(shop, seed, steps, query)


@pytest.mark.nightly
@pytest.mark.timeout(7200)
@given(**HISTORIES)
@settings(SETTINGS, max_examples=NIGHTLY_EXAMPLES, derandomize=False, print_blob=True)
async def test_cache_rollup_and_aggregation_agree_through_the_night(
    shop: Shop, seed: int, steps: list[list[str]], query: TotalsQuery[Any]
) -> None:
    await check_history(shop, seed, steps, query)


async def test_they_agree_while_writers_folders_and_a_rebuild_are_at_work(shop: Shop, database: Database) -> None:
    reader = open_reader(shop, database)
    query = months_of("2023-12", "2024-04", timezone="Asia/Jakarta", statuses=STATUSES)
    at_work = 4
    # Each order counts once whatever its status: what is there can only grow
    placed = 0

    async def write(seed: int) -> None:
        nonlocal at_work, placed
        history = History(database, Random(seed))
        history.count = seed * 1000
        for _ in range(15):
            row = history.draw_order(OrderStatus.PENDING_PAYMENT)
            order = OrderRow.model_validate({**row, "id": row["_id"], "currency": "IDR"})

            async def work(session: Session, order: OrderRow = order) -> None:
                await history.mover.place(order, session=session)

            await in_transaction(database.client, work)
            placed += 1
            await history.move()
        at_work -= 1

    async def disturb() -> None:
        history = History(database, Random(0))
        while at_work:
            for action in ("fold", "rebuild a day", "fold", "start a rebuild", "rebuild"):
                await history.do(action)

    async def watch(asked: TotalsQuery[Any]) -> None:
        while at_work:
            known = placed
            periods = (await reader.read_totals(asked)).periods
            # A transaction may have committed that its writer has not heard of yet
            assert known <= sum(period.order_count for period in periods) <= placed + 4

    async def watch_products() -> None:
        asked = TopProductsQuery(parse_month("2024-01"), TopProductsOrder.ORDER_COUNT, 10, query.filter)
        before = 0
        while at_work:
            ranked = (await reader.read_top_products(asked)).products
            orders = sum(product.order_count for product in ranked)
            assert orders >= before
            before = orders

    await asyncio.gather(
        *(write(seed) for seed in range(1, 5)),
        disturb(),
        watch(query),
        watch(TotalsQuery(DAYS, date(2023, 12, 20), date(2024, 4, 19), query.filter)),
        watch(TotalsQuery(YEARS, 2023, 2024, query.filter)),
        watch_products(),
    )
    history = History(database, Random(0))
    await history.do("rebuild")
    assert sum(month.order_count for month in (await reader.read_totals(query)).periods) == placed == 60
    for category in CATEGORIES:
        await compare(shop, [reader], replace(query, filter=replace(query.filter, category_id=category)))
    await compare_top_products(shop, reader, query)
    await history.rollup.fold_all()
    assert await history.repair.reconcile() == []


async def test_two_folders_at_once_add_every_change_once(shop: Shop, database: Database) -> None:
    history = History(database, Random(3))
    for _ in range(40):
        await history.place()
    folded = await asyncio.gather(*(history.rollup.fold(7) for _ in range(8)))
    await history.rollup.fold_all()
    assert sum(folded) <= 40
    assert await database[OUTBOX].count_documents({CHANGE: {"$exists": True}}) == 0
    assert await history.repair.reconcile() == []


async def test_an_orders_change_costs_no_command_of_its_own(
    shop: Shop, database: Database, commands: CommandLog
) -> None:
    history = History(database, Random(1))
    commands.clear()
    await history.place()
    assert commands.commands == ["insert orders", "insert outbox", "commitTransaction"]
    commands.clear()
    await history.move()
    assert [each for each in commands.commands if "total" in each] == []
    assert set(commands.commands) >= {"findAndModify orders", "commitTransaction"}


async def test_an_order_that_changes_while_it_is_folded_counts_once(shop: Shop, database: Database) -> None:
    history = History(database, Random(5))
    for _ in range(10):
        await history.place()

    async def move_all() -> None:
        for _ in range(30):
            await history.move()

    async def keep_folding() -> None:
        for _ in range(30):
            await history.rollup.fold(3)

    await asyncio.gather(move_all(), keep_folding(), keep_folding())
    query = months_of("2023-12", "2024-04", statuses=STATUSES)
    await compare(shop, [], query)
    await history.rollup.fold_all()
    assert await history.repair.reconcile() == []


async def test_a_store_that_kept_changes_in_a_collection_makes_its_sums_anew(shop: Shop, database: Database) -> None:
    history = History(database, Random(6))
    await import_orders(shop, [past_order(99, FIRST_DAY)])
    # As it was: a change that waits in the collection, and an order that knows nothing of it
    row = history.draw_order(OrderStatus.PAID)
    await database["orders"].insert_one(row)
    await database["total_changes"].insert_one({"at": row["placed_at"], "c": row["currency"], "e": [], "p": []})
    await history.repair.prepare()
    query = months_of("2023-12", "2024-04", currency=row["currency"])
    assert set(await compare(shop, [], query)) == {TotalsSource.AGGREGATION}
    await history.do("rebuild")
    assert await compare(shop, [], query) == [TotalsSource.ROLLUP, TotalsSource.CACHE]
    assert "total_changes" not in await database.list_collection_names()


async def test_an_order_that_is_not_written_leaves_no_change(shop: Shop, database: Database) -> None:
    history = History(database, Random(1))
    row = history.draw_order(OrderStatus.PENDING_PAYMENT)

    async def fail(session: Session) -> None:
        await history.mover.place(OrderRow.model_validate({**row, "id": row["_id"]}), session=session)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await in_transaction(database.client, fail)
    assert await database[OUTBOX].count_documents({}) == 0


async def test_what_has_drifted_is_found_reported_and_mended(shop: Shop, database: Database) -> None:
    at = datetime(2024, 1, 10, 5, 20, tzinfo=UTC)
    await import_orders(shop, [past_order(1, at, ("prd_cup", 2, 500)), past_order(2, at + timedelta(days=40))])
    repair = RollupRepair(database.client, database)
    assert await repair.reconcile() == []
    await database[TOTALS].update_one({"_id": "IDR/d/2024-01-10"}, {"$inc": {"DELIVERED.n": 3}})
    await database[TOTALS].delete_one({"_id": "IDR/m/2024-02"})
    await database[PRODUCT_TOTALS].update_one(
        {"_id": "IDR/d/2024-03-01/prd_cup"}, {"$set": {"PAID": _sums(1, 1, 1), "day": "2024-03-01"}}, upsert=True
    )
    assert sorted(await repair.reconcile()) == [
        Drift("IDR/d/2024-01-10", "DELIVERED", (4, 2, 1000), (1, 2, 1000)),
        Drift("IDR/d/2024-03-01/prd_cup", "PAID", (1, 1, 1), (0, 0, 0)),
        Drift("IDR/m/2024-02", "DELIVERED", (0, 0, 0), (1, 1, 1000)),
    ]
    assert await repair.reconcile() == []
    query = months_of("2024-01", "2024-03")
    assert set(await compare(shop, [], query)) == {TotalsSource.ROLLUP, TotalsSource.CACHE}


async def delete_sums(database: Database) -> None:
    for name in COLLECTIONS.values():
        await database[name].delete_many({})


async def test_a_rebuild_goes_on_where_it_was_cut_short(shop: Shop, database: Database) -> None:
    days = (1, 2, 5, 31, 60)
    await import_orders(shop, [past_order(day, FIRST_DAY + timedelta(days=day)) for day in days])
    await delete_sums(database)
    repair = RollupRepair(database.client, database)
    await repair.start_rebuild()
    assert await repair.rebuild_some(2) == 2
    state = await database[TOTALS].find_one({"_id": STATE_ID})
    assert state is not None
    assert (state["is_complete"], state["next_day"]) == (False, FIRST_DAY + timedelta(days=3))
    # Another process, after a crash
    assert await RollupRepair(database.client, database).rebuild_some(20) == 3
    assert await repair.rebuild_some(20) == 0
    assert await repair.reconcile() == []
    assert await database[TOTALS].count_documents({"_id": {"$regex": "^IDR/d/"}}) == 5


async def test_a_rebuild_puts_right_what_is_there_and_leaves_what_is_right(shop: Shop, database: Database) -> None:
    days = [FIRST_DAY + timedelta(days=each) for each in (1, 40)]
    await import_orders(shop, [past_order(number, at, ("prd_cup", 2, 500)) for number, at in enumerate(days)])
    right = {name: await database[name].find({}, {"v": 0}).sort("_id", 1).to_list() for name in COLLECTIONS.values()}
    # Sums where there are no orders, of a day and of a month alone, and wrong ones where there are
    wrong = {"PAID": _sums(1, 1, 1)}
    await database[TOTALS].insert_one({"_id": "IDR/d/2023-11-03", "day": "2023-11-03", **wrong})
    await database[TOTALS].insert_one({"_id": "IDR/m/2022-02", "month": "2022-02", **wrong})
    await database[PRODUCT_TOTALS].insert_one({"_id": "IDR/m/2025-05/prd_cup", "month": "2025-05", **wrong})
    await database[TOTALS].update_one({"_id": "IDR/m/2023-12"}, {"$inc": {"DELIVERED.n": 5}})
    await database[PRODUCT_TOTALS].delete_one({"_id": "IDR/d/2023-12-21/prd_cup"})
    repair = RollupRepair(database.client, database)
    await repair.start_rebuild()
    await repair.run_rebuild(FIRST_DAY)
    nothing = {"PAID": _sums(0, 0, 0)}
    for name, rows in right.items():
        found = await database[name].find({"_id": {"$ne": STATE_ID}}, {"v": 0}).sort("_id", 1).to_list()
        assert [row for row in found if {**row, **nothing} != row] == [row for row in rows if row["_id"] != STATE_ID]
    assert await repair.reconcile() == []


async def test_a_slice_of_a_rebuild_ends_in_time_and_the_next_one_goes_on(shop: Shop, database: Database) -> None:
    await import_orders(shop, [past_order(day, FIRST_DAY + timedelta(days=day)) for day in range(45)])
    await delete_sums(database)
    repair = RollupRepair(database.client, database)
    await repair.start_rebuild()
    for next_day in (20, 40):
        await repair.run_rebuild(FIRST_DAY, slice_s=0)
        state = await database[TOTALS].find_one({"_id": STATE_ID})
        assert state is not None
        assert (state["is_complete"], state["next_day"]) == (False, FIRST_DAY + timedelta(days=next_day))
    await repair.run_rebuild(FIRST_DAY, slice_s=3600)
    assert await database[TOTALS].count_documents({"_id": STATE_ID, "is_complete": True}) == 1
    assert await repair.reconcile() == []


async def test_a_store_that_has_orders_but_no_rollup_makes_it(shop: Shop, database: Database) -> None:
    await import_orders(shop, [past_order(1, FIRST_DAY)])
    await database.drop_collection(TOTALS)
    repair = RollupRepair(database.client, database)
    await repair.prepare()
    assert await database[TOTALS].count_documents({}) == 0
    query = months_of("2023-12", "2023-12")
    assert set(await compare(shop, [], query)) == {TotalsSource.AGGREGATION}
    await repair.run_rebuild(shop.clock.now())
    assert await compare(shop, [], query) == [TotalsSource.ROLLUP, TotalsSource.CACHE]


def _sums(orders: int, quantity: int, revenue: int) -> dict[str, int]:
    return {"n": orders, "q": quantity, "r": revenue}
