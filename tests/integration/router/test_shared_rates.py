from pathlib import Path

import pytest

from router.config import RateConfig
from router.errors import RateLimited
from router.rates import build_rate_gate
from tests.testkit.redis_server import RedisServer


async def test_routers_that_share_a_redis_share_the_count_and_go_on_without_it(tmp_path: Path) -> None:
    redis = RedisServer(tmp_path)
    redis.start()
    config = RateConfig(per_address="3/hour", storage=redis.url)
    first, second = build_rate_gate(config), build_rate_gate(config)
    try:
        await first.pass_address("10.0.0.1")
        await second.pass_address("10.0.0.1")
        await first.pass_address("10.0.0.1")
        for gate in (first, second):
            with pytest.raises(RateLimited) as refusal:
                await gate.pass_address("10.0.0.1")
            assert 1 <= refusal.value.retry_after_s <= 7200
        await second.pass_address("10.0.0.2")
        redis.stop()
        await first.pass_address("10.0.0.1")
    finally:
        redis.stop()
        await first.aclose()
        await second.aclose()
