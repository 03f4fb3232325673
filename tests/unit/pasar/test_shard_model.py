"""The model of chunk placement, against cases that are counted by hand."""

from collections.abc import Sequence

import pytest

from pasar.sharding.keys import KeyName
from pasar.sharding.model import (
    Cluster,
    Order,
    busiest_share,
    chunk_of,
    count_moves,
    foresee,
    hash_share,
    moves_for_another_shard,
    moves_per_million,
    shard_of,
    shards_of_month,
)

# 8 chunks of 10 orders in 4 months: two chunks a month
SMALL = Cluster(orders=80, shards=4, months=4, orders_per_chunk=10)
# The last shard has chunks 0 to 3, the others 4 to 7
ZONED = Cluster(orders=80, shards=4, archive_shards=1, months=4, orders_per_chunk=10)


def test_orders_fill_chunks_and_the_last_one_may_be_less_full() -> None:
    assert (SMALL.chunks, SMALL.chunks_per_month) == (8, 2)
    assert Cluster(orders=81, shards=4, orders_per_chunk=10).chunks == 9
    assert Cluster(orders=1, shards=4).chunks == 1
    assert (ZONED.hot_shards, ZONED.old_chunks, SMALL.old_chunks) == (3, 4, 0)


def test_an_order_lies_in_the_chunk_that_its_key_says() -> None:
    order = Order("ord_1", "usr_1", place=0.6)
    assert chunk_of(KeyName.DATE, order, SMALL) == 4
    assert chunk_of(KeyName.ID, order, SMALL) == int(hash_share("ord_1") * 8)
    assert chunk_of(KeyName.BUYER, order, SMALL) == int(hash_share("usr_1") * 8)
    # The third month has chunks 4 and 5
    assert chunk_of(KeyName.MONTH, order, SMALL) == 4 + int(hash_share("usr_1") * 2)


def test_a_hash_spreads_evenly() -> None:
    shares = [hash_share(f"ord_{number}") for number in range(4000)]
    assert all(0 <= share < 1 for share in shares)
    for quarter in range(4):
        assert 900 < sum(quarter <= 4 * share < quarter + 1 for share in shares) < 1100


@pytest.mark.parametrize(
    ("key", "cluster", "expected"),
    [
        (KeyName.ID, SMALL, [0, 1, 2, 3, 0, 1, 2, 3]),
        (KeyName.DATE, SMALL, [0, 1, 2, 3, 0, 1, 2, 3]),
        (KeyName.DATE, ZONED, [3, 3, 3, 3, 1, 2, 0, 1]),
        (KeyName.MONTH, ZONED, [3, 3, 3, 3, 1, 2, 0, 1]),
        # A hash tells no age
        (KeyName.ID, ZONED, [0, 1, 2, 3, 0, 1, 2, 3]),
        (KeyName.BUYER, ZONED, [0, 1, 2, 3, 0, 1, 2, 3]),
    ],
)
def test_chunks_lie_on_shards_in_turn_and_old_ones_in_the_archive(
    key: KeyName, cluster: Cluster, expected: Sequence[int]
) -> None:
    assert [shard_of(key, chunk, cluster) for chunk in range(8)] == expected


@pytest.mark.parametrize(
    ("key", "cluster", "expected"),
    [
        (KeyName.ID, SMALL, [4, 4, 4, 4]),
        (KeyName.BUYER, SMALL, [4, 4, 4, 4]),
        (KeyName.DATE, SMALL, [2, 2, 2, 2]),
        (KeyName.MONTH, SMALL, [2, 2, 2, 2]),
        (KeyName.DATE, ZONED, [1, 1, 2, 2]),
        # Three chunks in two months: the one in the middle belongs to both
        (KeyName.DATE, Cluster(orders=30, shards=3, months=2, orders_per_chunk=10), [2, 2]),
    ],
)
def test_a_month_is_asked_where_its_chunks_lie(key: KeyName, cluster: Cluster, expected: Sequence[int]) -> None:
    assert [shards_of_month(key, month, cluster) for month in range(cluster.months)] == expected


@pytest.mark.parametrize(
    ("chunks", "shards", "moves"),
    [
        # 4, 4, 4 become 3, 3, 3, 3
        (12, 3, 3),
        # 4, 3, 3 become 3, 3, 2, 2: one each from the first and from a three
        (10, 3, 2),
        # 1, 1, 0 and one without: nothing is better elsewhere
        (2, 3, 0),
        (1, 1, 0),
        # 8 become 4 and 4
        (8, 1, 4),
    ],
)
def test_a_new_shard_gets_its_share_and_nothing_else_moves(chunks: int, shards: int, moves: int) -> None:
    assert count_moves(chunks, shards) == moves


def test_in_zones_only_new_orders_make_room_for_a_new_shard() -> None:
    # 8 chunks on 4 shards: 2, 2, 2, 2 become 2, 2, 2, 1, 1
    assert moves_for_another_shard(KeyName.ID, ZONED) == 1
    # 4 chunks on 3 shards: 2, 1, 1 become 1, 1, 1, 1
    assert moves_for_another_shard(KeyName.DATE, ZONED) == 1
    assert moves_for_another_shard(KeyName.DATE, Cluster(1200, 4, 1, 4, 10)) == count_moves(60, 3) == 15


def test_only_orders_that_arrive_where_they_do_not_stay_are_moved_on() -> None:
    assert moves_per_million(KeyName.DATE, SMALL) == 100_000 * 3 / 4
    assert [moves_per_million(key, SMALL) for key in (KeyName.ID, KeyName.BUYER, KeyName.MONTH)] == [0, 0, 0]


def test_the_busiest_share_is_that_of_the_most_frequent() -> None:
    assert busiest_share([0, 1, 1, 2]) == 0.5
    assert busiest_share([3]) == 1.0


def test_a_billion_orders_are_foreseen_and_the_same_seed_foresees_the_same() -> None:
    cluster = Cluster(10**9, 8)
    outlooks = {key: foresee(key, cluster, seed=1, sample=20_000) for key in KeyName}
    assert outlooks == {key: foresee(key, cluster, seed=1, sample=20_000) for key in KeyName}
    assert outlooks[KeyName.ID] != foresee(KeyName.ID, cluster, seed=2, sample=20_000)
    # Monotonic: all inserts on one shard; the others take about an eighth each
    assert outlooks[KeyName.DATE].hot_share == 1.0
    for key in (KeyName.ID, KeyName.BUYER, KeyName.MONTH):
        assert 0.125 <= outlooks[key].hot_share < 0.15
    assert {key: outlook.buyer_shards for key, outlook in outlooks.items()} == {
        KeyName.ID: 8,
        KeyName.BUYER: 1,
        KeyName.DATE: 8,
        KeyName.MONTH: outlooks[KeyName.MONTH].buyer_shards,
    }
    assert {outlook.month_shards for outlook in outlooks.values()} == {8}
    # A ninth of the chunks
    assert {outlook.moved_chunks for outlook in outlooks.values()} == {cluster.chunks // 9}
