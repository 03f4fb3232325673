"""kill -9 of a load into an embedded mongod: the same command goes on, and ends with the same store."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from core.mongo import connect
from core.settings import Settings
from pasar.database import open_mongodb
from pasar.running import run_async
from tests.e2e.test_crashes import is_gone
from tests.testkit.contents import read_databases
from tests.testkit.running import ROOT, clean_environment, eventually, pasar, running_store

# Enough for programs of their own: 10 batches of orders, and one of users
ORDERS = 25_000
SEED = ("seed", "--orders", str(ORDERS), "--seed", "5", "--until", "2026-11-01")
LINES = 25_000

Contents = dict[str, list[dict[str, Any]]]


def read_store(data: Path) -> Contents:
    async def read(uri: str) -> Contents:
        client = connect(uri)
        try:
            return await read_databases(client, "pasar_")
        finally:
            await client.close()

    with open_mongodb(Settings.model_validate({"data": data})) as mongodb:
        return run_async(read(mongodb.uri))


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def kill_after(batches: int, arguments: tuple[str, ...], data: Path, *, with_mongod: bool) -> None:
    """Run a load and kill it once its journal has so many batches."""
    command = [sys.executable, "-m", "pasar", *arguments, "--data", str(data)]
    load = subprocess.Popen(command, cwd=ROOT, env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def count_batches() -> int:
        assert load.poll() is None, "the load ended before it was killed"
        try:
            port = int((data / "mongod.port").read_text())
            with MongoClient[Any]("127.0.0.1", port, directConnection=True, serverSelectionTimeoutMS=500) as client:
                return client["pasar_order"]["bulk_load"].count_documents({"sums": {"$exists": True}})
        except (OSError, ValueError, PyMongoError):
            return -1

    eventually(count_batches, until=lambda count: count >= batches)
    children = children_of(load.pid)
    assert children
    mongods = [pid for pid in children if "mongod" in Path(f"/proc/{pid}/cmdline").read_text()]
    load.kill()
    load.communicate()
    if with_mongod:
        for pid in mongods:
            os.kill(pid, signal.SIGKILL)
    # Nobody is left behind: neither makers nor mongod
    eventually(lambda: [pid for pid in children if not is_gone(pid)], until=lambda left: not left)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Contents:
    data = tmp_path_factory.mktemp("whole") / "data"
    result = pasar(*SEED, "--data", str(data))
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith(f"211 products in 16 categories, 2085 users, {ORDERS} orders; sales of IDR ")
    return read_store(data)


# Nothing is written; in the middle; and when all rows are there and indexes are being built
@pytest.mark.parametrize(("batches", "with_mongod"), [(0, True), (1, False), (6, True), (11, False)])
def test_a_seed_goes_on_after_kill_9(whole: Contents, tmp_path: Path, batches: int, with_mongod: bool) -> None:
    data = tmp_path / "data"
    kill_after(batches, SEED, data, with_mongod=with_mongod)
    again = pasar(*SEED, "--data", str(data))
    assert again.returncode == 0, again.stderr
    found = read_store(data)
    assert len(found["order.orders"]) == len(found["payment.payments"]) == ORDERS
    assert found == whole
    once_more = pasar(*SEED, "--data", str(data))
    assert (once_more.returncode, once_more.stdout) == (1, "")
    assert "error [STORE_NOT_EMPTY]" in once_more.stderr
    assert read_store(data) == whole


def test_a_store_is_not_opened_on_half_a_history(whole: Contents, tmp_path: Path) -> None:
    data = tmp_path / "data"
    kill_after(2, SEED, data, with_mongod=False)
    kept = shutil.copytree(data, tmp_path / "kept")
    refused = pasar("up", "--data", str(data), "--port", "0")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert f"error [LOAD_UNFINISHED] `pasar {' '.join(SEED)}` was interrupted" in refused.stderr
    other = pasar("seed", "--orders", "10", "--data", str(data))
    assert "error [LOAD_UNFINISHED]" in other.stderr
    # Nothing has changed: it goes on
    assert pasar(*SEED, "--data", str(data)).returncode == 0
    assert read_store(data) == whole
    undone = pasar("db", "undo-load", "--data", str(kept))
    assert (undone.returncode, undone.stdout) == (0, f"Taken back: pasar {' '.join(SEED)}\n")
    assert list(read_store(kept)) == ["order.order_totals"]
    nothing = pasar("db", "undo-load", "--data", str(kept))
    assert (nothing.returncode, nothing.stdout) == (1, "No load was interrupted.\n")
    with running_store(kept) as store:
        assert store.client.ask("{ __typename }") == {"__typename": "Query"}


@pytest.mark.parametrize(("batches", "with_mongod"), [(1, True), (5, False)])
def test_an_import_goes_on_after_kill_9(tmp_path: Path, batches: int, with_mongod: bool) -> None:
    file = tmp_path / "history.csv"
    file.write_text(
        "customer,date,quantity,amount\n"
        + "".join(f"c{n % 997},{2020 + n % 5}-{1 + n % 12:02}-{1 + n % 28:02},{1 + n % 3},{n}\n" for n in range(LINES))
    )
    command = ("import", "orders", str(file), "--currency", "USD")
    data, whole = tmp_path / "data", tmp_path / "whole"
    kill_after(batches, command, data, with_mongod=with_mongod)
    again = pasar(*command, "--data", str(data))
    assert again.returncode == 0, again.stderr
    counts = re.match(r"(\d+) imported, (\d+) already there, 0 refused\n", again.stdout)
    assert counts is not None
    imported, there = int(counts[1]), int(counts[2])
    assert imported + there == LINES
    assert there >= batches * 2500
    assert pasar(*command, "--data", str(whole)).stdout.startswith(f"{LINES} imported, 0 already there, 0 refused\n")
    found = read_store(data)
    assert found == read_store(whole)
    once_more = pasar(*command, "--data", str(data))
    assert once_more.stdout.startswith(f"0 imported, {LINES} already there, 0 refused\n")
    assert read_store(data) == found


def test_a_store_that_runs_is_seeded_and_imported_into_where_it_runs(tmp_path: Path) -> None:
    file = tmp_path / "history.csv"
    file.write_text("customer,date,quantity,amount\n" + "".join(f"c{n},2026-10-01,1,{n}\n" for n in range(1, 4)))
    seed = ("seed", "--orders", "200", "--seed", "5", "--until", "2026-11-01")
    command = ("import", "orders", str(file), "--currency", "IDR", "--source", "history")
    running, loaded = tmp_path / "running", tmp_path / "loaded"
    with running_store(running):
        for arguments in (seed, command):
            result = pasar(*arguments, "--data", str(running))
            assert result.returncode == 0, result.stderr
        again = pasar(*command, "--data", str(running))
        assert again.stdout.startswith("0 imported, 3 already there, 0 refused\n")
    for arguments in (seed, command):
        assert pasar(*arguments, "--data", str(loaded)).returncode == 0
    order_data = ("order.orders", "order.order_totals", "order.product_totals", "order.product_sales")
    found, expected = read_store(running), read_store(loaded)
    for name in (*order_data, "payment.payments", "product.products"):
        assert found[name] == expected[name]
    assert len(found["order.orders"]) == 203
