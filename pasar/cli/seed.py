"""`pasar seed`: data to shop with."""

from datetime import datetime
from typing import Annotated

import typer

from pasar.cli.options import DataOption


def seed(
    orders: Annotated[
        int, typer.Option("--orders", help="How many orders, over 24 months.", min=0, max=100_000_000)
    ] = 5000,
    seed: Annotated[int, typer.Option("--seed", help="Another number is another store; the same is the same.")] = 1,
    until: Annotated[
        datetime | None,
        typer.Option("--until", formats=["%Y-%m-%d"], help="The day before which orders end.  [default: today]"),
    ] = None,
    data: DataOption = None,
) -> None:
    """Fill an empty store: an Indonesian catalogue with stock, customers and staff, and two years of orders.

    A store that is running on the data folder is filled where it runs; one that is not, ten times as fast. If it is
    interrupted, run it again, and it goes on where it stopped. Prints accounts to log in with.
    """
    from datetime import UTC

    from pasar.cli.filling import describe_filled, fill_with_progress, load_with_progress
    from pasar.configuration import read_settings
    from pasar.database import open_for_load, open_mongodb
    from pasar.keys import complete_settings
    from pasar.logs import configure_logs
    from pasar.seed.plan import Plan, start_of_today

    settings = complete_settings(read_settings(data=data))
    configure_logs(settings.environment)
    plan = Plan(seed, orders, until.replace(tzinfo=UTC) if until is not None else start_of_today())
    filled = None
    with open_for_load(settings) as uri:
        if uri is not None:
            filled = load_with_progress(settings, uri, plan, is_until_chosen=until is not None)
    if filled is None:
        with open_mongodb(settings, share=True) as mongodb:
            filled = fill_with_progress(settings, mongodb.uri, plan)
    print(describe_filled(filled))
