"""Large answers are worked on one after the other."""

import asyncio
from dataclasses import dataclass

import pytest

from router.transports.base import RequestContext, SubgraphRequest
from router.transports.http import HttpTransport, SubgraphSession
from router.transports.turns import LARGE_ANSWER_BYTES, ROUNDS, Turns
from tests.unit.router.transports.servers import json_handler, serving


async def work(turns: Turns, number: int, log: list[str], *, rounds: int = 1) -> None:
    """Take a turn, and be done after some rounds of the loop, as an operation is whose next answer comes at once."""
    await turns.take()
    log.append(f"begin {number}")
    for _ in range(rounds):
        await asyncio.sleep(0)
    log.append(f"end {number}")


async def test_what_a_turn_leads_to_is_done_before_the_next_turn() -> None:
    turns = Turns()
    log: list[str] = []
    await asyncio.gather(*(work(turns, number, log, rounds=ROUNDS - 1) for number in range(5)))
    assert log == [f"{what} {number}" for number in range(5) for what in ("begin", "end")]


async def test_who_waits_for_something_else_holds_nobody_up() -> None:
    turns = Turns()
    log: list[str] = []
    never = asyncio.create_task(work(turns, 0, log, rounds=10_000))
    await asyncio.gather(*(work(turns, number, log, rounds=0) for number in (1, 2)))
    assert log == ["begin 0", "begin 1", "end 1", "begin 2", "end 2"]
    never.cancel()


async def test_nobody_waits_when_there_was_no_turn_before() -> None:
    turns = Turns()
    for _ in range(3):
        taking = turns.take()
        with pytest.raises(StopIteration):
            # One step of the coroutine is enough
            taking.send(None)
        for _ in range(ROUNDS + 1):
            await asyncio.sleep(0)


async def test_the_turn_of_one_who_has_gone_away_goes_to_the_next() -> None:
    turns = Turns()
    log: list[str] = []
    tasks = [asyncio.create_task(work(turns, number, log, rounds=0)) for number in range(4)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    tasks[2].cancel()
    await asyncio.wait(tasks)
    assert log == ["begin 0", "end 0", "begin 3", "end 3"]


@dataclass
class CountingTurns(Turns):
    """Turns that are only counted. Mutable: it counts."""

    taken: int = 0

    async def take(self) -> None:
        self.taken += 1


@pytest.mark.parametrize(("more_bytes", "turns"), [(-1, 0), (0, 1)])
async def test_large_answers_take_turns_and_others_do_not(more_bytes: int, turns: int) -> None:
    session = SubgraphSession()
    session.turns = counting = CountingTurns()
    envelope = len('{"data": {"x": ""}}')
    text = "y" * (LARGE_ANSWER_BYTES - envelope + more_bytes)
    try:
        async with serving(json_handler({"data": {"x": text}})) as server:
            transport = HttpTransport("a", (server.url,), session)
            response = await transport.send(SubgraphRequest("{x}", {}), RequestContext())
    finally:
        await session.aclose()
    assert response.data == {"x": text}
    assert counting.taken == turns
