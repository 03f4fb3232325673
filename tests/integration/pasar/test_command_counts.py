"""What one GraphQL operation costs in the database, through the whole store: at most one command per collection.

A look-up that is not batched would send one command for each row of a page.
"""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.clock import Clock
from core.identity import ANONYMOUS, Identity, Role
from core.ids import new_id
from core.money import Money
from core.mongo import Client, connect
from core.peers import Peers
from core.settings import Settings
from core.subgraph import Runtime
from subgraphs.inventory.bulk import insert_stock
from subgraphs.order.bulk import PastLine, PastOrder, insert_orders
from subgraphs.order.documents import ShipmentRow
from subgraphs.order.model import OrderStatus
from subgraphs.payment.documents import PaymentHistoryRow, PaymentLineRow, PaymentRow
from subgraphs.payment.model import PaymentStatus
from subgraphs.payment.repository import payment_to_row
from subgraphs.product.bulk import insert_categories, insert_products
from subgraphs.product.model import Category, Product, ProductStatus
from subgraphs.user.bulk import NewAccount, insert_users
from tests.integration.security.world import CHEAP, World, open_world
from tests.testkit.callers import STAFF
from tests.testkit.commands import CommandLog
from tests.testkit.store import build_runtime, make_settings

START = datetime(2026, 1, 1, tzinfo=UTC)
ORDERS, BUYERS, PRODUCTS, SHELVES = 50, 10, 25, 5
BUYER = Identity("usr_buyer3", frozenset({Role.CUSTOMER}))

EVERYTHING = """
  id number status placedAt
  lines {
    quantity name total { amount }
    product {
      id name price { amount currency } category { id name }
      availability { available inStock } stockLevel { onHand reserved warehouses { onHand warehouse { name } } }
      purchasable unitsSold
    }
  }
  payment { id status amount { amount } }
  shipments { carrier trackingNumber events { status } }
  history { status at }
"""
PAGE = f"{{ orders(first: 50) {{ nodes {{ {EVERYTHING} buyer {{ id name email }} }} pageInfo {{ hasNextPage }} }} }}"
OWN_PAGE = f"{{ me {{ name orders(first: 50) {{ nodes {{ {EVERYTHING} }} }} }} }}"
PRODUCT_PAGE = """{
  product(slug: "product-7") {
    id name price { amount } availability { available canBackorder } purchasable unitsSold
    category {
      id name ancestors { name }
      products(first: 11) { nodes { id name price { amount } availability { inStock } } }
    }
  }
}"""


@pytest.fixture(scope="module")
async def counted(mongo_uri: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[World, CommandLog]]:
    """Yield a store with fifty orders, and what its one client sends."""
    log = CommandLog()
    client = connect(mongo_uri, listeners=[log])
    settings = make_settings(tmp_path_factory.mktemp("counted"), database_prefix=f"{new_id('t')}_")

    def make(
        name: str, *, peers: Peers | None = None, clock: Clock | None = None, settings: Settings | None = settings
    ) -> Runtime:
        assert settings is not None
        return build_runtime(name, client, settings, peers=peers, clock=clock)

    world = await open_world(make)
    await _fill(world)
    yield world, log
    for subgraph in world.subgraphs.values():
        await subgraph.stop()
        await client.drop_database(subgraph.runtime.database.name)
    await client.close()


async def _fill(world: World) -> None:
    databases = {name: subgraph.runtime.database for name, subgraph in world.subgraphs.items()}
    top = Category("cat_top", "top", "Top", ("cat_top",), START)
    shelves = [Category(f"cat_{n}", f"shelf-{n}", f"Shelf {n}", ("cat_top", f"cat_{n}"), START) for n in range(SHELVES)]
    products = [
        Product(
            id=f"prd_{n}",
            sku=f"SKU-{n}",
            slug=f"product-{n}",
            name=f"Product {n}",
            description="",
            price=Money(1000 + n, "IDR"),
            category_id=f"cat_{n % SHELVES}",
            images=(),
            status=ProductStatus.ACTIVE,
            weight_grams=100,
            created_at=START + timedelta(minutes=n),
            updated_at=START,
        )
        for n in range(PRODUCTS)
    ]
    await insert_categories(databases["product"], [top, *shelves])
    await insert_products(databases["product"], [(each, shelves[n % SHELVES]) for n, each in enumerate(products)])
    await insert_stock(databases["inventory"], {each.id: 10 for each in products}, now=START)
    buyers = [NewAccount(f"usr_buyer{n}", f"buyer{n}@example.org", f"Buyer {n}", START) for n in range(BUYERS)]
    await insert_users(databases["user"], buyers, password="correct horse battery", passwords=CHEAP)
    orders = [_order(n) for n in range(ORDERS)]
    client: Client = world.subgraphs["order"].runtime.client
    await insert_orders(client, databases["order"], orders)
    await databases["payment"]["payments"].insert_many([payment_to_row(_payment(order)) for order in orders])


def _order(number: int) -> PastOrder:
    at = START + timedelta(hours=number)
    lines = [(number + step) % PRODUCTS for step in range(1 + number % 3)]
    return PastOrder(
        id=f"ord_{number}",
        number=f"N-{number}",
        buyer_id=f"usr_buyer{number % BUYERS}",
        currency="IDR",
        lines=tuple(PastLine(f"prd_{n}", f"Product {n}", f"SKU-{n}", 1, 1000 + n, 1000 + n) for n in lines),
        placed_at=at,
        status=OrderStatus.SHIPPED,
        shipments=(ShipmentRow(id=f"shp_{number}", carrier="JNE", tracking_number=f"T{number}", shipped_at=at),),
    )


def _payment(order: PastOrder) -> PaymentRow:
    amount = sum(line.total_amount for line in order.lines)
    return PaymentRow(
        id=f"pay_{order.id}",
        order_id=order.id,
        order_number=order.number,
        buyer_id=order.buyer_id,
        status=PaymentStatus.PAID,
        amount=amount,
        currency="IDR",
        lines=[PaymentLineRow(name="all", quantity=1, unit_amount=amount)],
        gateway="memory",
        reference=order.number,
        references=[order.number],
        created_at=order.placed_at,
        updated_at=order.placed_at,
        expires_at=order.placed_at + timedelta(hours=1),
        history=[PaymentHistoryRow(status=PaymentStatus.PAID, at=order.placed_at)],
    )


async def count_commands(
    counted: tuple[World, CommandLog], document: str, by: Identity
) -> tuple[dict[str, Any], Counter[str]]:
    """Return the answer to *document*, which must have no errors, and the commands that it took."""
    world, log = counted
    # Or it would know the categories of the test before
    await world.subgraphs["product"].prepare()
    log.clear()
    response = await world.ask(document, by=by)
    assert "errors" not in response, response["errors"]
    return response["data"], Counter(log.commands)


async def test_fifty_orders_with_all_that_belongs_to_them_are_one_command_per_collection(
    counted: tuple[World, CommandLog],
) -> None:
    data, commands = await count_commands(counted, PAGE, STAFF)
    nodes = data["orders"]["nodes"]
    assert len(nodes) == ORDERS
    newest = nodes[0]
    assert (newest["number"], newest["buyer"]["name"], newest["payment"]["status"]) == ("N-49", "Buyer 9", "PAID")
    assert [line["product"]["stockLevel"]["onHand"] for line in newest["lines"]] == [10, 10]
    assert [line["product"]["category"]["name"] for line in newest["lines"]] == ["Shelf 4", "Shelf 0"]
    assert newest["shipments"][0]["trackingNumber"] == "T49"
    assert commands == {
        "find orders": 1,
        "find products": 1,
        "find categories": 1,
        "find stock_levels": 1,
        "find warehouses": 1,
        "find product_sales": 1,
        "find payments": 1,
        "find users": 1,
    }


async def test_the_own_orders_of_a_buyer_are_one_command_per_collection(counted: tuple[World, CommandLog]) -> None:
    document = OWN_PAGE.replace("stockLevel { onHand reserved warehouses { onHand warehouse { name } } }", "")
    data, commands = await count_commands(counted, document, BUYER)
    assert [node["number"] for node in data["me"]["orders"]["nodes"]] == ["N-43", "N-33", "N-23", "N-13", "N-3"]
    assert commands == {
        "find users": 1,
        "find orders": 1,
        "find products": 1,
        "find categories": 1,
        "find stock_levels": 1,
        "find product_sales": 1,
        "find payments": 1,
    }


async def test_a_product_page_reads_every_collection_once_and_the_products_of_its_shelf(
    counted: tuple[World, CommandLog],
) -> None:
    data, commands = await count_commands(counted, PRODUCT_PAGE, ANONYMOUS)
    product = data["product"]
    assert (product["name"], product["category"]["ancestors"]) == ("Product 7", [{"name": "Top"}])
    assert [node["name"] for node in product["category"]["products"]["nodes"]] == [
        "Product 22",
        "Product 17",
        "Product 12",
        "Product 7",
        "Product 2",
    ]
    assert commands == {
        # The product by its slug, then its neighbours; and once a second, when the next one changes by itself
        "find products": 3,
        # Its own, then those above
        "find categories": 2,
        "find stock_levels": 1,
        "find product_sales": 1,
    }
