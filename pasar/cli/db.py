"""`pasar db`: the databases beside the store."""

from typing import Annotated

import typer

from pasar.cli.options import DataOption
from pasar.sharding.keys import KeyName

app = typer.Typer(no_args_is_help=True, help="Look after the databases: indexes, sharding, interrupted loads.")


@app.command("undo-load")
def undo_load(data: DataOption = None) -> None:
    """Take back what an interrupted `pasar seed` or `pasar import` has written, where it cannot be run again.

    Exit code 1: no load was interrupted, and nothing was changed.
    """
    from pasar.configuration import read_settings
    from pasar.database import open_for_load
    from pasar.loading.load import connect_for_load, take_back_load
    from pasar.logs import configure_logs
    from pasar.running import run_async

    settings = read_settings(data=data)
    configure_logs(settings.environment)

    async def take_back(uri: str) -> str | None:
        client = connect_for_load(uri)
        try:
            return await take_back_load(client, settings.database_prefix)
        finally:
            await client.close()

    with open_for_load(settings) as uri:
        command = run_async(take_back(uri)) if uri is not None else None
    if command is None:
        print("No load was interrupted.")
        raise typer.Exit(1)
    print(f"Taken back: {command}")


@app.command("indexes")
def indexes(
    apply: Annotated[bool, typer.Option("--apply", help="Create those that are missing.")] = False,
    data: DataOption = None,
) -> None:
    """Print every index of every subgraph with its reason, and compare them with the databases.

    --apply creates missing ones; what the databases have beyond, or define differently, is listed and left alone, for
    it may be somebody's. Exit code 0: they agree; 1: they do not.
    """
    from pasar.configuration import read_settings
    from pasar.database import open_mongodb
    from pasar.indexes.compare import IndexState, State, compare_indexes, create_missing
    from pasar.keys import complete_settings
    from pasar.logs import configure_logs
    from pasar.running import run_async
    from pasar.store import open_store

    settings = complete_settings(read_settings(data=data))
    configure_logs(settings.environment)

    async def compare(uri: str) -> list[IndexState]:
        async with open_store(settings, uri) as store:
            states: list[IndexState] = []
            for subgraph in store.subgraphs.values():
                found = await compare_indexes(subgraph)
                if apply:
                    await create_missing(subgraph, found)
                    found = await compare_indexes(subgraph)
                states += found
            return states

    with open_mongodb(settings, share=True) as mongodb:
        states = run_async(compare(mongodb.uri))
    collection = None
    for state in states:
        if (state.subgraph, state.collection) != collection:
            collection = (state.subgraph, state.collection)
            print(f"{state.subgraph}.{state.collection}")
        print(f"  {state.state:9} {state.name:24} {state.definition}")
        if state.found:
            print(f"{'':12} instead there is: {state.found}")
        if state.reason:
            print(f"{'':12} {state.reason}")
    counts = {kind: sum(state.state is kind for state in states) for kind in State}
    print("\n" + ", ".join(f"{count} {kind}" for kind, count in counts.items()))
    if counts[State.PRESENT] != len(states):
        raise typer.Exit(1)


@app.command("shard-plan")
def shard_plan(
    key: Annotated[KeyName, typer.Option("--key", help="What orders are distributed by.")] = KeyName.ID,
    hot_shard: Annotated[
        list[str] | None, typer.Option("--hot-shard", metavar="SHARD", help="A shard for new orders; repeat it.")
    ] = None,
    archive_shard: Annotated[
        list[str] | None, typer.Option("--archive-shard", metavar="SHARD", help="A shard for old orders; repeat it.")
    ] = None,
    archive_months: Annotated[
        int, typer.Option("--archive-months", help="Old orders are from before so many months.", min=1, max=600)
    ] = 24,
    apply: Annotated[
        bool, typer.Option("--apply", help="Run the commands at the mongos of PASAR_MONGODB_URI.")
    ] = False,
    data: DataOption = None,
) -> None:
    """Print the commands that distribute the orders over the shards of a cluster, with what each key gains and costs.

    Shards for new and for old orders make zones by age. See docs/scaling-orders.md.
    """
    from collections.abc import Mapping
    from typing import Any

    from core.clock import SystemClock
    from core.mongo import connect
    from pasar.configuration import read_settings
    from pasar.database import open_mongodb
    from pasar.logs import configure_logs
    from pasar.running import run_async
    from pasar.sharding.keys import SHARD_KEYS
    from pasar.sharding.plan import Step, Zones, apply_steps, check_cluster, months_before, plan_sharding

    settings = read_settings(data=data)
    configure_logs(settings.environment)
    zones = None
    if hot_shard or archive_shard:
        edge = months_before(SystemClock().now(), archive_months)
        zones = Zones(hot_shard or [], archive_shard or [], edge)
    steps = plan_sharding(settings.database_prefix, key, zones)
    if not apply:
        for name, choice in SHARD_KEYS.items():
            mark = "chosen" if name is key else "or"
            fields = ", ".join(f"{field}: {kind}" for field, kind in choice.fields.items())
            print(f"// {mark} --key {name}: {{{fields}}}\n//   + {choice.gains}\n//   - {choice.costs}")
        for step in steps:
            print(f"\n// {step.why}\n{step.shell}")
        return

    async def run(uri: str) -> None:
        client = connect(uri)

        async def send(database: str, command: Mapping[str, Any]) -> object:
            return await client[database].command(dict(command))

        def say(step: Step) -> None:
            print(f"done: {step.shell}")

        try:
            await check_cluster(client)
            await apply_steps(steps, send, say)
        finally:
            await client.close()

    with open_mongodb(settings, share=True) as mongodb:
        run_async(run(mongodb.uri))


@app.command("shard-model")
def shard_model(
    orders: Annotated[int, typer.Option("--orders", help="How many orders there are.", min=1, max=10**12)] = 10**9,
    shards: Annotated[int, typer.Option("--shards", help="On how many shards.", min=1, max=1000)] = 8,
    archive_shards: Annotated[
        int,
        typer.Option("--archive-shards", help="How many of them hold the older half, with zones.", min=0),
    ] = 0,
    seed: Annotated[int, typer.Option("--seed", help="The same number draws the same sample.")] = 1,
) -> None:
    """Print what each shard key would mean for so many orders of two years: a model, without a database."""
    from pasar.sharding.keys import SHARD_KEYS
    from pasar.sharding.model import Cluster, foresee

    if archive_shards >= shards:
        raise typer.BadParameter("some shards have to be left for new orders", param_hint="--archive-shards")
    cluster = Cluster(orders, shards, archive_shards)
    print(
        f"{orders:,} orders in {cluster.chunks:,} chunks on {shards} shards, {archive_shards} of them for old orders\n"
    )
    heads = ("busiest shard's", "shards of a", "shards of a", "chunks that move for", "and for a million")
    more = ("share of inserts", "buyer's orders", "month's report", "one shard more", "new orders")
    for row in (heads, more):
        print(f"{'' if row is heads else 'key':8}" + "".join(f"{text:>22}" for text in row))
    for name in SHARD_KEYS:
        outlook = foresee(name, cluster, seed=seed)
        values = (
            f"{outlook.hot_share:.1%}",
            f"{outlook.buyer_shards:.2f}",
            f"{outlook.month_shards:.2f}",
            f"{outlook.moved_chunks:,}",
            f"{outlook.moves_per_million:.1f}",
        )
        print(f"{name:8}" + "".join(f"{value:>22}" for value in values))
