"""The MongoDB that tests run against: one embedded mongod per test session, or the one of PASAR_TEST_MONGODB_URI."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pasar.mongod import EmbeddedMongod

# Tests hold little; several sessions may share a machine
CACHE_SIZE_GB = 0.5
# Files of collections that were dropped stay open for five minutes and a checkpoint, and every test drops dozens: by
# default mongod runs out of files, and ends
OPTIONS = ("--syncdelay", "10", "--setParameter", "minSnapshotHistoryWindowInSeconds=10")


@contextmanager
def running_mongodb(folder: Path) -> Iterator[str]:
    """Yield the URI of a MongoDB replica set for the duration of the block.

    The variable is not the store's own PASAR_MONGODB_URI: a test run must not find itself on somebody's data.
    """
    configured = os.environ.get("PASAR_TEST_MONGODB_URI", "")
    if configured:
        yield configured
        return
    binary = os.environ.get("PASAR_MONGOD_BIN", "")
    with EmbeddedMongod(folder, binary=binary, cache_size_gb=CACHE_SIZE_GB, options=OPTIONS) as mongod:
        yield mongod.uri
