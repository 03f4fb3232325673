"""Which commands read a collection as a whole, or sort in memory: every one that a client sent is explained.

A test makes its client with `connect(uri, listeners=[log])`, runs what it wants to be sure of, and asserts that
`await find_unindexed(client, log)` is empty, or holds the few that the test names with their reason.
"""

import copy
import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from core.mongo import Client

# What reads, alone or before it writes
_READING = ("find", "aggregate", "count", "distinct", "update", "delete", "findAndModify")
_ROOT = Path(__file__).parents[2]
_STORE_FOLDERS = tuple(f"{_ROOT / name}/" for name in ("core", "loaders", "subgraphs"))
_TESTS = f"{_ROOT / 'tests'}/"
# What belongs to the connection and the session, and makes no part of a plan
_ENVELOPE = frozenset(
    {"lsid", "txnNumber", "startTransaction", "autocommit", "writeConcern", "readConcern", "maxTimeMS", "stmtIds"}
)


@dataclass(frozen=True, slots=True)
class Sent:
    """A command as it was sent to a database."""

    database: str
    command: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Return `find products`."""
        verb = next(iter(self.command))
        return f"{verb} {self.command[verb]}"


@dataclass(frozen=True, slots=True)
class Unindexed:
    """A command that reads or sorts without an index. *stages* are among COLLSCAN, SORT and LOOKUP COLLSCAN."""

    command: str
    stages: tuple[str, ...]
    text: str

    def __str__(self) -> str:
        return f"{self.command}: {', '.join(self.stages)} in {self.text}"


class SentCommands(CommandListener):
    """Keeps the reading commands of a client. Mutable."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []

    def clear(self) -> None:
        """Forget what was sent so far."""
        self.sent.clear()

    def started(self, event: CommandStartedEvent) -> None:
        """Keep the command, if it is one that reads."""
        if event.command_name in _READING:
            command = {
                key: copy.deepcopy(value)
                for key, value in event.command.items()
                if not key.startswith("$") and key not in _ENVELOPE
            }
            self.sent.append(Sent(event.database_name, command))

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Do nothing: it was kept when it started."""

    def failed(self, event: CommandFailedEvent) -> None:
        """Do nothing: it was kept when it started."""


class OwnCommands(SentCommands):
    """Keeps the reading commands that the store's code sends, each shape once; not those that a test sends itself.

    Mutable: it listens while it is told to.
    """

    def __init__(self) -> None:
        super().__init__()
        self.is_listening = False
        self._shapes: set[str] = set()

    def started(self, event: CommandStartedEvent) -> None:
        """Keep the command, if there was none like it yet."""
        if not self.is_listening or event.command_name not in _READING or not _is_sent_by_store():
            return
        shape = f"{event.command[event.command_name]} {_shape_of(event.command)}"
        if shape not in self._shapes:
            self._shapes.add(shape)
            super().started(event)


def _is_sent_by_store() -> bool:
    # Whoever awaits a command is on the stack; the nearest one of ours decides
    frame = inspect.currentframe()
    while frame is not None:
        path = frame.f_code.co_filename
        if path.startswith(_STORE_FOLDERS):
            return True
        if path.startswith(_TESTS) and path != __file__:
            return False
        frame = frame.f_back
    # A task of its own
    return False


def _shape_of(value: Any) -> Any:
    # Values are left out, but for what says in which order to read
    match value:
        case Mapping():
            return {key: _shape_of(each) for key, each in value.items() if key not in _ENVELOPE and key[:3] != "$db"}
        case list():
            return [_shape_of(each) for each in value if isinstance(each, Mapping | list)]
        case bool() | int():
            return value if value in (-1, 1) else "number"
    return type(value).__name__


async def find_unindexed(client: Client, commands: SentCommands) -> list[Unindexed]:
    """Explain every command that was sent, once for each shape; return those that do without an index.

    *client* is one that *commands* does not listen to.
    """
    found: list[Unindexed] = []
    for sent in list(commands.sent):
        stages: set[str] = set()
        for command in _explainable(sent.command):
            answer = await client[sent.database].command("explain", command, verbosity="executionStats")
            stages |= set(_bad_stages(answer))
        if stages:
            found.append(Unindexed(sent.name, tuple(sorted(stages)), str(dict(sent.command))))
    return found


def _explainable(command: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield *command*, or each of its statements: of several, the server explains none.

    The server does not tell how a `$lookup` reads the other collection, either, beyond whether it is scanned. Where it
    starts from documents of the command's own, it is put as the query that it runs for the first of them.
    """
    match command.get("pipeline"):
        case [{"$documents": [document, *_]}, {"$lookup": lookup}, *_]:
            found = {"$match": {lookup["foreignField"]: document[lookup["localField"]]}}
            yield {"aggregate": lookup["from"], "pipeline": [found, *lookup.get("pipeline", [])], "cursor": {}}
            return
        case [*stages] if any("$unionWith" in stage for stage in stages):
            # Explained with statistics, a union takes mongod 6.0.5 down: so each part by itself, of many the first
            yield {**command, "pipeline": [stage for stage in stages if "$unionWith" not in stage]}
            union = next(stage["$unionWith"] for stage in stages if "$unionWith" in stage)
            yield {"aggregate": union["coll"], "pipeline": union["pipeline"], "cursor": {}}
            return
    for several in ("updates", "deletes"):
        if several in command:
            for statement in command[several]:
                yield {**command, several: [statement]}
            return
    yield command


def _bad_stages(answer: Mapping[str, Any]) -> Iterator[str]:
    waiting: list[Any] = [answer]
    while waiting:
        node = waiting.pop()
        match node:
            case list():
                waiting.extend(node)
            case Mapping():
                stage = node.get("stage")
                if stage in ("COLLSCAN", "SORT"):
                    yield stage
                if "$sort" in node:
                    yield "SORT"
                if "$lookup" in node and int(node.get("collectionScans", 0)):
                    yield "LOOKUP COLLSCAN"
                # Plans that lost, and what only repeats the command
                repeated = ("rejectedPlans", "command", "$lookup", "parsedQuery")
                waiting.extend(value for key, value in node.items() if key not in repeated)
