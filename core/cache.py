"""A cache behind an interface of ours: aiocache in memory (bounded) or on Redis, never a reason to fail.

aiocache's decorators have no protection against a stampede and own clients that nobody closes, so they are not used:
one Cache object per process is built at start-up and closed at the end.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import unquote, urlsplit

import structlog
from aiocache import RedisCache, SimpleMemoryCache
from aiocache.serializers import NullSerializer, StringSerializer

from core.tasks import end_tasks

log = structlog.get_logger(__name__)

# Entries of the memory cache: reports are a few kilobytes, so this stays well under 100 MB
MAX_MEMORY_ENTRIES = 4096
# How often a process looks whether another one has computed what it waits for
LEASE_POLL_S = 0.02
# A cache that takes longer than this costs more than it saves
TIMEOUT_S = 1.0


class Cache:
    """Text values under text keys, each with a time to live in seconds. Mutable: it knows what is being computed."""

    def __init__(self, backend: Any, *, is_shared: bool = False) -> None:
        self._backend = backend
        self._is_shared = is_shared
        self._running: dict[str, asyncio.Task[str]] = {}

    async def get(self, key: str) -> str | None:
        """Return the value of *key*; None when there is none or the cache is out of reach."""
        try:
            value: str | None = await self._backend.get(key)
        except Exception as error:
            log.warning("cache is out of reach", operation="get", error=type(error).__name__)
            return None
        return value

    async def set(self, key: str, value: str, *, ttl_s: float) -> None:
        """Store *value*; an outage is logged and otherwise ignored."""
        try:
            # A float, because aiocache gives whole seconds to a Redis command that refuses anything below one
            await self._backend.set(key, value, ttl=float(ttl_s))
        except Exception as error:
            log.warning("cache is out of reach", operation="set", error=type(error).__name__)

    async def delete(self, key: str) -> None:
        """Forget *key*; an outage is logged and otherwise ignored."""
        try:
            await self._backend.delete(key)
        except Exception as error:
            log.warning("cache is out of reach", operation="delete", error=type(error).__name__)

    async def get_or_compute(
        self, key: str, compute: Callable[[], Awaitable[str]], *, ttl_s: float, lease_s: float = 0.0
    ) -> tuple[str, bool]:
        """Return the value of *key* and whether it came from the cache; concurrent misses compute it once.

        With *lease_s*, once in all processes that share the cache: one of them computes while the others wait, for so
        long at most. It must be longer than *compute* takes.

        An error of *compute* reaches every caller that waits for it and is not stored. A caller that is cancelled
        leaves the others with their result: the computation belongs to none of them.
        """
        cached = await self.get(key)
        if cached is not None:
            return cached, True
        running = self._running.get(key)
        if running is None:
            running = self._running[key] = asyncio.create_task(self._compute(key, compute, ttl_s, lease_s))
            # With every caller cancelled nobody else would look at its error, and asyncio would complain
            running.add_done_callback(_look_at_error)
        return await asyncio.shield(running), False

    async def _compute(self, key: str, compute: Callable[[], Awaitable[str]], ttl_s: float, lease_s: float) -> str:
        try:
            if not lease_s or not self._is_shared:
                return await self._compute_alone(key, compute, ttl_s)
            lease = f"{key}:lease"
            deadline = asyncio.get_running_loop().time() + lease_s
            while not await self._take_lease(lease, lease_s):
                await asyncio.sleep(LEASE_POLL_S)
                value = await self.get(key)
                if value is not None:
                    return value
                if asyncio.get_running_loop().time() > deadline:
                    return await self._compute_alone(key, compute, ttl_s)
            try:
                # Its holder may have come to an end between our look and our lease
                value = await self.get(key)
                return value if value is not None else await self._compute_alone(key, compute, ttl_s)
            finally:
                await self.delete(lease)
        finally:
            del self._running[key]

    async def _compute_alone(self, key: str, compute: Callable[[], Awaitable[str]], ttl_s: float) -> str:
        value = await compute()
        await self.set(key, value, ttl_s=ttl_s)
        return value

    async def _take_lease(self, lease: str, lease_s: float) -> bool:
        """Tell whether this process may compute: nobody else has the lease, or nobody can be asked for it."""
        try:
            await self._backend.add(lease, "taken", ttl=float(lease_s))
        except ValueError:
            # What aiocache raises for a key that is there
            return False
        except Exception as error:
            log.warning("cache is out of reach", operation="add", error=type(error).__name__)
        return True

    async def aclose(self) -> None:
        """Stop what is being computed and give back the connections."""
        await end_tasks(self._running.values())
        await self._backend.close()


def _look_at_error(task: asyncio.Task[str]) -> None:
    if not task.cancelled():
        task.exception()


class _BoundedMemoryCache(SimpleMemoryCache):  # type: ignore[misc]  # aiocache has no types
    """aiocache's memory backend with its own store, dropping the oldest entry beyond a limit."""

    def __init__(self, max_entries: int) -> None:
        super().__init__(serializer=NullSerializer())
        self._cache: OrderedDict[str, Any] = OrderedDict()
        self._max_entries = max_entries

    async def _set(self, key: str, value: Any, *args: Any, **options: Any) -> Any:
        result = await super()._set(key, value, *args, **options)
        self._cache.move_to_end(key)
        while len(self._cache) > self._max_entries:
            await self._delete(next(iter(self._cache)))
        return result

    async def _close(self, *_: Any, **__: Any) -> None:
        # Each entry has a timer of the event loop
        for key in list(self._cache):
            await self._delete(key)


def open_cache(redis_url: str, *, namespace: str = "pasar", max_memory_entries: int = MAX_MEMORY_ENTRIES) -> Cache:
    """Return a cache on *redis_url* (`redis://` or `rediss://`), or in memory when it is empty."""
    if not redis_url:
        return Cache(_BoundedMemoryCache(max_memory_entries))
    url = urlsplit(redis_url)
    if url.scheme not in ("redis", "rediss"):
        raise ValueError(f"a Redis URL starts with redis:// or rediss://, not {url.scheme}://")
    return Cache(
        RedisCache(
            endpoint=url.hostname or "127.0.0.1",
            port=url.port or 6379,
            db=int(url.path.strip("/") or 0),
            password=unquote(url.password) if url.password else None,
            ssl=url.scheme == "rediss",
            # Its pool does not wait for a free connection but raises: more than we ever use at once
            pool_max_size=512,
            create_connection_timeout=TIMEOUT_S,
            connection_pool_kwargs={"username": unquote(url.username)} if url.username else {},
            timeout=TIMEOUT_S,
            namespace=namespace,
            serializer=StringSerializer(),
        ),
        is_shared=True,
    )
