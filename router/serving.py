"""The router as a server of its own: `pasar router`, with nothing behind it but HTTP subgraphs."""

import asyncio
import signal
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from types import FrameType

import structlog
import uvicorn
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from router.app import RouterApp, build_app, build_http_transports
from router.config import ConfigError, RouterConfig
from router.garbage import rarely_collecting
from router.server.closing import Closing
from router.supergraph.errors import SupergraphError
from router.transports.http import SubgraphSession

log = structlog.get_logger(__name__)


class CannotListen(ConfigError):
    """The configured address cannot be listened on; most likely another process does."""


class CannotStart(Exception):
    """The application's own start failed; it knows why."""


class RouterServer(uvicorn.Server):
    """A uvicorn server that lets subscriptions end when it is told to stop, instead of waiting for their clients."""

    def __init__(self, config: uvicorn.Config, closing: Closing, on_listening: Callable[[str], None]) -> None:
        super().__init__(config)
        self._closing = closing
        self._on_listening = on_listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening, and tell where; raise CannotListen or CannotStart."""
        try:
            await super().startup(sockets)
        except SystemExit as stop:
            # Uvicorn ends the process; whoever embeds a router wants to say what is wrong
            if self.lifespan.should_exit:
                raise CannotStart from None
            cause = stop.__context__
            reason = (cause.strerror or str(cause)) if isinstance(cause, OSError) else "the address cannot be used"
            raise CannotListen(f"cannot listen on {self.config.host}:{self.config.port}: {reason}") from None
        if self.started and self.servers:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            self._on_listening(f"http://{f'[{host}]' if ':' in host else host}:{port}")

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take SIGTERM and SIGINT as the order to stop.

        Uvicorn's own version raises them once more at the end, so that a clean stop looks like a kill.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        previous = {sig: signal.signal(sig, self.handle_exit) for sig in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for sig, handler in previous.items():
                signal.signal(sig, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop, on SIGTERM and SIGINT."""
        self._closing.begin()
        super().handle_exit(sig, frame)


def server_config(app: ASGIApp, config: RouterConfig) -> uvicorn.Config:
    """Return how uvicorn runs the router. Its own access log is off: the router logs what went wrong."""
    return uvicorn.Config(
        app,
        host=config.host,
        port=config.port,
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        # The client's address is found by the router, which knows whom to believe
        proxy_headers=False,
        ws_max_size=config.limits.max_body_bytes,
        ws="websockets-sansio",
        timeout_graceful_shutdown=max(1, round(config.timeouts.shutdown_s)),
    )


def build_standalone_app(config: RouterConfig, *, extra_routes: Sequence[BaseRoute] = ()) -> RouterApp:
    """Return a router for the supergraph in *config*'s file, over HTTP subgraphs, with *extra_routes* beside it.

    Raises:
        ConfigError: no file is named, or it cannot be read. What is wrong inside it is found when the router starts.
    """
    if config.supergraph_file is None:
        raise ConfigError("supergraph_file: name the supergraph to serve")
    supergraph_sdl = _read_supergraph_file(config.supergraph_file)

    @asynccontextmanager
    async def connect(app: RouterApp) -> AsyncIterator[None]:
        async with SubgraphSession() as session:
            app.load_supergraph(supergraph_sdl, build_http_transports(supergraph_sdl, config, session))
            with _reloading_on_hangup(app, config.supergraph_file or Path(), session):
                yield

    return build_app(config, extra_routes=extra_routes, lifespan=connect)


@contextmanager
def _reloading_on_hangup(app: RouterApp, file: Path, session: SubgraphSession) -> Iterator[None]:
    """Read the supergraph file again on SIGHUP; go on with the previous one when the new one cannot be served."""

    def reload() -> None:
        try:
            supergraph_sdl = _read_supergraph_file(file)
            app.load_supergraph(supergraph_sdl, build_http_transports(supergraph_sdl, app.config, session))
        except (ConfigError, SupergraphError) as error:
            log.error("the new supergraph is not served", file=str(file), error=str(error))
        else:
            log.info("serving the new supergraph", file=str(file))

    loop = asyncio.get_running_loop()
    try:
        loop.add_signal_handler(signal.SIGHUP, reload)
    except (NotImplementedError, RuntimeError, ValueError, AttributeError):
        # No such signal on this system, or not in the main thread
        yield
        return
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)


def _read_supergraph_file(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except OSError as error:
        raise ConfigError(f"supergraph_file: {file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"supergraph_file: {file} is not UTF-8") from None


async def serve_app(app: RouterApp, *, on_listening: Callable[[str], None] = lambda url: None) -> bool:
    """Serve *app* until SIGTERM or SIGINT; tell whether it ever listened.

    *on_listening* is called with the router's URL, which matters where the port is a free one. Raises CannotListen, or
    whatever kept the application from starting.
    """
    server = RouterServer(server_config(app, app.config), app.closing, on_listening)
    try:
        await server.serve()
    except CannotStart:
        raise app.startup_error or CannotStart from None
    return server.started


def serve(config: RouterConfig, *, on_listening: Callable[[str], None] = lambda url: None) -> bool:
    """Serve *config*'s supergraph file in this thread until SIGTERM or SIGINT; tell whether it ever listened.

    Uses uvloop where it is installed.

    Raises:
        ConfigError: the supergraph file cannot be read, a subgraph has no URL; CannotListen: the port is taken.
        SupergraphError: the file holds no supergraph.
    """
    app = build_standalone_app(config)
    try:
        import uvloop

        loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = uvloop.new_event_loop
    except ImportError:
        loop_factory = None
    with asyncio.Runner(loop_factory=loop_factory) as runner, rarely_collecting():
        return runner.run(serve_app(app, on_listening=on_listening))
