"""Serving an ASGI application on a socket that we bound ourselves, so that a taken port is one clear sentence."""

import errno
import socket
from collections.abc import Callable
from contextlib import suppress

import uvicorn
from starlette.types import ASGIApp

from core.errors import PasarError
from pasar.free_ports import pick_free_port
from router.app import RouterApp
from router.config import ConfigError
from router.garbage import rarely_collecting
from router.server.closing import Closing
from router.serving import CannotStart, RouterServer, server_config
from router.supergraph.errors import SupergraphError

# Requests under way get this long when the store is told to stop
SHUTDOWN_S = 15
BACKLOG = 2048


class PortTaken(PasarError):
    """Another program listens there."""

    code = "PORT_TAKEN"


class AddressUnusable(PasarError):
    """The address is not one of this machine, or the port is reserved."""

    code = "ADDRESS_UNUSABLE"


def bind(host: str, port: int) -> socket.socket:
    """Return a socket bound to *host* and *port*; 0 takes a free one, which another program of ours may be told.

    Raises:
        PortTaken: another program has the port.
        AddressUnusable: the host is unknown or not of this machine, or the port needs more rights.
    """
    if port == 0:
        # Should somebody take it at this moment, what the system gives will do
        with suppress(PortTaken, AddressUnusable):
            return _bind(host, pick_free_port())
    return _bind(host, port)


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With its protocol named: only then asyncio's own loop sends small answers at once, rather than 40 ms later
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        # Bound twice is possible with SO_REUSEADDR, listening twice is not
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise PortTaken(f"port {port} on {host} is taken by another program: choose another with --port") from error
        raise AddressUnusable(f"cannot listen on {host}:{port}: {error.strerror or error}") from error
    return listener


def port_of(listener: socket.socket) -> int:
    """Return the port that *listener* is bound to."""
    port: int = listener.getsockname()[1]
    return port


class StartFailed(PasarError):
    """The application's lifespan raised."""

    code = "START_FAILED"


async def serve(
    app: ASGIApp,
    listener: socket.socket,
    *,
    on_listening: Callable[[str], None] = lambda url: None,
) -> None:
    """Serve *app* until SIGTERM or SIGINT, then let requests under way finish.

    Args:
        app: a router, or any other application.
        listener: from `bind`; closed at the end.
        on_listening: called with our URL once requests are answered.

    Raises:
        StartFailed: the application's start failed; the reason has been logged.
        PasarError, ConfigError, SupergraphError: the reason itself, where it is one of these.
    """
    if isinstance(app, RouterApp):
        config = server_config(app, app.config)
    else:
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="on",
            ws="none",
            timeout_graceful_shutdown=SHUTDOWN_S,
            # Whoever is in front decides whom to believe
            proxy_headers=False,
            server_header=False,
        )
    server = RouterServer(config, app.closing if isinstance(app, RouterApp) else Closing(), on_listening)
    try:
        with rarely_collecting():
            await server.serve(sockets=[listener])
    except CannotStart:
        cause = app.startup_error if isinstance(app, RouterApp) else None
        if isinstance(cause, PasarError | ConfigError | SupergraphError):
            raise cause from None
        raise StartFailed("the program could not start; the reason is logged above") from None
