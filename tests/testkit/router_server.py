"""A router behind a real server on a free port, in the test's own event loop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from router.app import RouterApp, build_app
from router.config import RouterConfig
from router.serving import RouterServer, server_config
from tests.testkit.market import MARKET_SDL, Market


@asynccontextmanager
async def running_router(app: RouterApp) -> AsyncIterator[str]:
    """Serve *app* and yield its URL without a path; stop it on leaving."""
    listening: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    config = server_config(app, app.config.model_copy(update={"port": 0}))
    server = RouterServer(config, app.closing, listening.set_result)
    serving = asyncio.create_task(server.serve())
    try:
        waiting: set[asyncio.Future[Any]] = {serving, listening}
        done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if serving in done:
            raise RuntimeError("the router did not start")
        yield listening.result()
    finally:
        app.closing.begin()
        server.should_exit = True
        await serving


@asynccontextmanager
async def running_market_router(market: Market, config: RouterConfig | None = None) -> AsyncIterator[str]:
    """Serve *market* and yield the URL of the GraphQL endpoint."""
    app = build_app(config or RouterConfig(), supergraph_sdl=MARKET_SDL, transports=market.transports)
    async with running_router(app) as url:
        yield f"{url}{app.config.path}"
