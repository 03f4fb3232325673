"""Codes on carts and in orders: who may use them, how often, and what staff does with them."""

import asyncio
from typing import Any

import pytest

from core.identity import Identity, Role
from core.mongo import Row
from subgraphs.user.bulk import NewAccount, insert_users
from subgraphs.user.passwords import Passwords
from tests.testkit.shop import ANI, BUDI, STAFF, Shop
from tests.testkit.tariffs import apply_code, create_discount, quote, used

_CHEAP = Passwords(time_cost=1, memory_kib=8, threads=1)
CANCEL = "mutation($id: ID!) { cancelOrder(id: $id) { __typename } }"


@pytest.fixture
async def filled(shop: Shop) -> Shop:
    """Return a shop in which ANI and BUDI have carts."""
    await shop.stock_up(teapot=100, cup=100)
    await shop.put_in_cart(ANI, teapot=2)
    await shop.put_in_cart(BUDI, cup=1)
    return shop


async def database_rows(shop: Shop, collection: str) -> list[Row]:
    return await shop.subgraphs["order"].runtime.database[collection].find().sort("_id", 1).to_list()


async def test_a_code_is_applied_once_whatever_its_capitals_and_removed_again(filled: Shop) -> None:
    await create_discount(filled, "tenth-off")
    for text in ("TENTH-OFF", " tenth-off "):
        assert await apply_code(filled, text) == {"__typename": "Cart", "discountCodes": ["TENTH-OFF"]}
    assert (await quote(filled))["discountTotal"] == {"amount": 2000}
    remove = 'mutation { removeDiscountCode(code: "Tenth-Off") { ... on Cart { discountCodes } } }'
    for _ in range(2):
        assert await filled.order.data(remove, by=ANI) == {"removeDiscountCode": {"discountCodes": []}}
    assert (await quote(filled))["discountTotal"] == {"amount": 0}


@pytest.mark.parametrize(
    ("more", "reason", "minimum"),
    [
        ({"validFrom": "2027-03-02T00:00:00Z"}, "UNKNOWN", None),
        ({"validFrom": "2027-01-01T00:00:00Z", "validUntil": "2027-03-01T03:00:00Z"}, "OVER", None),
        ({"productIds": ["prd_cup"]}, "NO_MATCHING_LINES", None),
        ({"currency": "USD"}, "OTHER_CURRENCY", None),
        (
            {"minimumSubtotal": {"decimal": "20001", "currency": "IDR"}},
            "BELOW_MINIMUM",
            {"amount": 20_001, "currency": "IDR"},
        ),
    ],
)
async def test_a_code_that_does_not_apply_says_why_and_changes_nothing(
    filled: Shop, more: dict[str, Any], reason: str, minimum: object
) -> None:
    assert (await create_discount(filled, "CODE", **more))["__typename"] == "Discount"
    before = await database_rows(filled, "carts")
    result = await apply_code(filled, "CODE")
    assert (result["__typename"], result["reason"]) == ("DiscountCodeProblem", reason)
    assert (result["discountCode"], result["minimum"]) == ("CODE", minimum)
    assert await database_rows(filled, "carts") == before


async def test_codes_that_cannot_be_combined_are_refused_and_the_first_stays(filled: Shop) -> None:
    for code in ("AAAA", "BBBB"):
        await create_discount(filled, code, isStackable=False)
    await create_discount(filled, "CCCC", isStackable=True)
    assert (await apply_code(filled, "BBBB"))["__typename"] == "Cart"
    for other in ("AAAA", "CCCC"):
        assert (await apply_code(filled, other))["reason"] == "NOT_COMBINABLE"
    assert [each["code"] for each in (await quote(filled))["discounts"]] == ["BBBB"]


async def test_a_cart_takes_five_codes(filled: Shop) -> None:
    for number in range(6):
        await create_discount(filled, f"CODE{number}", isStackable=True)
        result = await apply_code(filled, f"CODE{number}")
    assert (result["__typename"], result["reason"]) == ("DiscountCodeProblem", "TOO_MANY_CODES")


async def test_guessing_ends_after_ten_unknown_codes_an_hour_also_for_the_right_one(filled: Shop) -> None:
    await create_discount(filled, "RIGHT")
    # Right ones do not count
    for _ in range(20):
        assert (await apply_code(filled, "RIGHT"))["__typename"] == "Cart"
    guesses = await asyncio.gather(*(apply_code(filled, f"GUESS{number}") for number in range(30)))
    assert sorted(result["reason"] for result in guesses) == ["TOO_MANY_ATTEMPTS"] * 20 + ["UNKNOWN"] * 10
    assert (await apply_code(filled, "RIGHT"))["reason"] == "TOO_MANY_ATTEMPTS"
    assert (await apply_code(filled, "RIGHT", by=BUDI))["__typename"] == "Cart"
    filled.clock.advance(minutes=59)
    assert (await apply_code(filled, "RIGHT"))["reason"] == "TOO_MANY_ATTEMPTS"
    filled.clock.advance(minutes=1)
    assert (await apply_code(filled, "RIGHT"))["__typename"] == "Cart"


async def test_what_cannot_be_a_code_and_one_that_is_to_come_are_unknown_alike(filled: Shop) -> None:
    await create_discount(filled, "SOON", validFrom="2028-01-01T00:00:00Z")
    answers = [await apply_code(filled, text) for text in ("SOON", "NONE", "x", "{$gt: 1}")]
    assert {(answer["reason"], answer["message"]) for answer in answers} == {("UNKNOWN", "there is no such code")}


async def test_codes_need_a_login(filled: Shop) -> None:
    await create_discount(filled, "CODE")
    document = 'mutation { applyDiscountCode(code: "CODE") { __typename } }'
    assert await filled.order.refusals(document) == ["UNAUTHENTICATED"]
    assert await database_rows(filled, "code_guesses") == []


async def test_an_order_keeps_what_was_applied_and_the_code_leaves_the_cart(filled: Shop) -> None:
    await create_discount(filled, "TENTH", usageLimit=5)
    await apply_code(filled, "TENTH")
    result = await filled.check_out()
    assert result["order"]["total"]["amount"] == 18_000 + 12_000
    order = await filled.the_order()
    assert [(each["code"], each["kind"], each["amount"]) for each in order["discounts"]] == [
        ("TENTH", "PERCENTAGE", 2000)
    ]
    assert (order["subtotal_amount"], order["discount_amount"]) == (20_000, 2000)
    assert (order["lines"][0]["total_amount"], order["lines"][0]["discount_amount"]) == (18_000, 2000)
    assert await used(filled, "TENTH") == (1, {"usr_ani": 1})
    assert (await filled.order.data("{ cart { discountCodes } }", by=ANI))["cart"]["discountCodes"] == []


async def test_a_use_is_given_back_when_the_order_is_cancelled_or_expires_and_only_once(filled: Shop) -> None:
    await create_discount(filled, "ONCE", usageLimit=1, usageLimitPerBuyer=1)
    for number, end in enumerate(("cancel", "expire", "cancel paid")):
        await apply_code(filled, "ONCE")
        result = await filled.check_out(key=f"key-{number}")
        assert result["__typename"] == "CheckoutSuccess", result
        order = result["order"]
        assert await used(filled, "ONCE") == (1, {"usr_ani": 1})
        await filled.put_in_cart(ANI, teapot=2)
        assert (await apply_code(filled, "ONCE"))["reason"] == "USED_UP"
        if end == "expire":
            filled.clock.advance(minutes=31)
            await filled.run_job("order", "expire_orders")
        else:
            if end == "cancel paid":
                await filled.report(order["number"], "PAID", order["total"]["amount"])
                await filled.deliver_events()
            await filled.order.data(CANCEL, {"id": order["id"]}, by=STAFF)
            await filled.order.data(CANCEL, {"id": order["id"]}, by=STAFF)
        assert await used(filled, "ONCE") == (0, {})
        await filled.deliver_events()
        assert await used(filled, "ONCE") == (0, {})


async def test_a_buyer_uses_a_code_as_often_as_a_buyer_may_and_others_still_can(filled: Shop) -> None:
    await create_discount(filled, "ONCE", usageLimitPerBuyer=1)
    await apply_code(filled, "ONCE")
    await filled.check_out(key="first")
    await filled.put_in_cart(ANI, teapot=1)
    assert (await apply_code(filled, "ONCE"))["reason"] == "USED_BY_YOU"
    assert (await apply_code(filled, "ONCE", by=BUDI))["__typename"] == "Cart"
    assert (await filled.check_out(BUDI))["__typename"] == "CheckoutSuccess"
    assert await used(filled, "ONCE") == (2, {"usr_ani": 1, "usr_budi": 1})


async def test_a_code_that_ended_since_it_was_applied_is_left_out_of_the_quote_and_refused_at_checkout(
    filled: Shop,
) -> None:
    discount_id = (await create_discount(filled, "SHORT"))["id"]
    await apply_code(filled, "SHORT")
    end = "mutation($id: ID!) { endDiscount(id: $id) { ... on Discount { validUntil used } } }"
    ended = await filled.order.data(end, {"id": discount_id}, by=STAFF)
    assert ended == {"endDiscount": {"validUntil": "2027-03-01T03:00:00.000Z", "used": 0}}
    quoted = await quote(filled)
    assert (quoted["discounts"], quoted["total"]["amount"]) == ([], 32_000)
    assert quoted["codeProblems"] == [{"discountCode": "SHORT", "reason": "OVER"}]
    result = await filled.check_out()
    assert (result["__typename"], result["code"]) == ("DiscountCodeProblem", "DISCOUNT_NOT_APPLICABLE")
    assert await filled.check_out() == result
    assert await filled.orders() == []
    assert await filled.stock("teapot") == (100, 0)
    assert await filled.cart() == {"prd_teapot": 2}
    await filled.order.data('mutation { removeDiscountCode(code: "SHORT") { __typename } }', by=ANI)
    assert (await filled.check_out(key="key-2"))["order"]["total"]["amount"] == 32_000


async def test_the_last_uses_are_given_to_as_many_buyers_as_there_are_uses(shop: Shop) -> None:
    buyers = [Identity(f"usr_buyer{number:02}", frozenset({Role.CUSTOMER})) for number in range(24)]
    accounts = [
        NewAccount(str(buyer.subject), f"{buyer.subject}@example.org", "Buyer", shop.clock.now()) for buyer in buyers
    ]
    users = shop.subgraphs["user"].runtime.database
    await insert_users(users, accounts, password="correct horse battery", passwords=_CHEAP)
    await shop.stock_up(teapot=1000)
    await create_discount(shop, "RUSH", usageLimit=7)
    for buyer in buyers:
        await shop.put_in_cart(buyer, teapot=1)
        assert (await apply_code(shop, "RUSH", by=buyer))["__typename"] == "Cart"
    results = await asyncio.gather(*(shop.check_out(buyer) for buyer in buyers))
    kinds = sorted(result["__typename"] for result in results)
    assert kinds == ["CheckoutSuccess"] * 7 + ["DiscountCodeProblem"] * 17
    count, by_buyer = await used(shop, "RUSH")
    orders = await shop.orders()
    assert count == 7
    assert by_buyer == {order["buyer_id"]: 1 for order in orders}
    assert [order["discount_amount"] for order in orders] == [1000] * 7
    # Whoever was too late has kept the cart, and no stock
    assert await shop.stock("teapot") == (1000, 7)


# -- staff -------------------------------------------------------------------------------------------------------------


async def test_staff_creates_changes_ends_and_lists_discounts_and_it_is_audited(shop: Shop) -> None:
    created = await create_discount(shop, "spring-26")
    assert created["code"] == "SPRING-26"
    change = """mutation($input: ChangeDiscountInput!) { changeDiscount(input: $input) {
      __typename
      ... on Discount { name isStackable usageLimit minimumSubtotal { amount currency } productIds validUntil currency }
      ... on InvalidInputProblem { field } } }"""
    given = {
        "id": created["id"],
        "name": "Spring  sale",
        "isStackable": True,
        "usageLimit": 3,
        "minimumSubtotal": {"decimal": "5000", "currency": "IDR"},
        "productIds": ["prd_1", "prd_1"],
    }
    changed = (await shop.order.data(change, {"input": given}, by=STAFF))["changeDiscount"]
    assert changed == {
        "__typename": "Discount",
        "name": "Spring sale",
        "isStackable": True,
        "usageLimit": 3,
        "minimumSubtotal": {"amount": 5000, "currency": "IDR"},
        "productIds": ["prd_1"],
        "validUntil": None,
        "currency": "IDR",
    }
    # The same again is no change, and so no entry of the log
    await shop.order.data(change, {"input": given}, by=STAFF)
    end = "mutation($id: ID!) { endDiscount(id: $id) { __typename } }"
    for _ in range(2):
        await shop.order.data(end, {"id": created["id"]}, by=STAFF)
    assert await shop.audited("order") == [
        ("DISCOUNT_CREATED", created["id"], "usr_staff"),
        ("DISCOUNT_CHANGED", created["id"], "usr_staff"),
        ("DISCOUNT_ENDED", created["id"], "usr_staff"),
    ]
    await create_discount(shop, "SUMMER")
    listed = await shop.order.data("{ discounts(first: 5) { nodes { code percent used } } }", by=STAFF)
    assert [node["code"] for node in listed["discounts"]["nodes"]] == ["SUMMER", "SPRING-26"]
    found = await shop.order.data('{ discount(code: "spring-26") { id } none: discount(code: "x") { id } }', by=STAFF)
    assert found == {"discount": {"id": created["id"]}, "none": None}


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"percent": "101"}, "percent"),
        ({"percent": "0.00001"}, "percent"),
        ({"kind": "FIXED_AMOUNT"}, "amount"),
        ({"kind": "FIXED_AMOUNT", "amount": {"decimal": "1.5", "currency": "IDR"}}, "amount"),
        ({"currency": "USD", "minimumSubtotal": {"decimal": "1", "currency": "IDR"}}, "currency"),
        ({"usageLimit": 0}, "usageLimit"),
        ({"validUntil": "2027-03-01T03:00:00Z"}, "validUntil"),
    ],
)
async def test_a_discount_that_makes_no_sense_is_refused(shop: Shop, more: dict[str, Any], field: str) -> None:
    created = await create_discount(shop, "CODE", **more)
    assert (created["__typename"], created["field"]) == ("InvalidInputProblem", field)
    assert await database_rows(shop, "discounts") == []
    assert await shop.audited("order") == []


async def test_a_change_that_makes_no_sense_changes_nothing(shop: Shop) -> None:
    created = await create_discount(shop, "CODE", currency="IDR")
    before = await database_rows(shop, "discounts")
    change = """mutation($input: ChangeDiscountInput!) { changeDiscount(input: $input) {
      __typename ... on InvalidInputProblem { field } } }"""
    for given, field in (
        ({"usageLimit": 0}, "usageLimit"),
        ({"name": ""}, "name"),
        ({"validFrom": None}, "validFrom"),
        ({"isStackable": None}, "isStackable"),
        ({"minimumSubtotal": {"decimal": "1", "currency": "USD"}}, "minimumSubtotal"),
    ):
        result = (await shop.order.data(change, {"input": {"id": created["id"], **given}}, by=STAFF))["changeDiscount"]
        assert result == {"__typename": "InvalidInputProblem", "field": field}
    unknown = (await shop.order.data(change, {"input": {"id": "dsc_none"}}, by=STAFF))["changeDiscount"]
    assert unknown["__typename"] == "NotFoundProblem"
    assert await database_rows(shop, "discounts") == before
    assert [action for action, *_ in await shop.audited("order")] == ["DISCOUNT_CREATED"]


async def test_a_code_belongs_to_one_discount(shop: Shop) -> None:
    await create_discount(shop, "CODE")
    assert (await create_discount(shop, "code"))["__typename"] == "ConflictProblem"
    assert len(await database_rows(shop, "discounts")) == 1


async def test_an_erased_buyers_uses_are_forgotten_and_the_count_in_all_stays(filled: Shop) -> None:
    await create_discount(filled, "CODE", usageLimit=5)
    await apply_code(filled, "CODE")
    order_id = (await filled.check_out())["order"]["id"]
    await filled.order.data(CANCEL, {"id": order_id}, by=ANI)
    await filled.put_in_cart(ANI, teapot=1)
    await apply_code(filled, "CODE")
    await filled.check_out(key="key-2")
    await apply_code(filled, "NONE")
    # As UserErased does it
    erased = filled.subgraphs["order"].runtime.database["erased_buyers"]
    await erased.insert_one({"_id": "usr_ani", "at": filled.clock.now(), "due_at": filled.clock.now()})
    await filled.run_job("order", "anonymise_buyers")
    assert await used(filled, "CODE") == (1, {})
    assert await database_rows(filled, "code_guesses") == []
