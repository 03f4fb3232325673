"""`pasar subgraph NAME`: one subgraph as a service of its own."""

from enum import StrEnum
from typing import Annotated

import typer

from pasar.cli.options import DataOption, HostOption, PortOption

SubgraphName = StrEnum("SubgraphName", ["inventory", "order", "payment", "product", "sync", "user"])


def subgraph(
    name: Annotated[SubgraphName, typer.Argument(help="Which subgraph.", show_default=False)],
    data: DataOption = None,
    host: HostOption = None,
    port: PortOption = None,
) -> None:
    """Serve one subgraph over HTTP, for routers that sign what they say with PASAR_INTERNAL_SECRET.

    Its peers are found through PASAR_SUBGRAPH_URLS. Events and jobs need a worker beside it.
    """
    from pasar.configuration import read_settings
    from pasar.database import open_mongodb
    from pasar.keys import complete_settings
    from pasar.listening import bind, port_of
    from pasar.logs import configure_logs
    from pasar.running import run_async, stop_like_ctrl_c
    from pasar.services import serve_subgraph

    stop_like_ctrl_c()
    settings = read_settings(data=data, host=host, port=port)
    configure_logs(settings.environment, source=name.value)
    listener = bind(settings.host, settings.port)
    settings = complete_settings(settings, one_of_many=True, port=port_of(listener))
    with open_mongodb(settings, share=True) as mongodb:
        run_async(
            serve_subgraph(
                name.value,
                settings,
                mongodb.uri,
                listener,
                on_listening=lambda url: print(f"subgraph {name.value} is ready at {url}/graphql", flush=True),
            )
        )
