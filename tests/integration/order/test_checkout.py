"""A cart becomes one order, or nothing is left."""

import asyncio
from typing import Any

import pytest

from core.money import Money
from core.peers import PeerError, PeerUnavailable
from tests.testkit.shop import ANI, BUDI, CHECKOUT, STAFF, Shop


async def test_a_cart_becomes_an_order_that_can_be_paid(shop: Shop) -> None:
    await shop.stock_up(teapot=5, cup=10)
    await shop.put_in_cart(ANI, teapot=2, cup=1)
    result = await shop.check_out()
    order = await shop.the_order()
    assert result == {
        "__typename": "CheckoutSuccess",
        "payUrl": f"https://pay.invalid/{order['number']}",
        "order": {
            "id": order["_id"],
            "number": order["number"],
            "status": "PENDING_PAYMENT",
            # Three pieces of 400 g: two started kilograms
            "total": {"amount": 30_000 + 24_000, "currency": "IDR"},
            "expiresAt": "2027-03-01T03:30:00.000Z",
        },
    }
    assert [(line["product_id"], line["name"], line["sku"], line["quantity"]) for line in order["lines"]] == [
        ("prd_teapot", "Teapot", "TEAPOT", 2),
        ("prd_cup", "Cup", "CUP", 1),
    ]
    assert (order["buyer_email"], order["buyer_name"]) == ("ani@example.org", "Ani Wijaya")
    assert await shop.stock("teapot") == (5, 2)
    assert await shop.stock("cup") == (10, 1)
    assert await shop.cart() == {}
    assert await shop.events("order") == ["OrderPlaced"]
    (payment,) = await shop.payments()
    assert (payment["order_id"], payment["amount"], payment["status"]) == (order["_id"], 54_000, "PENDING")


async def test_checkout_asks_each_other_subgraph_once_however_many_lines(shop: Shop) -> None:
    names = [f"p{number}" for number in range(30)]
    stock: dict[str, Any] = dict.fromkeys(names, 5)
    await shop.stock_up(**stock)
    await shop.put_in_cart(ANI, **dict.fromkeys(names, 2))
    result = await shop.check_out()
    assert result["__typename"] == "CheckoutSuccess"
    assert sorted(shop.peers.calls) == ["inventory", "payment", "product", "user"]


async def test_the_same_key_gives_the_same_answer_and_one_order(shop: Shop) -> None:
    await shop.stock_up(teapot=5)
    await shop.put_in_cart(ANI, teapot=1)
    first = await shop.check_out()
    shop.peers.calls.clear()
    await shop.put_in_cart(ANI, teapot=1)
    assert await shop.check_out() == first
    assert shop.peers.calls == []
    assert len(await shop.orders()) == 1
    assert await shop.cart() == {"prd_teapot": 1}


async def test_the_same_key_at_the_same_time_gives_the_same_answer_and_one_order(shop: Shop) -> None:
    await shop.stock_up(teapot=50)
    await shop.put_in_cart(ANI, teapot=3)
    results = await asyncio.gather(*(shop.check_out() for _ in range(8)))
    assert results[0]["__typename"] == "CheckoutSuccess"
    assert all(result == results[0] for result in results)
    assert len(await shop.orders()) == 1
    assert len(await shop.payments()) == 1
    assert await shop.stock("teapot") == (50, 3)
    assert await shop.events("order") == ["OrderPlaced"]


async def test_two_keys_at_the_same_time_order_a_cart_once(shop: Shop) -> None:
    await shop.stock_up(teapot=50)
    await shop.put_in_cart(ANI, teapot=3)
    results = await asyncio.gather(*(shop.check_out(key=f"key-{number}") for number in range(6)))
    kinds = sorted(result["__typename"] for result in results)
    assert kinds.count("CheckoutSuccess") == 1
    assert set(kinds) <= {"CheckoutSuccess", "ConflictProblem", "EmptyCartProblem"}
    assert len(await shop.orders()) == 1
    assert len(await shop.payments()) == 1
    assert await shop.stock("teapot") == (50, 3)


async def test_a_used_key_with_another_address_is_a_conflict(shop: Shop) -> None:
    await shop.stock_up(teapot=5)
    await shop.put_in_cart(ANI, teapot=1)
    await shop.check_out()
    result = await shop.check_out(note="ring twice")
    assert (result["__typename"], result["code"]) == ("ConflictProblem", "CONFLICT")
    assert len(await shop.orders()) == 1


async def test_two_buyers_may_use_the_same_key(shop: Shop) -> None:
    await shop.stock_up(teapot=5)
    await shop.put_in_cart(ANI, teapot=1)
    await shop.put_in_cart(BUDI, teapot=1)
    assert (await shop.check_out(ANI))["__typename"] == "CheckoutSuccess"
    assert (await shop.check_out(BUDI))["__typename"] == "CheckoutSuccess"
    assert [order["buyer_id"] for order in await shop.orders()] == ["usr_ani", "usr_budi"]


async def test_an_empty_cart_is_refused_and_the_key_stays_free(shop: Shop) -> None:
    await shop.stock_up(teapot=5)
    assert (await shop.check_out())["__typename"] == "EmptyCartProblem"
    assert await shop.checkouts() == []
    await shop.put_in_cart(ANI, teapot=1)
    assert (await shop.check_out())["__typename"] == "CheckoutSuccess"


async def test_a_shortage_names_the_products_and_leaves_nothing(shop: Shop) -> None:
    await shop.stock_up(teapot=1, cup=10)
    await shop.put_in_cart(ANI, teapot=2, cup=1)
    for _ in range(2):
        result = await shop.check_out()
        assert result["__typename"] == "StockShortageProblem"
        assert result["code"] == "OUT_OF_STOCK"
        assert result["shortages"] == [{"productId": "prd_teapot", "requested": 2, "available": 1}]
    assert await shop.orders() == []
    assert await shop.payments() == []
    assert await shop.stock("cup") == (10, 0)
    assert await shop.cart() == {"prd_teapot": 2, "prd_cup": 1}
    assert await shop.events("order") == []


async def test_a_product_that_is_not_on_sale_any_more_is_named(shop: Shop) -> None:
    await shop.stock_up(teapot=5, cup=5)
    await shop.put_in_cart(ANI, teapot=1, cup=1)
    await (
        shop.subgraphs["product"]
        .runtime.database["products"]
        .update_one({"_id": "prd_cup"}, {"$set": {"status": "ARCHIVED"}})
    )
    result = await shop.check_out()
    assert (result["__typename"], result["productIds"]) == ("ProductUnavailableProblem", ["prd_cup"])
    assert await shop.orders() == []
    assert await shop.stock("teapot") == (5, 0)


async def test_a_cart_of_two_currencies_is_refused(shop: Shop) -> None:
    await shop.stock_up(teapot=5)
    await shop.stock_up(price=Money(1250, "USD"), cup=5)
    await shop.put_in_cart(ANI, teapot=1, cup=1)
    result = await shop.check_out()
    assert (result["__typename"], result["field"]) == ("InvalidInputProblem", "cart")
    assert await shop.orders() == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (
            {"shippingAddress": {"recipient": " ", "line1": "x", "city": "x", "postalCode": "1", "country": "ID"}},
            "shippingAddress.recipient",
        ),
        (
            {"shippingAddress": {"recipient": "x", "line1": "x", "city": "x", "postalCode": "1", "country": "Java"}},
            "shippingAddress.country",
        ),
        (
            {
                "shippingAddress": {
                    "recipient": "x",
                    "line1": "x" * 121,
                    "city": "x",
                    "postalCode": "1",
                    "country": "ID",
                }
            },
            "shippingAddress.line1",
        ),
        ({"note": "x" * 1001}, "note"),
        ({"idempotencyKey": ""}, "idempotencyKey"),
        ({"idempotencyKey": "x" * 129}, "idempotencyKey"),
    ],
)
async def test_input_that_cannot_be_accepted_names_its_field(shop: Shop, change: dict[str, object], field: str) -> None:
    await shop.stock_up(teapot=5)
    await shop.put_in_cart(ANI, teapot=1)
    result = await shop.check_out(**{"key": "key-1", **change})  # type: ignore[arg-type]
    assert (result["__typename"], result["field"]) == ("InvalidInputProblem", field)
    assert await shop.checkouts() == []
    assert await shop.cart() == {"prd_teapot": 1}


async def test_nobody_checks_out_anonymously(shop: Shop) -> None:
    assert await shop.order.refusals(CHECKOUT, shop.checkout_input("key-1")) == ["UNAUTHENTICATED"]
    assert await shop.checkouts() == []


async def test_a_payment_that_cannot_be_opened_for_good_cancels_the_order_and_releases_the_stock(shop: Shop) -> None:
    await shop.stock_up(teapot=5)
    await shop.put_in_cart(ANI, teapot=2)
    shop.gateway.refusal = "this merchant is closed"
    result = await shop.check_out()
    assert (result["__typename"], result["code"]) == ("PaymentUnavailableProblem", "PAYMENT_UNAVAILABLE")
    order = await shop.the_order()
    assert order["status"] == "CANCELLED"
    assert [(entry["status"], entry["kind"], entry.get("reason")) for entry in order["history"]] == [
        ("PENDING_PAYMENT", "BUYER", None),
        ("CANCELLED", "SYSTEM", "the payment could not be opened"),
    ]
    assert await shop.stock("teapot") == (5, 2)
    await shop.deliver_events()
    assert await shop.stock("teapot") == (5, 0)
    # The same key, the same answer; the payment that was about to be opened is stopped
    shop.gateway.refusal = None
    assert await shop.check_out() == result
    await shop.run_job("payment", "check_payments")
    assert [payment["status"] for payment in await shop.payments()] == ["CANCELLED"]
    assert shop.gateway.opened == {}


async def test_an_outage_of_the_gateway_is_an_error_and_the_same_key_goes_on_from_there(shop: Shop) -> None:
    await shop.stock_up(teapot=5)
    await shop.put_in_cart(ANI, teapot=2)
    shop.gateway.is_down = True
    assert await shop.order.refusals(CHECKOUT, shop.checkout_input("key-1"), by=ANI) == ["UNAVAILABLE"]
    assert (await shop.the_order())["status"] == "PENDING_PAYMENT"
    shop.gateway.is_down = False
    shop.peers.calls.clear()
    result = await shop.check_out()
    assert result["__typename"] == "CheckoutSuccess"
    assert shop.peers.calls == ["payment"]
    assert len(await shop.orders()) == 1
    assert len(await shop.payments()) == 1


async def test_an_outage_that_outlasts_the_reservation_cancels_the_order(shop: Shop) -> None:
    await shop.stock_up(teapot=5)
    await shop.put_in_cart(ANI, teapot=2)
    shop.gateway.is_down = True
    await shop.order.refusals(CHECKOUT, shop.checkout_input("key-1"), by=ANI)
    shop.clock.advance(minutes=31)
    await shop.run_job("order", "resume_checkouts")
    await shop.deliver_events()
    assert (await shop.the_order())["status"] == "CANCELLED"
    assert await shop.stock("teapot") == (5, 0)
    assert (await shop.check_out())["__typename"] == "PaymentUnavailableProblem"


@pytest.mark.parametrize("subgraph", ["user", "product", "inventory"])
async def test_a_subgraph_that_is_away_makes_checkout_unavailable_and_nothing_is_ordered_twice(
    shop: Shop, subgraph: str
) -> None:
    await shop.stock_up(teapot=5)
    await shop.put_in_cart(ANI, teapot=2)
    shop.peers.before[subgraph] = PeerUnavailable("away")
    assert await shop.order.refusals(CHECKOUT, shop.checkout_input("key-1"), by=ANI) == ["UNAVAILABLE"]
    assert await shop.orders() == []
    assert await shop.cart() == {"prd_teapot": 2}
    assert (await shop.check_out())["__typename"] == "CheckoutSuccess"
    assert len(await shop.orders()) == 1


@pytest.mark.parametrize("subgraph", ["user", "product", "inventory"])
async def test_a_refusal_by_another_subgraph_ends_the_checkout_with_nothing_ordered(shop: Shop, subgraph: str) -> None:
    await shop.stock_up(teapot=5)
    await shop.put_in_cart(ANI, teapot=2)
    shop.peers.before[subgraph] = PeerError("no", codes=("FORBIDDEN",))
    assert (await shop.check_out())["__typename"] == "ConflictProblem"
    assert await shop.orders() == []
    assert await shop.stock("teapot") == (5, 0)
    assert (await shop.checkouts())[0]["state"] == "REFUSED"


async def test_staff_sees_the_buyers_order_and_other_customers_do_not(shop: Shop) -> None:
    await shop.stock_up(teapot=5)
    await shop.put_in_cart(ANI, teapot=1)
    order = (await shop.check_out())["order"]
    document = "query($id: ID!, $number: String!) { a: order(id: $id) { number } b: order(number: $number) { id } }"
    seen = {"a": {"number": order["number"]}, "b": {"id": order["id"]}}
    assert await shop.order.data(document, order, by=ANI) == seen
    assert await shop.order.data(document, order, by=STAFF) == seen
    assert await shop.order.data(document, order, by=BUDI) == {"a": None, "b": None}
    assert await shop.order.data(document, order) == {"a": None, "b": None}
