"""Runtimes for one or several subgraphs on the test MongoDB."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

from core.cache import open_cache
from core.clock import Clock, SystemClock
from core.identity import service_identity
from core.ids import new_id
from core.mail import MailboxMailer
from core.mongo import Client
from core.peers import InProcessPeers, Peers
from core.settings import Settings
from core.subgraph import Runtime
from core.tokens import generate_private_key

INTERNAL_SECRET = "tests-only-internal-secret-of-32-characters-or-more"


class MakeRuntime(Protocol):
    """Makes the runtime of one subgraph; those made in one test share a database prefix, and all is dropped after."""

    def __call__(
        self, name: str, *, peers: Peers | None = None, clock: Clock | None = None, settings: Settings | None = None
    ) -> Runtime:
        """Return a runtime on a database of its own; without *peers* every other subgraph is out of reach."""
        ...


def make_settings(data: Path, *, database_prefix: str, mongodb_uri: str = "") -> Settings:
    """Return settings for one test, with a generated token key in *data*."""
    key_file = data / "token.key"
    if not key_file.exists():
        key_file.write_bytes(generate_private_key("EdDSA"))
    return Settings.model_validate(
        {
            "data": data,
            "database_prefix": database_prefix,
            "mongodb_uri": mongodb_uri,
            "token_key_file": key_file,
            "internal_secret": INTERNAL_SECRET,
        }
    )


def build_runtime(
    name: str, client: Client, settings: Settings, *, peers: Peers | None = None, clock: Clock | None = None
) -> Runtime:
    """Return the runtime of the subgraph *name* on `<prefix><name>`, with a cache and a mailbox of its own."""
    database = client[f"{settings.database_prefix}{name}"]
    return Runtime(
        settings=settings,
        clock=clock or SystemClock(),
        client=client,
        database=database,
        peers=peers or InProcessPeers(service_identity(name), {}),
        cache=open_cache(""),
        mailer=MailboxMailer(database),
    )


@asynccontextmanager
async def own_databases(client: Client) -> AsyncIterator[str]:
    """Yield a prefix that no other database has, and drop those that have it afterwards."""
    prefix = f"{new_id('t')}_"
    yield prefix
    for name in await client.list_database_names():
        if name.startswith(prefix):
            await client.drop_database(name)
