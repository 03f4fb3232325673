"""Indexes as they are defined and as the databases have them."""

import re
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from core.mongo import Client
from pasar.indexes.compare import State, compare_indexes, create_missing
from pasar.indexes.reasons import OF_ALL, REASONS, reason_of
from pasar.mongod import EmbeddedMongod
from pasar.sharding.keys import KeyName
from pasar.sharding.plan import NotACluster, apply_steps, check_cluster, plan_sharding
from pasar.store import open_store
from tests.integration.pasar.conftest import OpenStore
from tests.testkit.contents import read_indexes
from tests.testkit.running import pasar
from tests.testkit.store import make_settings

# Where orders are sharded, and only there
SHARDED_ONLY = {("order", "orders", "number_lookup"), ("order", "orders", "shard_key")}


async def test_every_index_of_a_started_store_is_defined_and_has_a_reason(open_empty_store: OpenStore) -> None:
    store = await open_empty_store()
    defined = {
        (name, collection, str(index.document["name"]))
        for name, subgraph in store.subgraphs.items()
        for collection, indexes in subgraph.indexes.items()
        for index in indexes
    }
    states = [state for subgraph in store.subgraphs.values() for state in await compare_indexes(subgraph)]
    assert {state.state for state in states} == {State.PRESENT}
    assert {(state.subgraph, state.collection, state.name) for state in states} == defined
    assert [state for state in states if len(state.reason) < 20] == []
    said = {
        (subgraph, collection, index)
        for subgraph, collections in REASONS.items()
        for collection, reasons in collections.items()
        for index in reasons
    }
    said |= {
        (name, collection, index) for name in store.subgraphs for collection in OF_ALL for index in OF_ALL[collection]
    }
    assert said - SHARDED_ONLY == defined
    assert reason_of("order", "orders", "nonsense") is None


async def test_missing_different_and_extra_indexes_are_told_and_only_missing_ones_are_created(
    open_empty_store: OpenStore,
) -> None:
    subgraph = (await open_empty_store()).subgraphs["order"]
    orders = subgraph.runtime.database["orders"]
    await orders.drop_index("status")
    await orders.drop_index("changed")
    await orders.create_index([("updated_at", 1)], name="changed", sparse=True)
    await orders.create_index("note", name="mine")
    await subgraph.runtime.database["nobodys"].create_index("x", unique=True)

    async def find_trouble() -> list[tuple[str, str, State, str, str]]:
        return [
            (state.collection, state.name, state.state, state.definition, state.found)
            for state in await compare_indexes(subgraph)
            if state.state is not State.PRESENT
        ]

    different = ("orders", "changed", State.DIFFERENT, "updated_at up, _id up", "updated_at up")
    extra = [
        ("nobodys", "x_1", State.EXTRA, "x up; unique", ""),
        ("orders", "mine", State.EXTRA, "note up", ""),
    ]
    missing = ("orders", "status", State.MISSING, "status up, placed_at down, _id down", "")
    assert sorted(await find_trouble()) == sorted([different, *extra, missing])
    await create_missing(subgraph, await compare_indexes(subgraph))
    assert sorted(await find_trouble()) == sorted([different, *extra])


async def test_a_database_that_is_not_there_lacks_all_indexes(
    mongo_client: Client, mongo_uri: str, tmp_path: Path, database_prefix: str
) -> None:
    async with open_store(make_settings(tmp_path, database_prefix=database_prefix), mongo_uri) as store:
        for subgraph in store.subgraphs.values():
            states = await compare_indexes(subgraph)
            assert {state.state for state in states} == {State.MISSING}
            await create_missing(subgraph, states)
            assert {state.state for state in await compare_indexes(subgraph)} == {State.PRESENT}


async def test_orders_are_ready_to_be_sharded_and_the_store_starts_on_what_they_are_then(
    mongo_client: Client, mongo_uri: str, tmp_path: Path, database_prefix: str
) -> None:
    settings = make_settings(tmp_path, database_prefix=database_prefix)
    async with open_store(settings, mongo_uri) as store:
        await store.start()
        await store.stop()

    async def run(database: str, command: object) -> object:
        assert isinstance(command, dict)
        # What no mongod can do
        return None if database == "admin" else await mongo_client[database].command(command)

    await apply_steps(plan_sharding(database_prefix, KeyName.ID), run, lambda step: None)
    sharded = settings.model_copy(update={"orders_sharded": True})
    async with open_store(sharded, mongo_uri) as store:
        await store.start()
        orders = store.subgraphs["order"].runtime.database["orders"]
        indexes = await orders.index_information()
        assert "number" not in indexes
        assert [name for name, index in indexes.items() if index.get("unique")] == []
        assert {state.state for state in await compare_indexes(store.subgraphs["order"])} == {State.PRESENT}
        await store.stop()


async def test_what_is_no_mongos_is_refused_and_nothing_changes(
    open_empty_store: OpenStore, mongo_client: Client
) -> None:
    store = await open_empty_store()
    before = await read_indexes(store.client, store.settings.database_prefix)
    with pytest.raises(NotACluster, match="this is a member of the replica set rs0"):
        await check_cluster(mongo_client)
    assert await read_indexes(store.client, store.settings.database_prefix) == before


def test_the_commands_print_compare_and_apply(tmp_path: Path) -> None:
    data = ("--data", str(tmp_path / "data"))
    first = pasar("db", "indexes", *data)
    assert first.returncode == 1
    counts = re.fullmatch(r"0 present, ([0-9]+) missing, 0 different, 0 extra", first.stdout.splitlines()[-1])
    assert counts is not None
    applied = pasar("db", "indexes", "--apply", *data)
    assert (applied.returncode, applied.stdout.splitlines()[-1]) == (
        0,
        f"{counts[1]} present, 0 missing, 0 different, 0 extra",
    )
    assert pasar("db", "indexes", *data).returncode == 0
    with EmbeddedMongod(tmp_path / "data") as mongod, MongoClient[Any](mongod.uri) as client:
        client["pasar_order"]["orders"].create_index("note", name="mine")
    extra = pasar("db", "indexes", "--apply", *data)
    assert extra.returncode == 1
    assert "  extra     mine                     note up\n" in extra.stdout
    refused = pasar("db", "shard-plan", "--apply", *data)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert (
        "error [NOT_A_CLUSTER] sharding needs a mongos, and this is a member of the replica set rs0" in refused.stderr
    )
    assert "104" not in pasar("db", "indexes", *data).stdout.splitlines()[-1]
    plan = pasar("db", "shard-plan", "--key", "buyer")
    assert plan.returncode == 0
    assert 'sh.shardCollection("pasar_order.orders", {buyer_id: "hashed", placed_at: 1})' in plan.stdout
    model = pasar("db", "shard-model", "--orders", "1000000", "--shards", "2")
    assert model.stdout.startswith("1,000,000 orders in 14 chunks on 2 shards")
    assert pasar("db", "shard-model", "--shards", "2", "--archive-shards", "2").returncode == 2
