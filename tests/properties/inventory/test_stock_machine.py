"""Stock under whatever happens, at once and in any order, on a real database: the sums are right after every step."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from core.errors import Conflict
from core.ids import new_id
from core.mongo import connect, in_transaction
from core.subgraph import Call, Subgraph
from subgraphs.inventory import app
from subgraphs.inventory.bulk import insert_stock
from subgraphs.inventory.context import InventoryContext
from subgraphs.inventory.keeping import Adjustment, Transfer
from subgraphs.inventory.model import LAPSE_GRACE, StockLine, StockPolicy
from subgraphs.inventory.service import OutOfStock
from tests.testkit.callers import ORDER_SERVICE, STAFF
from tests.testkit.clock import FixedClock
from tests.testkit.store import build_runtime, make_settings

PRODUCTS = ("a", "b", "c")
WAREHOUSES = ("whs_main", "whs_east", "whs_west")
OPENING = {"a": 6, "b": 3, "c": 0}
# What may be owed
LIMITS = {"a": 0, "b": 0, "c": 4}
HOLD = timedelta(minutes=30)

LINES = st.lists(st.builds(StockLine, st.sampled_from(PRODUCTS), st.integers(1, 3)), min_size=1, max_size=3)
# Few, so that orders are asked for again, paid twice, released before they reserve
ORDERS = st.integers(0, 7).map("ord_{}".format)


@dataclass(frozen=True)
class Reserve:
    order_id: str
    lines: list[StockLine]


@dataclass(frozen=True)
class Release:
    order_id: str


@dataclass(frozen=True)
class Commit:
    order_id: str


@dataclass(frozen=True)
class Cancel:
    """A paid order is cancelled: its pieces come back."""

    order_id: str


@dataclass(frozen=True)
class Adjust:
    """Pieces are received, or taken away."""

    product_id: str
    delta: int
    warehouse_id: str


@dataclass(frozen=True)
class Move:
    """Pieces go to another warehouse."""

    product_id: str
    quantity: int
    from_id: str
    to_id: str


@dataclass(frozen=True)
class Job:
    name: str


Action = Reserve | Release | Commit | Cancel | Adjust | Move | Job

ACTIONS: st.SearchStrategy[Action] = st.one_of(
    st.builds(Reserve, ORDERS, LINES),
    st.builds(Reserve, ORDERS, LINES),
    st.builds(Release, ORDERS),
    st.builds(Commit, ORDERS),
    st.builds(Cancel, ORDERS),
    st.builds(Adjust, st.sampled_from(PRODUCTS), st.integers(-4, 5).filter(bool), st.sampled_from(WAREHOUSES)),
    st.builds(Move, st.sampled_from(PRODUCTS), st.integers(1, 4), *[st.sampled_from(WAREHOUSES)] * 2),
    st.builds(Job, st.sampled_from(["lapse_reservations", "reconcile_stock"])),
)


class World:
    """One inventory subgraph with a loop, a client and a clock of its own. Mutable."""

    def __init__(self, uri: str, folder: Path) -> None:
        self.runner = asyncio.Runner()
        self.clock = FixedClock(datetime(2027, 11, 1, 9, 0, tzinfo=UTC))
        self.client = connect(uri)
        prefix = f"{new_id('t')}_"
        runtime = build_runtime(app.NAME, self.client, make_settings(folder, database_prefix=prefix), clock=self.clock)
        self.subgraph: Subgraph = app.build(runtime)
        self.database = runtime.database
        context = self.subgraph.context(Call())
        assert isinstance(context, InventoryContext)
        self.service, self.keeper = context.service, context.keeper
        self.runner.run(self.subgraph.start())

    async def empty(self) -> None:
        for name in await self.database.list_collection_names():
            await self.database[name].delete_many({})
        await self.subgraph.prepare()
        for warehouse_id in WAREHOUSES[1:]:
            row = {"_id": warehouse_id, "code": warehouse_id, "name": "", "priority": 1, "created_at": self.clock.now()}
            await self.database["warehouses"].insert_one(row)
        await insert_stock(self.database, OPENING, now=self.clock.now())
        for product_id, limit in LIMITS.items():
            # A threshold, so that alerts come and go
            await self.keeper.set_policy(product_id, StockPolicy(limit, low_stock_threshold=2), by=STAFF)

    async def close(self) -> None:
        await self.client.drop_database(self.database)
        await self.client.close()


class StockMachine(RuleBasedStateMachine):
    """Runs actions, several at once, and looks at all rows after each step."""

    world: ClassVar[World]

    @initialize()
    def open(self) -> None:
        self.adjusted: Counter[str] = Counter()
        self.keys = 0
        self.world.runner.run(self.world.empty())

    @rule(actions=st.lists(ACTIONS, min_size=2, max_size=6))
    def at_once(self, actions: list[Action]) -> None:
        """Their order is the database's."""

        async def act() -> None:
            await asyncio.gather(*map(self.carry_out, actions))

        self.world.runner.run(act())

    @rule(action=st.builds(Reserve, ORDERS, LINES))
    def reserve_alone(self, action: Reserve) -> None:
        """Nobody is refused what is available, and nobody gets what is not."""

        async def act() -> None:
            wanted: Counter[str] = Counter()
            for line in action.lines:
                wanted[line.product_id] += line.quantity
            before = {level.product_id: level.available for level in await self.world.service.find_levels(PRODUCTS)}
            is_new = await self.world.database["reservations"].find_one({"_id": action.order_id}) is None
            outcome = await self.carry_out(action)
            if is_new:
                fits = all(before[each] + LIMITS[each] >= quantity for each, quantity in wanted.items())
                assert outcome == ("done" if fits else "out of stock"), (before, wanted)

        self.world.runner.run(act())

    @rule(minutes=st.sampled_from([1, 20, 36]))
    def wait(self, minutes: int) -> None:
        self.world.clock.advance(minutes=minutes)

    async def carry_out(self, action: Action) -> str:
        service, world = self.world.service, self.world
        try:
            match action:
                case Reserve(order_id, lines):
                    await service.reserve_stock(order_id, lines, world.clock.now() + HOLD, by=ORDER_SERVICE)
                case Release(order_id):
                    await service.release_stock(order_id, by=ORDER_SERVICE)
                case Commit(order_id):
                    await service.commit_stock(order_id, by=ORDER_SERVICE)
                case Cancel(order_id):
                    if await world.database["reservations"].find_one({"_id": order_id}) is not None:
                        await in_transaction(
                            world.client,
                            lambda session: service.release_in(session, order_id, give_back_paid=True),
                        )
                case Adjust(product_id, delta, warehouse_id):
                    self.keys += 1
                    adjustment = Adjustment(product_id, delta, "counted", f"k{self.keys}", warehouse_id)
                    await world.keeper.adjust_stock(adjustment, by=STAFF)
                    self.adjusted[product_id] += delta
                case Move(product_id, quantity, from_id, to_id) if from_id != to_id:
                    self.keys += 1
                    transfer = Transfer(product_id, quantity, from_id, to_id, "nearer", f"k{self.keys}")
                    await world.keeper.transfer_stock(transfer, by=STAFF)
                case Job(name):
                    (job,) = [job for job in world.subgraph.jobs if job.name == name]
                    await job.run(world.clock.now())
        except OutOfStock:
            return "out of stock"
        except Conflict:
            return "conflict"
        return "done"

    @invariant()
    def sums_are_right(self) -> None:
        self.world.runner.run(self.check())

    async def check(self) -> None:
        database = self.world.database
        levels = {row["_id"]: row async for row in database["stock_levels"].find()}
        held: Counter[str] = Counter()
        held_in: Counter[tuple[str, str]] = Counter()
        overdue: Counter[str] = Counter()
        sold: Counter[str] = Counter()
        async for row in database["reservations"].find():
            for line in row["lines"]:
                if row["status"] == "HELD":
                    held[line["product_id"]] += line["quantity"]
                    held_in[line["product_id"], line["warehouse_id"]] += line["quantity"]
                    if row["expires_at"] < self.world.clock.now() - LAPSE_GRACE:
                        overdue[line["product_id"]] += line["quantity"]
                if row["status"] == "COMMITTED":
                    sold[line["product_id"]] += line["quantity"]
        ledger: dict[str, Counter[str]] = {name: Counter() for name in PRODUCTS}
        ledger_of: dict[tuple[str, str], Counter[str]] = {}
        async for row in database["movements"].find():
            ledger[row["product_id"]].update(on_hand=row["on_hand"], reserved=row["reserved"])
            place = ledger_of.setdefault((row["product_id"], row["warehouse_id"]), Counter())
            place.update(on_hand=row["on_hand"], reserved=row["reserved"])
            assert row["by"] is not None
            # Nothing here breaks anything, so nothing was ever to be mended
            assert row["kind"] != "CORRECTED"
        assert levels.keys() == set(PRODUCTS)
        for name, row in levels.items():
            assert row["available"] >= -LIMITS[name], name
            assert row.get("is_low", False) == (row["available"] <= 2), name
            assert row["available"] == row["on_hand"] - row["reserved"], name
            assert row["reserved"] == held[name], name
            assert row["on_hand"] == OPENING[name] + self.adjusted[name] - sold[name], name
            assert (row["on_hand"], row["reserved"]) == (ledger[name]["on_hand"], ledger[name]["reserved"]), name
            for warehouse_id, shelf in row["warehouses"].items():
                place = ledger_of.get((name, warehouse_id), Counter())
                assert shelf["available"] == shelf["on_hand"] - shelf["reserved"], (name, warehouse_id)
                assert shelf["available"] >= -LIMITS[name], (name, warehouse_id)
                assert shelf["reserved"] == held_in[name, warehouse_id], (name, warehouse_id)
                assert (shelf["on_hand"], shelf["reserved"]) == (place["on_hand"], place["reserved"])
            for counter in ("on_hand", "reserved", "available"):
                assert sum(shelf[counter] for shelf in row["warehouses"].values()) == row[counter], name
        announced = {
            row["subject"]: (row["payload"]["available"], row["payload"]["revision"])
            async for row in database["outbox"].find({"type": "StockAvailabilityChanged"}).sort("payload.revision", 1)
        }
        for name, row in levels.items():
            sellable = row["available"] + LIMITS[name]
            # Nobody is told that something is sold out which can be bought, nor, but for what time alone has freed, the
            # other way round
            assert sellable + overdue[name] > 0 if row.get("announced") else sellable == 0, name
            if name in announced:
                assert announced[name] == (row["announced"], row["revision"]), name
        alerts = await database["stock_alerts"].find({"ended_at": None}).to_list()
        assert sorted(row["product_id"] for row in alerts) == [name for name in PRODUCTS if levels[name].get("is_low")]
        shown = {level.product_id: level.available for level in await self.world.service.find_levels(PRODUCTS)}
        assert shown == {name: levels[name]["available"] + overdue[name] for name in PRODUCTS}


COMMON = settings(deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)


@pytest.fixture
def world(mongo_uri: str, tmp_path: Path) -> Iterator[World]:
    opened = World(mongo_uri, tmp_path)
    StockMachine.world = opened
    yield opened
    opened.runner.run(opened.close())
    opened.runner.close()


@pytest.mark.usefixtures("world")
def test_the_sums_are_right_whatever_happens_at_once() -> None:
    run_state_machine_as_test(
        StockMachine, settings=settings(COMMON, max_examples=20, stateful_step_count=15, derandomize=True)
    )


@pytest.mark.nightly
@pytest.mark.usefixtures("world")
@pytest.mark.timeout(3600)
def test_the_sums_are_right_whatever_happens_at_once_at_length() -> None:
    run_state_machine_as_test(StockMachine, settings=settings(COMMON, max_examples=300, stateful_step_count=40))
