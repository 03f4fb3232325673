"""`pasar keys`: the keys that sign access tokens."""

from typing import Annotated

import typer

from core.settings import Settings
from pasar.cli.options import DataOption

app = typer.Typer(no_args_is_help=True, help="List and rotate the keys that sign access tokens; nobody is logged out.")


@app.command("list")
def list_(data: DataOption = None) -> None:
    """List the keys, oldest first: which one signs, which ones only verify, and until when."""
    from core.clock import SystemClock
    from pasar.key_rotation import list_keys

    for key in list_keys(_settings(data), now=SystemClock().now()):
        until = f"  until {key.until:%Y-%m-%d %H:%M:%S} UTC" if key.until else ""
        print(f"{key.kid}  {key.state:8}  from {key.signs_from:%Y-%m-%d %H:%M:%S} UTC{until}")


@app.command("rotate")
def rotate(
    compromised: Annotated[
        bool,
        typer.Option("--compromised", help="Sign with the new key at once and refuse everything signed before."),
    ] = False,
    data: DataOption = None,
) -> None:
    """Add a key. It is published at once, signs in 10 minutes, and the present one verifies until its tokens expire.

    A running store follows by itself. With --compromised the old keys are removed at once: clients have to refresh
    their access tokens, and nobody has to log in again.
    """
    from core.clock import SystemClock
    from pasar.key_rotation import rotate_keys

    key = rotate_keys(_settings(data), now=SystemClock().now(), compromised=compromised)
    print(f"key {key.kid} signs from {key.signs_from:%Y-%m-%d %H:%M:%S} UTC: {key.file}")


@app.command("prune")
def prune(data: DataOption = None) -> None:
    """Remove the keys whose tokens have all expired; `rotate` does so, too."""
    from core.clock import SystemClock
    from pasar.key_rotation import prune_keys

    removed = prune_keys(_settings(data), now=SystemClock().now())
    for key in removed:
        print(f"key {key.kid} removed: {key.file}")
    if not removed:
        print("no key is over")


def _settings(data: DataOption) -> Settings:
    from pasar.configuration import read_settings
    from pasar.keys import complete_settings

    return complete_settings(read_settings(data=data))
