"""A cart's preview has the sums of the order that it becomes."""

from typing import Any

import pytest

from core.money import Money
from tests.testkit.shop import ADDRESS, ANI, STAFF, Shop
from tests.testkit.tariffs import apply_code, create_discount, quote, save_method, save_zone

ORDER = """query($id: ID!) { order(id: $id) {
  subtotal { amount } discountTotal { amount } shipping { amount } total { amount currency }
  discounts { code kind amount { amount } }
  shippingMethod { id name }
  tax {
    name isInclusive amount { amount } onShipping { amount }
    parts { percent taxable { amount } amount { amount } }
  }
  lines { product { id } quantity unitPrice { amount } discount { amount } total { amount } tax { amount } }
} }"""
# What a quote has beside it
ONLY_QUOTED = ("__typename", "codeProblems", "shippingOptions")


async def order_as_quoted(shop: Shop, **more: Any) -> dict[str, Any]:
    """Check out, and return the order as a quote would show it."""
    result = await shop.check_out(**more)
    assert result["__typename"] == "CheckoutSuccess", result
    answer = await shop.order.data(ORDER, {"id": result["order"]["id"]}, by=ANI)
    order: dict[str, Any] = answer["order"]
    return order


async def assert_ordered_as_quoted(shop: Shop, quoted: dict[str, Any], **more: Any) -> None:
    assert await order_as_quoted(shop, **more) == {
        key: value for key, value in quoted.items() if key not in ONLY_QUOTED
    }
    (payment,) = await shop.payments()
    assert payment["amount"] == quoted["total"]["amount"]
    sent = sum(line["quantity"] * line["unit_amount"] for line in payment["lines"])
    assert sent == payment["amount"]
    assert all(line["unit_amount"] > 0 for line in payment["lines"])


async def test_a_new_stores_quote_is_what_it_charges(shop: Shop) -> None:
    await shop.stock_up(teapot=5, cup=10)
    await shop.put_in_cart(ANI, teapot=2, cup=1)
    quoted = await quote(shop)
    assert quoted == {
        "__typename": "CartQuote",
        "subtotal": {"amount": 30_000},
        "discountTotal": {"amount": 0},
        "shipping": {"amount": 24_000},
        "total": {"amount": 54_000, "currency": "IDR"},
        "discounts": [],
        "codeProblems": [],
        "shippingMethod": {"id": "shm_standard", "name": "Standard"},
        "shippingOptions": [{"id": "shm_standard", "fee": {"amount": 24_000}}],
        "tax": None,
        "lines": [
            {
                "product": {"id": product_id},
                "quantity": quantity,
                "unitPrice": {"amount": 10_000},
                "discount": {"amount": 0},
                "total": {"amount": 10_000 * quantity},
                "tax": {"amount": 0},
            }
            for product_id, quantity in (("prd_teapot", 2), ("prd_cup", 1))
        ],
    }
    await assert_ordered_as_quoted(shop, quoted)


@pytest.mark.parametrize("is_inclusive", [False, True])
async def test_discounts_shipping_and_tax_are_the_same_in_quote_order_and_payment(
    shop: Shop, is_inclusive: bool
) -> None:
    await shop.stock_up(teapot=5, cup=10)
    await shop.stock_up(price=Money(3333, "IDR"), pen=10)
    await shop.put_in_cart(ANI, teapot=2, cup=1, pen=7)
    await save_method(shop, "Slow", zones=[{"currency": "IDR", "bands": [{"upToGrams": 9000, "amount": 7001}]}])
    await save_zone(shop, "ID", "11", isInclusive=is_inclusive)
    for code, more in (
        ("TENTH", {}),
        ("LESS", {"kind": "FIXED_AMOUNT", "amount": {"decimal": "1001", "currency": "IDR"}, "productIds": ["prd_pen"]}),
    ):
        assert (await create_discount(shop, code, isStackable=True, **more))["__typename"] == "Discount"
        assert (await apply_code(shop, code))["__typename"] == "Cart"
    quoted = await quote(shop)
    # 53,331 less a tenth of it, rounded, less 1,001
    assert (quoted["subtotal"], quoted["discountTotal"]) == ({"amount": 53_331}, {"amount": 5333 + 1001})
    assert (quoted["shipping"], quoted["shippingMethod"]["name"]) == ({"amount": 7001}, "Slow")
    taxed = 53_331 - 6334 + 7001
    # 11 % on top of 53,998, or in it
    assert quoted["tax"]["amount"] == {"amount": 5351 if is_inclusive else 5940}
    assert quoted["total"] == {"amount": taxed if is_inclusive else taxed + 5940, "currency": "IDR"}
    await assert_ordered_as_quoted(shop, quoted)


async def test_the_way_that_was_chosen_is_the_one_that_is_charged(shop: Shop) -> None:
    await shop.stock_up(teapot=5)
    await shop.put_in_cart(ANI, teapot=1)
    bands = [{"upToGrams": 9000, "amount": 99_000}]
    express = (await save_method(shop, "Express", zones=[{"currency": "IDR", "countries": ["ID"], "bands": bands}]))[
        "id"
    ]
    assert (await quote(shop))["shippingOptions"] == [
        {"id": "shm_standard", "fee": {"amount": 12_000}},
        {"id": express, "fee": {"amount": 99_000}},
    ]
    quoted = await quote(shop, methodId=express)
    assert quoted["total"]["amount"] == 109_000
    await assert_ordered_as_quoted(shop, quoted, shippingMethodId=express)


async def test_a_way_that_does_not_lead_there_is_refused_and_leaves_nothing(shop: Shop) -> None:
    await shop.stock_up(teapot=5)
    await shop.put_in_cart(ANI, teapot=1)
    bands = [{"upToGrams": 9000, "amount": 99_000}]
    zones = [{"currency": "IDR", "countries": ["MY"], "bands": bands}]
    malaysia = (await save_method(shop, "To Malaysia", zones=zones))["id"]
    for method_id in (malaysia, "shm_none"):
        assert (await quote(shop, methodId=method_id))["__typename"] == "ShippingUnavailableProblem"
        result = await shop.check_out(key=f"key {method_id}", shippingMethodId=method_id)
        assert result["__typename"] == "ShippingUnavailableProblem"
        assert result["message"] == f"shipping method {method_id} does not take these products to ID"
        assert await shop.check_out(key=f"key {method_id}", shippingMethodId=method_id) == result
    assert await shop.orders() == []
    assert await shop.stock("teapot") == (5, 0)
    assert await shop.cart() == {"prd_teapot": 1}


async def test_the_key_of_a_checkout_with_another_way_is_a_conflict(shop: Shop) -> None:
    await shop.stock_up(teapot=5)
    await shop.put_in_cart(ANI, teapot=1)
    await shop.check_out()
    result = await shop.check_out(shippingMethodId="shm_standard")
    assert result["__typename"] == "ConflictProblem"
    assert len(await shop.orders()) == 1


async def test_nothing_is_ordered_at_another_price_than_was_expected(shop: Shop) -> None:
    await shop.stock_up(teapot=5)
    await shop.put_in_cart(ANI, teapot=1)
    document = """mutation($input: CheckoutInput!) { checkout(input: $input) {
      __typename ... on TotalDiffersProblem { code total { amount currency } } } }"""
    for decimal, currency in (("21999", "IDR"), ("22000.00", "USD")):
        given = shop.checkout_input(f"for {decimal}", expectedTotal={"decimal": decimal, "currency": currency})
        # The same key, the same answer
        for _ in range(2):
            assert (await shop.order.data(document, given, by=ANI))["checkout"] == {
                "__typename": "TotalDiffersProblem",
                "code": "TOTAL_DIFFERS",
                "total": {"amount": 22_000, "currency": "IDR"},
            }
    assert await shop.orders() == []
    assert await shop.stock("teapot") == (5, 0)
    assert await shop.cart() == {"prd_teapot": 1}
    expected = {"decimal": "22000", "currency": "IDR"}
    assert (await shop.check_out(expectedTotal=expected))["__typename"] == "CheckoutSuccess"
    # Another expectation is another checkout
    other = await shop.check_out(expectedTotal={"decimal": "1", "currency": "IDR"})
    assert other["__typename"] == "ConflictProblem"


async def test_tax_depends_on_the_region_of_the_address(shop: Shop) -> None:
    await shop.stock_up(teapot=5)
    await shop.put_in_cart(ANI, teapot=1)
    await save_zone(shop, "ID", "11", taxesShipping=False)
    await save_zone(shop, "ID", "0", region="Batam", taxesShipping=False)
    assert (await quote(shop))["tax"]["amount"] == {"amount": 1100}
    assert (await quote(shop, region="Jawa Barat"))["tax"]["amount"] == {"amount": 1100}
    assert (await quote(shop, country="my"))["tax"] is None
    quoted = await quote(shop, region=" batam ")
    assert quoted["total"]["amount"] == 22_000
    await assert_ordered_as_quoted(shop, quoted, shippingAddress={**ADDRESS, "region": "Batam"})


async def test_an_order_for_which_there_is_nothing_to_pay_is_paid_at_once(shop: Shop) -> None:
    await shop.stock_up(teapot=5)
    await shop.put_in_cart(ANI, teapot=2)
    await create_discount(shop, "GIFT", percent="100", isStackable=True)
    await create_discount(shop, "SHIP", kind="FREE_SHIPPING", isStackable=True)
    for code in ("GIFT", "SHIP"):
        assert (await apply_code(shop, code))["__typename"] == "Cart"
    result = await shop.check_out()
    assert (result["__typename"], result["payUrl"], result["order"]["total"]["amount"]) == ("CheckoutSuccess", None, 0)
    assert result["order"]["status"] == "PAID"
    assert await shop.check_out() == result
    assert await shop.payments() == []
    assert await shop.events("order") == ["OrderPlaced", "OrderPaid"]
    await shop.deliver_events()
    assert await shop.stock("teapot") == (3, 0)
    cancel = "mutation($id: ID!) { cancelOrder(id: $id) { ... on Order { status attention } } }"
    cancelled = await shop.order.data(cancel, {"id": result["order"]["id"]}, by=STAFF)
    # No money has to go back
    assert cancelled == {"cancelOrder": {"status": "CANCELLED", "attention": None}}


@pytest.mark.parametrize(("country", "field"), [("", "country"), ("Java", "country")])
async def test_a_quote_for_no_country_is_refused(shop: Shop, country: str, field: str) -> None:
    await shop.stock_up(teapot=5)
    await shop.put_in_cart(ANI, teapot=1)
    quoted = await quote(shop, country=country)
    assert (quoted["__typename"], quoted["field"]) == ("InvalidInputProblem", field)


async def test_an_empty_cart_and_what_is_not_on_sale_have_no_quote(shop: Shop) -> None:
    assert (await quote(shop))["__typename"] == "EmptyCartProblem"
    await shop.stock_up(teapot=5)
    await shop.put_in_cart(ANI, teapot=1)
    products = shop.subgraphs["product"].runtime.database["products"]
    await products.update_one({"_id": "prd_teapot"}, {"$set": {"status": "ARCHIVED"}})
    assert (await quote(shop))["__typename"] == "ProductUnavailableProblem"


async def test_a_guest_sees_what_a_cart_would_cost(shop: Shop) -> None:
    await shop.stock_up(teapot=5)
    document = 'mutation { createGuestCart(productId: "prd_teapot") { ... on GuestCartCreated { token } } }'
    token = (await shop.order.data(document))["createGuestCart"]["token"]
    assert (await quote(shop, token=token))["total"] == {"amount": 22_000, "currency": "IDR"}


async def test_orders_and_checkouts_from_before_there_were_discounts_are_read(shop: Shop) -> None:
    await shop.stock_up(teapot=5)
    await shop.put_in_cart(ANI, teapot=1)
    order_id = (await shop.check_out())["order"]["id"]
    database = shop.subgraphs["order"].runtime.database
    new = ("discount_amount", "tax_amount", "discounts", "shipping_method", "tax")
    await database["orders"].update_one({"_id": order_id}, {"$unset": dict.fromkeys(new, "")})
    order = (await shop.order.data(ORDER, {"id": order_id}, by=ANI))["order"]
    assert order["lines"][0]["discount"] == order["lines"][0]["tax"] == {"amount": 0}
    assert (order["discounts"], order["discountTotal"], order["tax"]) == ([], {"amount": 0}, None)
    assert order["shippingMethod"] is None
    assert order["total"] == {"amount": 22_000, "currency": "IDR"}


async def test_a_checkout_that_an_older_version_has_quoted_is_finished(shop: Shop) -> None:
    await shop.stock_up(teapot=5)
    await shop.put_in_cart(ANI, teapot=1)
    shop.peers.before["inventory"] = RuntimeError("the process died here")
    with pytest.raises(AssertionError):
        await shop.check_out()
    checkouts = shop.subgraphs["order"].runtime.database["checkouts"]
    old = {f"quote.{name}": "" for name in ("shipping_discount_amount", "shipping_method", "discounts")}
    lines = {f"quote.lines.0.{name}": "" for name in ("discount_amount", "tax_amount")}
    unset = {**old, **lines, "codes": "", "shipping_method_id": "", "cart_version": ""}
    assert (await checkouts.update_one({"state": "QUOTED"}, {"$unset": unset})).modified_count == 1
    shop.clock.advance(seconds=31)
    await shop.run_job("order", "resume_checkouts")
    order = await shop.the_order()
    assert (order["total_amount"], order["status"]) == (22_000, "PENDING_PAYMENT")
    assert (await shop.check_out())["__typename"] == "CheckoutSuccess"
