"""The split store with Redis between its programs, as production has it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from tests.e2e.test_shopping import test_a_customer_registers_searches_orders_pays_and_is_told as go_the_whole_way
from tests.testkit.redis_server import RedisServer
from tests.testkit.running import pasar, running_store


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.stop()


def test_events_and_caches_go_over_redis_and_the_way_of_an_order_is_the_same(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    assert pasar("seed", "--data", str(data), "--orders", "50").returncode == 0
    with running_store(data, "--split", PASAR_REDIS_URL=redis_server.url) as store:
        go_the_whole_way(store)
    with Redis.from_url(redis_server.url) as redis:
        kinds = {redis.type(key) for key in redis.scan_iter()}
        # Work between the programs, and monthly totals
        assert kinds >= {b"stream", b"string"}
