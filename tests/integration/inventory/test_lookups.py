"""What inventory adds to a product, who sees it, and in how many queries."""

from typing import Any

import pytest

from core.identity import ANONYMOUS, Identity
from tests.integration.inventory.conftest import Stock
from tests.testkit.callers import CUSTOMER, ORDER_SERVICE, STAFF
from tests.testkit.commands import CommandLog

LEVELS = "query($n: Int, $after: String) { stockLevels(lowerThan: $n, first: 2, after: $after) { %s } }"
LEVELS = LEVELS % "nodes { product { id } available } pageInfo { hasNextPage endCursor }"


async def test_many_references_cost_one_query(stock: Stock, commands: CommandLog) -> None:
    await stock.put(a=5, b=0)
    commands.clear()
    asked: list[dict[str, Any]] = [
        {"__typename": "Product", "id": "a", "sellable": True},
        {"__typename": "Product", "id": "b", "sellable": True},
        {"__typename": "Product", "id": "a", "sellable": False},
        {"__typename": "Product", "id": "new", "sellable": True},
        {"__typename": "Product", "id": "a"},
    ]
    found = await stock.entities("... on Product { id purchasable availability { available inStock } }", asked)
    assert [(product["id"], product["purchasable"], product["availability"]) for product in found] == [
        ("a", True, {"available": 5, "inStock": True}),
        ("b", False, {"available": 0, "inStock": False}),
        ("a", False, {"available": 5, "inStock": True}),
        ("new", False, {"available": 0, "inStock": False}),
        # Nobody said whether it may be sold
        ("a", None, {"available": 5, "inStock": True}),
    ]
    assert commands.commands == ["find stock_levels"]


async def test_the_counters_are_for_those_with_the_scope(stock: Stock) -> None:
    await stock.put(a=5)
    await stock.reserve("ord_1", ("a", 2))
    asked = [{"__typename": "Product", "id": "a"}, {"__typename": "Product", "id": "new"}]
    found = await stock.entities("... on Product { stockLevel { onHand reserved available } }", asked, by=STAFF)
    assert [product["stockLevel"] for product in found] == [{"onHand": 5, "reserved": 2, "available": 3}, None]


@pytest.mark.parametrize("by", [ANONYMOUS, CUSTOMER, ORDER_SERVICE])
async def test_others_see_the_product_without_its_counters(stock: Stock, by: Identity) -> None:
    await stock.put(a=5)
    code = "FORBIDDEN" if by.is_authenticated else "UNAUTHENTICATED"
    document = """query($r: [_Any!]!) { _entities(representations: $r) {
        ... on Product { stockLevel { onHand } availability { available } } } }"""
    response = await stock.ask(document, {"r": [{"__typename": "Product", "id": "a"}]}, by=by)
    assert response["data"] == {"_entities": [{"stockLevel": None, "availability": {"available": 5}}]}
    assert [error["extensions"]["code"] for error in response["errors"]] == [code]
    assert await stock.refusals(LEVELS, by=by) == [code]


async def test_the_scarcest_come_first_page_by_page(stock: Stock) -> None:
    await stock.put(a=5, b=0, c=3, d=3, e=9)
    seen, cursor = [], None
    while True:
        page = (await stock.data(LEVELS, {"n": 9, "after": cursor}, by=STAFF))["stockLevels"]
        seen += [(node["product"]["id"], node["available"]) for node in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        cursor = page["pageInfo"]["endCursor"]
    assert seen == [("b", 0), ("c", 3), ("d", 3), ("a", 5)]
    everything = await stock.data("{ stockLevels { nodes { available } } }", by=STAFF)
    assert [node["available"] for node in everything["stockLevels"]["nodes"]] == [0, 3, 3, 5, 9]


WHOLE = """... on Product {
    purchasable availability { available inStock canBackorder }
    stockLevel { onHand reserved available isLow backorderPolicy warehouses { warehouse { code } available } }
}"""


async def test_a_page_of_products_costs_one_command_per_collection(stock: Stock, commands: CommandLog) -> None:
    names = [f"p{n:02}" for n in range(50)]
    await stock.put(**dict.fromkeys(names, 5))
    for n, name in enumerate(names):
        await stock.reserve(f"ord_{n}", (name, 1))
    commands.clear()
    asked = [{"__typename": "Product", "id": name, "sellable": True} for name in names]
    found = await stock.entities(WHOLE, asked, by=STAFF)
    assert [product["stockLevel"]["warehouses"] for product in found] == [
        [{"warehouse": {"code": "MAIN"}, "available": 4}]
    ] * 50
    assert commands.commands == ["find stock_levels", "find reservations", "find warehouses"]


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (
            "{ stockLevels(first: 50) { nodes { available warehouses { warehouse { code } } } } }",
            ["find stock_levels", "find reservations", "find warehouses"],
        ),
        (
            '{ stockMovements(productId: "p00", first: 50) { nodes { onHand warehouse { code } } } }',
            ["find movements", "find warehouses"],
        ),
        ("{ stockAlerts(first: 50) { nodes { available } } }", ["find stock_alerts"]),
        ("{ backInStockNotices { createdAt } }", ["find stock_waits"]),
        ("{ warehouses { code } }", ["find warehouses"]),
    ],
)
async def test_a_list_costs_one_command_per_collection(
    stock: Stock, commands: CommandLog, document: str, expected: list[str]
) -> None:
    await stock.put(**{f"p{n:02}": 5 for n in range(50)})
    for n in range(20):
        await stock.reserve(f"ord_{n}", (f"p{n:02}", 1))
    commands.clear()
    await stock.data(document, by=STAFF)
    assert commands.commands == expected
