"""How old tariffs are by which a cart is priced, and how often they are read."""

from tests.testkit.commands import CommandLog
from tests.testkit.shop import ANI, Shop
from tests.testkit.tariffs import quote, save_method, save_zone

ZONES = [{"currency": "IDR", "bands": [{"upToGrams": 10_000, "amount": 5000}]}]
READS = ["find shipping_methods", "find tax_zones"]


async def fill_cart(shop: Shop) -> None:
    await shop.stock_up(teapot=5)
    await shop.put_in_cart(ANI, teapot=1)


def reads(commands: CommandLog) -> list[str]:
    found = [command for command in commands.commands if command in READS]
    commands.clear()
    return found


async def totals(shop: Shop) -> tuple[int, int]:
    quoted = await quote(shop)
    return quoted["shipping"]["amount"], quoted["total"]["amount"]


async def test_they_are_read_once_in_two_seconds_for_each_address(shop: Shop, commands: CommandLog) -> None:
    await fill_cart(shop)
    commands.clear()
    for _ in range(3):
        assert await totals(shop) == (12_000, 22_000)
    assert reads(commands) == READS
    await quote(shop, country="SG")
    assert reads(commands) == ["find tax_zones"]
    shop.clock.advance(seconds=1)
    await quote(shop)
    assert reads(commands) == []
    shop.clock.advance(seconds=1)
    await quote(shop)
    assert reads(commands) == READS


async def test_what_this_process_changes_holds_at_once(shop: Shop) -> None:
    await fill_cart(shop)
    assert await totals(shop) == (12_000, 22_000)
    await save_method(shop, "Cheaper", zones=ZONES)
    assert await totals(shop) == (5000, 15_000)
    await save_zone(shop, "ID", "10")
    assert await totals(shop) == (5000, 16_500)


async def test_what_another_process_changes_holds_two_seconds_later(shop: Shop) -> None:
    await fill_cart(shop)
    await save_zone(shop, "ID", "10")
    assert await totals(shop) == (12_000, 24_200)
    await shop.subgraphs["order"].runtime.database["tax_zones"].delete_one({"_id": "ID"})
    shop.clock.advance(seconds=1.999)
    assert await totals(shop) == (12_000, 24_200)
    shop.clock.advance(seconds=0.001)
    assert await totals(shop) == (12_000, 22_000)
