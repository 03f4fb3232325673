"""A mongod that asks who one is, with a user who may only read and write some databases."""

import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from pasar.mongod import EmbeddedMongod
from tests.testkit.mongod import CACHE_SIZE_GB

USER, PASSWORD = "store", "of-the-tests"


class _GuardedMongod(EmbeddedMongod):
    def wait_until_writable(self) -> None:
        """Wait until mongod is a primary: `hello` needs no login, what an unguarded one is asked does."""
        with MongoClient[dict[str, Any]](self.uri, serverSelectionTimeoutMS=60_000) as client:
            client.admin.command("hello")


@contextmanager
def running_guarded_mongod(folder: Path, *, databases: Sequence[str]) -> Iterator[str]:
    """Yield the URI of a user with the role `readWrite` on each of *databases*, and with no other."""
    binary = os.environ.get("PASAR_MONGOD_BIN", "")
    unguarded = EmbeddedMongod(folder, binary=binary, cache_size_gb=CACHE_SIZE_GB)
    with unguarded, MongoClient[dict[str, Any]](unguarded.uri) as client:
        roles = [{"role": "readWrite", "db": name} for name in databases]
        client.admin.command("createUser", USER, pwd=PASSWORD, roles=roles)
    # With a key for its members a replica set also asks its clients who they are
    key_file = folder / "members.key"
    key_file.write_text(secrets.token_hex(32))
    key_file.chmod(0o600)
    options = ("--keyFile", str(key_file))
    with _GuardedMongod(folder, binary=binary, cache_size_gb=CACHE_SIZE_GB, options=options) as guarded:
        yield guarded.uri.replace("://", f"://{USER}:{PASSWORD}@")
