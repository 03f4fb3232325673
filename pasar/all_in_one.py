"""The store in one process: router, subgraphs and worker on one port, subgraphs called directly."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import structlog
from starlette.routing import BaseRoute, Mount

from core.errors import PasarError
from core.settings import Environment, Settings
from core.tasks import end_tasks
from pasar.composing import compose_schemas
from pasar.dashboard import dashboard_routes
from pasar.graph_settings import store_router_config
from pasar.issuer import build_store_authenticator
from pasar.listening import serve
from pasar.mailbox_page import mailbox_route
from pasar.mongod import EmbeddedMongod
from pasar.sandbox import build_sandbox
from pasar.store import Store, open_mailbox, open_store
from pasar.subgraph_sources import schemas_of
from router.app import RouterApp, build_app

log = structlog.get_logger(__name__)

# A look at a child costs microseconds; a store without its database costs customers
MONGOD_POLL_S = 0.25
MONGOD_RETRY_S = 5.0


async def serve_store(
    settings: Settings,
    mongodb_uri: str,
    listener: socket.socket,
    *,
    mongod: EmbeddedMongod | None = None,
    on_listening: Callable[[str], None] = lambda url: None,
) -> None:
    """Serve everything on *listener* until SIGTERM or SIGINT. *settings* are complete and name its port."""
    async with open_store(settings, mongodb_uri) as store, keep_running(mongod):
        app = build_store_app(store)
        await serve(app, listener, on_listening=on_listening)


def build_store_app(store: Store) -> RouterApp:
    """Return the application of the whole store; its lifespan starts subgraphs and worker."""
    settings = store.settings
    sandbox = build_sandbox(settings, store.client)
    routes: list[BaseRoute] = [route for subgraph in store.subgraphs.values() for route in subgraph.routes]
    if settings.environment is Environment.DEVELOPMENT:
        routes += [Mount("/sandbox", sandbox), mailbox_route(open_mailbox(settings, store.client))]

    @asynccontextmanager
    async def run(app: RouterApp) -> AsyncIterator[None]:
        async with AsyncExitStack() as running:
            running.push_async_callback(store.stop)
            await store.start()
            app.load_supergraph(compose_store(store), store.transports())
            await running.enter_async_context(sandbox.router.lifespan_context(sandbox))
            worker = store.worker()
            await worker.start()
            running.push_async_callback(worker.stop)
            yield

    config = store_router_config(settings)
    if settings.dashboard:
        routes += dashboard_routes(settings, graphql_path=config.path)
    authenticator = build_store_authenticator(store, config.authentication)
    return build_app(config, authenticator=authenticator, extra_routes=routes, lifespan=run)


def compose_store(store: Store) -> str:
    """Return the supergraph of the subgraphs in this process."""
    sdl = {name: subgraph.sdl for name, subgraph in store.subgraphs.items()}
    return compose_schemas(schemas_of(sdl)).supergraph_sdl


@asynccontextmanager
async def keep_running(mongod: EmbeddedMongod | None) -> AsyncIterator[None]:
    """Start *mongod* again whenever it ends by itself during the block; its journal has all that it acknowledged."""
    if mongod is None:
        yield
        return

    async def watch() -> None:
        while True:
            await asyncio.sleep(MONGOD_POLL_S)
            if mongod.pid is None:
                log.warning("mongod ended by itself and is started again", exit_code=mongod.exit_code)
                try:
                    # From this thread, which lives as long as the store: Linux ends a child with its thread
                    mongod.relaunch()
                    await asyncio.to_thread(mongod.wait_until_writable)
                    log.info("mongod is back")
                except (PasarError, OSError) as error:
                    # Its disk may be full, or its binary being replaced: with the next look it is tried again
                    log.error("mongod could not be started again", error=str(error))
                    await asyncio.sleep(MONGOD_RETRY_S)

    task = asyncio.create_task(watch(), name="watch mongod")
    try:
        yield
    finally:
        await end_tasks([task])
