"""Clients of a store, as a program of their own: `python -m benchmarks.store_load URL MODE AMOUNT`.

Standard input has the requests as JSON lines: `kind`, `query`, `variables`, `token`, and a text that the answer must
have. Each is sent once, and again, as clients should, when the store says that it is UNAVAILABLE. MODE says how:

    at-a-time   AMOUNT clients, each sends its next request as soon as the last one is answered
    rate        AMOUNT requests a second, whatever became of those before; the time runs from when one was due
    clients     AMOUNT clients that look at each answer for a second, on average

Prints JSON: `elapsed_s`, the milliseconds of each kind, and how often one was sent again, which its time includes.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import msgspec

ROOT = Path(__file__).resolve().parents[1]
# How long people look at a page, on average
PAUSE_S = 1.0
# A store that refuses more often does not work
MOST_TRIES = 10


@dataclass(frozen=True, slots=True)
class Request:
    """One request of a client. The answer has no errors and has the text *expect*."""

    kind: str
    query: str
    variables: dict[str, Any] = field(default_factory=dict)
    token: str = ""
    expect: str = '"data"'


@dataclass(frozen=True, slots=True)
class Load:
    """How requests went: the milliseconds of each by its kind, sorted, and how often one was sent again."""

    elapsed_s: float
    taken_ms: dict[str, list[float]]
    sent_again: int

    @property
    def rate(self) -> float:
        """Return requests a second."""
        return sum(map(len, self.taken_ms.values())) / self.elapsed_s


async def run_load(url: str, requests: Sequence[Request], mode: str, amount: float) -> Load:
    """Start the program and return what it measured."""
    lines = b"".join(msgspec.json.encode(asdict(each)) + b"\n" for each in requests)
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.store_load", url, mode, str(amount)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    out, _ = await program.communicate(lines)
    if program.returncode:
        raise RuntimeError(f"the load generator ended with {program.returncode}")
    return msgspec.json.decode(out, type=Load)


class _Clients:
    """Sends requests and notes how long each took. Mutable."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http = http
        self._url = url
        self.taken_ms: dict[str, list[float]] = {}
        self.sent_again = 0

    async def send(self, request: Request, due_s: float | None = None) -> None:
        headers = {"content-type": "application/json"}
        if request.token:
            headers["authorization"] = f"Bearer {request.token}"
        body = msgspec.json.encode({"query": request.query, "variables": request.variables})
        begun_s = time.perf_counter() if due_s is None else due_s
        for tries_left in reversed(range(MOST_TRIES)):
            async with self._http.post(self._url, data=body, headers=headers) as answer:
                text = await answer.text()
            if '"UNAVAILABLE"' not in text or not tries_left:
                break
            self.sent_again += 1
        taken_ms = (time.perf_counter() - begun_s) * 1000
        if '"errors"' in text or request.expect not in text:
            raise RuntimeError(f"{request.kind} was answered with {text[:2000]}")
        self.taken_ms.setdefault(request.kind, []).append(taken_ms)

    async def send_in_turn(self, requests: Iterator[Request], pause: Random | None = None) -> None:
        """Send what is left of *requests*, which other clients take from, too."""
        if pause is not None:
            # Nobody comes at the same moment as everybody else
            await asyncio.sleep(pause.uniform(0, 2 * PAUSE_S))
        for request in requests:
            await self.send(request)
            if pause is not None:
                await asyncio.sleep(pause.expovariate(1 / PAUSE_S))

    async def send_at_rate(self, requests: Sequence[Request], rate: float) -> None:
        """Send *requests* at random moments, *rate* a second on average (Poisson)."""
        random = Random(11)
        due_s = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for request in requests:
                due_s += random.expovariate(rate)
                await asyncio.sleep(max(0.0, due_s - time.perf_counter()))
                group.create_task(self.send(request, due_s))


async def main(url: str, lines: list[bytes], mode: str, amount: float) -> None:
    """Send all requests and print how long they took."""
    requests = [msgspec.json.decode(line, type=Request) for line in lines]
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        clients = _Clients(http, url)
        begun_s = time.perf_counter()
        if mode == "rate":
            await clients.send_at_rate(requests, amount)
        else:
            waiting = iter(requests)
            async with asyncio.TaskGroup() as group:
                for number in range(int(amount)):
                    pause = Random(number) if mode == "clients" else None
                    group.create_task(clients.send_in_turn(waiting, pause))
        elapsed_s = time.perf_counter() - begun_s
    taken_ms = {kind: sorted(taken) for kind, taken in clients.taken_ms.items()}
    print(json.dumps(asdict(Load(elapsed_s, taken_ms, clients.sent_again))))


if __name__ == "__main__":
    url, mode, amount = sys.argv[1:]
    asyncio.run(main(url, sys.stdin.buffer.readlines(), mode, float(amount)))
