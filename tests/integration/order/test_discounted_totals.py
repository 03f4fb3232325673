"""Reports count what buyers paid: orders' totals, and of a product what its lines cost after discounts."""

from typing import Any

import pytest

from subgraphs.order.rollup_repository import TOTALS
from tests.testkit.shop import ANI, STAFF, Shop
from tests.testkit.tariffs import apply_code, create_discount, save_zone

MONTHLY = """
query($productId: ID) {
  monthlyOrderTotals(from: "2027-03", to: "2027-03", productId: $productId) {
    servedFrom months { orderCount quantity revenue { amount } }
  }
}
"""


async def totals(shop: Shop, product_id: str | None = None) -> tuple[str, dict[str, Any]]:
    # Any answer that is remembered is of a state before
    answer = (await shop.order.data(MONTHLY, {"productId": product_id}, by=STAFF))["monthlyOrderTotals"]
    (month,) = answer["months"]
    return answer["servedFrom"], month


@pytest.mark.parametrize("source", ["ROLLUP", "AGGREGATION"])
async def test_rollup_and_aggregation_add_up_totals_after_discounts(shop: Shop, source: str) -> None:
    await shop.stock_up(teapot=50, cup=50)
    await save_zone(shop, "ID", "11")
    await create_discount(shop, "TEAPOTS", percent="33", productIds=["prd_teapot"])
    await shop.put_in_cart(ANI, teapot=3, cup=2)
    assert (await apply_code(shop, "TEAPOTS"))["__typename"] == "Cart"
    order = (await shop.check_out())["order"]
    await shop.report(order["number"], "PAID", order["total"]["amount"])
    await shop.deliver_events()
    # 50,000 less 9,900 with 2 kg to send, and 11 % of all that
    assert order["total"]["amount"] == (50_000 - 9900 + 24_000) * 111 // 100
    if source == "AGGREGATION":
        await shop.subgraphs["order"].runtime.database[TOTALS].update_many({}, {"$set": {"is_complete": False}})
    expected = {
        None: {"orderCount": 1, "quantity": 5, "revenue": {"amount": order["total"]["amount"]}},
        "prd_teapot": {"orderCount": 1, "quantity": 3, "revenue": {"amount": 20_100}},
        "prd_cup": {"orderCount": 1, "quantity": 2, "revenue": {"amount": 20_000}},
    }
    for product_id, month in expected.items():
        assert await totals(shop, product_id) == (source, month)
