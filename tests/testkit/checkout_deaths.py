"""Checkouts that die: the code after a step does not run, as if the process had ended there."""

from typing import Any

import pytest

from core.mongo import Row
from subgraphs.order.checkout_repository import CheckoutRepository
from subgraphs.order.checkout_steps import FIRST_STATE
from subgraphs.order.documents import CheckoutState
from tests.testkit.shop import ANI, CHECKOUT, Crash, Shop


def die_at(monkeypatch: pytest.MonkeyPatch, state: CheckoutState, *, recorded: bool) -> None:
    """Die when the next checkout reaches *state*, before or after that is *recorded*."""
    insert, move = CheckoutRepository.insert_checkout, CheckoutRepository.move_checkout

    async def insert_and_die(self: CheckoutRepository, row: Row) -> bool:
        monkeypatch.setattr(CheckoutRepository, "insert_checkout", insert)
        if recorded:
            await insert(self, row)
        raise Crash

    async def move_and_die(
        self: CheckoutRepository, order_id: str, source: Any, target: Any, *args: Any, **more: Any
    ) -> Any:
        if target != state:
            return await move(self, order_id, source, target, *args, **more)
        monkeypatch.setattr(CheckoutRepository, "move_checkout", move)
        if recorded:
            await move(self, order_id, source, target, *args, **more)
        raise Crash

    if state == FIRST_STATE:
        monkeypatch.setattr(CheckoutRepository, "insert_checkout", insert_and_die)
    else:
        monkeypatch.setattr(CheckoutRepository, "move_checkout", move_and_die)


async def die(shop: Shop, key: str = "key-1") -> None:
    """Check out, and see it die."""
    assert await shop.order.refusals(CHECKOUT, shop.checkout_input(key), by=ANI) == ["INTERNAL_SERVER_ERROR"]
