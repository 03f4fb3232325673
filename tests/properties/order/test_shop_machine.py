"""Carts, stock, orders and payments under whatever happens, at once and in any order, on a real database.

Buyers fill carts and order, again with the same key, too; they pay, pay twice, pay late, or let the time pass; orders
are cancelled while that goes on; checkouts die half-way, gateways are down and events arrive late, repeated or the
wrong way round. After every step all rows are looked at; at the end everything is delivered, and every buyer has either
a whole order or nothing.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from core.clock import Clock
from core.errors import NotFound
from core.identity import Identity
from core.ids import new_id
from core.mongo import Row, connect
from core.peers import Peers, PeerUnavailable
from core.settings import Settings
from core.subgraph import Runtime
from subgraphs.order.model import SALES_STATUSES
from subgraphs.payment.gateways.base import GatewayUnavailable
from tests.testkit.callers import STAFF
from tests.testkit.shop import ADD_TO_CART, ANI, BUDI, CHECKOUT, Crash, Shop, open_shop, reopen_shop
from tests.testkit.store import build_runtime, make_settings

ON_HAND = {"teapot": 6, "cup": 3}
PRODUCTS = tuple(ON_HAND)
CANCEL = "mutation($id: ID!) { cancelOrder(id: $id) { __typename } }"
REMOVE = "mutation($id: ID!) { removeFromCart(productId: $id) { __typename } }"
JOBS = (
    ("order", "resume_checkouts"),
    ("order", "expire_orders"),
    ("inventory", "lapse_reservations"),
    ("inventory", "reconcile_stock"),
    ("payment", "check_payments"),
)
# A refusal has one of these; INTERNAL_SERVER_ERROR is a death that was ordered
REFUSALS = {"INTERNAL_SERVER_ERROR", "UNAVAILABLE", "CONFLICT", "NOT_FOUND"}

BUYERS = st.sampled_from([ANI, BUDI])
# One of those that there are: few, so that the same is met again
WHICH = st.integers(0, 5)


@dataclass(frozen=True)
class Add:
    buyer: Identity
    product: str
    quantity: int


@dataclass(frozen=True)
class Remove:
    buyer: Identity
    product: str


@dataclass(frozen=True)
class CheckOut:
    buyer: Identity
    key: int


@dataclass(frozen=True)
class Report:
    """The gateway says how a payment stands, also of one that it was told to stop: a transfer may be on its way."""

    which: int
    status: str


@dataclass(frozen=True)
class Cancel:
    which: int
    by_staff: bool


@dataclass(frozen=True)
class Deliver:
    reverse: bool


@dataclass(frozen=True)
class Job:
    subgraph: str
    name: str


Action = Add | Remove | CheckOut | Report | Cancel | Deliver | Job

ACTIONS: st.SearchStrategy[Action] = st.one_of(
    st.builds(Add, BUYERS, st.sampled_from(PRODUCTS), st.integers(1, 2)),
    st.builds(Remove, BUYERS, st.sampled_from(PRODUCTS)),
    st.builds(CheckOut, BUYERS, st.integers(0, 3)),
    st.builds(CheckOut, BUYERS, st.integers(0, 3)),
    st.builds(Report, WHICH, st.sampled_from(["PAID", "PAID", "FAILED", "EXPIRED"])),
    st.builds(Cancel, WHICH, st.booleans()),
    st.builds(Deliver, st.booleans()),
    st.sampled_from([Job(*each) for each in JOBS]),
)


class World:
    """One shop with a loop and a client of its own. Mutable."""

    def __init__(self, uri: str, folder: Path) -> None:
        self.runner = asyncio.Runner()
        self.client = connect(uri)
        chosen = make_settings(folder, database_prefix=f"{new_id('t')}_")

        def make(
            name: str, *, peers: Peers | None = None, clock: Clock | None = None, settings: Settings | None = chosen
        ) -> Runtime:
            assert settings is not None
            return build_runtime(name, self.client, settings, peers=peers, clock=clock)

        self.shop: Shop = self.runner.run(open_shop(make))

    async def empty(self) -> None:
        await reopen_shop(self.shop)
        await self.shop.stock_up(teapot=ON_HAND["teapot"], cup=ON_HAND["cup"])

    async def rows(self, name: str) -> list[Row]:
        subgraph, _, collection = name.partition(".")
        return await self.shop.subgraphs[subgraph].runtime.database[collection].find().sort("_id", 1).to_list()

    async def close(self) -> None:
        for subgraph in self.shop.subgraphs.values():
            await subgraph.stop()
            await self.client.drop_database(subgraph.runtime.database)
        await self.client.close()


class ShopMachine(RuleBasedStateMachine):
    """Runs actions, several at once, and looks at all rows after each step."""

    world: ClassVar[World]

    @initialize()
    def open(self) -> None:
        self.world.runner.run(self.world.empty())

    @rule(actions=st.lists(ACTIONS, min_size=1, max_size=5))
    def at_once(self, actions: list[Action]) -> None:
        """Their order is the database's."""

        async def act() -> None:
            await asyncio.gather(*map(self.carry_out, actions))

        self.world.runner.run(act())

    @rule(
        buyer=BUYERS,
        key=st.integers(0, 3),
        product=st.sampled_from(PRODUCTS),
        subgraph=st.sampled_from(["user", "product", "inventory", "payment"]),
        moment=st.sampled_from(["before", "after"]),
        is_death=st.booleans(),
    )
    def check_out_badly(
        self, buyer: Identity, key: int, product: str, subgraph: str, moment: str, is_death: bool
    ) -> None:
        """A checkout whose process dies, or whose call fails, around what it asks of another subgraph."""

        async def act() -> None:
            faults = getattr(self.world.shop.peers, moment)
            faults[subgraph] = Crash() if is_death else PeerUnavailable("out of reach")
            await self.carry_out(Add(buyer, product, 1))
            await self.carry_out(CheckOut(buyer, key))
            faults.pop(subgraph, None)

        self.world.runner.run(act())

    @rule(actions=st.lists(ACTIONS, min_size=1, max_size=3))
    def while_the_gateway_is_down(self, actions: list[Action]) -> None:
        async def act() -> None:
            self.world.shop.gateway.is_down = True
            await asyncio.gather(*map(self.carry_out, actions))
            self.world.shop.gateway.is_down = False

        self.world.runner.run(act())

    @rule(minutes=st.sampled_from([1, 6, 31, 60]))
    def wait(self, minutes: int) -> None:
        self.world.shop.clock.advance(minutes=minutes)

    async def carry_out(self, action: Action) -> None:
        shop = self.world.shop
        match action:
            case Add(buyer, product, quantity):
                variables = {"productId": f"prd_{product}", "quantity": quantity}
                await self.ask(ADD_TO_CART, variables, buyer)
            case Remove(buyer, product):
                await self.ask(REMOVE, {"id": f"prd_{product}"}, buyer)
            case CheckOut(buyer, key):
                await self.ask(CHECKOUT, shop.checkout_input(f"key-{key}"), buyer)
            case Report(which, status):
                payments = await self.world.rows("payment.payments")
                if payments:
                    payment = payments[which % len(payments)]
                    # It would send the notification again, and the job asks
                    with suppress(GatewayUnavailable, NotFound):
                        await shop.report(payment["reference"], status, payment["amount"], payment["currency"])
            case Cancel(which, by_staff):
                orders = await shop.orders()
                if orders:
                    order = orders[which % len(orders)]
                    buyer = ANI if order["buyer_id"] == ANI.subject else BUDI
                    await self.ask(CANCEL, {"id": order["_id"]}, STAFF if by_staff else buyer)
            case Deliver(reverse):
                await shop.deliver_events(reverse=reverse)
            case Job(subgraph, name):
                await shop.run_job(subgraph, name)

    async def ask(self, document: str, variables: dict[str, Any], by: Identity) -> None:
        refused = await self.world.shop.order.refusals(document, variables, by=by)
        assert set(refused) <= REFUSALS, refused

    @invariant()
    def sums_are_right(self) -> None:
        self.world.runner.run(self.check())

    async def check(self) -> None:
        world = self.world
        await self.check_stock()
        orders = {row["_id"]: row for row in await world.rows("order.orders")}
        checkouts = {row["_id"]: row for row in await world.rows("order.checkouts")}
        payments = await world.rows("payment.payments")
        # No two orders for one key, and none that nobody asked for
        keys = Counter((row["buyer_id"], row["idempotency_key"]) for row in checkouts.values())
        assert set(keys.values()) <= {1}
        assert orders.keys() <= checkouts.keys()
        assert len({order["number"] for order in orders.values()}) == len(orders)
        for order_id, order in orders.items():
            assert order["subtotal_amount"] == sum(line["quantity"] * line["unit_amount"] for line in order["lines"])
            assert order["total_amount"] == order["subtotal_amount"] + order["shipping_amount"]
            assert order["buyer_id"] == checkouts[order_id]["buyer_id"]
            assert {line["product_id"]: line["quantity"] for line in order["lines"]} == {
                line["product_id"]: line["quantity"] for line in checkouts[order_id]["cart"]
            }
        # An order has one payment, of its sum
        assert len({payment["order_id"] for payment in payments}) == len(payments)
        for payment in payments:
            assert payment["amount"] == orders[payment["order_id"]]["total_amount"]
        sold: Counter[str] = Counter()
        for order in orders.values():
            if order["status"] in SALES_STATUSES:
                sold.update({line["product_id"]: line["quantity"] for line in order["lines"]})
        assert {row["_id"]: row["units"] for row in await world.rows("order.product_sales") if row["units"]} == sold

    async def check_stock(self) -> None:
        held: Counter[str] = Counter()
        gone: Counter[str] = Counter()
        for row in await self.world.rows("inventory.reservations"):
            for line in row["lines"]:
                if row["status"] == "HELD":
                    held[line["product_id"]] += line["quantity"]
                if row["status"] == "COMMITTED":
                    gone[line["product_id"]] += line["quantity"]
        ledger: dict[str, Counter[str]] = {f"prd_{name}": Counter() for name in PRODUCTS}
        for row in await self.world.rows("inventory.movements"):
            ledger[row["product_id"]].update(on_hand=row["on_hand"], reserved=row["reserved"])
            # Nothing here breaks anything, so nothing was ever to be mended
            assert row["kind"] != "CORRECTED"
        levels = {row["_id"]: row for row in await self.world.rows("inventory.stock_levels")}
        assert levels.keys() == ledger.keys()
        for product_id, level in levels.items():
            assert level["available"] >= 0
            assert level["available"] == level["on_hand"] - level["reserved"]
            assert level["reserved"] == held[product_id]
            assert level["on_hand"] == ON_HAND[product_id.removeprefix("prd_")] - gone[product_id]
            booked = ledger[product_id]
            assert (booked["on_hand"], booked["reserved"]) == (level["on_hand"], level["reserved"])

    def teardown(self) -> None:
        self.world.runner.run(self.settle())
        self.world.runner.run(self.check())

    async def settle(self) -> None:
        """Let everything come to its end: then all parts of the shop say the same of every order."""
        shop = self.world.shop
        for _ in range(3):
            shop.clock.advance(minutes=61)
            for subgraph, name in JOBS:
                await shop.run_job(subgraph, name)
            await shop.deliver_events()
        checkouts = {row["_id"]: row["state"] for row in await self.world.rows("order.checkouts")}
        reservations = {row["_id"]: row["status"] for row in await self.world.rows("inventory.reservations")}
        payments = {row["order_id"]: row["status"] for row in await self.world.rows("payment.payments")}
        orders = {row["_id"]: row for row in await shop.orders()}
        assert set(checkouts.values()) <= {"OPENED", "REFUSED"}
        for order_id, state in checkouts.items():
            reservation, payment = reservations.get(order_id), payments.get(order_id)
            order = orders.get(order_id)
            if order is None:
                assert state == "REFUSED"
                assert reservation in (None, "RELEASED")
                assert payment is None
            elif order["status"] == "PAID":
                assert payment in ("PAID", "FAILED")
                assert reservation == "COMMITTED" or order["attention"] == "STOCK_SHORT"
            else:
                # Nobody had the time to pay, or somebody has cancelled it
                assert order["status"] in ("EXPIRED", "CANCELLED")
                assert reservation == "RELEASED"
                # Money that came in all the same goes back
                assert payment != "PAID" or order["attention"] == "REFUND_DUE"


COMMON = settings(deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)


@pytest.fixture
def world(mongo_uri: str, tmp_path: Path) -> Iterator[World]:
    opened = World(mongo_uri, tmp_path)
    ShopMachine.world = opened
    yield opened
    opened.runner.run(opened.close())
    opened.runner.close()


@pytest.mark.usefixtures("world")
def test_orders_stock_and_payments_agree_whatever_happens_at_once() -> None:
    run_state_machine_as_test(
        ShopMachine, settings=settings(COMMON, max_examples=10, stateful_step_count=12, derandomize=True)
    )


@pytest.mark.nightly
@pytest.mark.usefixtures("world")
@pytest.mark.timeout(3600)
def test_orders_stock_and_payments_agree_whatever_happens_at_once_at_length() -> None:
    run_state_machine_as_test(ShopMachine, settings=settings(COMMON, max_examples=150, stateful_step_count=30))
