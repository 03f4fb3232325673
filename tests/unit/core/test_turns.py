"""Turns at products within one process."""

import asyncio

import pytest

from core.turns import Turns


async def test_one_turn_at_a_time_per_product() -> None:
    turns, inside, most = Turns(), 0, 0

    async def enter() -> None:
        nonlocal inside, most
        async with turns.take(["a"]):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(enter() for _ in range(20)))
    assert most == 1


async def test_other_products_do_not_wait() -> None:
    turns = Turns()
    async with turns.take(["a"]), turns.take(["b", "c"]):
        assert len(turns._locks) == 3
    assert len(turns._locks) == 0


async def test_those_who_want_the_same_products_in_another_order_do_not_block_each_other() -> None:
    turns = Turns()

    async def enter(*products: str) -> None:
        async with turns.take(products):
            await asyncio.sleep(0)

    async with asyncio.timeout(10):
        await asyncio.gather(*(enter("a", "b", "a") if n % 2 else enter("b", "a") for n in range(50)))


async def test_a_turn_ends_with_an_error_and_with_a_cancellation() -> None:
    turns = Turns()
    with pytest.raises(ValueError, match="no"):
        async with turns.take(["a", "b"]):
            raise ValueError("no")
    held = asyncio.Event()

    async def hold() -> None:
        async with turns.take(["a"]):
            held.set()
            await asyncio.Event().wait()

    holding = asyncio.create_task(hold())
    await held.wait()
    waiting = asyncio.create_task(hold())
    await asyncio.sleep(0)
    waiting.cancel()
    holding.cancel()
    await asyncio.gather(holding, waiting, return_exceptions=True)
    async with asyncio.timeout(10), turns.take(["a", "b"]):
        pass
