import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from router.app import RouterApp, build_app, build_http_transports
from router.config import load_config
from router.transports.http import SubgraphSession
from tests.testkit.market import MARKET_SDL
from tests.testkit.router_server import running_router
from tests.testkit.waiting import eventually
from tests.unit.router.transports.servers import Server, serving

QUERY = "{ products { name } }"
ANSWER = {"data": {"products": [{"name": "Teapot"}]}}


@asynccontextmanager
async def router_over(catalog: Server, *, dedupe: bool = True) -> AsyncIterator[tuple[RouterApp, str]]:
    """Serve the market with *catalog* over HTTP and yield the application and its endpoint."""
    urls = {"catalog": [catalog.url], "accounts": [catalog.url]}
    config = load_config(environ={}, overrides={"subgraph_urls": urls, "dedupe": dedupe})
    async with SubgraphSession() as session:
        app = build_app(
            config, supergraph_sdl=MARKET_SDL, transports=build_http_transports(MARKET_SDL, config, session)
        )
        async with running_router(app) as url:
            yield app, f"{url}{config.path}"


def count(app: RouterApp, name: str, **labels: str) -> float:
    return app.telemetry.registry.get_sample_value(f"pasar_router_{name}", labels) or 0.0


async def over_http(http: aiohttp.ClientSession, url: str) -> Any:
    async with http.post(url, json={"query": QUERY}) as response:
        return await response.json()


async def as_event_stream(http: aiohttp.ClientSession, url: str) -> Any:
    async with http.post(url, json={"query": QUERY}, headers={"accept": "text/event-stream"}) as response:
        return (await response.text()).split("\n")[:2]


async def over_websocket(http: aiohttp.ClientSession, url: str) -> Any:
    async with http.ws_connect(url, protocols=("graphql-transport-ws",)) as socket:
        await socket.send_json({"type": "connection_init"})
        await socket.receive_json()
        await socket.send_json({"type": "subscribe", "id": "1", "payload": {"query": QUERY}})
        return [await socket.receive_json() for _ in range(2)]


@pytest.mark.parametrize(("dedupe", "executions"), [(True, 1), (False, 4)], ids=["on", "off"])
async def test_clients_of_every_protocol_join_one_execution(*, dedupe: bool, executions: int) -> None:
    gate = asyncio.Event()

    async def answer(_: web.Request) -> web.Response:
        await gate.wait()
        return web.json_response(ANSWER)

    async with (
        serving(answer) as catalog,
        router_over(catalog, dedupe=dedupe) as (app, url),
        aiohttp.ClientSession() as http,
    ):

        async def all_have_come() -> bool:
            return count(app, "in_flight") == 4

        async with asyncio.TaskGroup() as tasks:
            clients = [tasks.create_task(over_http(http, url)) for _ in range(2)]
            clients += [tasks.create_task(ask(http, url)) for ask in (as_event_stream, over_websocket)]
            await eventually(all_have_come)
            await catalog.wait_for_requests(executions)
            gate.set()
        assert [client.result() for client in clients] == [
            ANSWER,
            ANSWER,
            ["event: next", 'data: {"data":{"products":[{"name":"Teapot"}]}}'],
            [{"type": "next", "id": "1", "payload": ANSWER}, {"type": "complete", "id": "1"}],
        ]
        assert catalog.count == executions
        assert count(app, "operations_total", kind="query", outcome="ok") == 4
        assert count(app, "operations_shared_total") == 4 - executions
        # one per execution: a joined client sends nothing
        assert count(app, "subgraph_requests_total", subgraph="catalog", outcome="ok") == executions


async def test_each_client_has_its_own_request_id_and_the_next_query_asks_again() -> None:
    gate = asyncio.Event()

    async def answer(_: web.Request) -> web.Response:
        await gate.wait()
        return web.json_response(ANSWER)

    async with serving(answer) as catalog, router_over(catalog) as (app, url), aiohttp.ClientSession() as http:

        async def ask(request_id: str) -> tuple[str, Any]:
            async with http.post(url, json={"query": QUERY}, headers={"x-request-id": request_id}) as response:
                return response.headers["x-request-id"], await response.json()

        async def both_have_come() -> bool:
            return count(app, "in_flight") == 2

        async with asyncio.TaskGroup() as tasks:
            clients = [tasks.create_task(ask(request_id)) for request_id in ("one", "two")]
            await eventually(both_have_come)
            gate.set()
        assert [client.result() for client in clients] == [("one", ANSWER), ("two", ANSWER)]
        assert catalog.count == 1
        assert await ask("three") == ("three", ANSWER)
        assert catalog.count == 2
        first, second = (sent["x-request-id"] for sent in catalog.headers)
        assert first in {"one", "two"}
        assert second == "three"
