"""The router as an ASGI application, and as a server of its own."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TypeAlias

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route, Router
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from router.auth import Authenticator, build_authenticator, build_headers_for
from router.authorisation import HoldsPolicy, holds_role
from router.config import ConfigError, RouterConfig
from router.cookies import collect_cookies
from router.exchange import Answer
from router.graph import Graph, load_graph
from router.pipeline import Pipeline
from router.rates import build_rate_gate
from router.server.addresses import build_address_reader
from router.server.closing import Closing
from router.server.graphiql import ASSETS_PATH, BUILD_FOLDER, load_page
from router.server.http import HttpEndpoint
from router.server.origins import OriginRules
from router.server.websocket import WebSocketEndpoint
from router.sharing import SharedExecutions
from router.supergraph.errors import SupergraphError
from router.supergraph.reading import read_supergraph
from router.telemetry import METRICS_CONTENT_TYPE, Telemetry, measure_transports
from router.transports.base import SubgraphTransport
from router.transports.dedupe import DedupingTransport
from router.transports.http import HttpTransport, SubgraphSession
from router.transports.sse import open_event_stream
from router.transports.websocket import open_websocket

log = structlog.get_logger(__name__)

Lifespan: TypeAlias = Callable[["RouterApp"], AbstractAsyncContextManager[None]]


class RouterApp:
    """The ASGI application. Mutable only in which supergraph it serves.

    Requests to the GraphQL path take the short way; everything else goes through Starlette's router.
    """

    def __init__(
        self,
        config: RouterConfig,
        *,
        authenticator: Authenticator,
        holds_policy: HoldsPolicy,
        extra_routes: Sequence[BaseRoute],
        graphiql_folder: Path,
        lifespan: Lifespan | None,
    ) -> None:
        self.config = config
        self.telemetry = Telemetry()
        self.closing = Closing()
        self.startup_error: Exception | None = None
        self._rates = build_rate_gate(config.rate)
        self.pipeline = Pipeline(
            config,
            authenticator=authenticator,
            rates=self._rates,
            holds_policy=holds_policy,
            telemetry=self.telemetry,
        )
        self._authenticator = authenticator
        if authenticator.revocations is not None:
            self.telemetry.watch_revocations(authenticator.revocations)
        self._lifespan = lifespan
        self._owned: tuple[SubgraphTransport, ...] = ()
        page = load_page(graphiql_folder) if config.graphiql else None
        origins = OriginRules(
            config.cors,
            config.csrf,
            config.authentication.cookie_name,
            own_origins=tuple(config.own_origins),
            forwards_cookies=bool(config.authentication.cookie_setting_subgraphs),
        )
        addresses = build_address_reader(config.trusted_proxies)
        self._http = HttpEndpoint(self.pipeline, config, origins, addresses, page, self.closing)
        self._websocket = WebSocketEndpoint(self.pipeline, config, origins, addresses)
        self._rest = Router(
            routes=[
                Route("/health/live", self._live),
                Route("/health/ready", self._ready),
                *([Route("/metrics", self._metrics)] if config.metrics else []),
                *([Mount(ASSETS_PATH, StaticFiles(directory=page.assets))] if page and page.assets else []),
                *extra_routes,
                *([] if config.path == "/" else [Route("/", self._home)]),
            ]
        )

    def load_supergraph(self, supergraph_sdl: str, transports: Mapping[str, SubgraphTransport]) -> None:
        """Serve *supergraph_sdl* from now on, over *transports*, which the caller may share between supergraphs.

        Requests under way are finished with the previous one. Raises SupergraphError, with the previous one still
        served, when this is none.
        """
        measured = measure_transports(
            collect_cookies(transports, self.config.authentication.cookie_setting_subgraphs), self.telemetry
        )
        shares_requests = all(isinstance(transport, DedupingTransport) for transport in transports.values())
        executions = SharedExecutions[Answer](self.telemetry.record_shared) if shares_requests else None
        graph: Graph = load_graph(supergraph_sdl, measured, self.config, executions)
        self.pipeline.serve_graph(graph)
        self._owned = tuple({id(transport): transport for transport in (*self._owned, *transports.values())}.values())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection or the lifespan."""
        kind = scope["type"]
        if kind == "lifespan":
            await self._serve_lifespan(receive, send)
        elif scope["path"] != self.config.path:
            await self._rest(scope, receive, send)
        elif kind == "http":
            await self._http(scope, receive, send)
        else:
            await self._websocket(scope, receive, send)

    @asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        """Do what the lifespan protocol asks for: start, and stop on leaving."""
        revocations = self._authenticator.revocations
        reading = None if revocations is None else asyncio.create_task(revocations.keep_reading())
        try:
            if self._lifespan is None:
                yield
            else:
                async with self._lifespan(self):
                    yield
        finally:
            self.closing.begin()
            if reading is not None:
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)
            await self._authenticator.aclose()
            await self._rates.aclose()
            for transport in self._owned:
                await transport.aclose()

    async def _serve_lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        started = False
        try:
            async with self.run():
                await send({"type": "lifespan.startup.complete"})
                started = True
                await receive()
        except Exception as error:
            log.error(
                "the router could not start" if not started else "the router did not stop cleanly",
                exc_info=None if isinstance(error, ConfigError | SupergraphError) else error,
                error=str(error),
            )
            self.startup_error = None if started else error
            stage = "shutdown" if started else "startup"
            await send({"type": f"lifespan.{stage}.failed", "message": f"{type(error).__name__}: {error}"})
            return
        await send({"type": "lifespan.shutdown.complete"})

    async def _live(self, _: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def _ready(self, _: Request) -> Response:
        if self.pipeline.is_ready and not self.closing.has_begun:
            return JSONResponse({"status": "ok"})
        reason = "going down" if self.closing.has_begun else "no supergraph is loaded"
        return JSONResponse({"status": "unavailable", "reason": reason}, status_code=503)

    async def _metrics(self, _: Request) -> Response:
        return Response(self.telemetry.render(), media_type=METRICS_CONTENT_TYPE)

    async def _home(self, _: Request) -> Response:
        return RedirectResponse(self.config.path)


def build_app(
    config: RouterConfig,
    *,
    supergraph_sdl: str | None = None,
    transports: Mapping[str, SubgraphTransport] | None = None,
    authenticator: Authenticator | None = None,
    holds_policy: HoldsPolicy = holds_role,
    extra_routes: Sequence[BaseRoute] = (),
    graphiql_folder: Path = BUILD_FOLDER,
    lifespan: Lifespan | None = None,
) -> RouterApp:
    """Return the router as an ASGI application.

    Args:
        config: everything that differs between two routers.
        supergraph_sdl: what to serve; without it the router is not ready until `load_supergraph` is called.
        transports: the way to each subgraph; closed when the application stops.
        authenticator: who is believed; by default what *config* says.
        holds_policy: evaluates `@policy`; by default a policy is the name of a role.
        extra_routes: what else is served beside the GraphQL path, `/health/*` and `/metrics`.
        graphiql_folder: the build of `web/`; a page from a CDN replaces it where it is missing.
        lifespan: entered before the first request and left after the last one.

    Raises:
        ConfigError: a value of *config* that only shows now to be of no use, such as a key file that is missing.
        SupergraphError: *supergraph_sdl* is no supergraph.
    """
    app = RouterApp(
        config,
        authenticator=authenticator or build_authenticator(config.authentication),
        holds_policy=holds_policy,
        extra_routes=extra_routes,
        graphiql_folder=graphiql_folder,
        lifespan=lifespan,
    )
    if supergraph_sdl is not None:
        app.load_supergraph(supergraph_sdl, transports or {})
    return app


def build_http_transports(
    supergraph_sdl: str, config: RouterConfig, session: SubgraphSession
) -> dict[str, SubgraphTransport]:
    """Return an HTTP transport for each subgraph of *supergraph_sdl*, at the configured URLs or else its own."""
    headers_for = build_headers_for(config.authentication)
    transports: dict[str, SubgraphTransport] = {}
    for subgraph in read_supergraph(supergraph_sdl).subgraphs:
        urls = tuple(config.subgraph_urls.get(subgraph.name, ())) or ((subgraph.url,) if subgraph.url else ())
        if not urls:
            raise ConfigError(f"subgraph {subgraph.name} has no URL: set subgraph_urls.{subgraph.name}")
        try:
            transport = HttpTransport(
                subgraph.name,
                urls,
                session,
                headers_for=headers_for,
                timeout_s=config.timeouts.subgraph_s,
                open_subscription=_OPENERS[config.subscriptions.subgraph_protocol],
            )
        except ValueError as no_url:
            raise ConfigError(f"subgraph {subgraph.name}: {no_url}") from None
        transports[subgraph.name] = DedupingTransport(transport) if config.dedupe else transport
    return transports


_OPENERS = {"websocket": open_websocket, "sse": open_event_stream}
