"""The shard keys that orders could have, and what each of them costs."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class KeyName(StrEnum):
    """What orders are distributed by."""

    ID = "id"
    BUYER = "buyer"
    DATE = "date"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class ShardKey:
    """A shard key: *fields* in MongoDB's form, and for people what is good and bad about it.

    *zone_field* is its first field where that tells an order's age: only such a key can have old orders elsewhere.
    """

    fields: Mapping[str, int | str]
    gains: str
    costs: str
    zone_field: str = ""


SHARD_KEYS: Mapping[KeyName, ShardKey] = {
    KeyName.ID: ShardKey(
        {"_id": "hashed"},
        "Inserts spread evenly. What the store does with an order (it finds and moves it by its id) asks one shard, and"
        " ids stay unique.",
        "A buyer's history and every report ask all shards. Old orders cannot be kept apart by zones.",
    ),
    KeyName.BUYER: ShardKey(
        {"buyer_id": "hashed", "placed_at": 1},
        "Inserts spread nearly evenly, and a buyer's history is on one shard, in its order.",
        "An order is looked for by its id on all shards, and moved so only from MongoDB 8.0 on; ids are unique per"
        " shard only. Reports ask all shards. Old orders cannot be kept apart by zones.",
    ),
    KeyName.DATE: ShardKey(
        {"placed_at": 1, "_id": 1},
        "Zones put old orders on cheaper shards, and a report of a month asks only the shards of its zone.",
        "Monotonic: each order is the last one, so one shard takes all inserts, and the balancer moves all of them"
        " again, later. An order is looked for by its id on all shards, and moved so only from MongoDB 8.0 on.",
        zone_field="placed_at",
    ),
    KeyName.MONTH: ShardKey(
        {"placed_month": 1, "buyer_id": "hashed"},
        "Inserts spread over the shards for new orders; zones put old months on cheaper ones, and a report of a month"
        " asks only the shards of its zone.",
        "Orders need a field more (placed_month, `2026-11`), and chunks for the coming month have to be split before it"
        " begins. A buyer's history is on a shard per month. Ids as with the buyer's key.",
        zone_field="placed_month",
    ),
}
