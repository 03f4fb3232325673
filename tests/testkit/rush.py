"""Buyers who all want one product, as a program: `python -m tests.testkit.rush WAY URI PREFIX FOLDER NUMBER OF BUYERS`.

Says `ready`, waits for a line on standard input, lets its share of the buyers buy all at once, and prints a JSON list:
what each of them got. Every second buyer has two lines of the product. WAY is `reserve`, `shop`, or `code`: shop with
the discount code CODE.
"""

import asyncio
import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from core.identity import Identity, Role
from core.mongo import connect, init_documents
from core.peers import Peers
from core.settings import Settings
from subgraphs.inventory.model import StockLine
from subgraphs.inventory.service import OutOfStock, StockService
from tests.testkit.callers import ORDER_SERVICE
from tests.testkit.clock import FixedClock
from tests.testkit.shop import ADD_TO_CART, OPENING, Shop, build_shop
from tests.testkit.store import build_runtime, make_settings
from tests.testkit.tariffs import apply_code

BUYERS = 500
PRODUCT = "prd_lamp"
CODE = "FIRST20"


def buyer_id(number: int) -> str:
    return f"usr_buyer{number:03}"


def line_count(number: int) -> int:
    return 1 + number % 2


async def reserve_all(service: StockService, numbers: range) -> list[Any]:
    """Reserve directly, as the order subgraph would: the two lines come to the stock as two."""
    expires_at = OPENING + timedelta(minutes=30)

    async def buy(number: int) -> Any:
        lines = [StockLine(PRODUCT, 1)] * line_count(number)
        try:
            await service.reserve_stock(f"ord_{number:03}", lines, expires_at, by=ORDER_SERVICE)
        except OutOfStock:
            return [number, "out of stock"]
        return [number, "reserved"]

    return await asyncio.gather(*map(buy, numbers))


async def shop_all(shop: Shop, numbers: range, code: str | None = None) -> list[Any]:
    """Fill carts, check out, with a discount's *code* if one is given, and pay wherever there is something to pay."""

    async def fill(number: int) -> None:
        by = Identity(buyer_id(number), frozenset({Role.CUSTOMER}))
        for _ in range(line_count(number)):
            answer = await shop.order.data(ADD_TO_CART, {"productId": PRODUCT, "quantity": 1}, by=by)
            assert answer["addToCart"]["__typename"] == "Cart"
        if code is not None:
            assert (await apply_code(shop, code, by=by))["__typename"] == "Cart"

    async def buy(number: int) -> Any:
        by = Identity(buyer_id(number), frozenset({Role.CUSTOMER}))
        result = await shop.check_out(by, f"key-{number}")
        if result["__typename"] != "CheckoutSuccess":
            return [number, result["__typename"]]
        order = result["order"]
        await shop.report(order["number"], "PAID", order["total"]["amount"], order["total"]["currency"])
        return [number, "paid", order["number"]]

    await asyncio.gather(*map(fill, numbers))
    return await asyncio.gather(*map(buy, numbers))


async def run(way: str, uri: str, prefix: str, folder: Path, numbers: range) -> None:
    """Take part in the rush."""
    client = connect(uri)
    settings = make_settings(folder, database_prefix=prefix)
    clock = FixedClock(OPENING)

    def make(name: str, *, peers: Peers | None = None, clock: Any = clock, settings: Settings | None = settings) -> Any:
        assert settings is not None
        return build_runtime(name, client, settings, peers=peers, clock=clock)

    if way == "reserve":
        runtime = make("inventory")
        work = reserve_all(StockService(runtime.client, runtime.database, clock), numbers)
    else:
        shop = build_shop(make)
        for subgraph in shop.subgraphs.values():
            await init_documents(subgraph.runtime.database, subgraph.documents)
        work = shop_all(shop, numbers, CODE if way == "code" else None)
    await client.admin.command("ping")
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    print(json.dumps(await work), flush=True)
    await client.close()


if __name__ == "__main__":
    way, uri, prefix, folder, number, of, buyers = sys.argv[1:]
    share = range(int(number), int(buyers), int(of))
    asyncio.run(run(way, uri, prefix, Path(folder), share))
