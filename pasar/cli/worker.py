"""`pasar worker`: deliver events and run jobs."""

from pasar.cli.options import DataOption, HostOption, PortOption


def worker(data: DataOption = None, host: HostOption = None, port: PortOption = None) -> None:
    """Deliver the subgraphs' events and run their jobs; answer `/health/ready` over HTTP.

    Several may run: each event and each job is claimed by one of them. With PASAR_REDIS_URL they share the work.
    """
    from pasar.configuration import read_settings
    from pasar.database import open_mongodb
    from pasar.keys import complete_settings
    from pasar.listening import bind, port_of
    from pasar.logs import configure_logs
    from pasar.running import run_async, stop_like_ctrl_c
    from pasar.services import serve_worker

    stop_like_ctrl_c()
    settings = read_settings(data=data, host=host, port=port)
    configure_logs(settings.environment, source="worker")
    listener = bind(settings.host, settings.port)
    settings = complete_settings(settings, one_of_many=True, port=port_of(listener))
    with open_mongodb(settings, share=True) as mongodb:
        run_async(
            serve_worker(settings, mongodb.uri, listener, on_listening=lambda url: print("worker is ready", flush=True))
        )
