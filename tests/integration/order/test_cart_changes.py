"""What a cart's lines tell of prices and stock that changed since they were put there."""

from typing import Any

from core.peers import PeerUnavailable
from tests.testkit.commands import CommandLog
from tests.testkit.shop import ANI, Shop

CHANGES = """{ cart { lines { product { id } changes {
  kind priceBefore { amount currency } priceNow { amount currency } available } } } }"""


async def changes(shop: Shop) -> dict[str, list[dict[str, Any]]]:
    answer = await shop.order.data(CHANGES, by=ANI)
    return {line["product"]["id"]: line["changes"] for line in answer["cart"]["lines"]}


def change(kind: str, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "priceBefore": None, "priceNow": None, "available": None, **more}


async def set_product(shop: Shop, name: str, **fields: Any) -> None:
    products = shop.subgraphs["product"].runtime.database["products"]
    result = await products.update_one({"_id": f"prd_{name}"}, {"$set": fields})
    assert result.matched_count == 1


def price(amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": "IDR"}


async def test_each_line_tells_what_has_changed(shop: Shop) -> None:
    await shop.stock_up(teapot=5, cup=5, pen=5, bowl=5)
    await shop.put_in_cart(ANI, teapot=2, cup=2, pen=2, bowl=6)
    assert await changes(shop) == {
        "prd_teapot": [],
        "prd_cup": [],
        "prd_pen": [],
        "prd_bowl": [change("LESS_AVAILABLE", available=5)],
    }
    await set_product(shop, "teapot", **{"regular_price.amount": 12_000})
    await set_product(shop, "cup", status="ARCHIVED")
    stock = shop.subgraphs["inventory"].runtime.database["stock_levels"]
    await stock.update_one({"_id": "prd_bowl"}, {"$set": {"backorder_limit": 10}})
    assert await changes(shop) == {
        "prd_teapot": [change("PRICE_CHANGED", priceBefore=price(10_000), priceNow=price(12_000))],
        "prd_cup": [change("NOT_ON_SALE")],
        "prd_pen": [],
        # More may be ordered than there is
        "prd_bowl": [],
    }


async def test_whoever_changes_a_line_has_seen_its_price(shop: Shop) -> None:
    await shop.stock_up(teapot=5, cup=5)
    await shop.put_in_cart(ANI, teapot=1, cup=1)
    for name in ("teapot", "cup"):
        await set_product(shop, name, **{"regular_price.amount": 9000})
    await shop.put_in_cart(ANI, teapot=1)
    assert await changes(shop) == {
        "prd_teapot": [],
        "prd_cup": [change("PRICE_CHANGED", priceBefore=price(10_000), priceNow=price(9000))],
    }


async def test_carts_from_before_prices_were_noted_are_read(shop: Shop) -> None:
    await shop.stock_up(teapot=5)
    old = {"_id": "crt_ani", "owner_id": "usr_ani", "version": 1, "updated_at": shop.clock.now()}
    carts = shop.subgraphs["order"].runtime.database["carts"]
    await carts.insert_one({**old, "lines": [{"product_id": "prd_teapot", "quantity": 2}]})
    assert await changes(shop) == {"prd_teapot": []}
    assert (await shop.check_out())["__typename"] == "CheckoutSuccess"


async def test_all_lines_are_one_request_to_each_neighbour_and_none_unless_asked_for(
    shop: Shop, commands: CommandLog
) -> None:
    names: dict[str, Any] = {f"p{number}": 5 for number in range(30)}
    await shop.stock_up(**names)
    await shop.put_in_cart(ANI, **names)
    commands.clear()
    await changes(shop)
    assert sorted(shop.peers.calls) == ["inventory", "product"]
    assert commands.commands.count("find carts") == 1
    shop.peers.calls.clear()
    assert len(await shop.cart()) == 30
    assert shop.peers.calls == []


async def test_a_neighbour_that_does_not_answer_leaves_the_cart_readable(shop: Shop) -> None:
    await shop.stock_up(teapot=5)
    await shop.put_in_cart(ANI, teapot=1)
    shop.peers.always["inventory"] = PeerUnavailable("down")
    response = await shop.order.ask(CHANGES, by=ANI)
    assert response["data"]["cart"]["lines"] == [{"product": {"id": "prd_teapot"}, "changes": None}]
    assert [error["extensions"]["code"] for error in response["errors"]] == ["UNAVAILABLE"]
