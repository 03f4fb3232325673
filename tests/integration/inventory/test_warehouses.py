"""Several warehouses: what is where, where orders take it from, and moving it about."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from core.identity import ANONYMOUS, Identity
from core.mongo import Row
from subgraphs.inventory.reconciling import Reconciler
from tests.integration.inventory.conftest import Stock
from tests.testkit.callers import CUSTOMER, ORDER_SERVICE, STAFF
from tests.testkit.clock import FixedClock
from tests.testkit.commands import CommandLog

CREATE = """mutation($input: CreateWarehouseInput!) { createWarehouse(input: $input) {
    __typename ... on Warehouse { id code name priority } ... on Problem { code message }
    ... on InvalidInputProblem { field } } }"""
UPDATE = """mutation($input: UpdateWarehouseInput!) { updateWarehouse(input: $input) {
    __typename ... on Warehouse { id code name priority } ... on Problem { code message }
    ... on InvalidInputProblem { field } } }"""
TRANSFER = """mutation($input: TransferStockInput!) { transferStock(input: $input) {
    __typename ... on StockLevel { onHand available warehouses { warehouse { code } onHand reserved available } }
    ... on Problem { code message } ... on InvalidInputProblem { field } } }"""
ADJUST = """mutation($input: AdjustStockInput!) { adjustStock(input: $input) {
    __typename ... on StockLevel { onHand } ... on Problem { code message } } }"""
WAREHOUSES = "{ warehouses { id code priority } }"


async def create(stock: Stock, code: str, priority: int = 100, name: str = "Somewhere") -> Any:
    given = {"code": code, "name": name, "priority": priority}
    return (await stock.data(CREATE, {"input": given}, by=STAFF))["createWarehouse"]


async def update(stock: Stock, warehouse_id: str, **changes: Any) -> Any:
    return (await stock.data(UPDATE, {"input": {"id": warehouse_id, **changes}}, by=STAFF))["updateWarehouse"]


async def receive(stock: Stock, product_id: str, warehouse_id: str, delta: int, key: str) -> Any:
    given = {"productId": product_id, "delta": delta, "reason": "delivery", "idempotencyKey": key}
    answer = await stock.data(ADJUST, {"input": {**given, "warehouseId": warehouse_id}}, by=STAFF)
    return answer["adjustStock"]


def transfer_input(product_id: str, quantity: int, from_id: str, to_id: str, key: str = "t") -> dict[str, Any]:
    given = {"productId": product_id, "quantity": quantity, "fromWarehouseId": from_id, "toWarehouseId": to_id}
    return {"input": {**given, "reason": "nearer", "idempotencyKey": key}}


async def transfer(stock: Stock, *values: Any) -> Any:
    return (await stock.data(TRANSFER, transfer_input(*values), by=STAFF))["transferStock"]


async def shelves(stock: Stock, product_id: str = "a") -> dict[str, tuple[int, int]]:
    """Return (on hand, reserved) by warehouse, after checking all sums."""
    await stock.counters()
    [row] = [row for row in await stock.rows("stock_levels") if row["_id"] == product_id]
    return {name: (each["on_hand"], each["reserved"]) for name, each in sorted(row["warehouses"].items())}


@pytest.fixture
async def east(stock: Stock) -> str:
    """A warehouse after the main one."""
    return str((await create(stock, "EAST", 10))["id"])


@pytest.fixture
async def west(stock: Stock) -> str:
    """Another one, as near as EAST."""
    return str((await create(stock, "WEST", 10))["id"])


async def test_a_store_begins_with_one_warehouse_and_opens_others(stock: Stock) -> None:
    assert (await stock.data(WAREHOUSES, by=STAFF))["warehouses"] == [{"id": "whs_main", "code": "MAIN", "priority": 0}]
    opened = await create(stock, "EAST", 5, " Surabaya ")
    assert (opened["code"], opened["name"], opened["priority"]) == ("EAST", "Surabaya", 5)
    moved = await update(stock, "whs_main", priority=9)
    assert (moved["code"], moved["name"], moved["priority"]) == ("MAIN", "Main warehouse", 9)
    found = (await stock.data(WAREHOUSES, by=STAFF))["warehouses"]
    assert [each["code"] for each in found] == ["EAST", "MAIN"]


async def test_a_warehouse_code_is_taken_once_even_at_the_same_time(stock: Stock) -> None:
    results = await asyncio.gather(*(create(stock, "EAST") for _ in range(5)))
    assert sorted(each["__typename"] for each in results) == ["ConflictProblem"] * 4 + ["Warehouse"]
    assert [row["code"] for row in await stock.rows("warehouses")].count("EAST") == 1


@pytest.mark.parametrize(
    ("code", "name", "priority", "field"),
    [
        ("east", "East", 1, "code"),
        ("-E", "East", 1, "code"),
        ("E" * 33, "East", 1, "code"),
        ("E.W", "East", 1, "code"),
        ("EAST", " ", 1, "name"),
        ("EAST", "x" * 101, 1, "name"),
        ("EAST", "East", -1, "priority"),
        ("EAST", "East", 1001, "priority"),
    ],
)
async def test_a_warehouse_without_sense_is_refused(
    stock: Stock, code: str, name: str, priority: int, field: str
) -> None:
    refused = await create(stock, code, priority, name)
    assert (refused["__typename"], refused["field"]) == ("InvalidInputProblem", field)
    assert [row["_id"] for row in await stock.rows("warehouses")] == ["whs_main"]
    assert await stock.rows("outbox") == []


async def test_changes_without_sense_are_refused(stock: Stock) -> None:
    before = await stock.rows("warehouses")
    assert (await update(stock, "whs_main"))["field"] == "name"
    assert (await update(stock, "whs_main", name=""))["field"] == "name"
    assert (await update(stock, "whs_main", priority=-1))["field"] == "priority"
    assert (await update(stock, "whs_nowhere", priority=1))["message"] == "there is no warehouse whs_nowhere"
    assert await stock.rows("warehouses") == before
    assert await stock.rows("outbox") == []


async def test_stock_is_counted_per_warehouse_and_in_total(stock: Stock, east: str) -> None:
    await stock.put(a=3)
    assert await receive(stock, "a", east, 4, "k1") == {"__typename": "StockLevel", "onHand": 7}
    assert await shelves(stock) == {east: (4, 0), "whs_main": (3, 0)}
    refused = await receive(stock, "a", east, -5, "k2")
    assert refused["code"] == "CONFLICT"
    assert (await receive(stock, "a", "whs_nowhere", 1, "k3"))["code"] == "NOT_FOUND"
    assert await shelves(stock) == {east: (4, 0), "whs_main": (3, 0)}
    # The same key is not the same change elsewhere
    assert (await receive(stock, "a", "whs_main", 4, "k1"))["code"] == "CONFLICT"
    assert await shelves(stock) == {east: (4, 0), "whs_main": (3, 0)}


async def test_an_order_takes_from_the_first_warehouse_that_has_all_of_it(stock: Stock, east: str, west: str) -> None:
    await stock.put(a=3)
    await receive(stock, "a", east, 5, "k1")
    await receive(stock, "a", west, 6, "k2")
    await stock.reserve("ord_1", ("a", 3))
    assert await shelves(stock) == {east: (5, 0), west: (6, 0), "whs_main": (3, 3)}
    # Of two of the same priority, the fuller one
    await stock.reserve("ord_2", ("a", 2))
    assert await shelves(stock) == {east: (5, 0), west: (6, 2), "whs_main": (3, 3)}
    await stock.reserve("ord_3", ("a", 5))
    assert await shelves(stock) == {east: (5, 5), west: (6, 2), "whs_main": (3, 3)}
    refused = await stock.reserve("ord_4", ("a", 5))
    assert refused["shortages"] == [{"productId": "a", "requested": 5, "available": 4}]
    await update(stock, west, priority=0)
    await stock.release("ord_1")
    await stock.reserve("ord_5", ("a", 3))
    assert await shelves(stock) == {east: (5, 5), west: (6, 5), "whs_main": (3, 0)}


async def test_a_line_that_no_warehouse_has_alone_is_split_and_comes_back_to_each(stock: Stock, east: str) -> None:
    await stock.put(a=3, b=1)
    await receive(stock, "a", east, 4, "k1")
    assert (await stock.reserve("ord_1", ("b", 1), ("a", 6)))["status"] == "HELD"
    assert await shelves(stock) == {east: (4, 3), "whs_main": (3, 3)}
    # It is the same reservation, however it is split
    assert (await stock.reserve("ord_1", ("a", 6), ("b", 1)))["status"] == "HELD"
    assert await shelves(stock) == {east: (4, 3), "whs_main": (3, 3)}
    assert await stock.commit("ord_1") == "COMMITTED"
    assert await shelves(stock) == {east: (1, 0), "whs_main": (0, 0)}


@pytest.mark.parametrize("ending", ["release", "lapse"])
async def test_what_was_reserved_goes_back_to_where_it_is(
    stock: Stock, east: str, clock: FixedClock, ending: str
) -> None:
    await stock.put(a=3)
    await receive(stock, "a", east, 4, "k1")
    await stock.reserve("ord_1", ("a", 6))
    if ending == "release":
        await stock.release("ord_1")
    else:
        clock.advance(hours=1)
        await stock.run_job("lapse_reservations")
    assert await shelves(stock) == {east: (4, 0), "whs_main": (3, 0)}


async def test_a_late_payment_takes_from_wherever_the_pieces_are_now(
    stock: Stock, east: str, clock: FixedClock
) -> None:
    await stock.put(a=3)
    await stock.reserve("ord_1", ("a", 3))
    clock.advance(hours=1)
    await stock.run_job("lapse_reservations")
    await transfer(stock, "a", 2, "whs_main", east)
    assert await stock.commit("ord_1") == "COMMITTED"
    assert await shelves(stock) == {east: (0, 0), "whs_main": (0, 0)}
    [row] = await stock.rows("reservations")
    assert {(line["warehouse_id"], line["quantity"]) for line in row["lines"]} == {("whs_main", 1), (east, 2)}


async def test_overdue_pieces_are_free_in_their_warehouse(
    stock: Stock, east: str, clock: FixedClock, commands: CommandLog
) -> None:
    await stock.put(a=3)
    await receive(stock, "a", east, 4, "k1")
    await stock.reserve("ord_1", ("a", 6))
    clock.advance(hours=1)
    commands.clear()
    fields = "... on Product { stockLevel { available warehouses { warehouse { code } onHand reserved available } } }"
    [found] = await stock.entities(fields, [{"__typename": "Product", "id": "a"}], by=STAFF)
    assert found["stockLevel"] == {
        "available": 7,
        "warehouses": [
            {"warehouse": {"code": "EAST"}, "onHand": 4, "reserved": 0, "available": 4},
            {"warehouse": {"code": "MAIN"}, "onHand": 3, "reserved": 0, "available": 3},
        ],
    }
    assert commands.commands == [
        *("find stock_levels", "find reservations", "aggregate reservations"),
        "find warehouses",
    ]


async def test_a_transfer_moves_pieces_once_and_leaves_the_total(stock: Stock, east: str) -> None:
    await stock.put(a=5)
    await stock.reserve("ord_1", ("a", 2))
    results = await asyncio.gather(*(transfer(stock, "a", 3, "whs_main", east) for _ in range(10)))
    assert all(
        result
        == {
            "__typename": "StockLevel",
            "onHand": 5,
            "available": 3,
            "warehouses": [
                {"warehouse": {"code": "EAST"}, "onHand": 3, "reserved": 0, "available": 3},
                {"warehouse": {"code": "MAIN"}, "onHand": 2, "reserved": 2, "available": 0},
            ],
        }
        for result in results
    )
    assert await shelves(stock) == {east: (3, 0), "whs_main": (2, 2)}
    rows = [row for row in await stock.rows("movements") if row["kind"] == "TRANSFERRED"]
    told = {(row["warehouse_id"], row["counterpart_id"], row["on_hand"], row["reason"], row["by"]) for row in rows}
    assert told == {("whs_main", east, -3, "nearer", "usr_staff"), (east, "whs_main", 3, "nearer", "usr_staff")}
    assert len(rows) == 2
    assert [row["payload"]["action"] for row in await stock.rows("outbox")] == [
        "WAREHOUSE_CREATED",
        "STOCK_TRANSFERRED",
    ]


async def test_a_transfer_that_cannot_be_is_refused_and_moves_nothing(stock: Stock, east: str) -> None:
    await stock.put(a=5)
    await stock.reserve("ord_1", ("a", 3))
    before = await stock.rows("movements"), await stock.rows("stock_levels"), await stock.rows("outbox")
    assert (await transfer(stock, "a", 3, "whs_main", east))["code"] == "CONFLICT"
    assert (await transfer(stock, "a", 1, east, "whs_main"))["code"] == "CONFLICT"
    assert (await transfer(stock, "a", 1, "whs_main", "whs_nowhere"))["code"] == "NOT_FOUND"
    assert (await transfer(stock, "b", 1, "whs_main", east))["code"] == "NOT_FOUND"
    assert (await transfer(stock, "a", 0, "whs_main", east))["field"] == "quantity"
    assert (await transfer(stock, "a", 1, east, east))["field"] == "toWarehouseId"
    assert (await transfer(stock, "a", 1, "whs_main", east, ""))["field"] == "idempotencyKey"
    assert (await stock.rows("movements"), await stock.rows("stock_levels"), await stock.rows("outbox")) == before
    # The refused attempts have not used up their key, and it is good for one transfer
    assert (await transfer(stock, "a", 2, "whs_main", east))["__typename"] == "StockLevel"
    assert (await transfer(stock, "a", 1, "whs_main", east))["code"] == "CONFLICT"
    assert (await receive(stock, "a", "whs_main", -2, "t"))["code"] == "CONFLICT"
    assert await shelves(stock) == {east: (2, 0), "whs_main": (3, 3)}


async def test_transfers_and_buyers_at_once_lose_nothing(stock: Stock, east: str) -> None:
    await stock.put(a=20)
    await receive(stock, "a", east, 20, "k")

    async def move(n: int) -> str:
        ends = ("whs_main", east) if n % 2 else (east, "whs_main")
        return str((await transfer(stock, "a", 3, *ends, f"t{n}"))["__typename"])

    results = await asyncio.gather(*(stock.reserve(f"ord_{n}", ("a", 2)) for n in range(30)), *map(move, range(10)))
    assert [each["__typename"] for each in results[:30]].count("StockReservation") == 20
    assert await stock.counters() == {"a": (40, 40, 0)}
    await shelves(stock)


@pytest.mark.parametrize(
    ("by", "code"), [(ANONYMOUS, "UNAUTHENTICATED"), (CUSTOMER, "FORBIDDEN"), (ORDER_SERVICE, "FORBIDDEN")]
)
async def test_warehouses_are_for_those_with_the_scope(stock: Stock, east: str, by: Identity, code: str) -> None:
    await stock.put(a=5)
    before = await stock.rows("warehouses"), await stock.rows("movements")
    assert await stock.refusals(WAREHOUSES, by=by) == [code]
    assert await stock.refusals(CREATE, {"input": {"code": "X", "name": "X"}}, by=by) == [code]
    assert await stock.refusals(UPDATE, {"input": {"id": east, "name": "X"}}, by=by) == [code]
    assert await stock.refusals(TRANSFER, transfer_input("a", 1, "whs_main", east), by=by) == [code]
    assert (await stock.rows("warehouses"), await stock.rows("movements")) == before


def _old_rows() -> dict[str, list[Row]]:
    """Rows as they were written before there were several warehouses."""
    moment = datetime(2026, 10, 1, tzinfo=UTC)
    common = {"kind": "ADJUSTED", "reason": None, "by": None, "idempotency_key": None, "at": moment}
    return {
        "stock_levels": [
            {"_id": "a", "on_hand": 5, "reserved": 2, "available": 3, "updated_at": moment},
            {"_id": "b", "on_hand": 0, "reserved": 0, "available": 0, "updated_at": moment},
        ],
        "reservations": [
            {
                "_id": "ord_1",
                "lines": [{"product_id": "a", "quantity": 2}],
                "status": "HELD",
                "expires_at": datetime(2026, 11, 2, tzinfo=UTC),
                "created_at": moment,
                "updated_at": moment,
            }
        ],
        "movements": [
            {"_id": "mov_1", "product_id": "a", "on_hand": 5, "reserved": 0, "order_id": None, **common},
            {"_id": "mov_2", "product_id": "a", "on_hand": 0, "reserved": 2, "order_id": "ord_1", **common},
        ],
    }


async def test_stock_from_before_there_were_warehouses_is_in_the_main_one(stock: Stock, east: str) -> None:
    runtime = stock.subgraph.runtime
    for name, rows in _old_rows().items():
        await runtime.database[name].insert_many(rows)
    # Every start does it, and two at once
    await asyncio.gather(stock.subgraph.start(), stock.subgraph.start())
    assert await stock.counters() == {"a": (5, 2, 3), "b": (0, 0, 0)}
    assert await shelves(stock) == {"whs_main": (5, 2)}
    assert [each async for each in Reconciler(runtime.client, runtime.database, runtime.clock).find_drift()] == []
    await transfer(stock, "a", 3, "whs_main", east)
    assert await stock.commit("ord_1") == "COMMITTED"
    assert await shelves(stock) == {east: (3, 0), "whs_main": (0, 0)}
    before = await stock.rows("stock_levels")
    await stock.subgraph.start()
    assert await stock.rows("stock_levels") == before
