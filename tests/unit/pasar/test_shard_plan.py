"""The commands that shard the orders."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from bson import MaxKey, MinKey

from pasar.sharding.keys import SHARD_KEYS, KeyName
from pasar.sharding.plan import ShardPlanInvalid, Step, Zones, apply_steps, months_before, plan_sharding

EDGE = datetime(2024, 11, 1, tzinfo=UTC)
ZONES = Zones(("s1", "s2"), ("s3",), EDGE)


def test_orders_are_sharded_by_their_id_unless_another_key_is_asked_for() -> None:
    steps = plan_sharding("shop_", KeyName.ID)
    assert [step.shell for step in steps] == [
        'db.getSiblingDB("shop_order").orders.dropIndex("number")',
        'db.getSiblingDB("shop_order").orders.createIndex({number: 1}, {name: "number_lookup"})',
        'db.getSiblingDB("shop_order").orders.createIndex({_id: "hashed"}, {name: "shard_key"})',
        'sh.shardCollection("shop_order.orders", {_id: "hashed"})',
        "sh.startBalancer()",
    ]
    assert [(step.database, dict(step.command)) for step in steps] == [
        ("shop_order", {"dropIndexes": "orders", "index": "number"}),
        ("shop_order", {"createIndexes": "orders", "indexes": [{"key": {"number": 1}, "name": "number_lookup"}]}),
        ("shop_order", {"createIndexes": "orders", "indexes": [{"key": {"_id": "hashed"}, "name": "shard_key"}]}),
        ("admin", {"shardCollection": "shop_order.orders", "key": {"_id": "hashed"}}),
        ("admin", {"balancerStart": 1}),
    ]


def test_zones_keep_old_orders_on_shards_of_their_own_before_anything_is_distributed() -> None:
    steps = plan_sharding("", KeyName.DATE, ZONES)
    commands = [dict(step.command) for step in steps]
    assert commands[3:] == [
        {"addShardToZone": "s1", "zone": "hot"},
        {"addShardToZone": "s2", "zone": "hot"},
        {"addShardToZone": "s3", "zone": "archive"},
        {
            "updateZoneKeyRange": "order.orders",
            "min": {"placed_at": MinKey(), "_id": MinKey()},
            "max": {"placed_at": EDGE, "_id": MinKey()},
            "zone": "archive",
        },
        {
            "updateZoneKeyRange": "order.orders",
            "min": {"placed_at": EDGE, "_id": MinKey()},
            "max": {"placed_at": MaxKey(), "_id": MaxKey()},
            "zone": "hot",
        },
        {"shardCollection": "order.orders", "key": {"placed_at": 1, "_id": 1}},
        {"balancerStart": 1},
    ]
    assert steps[6].shell == (
        'sh.updateZoneKeyRange("order.orders", {placed_at: MinKey(), _id: MinKey()},'
        ' {placed_at: ISODate("2024-11-01T00:00:00Z"), _id: MinKey()}, "archive")'
    )


def test_zones_of_months_end_with_a_month() -> None:
    [archive, hot] = [
        step.command for step in plan_sharding("", KeyName.MONTH, ZONES) if "updateZoneKeyRange" in step.command
    ]
    assert archive["max"] == hot["min"] == {"placed_month": "2024-11", "buyer_id": MinKey()}


@pytest.mark.parametrize("key", [KeyName.ID, KeyName.BUYER])
def test_a_key_that_tells_no_age_has_no_zones_by_age(key: KeyName) -> None:
    with pytest.raises(ShardPlanInvalid, match="have no zones by age: choose --key date or --key month"):
        plan_sharding("", key, ZONES)


@pytest.mark.parametrize(
    ("zones", "message"),
    [
        (Zones((), ("s3",), EDGE), "need shards for new orders"),
        (Zones(("s1",), (), EDGE), "and others for old ones"),
        (Zones(("s1", "s2"), ("s2",), EDGE), "; s2 is in both"),
    ],
)
def test_zones_need_shards_of_their_own(zones: Zones, message: str) -> None:
    with pytest.raises(ShardPlanInvalid, match=message):
        plan_sharding("", KeyName.DATE, zones)


def test_every_key_says_what_it_gains_and_costs() -> None:
    assert SHARD_KEYS.keys() == set(KeyName)
    for key in SHARD_KEYS.values():
        assert key.gains.endswith(".")
        assert key.costs.endswith(".")
        assert key.zone_field in ("", next(iter(key.fields)))


@pytest.mark.parametrize(
    ("months", "expected"), [(1, (2026, 10)), (11, (2025, 12)), (12, (2025, 11)), (24, (2024, 11)), (0, (2026, 11))]
)
def test_old_orders_end_with_a_month(months: int, expected: tuple[int, int]) -> None:
    edge = months_before(datetime(2026, 11, 24, 5, tzinfo=UTC), months)
    assert edge == datetime(*expected, 1, tzinfo=UTC)


async def test_steps_run_in_their_order_and_end_with_the_first_that_fails() -> None:
    steps = plan_sharding("", KeyName.ID)
    sent: list[str] = []
    done: list[Step] = []

    async def run(database: str, command: Mapping[str, Any]) -> object:
        sent.append(f"{database} {next(iter(command))}")
        if "shardCollection" in command:
            raise ConnectionError
        return {"ok": 1}

    with pytest.raises(ConnectionError):
        await apply_steps(steps, run, done.append)
    assert sent == ["order dropIndexes", "order createIndexes", "order createIndexes", "admin shardCollection"]
    assert done == list(steps[:3])
