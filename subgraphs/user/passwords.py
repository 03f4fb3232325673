"""Argon2id on threads of its own, so that hashing never holds up the event loop."""

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# RFC 9106 wants at least 64 MiB and 3 passes where memory is short. One lane, because the lanes of one hash would only
# take the cores from the next one: about 0.1 s of one core.
TIME_COST = 3
MEMORY_KIB = 64 * 1024
PARALLELISM = 1

# How far hashing stands back behind the event loop and MongoDB where there are fewer cores than work: about a third of
# their share each. Logins take a little longer then; everybody else's requests do not
NICENESS = 5

P = ParamSpec("P")
T = TypeVar("T")


class Passwords:
    """Hashes and verifies passwords. Argon2 releases the interpreter lock, so its threads are real ones."""

    def __init__(self, *, time_cost: int = TIME_COST, memory_kib: int = MEMORY_KIB, threads: int | None = None) -> None:
        self._hasher = PasswordHasher(time_cost=time_cost, memory_cost=memory_kib, parallelism=PARALLELISM)
        # One core is left to the event loop. The pool's size also bounds the memory that a flood of logins takes
        workers = threads or max(1, (os.cpu_count() or 2) - 1)
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="argon2", initializer=_give_way)
        self._hash_of_nobody = ""

    async def prepare(self) -> None:
        """Make the hash that stands in for accounts that do not exist; until then `verify(None, ...)` costs nothing."""
        self._hash_of_nobody = await self.hash(os.urandom(32).hex())

    async def hash(self, password: str) -> str:
        """Return the encoded hash of *password*, with a salt of its own."""
        return await self._run(self._hasher.hash, password)

    async def verify(self, encoded: str | None, password: str) -> bool:
        """Tell whether *password* is the one of *encoded*; None stands for no account and costs as much as one."""
        return await self._run(self._verify, encoded, password)

    def needs_rehash(self, encoded: str) -> bool:
        """Tell whether *encoded* was made with other parameters than those in use."""
        return self._hasher.check_needs_rehash(encoded)

    async def _run(self, work: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, lambda: work(*args, **options))

    def _verify(self, encoded: str | None, password: str) -> bool:
        try:
            matches = self._hasher.verify(self._hash_of_nobody if encoded is None else encoded, password)
        except (VerificationError, InvalidHashError):
            return False
        return matches and encoded is not None


def _give_way() -> None:
    """Lower the priority of the calling thread, where a thread has one of its own."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        # From where the process stands; only further back is always allowed, and 19 is the last place
        os.setpriority(os.PRIO_PROCESS, thread, min(19, os.getpriority(os.PRIO_PROCESS, thread) + NICENESS))
