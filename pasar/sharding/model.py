"""A model of where a billion orders would lie under each shard key. Pure, and the same for the same seed.

No order is made. A collection is a row of chunks with equally many orders, and a shard key says in which of them an
order lies: by a hash of its id or its buyer, by its place in time, or by its month and a hash. Chunks lie on shards in
turn, which is where a balancer comes to rest. What a key means is then counted on a sample of orders and buyers.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from random import Random

from pasar.sharding.keys import SHARD_KEYS, KeyName

# MongoDB's default of 128 MB (from 6.0 on), and what an order of the seed takes
CHUNK_BYTES = 128 * 1024 * 1024
ORDER_BYTES = 1750
MONTHS = 24
ORDERS_PER_BUYER = 12
# As in the seed: few buy much
EAGERNESS_SHAPE = 1.4


@dataclass(frozen=True, slots=True)
class Cluster:
    """So many orders of *months* months in so many chunks on so many shards.

    The last *archive_shards* of them hold the older half of the chunks, and nothing else, where the shard key tells an
    order's age.
    """

    orders: int
    shards: int
    archive_shards: int = 0
    months: int = MONTHS
    orders_per_chunk: int = CHUNK_BYTES // ORDER_BYTES

    @property
    def chunks(self) -> int:
        """Return how many chunks there are."""
        return max(1, -(-self.orders // self.orders_per_chunk))

    @property
    def hot_shards(self) -> int:
        """Return how many shards take new orders."""
        return self.shards - self.archive_shards

    @property
    def old_chunks(self) -> int:
        """Return how many chunks are for the archive, if there is one."""
        return self.chunks // 2 if self.archive_shards else 0

    @property
    def chunks_per_month(self) -> int:
        """Return how many chunks a month has."""
        return max(1, self.chunks // self.months)


@dataclass(frozen=True, slots=True)
class Order:
    """What a shard key looks at. *place* is the share of all orders that were placed before it, below 1."""

    id: str
    buyer: str
    place: float


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a shard key would mean.

    *hot_share* is the share of new orders that the busiest shard takes; *buyer_shards* and *month_shards* are how many
    shards a buyer's history and a month's aggregation ask, on average; *moved_chunks* move when a shard is added, and
    *moves_per_million* more for every million new orders, for they arrive where they do not stay.
    """

    key: KeyName
    hot_share: float
    buyer_shards: float
    month_shards: float
    moved_chunks: int
    moves_per_million: float


def chunk_of(key: KeyName, order: Order, cluster: Cluster) -> int:
    """Return the number of the chunk in which *order* lies, from 0."""
    match key:
        case KeyName.ID:
            return int(hash_share(order.id) * cluster.chunks)
        case KeyName.BUYER:
            return int(hash_share(order.buyer) * cluster.chunks)
        case KeyName.DATE:
            return int(order.place * cluster.chunks)
        case KeyName.MONTH:
            month = int(order.place * cluster.months)
            return month * cluster.chunks_per_month + int(hash_share(order.buyer) * cluster.chunks_per_month)


def has_zones(key: KeyName) -> bool:
    """Tell whether a key begins with an order's age, so that old ones can be kept apart."""
    return bool(SHARD_KEYS[key].zone_field)


def shard_of(key: KeyName, chunk: int, cluster: Cluster) -> int:
    """Return the shard on which a chunk lies."""
    if not cluster.archive_shards or not has_zones(key):
        return chunk % cluster.shards
    if chunk < cluster.old_chunks:
        return cluster.hot_shards + chunk % cluster.archive_shards
    return chunk % cluster.hot_shards


def hash_share(text: str) -> float:
    """Return where the hash of *text* lies among all hashes, from 0 to below 1."""
    return int.from_bytes(blake2b(text.encode(), digest_size=6).digest(), "big") / (1 << 48)


def busiest_share(shards: Sequence[int]) -> float:
    """Return the share that the most frequent one has of *shards*."""
    return Counter(shards).most_common(1)[0][1] / len(shards)


def shards_of_month(key: KeyName, month: int, cluster: Cluster) -> int:
    """Return on how many shards the orders of a month lie, counted from 0."""
    match key:
        case KeyName.ID | KeyName.BUYER:
            chunks = range(cluster.chunks)
        case KeyName.MONTH:
            chunks = range(month * cluster.chunks_per_month, (month + 1) * cluster.chunks_per_month)
        case KeyName.DATE:
            # Those that reach into it, up to its last moment
            chunks = range(month * cluster.chunks // cluster.months, -(-(month + 1) * cluster.chunks // cluster.months))
    return len({shard_of(key, chunk, cluster) for chunk in chunks})


def moves_for_another_shard(key: KeyName, cluster: Cluster) -> int:
    """Return how many chunks move when a shard for new orders is added."""
    if not has_zones(key):
        return count_moves(cluster.chunks, cluster.shards)
    return count_moves(cluster.chunks - cluster.old_chunks, cluster.hot_shards)


def count_moves(chunks: int, shards: int) -> int:
    """Return how many chunks move when a shard is added to *shards* that have them in turn: those that it gets."""
    before = [chunks // shards + (shard < chunks % shards) for shard in range(shards)]
    after = shards + 1
    # Each shard keeps an equal share; what is left over stays with those that have most
    kept = sorted(before, reverse=True)
    shares = [chunks // after + (number < chunks % after) for number in range(shards)]
    return sum(max(0, had - share) for had, share in zip(kept, shares, strict=True))


def moves_per_million(key: KeyName, cluster: Cluster) -> float:
    """Return how many chunks the balancer moves for a million new orders."""
    if key is not KeyName.DATE:
        # They arrive where they stay
        return 0.0
    # All arrive on one shard, and all but that one's share go on to another
    return 1_000_000 / cluster.orders_per_chunk * (cluster.hot_shards - 1) / cluster.hot_shards


def foresee(key: KeyName, cluster: Cluster, *, seed: int, sample: int = 100_000) -> Outlook:
    """Return what *key* would mean, from *sample* new orders and a fiftieth as many buyers."""
    random = Random(f"{seed}/{key}")
    buyers = max(1, cluster.orders // ORDERS_PER_BUYER)
    # A buyer's weight among others is as its rank to a power: the same tail as the seed's, without a list of all
    exponent = EAGERNESS_SHAPE / (EAGERNESS_SHAPE - 1)

    def draw_buyer() -> str:
        return f"usr_{int(buyers * random.random() ** exponent)}"

    # New ones are placed after all others
    now = 1 - 0.5 / cluster.orders
    placed = [Order(f"ord_{random.getrandbits(80)}", draw_buyer(), now) for _ in range(sample)]
    hot_share = busiest_share([shard_of(key, chunk_of(key, order, cluster), cluster) for order in placed])
    asked = 0
    buyer_sample = max(1, sample // 50)
    for _ in range(buyer_sample):
        buyer = draw_buyer()
        history = [Order(f"ord_{random.getrandbits(80)}", buyer, random.random()) for _ in range(ORDERS_PER_BUYER)]
        if key is KeyName.BUYER:
            asked += len({shard_of(key, chunk_of(key, order, cluster), cluster) for order in history})
        elif key is KeyName.MONTH:
            # The hash of the buyer is known, so each month is asked on one shard, whether it has orders or not
            asked += len(
                {
                    shard_of(key, chunk_of(key, Order("", buyer, (month + 0.5) / cluster.months), cluster), cluster)
                    for month in range(cluster.months)
                }
            )
        else:
            # Nothing tells where they are
            asked += min(cluster.shards, cluster.chunks)
    months = [shards_of_month(key, month, cluster) for month in range(cluster.months)]
    return Outlook(
        key,
        hot_share,
        asked / buyer_sample,
        sum(months) / len(months),
        moves_for_another_shard(key, cluster),
        moves_per_million(key, cluster),
    )
