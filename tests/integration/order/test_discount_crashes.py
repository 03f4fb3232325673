"""A checkout with codes dies at each of its steps: no use of a code is lost, and none is counted twice."""

from typing import get_args

import pytest

from subgraphs.order.checkout_steps import FIRST_STATE
from subgraphs.order.documents import CheckoutState
from tests.testkit.checkout_deaths import die, die_at
from tests.testkit.shop import ANI, Shop
from tests.testkit.tariffs import apply_code, create_discount, used

# Of the steps, whatever they are, those that a checkout passes which ends well
WAY = tuple(state for state in get_args(CheckoutState) if state not in ("RELEASING", "REFUSED"))


@pytest.fixture
async def coded(shop: Shop) -> Shop:
    """Return a shop in which ANI's cart has two codes, one of which can be used once."""
    await shop.stock_up(teapot=10)
    await shop.put_in_cart(ANI, teapot=2)
    await create_discount(shop, "ONCE", usageLimit=1, usageLimitPerBuyer=1, isStackable=True)
    await create_discount(shop, "MORE", kind="FREE_SHIPPING", isStackable=True)
    for code in ("ONCE", "MORE"):
        assert (await apply_code(shop, code))["__typename"] == "Cart"
    return shop


async def resume(shop: Shop) -> None:
    shop.clock.advance(seconds=61)
    await shop.run_job("order", "resume_checkouts")


@pytest.mark.parametrize("state", WAY)
@pytest.mark.parametrize("recorded", [False, True])
async def test_a_death_at_any_step_counts_a_use_once(
    coded: Shop, monkeypatch: pytest.MonkeyPatch, state: CheckoutState, recorded: bool
) -> None:
    die_at(monkeypatch, state, recorded=recorded)
    await die(coded)
    # A use and its order are there together, or neither is
    orders = len(await coded.orders())
    assert (await used(coded, "ONCE"))[0] == (await used(coded, "MORE"))[0] == orders
    await resume(coded)
    if state == FIRST_STATE and not recorded:
        # Nothing was recorded that could be taken up
        assert await coded.orders() == []
        await coded.check_out()
    assert len(await coded.orders()) == 1
    for code in ("ONCE", "MORE"):
        assert await used(coded, code) == (1, {"usr_ani": 1})
    order = await coded.the_order()
    assert (order["total_amount"], order["discount_amount"]) == (18_000, 2000 + 12_000)
    assert (await coded.check_out())["order"]["id"] == order["_id"]
    coded.clock.advance(minutes=31)
    await coded.run_job("order", "expire_orders")
    for code in ("ONCE", "MORE"):
        assert await used(coded, code) == (0, {})


async def test_a_payment_that_cannot_be_opened_gives_the_uses_back(coded: Shop) -> None:
    coded.gateway.refusal = "this merchant is closed"
    assert (await coded.check_out())["__typename"] == "PaymentUnavailableProblem"
    for code in ("ONCE", "MORE"):
        assert await used(coded, code) == (0, {})


@pytest.mark.parametrize(
    ("limits", "reason"), [({"usageLimit": 1}, "USED_UP"), ({"usageLimitPerBuyer": 1}, "USED_BY_YOU")]
)
async def test_a_use_that_was_taken_since_the_quote_refuses_the_order_and_gives_back_the_stock(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, limits: dict[str, int], reason: str
) -> None:
    await shop.stock_up(teapot=10)
    await create_discount(shop, "LAST", **limits)
    await shop.put_in_cart(ANI, teapot=2)
    await apply_code(shop, "LAST")
    die_at(monkeypatch, "RESERVED", recorded=True)
    await die(shop)
    # Another order of the same buyer takes it
    assert (await shop.check_out(key="key-2"))["__typename"] == "CheckoutSuccess"
    await shop.put_in_cart(ANI, teapot=2)
    cart = await shop.cart()
    await resume(shop)
    result = await shop.check_out()
    assert result["__typename"] == "DiscountCodeProblem"
    (refused,) = [row for row in await shop.checkouts() if row["idempotency_key"] == "key-1"]
    assert (refused["state"], refused["refusal"]["reason"]) == ("REFUSED", reason)
    assert len(await shop.orders()) == 1
    assert await used(shop, "LAST") == (1, {"usr_ani": 1})
    assert await shop.stock("teapot") == (10, 2)
    assert await shop.cart() == cart


@pytest.mark.parametrize("recorded", [False, True])
async def test_a_death_while_an_order_without_a_price_is_confirmed_leaves_it_paid(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, recorded: bool
) -> None:
    await shop.stock_up(teapot=10)
    await shop.put_in_cart(ANI, teapot=1)
    await create_discount(shop, "GIFT", percent="100", isStackable=True)
    await create_discount(shop, "SHIP", kind="FREE_SHIPPING", isStackable=True)
    for code in ("GIFT", "SHIP"):
        await apply_code(shop, code)
    die_at(monkeypatch, "OPENED", recorded=recorded)
    await die(shop)
    assert (await shop.the_order())["status"] == "PENDING_PAYMENT"
    await resume(shop)
    order = await shop.the_order()
    assert (order["status"], order["paid_at"]) == ("PAID", shop.clock.now())
    assert await shop.events("order") == ["OrderPlaced", "OrderPaid"]
    assert (await shop.check_out())["payUrl"] is None
