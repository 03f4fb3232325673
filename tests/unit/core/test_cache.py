"""The cache in memory, and what must hold for any backend; Redis is in tests/integration/core/test_cache.py."""

import asyncio

import pytest

from core.cache import open_cache


async def test_a_value_is_kept_until_it_is_deleted() -> None:
    cache = open_cache("")
    assert await cache.get("k") is None
    await cache.set("k", "v", ttl_s=60)
    assert await cache.get("k") == "v"
    await cache.delete("k")
    await cache.delete("never there")
    assert await cache.get("k") is None
    await cache.aclose()


async def test_a_value_ends_with_its_time() -> None:
    cache = open_cache("")
    await cache.set("k", "v", ttl_s=0.01)
    # The timer of the entry is on the same loop: once this one has fired, so has that one
    fired = asyncio.Event()
    asyncio.get_running_loop().call_later(0.02, fired.set)
    await fired.wait()
    assert await cache.get("k") is None
    await cache.aclose()


async def test_the_memory_cache_keeps_the_newest_entries() -> None:
    cache = open_cache("", max_memory_entries=3)
    for key in "abc":
        await cache.set(key, key, ttl_s=60)
    await cache.set("a", "again", ttl_s=60)
    await cache.set("d", "d", ttl_s=60)
    assert [await cache.get(key) for key in "abcd"] == ["again", None, "c", "d"]
    await cache.aclose()


async def test_two_memory_caches_share_nothing() -> None:
    one, other = open_cache(""), open_cache("")
    await one.set("k", "v", ttl_s=60)
    assert await other.get("k") is None
    await one.aclose()
    await other.aclose()


async def test_a_hundred_concurrent_misses_compute_once() -> None:
    cache = open_cache("")
    calls = 0
    go = asyncio.Event()

    async def compute() -> str:
        nonlocal calls
        calls += 1
        await go.wait()
        return "v"

    waiting = [asyncio.create_task(cache.get_or_compute("k", compute, ttl_s=60)) for _ in range(100)]
    await asyncio.sleep(0)
    go.set()
    assert await asyncio.gather(*waiting) == [("v", False)] * 100
    assert calls == 1
    assert await cache.get_or_compute("k", compute, ttl_s=60) == ("v", True)
    await cache.aclose()


async def test_an_error_reaches_all_who_wait_and_is_not_kept() -> None:
    cache = open_cache("")
    go = asyncio.Event()

    async def fail() -> str:
        await go.wait()
        raise ValueError("no")

    async def succeed() -> str:
        return "v"

    waiting = [asyncio.create_task(cache.get_or_compute("k", fail, ttl_s=60)) for _ in range(3)]
    await asyncio.sleep(0)
    go.set()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [repr(result) for result in results] == ["ValueError('no')"] * 3
    assert await cache.get_or_compute("k", succeed, ttl_s=60) == ("v", False)
    await cache.aclose()


async def test_a_caller_that_gives_up_does_not_take_the_others_with_it() -> None:
    cache = open_cache("")
    begun, go = asyncio.Event(), asyncio.Event()

    async def compute() -> str:
        begun.set()
        await go.wait()
        return "v"

    first = asyncio.create_task(cache.get_or_compute("k", compute, ttl_s=60))
    second = asyncio.create_task(cache.get_or_compute("k", compute, ttl_s=60))
    await begun.wait()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    go.set()
    assert await second == ("v", False)
    await cache.aclose()


async def test_closing_ends_what_is_being_computed() -> None:
    cache = open_cache("")
    begun = asyncio.Event()

    async def compute() -> str:
        begun.set()
        await asyncio.Event().wait()
        return "never"

    waiting = asyncio.create_task(cache.get_or_compute("k", compute, ttl_s=60))
    await begun.wait()
    await cache.aclose()
    with pytest.raises(asyncio.CancelledError):
        await waiting


@pytest.mark.parametrize("url", ["http://127.0.0.1:6379", "127.0.0.1:6379"])
def test_a_url_that_is_not_of_redis_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="redis://"):
        open_cache(url)
