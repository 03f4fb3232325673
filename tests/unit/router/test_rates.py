import socket

import pytest
from limits import parse
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from core.identity import ANONYMOUS, Identity
from router.config import ConfigError, RateConfig
from router.errors import RateLimited
from router.rates import BoundedMemoryStorage, RateGate, RateRule, build_rate_gate

# One window lasts an hour, so a test that starts at its end does not see two of them
PER_HOUR = "3/hour"


async def pass_address(gate: RateGate, address: str, times: int) -> int:
    passed = 0
    for _ in range(times):
        try:
            await gate.pass_address(address)
            passed += 1
        except RateLimited:
            pass
    return passed


async def test_each_address_has_a_limit_of_its_own() -> None:
    gate = build_rate_gate(RateConfig(per_address=PER_HOUR))
    assert await pass_address(gate, "10.0.0.1", 5) == 3
    assert await pass_address(gate, "10.0.0.2", 5) == 3


async def test_a_refusal_says_when_to_come_back() -> None:
    gate = build_rate_gate(RateConfig(per_address="1/hour"))
    await gate.pass_address("10.0.0.1")
    with pytest.raises(RateLimited) as refusal:
        await gate.pass_address("10.0.0.1")
    assert refusal.value.status == 429
    assert 1 <= refusal.value.retry_after_s <= 3600 * 2
    assert refusal.value.headers == {"retry-after": str(refusal.value.retry_after_s)}
    assert refusal.value.to_graphql()[0]["extensions"] == {"code": "RATE_LIMITED"}


async def test_a_user_is_counted_apart_from_addresses_and_anonymous_callers_are_not() -> None:
    gate = build_rate_gate(RateConfig(per_user="2/hour"))
    for _ in range(5):
        await gate.pass_user(ANONYMOUS)
    await gate.pass_user(Identity(subject="u1"))
    await gate.pass_user(Identity(subject="u1"))
    with pytest.raises(RateLimited):
        await gate.pass_user(Identity(subject="u1"))
    await gate.pass_user(Identity(subject="u2"))


async def test_several_limits_hold_at_once() -> None:
    gate = build_rate_gate(RateConfig(per_address="100/hour;2/day"))
    assert await pass_address(gate, "10.0.0.1", 4) == 2


def test_without_limits_the_gate_is_open() -> None:
    assert build_rate_gate(RateConfig()).is_open


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (RateConfig(per_address="often"), "rate.per_address: 'often' is not like 100/minute"),
        (RateConfig(per_user="1/hour", storage="mysql://x"), "rate.storage: 'mysql://x' is neither"),
    ],
)
def test_a_configuration_that_means_nothing_is_refused(config: RateConfig, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build_rate_gate(config)


async def test_a_counter_out_of_reach_lets_requests_through() -> None:
    class Broken(BoundedMemoryStorage):
        async def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
            raise ConnectionError("redis is gone")

    gate = RateGate((RateRule("address", parse("1/hour")),), Broken())
    assert await pass_address(gate, "10.0.0.1", 3) == 3


async def test_the_memory_of_counters_is_bounded_and_forgets_the_oldest() -> None:
    storage = BoundedMemoryStorage(max_counters=2)
    limiter = SlidingWindowCounterRateLimiter(storage)
    limit = parse("1/hour")
    for caller in ("a", "b", "c"):
        assert await limiter.hit(limit, caller)
    # c and b are still known to have used up their limit, a is not
    assert not await limiter.hit(limit, "c")
    assert not await limiter.hit(limit, "b")
    assert await limiter.hit(limit, "a")


async def test_the_previous_window_counts_by_how_much_of_it_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 36_000.0
    monkeypatch.setattr("router.rates.time.time", lambda: now)
    storage = BoundedMemoryStorage()
    limiter = SlidingWindowCounterRateLimiter(storage)
    limit = parse("4/hour")
    assert [await limiter.hit(limit, "a") for _ in range(5)] == [True] * 4 + [False]
    now += 3600 + 1800
    # Half of the previous window still weighs: 2 of 4 are taken
    assert [await limiter.hit(limit, "a") for _ in range(3)] == [True, True, False]


async def test_clearing_and_resetting_forget() -> None:
    storage = BoundedMemoryStorage()
    limiter = SlidingWindowCounterRateLimiter(storage)
    limit = parse("1/hour")
    await limiter.hit(limit, "a")
    await limiter.clear(limit, "a")
    assert await limiter.hit(limit, "a")
    assert await storage.reset() == 1
    assert await limiter.hit(limit, "a")


async def test_a_redis_out_of_reach_lets_requests_through() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        # Bound but not listening: connections are refused
        gate = build_rate_gate(
            RateConfig(per_address="1/hour", storage=f"redis://127.0.0.1:{closed.getsockname()[1]}/0")
        )
        assert await pass_address(gate, "10.0.0.1", 2) == 2
        await gate.aclose()
