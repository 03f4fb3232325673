"""The limits of a discount where only the database keeps buyers apart, as between two processes."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from core.identity import Identity, Role
from core.money import Money
from core.mongo import DuplicateKeyError, Session, in_transaction
from core.turns import Turns
from subgraphs.order.discount_repository import DiscountRepository, UsedUp
from subgraphs.order.discounts import DiscountKind
from subgraphs.order.pricing import AppliedDiscount
from subgraphs.user.bulk import NewAccount, insert_users
from subgraphs.user.passwords import Passwords
from tests.testkit.shop import Shop
from tests.testkit.tariffs import apply_code, create_discount, used


async def use(shop: Shop, discount_id: str, buyer_id: str) -> str:
    """Use a discount in a transaction of its own, as a checkout does; return how that ended."""
    runtime = shop.subgraphs["order"].runtime
    discounts = DiscountRepository(runtime.database)
    applied = [AppliedDiscount(discount_id, "CODE", DiscountKind.PERCENTAGE, Money(1, "IDR"))]

    async def work(session: Session) -> None:
        await discounts.take_uses(buyer_id, applied, session=session)

    while True:
        try:
            await in_transaction(runtime.client, work)
        except UsedUp as error:
            return "by buyer" if error.by_buyer else "in all"
        except DuplicateKeyError:
            continue
        return "used"


async def test_one_buyer_at_the_same_time_uses_it_as_often_as_a_buyer_may(shop: Shop) -> None:
    discount_id = (await create_discount(shop, "CODE", usageLimitPerBuyer=2))["id"]
    outcomes = await asyncio.gather(*(use(shop, discount_id, "usr_ani") for _ in range(8)))
    assert sorted(outcomes) == ["by buyer"] * 6 + ["used"] * 2
    assert await used(shop, "CODE") == (2, {"usr_ani": 2})


async def test_several_buyers_at_the_same_time_use_it_as_often_as_it_can_be_used(shop: Shop) -> None:
    discount_id = (await create_discount(shop, "CODE", usageLimit=3))["id"]
    outcomes = await asyncio.gather(*(use(shop, discount_id, f"usr_{number}") for number in range(8)))
    assert sorted(outcomes) == ["in all"] * 5 + ["used"] * 3
    count, by_buyer = await used(shop, "CODE")
    assert (count, sorted(by_buyer.values())) == (3, [1, 1, 1])


async def test_checkouts_that_do_not_take_turns_are_kept_apart_by_the_database(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    buyers = [Identity(f"usr_buyer{number}", frozenset({Role.CUSTOMER})) for number in range(8)]
    accounts = [
        NewAccount(str(buyer.subject), f"{buyer.subject}@example.org", "Buyer", shop.clock.now()) for buyer in buyers
    ]
    cheap = Passwords(time_cost=1, memory_kib=8, threads=1)
    await insert_users(shop.subgraphs["user"].runtime.database, accounts, password="correct horse", passwords=cheap)
    names: dict[str, Any] = {f"p{number}": 10 for number in range(8)}
    await shop.stock_up(**names)
    await create_discount(shop, "CODE", usageLimit=3)
    for number, buyer in enumerate(buyers):
        # Each another product, so that they meet at the discount only
        await shop.put_in_cart(buyer, **{f"p{number}": 1})
        assert (await apply_code(shop, "CODE", by=buyer))["__typename"] == "Cart"

    @asynccontextmanager
    async def take(self: Turns, keys: Iterable[str]) -> AsyncIterator[None]:
        yield

    monkeypatch.setattr(Turns, "take", take)
    results = await asyncio.gather(*(shop.check_out(buyer) for buyer in buyers))
    kinds = sorted(result["__typename"] for result in results)
    assert kinds == ["CheckoutSuccess"] * 3 + ["DiscountCodeProblem"] * 5
    count, by_buyer = await used(shop, "CODE")
    assert (count, by_buyer) == (3, {order["buyer_id"]: 1 for order in await shop.orders()})
    reserved = [(await shop.stock(name))[1] for name in names]
    assert sum(reserved) == 3
