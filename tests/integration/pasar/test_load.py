"""Loading a store, against a real database: the same store as filling it, however often it is killed."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.collection import Collection
from pymongo.database import Database

from core.mongo import Client
from pasar.importing.load import load_orders
from pasar.importing.order_file import Columns, FileFormat, OrderFileUnusable, RefusedRow
from pasar.importing.run import import_orders
from pasar.loading.journal import JOURNAL, LoadUnfinished
from pasar.loading.load import take_back_load
from pasar.seed.fill import StoreNotEmpty, fill_store
from pasar.seed.load import TARGETS, load_store
from pasar.seed.plan import Plan
from subgraphs.order.rollup_repair import RollupRepair
from tests.integration.pasar.conftest import OpenStore
from tests.testkit.contents import read_databases, read_everything, read_indexes

PLAN = Plan(seed=3, orders=130, until=datetime(2026, 11, 1, tzinfo=UTC))
LINES = [
    "customer,date,quantity,amount,product,number\n",
    *(f"c{n % 40},2025-{1 + n % 12:02}-{1 + n % 28:02},{1 + n % 3},{n}.50,thing {n % 7},{n}\n" for n in range(120)),
]
# Two equal lines, one that is none, and a number that came before
LINES += ["c1,2025-03-03,1,5,thing,900\n", "c1,2025-03-03,1,5,thing,901\n", "c1,2025-99-03,1,5,thing,902\n", LINES[3]]
BY_CONTENT = FileFormat(Columns(product="product"), "USD", ZoneInfo("Asia/Jakarta"))
BY_NUMBER = replace(BY_CONTENT, columns=Columns(product="product", order_id="number"))
NOW = datetime(2026, 11, 1, tzinfo=UTC)


class Killed(Exception):
    pass


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pasar.seed.plan.BATCH", 50)
    monkeypatch.setattr("pasar.importing.load.BATCH", 50)


@pytest.fixture(autouse=True)
def quick_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    async def hash_password() -> str:
        return "$argon2id$"

    monkeypatch.setattr("pasar.seed.load.hash_password", hash_password)


class Mortal:
    """Lets so many writes pass, and kills at the one after: before it is sent. Mutable: counts."""

    WRITES = ("insert_many", "insert_one", "update_one", "delete_many", "create_indexes", "drop", "drop_indexes")

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left = -1
        self.written = 0
        for name in self.WRITES:
            monkeypatch.setattr(AsyncCollection, name, self._watched(getattr(AsyncCollection, name)))
        # The programs that write batches use the plain driver: a command for rows, and the journal's notes
        monkeypatch.setattr(Database, "command", self._watched_plain(Database.command))
        monkeypatch.setattr(Collection, "insert_one", self._watched_plain(Collection.insert_one))

    def _count(self) -> None:
        if self.left == 0:
            raise Killed
        self.left -= 1
        self.written += 1

    def _watched(self, write: Any) -> Any:
        async def watched(*arguments: Any, **options: Any) -> Any:
            self._count()
            return await write(*arguments, **options)

        return watched

    def _watched_plain(self, write: Any) -> Any:
        def watched(*arguments: Any, **options: Any) -> Any:
            self._count()
            return write(*arguments, **options)

        return watched


@pytest.fixture
def mortal(monkeypatch: pytest.MonkeyPatch) -> Mortal:
    return Mortal(monkeypatch)


async def import_into(uri: str, prefix: str, format_: FileFormat, lines: Iterable[str] = LINES) -> Any:
    return await load_orders(
        uri,
        prefix,
        iter(lines),
        format_,
        key=f"import {sorted(lines)}",
        command="pasar import orders history.csv",
        source="history",
        now=NOW,
        line_count=len(LINES) - 1,
        on_refused=lambda row: None,
    )


def flatten(error: BaseException) -> list[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        return [leaf for part in error.exceptions for leaf in flatten(part)]
    return [error]


async def test_a_loaded_store_is_the_store_that_is_filled(
    open_empty_store: OpenStore, mongo_client: Client, mongo_uri: str, database_prefix: str
) -> None:
    filled_store = await open_empty_store()
    filled = await fill_store(filled_store, PLAN)
    assert await load_store(mongo_uri, database_prefix, PLAN) == filled
    loaded = await read_databases(mongo_client, database_prefix)
    assert loaded == await read_everything(filled_store)
    assert len(loaded["order.orders"]) == len(loaded["payment.payments"]) == 130
    assert await RollupRepair(mongo_client, mongo_client[f"{database_prefix}order"]).reconcile() == []
    expected = await read_indexes(filled_store.client, filled_store.settings.database_prefix)
    found = await read_indexes(mongo_client, database_prefix)
    assert JOURNAL not in {name.partition(".")[2] for name in found}
    for target in TARGETS:
        name = f"{target.subgraph}.{target.collection}"
        assert found[name] == expected[name]
        assert len(found[name]) == 1 + len(target.indexes)


async def test_programs_beside_make_the_same_store(
    mongo_client: Client,
    mongo_uri: str,
    open_empty_store: OpenStore,
    database_prefix: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pasar.seed.plan.BATCH", 2500)
    monkeypatch.setattr("pasar.seed.load.ORDERS_FOR_MAKERS", 100)
    assert await load_store(mongo_uri, database_prefix, PLAN, makers=2) is not None
    filled_store = await open_empty_store()
    await fill_store(filled_store, PLAN)
    assert await read_databases(mongo_client, database_prefix) == await read_everything(filled_store)


async def test_a_load_that_is_killed_at_any_write_and_run_again_makes_the_same_store(
    mongo_client: Client, mongo_uri: str, database_prefix: str, mortal: Mortal
) -> None:
    await load_store(mongo_uri, f"{database_prefix}whole_", PLAN)
    writes, expected = mortal.written, await read_databases(mongo_client, f"{database_prefix}whole_")
    # 2 batches of users, 3 of orders: rows and journal; then indexes, sums and catalogue
    assert writes > 2 * 2 + 3 * 3 + 6 + 6
    for point in range(writes):
        prefix = f"{database_prefix}{point}_"
        mortal.left = point
        with pytest.raises((Killed, ExceptionGroup)) as killed:
            await load_store(mongo_uri, prefix, PLAN)
        assert {type(error) for error in flatten(killed.value)} == {Killed}
        mortal.left = -1
        assert await load_store(mongo_uri, prefix, PLAN) is not None
        assert await read_databases(mongo_client, prefix) == expected, f"killed at write {point}"


async def test_a_load_that_is_killed_again_and_again_makes_the_same_store(
    mongo_client: Client, mongo_uri: str, database_prefix: str, mortal: Mortal
) -> None:
    await load_store(mongo_uri, f"{database_prefix}whole_", PLAN)
    expected = await read_databases(mongo_client, f"{database_prefix}whole_")
    kills = 0
    while True:
        # Further each time: a run that comes back has to look around first
        mortal.left = 5 + kills
        try:
            await load_store(mongo_uri, database_prefix, PLAN)
            break
        except* Killed:
            kills += 1
    mortal.left = -1
    assert kills >= 5
    assert await read_databases(mongo_client, database_prefix) == expected


async def test_batches_that_are_there_are_not_made_again(mongo_uri: str, database_prefix: str, mortal: Mortal) -> None:
    # The journal's beginning; two batches of users and the first of orders, which is three writes
    mortal.left = 1 + 2 + 2 + 3
    with pytest.raises(Killed):
        await load_store(mongo_uri, database_prefix, PLAN)
    mortal.left = -1
    steps: list[tuple[str, int, int]] = []
    await load_store(mongo_uri, database_prefix, PLAN, report=lambda *step: steps.append(step))
    assert [step for step in steps if step[0] != "indexes"] == [
        ("users", 50, 50),
        ("orders", 50, 130),
        ("orders", 100, 130),
        ("orders", 130, 130),
        ("products", 211, 211),
    ]


async def test_a_load_goes_on_past_midnight(
    mongo_client: Client, mongo_uri: str, database_prefix: str, mortal: Mortal
) -> None:
    await load_store(mongo_uri, f"{database_prefix}whole_", PLAN, is_until_chosen=False)
    mortal.left = 8
    with pytest.raises(Killed):
        await load_store(mongo_uri, database_prefix, PLAN, is_until_chosen=False)
    mortal.left = -1
    tomorrow = replace(PLAN, until=PLAN.until + timedelta(days=1))
    await load_store(mongo_uri, database_prefix, tomorrow, is_until_chosen=False)
    assert await read_databases(mongo_client, database_prefix) == await read_databases(
        mongo_client, f"{database_prefix}whole_"
    )


async def test_a_loaded_store_is_not_loaded_again(mongo_client: Client, mongo_uri: str, database_prefix: str) -> None:
    await load_store(mongo_uri, database_prefix, PLAN)
    before = await read_databases(mongo_client, database_prefix)
    for plan in (PLAN, replace(PLAN, orders=7)):
        with pytest.raises(StoreNotEmpty):
            await load_store(mongo_uri, database_prefix, plan)
    assert await import_into(mongo_uri, database_prefix, BY_CONTENT) is None
    assert await read_databases(mongo_client, database_prefix) == before


async def test_only_the_same_command_goes_on_with_an_interrupted_load_and_it_can_be_taken_back(
    mongo_client: Client, mongo_uri: str, database_prefix: str, mortal: Mortal
) -> None:
    mortal.left = 9
    with pytest.raises(Killed):
        await load_store(mongo_uri, database_prefix, PLAN)
    mortal.left = -1
    before = await read_databases(mongo_client, database_prefix)
    with pytest.raises(LoadUnfinished, match="`pasar seed --orders 130 --seed 3 --until 2026-11-01` was interrupted"):
        await load_store(mongo_uri, database_prefix, replace(PLAN, orders=131))
    with pytest.raises(LoadUnfinished):
        await import_into(mongo_uri, database_prefix, BY_CONTENT)
    assert await read_databases(mongo_client, database_prefix) == before
    command = "pasar seed --orders 130 --seed 3 --until 2026-11-01"
    assert await take_back_load(mongo_client, database_prefix) == command
    assert list(await read_databases(mongo_client, database_prefix)) == ["order.order_totals"]
    assert await take_back_load(mongo_client, database_prefix) is None
    other = replace(PLAN, orders=131)
    await load_store(mongo_uri, database_prefix, other)
    await load_store(mongo_uri, f"{database_prefix}whole_", other)
    assert await read_databases(mongo_client, database_prefix) == await read_databases(
        mongo_client, f"{database_prefix}whole_"
    )


@pytest.mark.parametrize(("format_", "imported"), [(BY_CONTENT, 123), (BY_NUMBER, 122)])
async def test_a_loaded_history_is_the_one_that_is_imported(
    open_empty_store: OpenStore,
    mongo_client: Client,
    mongo_uri: str,
    database_prefix: str,
    format_: FileFormat,
    imported: int,
) -> None:
    store = await open_empty_store()
    refused: list[RefusedRow] = []
    by_import = await import_orders(store, LINES, format_, source="history", now=NOW, on_refused=refused.append)
    loaded = await import_into(mongo_uri, database_prefix, format_)
    counts = (imported, 123 - imported, 1)
    assert (by_import.imported, by_import.already_there, by_import.refused) == counts
    assert (loaded.imported, loaded.already_there, loaded.refused) == counts
    assert (loaded.first_at, loaded.last_at) == (by_import.first_at, by_import.last_at)
    assert await read_databases(mongo_client, database_prefix) == await read_everything(store)
    assert await RollupRepair(mongo_client, mongo_client[f"{database_prefix}order"]).reconcile() == []
    # Into the store that has it all, in the way of a store that runs
    again = await import_orders(store, LINES, format_, source="history", now=NOW, on_refused=refused.append)
    assert (again.imported, again.already_there, again.refused) == (0, 123, 1)


async def test_an_import_that_is_killed_at_any_write_and_run_again_makes_the_same_history(
    mongo_client: Client, mongo_uri: str, database_prefix: str, mortal: Mortal
) -> None:
    await import_into(mongo_uri, f"{database_prefix}whole_", BY_NUMBER)
    writes, expected = mortal.written, await read_databases(mongo_client, f"{database_prefix}whole_")
    for point in range(writes):
        prefix = f"{database_prefix}{point}_"
        mortal.left = point
        with pytest.raises((Killed, ExceptionGroup)) as killed:
            await import_into(mongo_uri, prefix, BY_NUMBER)
        assert {type(error) for error in flatten(killed.value)} == {Killed}
        mortal.left = -1
        again = await import_into(mongo_uri, prefix, BY_NUMBER)
        assert again.read == 124
        assert await read_databases(mongo_client, prefix) == expected, f"killed at write {point}"


async def test_a_file_that_cannot_be_read_begins_no_load(
    mongo_client: Client, mongo_uri: str, database_prefix: str
) -> None:
    with pytest.raises(OrderFileUnusable, match="there is no column 'customer'"):
        await import_into(mongo_uri, database_prefix, BY_CONTENT, ["who,when\n", "a,b\n"])
    assert await read_databases(mongo_client, database_prefix) == {}
