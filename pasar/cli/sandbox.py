"""`pasar sandbox`: the payment gateway to try things with, and the development mailbox."""

from typing import Annotated

import typer

from pasar.cli.options import DataOption, HostOption, PortOption


def sandbox(
    public_url: Annotated[
        str,
        typer.Option(
            "--public-url",
            envvar="PASAR_SANDBOX_PUBLIC_URL",
            help="Where browsers find the pay page, if not at PASAR_SANDBOX_GATEWAY_URL.",
        ),
    ] = "",
    data: DataOption = None,
    host: HostOption = None,
    port: PortOption = None,
) -> None:
    """Serve the sandbox payment gateway under `/sandbox` and the development mailbox under `/dev/mail`.

    For `up --split` and tests, where they stand for the world outside; `up` has both built in.
    """
    from pasar.configuration import read_settings
    from pasar.database import open_mongodb
    from pasar.keys import complete_settings
    from pasar.listening import bind, port_of
    from pasar.logs import configure_logs
    from pasar.running import run_async, stop_like_ctrl_c
    from pasar.services import serve_sandbox

    stop_like_ctrl_c()
    settings = read_settings(data=data, host=host, port=port)
    configure_logs(settings.environment, source="sandbox")
    listener = bind(settings.host, settings.port)
    settings = complete_settings(settings, port=port_of(listener))
    with open_mongodb(settings, share=True) as mongodb:
        run_async(
            serve_sandbox(
                settings,
                mongodb.uri,
                listener,
                public_url=public_url,
                on_listening=lambda url: print(f"sandbox gateway is ready at {url}/sandbox", flush=True),
            )
        )
