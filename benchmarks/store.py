"""Measure the whole store in one process: how many checkouts a second it takes, and how soon a product page is there.

`pasar up` runs on a real mongod, and the clients are a program of their own; all share the machine's cores.

- A checkout is the mutation of that name over HTTP, from a filled cart of two products to the page where it is paid:
  buyer, prices and stock are asked for, stock is reserved, the order placed, the payment opened at the sandbox gateway
  (over HTTP, too), and meanwhile the worker delivers what is announced. First as many as go, eight buyers at a time;
  then at the rate of the goal, in random moments, timed from the moment when each was due.
- A product page is one query: the product with its stock, its category with those above, and eleven products of that
  with their stock, of which a page shows the ten that are not this one. A hundred clients look at each answer for a
  second on average; of what they ask, eight in ten are product pages, the rest is lists, suggestions and carts.

The baselines, measured in the same run: the rows that a checkout leaves behind, written again in the same transactions
by a program that does nothing else, as many at a time and at the same rate; and the four reads of a product page.
"""

import asyncio
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pymongo.monitoring

from benchmarks.report import Result, parse_arguments, publish
from benchmarks.router import ROOT, cpu_s, free_port, running, wait_until_answering
from benchmarks.store_baseline import BareShop, read_page, read_rows, run_at_a_time, run_at_rate
from benchmarks.store_load import Load, Request, run_load
from benchmarks.store_trace import CommandTimes, Trace, tracing
from core.clock import SystemClock
from core.identity import Identity, Role
from core.money import Money
from core.mongo import connect
from core.settings import Settings
from core.tokens import AccessTokenIssuer
from pasar.all_in_one import serve_store
from pasar.keys import complete_settings
from pasar.listening import bind, port_of
from pasar.mongod import EmbeddedMongod
from pasar.running import run_async
from pasar.store import open_store
from subgraphs.inventory.bulk import insert_stock
from subgraphs.product.bulk import insert_categories, insert_products
from subgraphs.product.model import Category, Product, ProductStatus
from subgraphs.product.picture_model import ProductImage
from subgraphs.user.bulk import NewAccount, insert_users
from subgraphs.user.keys import load_token_issuer
from subgraphs.user.passwords import Passwords

GOAL_RATE, GOAL_CHECKOUT_MS, GOAL_PAGE_MS = 60.0, 250.0, 10.0
AT_A_TIME = 8
CLIENTS = 100
SHELVES = 40
# Nothing runs out: what is measured is selling
ON_HAND = 1_000_000
PREFIX, BARE = "pasar_", "bare_"

CHECKOUT = """
mutation($input: CheckoutInput!) {
  checkout(input: $input) {
    __typename
    ... on CheckoutSuccess { payUrl order { id number status total { amount currency } expiresAt } }
    ... on Problem { code message }
  }
}
"""
ADD_TO_CART = """
mutation($productId: ID!) {
  addToCart(productId: $productId, quantity: 1) { __typename ... on Cart { itemCount } ... on Problem { code message } }
}
"""
PAGE = """
query ProductPage($slug: String!) {
  product(slug: $slug) {
    id sku name description images { url altText } attributes { name value } sellable
    price { amount currency } regularPrice { amount currency }
    availability { available inStock canBackorder }
    category {
      id name ancestors { id slug name }
      products(first: 11) {
        nodes { id slug name price { amount currency } images { url altText } availability { inStock } }
      }
    }
  }
}
"""
LIST = """
query($id: ID!) {
  products(filter: {categoryId: $id}, first: 20) {
    nodes { id slug name price { amount currency } availability { inStock } }
  }
}
"""
SUGGESTIONS = "query($text: String!) { searchSuggestions(text: $text) { text productCount } }"
ADDRESS = {
    "recipient": "Ani Wijaya",
    "line1": "Jalan Merdeka 5",
    "city": "Bandung",
    "postalCode": "40111",
    "country": "ID",
}


@dataclass(frozen=True, slots=True)
class Amounts:
    """How much is measured."""

    products: int
    warm_up: int
    flat_out: int
    seconds: int
    traced: int

    @property
    def at_rate(self) -> int:
        return int(GOAL_RATE * self.seconds)

    @property
    def buyers(self) -> int:
        return self.warm_up + self.flat_out + self.at_rate


async def fill(uri: str, prefix: str, amounts: Amounts) -> None:
    """Insert categories, products with stock, and buyers."""
    client, now = connect(uri), SystemClock().now()
    aisle = Category("cat_top", "aisle", "Aisle", ("cat_top",), now)
    shelves = [
        Category(f"cat_{n:02}", f"shelf-{n}", f"Shelf {n}", ("cat_top", f"cat_{n:02}"), now) for n in range(SHELVES)
    ]
    products = [
        Product(
            id=f"prd_{n:05}",
            sku=f"SKU-{n:05}",
            slug=f"product-{n}",
            name=f"Product {n:05}",
            description="Something to buy, with a sentence that says what it is good for. " * 5,
            price=Money(10_000 + n, "IDR"),
            category_id=shelves[n % SHELVES].id,
            images=(ProductImage(f"https://images.invalid/{n}.jpg", "what it looks like"),),
            status=ProductStatus.ACTIVE,
            weight_grams=100,
            created_at=now,
            updated_at=now,
        )
        for n in range(amounts.products)
    ]
    await insert_categories(client[f"{prefix}product"], [aisle, *shelves])
    await insert_products(client[f"{prefix}product"], [(each, shelves[n % SHELVES]) for n, each in enumerate(products)])
    await insert_stock(client[f"{prefix}inventory"], {each.id: ON_HAND for each in products}, now=now)
    accounts = [NewAccount(buyer_id(n), f"b{n}@shop.example", f"Buyer {n}", now) for n in range(amounts.buyers)]
    cheap = Passwords(time_cost=1, memory_kib=8, threads=1)
    await insert_users(client[f"{prefix}user"], accounts, password="correct horse battery", passwords=cheap)
    await client.close()


def buyer_id(number: int) -> str:
    return f"usr_{number:06}"


class Shoppers:
    """Makes up what clients ask. Mutable: it draws random numbers, the same in every run."""

    def __init__(self, issuer: AccessTokenIssuer, products: int) -> None:
        self._issuer = issuer
        self._products = products
        self._random = Random(5)

    def product_number(self) -> int:
        """Return a product's number; the one of rank n about 1/n as often as the first (Zipf's law)."""
        return int(self._products ** self._random.random()) - 1

    def token_of(self, number: int) -> str:
        identity = Identity(buyer_id(number), frozenset({Role.CUSTOMER}))
        return self._issuer.issue(identity, now=SystemClock().now())

    def fillings(self, numbers: range) -> Iterator[Request]:
        """Yield what puts two products into each cart."""
        for number in numbers:
            token, first = self.token_of(number), self.product_number()
            for product in (first, (first + 1) % self._products):
                yield Request("fill", ADD_TO_CART, {"productId": f"prd_{product:05}"}, token, '"Cart"')

    def checkouts(self, numbers: range) -> Iterator[Request]:
        """Yield what orders each cart."""
        for number in numbers:
            wanted = {"input": {"idempotencyKey": f"key-{number}", "shippingAddress": ADDRESS}}
            yield Request("checkout", CHECKOUT, wanted, self.token_of(number), '"CheckoutSuccess"')

    def visits(self, count: int) -> Iterator[Request]:
        """Yield what a hundred clients ask, mixed."""
        for _ in range(count):
            dice, product = self._random.random(), self.product_number()
            if dice < 0.8:
                yield Request("product page", PAGE, {"slug": f"product-{product}"}, expect=f'"prd_{product:05}"')
            elif dice < 0.9:
                yield Request("list", LIST, {"id": f"cat_{product % SHELVES:02}"}, expect='"prd_')
            elif dice < 0.95:
                yield Request("suggestions", SUGGESTIONS, {"text": f"product {product // 100:03}"})
            else:
                token = self.token_of(self._random.randrange(10))
                yield Request("add to cart", ADD_TO_CART, {"productId": f"prd_{product:05}"}, token, '"Cart"')


@contextmanager
def running_store(settings: Settings, uri: str, folder: Path) -> Iterator[tuple[str, int]]:
    """Run `pasar up`; yield the URL of its endpoint and its process id."""
    port, log = free_port(), folder / "store.log"
    url = f"http://127.0.0.1:{port}/graphql"
    variables = {
        "PYTHONPATH": str(ROOT),
        "PASAR_MONGODB_URI": uri,
        "PASAR_DATA": str(settings.data),
        # On a machine that is busy with other things, what comes at a rate waits in line for longer than clients would
        "PASAR_ROUTER_TIMEOUTS__SUBGRAPH_S": "300",
        "PASAR_ROUTER_TIMEOUTS__REQUEST_S": "300",
    }
    command = [sys.executable, "-m", "pasar", "up", "--port", str(port)]
    with (
        log.open("w") as output,
        running(command, stdout=output, stderr=subprocess.STDOUT, cwd=ROOT, env={**os.environ, **variables}) as process,
    ):
        wait_until_answering(process, url, log)
        try:
            yield url, process.pid
        except Exception:
            print(log.read_text()[-4000:], file=sys.stderr)
            raise


def percentile(taken: list[float], share: float) -> float:
    return taken[min(len(taken) - 1, int(len(taken) * share))]


def show(name: str, taken: list[float]) -> None:
    p50, p95, p99 = (percentile(taken, share) for share in (0.5, 0.95, 0.99))
    print(f"  {name:34}{len(taken):6}  median {p50:7.1f}  p95 {p95:7.1f}  p99 {p99:7.1f} ms", flush=True)


async def measure_store(
    url: str, pids: tuple[int, int], shoppers: Shoppers, amounts: Amounts
) -> tuple[Load, Load, Load]:
    """Load the store; return checkouts at a time, checkouts at the goal's rate, and a hundred clients' visits."""
    await run_load(url, list(shoppers.fillings(range(amounts.buyers))), "at-a-time", AT_A_TIME)
    numbers = iter(range(amounts.buyers))

    def take(count: int) -> list[Request]:
        first = next(numbers)
        for _ in range(count - 1):
            next(numbers)
        return list(shoppers.checkouts(range(first, first + count)))

    await run_load(url, take(amounts.warm_up), "at-a-time", AT_A_TIME)
    before = [cpu_s(pid) for pid in pids]
    flat_out = await run_load(url, take(amounts.flat_out), "at-a-time", AT_A_TIME)
    store_ms, mongod_ms = (
        (cpu_s(pid) - used_s) * 1000 / amounts.flat_out for pid, used_s in zip(pids, before, strict=True)
    )
    print(f"\ncheckouts, {AT_A_TIME} at a time: {flat_out.rate:.1f} a second")
    show("checkout", flat_out.taken_ms["checkout"])
    print(f"  processor time of each: {store_ms:.1f} ms in the store, {mongod_ms:.1f} ms in mongod")
    at_rate = await run_load(url, take(amounts.at_rate), "rate", GOAL_RATE)
    print(f"checkouts, {GOAL_RATE:.0f} a second for {amounts.seconds} s: {at_rate.rate:.1f} a second were done")
    if at_rate.sent_again:
        print(f"  {at_rate.sent_again} times the store was UNAVAILABLE, and the same key was sent again")
    show("checkout", at_rate.taken_ms["checkout"])
    await run_load(url, list(shoppers.visits(amounts.warm_up * 4)), "at-a-time", AT_A_TIME)
    before = [cpu_s(pid) for pid in pids]
    visits = await run_load(url, list(shoppers.visits(CLIENTS * amounts.seconds)), "clients", CLIENTS)
    used_s = cpu_s(pids[0]) - before[0]
    busy = used_s / visits.elapsed_s
    print(f"{CLIENTS} clients: {visits.rate:.1f} requests a second, the store busy {busy:.0%} of the time")
    for kind, taken in sorted(visits.taken_ms.items()):
        show(kind, taken)
    return flat_out, at_rate, visits


async def trace_store(settings: Settings, uri: str, shoppers: Shoppers, times: CommandTimes, amounts: Amounts) -> None:
    """Print where the time of single checkouts and pages goes, in a store in this process; nothing else is asked."""
    listener = bind("127.0.0.1", 0)
    settings = complete_settings(settings, port=port_of(listener))
    listening = asyncio.Event()
    traces: dict[str, list[Trace]] = {}

    def keep(kind: str, trace: Trace) -> None:
        traces.setdefault(kind, []).append(trace)

    with tracing(keep):
        serving = asyncio.create_task(serve_store(settings, uri, listener, on_listening=lambda _: listening.set()))
        await asyncio.wait([serving, asyncio.create_task(listening.wait())], return_when=asyncio.FIRST_COMPLETED)
        url = f"http://127.0.0.1:{settings.port}/graphql"
        numbers = range(amounts.buyers, amounts.buyers + amounts.traced)
        shown: list[tuple[str, str, list[Request]]] = [
            ("checkout", "a checkout", list(shoppers.checkouts(numbers))),
            (
                "page",
                "a product page",
                [each for each in shoppers.visits(amounts.traced) if each.kind == "product page"],
            ),
        ]
        await run_load(url, list(shoppers.fillings(numbers)), "at-a-time", 1)
        for kind, title, requests in shown:
            # The first ones parse and plan
            await run_load(url, requests[:3], "at-a-time", 1)
            traces.clear()
            times.waited_ms.clear()
            load = await run_load(url, requests[3:], "at-a-time", 1)
            show_parts(title, load, traces[kind], times)
        # As Ctrl-C would end it
        os.kill(os.getpid(), signal.SIGINT)
        await serving


def show_parts(title: str, load: Load, traces: list[Trace], times: CommandTimes) -> None:
    count = sum(map(len, load.taken_ms.values()))
    whole_ms = sum(map(sum, load.taken_ms.values())) / count
    print(f"\nWhere the time of {title} goes, nobody else asking ({count} of them, means):")
    print(f"  {'':34}{'ms':>8}{'share':>8}{'commands':>10}{'waiting for MongoDB, ms':>26}")
    inside_ms = 0.0
    for name in dict.fromkeys(name for trace in traces for name in trace.parts):
        parts = [trace.parts[name] for trace in traces if name in trace.parts]
        spent_ms, waited_ms, commands = (
            sum(getattr(part, attribute) for part in parts) / count
            for attribute in ("milliseconds", "waited_ms", "commands")
        )
        inside_ms += spent_ms
        print(f"  {name:34}{spent_ms:8.2f}{spent_ms / whole_ms:8.0%}{commands:10.1f}{waited_ms:26.2f}")
    rest_ms = whole_ms - inside_ms
    print(f"  {'HTTP, router, client':34}{rest_ms:8.2f}{rest_ms / whole_ms:8.0%}")
    print(f"  {'all':34}{whole_ms:8.2f}")
    for name, waited in sorted(times.waited_ms.items(), key=lambda item: -sum(item[1])):
        print(f"    {name:34}{len(waited) / count:6.1f} times  {statistics.mean(waited):6.2f} ms each")


async def run(amounts: Amounts, folder: Path) -> list[Result]:
    """Measure everything on one mongod."""
    times = CommandTimes()
    with EmbeddedMongod(folder / "mongod", cache_size_gb=1.0) as mongod:
        assert mongod.pid is not None
        settings = complete_settings(Settings(data=folder))
        for prefix in (PREFIX, BARE):
            async with open_store(settings.model_copy(update={"database_prefix": prefix}), mongod.uri) as store:
                await store.start()
                await store.stop()
        more = Amounts(amounts.products, amounts.warm_up + amounts.traced, amounts.flat_out, amounts.seconds, 0)
        await fill(mongod.uri, PREFIX, more)
        await fill(mongod.uri, BARE, amounts)
        shoppers = Shoppers(load_token_issuer(settings), amounts.products)
        with running_store(settings, mongod.uri, folder) as (url, pid):
            flat_out, at_rate, visits = await measure_store(url, (pid, mongod.pid), shoppers, amounts)
        client = connect(mongod.uri)
        order = await client[f"{PREFIX}order"]["orders"].find_one({})
        assert order is not None
        shop = BareShop(client, BARE, await read_rows(client, PREFIX, order["_id"]))
        await run_at_a_time(shop.check_out, amounts.warm_up, AT_A_TIME)
        bare_rate = await run_at_a_time(shop.check_out, amounts.flat_out, AT_A_TIME)
        bare_ms = await run_at_rate(shop.check_out, amounts.at_rate, GOAL_RATE)
        pages = len(visits.taken_ms["product page"])

        async def read_a_page() -> None:
            await read_page(client, BARE, f"product-{shoppers.product_number()}")

        bare_page_ms = await run_at_rate(read_a_page, pages, pages / visits.elapsed_s)
        await client.close()
        print("\nWithout a store around them")
        show("the rows of a checkout, at its rate", bare_ms)
        show("the reads of a page, at its rate", bare_page_ms)
        # Of all clients that are made from now on
        pymongo.monitoring.register(times)
        await trace_store(settings, mongod.uri, shoppers, times, amounts)
    checkout_ms, page_ms = at_rate.taken_ms["checkout"], visits.taken_ms["product page"]
    goals = (
        ("checkouts a second", flat_out.rate, GOAL_RATE, flat_out.rate >= GOAL_RATE),
        ("p95 of a checkout, ms", p95 := percentile(checkout_ms, 0.95), GOAL_CHECKOUT_MS, p95 < GOAL_CHECKOUT_MS),
        ("p95 of a product page, ms", p95 := percentile(page_ms, 0.95), GOAL_PAGE_MS, p95 < GOAL_PAGE_MS),
    )
    print("\nGoals")
    for name, reached, goal, is_met in goals:
        print(f"  {name:34}{reached:8.1f}  goal {goal:6.0f}  {'reached' if is_met else 'MISSED'}")
    return [
        Result(f"checkouts, {AT_A_TIME} at a time", flat_out.rate, bare_rate, "a second"),
        Result(
            f"checkout at {GOAL_RATE:.0f} a second, p95", percentile(checkout_ms, 0.95), percentile(bare_ms, 0.95), "ms"
        ),
        Result(
            f"product page with {CLIENTS} clients, p95", percentile(page_ms, 0.95), percentile(bare_page_ms, 0.95), "ms"
        ),
    ]


def main() -> None:
    """Print the tables and the lines."""
    arguments = parse_arguments(
        (__doc__ or "").splitlines()[0],
        ("--seconds", int, 30, "how long checkouts come at the goal's rate, and clients look at pages"),
    )
    amounts = (
        Amounts(products=200, warm_up=30, flat_out=60, seconds=2, traced=12)
        if arguments.quick
        else Amounts(products=5000, warm_up=200, flat_out=1000, seconds=arguments.seconds, traced=63)
    )
    begun_s = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        # On the loop that `pasar up` runs on
        results = run_async(run(amounts, Path(folder)))
    print(f"\n{time.monotonic() - begun_s:.0f} s")
    publish(results, arguments.json)


if __name__ == "__main__":
    main()
