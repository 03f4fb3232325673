"""One part of the store as a program of its own: a subgraph, the worker, or the sandbox gateway."""

import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from core.errors import PasarError
from core.mongo import Client
from core.settings import Environment, Settings
from core.subgraph_app import build_subgraph_app
from core.tokens import AssertionVerifier
from pasar.listening import serve
from pasar.mailbox_page import mailbox_route
from pasar.sandbox import build_sandbox
from pasar.store import open_mailbox, open_store

OnListening = Callable[[str], None]


class NotInProduction(PasarError):
    """Something for development was asked for in production."""

    code = "NOT_IN_PRODUCTION"


async def serve_subgraph(
    name: str, settings: Settings, mongodb_uri: str, listener: socket.socket, *, on_listening: OnListening
) -> None:
    """Serve the subgraph *name* until SIGTERM or SIGINT. *settings* are complete."""
    async with open_store(settings, mongodb_uri, names=(name,)) as store:
        verifier = AssertionVerifier(settings.internal_secret.get_secret_value().encode(), audience=name)
        app = build_subgraph_app(store.subgraphs[name], verifier)
        await serve(app, listener, on_listening=on_listening)


async def serve_worker(
    settings: Settings, mongodb_uri: str, listener: socket.socket, *, on_listening: OnListening
) -> None:
    """Run the worker of all subgraphs until SIGTERM or SIGINT, with its health on *listener*."""
    async with open_store(settings, mongodb_uri) as store:

        @asynccontextmanager
        async def run(_: Starlette) -> AsyncIterator[None]:
            async with AsyncExitStack() as running:
                running.push_async_callback(store.stop)
                await store.start()
                worker = store.worker()
                await worker.start()
                running.push_async_callback(worker.stop)
                yield

        app = Starlette(routes=health_routes(store.client), lifespan=run)
        await serve(app, listener, on_listening=on_listening)


async def serve_sandbox(
    settings: Settings, mongodb_uri: str, listener: socket.socket, *, public_url: str, on_listening: OnListening
) -> None:
    """Serve the sandbox gateway, which browsers find at *public_url*, and the development mailbox."""
    if settings.environment is Environment.PRODUCTION:
        raise NotInProduction("the sandbox gateway takes no money and is not for production")
    async with open_store(settings, mongodb_uri, names=()) as store:
        sandbox = build_sandbox(settings, store.client, public_url=public_url)

        @asynccontextmanager
        async def run(_: Starlette) -> AsyncIterator[None]:
            async with sandbox.router.lifespan_context(sandbox):
                yield

        mailbox = mailbox_route(open_mailbox(settings, store.client))
        routes = [Mount("/sandbox", sandbox), mailbox, *health_routes(store.client)]
        await serve(Starlette(routes=routes, lifespan=run), listener, on_listening=on_listening)


def health_routes(client: Client) -> list[Route]:
    """Return `/health/live`, and `/health/ready` that asks the database."""

    async def live(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def ready(_: Request) -> Response:
        await client.admin.command("ping")
        return JSONResponse({"status": "ok"})

    return [Route("/health/live", live), Route("/health/ready", ready)]
