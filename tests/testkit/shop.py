"""The five subgraphs that take part in an order, in one process, with the time, the gateway and the events in hand."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from core.audit import PRIVILEGED_ACTION
from core.events import OUTBOX, event_from_row, handle_once
from core.identity import Identity, Role, service_identity
from core.ids import new_id
from core.mail import Mail, MailboxMailer
from core.money import Money
from core.mongo import Database, Row
from core.peers import InProcessPeers, PeerCall, Peers
from core.subgraph import Call, Subgraph
from subgraphs.inventory import app as inventory_app
from subgraphs.inventory.bulk import FIRST_REVISION, insert_stock
from subgraphs.order import app as order_app
from subgraphs.payment import app as payment_app
from subgraphs.payment.gateways.base import Gateway
from subgraphs.payment.model import PaymentStatus
from subgraphs.product import app as product_app
from subgraphs.product.bulk import insert_products
from subgraphs.product.model import Product, ProductStatus
from subgraphs.user import app as user_app
from subgraphs.user.bulk import NewAccount, insert_users
from subgraphs.user.passwords import Passwords
from tests.testkit.callers import STAFF, Caller
from tests.testkit.clock import FixedClock
from tests.testkit.gateway import MemoryGateway
from tests.testkit.store import MakeRuntime

ANI = Identity("usr_ani", frozenset({Role.CUSTOMER}))
BUDI = Identity("usr_budi", frozenset({Role.CUSTOMER}))

_CHEAP = Passwords(time_cost=1, memory_kib=8, threads=1)

# Beyond the real present, or MongoDB's own clock would remove what expires by ours
OPENING = datetime(2027, 3, 1, 3, 0, tzinfo=UTC)

ADDRESS = {
    "recipient": "Ani Wijaya",
    "line1": "Jalan Merdeka 5",
    "city": "Bandung",
    "postalCode": "40111",
    "country": "ID",
}
CHECKOUT = """
mutation($input: CheckoutInput!) {
  checkout(input: $input) {
    __typename
    ... on CheckoutSuccess { payUrl order { id number status total { amount currency } expiresAt } }
    ... on StockShortageProblem { code shortages { productId requested available } }
    ... on ProductUnavailableProblem { code productIds }
    ... on InvalidInputProblem { code message field }
    ... on Problem { code message }
  }
}
"""
ADD_TO_CART = """
mutation($productId: ID!, $quantity: Int!) {
  addToCart(productId: $productId, quantity: $quantity) {
    __typename
    ... on Cart { itemCount lines { product { id } quantity } }
    ... on InvalidInputProblem { field }
    ... on ProductUnavailableProblem { productIds }
    ... on Problem { code message }
  }
}
"""


class Crash(Exception):
    """The process died here: nothing of ours expects it, so nothing after it runs."""


@dataclass
class WatchedPeers:
    """Passes calls on, notes them, and breaks where it is told to. Mutable.

    *before* and *after* may hold, per subgraph, an error that is raised once, in place of the call or of its answer;
    *always* one that is raised in place of every call.
    """

    inner: Peers
    calls: list[str] = field(default_factory=list)
    before: dict[str, Exception] = field(default_factory=dict)
    after: dict[str, Exception] = field(default_factory=dict)
    always: dict[str, Exception] = field(default_factory=dict)

    async def query(self, subgraph: str, document: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        self.calls.append(subgraph)
        broken = self.before.pop(subgraph, None) or self.always.get(subgraph)
        if broken is not None:
            raise broken
        answer = await self.inner.query(subgraph, document, variables)
        broken = self.after.pop(subgraph, None)
        if broken is not None:
            raise broken
        return answer


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop with two customers, ANI and BUDI, and whatever `stock_up` brings."""

    clock: FixedClock
    gateway: MemoryGateway
    peers: WatchedPeers
    subgraphs: Mapping[str, Subgraph]
    # The subgraphs' ways to each other, for whoever adds another one
    calls: dict[str, PeerCall]

    @property
    def order(self) -> Caller:
        return Caller(self.subgraphs["order"])

    @property
    def payment(self) -> Caller:
        return Caller(self.subgraphs["payment"])

    async def stock_up(self, *, price: Money | None = None, status: str = "ACTIVE", **on_hand: int) -> None:
        """Put products on sale; the keyword is the id, `prd_` left out."""
        now = self.clock.now()
        products = [
            Product(
                id=f"prd_{name}",
                sku=name.upper(),
                slug=name,
                name=name.title(),
                description="",
                price=price or Money(10_000, "IDR"),
                category_id=None,
                images=(),
                status=ProductStatus(status),
                weight_grams=400,
                created_at=now,
                updated_at=now,
                in_stock=count > 0,
                stock_revision=FIRST_REVISION,
            )
            for name, count in on_hand.items()
        ]
        await insert_products(self._database("product"), [(product, None) for product in products])
        levels = {f"prd_{name}": count for name, count in on_hand.items()}
        await insert_stock(self._database("inventory"), levels, now=now)

    async def put_in_cart(self, by: Identity, **quantities: int) -> None:
        """Fill a cart; the keyword is a product's id, `prd_` left out."""
        for name, quantity in quantities.items():
            variables = {"productId": f"prd_{name}", "quantity": quantity}
            result = (await self.order.data(ADD_TO_CART, variables, by=by))["addToCart"]
            assert result["__typename"] == "Cart", result
        self.peers.calls.clear()

    async def check_out(self, by: Identity = ANI, key: str = "key-1", **more: Any) -> dict[str, Any]:
        """Check out and return the result."""
        result: dict[str, Any] = (await self.order.data(CHECKOUT, self.checkout_input(key, **more), by=by))["checkout"]
        return result

    def checkout_input(self, key: str, **more: Any) -> dict[str, Any]:
        """Return the variables of CHECKOUT."""
        return {"input": {"idempotencyKey": key, "shippingAddress": ADDRESS, **more}}

    async def order_paid(self, by: Identity = ANI, *, key: str | None = None, **quantities: int) -> str:
        """Buy, pay and hear of it; return the order's id."""
        await self.put_in_cart(by, **quantities)
        result = await self.check_out(by, key or new_id("key"))
        order = result["order"]
        await self.report(order["number"], "PAID", order["total"]["amount"], order["total"]["currency"])
        await self.deliver_events()
        return str(order["id"])

    async def report(self, reference: str, status: str, amount: int, currency: str = "IDR") -> None:
        """Have the gateway say so, and notify us."""
        notification = self.gateway.report(
            reference, PaymentStatus(status), Money(amount, currency), paid_at=self.clock.now()
        )
        await self.subgraphs["payment"].context(Call()).service.receive_notification(notification)  # type: ignore[attr-defined]

    async def deliver_events(self, *, reverse: bool = False) -> list[str]:
        """Deliver events until there are none left; return their types in the order of delivery."""
        delivered: list[str] = []
        while True:
            waiting = [(source, row) for source in self.subgraphs.values() for row in await self._due_events(source)]
            if not waiting:
                return delivered
            for source, row in reversed(waiting) if reverse else waiting:
                event = event_from_row(row)
                for subscriber in self.subgraphs.values():
                    handler = subscriber.handlers.get(event.type)
                    if handler is not None:
                        await handle_once(subscriber.runtime.client, subscriber.runtime.database, event, handler)
                await source.runtime.database[OUTBOX].update_one({"_id": event.id}, {"$unset": {"due_at": ""}})
                delivered.append(event.type)

    async def run_job(self, subgraph: str, name: str) -> None:
        """Run a job once."""
        job = next(job for job in self.subgraphs[subgraph].jobs if job.name == name)
        await job.run(self.clock.now())

    async def orders(self) -> list[Row]:
        """Return all orders, oldest first."""
        return await self._database("order")["orders"].find().sort([("placed_at", 1), ("_id", 1)]).to_list()

    async def the_order(self) -> Row:
        """Return the only order."""
        (order,) = await self.orders()
        return order

    async def payments(self) -> list[Row]:
        """Return all payments, oldest first."""
        return await self._database("payment")["payments"].find().sort("_id", 1).to_list()

    async def checkouts(self) -> list[Row]:
        """Return all checkouts, oldest first."""
        return await self._database("order")["checkouts"].find().sort("_id", 1).to_list()

    async def events(self, subgraph: str) -> list[str]:
        """Return the types of all events that a subgraph ever announced, in order, but for those of the audit log.

        Rows without a type are no events, but changes for the rollup.
        """
        query = {"type": {"$nin": [PRIVILEGED_ACTION, None]}}
        return [row["type"] for row in await self._database(subgraph)[OUTBOX].find(query).sort("_id", 1).to_list()]

    async def audited(self, subgraph: str) -> list[tuple[str, str, str]]:
        """Return action, target and actor of all that a subgraph ever told the audit log, in order."""
        payloads = await self.event_payloads(subgraph, PRIVILEGED_ACTION)
        return [(payload["action"], payload["target"], payload["actor_id"]) for payload in payloads]

    async def event_payloads(self, subgraph: str, type_: str) -> list[Row]:
        """Return the payloads of the events of one type."""
        rows = await self._database(subgraph)[OUTBOX].find({"type": type_}).sort("_id", 1).to_list()
        return [row["payload"] for row in rows]

    async def stock(self, name: str) -> tuple[int, int]:
        """Return how many pieces of a product are on hand, and how many of them reserved."""
        row = await self._database("inventory")["stock_levels"].find_one({"_id": f"prd_{name}"})
        assert row is not None
        return row["on_hand"], row["reserved"]

    async def cart(self, by: Identity = ANI) -> dict[str, int]:
        """Return the quantities in a cart by product id."""
        answer = await self.order.data("{ cart { lines { product { id } quantity } } }", by=by)
        return {line["product"]["id"]: line["quantity"] for line in answer["cart"]["lines"]}

    async def mails(self, to: str = "ani@example.org") -> list[Mail]:
        """Return what a buyer was sent, newest first."""
        mailer = self.subgraphs["payment"].runtime.mailer
        assert isinstance(mailer, MailboxMailer)
        return await mailer.read(to=to)

    def _database(self, subgraph: str) -> Database:
        return self.subgraphs[subgraph].runtime.database

    async def _due_events(self, source: Subgraph) -> list[Row]:
        return await source.runtime.database[OUTBOX].find({"due_at": {"$exists": True}}).sort("_id", 1).to_list()


async def open_shop(make_runtime: MakeRuntime, *, gateway: Gateway | None = None) -> Shop:
    """Return a started shop without products; *gateway* replaces the one in memory."""
    shop = build_shop(make_runtime, gateway=gateway)
    for subgraph in shop.subgraphs.values():
        await subgraph.start()
    await _insert_customers(shop)
    return shop


def build_shop(make_runtime: MakeRuntime, *, gateway: Gateway | None = None) -> Shop:
    """Return a shop that is not started: another process's way into one that is."""
    clock, memory = FixedClock(OPENING), MemoryGateway()
    calls: dict[str, PeerCall] = {}

    def peers(name: str) -> InProcessPeers:
        return InProcessPeers(service_identity(name), calls)

    watched = WatchedPeers(peers("order"))
    subgraphs = {
        "inventory": inventory_app.build(make_runtime("inventory", peers=peers("inventory"), clock=clock)),
        "order": order_app.build(make_runtime("order", peers=watched, clock=clock)),
        "payment": payment_app.build(
            make_runtime("payment", peers=peers("payment"), clock=clock), gateway=gateway or memory
        ),
        "product": product_app.build(make_runtime("product", peers=peers("product"), clock=clock)),
        "user": user_app.build(make_runtime("user", peers=peers("user"), clock=clock), passwords=_CHEAP),
    }
    for name, subgraph in subgraphs.items():
        calls[name] = _call(subgraph)
    return Shop(clock, memory, watched, subgraphs, calls)


async def reopen_shop(shop: Shop) -> Shop:
    """Return *shop* as `open_shop` would, on the same databases: far faster than new ones with all their indexes."""
    for subgraph in shop.subgraphs.values():
        database = subgraph.runtime.database
        for name in await database.list_collection_names():
            if name != "mailbox":
                await database[name].delete_many({})
            else:
                await database.drop_collection(name)
    # What a start writes into empty databases
    for name in ("order", "inventory", "product"):
        await shop.subgraphs[name].prepare()
    clock, gateway, peers = FixedClock(OPENING), MemoryGateway(), WatchedPeers(shop.peers.inner)
    for old, new in ((shop.clock, clock), (shop.gateway, gateway), (shop.peers, peers)):
        # The subgraphs hold these objects
        vars(old).update(vars(new))
    await _insert_customers(shop)
    return shop


async def _insert_customers(shop: Shop) -> None:
    accounts = [
        NewAccount("usr_ani", "ani@example.org", "Ani Wijaya", shop.clock.now()),
        NewAccount("usr_budi", "budi@example.org", "Budi Santoso", shop.clock.now()),
    ]
    database = shop.subgraphs["user"].runtime.database
    await insert_users(database, accounts, password="correct horse battery", passwords=_CHEAP)


def _call(subgraph: Subgraph) -> Callable[[str, Mapping[str, Any], Identity], Any]:
    async def call(document: str, variables: Mapping[str, Any], identity: Identity) -> dict[str, Any]:
        return await subgraph.execute(document, variables, None, Call(identity=identity, trusted=True))

    return call


__all__ = ["ADDRESS", "ANI", "BUDI", "STAFF", "Crash", "Shop", "WatchedPeers", "open_shop", "reopen_shop"]
