"""The cache on a real Redis, with and without it."""

import asyncio

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from core.cache import open_cache
from tests.testkit.redis_server import RedisServer
from tests.testkit.waiting import eventually


async def test_two_processes_share_what_one_of_them_computed(redis_server: RedisServer) -> None:
    one, other = open_cache(redis_server.url), open_cache(redis_server.url)
    elsewhere = open_cache(redis_server.url, namespace="other")

    async def compute() -> str:
        return "täglich"

    assert await one.get_or_compute("k", compute, ttl_s=60) == ("täglich", False)
    assert await other.get_or_compute("k", compute, ttl_s=60) == ("täglich", True)
    assert await elsewhere.get("k") is None
    await other.delete("k")
    assert await one.get("k") is None
    for cache in (one, other, elsewhere):
        await cache.aclose()


@pytest.mark.parametrize(("ttl_s", "milliseconds"), [(0.5, 500), (1, 1000), (90, 90_000)])
async def test_a_value_gets_its_time_to_live(redis_server: RedisServer, ttl_s: float, milliseconds: int) -> None:
    cache = open_cache(redis_server.url)
    await cache.set("k", "v", ttl_s=ttl_s)
    async with Redis.from_url(redis_server.url) as client:
        assert milliseconds - 400 < await client.pttl("pasar:k") <= milliseconds
    await cache.aclose()


async def test_hundreds_of_callers_at_once_are_served(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A machine on which this takes longer than a cache may take is no reason to fail
    monkeypatch.setattr("core.cache.TIMEOUT_S", 60)
    cache = open_cache(redis_server.url)
    await cache.set("k", "v", ttl_s=60)
    assert await asyncio.gather(*(cache.get("k") for _ in range(400))) == ["v"] * 400
    await cache.aclose()


async def test_without_redis_everything_is_computed_and_nothing_fails(redis_server: RedisServer) -> None:
    cache = open_cache(redis_server.url)
    calls = 0

    async def compute() -> str:
        nonlocal calls
        calls += 1
        return f"v{calls}"

    assert await cache.get_or_compute("k", compute, ttl_s=60) == ("v1", False)
    redis_server.stop()
    with capture_logs() as logs:
        assert await cache.get("k") is None
        await cache.set("k", "v", ttl_s=60)
        await cache.delete("k")
        assert await cache.get_or_compute("k", compute, ttl_s=60) == ("v2", False)
        # Still only one of those who ask at the same time
        results = await asyncio.gather(*(cache.get_or_compute("k", compute, ttl_s=60) for _ in range(20)))
    assert set(results) == {("v3", False)}
    assert {log["event"] for log in logs} == {"cache is out of reach"}
    redis_server.start()
    assert await cache.get_or_compute("k", compute, ttl_s=60) == ("v4", False)
    assert await cache.get_or_compute("k", compute, ttl_s=60) == ("v4", True)
    await cache.aclose()


async def test_of_several_processes_one_computes_what_all_of_them_lack(redis_server: RedisServer) -> None:
    caches = [open_cache(redis_server.url) for _ in range(3)]
    calls = 0
    begun, go = asyncio.Event(), asyncio.Event()

    async def compute() -> str:
        nonlocal calls
        calls += 1
        begun.set()
        await go.wait()
        return "v"

    waiting = [
        asyncio.create_task(cache.get_or_compute("k", compute, ttl_s=60, lease_s=30))
        for cache in caches
        for _ in range(5)
    ]
    await begun.wait()
    # The others have looked by now, and found neither a value nor a lease to be had
    for cache in caches:
        assert await cache.get("k") is None
    go.set()
    assert {value for value, _ in await asyncio.gather(*waiting)} == {"v"}
    assert calls == 1
    async with Redis.from_url(redis_server.url) as client:
        assert await client.keys("*") == [b"pasar:k"]
    for cache in caches:
        await cache.aclose()


async def test_who_fails_to_compute_leaves_it_to_the_next_process(redis_server: RedisServer) -> None:
    one, other = open_cache(redis_server.url), open_cache(redis_server.url)
    begun, go = asyncio.Event(), asyncio.Event()

    async def fail() -> str:
        begun.set()
        await go.wait()
        raise ValueError("no")

    async def succeed() -> str:
        return "v"

    failing = asyncio.create_task(one.get_or_compute("k", fail, ttl_s=60, lease_s=30))
    await begun.wait()
    waiting = asyncio.create_task(other.get_or_compute("k", succeed, ttl_s=60, lease_s=30))
    go.set()
    with pytest.raises(ValueError, match="no"):
        await failing
    assert await waiting == ("v", False)
    await one.aclose()
    await other.aclose()


async def test_a_process_that_died_while_computing_is_not_waited_for_for_ever(redis_server: RedisServer) -> None:
    cache = open_cache(redis_server.url)
    async with Redis.from_url(redis_server.url) as client:
        await client.set("pasar:k:lease", "taken")

    async def compute() -> str:
        return "v"

    assert await cache.get_or_compute("k", compute, ttl_s=60, lease_s=0.05) == ("v", False)
    await cache.aclose()


async def test_a_lease_needs_no_redis(redis_server: RedisServer) -> None:
    cache = open_cache(redis_server.url)
    redis_server.stop()

    async def compute() -> str:
        return "v"

    with capture_logs() as logs:
        assert await cache.get_or_compute("k", compute, ttl_s=60, lease_s=30) == ("v", False)
    assert {log["event"] for log in logs} == {"cache is out of reach"}
    redis_server.start()
    await cache.aclose()


async def test_closing_leaves_no_connection_behind(redis_server: RedisServer) -> None:
    cache = open_cache(redis_server.url)
    await asyncio.gather(*(cache.get(str(n)) for n in range(20)))
    async with Redis.from_url(redis_server.url) as client:
        assert len(await client.client_list()) == 21
        await cache.aclose()

        async def only_ours_is_left() -> bool:
            return len(await client.client_list()) == 1

        # Redis notices closed sockets in its next round
        await eventually(only_ours_is_left)


async def test_user_password_and_database_of_the_url_are_used(redis_server: RedisServer) -> None:
    async with Redis.from_url(redis_server.url) as client:
        await client.acl_setuser("shop", enabled=True, passwords=["+p@ss/word"], keys=["*"], categories=["+@all"])
        url = redis_server.url.replace("redis://", "redis://shop:p%40ss%2Fword@").replace("/0", "/3")
        cache = open_cache(url)
        await cache.set("k", "v", ttl_s=60)
        assert await cache.get("k") == "v"
        assert [entry["user"] for entry in await client.client_list() if entry["db"] == "3"] == ["shop"]
        assert await client.get("pasar:k") is None
        await cache.aclose()
