"""A started product subgraph with a small catalogue."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from core.mongo import Client, Row, connect
from core.settings import Settings
from subgraphs.product import app
from tests.testkit.callers import STAFF, Caller
from tests.testkit.clock import FixedClock
from tests.testkit.commands import CommandLog
from tests.testkit.store import build_runtime

CREATE_PRODUCT = """
mutation($input: CreateProductInput!) {
  createProduct(input: $input) {
    __typename
    ... on Product { id sku slug name status price { amount currency decimal } category { name } weightGrams createdAt }
    ... on Problem { code message }
    ... on InvalidInputProblem { field }
  }
}
"""
CREATE_CATEGORY = """
mutation($input: CreateCategoryInput!) {
  createCategory(input: $input) {
    __typename
    ... on Category { id slug name parent { name } }
    ... on Problem { code message }
    ... on InvalidInputProblem { field }
  }
}
"""


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
async def catalogue(counted: tuple[Client, CommandLog], store_settings: Settings, clock: FixedClock) -> "Catalogue":
    runtime = build_runtime(app.NAME, counted[0], store_settings, clock=clock)
    subgraph = app.build(runtime)
    await subgraph.start()
    return Catalogue(subgraph)


class Catalogue(Caller):
    """A caller that can also fill the catalogue."""

    async def create(self, sku: str, **fields: Any) -> dict[str, Any]:
        """Create a product that must be valid, and return it."""
        given = {"sku": sku, "name": f"Product {sku}", "price": {"decimal": "15000", "currency": "IDR"}, **fields}
        created: dict[str, Any] = (await self.data(CREATE_PRODUCT, {"input": given}, by=STAFF))["createProduct"]
        assert created["__typename"] == "Product", created
        return created

    async def sell(self, sku: str, **fields: Any) -> str:
        """Create and publish a product; return its id."""
        id_: str = (await self.create(sku, **fields))["id"]
        await self.data("mutation($id: ID!) { publishProduct(id: $id) { __typename } }", {"id": id_}, by=STAFF)
        return id_

    async def shelve(self, name: str, parent: str | None = None) -> str:
        """Create a category and return its id."""
        given = {"name": name, "parentId": parent}
        created = (await self.data(CREATE_CATEGORY, {"input": given}, by=STAFF))["createCategory"]
        assert created["__typename"] == "Category", created
        id_: str = created["id"]
        return id_

    async def list_skus(self, arguments: str = "", **variables: Any) -> list[str]:
        """Return the skus of `products(<arguments>)`."""
        call = f"({arguments})" if arguments else ""
        data = await self.data(f"{{ products{call} {{ nodes {{ sku }} }} }}", variables)
        return [node["sku"] for node in data["products"]["nodes"]]

    async def rows(self, collection: str) -> list[Row]:
        """Return all rows of a collection."""
        return await self.subgraph.runtime.database[collection].find().sort("_id", 1).to_list()
