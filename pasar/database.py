"""The MongoDB of an installation: one that runs already, or an embedded one for as long as it is needed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pymongo import MongoClient
from pymongo.errors import ConfigurationError, InvalidURI, PyMongoError

from core.errors import PasarError
from core.settings import Settings
from pasar.loading.journal import JOURNAL, LOAD_ID, LoadUnfinished
from pasar.mongod import EmbeddedMongod, read_running_uri

# A server that is there answers in milliseconds; an election takes some seconds
REACH_TIMEOUT_MS = 8000


class MongodbUnusable(PasarError):
    """PASAR_MONGODB_URI leads to no replica set. The message leaves out the URI, which may hold a password."""

    code = "MONGODB_UNUSABLE"


@dataclass(frozen=True, slots=True)
class OpenMongodb:
    """Where it is; *embedded* is ours, None for one that somebody else runs."""

    uri: str
    embedded: EmbeddedMongod | None = None


@contextmanager
def open_mongodb(settings: Settings, *, share: bool = False) -> Iterator[OpenMongodb]:
    """Yield the MongoDB of *settings*: PASAR_MONGODB_URI, or an embedded one on the data folder during the block.

    With *share* the mongod of a store that is running on the folder is used, as commands beside `up` want it.

    Raises:
        MongodbUnusable: nothing answers at PASAR_MONGODB_URI, or it is not a replica set.
        MongodUnavailable, DataFolderUnusable, DataFolderLocked: as EmbeddedMongod.start.
        LoadUnfinished: a load into the data folder was interrupted.
    """
    if settings.mongodb_uri:
        check_mongodb(settings.mongodb_uri)
        yield OpenMongodb(settings.mongodb_uri)
        return
    running = read_running_uri(settings.data) if share else None
    if running is not None:
        yield OpenMongodb(running)
        return
    with EmbeddedMongod(settings.data, binary=settings.mongod_bin) as mongod:
        _check_no_load(mongod.uri, settings.database_prefix)
        yield OpenMongodb(mongod.uri, mongod)


@contextmanager
def open_for_load(settings: Settings) -> Iterator[str | None]:
    """Yield the URI of an embedded mongod without an oplog, for this program alone during the block.

    It is None where the MongoDB of *settings* is, or may be, in use: at PASAR_MONGODB_URI, or below a store that runs.
    """
    if settings.mongodb_uri or read_running_uri(settings.data) is not None:
        yield None
        return
    with EmbeddedMongod(settings.data, binary=settings.mongod_bin, is_replicated=False) as mongod:
        yield mongod.uri


def _check_no_load(uri: str, prefix: str) -> None:
    """Raise LoadUnfinished when a load into the data folder was interrupted: half of a history is no store."""
    with MongoClient[dict[str, Any]](uri) as client:
        begun = client[f"{prefix}order"][JOURNAL].find_one({"_id": LOAD_ID})
    if begun is not None:
        raise LoadUnfinished.of(begun)


def check_mongodb(uri: str) -> None:
    """Raise MongodbUnusable unless transactions are possible at *uri*."""
    try:
        with MongoClient[dict[str, Any]](uri, serverSelectionTimeoutMS=REACH_TIMEOUT_MS) as client:
            hello = client.admin.command("hello")
    except (InvalidURI, ConfigurationError, ValueError) as error:
        raise MongodbUnusable(f"PASAR_MONGODB_URI is not a MongoDB URI: {type(error).__name__}") from None
    except PyMongoError as error:
        raise MongodbUnusable(
            f"the MongoDB of PASAR_MONGODB_URI does not answer ({type(error).__name__}): start it, correct the URI, or"
            " unset the variable to use an embedded one"
        ) from None
    if "setName" not in hello and hello.get("msg") != "isdbgrid":
        raise MongodbUnusable(
            "the MongoDB of PASAR_MONGODB_URI is a single server; the store's transactions need a replica set, of one"
            " node at least (mongod --replSet rs0, then rs.initiate())"
        )
