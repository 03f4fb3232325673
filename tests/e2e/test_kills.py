"""A store is killed at each step of a checkout, in turn, and started again: one whole order comes of it, or nothing.

Real programs on a real MongoDB, killed with SIGKILL. The steps are those of checkout_steps.py: each is tried before it
is written, when it is written and not committed yet, and when it is recorded. Each start takes up what the ones before
have left behind, as its job does whenever a request went silent; the half minute after which that happens is not
waited for.
"""

import asyncio
import signal
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http.client import HTTPException
from itertools import pairwise
from pathlib import Path
from typing import Any

import pymongo
import pytest

from core.clock import SystemClock
from core.identity import Identity, Role
from core.ids import new_id
from core.money import Money
from core.mongo import Row
from core.settings import Settings
from pasar.keys import complete_settings
from pasar.store import open_store
from subgraphs.inventory.bulk import insert_stock
from subgraphs.order.checkout_steps import FIRST_STATE, STEPS
from subgraphs.product.bulk import insert_products
from subgraphs.product.model import Product, ProductStatus
from subgraphs.user.bulk import NewAccount, insert_users
from subgraphs.user.keys import load_token_issuer
from subgraphs.user.passwords import Passwords
from tests.testkit.dying_store import Death, MortalStore, running_mortal_store
from tests.testkit.running import Client, Json, eventually
from tests.testkit.shop import ADD_TO_CART, ADDRESS, CHECKOUT

# Thirty starts: a minute, and several on a machine that is busy with other things
pytestmark = pytest.mark.timeout(900)

MOMENTS = ("before", "written", "recorded")
CART = {"prd_teapot": 2, "prd_cup": 1}
ON_HAND = {"prd_teapot": 500, "prd_cup": 500, "prd_rare": 1}
# What there is too little of
SHORT_CART = {"prd_rare": 2}
# When whatever is unfinished is made to be due
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def way_of_orders() -> tuple[str, ...]:
    """Return the states on the way to an order."""
    way: list[str] = [FIRST_STATE]
    while targets := STEPS[way[-1]]:  # type: ignore[index]
        way.append(targets[0])
    return tuple(way)


WAY = way_of_orders()


@dataclass(frozen=True, slots=True)
class Point:
    """Where a store dies."""

    source: str
    target: str
    moment: str

    def __str__(self) -> str:
        return f"{self.source or 'nothing'}-{self.target}-{self.moment}"

    @property
    def buyer_id(self) -> str:
        return f"usr_{str(self).lower().replace('-', '_')}"

    @property
    def is_on_the_way(self) -> bool:
        return not self.source or (self.source, self.target) in pairwise(WAY)

    @property
    def is_short(self) -> bool:
        """Tell whether it is reached by ordering more than there is; other refusals come of being late."""
        return (self.source, self.target) == ("QUOTED", "REFUSED")

    @property
    def death(self) -> Death:
        late_at = ""
        if not self.is_on_the_way and not self.is_short:
            # Off the way: late at the first state that leads there
            late_at = (
                self.source if self.source in WAY else next(state for state in WAY if self.source in STEPS[state])  # type: ignore[index]
            )
        return Death(self.buyer_id, self.source, self.target, self.moment, late_at)

    @property
    def cart(self) -> dict[str, int]:
        return SHORT_CART if self.is_short else CART


POINTS = tuple(
    Point(source, target, moment)
    for source, target in (
        ("", FIRST_STATE),
        *((each, target) for each, targets in STEPS.items() for target in targets),
    )
    for moment in MOMENTS
)


@dataclass(frozen=True, slots=True)
class Attempt:
    """What is left of one buyer's checkout after the recovery; *answer* is what it is then told for the same key."""

    exit_code: int
    checkouts: list[Row]
    orders: list[Row]
    payments: list[Row]
    # Those of the gateway that a payment knows
    pages: list[Row]
    reservations: list[Row]
    events: list[str]
    cart: dict[str, int]
    answer: Json


class Stores:
    """Starts stores on one set of databases, one after the other. Mutable: they change the databases."""

    def __init__(self, uri: str, folder: Path) -> None:
        self._folder = folder
        self._prefix = f"{new_id('t')}_"
        self._variables = {
            "PASAR_MONGODB_URI": uri,
            "PASAR_DATABASE_PREFIX": self._prefix,
            "PASAR_DASHBOARD": "false",
            # Nothing that is ordered here is to expire by itself
            "PASAR_RESERVATION_TTL_S": "86400",
        }
        self._client: pymongo.MongoClient[Row] = pymongo.MongoClient(uri, tz_aware=True)
        self._issuer = load_token_issuer(complete_settings(Settings(data=folder)))

    def find(self, name: str, query: Mapping[str, Any] | None = None) -> list[Row]:
        """Return rows of `subgraph.collection`."""
        return self._collection(name).find(query or {}).sort("_id", 1).to_list()

    @contextmanager
    def running(self, death: Death | None = None) -> Iterator[MortalStore]:
        """Run a store, which takes up all that is unfinished; it dies as *death* says."""
        # What a killed program has begun and not committed ends after a minute: that is not waited for, either
        self._client.admin.command("killAllSessions", [])
        due = {"due_at": {"$exists": True}}
        self._collection("order.checkouts").update_many(due, {"$set": {"due_at": LONG_AGO}})
        self._collection("order.jobs").delete_many({})
        with running_mortal_store(self._folder, self._variables, death) as store:
            yield store

    def kill_at(self, point: Point) -> int:
        """Fill a cart and order it, in a store that dies at *point*; return how it ended."""
        with self.running(point.death) as store:
            client = self._client_of(store, point)
            for product_id, quantity in point.cart.items():
                filled = client.ask(ADD_TO_CART, productId=product_id, quantity=quantity)["addToCart"]
                assert filled["__typename"] == "Cart", filled
            with suppress(OSError, HTTPException):
                told = client.execute(CHECKOUT, **checkout_input())
                raise AssertionError(f"it did not die at {point}, but answered {told}")
            return store.wait_for_death()

    def check_out_again(self, store: MortalStore, point: Point) -> Json:
        """Send the buyer's request once more; return the answer."""
        answer: Json = self._client_of(store, point).ask(CHECKOUT, **checkout_input())["checkout"]
        return answer

    def look_at(self, point: Point, exit_code: int) -> Attempt:
        """Return what there is of an attempt, without an answer."""
        of_buyer = {"buyer_id": point.buyer_id}
        checkouts, payments = self.find("order.checkouts", of_buyer), self.find("payment.payments", of_buyer)
        ids = [row["_id"] for row in checkouts]
        tokens = [row["token"] for row in payments if "token" in row]
        return Attempt(
            exit_code,
            checkouts,
            orders=self.find("order.orders", of_buyer),
            payments=payments,
            pages=self.find("sandbox.sandbox_transactions", {"_id": {"$in": tokens}}),
            reservations=self.find("inventory.reservations", {"_id": {"$in": ids}}),
            events=[row["type"] for row in self.find("order.outbox", {"subject": {"$in": ids}})],
            cart={
                line["product_id"]: line["quantity"]
                for cart in self.find("order.carts", {"owner_id": point.buyer_id})
                for line in cart["lines"]
            },
            answer={},
        )

    def drop(self) -> None:
        for name in self._client.list_database_names():
            if name.startswith(self._prefix):
                self._client.drop_database(name)
        self._client.close()

    async def fill(self, uri: str) -> None:
        """Insert products with stock and a buyer for each point."""
        now = SystemClock().now()
        products = [
            Product(
                id=product_id,
                sku=product_id.upper(),
                slug=product_id.replace("_", "-"),
                name=product_id,
                description="",
                price=Money(10_000, "IDR"),
                category_id=None,
                images=(),
                status=ProductStatus.ACTIVE,
                weight_grams=400,
                created_at=now,
                updated_at=now,
            )
            for product_id in ON_HAND
        ]
        buyers = [NewAccount(point.buyer_id, f"{point.buyer_id}@example.org", "Ani", now) for point in POINTS]
        cheap = Passwords(time_cost=1, memory_kib=8, threads=1)
        settings = complete_settings(Settings(data=self._folder, database_prefix=self._prefix))
        async with open_store(settings, uri) as store:
            await store.start()
            databases = {name: subgraph.runtime.database for name, subgraph in store.subgraphs.items()}
            await insert_products(databases["product"], [(product, None) for product in products])
            await insert_stock(databases["inventory"], ON_HAND, now=now)
            await insert_users(databases["user"], buyers, password="correct horse battery", passwords=cheap)
            await store.stop()

    def _client_of(self, store: MortalStore, point: Point) -> Client:
        identity = Identity(point.buyer_id, frozenset({Role.CUSTOMER}))
        return store.client.with_token(self._issuer.issue(identity, now=SystemClock().now()))

    def _collection(self, name: str) -> "pymongo.collection.Collection[Row]":
        subgraph, _, collection = name.partition(".")
        return self._client[f"{self._prefix}{subgraph}"][collection]


def checkout_input() -> Json:
    return {"input": {"idempotencyKey": "the key", "shippingAddress": ADDRESS}}


@pytest.fixture(scope="module")
def stores(mongo_uri: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stores]:
    stores = Stores(mongo_uri, tmp_path_factory.mktemp("kills"))
    try:
        with asyncio.Runner() as runner:
            runner.run(stores.fill(mongo_uri))
        yield stores
    finally:
        stores.drop()


@pytest.fixture(scope="module")
def attempts(stores: Stores) -> Mapping[Point, Attempt]:
    """Kill one store after the other, and return what the last one, which lives, has made of it all."""
    exit_codes = {point: stores.kill_at(point) for point in POINTS}
    with stores.running() as store:
        eventually(lambda: stores.find("order.checkouts", {"due_at": {"$exists": True}}), until=lambda due: not due)
        # A cancelled order's stock goes back by an event
        eventually(lambda: stores.find("order.outbox", {"due_at": {"$exists": True}}), until=lambda due: not due)
        seen = {point: stores.look_at(point, exit_codes[point]) for point in POINTS}
        return {point: replace(attempt, answer=stores.check_out_again(store, point)) for point, attempt in seen.items()}


@pytest.mark.parametrize("point", [point for point in POINTS if point.is_on_the_way], ids=str)
def test_a_checkout_killed_on_its_way_becomes_one_whole_order(attempts: Mapping[Point, Attempt], point: Point) -> None:
    attempt = attempts[point]
    assert attempt.exit_code == -signal.SIGKILL
    if (point.source, point.moment) == ("", "before"):
        # Nothing was written: only now, that it is sent again, there is an order
        assert (attempt.checkouts, attempt.orders, attempt.payments, attempt.cart) == ([], [], [], CART)
        assert attempt.answer["__typename"] == "CheckoutSuccess"
        return
    (checkout,), (order,), (payment,) = attempt.checkouts, attempt.orders, attempt.payments
    (reservation,), (page,) = attempt.reservations, attempt.pages
    assert checkout["state"] == WAY[-1]
    assert (order["_id"], order["status"]) == (checkout["_id"], "PENDING_PAYMENT")
    assert {line["product_id"]: line["quantity"] for line in order["lines"]} == CART
    assert reservation["status"] == "HELD"
    assert {line["product_id"]: line["quantity"] for line in reservation["lines"]} == CART
    assert (payment["order_id"], payment["status"], payment["amount"]) == (
        order["_id"],
        "PENDING",
        order["total_amount"],
    )
    assert (page["gross"], page["status"]) == (order["total_amount"], None)
    assert attempt.events == ["OrderPlaced"]
    assert attempt.cart == {}
    assert (attempt.answer["order"]["id"], attempt.answer["payUrl"]) == (order["_id"], payment["pay_url"])


@pytest.mark.parametrize("point", [point for point in POINTS if not point.is_on_the_way], ids=str)
def test_a_checkout_killed_while_it_is_refused_leaves_nothing(attempts: Mapping[Point, Attempt], point: Point) -> None:
    attempt = attempts[point]
    assert attempt.exit_code == -signal.SIGKILL
    (checkout,) = attempt.checkouts
    assert checkout["state"] == "REFUSED"
    assert [row["status"] for row in attempt.reservations if row["status"] != "RELEASED"] == []
    assert [row["status"] for row in attempt.payments if row["status"] == "PENDING"] == []
    assert [page["status"] for page in attempt.pages if page["status"] != "cancel"] == []
    assert attempt.answer["__typename"].endswith("Problem")
    if point.source == "PLACED":
        # There was an order already: it is cancelled
        assert [order["status"] for order in attempt.orders] == ["CANCELLED"]
        assert attempt.events == ["OrderPlaced", "OrderCancelled"]
        return
    assert attempt.orders == []
    assert attempt.events == []
    assert attempt.cart == point.cart


@pytest.mark.usefixtures("attempts")
def test_stock_reservations_and_ledger_add_up_after_all_deaths(stores: Stores) -> None:
    held: Counter[str] = Counter()
    for reservation in stores.find("inventory.reservations", {"status": "HELD"}):
        for line in reservation["lines"]:
            held[line["product_id"]] += line["quantity"]
    booked: dict[str, Counter[str]] = {product_id: Counter() for product_id in ON_HAND}
    for movement in stores.find("inventory.movements"):
        booked[movement["product_id"]].update(on_hand=movement["on_hand"], reserved=movement["reserved"])
    # One on each point of the way; the one that was sent again is among them
    orders = sum(point.is_on_the_way for point in POINTS)
    assert held == {"prd_teapot": 2 * orders, "prd_cup": orders}
    for level in stores.find("inventory.stock_levels"):
        product_id = level["_id"]
        assert (level["on_hand"], level["reserved"]) == (ON_HAND[product_id], held[product_id])
        assert level["available"] == level["on_hand"] - level["reserved"]
        assert (booked[product_id]["on_hand"], booked[product_id]["reserved"]) == (level["on_hand"], level["reserved"])


@pytest.mark.usefixtures("attempts")
def test_every_payment_after_all_deaths_is_of_one_order_and_of_its_sum(stores: Stores) -> None:
    totals = {order["_id"]: order["total_amount"] for order in stores.find("order.orders")}
    payments = stores.find("payment.payments")
    assert len({payment["order_id"] for payment in payments}) == len(payments)
    assert [payment["amount"] for payment in payments] == [totals[payment["order_id"]] for payment in payments]
    # A page that was opened by a gateway that died before it could say where is nobody's; but if somebody paid there,
    # it would be known which order that is for
    known = {reference for payment in payments for reference in payment["references"]}
    pages = {page["_id"]: page for page in stores.find("sandbox.sandbox_transactions", {"status": None})}
    assert known.issuperset(page["order_id"] for page in pages.values())
    for payment in payments:
        if payment["status"] == "PENDING":
            assert pages[payment["token"]]["gross"] == payment["amount"]
