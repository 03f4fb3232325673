"""A store that kills itself in the middle of one buyer's checkout.

It is served as `pasar up` serves it, in a process of its own, which dies of SIGKILL: nothing of it is left to run. The
store's own code knows nothing of it: the methods that record a checkout's steps are replaced before it begins.

The processes are forked from one that has imported the store already (multiprocessing's fork server), for that is two
thirds of what a start takes.
"""

import multiprocessing
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from core.mongo import Client, Row, in_transaction
from core.settings import Settings
from pasar.all_in_one import serve_store
from pasar.keys import complete_settings
from pasar.listening import bind, port_of
from pasar.logs import configure_logs
from pasar.running import run_async
from pasar.store import SUBGRAPHS
from subgraphs.order import checkout
from subgraphs.order.checkout_repository import CheckoutRepository
from tests.testkit import running

_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload([__name__, *(f"subgraphs.{name}.app" for name in SUBGRAPHS)])


@dataclass(frozen=True, slots=True)
class MortalStore:
    """A store that answers at *client*'s URL."""

    process: Any
    client: running.Client

    def wait_for_death(self) -> int:
        """Return how it ended; minus the number of the signal that killed it."""
        self.process.join(running.PATIENCE_S)
        code: int | None = self.process.exitcode
        assert code is not None, "it lives"
        return code


@contextmanager
def running_mortal_store(
    data: Path, variables: Mapping[str, str], death: "Death | None" = None
) -> Iterator[MortalStore]:
    """Start a store whose settings are *variables*, yield it once it answers, and stop it unless it has died."""
    here, there = _SERVER.Pipe(duplex=False)
    process = _SERVER.Process(target=_serve, args=(data, dict(variables), death, there))
    process.start()
    there.close()
    try:
        # An end of the file, if it has ended before
        url = here.recv()
        yield MortalStore(process, running.Client(f"{url}/graphql"))
    finally:
        here.close()
        process.terminate()
        process.join(running.PATIENCE_S)
        process.kill()
        process.join()
        process.close()


def _serve(data: Path, variables: Mapping[str, str], death: "Death | None", listening: Connection) -> None:
    with (data / "store.log").open("a") as log:
        for stream in (1, 2):
            os.dup2(log.fileno(), stream)
    os.environ.update(variables)
    if death is not None:
        prepare(death)
    settings = Settings(data=data)
    configure_logs(settings.environment)
    listener = bind(settings.host, 0)
    settings = complete_settings(settings, port=port_of(listener))
    run_async(serve_store(settings, settings.mongodb_uri, listener, on_listening=listening.send))


@dataclass(frozen=True, slots=True)
class Death:
    """Die when the checkout of *buyer_id* comes from *source* (empty: from nowhere) to *target*.

    *moment* is `before` that is written, `written`, but in a transaction not yet committed, or `recorded` for good.
    When *late_at* is given, the checkout's time is over as soon as it is in that state.
    """

    buyer_id: str
    source: str
    target: str
    moment: str
    late_at: str = ""


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def prepare(death: Death) -> None:
    """Replace what records a checkout's steps."""
    insert, move = CheckoutRepository.insert_checkout, CheckoutRepository.move_checkout
    is_written = False

    async def insert_or_die(self: CheckoutRepository, row: Row) -> bool:
        is_it = row["buyer_id"] == death.buyer_id
        if is_it and row["state"] == death.late_at:
            row["expires_at"] = row["created_at"] - timedelta(seconds=1)
        is_here = is_it and (death.source, death.target) == ("", row["state"])
        if is_here and death.moment == "before":
            die()
        inserted = await insert(self, row)
        if is_here:
            die()
        return inserted

    async def move_or_die(
        self: CheckoutRepository, order_id: str, source: Any, target: Any, set_: Any, **more: Any
    ) -> Row | None:
        nonlocal is_written
        row = await self.find_checkout(order_id)
        if row is None or row["buyer_id"] != death.buyer_id:
            return await move(self, order_id, source, target, set_, **more)
        if target == death.late_at:
            set_ = {**set_, "expires_at": row["created_at"] - timedelta(seconds=1)}
        is_here = (death.source, death.target) == (source, target)
        if is_here and death.moment == "before":
            die()
        moved = await move(self, order_id, source, target, set_, **more)
        if is_here and moved is not None:
            if death.moment == "written" or more.get("session") is None:
                die()
            is_written = True
        return moved

    async def commit_and_die(client: Client, work: Any) -> Any:
        result = await in_transaction(client, work)
        if is_written:
            die()
        return result

    setattr(CheckoutRepository, "insert_checkout", insert_or_die)  # noqa: B010  # mypy refuses the plain assignment
    setattr(CheckoutRepository, "move_checkout", move_or_die)  # noqa: B010
    setattr(checkout, "in_transaction", commit_and_die)  # noqa: B010
