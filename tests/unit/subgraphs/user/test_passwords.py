import asyncio
import os
import sys
import threading

import pytest
from argon2 import PasswordHasher

from subgraphs.user.passwords import MEMORY_KIB, NICENESS, PARALLELISM, TIME_COST, Passwords

CHEAP = {"time_cost": 1, "memory_kib": 8, "threads": 1}


async def test_a_hash_is_argon2id_with_the_parameters_of_rfc_9106() -> None:
    encoded = await Passwords().hash("correct horse")
    assert encoded.startswith(f"$argon2id$v=19$m={MEMORY_KIB},t={TIME_COST},p={PARALLELISM}$")
    assert (MEMORY_KIB, TIME_COST) == (65536, 3)


async def test_the_event_loop_goes_on_while_a_password_is_hashed(monkeypatch: pytest.MonkeyPatch) -> None:
    # The hash ends only when the event loop has done something meanwhile; on one thread both would wait for ever
    loop_went_on, begun, seen = threading.Event(), asyncio.Event(), []
    loop, hash_ = asyncio.get_running_loop(), PasswordHasher.hash

    def slow_hash(self: PasswordHasher, password: str | bytes) -> str:
        seen.append(threading.current_thread().name)
        loop.call_soon_threadsafe(begun.set)
        assert loop_went_on.wait(30)
        return hash_(self, password)

    monkeypatch.setattr(PasswordHasher, "hash", slow_hash)
    hashing = asyncio.create_task(Passwords(**CHEAP).hash("correct horse"))
    await begun.wait()
    loop_went_on.set()
    assert (await hashing).startswith("$argon2id$")
    assert [name.partition("_")[0] for name in seen] == ["argon2"]


async def test_only_the_right_password_matches() -> None:
    passwords = Passwords(**CHEAP)
    await passwords.prepare()
    encoded = await passwords.hash("correct horse")
    assert await passwords.verify(encoded, "correct horse") is True
    for wrong in ("correct hors", "Correct horse", "", "x" * 10_000):
        assert await passwords.verify(encoded, wrong) is False
        assert await passwords.verify(None, wrong) is False


@pytest.mark.parametrize("encoded", ["", "not a hash", "$argon2id$v=19$m=8,t=1,p=1$", "$2b$12$abcdefghijklmnopqrstuv"])
async def test_what_is_no_hash_matches_nothing(encoded: str) -> None:
    assert await Passwords(**CHEAP).verify(encoded, "correct horse") is False


async def test_a_hash_of_other_parameters_is_to_be_renewed() -> None:
    weak, strong = Passwords(**CHEAP), Passwords(time_cost=2, memory_kib=16, threads=1)
    encoded = await weak.hash("correct horse")
    assert weak.needs_rehash(encoded) is False
    assert strong.needs_rehash(encoded) is True
    assert await strong.verify(encoded, "correct horse") is True


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a thread has no priority of its own")
async def test_hashing_stands_back_behind_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    hash_ = PasswordHasher.hash

    def noting_hash(self: PasswordHasher, password: str | bytes) -> str:
        seen.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        return hash_(self, password)

    monkeypatch.setattr(PasswordHasher, "hash", noting_hash)
    await Passwords(**CHEAP).hash("correct horse")
    own = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    assert seen == [min(19, own + NICENESS)]
