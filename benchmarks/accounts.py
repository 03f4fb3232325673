"""Measure what attackers and neighbours notice of logins: whether an account exists, and whether the store slows down.

Timing: a login with a wrong password at an address that has an account, against one that has none, with the real Argon2
parameters, in random order; the ratio of the medians must stay within 5 % of 1. A request for a password reset is
measured likewise. Every call comes from an address of its own, so that nothing is throttled.

Load: the 99th percentile of a product query through the whole store (router, subgraphs, MongoDB in `pasar up`) while 20
logins run at any time, against the same query on the idle store, in turns; the ratio must stay under 3.
"""

import asyncio
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

import aiohttp

from benchmarks.report import Result, parse_arguments, publish
from benchmarks.router import ROOT, free_port, running, wait_until_answering
from core.clock import SystemClock
from core.money import Money
from core.mongo import Client
from core.settings import Settings
from core.subgraph import CLIENT_ADDRESS_HEADER, Call, Subgraph
from pasar.keys import complete_settings
from pasar.mongod import EmbeddedMongod
from pasar.store import open_store
from subgraphs.inventory.bulk import insert_stock
from subgraphs.product.bulk import insert_products
from subgraphs.product.model import Product, ProductStatus
from subgraphs.user.bulk import NewAccount, insert_users
from subgraphs.user.passwords import Passwords

PASSWORD = "correct horse battery"
LOGINS_AT_A_TIME = 20
PRODUCTS = 50
PRODUCT_QUERY = "{ products(first: 10) { nodes { id name price { amount } availability { available } } } }"
LOGIN = """
mutation($email: String!, $password: String!) {
  login(input: {email: $email, password: $password}) { __typename }
}
"""
REQUEST_PASSWORD_RESET = "mutation($email: String!) { requestPasswordReset(email: $email) { __typename } }"
# A pause between two product queries: people do not ask in a closed loop
PAUSE_S = 0.005
ROUNDS = 5
# What the router says of a request that took too long
SLOW = "SUBREQUEST_HTTP_ERROR"

# Every login comes from an address of its own, so that none waits for the throttle
_client_numbers = iter(range(0x0A000000, 0x0B000000))


@dataclass(frozen=True, slots=True)
class Operation:
    """What is timed, for an address with an account and one without; the answer to both is *answer*."""

    name: str
    document: str
    answer: str


# What must not tell whether an account exists
OPERATIONS = (
    Operation("login", LOGIN, "InvalidCredentialsProblem"),
    Operation("password reset", REQUEST_PASSWORD_RESET, "PasswordResetRequested"),
)


async def time_operation(
    subgraph: Subgraph, operation: Operation, emails: Mapping[bool, list[str]], addresses: Callable[[], str]
) -> dict[bool, float]:
    """Return the median in milliseconds for addresses with an account (True) and without."""
    calls = [(has_account, email) for has_account, listed in emails.items() for email in listed]
    random.Random(7).shuffle(calls)
    taken_ms: dict[bool, list[float]] = {True: [], False: []}
    for has_account, email in calls:
        variables = {"email": email, "password": "a wrong guess"}
        call = Call(trusted=True, headers={CLIENT_ADDRESS_HEADER: addresses()})
        start = time.perf_counter()
        response = await subgraph.execute(operation.document, variables, None, call)
        taken_ms[has_account].append((time.perf_counter() - start) * 1000)
        assert "errors" not in response, response
        (result,) = response["data"].values()
        assert result["__typename"] == operation.answer, result
    return {has_account: statistics.median(measured) for has_account, measured in taken_ms.items()}


async def measure_timing(subgraph: Subgraph, calls: int) -> list[Result]:
    """Time every operation *calls* times, half of them at addresses with an account."""
    database, now = subgraph.runtime.database, datetime.now(UTC)
    emails = {
        True: [f"person{number:05}@registered.example" for number in range(calls // 2)],
        False: [f"person{number:05}@nowhere000.example" for number in range(calls // 2)],
    }
    accounts = [NewAccount(f"usr_{number:05}", email, "Ani", now) for number, email in enumerate(emails[True])]
    await insert_users(database, accounts, password=PASSWORD, passwords=Passwords())
    results = []
    for operation in OPERATIONS:
        medians = await time_operation(subgraph, operation, emails, lambda: str(ip_address(next(_client_numbers))))
        print(f"{operation.name}: {medians[True]:.2f} ms with an account, {medians[False]:.2f} ms without", flush=True)
        results.append(Result(f"{operation.name}, with an account against none", medians[True], medians[False], "ms"))
    return results


async def measure_load(url: str, emails: list[str], seconds: float) -> Result:
    """Ask for products on the idle store and while logins run, in turns; compare the medians of the rounds' p99."""
    p99_ms: dict[bool, list[float]] = {True: [], False: []}
    logins = too_long = 0
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        await ask_products(http, url, seconds / 5)
        for _ in range(ROUNDS):
            p99_ms[False].append(await ask_products(http, url, seconds))
            async with logging_in(http, url, emails) as done:
                p99_ms[True].append(await ask_products(http, url, seconds))
                logins += len(done)
                too_long += done.count(None)
    idle, busy = (statistics.median(p99_ms[is_busy]) for is_busy in (False, True))
    rounds = "  ".join(f"{a:.1f} / {b:.1f}" for a, b in zip(p99_ms[False], p99_ms[True], strict=True))
    print(f"p99 of a product query, idle / under logins, ms: {rounds}")
    print(f"{logins / (ROUNDS * seconds):.1f} logins a second; {too_long} took too long", flush=True)
    return Result(f"p99 of a product query while {LOGINS_AT_A_TIME} logins run, against idle", busy, idle, "ms")


async def ask_products(http: aiohttp.ClientSession, url: str, seconds: float) -> float:
    """Ask for *seconds*, one query after the other; return the 99th percentile in milliseconds."""
    taken_ms = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        async with http.post(url, json={"query": PRODUCT_QUERY}) as answer:
            body = await answer.json()
        taken_ms.append((time.perf_counter() - start) * 1000)
        assert len(body["data"]["products"]["nodes"]) == 10, body
        await asyncio.sleep(PAUSE_S)
    return statistics.quantiles(taken_ms, n=100)[98]


@asynccontextmanager
async def logging_in(http: aiohttp.ClientSession, url: str, emails: list[str]) -> AsyncIterator[list[str | None]]:
    """Keep one login after the other running for each of *emails*; yield the list of those that are done.

    None stands in it for a login that took too long.
    """
    done: list[str | None] = []
    stopping = asyncio.Event()

    async def log_in_again_and_again(email: str) -> None:
        while not stopping.is_set():
            body = {"query": LOGIN, "variables": {"email": email, "password": PASSWORD}}
            headers = {"x-forwarded-for": str(ip_address(next(_client_numbers)))}
            async with http.post(url, json=body, headers=headers) as answer:
                result = await answer.json()
            if result.get("errors"):
                # On a machine that is busy with other things the queue before Argon2 is longer than the router waits
                assert result["errors"][0]["extensions"]["code"] == SLOW, result
                done.append(None)
                continue
            assert result["data"]["login"]["__typename"] == "AuthSession", result
            done.append(email)

    async with asyncio.TaskGroup() as group:
        for email in emails:
            group.create_task(log_in_again_and_again(email))
        # Until all are under way, and the queue before Argon2 is as long as it gets
        await asyncio.sleep(0.5)
        yield done
        # None is broken off: a login that the client gives up stays counted as an attempt
        stopping.set()


async def fill(client: Client, prefix: str) -> list[str]:
    """Insert products with stock, and customers; return the customers' addresses."""
    now = SystemClock().now()
    products = [
        Product(
            id=f"prd_{number:02}",
            sku=f"SKU-{number:02}",
            slug=f"product-{number:02}",
            name=f"Product {number:02}",
            description="Something to buy.",
            price=Money(10_000 + number, "IDR"),
            category_id=None,
            images=(),
            status=ProductStatus.ACTIVE,
            weight_grams=100,
            created_at=now,
            updated_at=now,
        )
        for number in range(PRODUCTS)
    ]
    await insert_products(client[f"{prefix}product"], [(product, None) for product in products])
    await insert_stock(client[f"{prefix}inventory"], {product.id: 10 for product in products}, now=now)
    emails = [f"customer{number:02}@shop.example" for number in range(LOGINS_AT_A_TIME)]
    accounts = [NewAccount(f"usr_load{number:02}", email, "Ani", now) for number, email in enumerate(emails)]
    await insert_users(client[f"{prefix}user"], accounts, password=PASSWORD, passwords=Passwords())
    return emails


async def run(calls: int, seconds: float, folder: Path) -> list[Result]:
    """Measure both on one mongod."""
    with EmbeddedMongod(folder / "mongod", cache_size_gb=0.5) as mongod:
        settings = complete_settings(Settings(data=folder))
        async with open_store(settings, mongod.uri) as store:
            await store.start()
            results = await measure_timing(store.subgraphs["user"], calls)
            emails = await fill(store.client, settings.database_prefix)
            await store.stop()
        results.append(await _with_store(mongod.uri, folder, emails, seconds))
    return results


async def _with_store(mongodb_uri: str, folder: Path, emails: list[str], seconds: float) -> Result:
    port, log = free_port(), folder / "store.log"
    url = f"http://127.0.0.1:{port}/graphql"
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PASAR_MONGODB_URI": mongodb_uri,
        "PASAR_DATA": str(folder),
        # Logins wait in line, on a machine that is busy with other things for longer than a client would
        "PASAR_ROUTER_TIMEOUTS__SUBGRAPH_S": "300",
        "PASAR_ROUTER_TIMEOUTS__REQUEST_S": "300",
        "PASAR_ROUTER_TRUSTED_PROXIES": '["127.0.0.1"]',
    }
    command = [sys.executable, "-m", "pasar", "up", "--port", str(port)]
    with (
        log.open("w") as output,
        running(command, stdout=output, stderr=subprocess.STDOUT, cwd=ROOT, env=environment) as process,
    ):
        await asyncio.to_thread(wait_until_answering, process, url, log)
        return await measure_load(url, emails, seconds)


def main() -> None:
    """Print the lines."""
    arguments = parse_arguments(
        (__doc__ or "").splitlines()[0],
        ("--calls", int, 2000, "timed calls per operation"),
        ("--seconds", int, 10, "length of a round of product queries"),
    )
    calls, seconds = (60, 1.5) if arguments.quick else (arguments.calls, float(arguments.seconds))
    with tempfile.TemporaryDirectory() as folder:
        publish(asyncio.run(run(calls, seconds, Path(folder))), arguments.json)


if __name__ == "__main__":
    main()
