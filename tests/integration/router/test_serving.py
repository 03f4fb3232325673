import asyncio
import json
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from core.identity import ANONYMOUS
from core.tokens import AssertionVerifier
from router.auth import ASSERTION_HEADER
from router.config import ConfigError, RouterConfig
from router.serving import build_standalone_app
from router.transports.base import RequestContext, SubgraphRequest
from tests.testkit.market import MARKET_SDL, MemorySubgraph, open_market

ROOT = Path(__file__).resolve().parents[3]
SECRET = "s" * 32
SCRIPT = """
import sys
from router.config import load_config
from router.serving import serve
started = serve(load_config(), on_listening=lambda url: print(url, flush=True))
print("stopped" if started else "never started", flush=True)
"""


@asynccontextmanager
async def http_subgraph(subgraph: MemorySubgraph, seen: list[dict[str, str]]) -> AsyncIterator[str]:
    async def answer(request: web.Request) -> web.Response:
        seen.append({name.lower(): value for name, value in request.headers.items()})
        body = await request.json()
        response = await subgraph.execute(
            SubgraphRequest(body["query"], body.get("variables") or {}, body.get("operationName")), RequestContext()
        )
        return web.json_response(response)

    app = web.Application()
    app.router.add_post("/graphql", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    try:
        yield f"http://{host}:{port}/graphql"
    finally:
        await runner.cleanup()


class RouterProcess:
    """A router in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.url = ""

    async def read_line(self) -> str:
        assert self.process.stdout is not None
        return (await self.process.stdout.readline()).decode().strip()

    async def read_until(self, text: str) -> None:
        """Read lines until one has *text*."""
        async with asyncio.timeout(30):
            while text not in await self.read_line():
                pass

    async def ask(self, query: str) -> Any:
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self.url}/graphql", json={"query": query}) as answer,
        ):
            return await answer.json()


@asynccontextmanager
async def router_process(file: Path, **environment: str) -> AsyncIterator[RouterProcess]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        SCRIPT,
        cwd=ROOT,
        env={
            "PASAR_ROUTER_SUPERGRAPH_FILE": str(file),
            "PASAR_ROUTER_PORT": "0",
            "PYTHONPATH": str(ROOT),
            **environment,
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    router = RouterProcess(process)
    try:
        yield router
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_a_router_serves_a_file_over_http_subgraphs_and_stops_on_sigterm(tmp_path: Path) -> None:
    market, seen = open_market(), list[dict[str, str]]()
    file = tmp_path / "supergraph.graphql"
    file.write_text(MARKET_SDL)
    async with http_subgraph(market.accounts, seen) as accounts, http_subgraph(market.catalog, seen) as catalog:
        urls = json.dumps({"accounts": [accounts], "catalog": [catalog]})
        async with router_process(file, PASAR_ROUTER_SUBGRAPH_URLS=urls) as router:
            router.url = await router.read_line()
            assert await router.ask("{ products(first: 2) { seller { name } } }") == {
                "data": {"products": [{"seller": {"name": "Ani"}}, {"seller": {"name": "Budi"}}]}
            }
            # The file is read again on SIGHUP; one that is no supergraph changes nothing
            file.write_text("type Query { a: Int }")
            router.process.send_signal(signal.SIGHUP)
            await router.read_until("the new supergraph is not served")
            assert "data" in await router.ask("{ users { id } }")
            file.write_text(MARKET_SDL.replace("  users: [User!]! @join__field(graph: ACCOUNTS)\n", ""))
            router.process.send_signal(signal.SIGHUP)
            await router.read_until("serving the new supergraph")
            assert "data" not in await router.ask("{ users { id } }")
            router.process.send_signal(signal.SIGTERM)
            output = await router.process.communicate()
            assert (output[0].decode().splitlines()[-1], router.process.returncode) == ("stopped", 0)
    assert market.request_counts == {"accounts": 2, "catalog": 1}
    assert all(ASSERTION_HEADER not in headers for headers in seen)


async def test_http_subgraphs_are_told_who_is_asking(tmp_path: Path) -> None:
    market, seen = open_market(), list[dict[str, str]]()
    file = tmp_path / "supergraph.graphql"
    file.write_text(MARKET_SDL)
    async with http_subgraph(market.accounts, seen) as accounts:
        environment = {
            "PASAR_ROUTER_SUBGRAPH_URLS": json.dumps({"accounts": accounts}),
            "PASAR_ROUTER_AUTHENTICATION__INTERNAL_SECRET": SECRET,
        }
        async with router_process(file, **environment) as router:
            router.url = await router.read_line()
            await router.ask("{ users { id } }")
    verifier = AssertionVerifier(SECRET.encode(), "accounts")
    assert verifier.verify(seen[0][ASSERTION_HEADER], now=datetime.now(UTC)) == ANONYMOUS


async def test_a_port_that_is_taken_ends_the_router_with_an_error(tmp_path: Path) -> None:
    file = tmp_path / "supergraph.graphql"
    file.write_text(MARKET_SDL)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        async with router_process(file, PASAR_ROUTER_PORT=str(taken.getsockname()[1])) as router:
            output, errors = await router.process.communicate()
        port = taken.getsockname()[1]
    assert (router.process.returncode, output) == (1, b"")
    assert f"CannotListen: cannot listen on 127.0.0.1:{port}: " in errors.decode().splitlines()[-1]
    assert "address already in use" in errors.decode().splitlines()[-1]


@pytest.mark.parametrize(
    ("sdl", "message"),
    [
        ("type Query { a: Int }", "router.supergraph.errors.SupergraphError: SUPERGRAPH_NO_JOIN_SPEC"),
        (
            MARKET_SDL.replace("http://catalog.invalid/graphql", ""),
            "router.config.ConfigError: subgraph catalog has no URL: set subgraph_urls.catalog",
        ),
    ],
)
async def test_a_file_that_cannot_be_served_ends_the_router_with_an_error(
    tmp_path: Path, sdl: str, message: str
) -> None:
    file = tmp_path / "supergraph.graphql"
    file.write_text(sdl)
    async with router_process(file) as router:
        _, errors = await router.process.communicate()
    assert router.process.returncode == 1
    assert errors.decode().splitlines()[-1].startswith(message)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (RouterConfig(), "supergraph_file: name the supergraph to serve"),
        (RouterConfig(supergraph_file=Path("nowhere.graphql")), "nowhere.graphql cannot be read"),
    ],
)
def test_a_router_without_a_readable_file_says_so(config: RouterConfig, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build_standalone_app(config)
