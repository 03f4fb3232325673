"""The end of a load: indexes, and the sums of its orders."""

import asyncio
from collections.abc import Callable, Sequence

from pasar.loading.load import INDEX_GROUPS, Load, Target
from subgraphs.order.past_sums import PastSums


async def finish_load(load: Load, targets: Sequence[Target], report: Callable[[str, int, int], None]) -> PastSums:
    """Build the indexes of *targets* and write the sums, which are returned; safe to repeat after a kill."""
    # The largest collection first, for the others to fill what it leaves of the cores
    groups = [(target, group) for target in targets for group in range(INDEX_GROUPS)]
    waiting = asyncio.Semaphore(INDEX_GROUPS)
    built = 0
    report("indexes", built, len(groups))

    async def build(target: Target, group: int) -> None:
        nonlocal built
        async with waiting:
            await load.build_indexes(target, group)
        built += 1
        report("indexes", built, len(groups))

    async with asyncio.TaskGroup() as tasks:
        for target, group in groups:
            tasks.create_task(build(target, group))
        sums = await load.read_sums()
        await load.write_sums(sums)
    return sums
