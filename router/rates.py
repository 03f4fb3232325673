"""How often one address and one user may ask, counted by the library `limits`."""

import math
import time
from dataclasses import dataclass
from typing import Literal

import structlog
from limits import RateLimitItem, parse_many
from limits.aio.storage import RedisStorage, Storage
from limits.aio.storage.base import SlidingWindowCounterSupport
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from redis.asyncio import ConnectionPool

from core.identity import Identity
from router.config import ConfigError, RateConfig
from router.errors import RateLimited

log = structlog.get_logger(__name__)

# A counter that takes longer than this is not worth waiting for: the request goes on uncounted
REDIS_TIMEOUT_S = 0.5

# Callers of one window that are remembered; beyond it the oldest is forgotten rather than memory spent without bound
MAX_COUNTERS = 100_000


@dataclass(frozen=True, slots=True)
class RateRule:
    """One limit, for one kind of caller."""

    scope: Literal["address", "user"]
    limit: RateLimitItem


class RateGate:
    """Lets requests through until a caller has used up a limit. Shared by all requests of a router."""

    def __init__(
        self, rules: tuple[RateRule, ...], storage: Storage, connections: ConnectionPool | None = None
    ) -> None:
        self._rules = rules
        self._limiter = SlidingWindowCounterRateLimiter(storage)
        self._connections = connections

    @property
    def is_open(self) -> bool:
        """Tell whether there is no limit at all."""
        return not self._rules

    async def pass_address(self, address: str) -> None:
        """Count a request of *address*; raise RateLimited when it has used up its limit."""
        await self._pass("address", address)

    async def pass_user(self, identity: Identity) -> None:
        """Count a request of a logged-in caller; anonymous ones are counted by their address only."""
        if identity.subject is not None:
            await self._pass("user", identity.subject)

    async def aclose(self) -> None:
        """Close the connections to Redis."""
        if self._connections is not None:
            await self._connections.disconnect()

    async def _pass(self, scope: Literal["address", "user"], caller: str) -> None:
        for rule in self._rules:
            if rule.scope != scope:
                continue
            try:
                if await self._limiter.hit(rule.limit, scope, caller):
                    continue
                reset_at = (await self._limiter.get_window_stats(rule.limit, scope, caller)).reset_time
            except Exception as error:
                # A counter that is out of reach must not take the store down with it
                log.warning("rate limits are not counted", scope=scope, error=f"{type(error).__name__}: {error}")
                return
            wait_s = max(1, math.ceil(reset_at - time.time()))
            raise RateLimited(f"too many requests: {rule.limit} per {scope}", retry_after_s=wait_s)


def build_rate_gate(config: RateConfig) -> RateGate:
    """Return the gate that *config* describes; raise ConfigError for a notation that `limits` does not know."""
    rules: list[RateRule] = []
    scopes: tuple[tuple[Literal["address", "user"], str], ...] = (
        ("address", config.per_address),
        ("user", config.per_user),
    )
    for scope, notation in scopes:
        if not notation:
            continue
        try:
            rules.extend(RateRule(scope, limit) for limit in parse_many(notation))
        except ValueError:
            raise ConfigError(f"rate.per_{scope}: {notation!r} is not like 100/minute") from None
    if config.storage == "memory://":
        return RateGate(tuple(rules), BoundedMemoryStorage())
    if config.storage.startswith(("redis://", "rediss://")):
        connections = ConnectionPool.from_url(
            config.storage, socket_timeout=REDIS_TIMEOUT_S, socket_connect_timeout=REDIS_TIMEOUT_S
        )
        storage = RedisStorage(
            f"async+{config.storage}",
            implementation="redispy",
            connection_pool=connections,  # type: ignore[arg-type]  # handed on to redis, which knows what it is
        )
        return RateGate(tuple(rules), storage, connections)
    raise ConfigError(f"rate.storage: {config.storage!r} is neither memory:// nor redis://")


class BoundedMemoryStorage(Storage, SlidingWindowCounterSupport):
    """Counters in memory. Mutable; for one event loop.

    The library's own memory storage looks at every counter on every request, so a flood from many addresses makes each
    request slower; this one looks at the caller's two counters and forgets the oldest beyond MAX_COUNTERS.
    """

    STORAGE_SCHEME = None

    def __init__(self, max_counters: int = MAX_COUNTERS) -> None:
        super().__init__()
        self._max_counters = max_counters
        # (caller, window number) -> requests, in the order of their first request
        self._counts: dict[tuple[str, int], int] = {}

    @property
    def base_exceptions(self) -> type[Exception]:
        """Return what the library calls the storage's own errors."""
        return ValueError

    async def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count *amount* in the present window unless it and the rest of the previous one would pass *limit*."""
        previous, previous_ttl, current, _ = await self.get_sliding_window(key, expiry)
        if math.floor(previous * previous_ttl / expiry + current) + amount > limit:
            return False
        # No other task can have run since: nothing above waits for anything
        slot = (key, int(time.time() // expiry))
        self._counts[slot] = self._counts.get(slot, 0) + amount
        while len(self._counts) > self._max_counters:
            del self._counts[next(iter(self._counts))]
        return True

    async def get_sliding_window(self, key: str, expiry: int | None = None) -> tuple[int, float, int, float]:
        """Return (previous window's count, seconds it still weighs, present count, seconds until it is forgotten)."""
        if not expiry:
            raise ValueError("the window's length is needed")
        now = time.time()
        window = int(now // expiry)
        left_s = expiry - now % expiry
        previous = self._counts.get((key, window - 1), 0)
        current = self._counts.get((key, window), 0)
        return previous, left_s if previous else 0.0, current, left_s + expiry

    async def clear_sliding_window(self, key: str, expiry: int) -> None:
        """Forget *key*."""
        window = int(time.time() // expiry)
        self._counts.pop((key, window), None)
        self._counts.pop((key, window - 1), None)

    async def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Refuse: only sliding windows are counted here."""
        raise NotImplementedError("BoundedMemoryStorage counts sliding windows only")

    async def get(self, key: str) -> int:
        """Refuse, as incr does."""
        raise NotImplementedError("BoundedMemoryStorage counts sliding windows only")

    async def get_expiry(self, key: str) -> float:
        """Refuse, as incr does."""
        raise NotImplementedError("BoundedMemoryStorage counts sliding windows only")

    async def check(self) -> bool:
        """Tell that memory is there."""
        return True

    async def reset(self) -> int | None:
        """Forget everybody; return how many counters that were."""
        forgotten = len(self._counts)
        self._counts.clear()
        return forgotten

    async def clear(self, key: str) -> None:
        """Forget *key* in every window."""
        for slot in [slot for slot in self._counts if slot[0] == key]:
            del self._counts[slot]
