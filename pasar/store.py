"""The store put together: subgraphs, their ways to each other, and the worker, on one MongoDB client."""

import importlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from core.cache import Cache, open_cache
from core.clock import Clock, SystemClock
from core.identity import Identity, service_identity
from core.mail import MailboxMailer, Mailer, SmtpMailer
from core.mongo import Client, connect
from core.peers import HttpPeers, InProcessPeers, PeerCall, Peers
from core.settings import Settings
from core.subgraph import Call, Runtime, Subgraph
from core.tokens import AssertionSigner
from core.worker import Worker, open_broker
from router.transports.base import RequestContext, SubgraphRequest
from router.transports.in_process import ExecuteRequest, InProcessTransport, SubscribeRequest

SUBGRAPHS = ("inventory", "order", "payment", "product", "sync", "user")


@dataclass(frozen=True, slots=True, eq=False)
class Store:
    """Subgraphs of one process with what they share. *mailer* is theirs, too."""

    settings: Settings
    client: Client
    clock: Clock
    cache: Cache
    mailer: Mailer
    subgraphs: Mapping[str, Subgraph]

    async def start(self) -> None:
        """Bind documents and create indexes, one subgraph after the other."""
        for subgraph in self.subgraphs.values():
            await subgraph.start()

    async def stop(self) -> None:
        """Give back what the subgraphs themselves have opened."""
        for subgraph in self.subgraphs.values():
            await subgraph.stop()

    def worker(self) -> Worker:
        """Return a worker for the subgraphs; whoever takes it starts and stops it."""
        return Worker(tuple(self.subgraphs.values()), open_broker(self.settings.redis_url), self.clock)

    def transports(self) -> dict[str, InProcessTransport]:
        """Return the router's way to each subgraph: a call."""
        return {
            name: InProcessTransport(_execute_for_router(subgraph), _subscribe_for_router(subgraph))
            for name, subgraph in self.subgraphs.items()
        }


@asynccontextmanager
async def open_store(
    settings: Settings,
    mongodb_uri: str,
    *,
    names: Sequence[str] = SUBGRAPHS,
    clock: Clock | None = None,
) -> AsyncIterator[Store]:
    """Put the subgraphs *names* together; connections close at the end of the block. `start` is the caller's.

    Subgraphs ask each other over HTTP where `settings.subgraph_urls` says so, and otherwise directly.
    """
    clock = clock or SystemClock()
    client = connect(mongodb_uri)
    cache = open_cache(settings.redis_url)
    mailer = open_mailer(settings, client)
    http_peers: list[HttpPeers] = []
    calls: dict[str, PeerCall] = {}

    def peers_of(name: str) -> Peers:
        identity = service_identity(name)
        if not settings.subgraph_urls:
            return InProcessPeers(identity, calls)
        signer = AssertionSigner(settings.internal_secret.get_secret_value().encode())
        http_peers.append(HttpPeers(identity, graphql_urls(settings), signer=signer, clock=clock))
        return http_peers[-1]

    subgraphs: dict[str, Subgraph] = {}
    for name in names:
        runtime = Runtime(
            settings=settings,
            clock=clock,
            client=client,
            database=client[f"{settings.database_prefix}{name}"],
            peers=peers_of(name),
            cache=cache,
            mailer=mailer,
        )
        subgraphs[name] = build_subgraph(name, runtime)
        calls[name] = _execute_for_peers(subgraphs[name])
    try:
        yield Store(settings, client, clock, cache, mailer, subgraphs)
    finally:
        for peers in http_peers:
            await peers.aclose()
        await cache.aclose()
        await client.close()


def build_subgraph(name: str, runtime: Runtime) -> Subgraph:
    """Return the subgraph *name*, one of SUBGRAPHS."""
    module = importlib.import_module(f"subgraphs.{name}.app")
    subgraph: Subgraph = module.build(runtime)
    return subgraph


def open_mailer(settings: Settings, client: Client) -> Mailer:
    """Return what sends mail: the SMTP server of *settings*, or the development mailbox."""
    if settings.smtp_url:
        return SmtpMailer(settings.smtp_url, sender=settings.mail_from)
    return open_mailbox(settings, client)


def open_mailbox(settings: Settings, client: Client) -> MailboxMailer:
    """Return the development mailbox that all subgraphs share."""
    return MailboxMailer(client[f"{settings.database_prefix}mail"])


def graphql_urls(settings: Settings) -> dict[str, tuple[str, ...]]:
    """Return the GraphQL endpoints of the subgraphs: `settings.subgraph_urls` has where they listen."""
    return {
        name: tuple(f"{url.rstrip('/').removesuffix('/graphql')}/graphql" for url in urls)
        for name, urls in sorted(settings.subgraph_urls.items())
    }


def _execute_for_peers(subgraph: Subgraph) -> PeerCall:
    async def execute(document: str, variables: Mapping[str, Any], identity: Identity) -> dict[str, Any]:
        return await subgraph.execute(document, variables, None, Call(identity=identity, trusted=True))

    return execute


def _execute_for_router(subgraph: Subgraph) -> ExecuteRequest:
    async def execute(request: SubgraphRequest, context: RequestContext) -> Mapping[str, Any]:
        call = _call_of(context)
        return await subgraph.execute(request.document, request.variables, request.operation_name, call)

    return execute


def _subscribe_for_router(subgraph: Subgraph) -> SubscribeRequest:
    def subscribe(request: SubgraphRequest, context: RequestContext) -> AsyncIterator[Mapping[str, Any]]:
        return subgraph.subscribe(request.document, request.variables, request.operation_name, _call_of(context))

    return subscribe


def _call_of(context: RequestContext) -> Call:
    return Call(identity=context.identity, trusted=True, request_id=context.request_id, headers=context.headers)
