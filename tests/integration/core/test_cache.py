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


async def test_hundreds_of_callers_at_once_are_served(redis_server: RedisServer) -> None:
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
