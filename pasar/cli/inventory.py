"""`pasar inventory`: whether the stock's counters are what its ledger says, and putting them right."""

from pathlib import Path

import typer

from pasar.cli.options import DataOption

app = typer.Typer(no_args_is_help=True, help="Compare the stock's counters with its ledger.")

# As diff(1) has it: something differs
EXIT_DIFFERS = 1


@app.command("check")
def check(data: DataOption = None) -> None:
    """List products whose counters are not the sums of their ledger; change nothing.

    Exit code 0 when there are none, 1 when there are some. A running store may go on.
    """
    count = _run(data, mend=False)
    print(f"{count} products differ from their ledger" if count else "all counters are what the ledger says")
    if count:
        raise typer.Exit(EXIT_DIFFERS)


@app.command("rebuild")
def rebuild(data: DataOption = None) -> None:
    """Rebuild counters from the ledger and the live reservations, and list what was wrong. A running store may go on.

    On hand is what the ledger says; reserved is what live reservations hold, and the ledger is told where it differed.
    """
    count = _run(data, mend=True)
    print(f"{count} products were put right")


def _run(data: Path | None, *, mend: bool) -> int:
    from core.clock import SystemClock
    from pasar.configuration import read_settings
    from pasar.database import open_mongodb
    from pasar.keys import complete_settings
    from pasar.logs import configure_logs
    from pasar.running import run_async
    from pasar.store import open_store
    from subgraphs.inventory.ledger_repository import add_up
    from subgraphs.inventory.reconciling import Reconciler

    settings = complete_settings(read_settings(data=data))
    configure_logs(settings.environment)

    async def run(uri: str) -> int:
        count = 0
        async with open_store(settings, uri, names=("inventory",)) as store:
            await store.start()
            runtime = store.subgraphs["inventory"].runtime
            reconciler = Reconciler(runtime.client, runtime.database, SystemClock())
            async for drift in reconciler.mend_all() if mend else reconciler.find_drift():
                count += 1
                was, right = drift.counters, add_up(drift.right)
                found = "no counters" if was is None else f"on hand {was.total.on_hand}, reserved {was.total.reserved}"
                places = [f"{each.on_hand}/{each.reserved} in {name}" for name, each in drift.right.items()]
                print(
                    f"{drift.product_id}: {found}; right: on hand {right.on_hand}, reserved {right.reserved}"
                    f" ({', '.join(places) or 'nowhere'})"
                )
            await store.stop()
        return count

    with open_mongodb(settings, share=True) as mongodb:
        return run_async(run(mongodb.uri))
