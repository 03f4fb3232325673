import asyncio

from core.tasks import end_tasks


async def test_a_task_is_ended_also_when_it_loses_a_cancellation() -> None:
    lost = 0

    async def lose_one() -> None:
        nonlocal lost
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if lost:
                    raise
                lost += 1

    task = asyncio.create_task(lose_one())
    await asyncio.sleep(0)
    await end_tasks([task])
    assert task.cancelled()
    assert lost == 1


async def test_tasks_that_are_over_or_fail_at_their_end_hold_nothing_up() -> None:
    async def fail_at_the_end() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise ValueError("cleaning up went wrong")

    over, failing = asyncio.create_task(asyncio.sleep(0)), asyncio.create_task(fail_at_the_end())
    await over
    await end_tasks([over, failing])
    assert over.done()
    assert isinstance(failing.exception(), ValueError)
    await end_tasks([])
