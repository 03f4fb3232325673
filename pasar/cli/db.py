"""`pasar db`: the databases beside the store."""

import typer

from pasar.cli.options import DataOption

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
