"""`pasar up`: the whole store with one command."""

import os
from collections.abc import Mapping
from typing import Annotated

import typer

from pasar.cli.options import DataOption, HostOption, PortOption


def up(
    split: Annotated[
        bool, typer.Option("--split", help="A process per subgraph, worker and router, HTTP between them.")
    ] = False,
    demo: Annotated[bool, typer.Option("--demo", help="Fill an empty store with demonstration data first.")] = False,
    data: DataOption = None,
    host: HostOption = None,
    port: PortOption = None,
) -> None:
    """Start the store: MongoDB, six subgraphs, worker, sandbox gateway and router.

    Everything that must survive is in the data folder; stop it with Ctrl-C or SIGTERM, and start it again.
    """
    from pasar.all_in_one import serve_store
    from pasar.cli.filling import describe_filled, fill_with_progress
    from pasar.configuration import read_settings
    from pasar.dashboard import DASHBOARD_PATH
    from pasar.database import open_mongodb
    from pasar.keys import complete_settings
    from pasar.listening import bind, port_of
    from pasar.logs import configure_logs
    from pasar.running import run_async, stop_like_ctrl_c
    from pasar.seed.fill import StoreNotEmpty
    from pasar.seed.plan import Plan
    from pasar.split import serve_split

    stop_like_ctrl_c()
    settings = read_settings(data=data, host=host, port=port)
    configure_logs(settings.environment, source="supervisor" if split else "")
    # First, because it is what goes wrong most often and needs no database to be told
    listener = bind(settings.host, settings.port)
    settings = complete_settings(settings, port=port_of(listener))

    def announce(url: str) -> None:
        where = "PASAR_MONGODB_URI" if settings.mongodb_uri else str(settings.data)
        rows = {
            "GraphQL and GraphiQL": f"{settings.base_url or url}/graphql",
            **({"Sales, for staff": f"{settings.base_url or url}{DASHBOARD_PATH}"} if settings.dashboard else {}),
            "Mail to customers": f"{pages.get('sandbox', settings.base_url)}/dev/mail",
            "Data": where,
        }
        print(
            "Pasar is ready. Stop it with Ctrl-C.",
            *(f"  {name:22}{value}" for name, value in rows.items()),
            sep="\n",
            flush=True,
        )

    pages: dict[str, str] = {}

    def list_programs(pids: Mapping[str, int], urls: Mapping[str, str]) -> None:
        pages.update(urls)
        for name in sorted(pids):
            print(f"  {name:12} pid {pids[name]:<8} {urls.get(name, '')}")

    with open_mongodb(settings) as mongodb:
        if demo:
            try:
                print(describe_filled(fill_with_progress(settings, mongodb.uri, Plan.of_today())), flush=True)
            except StoreNotEmpty:
                print("The store has users or products already, so no demonstration data was added.", flush=True)
        if split:
            run_async(
                serve_split(
                    settings,
                    mongodb.uri,
                    listener,
                    mongod=mongodb.embedded,
                    on_listening=announce,
                    on_started=list_programs,
                ),
                plain=True,
            )
        else:
            print(f"  {'store':12} pid {os.getpid()}")
            run_async(serve_store(settings, mongodb.uri, listener, mongod=mongodb.embedded, on_listening=announce))
