"""What a checkout of two products costs in MongoDB: each command here is a part of a buyer's waiting time."""

from tests.testkit.commands import CommandLog
from tests.testkit.shop import ANI, Shop

RECORDED = [
    # The key, and what is ordered
    "find checkouts",
    "find carts",
    # The quote; tariffs are known, and the products have no category
    "find products",
    "find users",
    "insert checkouts",
    # The stock
    "find stock_levels",
    "insert reservations",
    "insert movements",
    "findAndModify stock_levels",
    "findAndModify stock_levels",
    "commitTransaction",
    "findAndModify checkouts",
    # The order
    "findAndModify checkouts",
    "update carts",
    "insert orders",
    "insert outbox",
    "commitTransaction",
    # The payment
    "insert payments",
    "find closed_orders",
    "findAndModify payments",
    "findAndModify checkouts",
]


async def test_a_checkout_sends_these_commands_and_no_others(shop: Shop, commands: CommandLog) -> None:
    await shop.stock_up(teapot=5, cup=5)
    await shop.put_in_cart(ANI, teapot=2, cup=1)
    await shop.check_out(key="key-0")
    await shop.put_in_cart(ANI, teapot=2, cup=1)
    commands.clear()
    assert (await shop.check_out())["__typename"] == "CheckoutSuccess"
    # User and product are asked at once
    assert [*commands.commands[:2], *sorted(commands.commands[2:4]), *commands.commands[4:]] == RECORDED
    commands.clear()
    assert (await shop.check_out())["__typename"] == "CheckoutSuccess"
    assert commands.commands == ["find checkouts", "find orders"]
