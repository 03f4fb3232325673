"""What many want at once runs once, and is never older than whoever wants it."""

import asyncio

import pytest

from core.sharing import SharedRuns


class Counted:
    """A run that ends when it is told to. Mutable: counts how often it began."""

    def __init__(self) -> None:
        self.begun = 0
        self.has_begun = asyncio.Event()
        self.go = asyncio.Event()

    async def __call__(self) -> int:
        self.begun += 1
        number = self.begun
        self.has_begun.set()
        await self.go.wait()
        return number


async def ask(runs: SharedRuns[int], compute: Counted, *, after: asyncio.Event | None = None) -> int:
    with runs.arrive("k") as arrival:
        if after is not None:
            await after.wait()
        return await arrival.run(compute)


async def test_a_thousand_who_arrive_together_share_one_run_also_those_who_are_slow() -> None:
    runs: SharedRuns[int] = SharedRuns()
    compute, late = Counted(), asyncio.Event()
    quick = [asyncio.create_task(ask(runs, compute)) for _ in range(500)]
    slow = [asyncio.create_task(ask(runs, compute, after=late)) for _ in range(500)]
    await compute.has_begun.wait()
    compute.go.set()
    assert await asyncio.gather(*quick) == [1] * 500
    late.set()
    assert await asyncio.gather(*slow) == [1] * 500
    assert compute.begun == 1
    assert runs._wanted == {}


async def test_who_arrives_while_it_runs_waits_for_the_next_with_all_others() -> None:
    runs: SharedRuns[int] = SharedRuns()
    compute = Counted()
    first = asyncio.create_task(ask(runs, compute))
    await compute.has_begun.wait()
    later = [asyncio.create_task(ask(runs, compute)) for _ in range(20)]
    await asyncio.sleep(0)
    compute.go.set()
    assert await first == 1
    assert await asyncio.gather(*later) == [2] * 20


async def test_keys_have_nothing_to_do_with_each_other() -> None:
    runs: SharedRuns[int] = SharedRuns()
    compute = Counted()
    compute.go.set()
    with runs.arrive("a") as one, runs.arrive("b") as other:
        assert [await one.run(compute), await other.run(compute)] == [1, 2]


async def test_an_error_reaches_all_who_wait_and_the_next_one_tries_again() -> None:
    runs: SharedRuns[int] = SharedRuns()

    async def fail() -> int:
        raise ValueError("no")

    async def want() -> int:
        with runs.arrive("k") as arrival:
            return await arrival.run(fail)

    results = await asyncio.gather(*(want() for _ in range(3)), return_exceptions=True)
    assert [repr(result) for result in results] == ["ValueError('no')"] * 3
    compute = Counted()
    compute.go.set()
    assert await ask(runs, compute) == 1


async def test_a_caller_that_gives_up_leaves_the_others_with_their_result() -> None:
    runs: SharedRuns[int] = SharedRuns()
    compute = Counted()
    first, second = (asyncio.create_task(ask(runs, compute)) for _ in range(2))
    await compute.has_begun.wait()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    compute.go.set()
    assert await second == 1


async def test_closing_ends_what_runs_and_what_waits() -> None:
    runs: SharedRuns[int] = SharedRuns()
    compute = Counted()
    first = asyncio.create_task(ask(runs, compute))
    await compute.has_begun.wait()
    second = asyncio.create_task(ask(runs, compute))
    await asyncio.sleep(0)
    await runs.aclose()
    assert [type(each) for each in await asyncio.gather(first, second, return_exceptions=True)] == [
        asyncio.CancelledError,
        asyncio.CancelledError,
    ]
    assert compute.begun == 1
