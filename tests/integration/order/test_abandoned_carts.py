"""Carts that nobody comes back to are announced, once each time."""

from typing import Any

import pytest

from core.events import announce
from core.mongo import Row
from subgraphs.order import abandoned_carts
from subgraphs.order.cart_repository import CartRepository
from tests.testkit.shop import ADD_TO_CART, ANI, BUDI, Crash, Shop


async def announced(shop: Shop) -> list[Row]:
    await shop.run_job("order", "announce_abandoned_carts")
    return await shop.event_payloads("order", "CartAbandoned")


async def test_a_cart_is_announced_once_when_its_time_is_over(shop: Shop) -> None:
    await shop.stock_up(teapot=5, cup=5)
    await shop.put_in_cart(ANI, teapot=2, cup=1)
    filled_at = shop.clock.now()
    shop.clock.advance(hours=23, minutes=59)
    assert await announced(shop) == []
    shop.clock.advance(minutes=1)
    expected: Row = {
        "cart_id": "crt_ani",
        "buyer_id": "usr_ani",
        "lines": [{"product_id": "prd_teapot", "quantity": 2}, {"product_id": "prd_cup", "quantity": 1}],
        "item_count": 3,
        "last_changed_at": filled_at,
    }
    assert await announced(shop) == [expected]
    shop.clock.advance(days=3)
    assert await announced(shop) == [expected]
    assert await shop.cart() == {"prd_teapot": 2, "prd_cup": 1}


async def test_a_change_begins_the_time_anew_also_after_an_announcement(shop: Shop) -> None:
    await shop.stock_up(teapot=5)
    await shop.put_in_cart(ANI, teapot=1)
    for hours, count in ((20, 0), (20, 0), (24, 1), (20, 1), (24, 2)):
        shop.clock.advance(hours=hours)
        assert len(await announced(shop)) == count
        if hours == 20:
            await shop.put_in_cart(ANI, teapot=1)


async def test_empty_carts_and_ordered_ones_are_not_abandoned(shop: Shop) -> None:
    await shop.stock_up(teapot=5)
    await shop.put_in_cart(ANI, teapot=1)
    await shop.put_in_cart(BUDI, teapot=1)
    await shop.order.data("mutation { clearCart { __typename } }", by=ANI)
    await shop.check_out(BUDI)
    shop.clock.advance(days=2)
    assert await announced(shop) == []


async def test_a_guests_cart_is_announced_without_a_buyer(shop: Shop) -> None:
    await shop.stock_up(teapot=5)
    document = 'mutation { createGuestCart(productId: "prd_teapot") { ... on GuestCartCreated { cart { id } } } }'
    cart_id = (await shop.order.data(document))["createGuestCart"]["cart"]["id"]
    shop.clock.advance(days=1)
    (payload,) = await announced(shop)
    assert (payload["cart_id"], payload["buyer_id"]) == (cart_id, None)


async def test_a_cart_that_is_changed_while_the_job_runs_is_not_announced(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shop.stock_up(teapot=5)
    await shop.put_in_cart(ANI, teapot=1)
    shop.clock.advance(days=1)
    original = CartRepository.find_abandoned

    async def find_then_change(self: CartRepository, *args: Any) -> list[Row]:
        found = await original(self, *args)
        await shop.order.data(ADD_TO_CART, {"productId": "prd_teapot", "quantity": 1}, by=ANI)
        return found

    monkeypatch.setattr(CartRepository, "find_abandoned", find_then_change)
    assert await announced(shop) == []


async def test_an_announcement_that_fails_halfway_is_made_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    await shop.stock_up(teapot=5)
    await shop.put_in_cart(ANI, teapot=1)
    shop.clock.advance(days=1)
    original = announce

    async def fail(*args: Any, **more: Any) -> None:
        monkeypatch.setattr(abandoned_carts, "announce", original)
        raise Crash

    monkeypatch.setattr(abandoned_carts, "announce", fail)
    with pytest.raises(Crash):
        await announced(shop)
    assert await shop.event_payloads("order", "CartAbandoned") == []
    assert len(await announced(shop)) == 1
