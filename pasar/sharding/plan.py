"""The commands that distribute the orders, as mongosh takes them and as the driver does."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bson import MaxKey, MinKey

from core.errors import PasarError
from core.mongo import Client
from pasar.sharding.keys import SHARD_KEYS, KeyName, ShardKey

HOT, ARCHIVE = "hot", "archive"


class NotACluster(PasarError):
    """Sharding needs a mongos; nothing was changed."""

    code = "NOT_A_CLUSTER"


class ShardPlanInvalid(PasarError):
    """What was asked for does not go together; nothing was changed."""

    code = "SHARD_PLAN_INVALID"


@dataclass(frozen=True, slots=True)
class Step:
    """One command: *command* for the database *database*, the same for mongosh, and why."""

    why: str
    shell: str
    database: str
    command: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Zones:
    """Which shards take new orders and which old ones: those placed before *before*."""

    hot: Sequence[str]
    archive: Sequence[str]
    before: datetime


def months_before(now: datetime, months: int) -> datetime:
    """Return the start of the month, in UTC, that is *months* before the one of *now*."""
    number = now.year * 12 + now.month - 1 - months
    return datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC)


def plan_sharding(prefix: str, key_name: KeyName, zones: Zones | None = None) -> tuple[Step, ...]:
    """Return the steps that distribute the orders of the databases with *prefix*.

    Raises:
        ShardPlanInvalid: zones by age with a key that does not begin with it, or zones without shards.
    """
    key = SHARD_KEYS[key_name]
    database = f"{prefix}order"
    namespace = f"{database}.orders"
    steps = [
        Step(
            "A sharded collection cannot keep a unique index that does not begin with the shard key. Numbers have 50"
            " random bits per day, so two are alike about never. From now on start the store with"
            " PASAR_ORDERS_SHARDED=true.",
            f'db.getSiblingDB("{database}").orders.dropIndex("number")',
            database,
            {"dropIndexes": "orders", "index": "number"},
        ),
        _create_index(database, {"number": 1}, "number_lookup", "To find orders by the number that people read out."),
        _create_index(database, key.fields, "shard_key", "The shard key needs an index that begins with it."),
    ]
    steps += _plan_zones(namespace, key, zones) if zones is not None else []
    steps.append(
        Step(
            "From here on the balancer distributes what is there, chunk by chunk, while the store runs. Zones first:"
            " otherwise it would move orders twice.",
            f"sh.shardCollection({_shell(namespace)}, {_shell(key.fields)})",
            "admin",
            {"shardCollection": namespace, "key": dict(key.fields)},
        )
    )
    steps.append(Step("Nothing moves while it is stopped.", "sh.startBalancer()", "admin", {"balancerStart": 1}))
    return tuple(steps)


def _create_index(database: str, fields: Mapping[str, int | str], name: str, why: str) -> Step:
    return Step(
        why,
        f'db.getSiblingDB("{database}").orders.createIndex({_shell(fields)}, {{name: "{name}"}})',
        database,
        {"createIndexes": "orders", "indexes": [{"key": dict(fields), "name": name}]},
    )


def _plan_zones(namespace: str, key: ShardKey, zones: Zones) -> list[Step]:
    if not key.zone_field:
        fields = ", ".join(key.fields)
        raise ShardPlanInvalid(f"orders sharded by {fields} have no zones by age: choose --key date or --key month")
    both = sorted(set(zones.hot) & set(zones.archive))
    if not zones.hot or not zones.archive or both:
        raise ShardPlanInvalid(
            "zones by age need shards for new orders (--hot-shard) and others for old ones (--archive-shard)"
            + (f"; {', '.join(both)} is in both" if both else "")
        )
    steps = [
        Step(
            f"Orders {'placed since' if zone == HOT else 'placed before'} {zones.before:%Y-%m-%d} live on {shard}.",
            f"sh.addShardToZone({_shell(shard)}, {_shell(zone)})",
            "admin",
            {"addShardToZone": shard, "zone": zone},
        )
        for zone, shards in ((HOT, zones.hot), (ARCHIVE, zones.archive))
        for shard in shards
    ]
    edge: Any = zones.before if key.zone_field == "placed_at" else f"{zones.before:%Y-%m}"
    bounds = ((ARCHIVE, MinKey(), edge), (HOT, edge, MaxKey()))
    for zone, low, high in bounds:
        lowest, highest = _bound(key, low), _bound(key, high)
        steps.append(
            Step(
                "Once a month the edge moves on: remove both ranges (sh.removeRangeFromZone) and set them anew.",
                f"sh.updateZoneKeyRange({_shell(namespace)}, {_shell(lowest)}, {_shell(highest)}, {_shell(zone)})",
                "admin",
                {"updateZoneKeyRange": namespace, "min": lowest, "max": highest, "zone": zone},
            )
        )
    return steps


def _bound(key: ShardKey, value: object) -> dict[str, Any]:
    """Return a bound at *value* of the first field; the fields after it are at their end, as MongoDB wants it."""
    rest: object = value if isinstance(value, MinKey | MaxKey) else MinKey()
    return {field: value if field == key.zone_field else rest for field in key.fields}


def _shell(value: object) -> str:
    """Write *value* as mongosh reads it."""
    match value:
        case Mapping():
            return "{" + ", ".join(f"{name}: {_shell(entry)}" for name, entry in value.items()) + "}"
        case datetime():
            return f'ISODate("{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}")'
        case str():
            return f'"{value}"'
        case MinKey():
            return "MinKey()"
        case MaxKey():
            return "MaxKey()"
        case _:
            return str(value)


async def check_cluster(client: Client) -> None:
    """Raise NotACluster unless *client* talks to a mongos."""
    hello = await client.admin.command("hello")
    if hello.get("msg") != "isdbgrid":
        kind = f"a member of the replica set {hello['setName']}" if "setName" in hello else "a single mongod"
        raise NotACluster(
            f"sharding needs a mongos, and this is {kind}: set PASAR_MONGODB_URI to the cluster's mongos;"
            " nothing was changed"
        )


async def apply_steps(
    steps: Sequence[Step], run: Callable[[str, Mapping[str, Any]], Awaitable[object]], done: Callable[[Step], None]
) -> None:
    """Run *steps* in their order: *run* takes database and command; *done* hears of each."""
    for step in steps:
        await run(step.database, step.command)
        done(step)
