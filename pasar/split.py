"""The topology of production on one machine: a process per subgraph, one for the worker, one for the router.

router --HTTP, signed assertions--> subgraphs --> mongod
worker ------------------------------------------^
sandbox gateway and development mailbox: a process of their own, as the outside world is
"""

import asyncio
import json
import os
import signal
import socket
from collections.abc import Callable, Mapping
from pathlib import Path

import aiohttp
import structlog

from core.settings import Environment, Settings
from pasar.all_in_one import keep_running
from pasar.children import ChildFailed, Children, Program
from pasar.composing import compose_schemas
from pasar.free_ports import hold_free_ports
from pasar.graph_settings import ISSUER_SUBGRAPH, router_environment
from pasar.mongod import EmbeddedMongod
from pasar.store import SUBGRAPHS
from pasar.subgraph_sources import SubgraphSource, read_schemas

log = structlog.get_logger(__name__)

# Seven interpreters import the store at once; on one slow core that takes a while
READY_TIMEOUT_S = 120.0
POLL_S = 0.05


async def serve_split(
    settings: Settings,
    mongodb_uri: str,
    listener: socket.socket,
    *,
    mongod: EmbeddedMongod | None = None,
    on_listening: Callable[[str], None] = lambda url: None,
    on_started: Callable[[Mapping[str, int], Mapping[str, str]], None] = lambda pids, urls: None,
) -> None:
    """Run the store as separate programs until SIGTERM or SIGINT. *settings* are complete and name the router's port.

    Args:
        listener: holds the router's port until the router is started.
        on_listening: called with the router's URL once everything is ready.
        on_started: called before, with the process ids and URLs by program.

    Raises:
        ChildFailed: a program ended before all were ready.
    """
    names = (*SUBGRAPHS, "sandbox", "worker")
    with hold_free_ports(len(names)) as ports:
        await _serve_at(
            dict(zip(names, ports, strict=True)),
            settings,
            mongodb_uri,
            listener,
            mongod=mongod,
            on_listening=on_listening,
            on_started=on_started,
        )


async def _serve_at(
    ports: Mapping[str, int],
    settings: Settings,
    mongodb_uri: str,
    listener: socket.socket,
    *,
    mongod: EmbeddedMongod | None,
    on_listening: Callable[[str], None],
    on_started: Callable[[Mapping[str, int], Mapping[str, str]], None],
) -> None:
    urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    environment = child_environment(settings, mongodb_uri, urls)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    children = Children()
    async with keep_running(mongod), aiohttp.ClientSession() as session:
        try:
            starting = asyncio.create_task(
                _start(settings, environment, ports, urls, listener, children, session, on_started)
            )
            stopping = asyncio.create_task(stop.wait())
            await asyncio.wait((starting, stopping), return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                await starting
                on_listening(settings.base_url)
                await stopping
            else:
                starting.cancel()
                await asyncio.gather(starting, return_exceptions=True)
        finally:
            await children.stop()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)


async def _start(
    settings: Settings,
    environment: Mapping[str, str],
    ports: Mapping[str, int],
    urls: Mapping[str, str],
    listener: socket.socket,
    children: Children,
    session: aiohttp.ClientSession,
    on_started: Callable[[Mapping[str, int], Mapping[str, str]], None],
) -> None:
    async def start(name: str, *command: str) -> None:
        arguments = (*command, "--host", "127.0.0.1", "--port", str(ports[name]))
        await children.start(Program(name, arguments, environment, stage=1))

    for name in SUBGRAPHS:
        await start(name, "subgraph", name)
    behind = [*SUBGRAPHS, "worker"]
    await start("worker", "worker")
    if settings.environment is Environment.DEVELOPMENT:
        await start("sandbox", "sandbox")
        behind.append("sandbox")
    await asyncio.gather(*(_wait_until_ready(name, urls[name], children, session) for name in behind))
    supergraph_file = await _write_supergraph(settings, urls)
    arguments = (
        *("router", "--supergraph", str(supergraph_file), "--host", settings.host, "--port", str(settings.port)),
        *(("--dashboard",) if settings.dashboard else ()),
    )
    # From here the port is the router's
    listener.close()
    await children.start(Program("router", arguments, environment, stage=0))
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host
    await _wait_until_ready("router", f"http://{host}:{settings.port}", children, session)
    on_started(children.pids, {**{name: urls[name] for name in behind}, "router": settings.base_url})


def child_environment(settings: Settings, mongodb_uri: str, urls: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of every program: the store's settings with everything generated spelled out."""
    spelled_out = {
        "PASAR_ENVIRONMENT": settings.environment.value,
        "PASAR_DATA": str(settings.data),
        "PASAR_MONGODB_URI": mongodb_uri,
        "PASAR_PUBLIC_URL": settings.base_url,
        "PASAR_SUBGRAPH_URLS": json.dumps({name: [urls[name]] for name in SUBGRAPHS}),
        "PASAR_INTERNAL_SECRET": settings.internal_secret.get_secret_value(),
        "PASAR_TOKEN_ALGORITHM": settings.token_algorithm,
        "PASAR_TOKEN_KEY_FILE": str(settings.token_key_file),
        # Gateways notify the payment subgraph; here there is no proxy in front that would lead them to it
        "PASAR_PAYMENT_WEBHOOK_URL": settings.payment_webhook_url or f"{urls['payment']}/webhooks",
        # Browsers fetch invoices and exports from the order subgraph, for the same reason
        "PASAR_ORDER_FILES_URL": settings.order_files_url or f"{urls['order']}/orders",
        # Likewise browsers, for pictures
        "PASAR_MEDIA_URL": settings.media_url or f"{urls['product']}/media",
        "PASAR_SANDBOX_GATEWAY_URL": settings.sandbox_gateway_url or f"{urls['sandbox']}/sandbox",
        "PASAR_ROUTER_AUTHENTICATION__INTERNAL_SECRET": settings.internal_secret.get_secret_value(),
        **router_environment(settings, issuer_url=urls[ISSUER_SUBGRAPH]),
    }
    inherited = {name: value for name, value in os.environ.items() if name not in ("PASAR_HOST", "PASAR_PORT")}
    # The router's variables may be set by whoever starts the store; the rest was derived from theirs
    chosen = {name: value for name, value in os.environ.items() if name.startswith("PASAR_ROUTER_")}
    return {**inherited, **spelled_out, **chosen}


async def _wait_until_ready(name: str, url: str, children: Children, session: aiohttp.ClientSession) -> None:
    deadline = asyncio.get_running_loop().time() + READY_TIMEOUT_S
    while asyncio.get_running_loop().time() < deadline:
        if children.ended_early(name):
            raise ChildFailed(f"{name} could not start; its own message is above")
        try:
            async with session.get(f"{url}/health/ready") as answer:
                if answer.status == 200:
                    return
        except aiohttp.ClientError:
            pass
        await asyncio.sleep(POLL_S)
    raise ChildFailed(f"{name} was not ready within {READY_TIMEOUT_S:.0f} s")


async def _write_supergraph(settings: Settings, urls: Mapping[str, str]) -> Path:
    """Ask each subgraph for its schema, compose, and leave the supergraph where the router reads it."""
    sources = [SubgraphSource(name, url, url) for name, url in graphql_addresses(urls).items()]
    composed = compose_schemas(await read_schemas(sources))
    target = settings.data / "supergraph.graphql"
    target.write_text(composed.supergraph_sdl, "utf-8")
    return target


def graphql_addresses(urls: Mapping[str, str]) -> dict[str, str]:
    """Return the GraphQL endpoint of each subgraph from where it listens."""
    return {name: f"{urls[name]}/graphql" for name in SUBGRAPHS}
