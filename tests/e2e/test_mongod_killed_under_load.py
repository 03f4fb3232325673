"""mongod is killed and started again while several programs buy: what was acknowledged is there, and nothing twice."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pymongo
import pytest

from core.clock import SystemClock
from core.identity import Identity, Role
from core.mongo import Row
from core.settings import Settings
from pasar.keys import complete_settings
from subgraphs.user.keys import load_token_issuer
from tests.testkit.running import PATIENCE_S, ROOT, RunningStore, eventually, pasar, running_store

# Half a minute, and several on a machine that is busy with other things
pytestmark = pytest.mark.timeout(900)

PROGRAMS, BUYERS_EACH = 3, 8
BUYERS = PROGRAMS * BUYERS_EACH
# mongod is killed as soon as so many orders are acknowledged, each time in the midst of others
KILLED_AFTER = (3, 12)


class Program:
    """A program of buyers. Mutable: it notes what the store has acknowledged to it."""

    def __init__(self, url: str, file: Path) -> None:
        command = [sys.executable, "-m", "tests.testkit.buying", url, str(file)]
        self._program = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        self.acknowledged: dict[str, str] = {}
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._program.stdout is not None
        for line in self._program.stdout:
            key, _, number = line.strip().partition(" ")
            self.acknowledged[key] = number

    def wait(self) -> int:
        code = self._program.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        assert self._program.stdout is not None
        self._program.stdout.close()
        return code

    def end(self) -> None:
        if self._program.poll() is None:
            self._program.kill()
            self.wait()


def buyer_ids(data: Path) -> list[str]:
    with pymongo.MongoClient[Row]((data / "mongod.uri").read_text().strip()) as client:
        return [row["_id"] for row in client["pasar_user"]["users"].find({"roles": "CUSTOMER"}).limit(BUYERS)]


def find_plentiful(data: Path) -> str:
    """Return the product of which there is most, enough for everybody."""
    with pymongo.MongoClient[Row]((data / "mongod.uri").read_text().strip()) as client:
        (level,) = client["pasar_inventory"]["stock_levels"].find().sort("available", -1).limit(1)
    assert level["available"] >= BUYERS
    return str(level["_id"])


def start_programs(store: RunningStore, product_id: str, folder: Path) -> list[Program]:
    issuer = load_token_issuer(complete_settings(Settings(data=store.data)))
    buyers = buyer_ids(store.data)
    assert len(buyers) == BUYERS
    programs = []
    for number in range(PROGRAMS):
        tasks = [
            [
                issuer.issue(Identity(buyer, frozenset({Role.CUSTOMER})), now=SystemClock().now()),
                product_id,
                f"key-of-{buyer}",
            ]
            for buyer in buyers[number::PROGRAMS]
        ]
        file = folder / f"buyers-{number}.json"
        file.write_text(json.dumps(tasks))
        programs.append(Program(store.client.url, file))
    return programs


def acknowledged_to(programs: list[Program]) -> dict[str, str]:
    return {key: number for program in programs for key, number in list(program.acknowledged.items())}


def test_no_acknowledged_order_is_lost_and_none_is_there_twice(tmp_path: Path) -> None:
    data = tmp_path / "data"
    seeded = pasar("seed", "--data", str(data), "--orders", "0")
    assert seeded.returncode == 0, seeded.stderr
    with running_store(data) as store:
        product_id = find_plentiful(data)
        before = counters_of(data, product_id)
        programs = start_programs(store, product_id, tmp_path)
        try:
            for count in KILLED_AFTER:
                eventually(lambda: len(acknowledged_to(programs)), until=count.__le__)
                os.kill(store.mongod_pid(), signal.SIGKILL)
                eventually(lambda: is_writable(data), until=bool)
            assert [program.wait() for program in programs] == [0] * PROGRAMS
        finally:
            for program in programs:
                program.end()
        acknowledged = acknowledged_to(programs)
        assert len(acknowledged) == BUYERS
        with pymongo.MongoClient[Row]((data / "mongod.uri").read_text().strip()) as client:
            orders = client["pasar_order"]["orders"].find({"status": "PENDING_PAYMENT"}).to_list()
            checkouts = client["pasar_order"]["checkouts"].find().to_list()
            payments = client["pasar_payment"]["payments"].find({"status": "PENDING"}).to_list()
            held = client["pasar_inventory"]["reservations"].find({"status": "HELD"}).to_list()
        assert {order["number"] for order in orders} == set(acknowledged.values())
        assert Counter(order["buyer_id"] for order in orders).most_common(1)[0][1] == 1
        ids = {order["_id"] for order in orders}
        assert len(ids) == BUYERS
        assert {checkout["_id"]: checkout["state"] for checkout in checkouts} == dict.fromkeys(ids, "OPENED")
        assert {row["idempotency_key"]: row["number"] for row in checkouts} == acknowledged
        assert {payment["order_id"]: payment["amount"] for payment in payments} == {
            order["_id"]: order["total_amount"] for order in orders
        }
        assert {row["_id"] for row in held} == ids
        on_hand, reserved = before
        assert counters_of(data, product_id) == (on_hand, reserved + BUYERS)


def is_writable(data: Path) -> bool:
    uri = (data / "mongod.uri").read_text().strip()
    with pymongo.MongoClient[Row](uri, serverSelectionTimeoutMS=1000) as client:
        try:
            return bool(client.admin.command("hello")["isWritablePrimary"])
        except pymongo.errors.PyMongoError:
            return False


def counters_of(data: Path, product_id: str) -> tuple[int, int]:
    """Return what is on hand and reserved, once the ledger has said the same."""
    with pymongo.MongoClient[Row]((data / "mongod.uri").read_text().strip()) as client:
        inventory = client["pasar_inventory"]
        level = inventory["stock_levels"].find_one({"_id": product_id})
        assert level is not None
        booked: Counter[str] = Counter()
        for row in inventory["movements"].find({"product_id": product_id}):
            booked.update(on_hand=row["on_hand"], reserved=row["reserved"])
    counters = level["on_hand"], level["reserved"]
    assert (booked["on_hand"], booked["reserved"]) == counters
    assert level["available"] == level["on_hand"] - level["reserved"]
    return counters
