"""Every query of the stock goes through an index, and none sorts in memory."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from core.mongo import Client, Database, Session, connect, in_transaction
from core.paging import PageRequest
from core.settings import Settings
from subgraphs.inventory import app, model
from subgraphs.inventory.alert_repository import AlertRepository
from subgraphs.inventory.bulk import insert_stock
from subgraphs.inventory.ledger_repository import Counters, LedgerRepository
from subgraphs.inventory.model import Pick, Reservation, ReservationStatus, StockPolicy, Wait, Warehouse
from subgraphs.inventory.repository import StockRepository, movement_row
from subgraphs.inventory.waiting_repository import WaitingRepository
from subgraphs.inventory.warehouse_repository import WarehouseRepository
from tests.testkit.store import build_runtime

NOW = datetime(2027, 11, 1, 9, 0, tzinfo=UTC)
LEVEL = model.StockLevel("p001", 5, 0, 5, NOW, low_stock_threshold=5)
_ADJUSTED = model.MovementKind.ADJUSTED

# What a method is called with. A public method that is not here fails the test: a new query is covered by itself
STOCK: dict[str, Any] = {
    "find_levels": lambda r, s: r.find_levels(["p001", "p002"]),
    "find_level_page": lambda r, s: _all(
        r.find_level_page(None, PageRequest(5)),
        r.find_level_page(9, PageRequest(5)),
        r.find_level_page(9, PageRequest(5, backward=True, cursor=(9, "p005"))),
        r.find_level_page(None, PageRequest(5, cursor=(9, "p005"))),
    ),
    "ensure_level": lambda r, s: r.ensure_level("new", now=NOW, session=s),
    "adjust_level": lambda r, s: _all(
        r.adjust_level("p001", "whs_main", 1, now=NOW, session=s),
        r.adjust_level("p001", "whs_main", -1, now=NOW, session=s),
    ),
    "set_policy": lambda r, s: r.set_policy("p001", StockPolicy(1, 2), now=NOW, session=s),
    "transfer_level": lambda r, s: r.transfer_level("p001", "whs_main", "whs_1", 1, now=NOW, session=s),
    "apply_change": lambda r, s: _all(
        *(
            r.apply_change("p003", [Pick("p003", "whs_main", 1)], change, now=NOW, session=s)
            for change in (model.RESERVE, model.RELEASE, model.TAKE, model.RETURN)
        )
    ),
    "record_movements": lambda r, s: r.record_movements(
        [Pick("p003", "whs_main", 1)], model.RESERVE, "ord_x", by="x", now=NOW, session=s
    ),
    "insert_movements": lambda r, s: r.insert_movements([movement_row("p003", _ADJUSTED, NOW)], session=s),
    "find_by_key": lambda r, s: r.find_by_key("k001"),
    "insert_reservation": lambda r, s: r.insert_reservation(_reservation("ord_new"), now=NOW, session=s),
    "find_reservation": lambda r, s: r.find_reservation("ord_001"),
    "move_reservation": lambda r, s: r.move_reservation(
        _reservation("ord_001"), _reservation("ord_001", ReservationStatus.LAPSED), now=NOW, session=s
    ),
    "find_overdue": lambda r, s: r.find_overdue(NOW, limit=10),
    "find_first_expiry": lambda r, s: r.find_first_expiry(),
    "find_overdue_of": lambda r, s: r.find_overdue_of(["p001", "p002"], NOW, limit=10),
    "count_overdue": lambda r, s: r.count_overdue(["p001", "p002"], NOW),
    "set_announced": lambda r, s: r.set_announced("p001", True, 2, session=s),
}
LEDGER: dict[str, Any] = {
    "find_movement_page": lambda r, s: _all(
        r.find_movement_page("p001", PageRequest(5)),
        r.find_movement_page("p001", PageRequest(5, backward=True, cursor=("mov_0",))),
    ),
    "walk_products": lambda r, s: _walk(r.walk_products(50)),
    "walk_ledger": lambda r, s: _walk(r.walk_ledger(50)),
    "find_counters": lambda r, s: r.find_counters(["p001", "p002"]),
    "sum_ledger": lambda r, s: r.sum_ledger(["p001", "p002"]),
    "sum_held": lambda r, s: r.sum_held(["p001", "p002"]),
    "set_counters": lambda r, s: r.set_counters("p001", {"whs_main": Counters(5, 0)}, now=NOW, session=s),
    "correct_reserved": lambda r, s: r.correct_reserved(
        "p001", {"whs_main": 1}, reason="x", by="x", now=NOW, session=s
    ),
}
WAREHOUSES: dict[str, Any] = {
    "ensure_main": lambda r, s: r.ensure_main(),
    "find_all": lambda r, s: r.find_all(),
    "find_warehouses": lambda r, s: r.find_warehouses(["whs_main", "whs_1"]),
    "insert": lambda r, s: r.insert(Warehouse("whs_x", "X", "X", 1, NOW), session=s),
    "update": lambda r, s: r.update("whs_main", name="Main", priority=3, session=s),
}
ALERTS: dict[str, Any] = {
    "set_low": lambda r, s: r.set_low("p001", True, session=s),
    "open_alert": lambda r, s: r.open_alert(LEVEL, now=NOW, session=s),
    "end_alert": lambda r, s: r.end_alert("p001", now=NOW, session=s),
    "find_open_page": lambda r, s: _all(
        r.find_open_page(PageRequest(5)), r.find_open_page(PageRequest(5, cursor=("alr_050",)))
    ),
}
WAITING: dict[str, Any] = {
    "insert_wait": lambda r, s: r.insert_wait(Wait("p009", "usr_9", NOW)),
    "find_wait": lambda r, s: r.find_wait("p001:usr_1"),
    "find_waits_of": lambda r, s: r.find_waits_of("usr_1", limit=10),
    "find_waiting": lambda r, s: r.find_waiting("p001", limit=10, session=s),
    "delete_waits": lambda r, s: r.delete_waits(["p001:usr_1"], session=s),
    "delete_waits_of": lambda r, s: r.delete_waits_of("usr_2", session=s),
    "mark_returned": lambda r, s: r.mark_returned("p001", now=NOW, session=s),
    "find_returned": lambda r, s: r.find_returned(limit=10),
    "unmark_returned": lambda r, s: r.unmark_returned("p001", NOW),
}
CALLS: tuple[tuple[type[Any], dict[str, Any]], ...] = (
    (StockRepository, STOCK),
    (LedgerRepository, LEDGER),
    (WarehouseRepository, WAREHOUSES),
    (AlertRepository, ALERTS),
    (WaitingRepository, WAITING),
)
# Once per start: it looks for what an older version has left
MIGRATIONS = {"put_into_main_warehouse", "find_untold"}
READS = ("find", "aggregate", "findAndModify", "update", "delete")


async def _all(*calls: Any) -> None:
    for call in calls:
        await call


async def _walk(batches: AsyncIterator[list[str]]) -> None:
    assert [batch async for batch in batches]


def _reservation(order_id: str, status: ReservationStatus = ReservationStatus.HELD) -> Reservation:
    return Reservation(order_id, (Pick("p001", "whs_main", 1),), status, NOW)


class Queries(CommandListener):
    """Keeps what looks for rows, as it was sent. Mutable."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def started(self, event: CommandStartedEvent) -> None:
        if event.command_name in READS:
            self.sent.append(dict(event.command))

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Do nothing."""

    def failed(self, event: CommandFailedEvent) -> None:
        """Do nothing."""


@pytest.fixture(scope="module")
async def queries(mongo_uri: str) -> AsyncIterator[tuple[Client, Queries]]:
    listener = Queries()
    client = connect(mongo_uri, listeners=[listener])
    yield client, listener
    await client.close()


@pytest.fixture
async def database(queries: tuple[Client, Queries], store_settings: Settings) -> Database:
    runtime = build_runtime(app.NAME, queries[0], store_settings)
    await app.build(runtime).start()
    database = runtime.database
    products = [f"p{n:03}" for n in range(300)]
    await insert_stock(database, {name: n % 20 + 5 for n, name in enumerate(products)}, now=NOW)
    await database["movements"].insert_many(
        [movement_row(name, _ADJUSTED, NOW, idempotency_key=f"k{n:03}") for n, name in enumerate(products)]
    )
    await database["warehouses"].insert_many(
        [{"_id": f"whs_{n}", "code": f"W{n}", "name": "", "priority": n, "created_at": NOW} for n in range(20)]
    )
    await database["reservations"].insert_many(
        [
            {
                "_id": f"ord_{n:03}",
                "lines": [{"product_id": products[n], "quantity": 1, "warehouse_id": "whs_main"}],
                "status": "HELD" if n % 2 else "COMMITTED",
                "expires_at": NOW - timedelta(minutes=n),
                "created_at": NOW,
                "updated_at": NOW,
            }
            for n in range(300)
        ]
    )
    await database["stock_alerts"].insert_many(
        [
            {
                "_id": f"alr_{n:03}",
                "product_id": products[n],
                "threshold": 1,
                "available": 1,
                "at": NOW,
                "ended_at": None if n % 2 else NOW,
            }
            for n in range(300)
        ]
    )
    await database["stock_waits"].insert_many(
        [
            {
                "_id": f"{products[n]}:usr_{n % 9}",
                "product_id": products[n],
                "user_id": f"usr_{n % 9}",
                "created_at": NOW,
            }
            for n in range(300)
        ]
    )
    await database["stock_returns"].insert_many([{"_id": name, "at": NOW} for name in products])
    return database


def _stages(plan: Any) -> Iterator[str]:
    """Yield the names of all stages of what `explain` has answered, wherever they stand in it."""
    match plan:
        case dict():
            if isinstance(plan.get("stage"), str):
                yield plan["stage"]
            for key, value in plan.items():
                # A sort of an aggregation that the planner has not pushed down
                if key == "$sort":
                    yield "SORT"
                if key not in ("rejectedPlans", "command"):
                    yield from _stages(value)
        case list():
            for value in plan:
                yield from _stages(value)


async def explain(database: Database, command: dict[str, Any]) -> set[str]:
    """Return the stages that *command* is carried out by."""
    own = {"lsid", "txnNumber", "$db", "autocommit", "startTransaction", "$clusterTime", "readConcern", "writeConcern"}
    plain = {key: value for key, value in command.items() if key not in own}
    return set(_stages(await database.command({"explain": plain, "verbosity": "queryPlanner"})))


@pytest.mark.parametrize(("repository", "calls"), CALLS, ids=lambda value: getattr(value, "__name__", ""))
async def test_every_query_uses_an_index_and_none_sorts_in_memory(
    queries: tuple[Client, Queries], database: Database, repository: type[Any], calls: dict[str, Any]
) -> None:
    public = {name for name in vars(repository) if not name.startswith("_")}
    assert public - MIGRATIONS == calls.keys()
    client, listener = queries
    asked = 0
    for name, call in calls.items():
        listener.sent.clear()

        async def work(session: Session, call: Any = call) -> None:
            await call(repository(database), session)

        await in_transaction(client, work)
        for command in list(listener.sent):
            asked += 1
            stages = await explain(database, command)
            assert not stages & {"COLLSCAN", "SORT"}, (name, stages, command)
            assert stages & {"IXSCAN", "IDHACK", "DISTINCT_SCAN", "COUNT_SCAN", "EXPRESS_IXSCAN"}, (name, stages)
    assert asked


async def test_a_query_without_an_index_is_noticed(queries: tuple[Client, Queries], database: Database) -> None:
    _, listener = queries
    listener.sent.clear()
    await database["movements"].find({"reason": "x"}).to_list()
    await database["stock_levels"].find({}).sort("on_hand", 1).to_list()
    await (await database["movements"].aggregate([{"$sort": {"at": 1}}, {"$limit": 3}])).to_list()
    found = [await explain(database, command) for command in list(listener.sent)]
    assert [sorted(stages & {"COLLSCAN", "SORT"}) for stages in found] == [
        ["COLLSCAN"],
        ["COLLSCAN", "SORT"],
        ["COLLSCAN", "SORT"],
    ]
