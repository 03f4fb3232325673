"""A started inventory subgraph whose peer is a catalogue of known products."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.identity import Identity, service_identity
from core.mongo import Client, Row, connect
from core.peers import InProcessPeers
from core.settings import Settings
from subgraphs.inventory import app
from subgraphs.inventory.bulk import insert_stock
from tests.testkit.callers import ORDER_SERVICE, STAFF, Caller
from tests.testkit.clock import FixedClock
from tests.testkit.commands import CommandLog
from tests.testkit.store import build_runtime

RESERVE = """
mutation($input: ReserveStockInput!) {
  reserveStock(input: $input) {
    __typename
    ... on StockReservation { orderId status expiresAt }
    ... on OutOfStockProblem { code message shortages { productId requested available } }
  }
}
"""
ADJUST = """
mutation($input: AdjustStockInput!) {
  adjustStock(input: $input) {
    __typename
    ... on StockLevel { product { id } onHand reserved available }
    ... on Problem { code message }
    ... on InvalidInputProblem { field }
  }
}
"""
RELEASE = "mutation($id: ID!) { releaseStock(orderId: $id) { orderId status } }"
COMMIT = "mutation($id: ID!) { commitStock(orderId: $id) { orderId status } }"


@pytest.fixture(scope="session")
async def counted(mongo_uri: str) -> AsyncIterator[tuple[Client, CommandLog]]:
    log = CommandLog()
    client = connect(mongo_uri, listeners=[log])
    yield client, log
    await client.close()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 11, 1, 9, 0, tzinfo=UTC))


@pytest.fixture
def commands(counted: tuple[Client, CommandLog]) -> CommandLog:
    return counted[1]


@pytest.fixture
async def stock(counted: tuple[Client, CommandLog], store_settings: Settings, clock: FixedClock) -> "Stock":
    known: set[str] = set()
    archived: set[str] = set()

    async def find_products(_: str, variables: Mapping[str, Any], by: Identity) -> dict[str, Any]:
        assert by == service_identity("inventory")
        asked = [representation["id"] for representation in variables["representations"]]
        products = [{"id": id_, "name": id_.title(), "sellable": id_ not in archived} for id_ in asked]
        return {"data": {"_entities": [product if product["id"] in known else None for product in products]}}

    peers = InProcessPeers(service_identity("inventory"), {"product": find_products})
    subgraph = app.build(build_runtime(app.NAME, counted[0], store_settings, peers=peers, clock=clock))
    await subgraph.start()
    return Stock(subgraph, known, archived, clock)


@dataclass(frozen=True, slots=True)
class Stock(Caller):
    """A caller that also sees the counters. *known* are the catalogue's product ids, *archived* those not on sale."""

    known: set[str]
    archived: set[str]
    clock: FixedClock

    async def put(self, **on_hand: int) -> None:
        """Give products their opening stock."""
        await insert_stock(self.subgraph.runtime.database, on_hand, now=self.clock.now())

    async def reserve(self, order_id: str, *lines: tuple[str, int], by: Identity = ORDER_SERVICE) -> dict[str, Any]:
        """Reserve for half an hour."""
        given = {
            "orderId": order_id,
            "lines": [{"productId": product, "quantity": quantity} for product, quantity in lines],
            "expiresAt": (self.clock.now() + timedelta(minutes=30)).isoformat(),
        }
        result: dict[str, Any] = (await self.data(RESERVE, {"input": given}, by=by))["reserveStock"]
        return result

    async def adjust(self, product_id: str, delta: int, key: str, reason: str = "delivery") -> dict[str, Any]:
        """Adjust as staff."""
        given = {"productId": product_id, "delta": delta, "reason": reason, "idempotencyKey": key}
        result: dict[str, Any] = (await self.data(ADJUST, {"input": given}, by=STAFF))["adjustStock"]
        return result

    async def release(self, order_id: str) -> str:
        """Release and return the status."""
        status: str = (await self.data(RELEASE, {"id": order_id}, by=ORDER_SERVICE))["releaseStock"]["status"]
        return status

    async def commit(self, order_id: str) -> str:
        """Commit and return the status."""
        status: str = (await self.data(COMMIT, {"id": order_id}, by=ORDER_SERVICE))["commitStock"]["status"]
        return status

    async def counters(self) -> dict[str, tuple[int, int, int]]:
        """Return (on hand, reserved, available) per product, after checking that the ledger has the same sums."""
        database = self.subgraph.runtime.database
        levels = {row["_id"]: row async for row in database["stock_levels"].find()}
        sums = {"_id": "$product_id", "on_hand": {"$sum": "$on_hand"}, "reserved": {"$sum": "$reserved"}}
        ledger = {row["_id"]: row async for row in await database["movements"].aggregate([{"$group": sums}])}
        for product_id, row in levels.items():
            booked = ledger.get(product_id, {"on_hand": 0, "reserved": 0})
            assert (row["on_hand"], row["reserved"]) == (booked["on_hand"], booked["reserved"]), product_id
            assert row["available"] == row["on_hand"] - row["reserved"]
            assert row["reserved"] >= 0
            assert min(row["on_hand"], row["available"]) + row["backorder_limit"] >= 0
            for counter in ("on_hand", "reserved", "available"):
                assert sum(shelf[counter] for shelf in row["warehouses"].values()) == row[counter], product_id
        return {name: (row["on_hand"], row["reserved"], row["available"]) for name, row in sorted(levels.items())}

    async def run_job(self, name: str) -> None:
        """Run a job once."""
        [job] = [job for job in self.subgraph.jobs if job.name == name]
        await job.run(self.clock.now())

    async def rows(self, collection: str) -> list[Row]:
        """Return all rows of a collection."""
        return await self.subgraph.runtime.database[collection].find().sort("_id", 1).to_list()
