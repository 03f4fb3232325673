"""Five hundred buyers want a hundred pieces, from several programs at once."""

import asyncio
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from core.mongo import Client
from core.settings import Settings
from subgraphs.user.bulk import NewAccount, insert_users
from subgraphs.user.passwords import Passwords
from tests.testkit.rush import BUYERS, CODE, buyer_id, line_count
from tests.testkit.shop import Shop, open_shop
from tests.testkit.store import MakeRuntime
from tests.testkit.tariffs import create_discount, used

PIECES = 100
PROGRAMS = 4


@pytest.fixture
async def rushed(make_runtime: MakeRuntime) -> Shop:
    shop = await open_shop(make_runtime)
    await shop.stock_up(lamp=PIECES)
    now = shop.clock.now()
    accounts = [NewAccount(buyer_id(n), f"buyer{n:03}@example.org", f"Buyer {n:03}", now) for n in range(BUYERS)]
    passwords = Passwords(time_cost=1, memory_kib=8, threads=1)
    database = shop.subgraphs["user"].runtime.database
    await insert_users(database, accounts, password="correct horse battery", passwords=passwords)
    return shop


async def rush(way: str, uri: str, settings: Settings, *, buyers: int = BUYERS) -> list[Any]:
    """Let the programs start, then all buy at once, and return what each buyer got."""
    arguments = (way, uri, settings.database_prefix, str(settings.data))
    programs = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.testkit.rush", *arguments, *map(str, (number, PROGRAMS, buyers))),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            cwd=Path(__file__).parents[3],
        )
        for number in range(PROGRAMS)
    ]
    for program in programs:
        assert program.stdout is not None
        assert await program.stdout.readline() == b"ready\n"
    answers = await asyncio.gather(*(program.communicate(b"go\n") for program in programs))
    assert [program.returncode for program in programs] == [0] * PROGRAMS
    results = [result for out, _ in answers for result in json.loads(out)]
    assert sorted(number for number, *_ in results) == list(range(buyers))
    return results


async def check_sums(shop: Shop, on_hand: int, reserved: int) -> None:
    database = shop.subgraphs["inventory"].runtime.database
    assert await shop.stock("lamp") == (on_hand, reserved)
    booked: Counter[str] = Counter()
    async for row in database["movements"].find():
        booked.update(on_hand=row["on_hand"], reserved=row["reserved"])
    assert (booked["on_hand"], booked["reserved"]) == (on_hand, reserved)


async def test_a_hundred_pieces_are_reserved_and_none_twice(
    rushed: Shop, store_settings: Settings, mongo_uri: str
) -> None:
    results = await rush("reserve", mongo_uri, store_settings)
    assert {outcome for _, outcome in results} == {"reserved", "out of stock"}
    got = {number for number, outcome in results if outcome == "reserved"}
    assert sum(map(line_count, got)) == PIECES
    await check_sums(rushed, PIECES, PIECES)
    rows = await rushed.subgraphs["inventory"].runtime.database["reservations"].find().to_list()
    assert {row["_id"] for row in rows} == {f"ord_{number:03}" for number in got}
    assert {row["status"] for row in rows} == {"HELD"}


async def test_a_hundred_pieces_are_sold_and_nobody_is_charged_without_an_order(
    rushed: Shop, store_settings: Settings, mongo_uri: str, mongo_client: Client
) -> None:
    results = await rush("shop", mongo_uri, store_settings)
    paid = {number: more[0] for number, outcome, *more in results if outcome == "paid"}
    assert {outcome for _, outcome, *_ in results} == {"paid", "StockShortageProblem"}
    assert sum(map(line_count, paid)) == PIECES
    await check_sums(rushed, PIECES, PIECES)
    await rushed.deliver_events()
    # The gateway was paid for exactly these orders, and each of them is the buyer's, paid and complete
    orders = {order["buyer_id"]: order for order in await rushed.orders()}
    assert {buyer: order["number"] for buyer, order in orders.items()} == {
        buyer_id(number): reference for number, reference in paid.items()
    }
    assert {order["status"] for order in orders.values()} == {"PAID"}
    assert [order for order in orders.values() if order.get("attention")] == []
    for number in paid:
        assert [line["quantity"] for line in orders[buyer_id(number)]["lines"]] == [line_count(number)]
    payments = {payment["order_id"]: payment for payment in await rushed.payments()}
    assert payments.keys() == {order["_id"] for order in orders.values()}
    assert {payment["status"] for payment in payments.values()} == {"PAID"}
    assert {key: payment["amount"] for key, payment in payments.items()} == {
        order["_id"]: order["total_amount"] for order in orders.values()
    }
    await check_sums(rushed, 0, 0)


async def test_a_code_for_twenty_orders_is_used_by_twenty_of_sixty_buyers(
    rushed: Shop, store_settings: Settings, mongo_uri: str
) -> None:
    assert (await create_discount(rushed, CODE, usageLimit=20))["__typename"] == "Discount"
    results = await rush("code", mongo_uri, store_settings, buyers=60)
    paid = {buyer_id(number): line_count(number) for number, outcome, *_ in results if outcome == "paid"}
    assert Counter(outcome for _, outcome, *_ in results) == {"paid": 20, "DiscountCodeProblem": 40}
    orders = await rushed.orders()
    assert {order["buyer_id"]: order["discount_amount"] for order in orders} == {
        buyer: 1000 * pieces for buyer, pieces in paid.items()
    }
    assert await used(rushed, CODE) == (20, dict.fromkeys(paid, 1))
    # Nothing is held for those who were refused
    await check_sums(rushed, PIECES, sum(paid.values()))
