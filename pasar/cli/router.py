"""`pasar router`: serve anybody's supergraph."""

from pathlib import Path
from typing import Annotated

import typer

from core.errors import PasarError
from pasar.cli.options import HostOption, PortOption


class SupergraphUnusable(PasarError):
    """The file holds no supergraph that this router can serve."""

    code = "SUPERGRAPH_INVALID"


def router(
    supergraph: Annotated[
        Path | None,
        typer.Option("--supergraph", metavar="FILE", help="Supergraph SDL to serve; read again on SIGHUP."),
    ] = None,
    config: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", help="Configuration in YAML; see docs/router.md.")
    ] = None,
    dashboard: Annotated[
        bool,
        typer.Option("--dashboard", help="Serve the page of sales at /dashboard; for the store's own supergraph."),
    ] = False,
    host: HostOption = None,
    port: PortOption = None,
) -> None:
    """Serve a Federation 2 supergraph over HTTP subgraphs: no database, no store, no authentication unless configured.

    GraphQL and GraphiQL at `/graphql`, `/health/live`, `/health/ready` and `/metrics`. Every field of the configuration
    is also a variable PASAR_ROUTER_...; options win.
    """
    import os

    from core.settings import Environment
    from pasar.configuration import ConfigurationInvalid, read_settings
    from pasar.dashboard import dashboard_routes
    from pasar.listening import bind, port_of, serve
    from pasar.logs import configure_logs
    from pasar.running import run_async
    from router.config import ConfigError, load_config
    from router.serving import build_standalone_app
    from router.supergraph.errors import SupergraphError

    is_production = os.environ.get("PASAR_ENVIRONMENT") == Environment.PRODUCTION
    configure_logs(Environment.PRODUCTION if is_production else Environment.DEVELOPMENT, source="router")
    given = {"supergraph_file": supergraph, "host": host, "port": port}
    try:
        settings = load_config(config, overrides={name: value for name, value in given.items() if value is not None})
        routes = dashboard_routes(read_settings(), graphql_path=settings.path) if dashboard else ()
        app = build_standalone_app(settings, extra_routes=routes)
        listener = bind(settings.host, settings.port)
        url = f"http://{settings.host}:{port_of(listener)}{settings.path}"
        run_async(serve(app, listener, on_listening=lambda _: print(f"router is ready at {url}", flush=True)))
    except ConfigError as error:
        raise ConfigurationInvalid(str(error)) from None
    except SupergraphError as error:
        raise SupergraphUnusable(str(error)) from None
