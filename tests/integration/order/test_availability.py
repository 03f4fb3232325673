"""From the last piece sold to the list that no longer shows it as available, through inventory and catalogue."""

import pytest

from tests.integration.inventory.conftest import ADJUST
from tests.testkit.callers import Caller
from tests.testkit.shop import ANI, BUDI, STAFF, Shop

LIST = """{
  there: products(filter: {inStock: true}) { nodes { sku } facets { inStock soldOut } }
  gone: products(filter: {inStock: false}) { nodes { sku } }
}"""


async def listed(shop: Shop) -> tuple[list[str], list[str]]:
    found = await Caller(shop.subgraphs["product"]).data(LIST)
    there, gone = ([node["sku"] for node in found[name]["nodes"]] for name in ("there", "gone"))
    assert found["there"]["facets"] == {"inStock": len(there), "soldOut": 0}
    return there, gone


@pytest.mark.parametrize("reverse", [False, True])
async def test_lists_follow_the_stock_in_whatever_order_they_hear_of_it(shop: Shop, reverse: bool) -> None:
    await shop.stock_up(teapot=2)
    assert await listed(shop) == (["TEAPOT"], [])
    await shop.put_in_cart(ANI, teapot=2)
    order = (await shop.check_out(ANI))["order"]
    await shop.deliver_events(reverse=reverse)
    assert await listed(shop) == ([], ["TEAPOT"])
    # Given back, bought again, and delivered anew: the last of three words holds
    cancel = "mutation($id: ID!) { cancelOrder(id: $id) { __typename } }"
    await shop.order.data(cancel, {"id": order["id"]}, by=ANI)
    await shop.deliver_events(reverse=reverse)
    assert await listed(shop) == (["TEAPOT"], [])
    await shop.put_in_cart(BUDI, teapot=2)
    assert (await shop.check_out(BUDI, "key-2"))["__typename"] == "CheckoutSuccess"
    given = {"productId": "prd_teapot", "delta": 1, "reason": "delivery", "idempotencyKey": "k"}
    await Caller(shop.subgraphs["inventory"]).data(ADJUST, {"input": given}, by=STAFF)
    await shop.deliver_events(reverse=reverse)
    assert await listed(shop) == (["TEAPOT"], [])
