"""Who sees which orders, and what a look-up costs."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.identity import service_identity
from subgraphs.order.bulk import PastLine, PastOrder, insert_orders
from subgraphs.order.model import OrderStatus
from tests.testkit.callers import ORDER_SERVICE
from tests.testkit.commands import CommandLog
from tests.testkit.shop import ANI, BUDI, STAFF, Shop

START = datetime(2026, 1, 1, tzinfo=UTC)
CHANGED = """
query($since: DateTime!, $until: DateTime!, $buyerId: ID, $first: Int!, $after: String) {
  changedOrders(since: $since, until: $until, buyerId: $buyerId, first: $first, after: $after) {
    orders { number } endCursor hasNextPage
  }
}
"""
SYNC = service_identity("sync")


@pytest.fixture
async def history(shop: Shop) -> Shop:
    """Give ANI the even and BUDI the odd ones of ten orders, one an hour."""
    runtime = shop.subgraphs["order"].runtime
    orders = [
        PastOrder(
            id=f"ord_{number}",
            number=f"N-{number}",
            buyer_id="usr_budi" if number % 2 else "usr_ani",
            currency="IDR",
            lines=(PastLine(f"prd_{number % 3}", "Cup", "CUP", 1, 1000, 1000),),
            placed_at=START + timedelta(hours=number),
            status=OrderStatus.PAID if number < 8 else OrderStatus.CANCELLED,
        )
        for number in range(10)
    ]
    await insert_orders(runtime.client, runtime.database, orders)
    return shop


async def orders_of(shop: Shop, arguments: str, user_ids: list[str], **by: Any) -> list[Any]:
    selection = f"... on User {{ orders{arguments} {{ nodes {{ number }} pageInfo {{ hasNextPage endCursor }} }} }}"
    return await shop.order.entities(selection, [{"__typename": "User", "id": user_id} for user_id in user_ids], **by)


async def test_a_buyer_pages_through_the_own_orders_newest_first(history: Shop) -> None:
    (page,) = await orders_of(history, "(first: 3)", ["usr_ani"], by=ANI)
    assert [node["number"] for node in page["orders"]["nodes"]] == ["N-8", "N-6", "N-4"]
    cursor = page["orders"]["pageInfo"]["endCursor"]
    (page,) = await orders_of(history, f'(first: 3, after: "{cursor}")', ["usr_ani"], by=ANI)
    assert [node["number"] for node in page["orders"]["nodes"]] == ["N-2", "N-0"]
    assert page["orders"]["pageInfo"]["hasNextPage"] is False
    (page,) = await orders_of(history, "(last: 2)", ["usr_ani"], by=ANI)
    assert [node["number"] for node in page["orders"]["nodes"]] == ["N-2", "N-0"]


async def test_orders_of_many_users_are_one_query(history: Shop, commands: CommandLog) -> None:
    commands.clear()
    pages = await orders_of(history, "(first: 2)", ["usr_ani", "usr_budi", "usr_none", "usr_ani"], by=STAFF)
    assert [[node["number"] for node in page["orders"]["nodes"]] for page in pages] == [
        ["N-8", "N-6"],
        ["N-9", "N-7"],
        [],
        ["N-8", "N-6"],
    ]
    assert commands.commands == ["aggregate"]


async def test_the_orders_of_others_are_an_error_beside_null(history: Shop, commands: CommandLog) -> None:
    commands.clear()
    document = "query($r: [_Any!]!) { _entities(representations: $r) { ... on User { orders { nodes { id } } } } }"
    representations = {"r": [{"__typename": "User", "id": "usr_ani"}, {"__typename": "User", "id": "usr_budi"}]}
    response = await history.order.ask(document, representations, by=BUDI)
    assert response["data"]["_entities"][0] == {"orders": None}
    assert len(response["data"]["_entities"][1]["orders"]["nodes"]) == 5
    assert [(error["extensions"]["code"], error["path"]) for error in response["errors"]] == [
        ("FORBIDDEN", ["_entities", 0, "orders"])
    ]
    assert await history.order.refusals(document, representations) == ["UNAUTHENTICATED", "UNAUTHENTICATED"]
    assert commands.commands == ["find orders"]


async def test_references_to_orders_are_one_query_per_key_and_hide_those_of_others(
    history: Shop, commands: CommandLog
) -> None:
    references: list[dict[str, Any]] = [
        *({"__typename": "Order", "id": f"ord_{number}"} for number in (0, 1, 2, 0, 77)),
        {"__typename": "Order", "number": "N-4"},
        {"__typename": "Order", "number": "N-5"},
    ]
    commands.clear()
    found = await history.order.entities("... on Order { number buyer { id } }", references, by=ANI)
    mine = [{"number": f"N-{number}", "buyer": {"id": "usr_ani"}} for number in (0, 2, 4)]
    assert found == [mine[0], None, mine[1], mine[0], None, mine[2], None]
    assert sorted(commands.commands) == ["find orders", "find orders"]
    everything = await history.order.entities("... on Order { number }", references, by=ORDER_SERVICE)
    assert [order and order["number"] for order in everything] == ["N-0", "N-1", "N-2", "N-0", None, "N-4", "N-5"]


async def test_units_sold_are_one_query_and_count_paid_pieces_only(history: Shop, commands: CommandLog) -> None:
    references = [{"__typename": "Product", "id": f"prd_{number}"} for number in (0, 1, 2, 3, 0)]
    commands.clear()
    found = await history.order.entities("... on Product { unitsSold }", references)
    # 0 and 3 and 6; 1 and 4 and 7; 2 and 5; nothing; 8 and 9 are cancelled
    assert [product["unitsSold"] for product in found] == [3, 3, 2, 0, 3]
    assert commands.commands == ["find product_sales"]


async def test_units_sold_follow_paid_and_cancelled_orders(shop: Shop) -> None:
    async def units() -> int:
        (product,) = await shop.order.entities(
            "... on Product { unitsSold }", [{"__typename": "Product", "id": "prd_teapot"}]
        )
        sold: int = product["unitsSold"]
        return sold

    await shop.stock_up(teapot=9)
    await shop.put_in_cart(ANI, teapot=2)
    order = (await shop.check_out())["order"]
    assert await units() == 0
    await shop.report(order["number"], "PAID", order["total"]["amount"])
    await shop.deliver_events()
    assert await units() == 2
    await shop.order.data("mutation($id: ID!) { cancelOrder(id: $id) { __typename } }", {"id": order["id"]}, by=STAFF)
    assert await units() == 0


async def test_a_page_of_orders_with_everything_in_it_is_one_query(history: Shop, commands: CommandLog) -> None:
    document = """{ orders(first: 10) { nodes {
      id number status quantity placedAt paidAt updatedAt expiresAt note attention buyer { id }
      lines { id name sku quantity product { id } unitPrice { decimal } total { decimal } }
      subtotal { amount } shipping { amount } total { amount } shippingAddress { city }
      shipments { carrier } history { status at by reason actorId } } pageInfo { hasNextPage } } }"""
    commands.clear()
    answer = await history.order.data(document, by=STAFF)
    assert len(answer["orders"]["nodes"]) == 10
    assert commands.commands == ["find orders"]


@pytest.mark.parametrize(
    ("filter_", "numbers"),
    [
        ("{status: [CANCELLED]}", [9, 8]),
        ('{buyerId: "usr_budi", status: [PAID]}', [7, 5, 3, 1]),
        ('{placedFrom: "2026-01-01T03:00:00Z", placedTo: "2026-01-01T05:00:00Z"}', [4, 3]),
        ("{needsAttention: true}", []),
        ("{status: []}", [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]),
        ('{number: " N-7 "}', [7]),
        ('{number: "N-"}', [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]),
        # A beginning, and no pattern
        ('{number: "7"}', []),
        ('{number: "N.7"}', []),
        ('{number: "-7", buyerId: "usr_budi"}', [7]),
        ('{number: "-7", buyerId: "usr_ani"}', []),
        ('{productId: "prd_1"}', [7, 4, 1]),
        ('{productId: "prd_1", status: [PAID], placedFrom: "2026-01-01T02:00:00Z"}', [7, 4]),
        ('{productId: "prd_1", buyerId: "usr_ani"}', [4]),
        ("{attention: [REFUND_DUE]}", []),
    ],
)
async def test_staff_filters_orders(history: Shop, filter_: str, numbers: list[int]) -> None:
    answer = await history.order.data(f"{{ orders(filter: {filter_}) {{ nodes {{ number }} }} }}", by=STAFF)
    assert [node["number"] for node in answer["orders"]["nodes"]] == [f"N-{number}" for number in numbers]


@pytest.mark.parametrize(
    ("filter_", "numbers"),
    [
        ("{status: [CANCELLED]}", [8]),
        ("{status: [PAID]}", [6, 4, 2, 0]),
        ('{placedFrom: "2026-01-01T03:00:00Z", placedTo: "2026-01-01T06:00:00Z"}', [4]),
        ('{number: "6"}', [6]),
        ('{number: "N-"}', [8, 6, 4, 2, 0]),
        ('{number: "-7"}', []),
        ('{number: "$number"}', []),
    ],
)
async def test_a_buyer_filters_the_own_orders(
    history: Shop, commands: CommandLog, filter_: str, numbers: list[int]
) -> None:
    commands.clear()
    ani, _ = await orders_of(history, f"(filter: {filter_})", ["usr_ani", "usr_budi"], by=STAFF)
    assert commands.commands == ["aggregate"]
    assert [node["number"] for node in ani["orders"]["nodes"]] == [f"N-{number}" for number in numbers]


async def test_a_list_by_number_goes_on_after_its_cursor(history: Shop) -> None:
    document = """query($after: String) {
      orders(filter: {number: "N-"}, first: 4, after: $after) { nodes { number } pageInfo { endCursor } } }"""
    seen: list[str] = []
    after = None
    for _ in range(3):
        page = (await history.order.data(document, {"after": after}, by=STAFF))["orders"]
        seen += [node["number"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
    assert seen == [f"N-{number}" for number in reversed(range(10))]


async def test_staff_filters_by_why_an_order_needs_attention(history: Shop) -> None:
    orders = history.subgraphs["order"].runtime.database["orders"]
    for number, attention in ((1, "REFUND_DUE"), (2, "STOCK_SHORT"), (3, "REFUND_DUE")):
        await orders.update_one({"_id": f"ord_{number}"}, {"$set": {"attention": attention}})
    for filter_, numbers in (
        ("{attention: [REFUND_DUE]}", [3, 1]),
        ("{attention: [REFUND_DUE, STOCK_SHORT]}", [3, 2, 1]),
        ("{attention: [AMOUNT_DIFFERS], needsAttention: true}", []),
        ("{needsAttention: true}", [3, 2, 1]),
    ):
        answer = await history.order.data(f"{{ orders(filter: {filter_}) {{ nodes {{ number }} }} }}", by=STAFF)
        assert [node["number"] for node in answer["orders"]["nodes"]] == [f"N-{number}" for number in numbers]


async def test_the_list_of_all_orders_is_for_staff(history: Shop, commands: CommandLog) -> None:
    commands.clear()
    assert await history.order.refusals("{ orders { nodes { id } } }", by=ANI) == ["FORBIDDEN"]
    assert await history.order.refusals("{ orders { nodes { id } } }") == ["UNAUTHENTICATED"]
    assert commands.commands == []


async def test_changed_orders_are_given_to_services_page_by_page_and_none_twice(history: Shop) -> None:
    variables: dict[str, Any] = {
        "since": "2026-01-01T01:00:00Z",
        "until": "2026-01-01T08:00:00Z",
        "first": 3,
        "after": None,
    }
    seen = []
    while True:
        page = (await history.order.data(CHANGED, variables, by=SYNC))["changedOrders"]
        seen.append([order["number"] for order in page["orders"]])
        if not page["hasNextPage"]:
            break
        variables["after"] = page["endCursor"]
    assert seen == [["N-1", "N-2", "N-3"], ["N-4", "N-5", "N-6"], ["N-7"]]
    only = {**variables, "after": None, "buyerId": "usr_budi", "first": 100}
    page = (await history.order.data(CHANGED, only, by=SYNC))["changedOrders"]
    assert [order["number"] for order in page["orders"]] == ["N-1", "N-3", "N-5", "N-7"]


async def test_changed_orders_are_refused_to_people(history: Shop) -> None:
    variables = {"since": "2026-01-01T01:00:00Z", "until": "2026-01-01T08:00:00Z", "first": 3}
    for caller in (ANI, STAFF):
        assert await history.order.refusals(CHANGED, variables, by=caller) == ["FORBIDDEN"]
