"""Real HTTP servers on 127.0.0.1 for the transports' tests."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Server:
    """A server under test. Mutable on purpose: it remembers the requests it got."""

    url: str = ""
    bodies: list[Any] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def count(self) -> int:
        return len(self.bodies)

    async def wait_for_requests(self, count: int) -> None:
        """Return when *count* requests have arrived."""
        async with self.arrived:
            await self.arrived.wait_for(lambda: self.count >= count)


@asynccontextmanager
async def serving(handler: Handler, *, reads_bodies: bool = True) -> AsyncIterator[Server]:
    """Serve *handler* at every path and yield the server, whose url ends in /graphql."""
    server = Server()

    async def record(request: web.Request) -> web.StreamResponse:
        server.headers.append({name.lower(): value for name, value in request.headers.items()})
        server.bodies.append(await request.json() if reads_bodies else None)
        async with server.arrived:
            server.arrived.notify_all()
        return await handler(request)

    app = web.Application(client_max_size=2**26)
    app.router.add_route("*", "/{path:.*}", record)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    server.url = f"http://127.0.0.1:{port}/graphql"
    try:
        yield server
    finally:
        await runner.cleanup()


def json_handler(answer: Any, *, status: int = 200, content_type: str = "application/json") -> Handler:
    async def handle(_: web.Request) -> web.Response:
        return web.json_response(answer, status=status, content_type=content_type)

    return handle


def text_handler(text: str, *, status: int = 200, content_type: str = "text/html") -> Handler:
    async def handle(_: web.Request) -> web.Response:
        return web.Response(text=text, status=status, content_type=content_type)

    return handle


async def free_url() -> str:
    """Return a URL at which nobody listens."""
    server = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    return f"http://127.0.0.1:{port}/graphql"


@asynccontextmanager
async def breaking() -> AsyncIterator[Server]:
    """Serve connections that are closed after the request was read, without an answer."""
    server = Server()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
        )
        server.bodies.append(await reader.readexactly(length))
        writer.close()

    listener = await asyncio.start_server(handle, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/graphql"
    try:
        yield server
    finally:
        listener.close()
        await listener.wait_closed()
