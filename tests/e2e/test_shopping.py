"""The whole way of an order, over HTTP and against real servers."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from core.ids import new_id
from pasar.seed.people import PASSWORD
from tests.testkit.running import Client, Json, RunningStore, eventually, send

ADDRESS = {
    "recipient": "Rina Wijaya",
    "line1": "Jalan Melati 7",
    "city": "Bandung",
    "postalCode": "40115",
    "country": "ID",
}

REGISTER = """
mutation ($input: RegisterInput!) {
  register(input: $input) {
    __typename
    ... on AuthSession { accessToken tokenType user { id name email roles } }
    ... on InvalidInputProblem { field message }
  }
}
"""
SEARCH = """
query ($search: String!) {
  products(filter: {search: $search}, first: 5) {
    nodes { id sku name price { amount currency } availability { available inStock } unitsSold purchasable }
  }
}
"""
ADD_TO_CART = """
mutation ($id: ID!, $quantity: Int!) {
  addToCart(productId: $id, quantity: $quantity) {
    __typename
    ... on Cart { itemCount lines { quantity product { name } } }
    ... on InvalidInputProblem { field message }
    ... on NotFoundProblem { message }
  }
}
"""
CHECKOUT = """
mutation ($input: CheckoutInput!) {
  checkout(input: $input) {
    __typename
    ... on CheckoutSuccess { payUrl order { id number status total { amount currency } lines { quantity name } } }
    ... on EmptyCartProblem { message }
    ... on StockShortageProblem { shortages { requested available } }
  }
}
"""
ORDER = """
query ($id: ID!) {
  order(id: $id) { status paidAt history { status } payment { status amount { amount } } buyer { email } }
}
"""
STOCK = """
query ($id: ID!) {
  product(id: $id) { availability { available } unitsSold stockLevel { onHand reserved available } }
}
"""
TOTALS = """
query ($from: YearMonth!, $to: YearMonth!) {
  monthlyOrderTotals(from: $from, to: $to) { months { year month orderCount quantity revenue { amount currency } } }
}
"""


def staff_of(store: RunningStore) -> Client:
    return store.client.log_in("staff@pasar.example", PASSWORD)


def register(store: RunningStore, name: str = "Rina Wijaya") -> tuple[Client, Json]:
    """Register somebody new; return a client that speaks for them, and their account."""
    account = {"email": f"{new_id('e2e')}@pasar.example", "password": "korrekte-pferde-batterie", "name": name}
    session = store.client.ask(REGISTER, input=account)["register"]
    assert session["__typename"] == "AuthSession", session
    return store.client.with_token(session["accessToken"]), {**account, **session["user"]}


def monthly_totals(staff: Client) -> dict[tuple[int, int], tuple[int, int, int]]:
    """Return the totals of the last and the present month, so that midnight makes no difference to a test."""
    now = datetime.now(ZoneInfo("Asia/Jakarta"))
    first = f"{now.year - 1}-12" if now.month == 1 else f"{now.year}-{now.month - 1:02}"
    months = staff.ask(TOTALS, **{"from": first, "to": f"{now:%Y-%m}"})["monthlyOrderTotals"]["months"]
    return {
        (month["year"], month["month"]): (month["orderCount"], month["quantity"], month["revenue"]["amount"])
        for month in months
    }


def press(pay_url: str, action: str) -> bytes:
    """Press a button of the pay page and return the page that comes back."""
    page = send(
        pay_url,
        body=urlencode({"action": action}).encode(),
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    assert page.status == 200
    return page.body


def place_order(customer: Client, product_id: str, quantity: int, key: str) -> Json:
    """Put one product into the cart and check out; return the result."""
    cart = customer.ask(ADD_TO_CART, id=product_id, quantity=quantity)["addToCart"]
    assert cart["__typename"] == "Cart", cart
    result: Json = customer.ask(CHECKOUT, input={"idempotencyKey": key, "shippingAddress": ADDRESS})["checkout"]
    return result


def find_product(client: Client, search: str) -> Json:
    """Return the first product that is found."""
    product: Json = client.ask(SEARCH, search=search)["products"]["nodes"][0]
    return product


def test_a_customer_registers_searches_orders_pays_and_is_told(store: RunningStore) -> None:
    staff = staff_of(store)
    customer, account = register(store)
    assert account["roles"] == ["CUSTOMER"]
    assert customer.ask("{ me { name email } }") == {"me": {"name": account["name"], "email": account["email"]}}

    product = find_product(customer, "gayo 500")
    assert product["name"] == "Kopi Arabika Gayo 500 g"
    assert product["purchasable"] is True
    before = staff.ask(STOCK, id=product["id"])["product"]
    totals_before = monthly_totals(staff)

    checkout = place_order(customer, product["id"], 2, "my first order")
    assert checkout["__typename"] == "CheckoutSuccess", checkout
    order = checkout["order"]
    assert order["status"] == "PENDING_PAYMENT"
    assert order["lines"] == [{"quantity": 2, "name": "Kopi Arabika Gayo 500 g"}]
    # 2 x 550 g are two started kilograms
    assert order["total"]["amount"] == 2 * product["price"]["amount"] + 24_000
    reserved = staff.ask(STOCK, id=product["id"])["product"]
    assert reserved["stockLevel"] == {
        "onHand": before["stockLevel"]["onHand"],
        "reserved": before["stockLevel"]["reserved"] + 2,
        "available": before["stockLevel"]["available"] - 2,
    }
    # An order that is not paid is no sale
    assert monthly_totals(staff) == totals_before

    # The same key again, as after a lost answer: the same order
    again = customer.ask(CHECKOUT, input={"idempotencyKey": "my first order", "shippingAddress": ADDRESS})["checkout"]
    assert (again["order"]["id"], again["payUrl"]) == (order["id"], checkout["payUrl"])

    assert order["number"].encode() in send(checkout["payUrl"]).body
    assert b"Paid." in press(checkout["payUrl"], "pay")
    paid = eventually(lambda: customer.ask(ORDER, id=order["id"])["order"], until=lambda seen: seen["status"] == "PAID")
    assert paid["paidAt"] is not None
    assert [entry["status"] for entry in paid["history"]] == ["PENDING_PAYMENT", "PAID"]
    assert paid["payment"] == {"status": "PAID", "amount": {"amount": order["total"]["amount"]}}
    assert paid["buyer"] == {"email": account["email"]}

    after = eventually(
        lambda: staff.ask(STOCK, id=product["id"])["product"],
        until=lambda seen: seen["stockLevel"]["onHand"] == before["stockLevel"]["onHand"] - 2,
    )
    assert after["stockLevel"] == {
        "onHand": before["stockLevel"]["onHand"] - 2,
        "reserved": before["stockLevel"]["reserved"],
        "available": before["stockLevel"]["available"] - 2,
    }
    assert after["unitsSold"] == before["unitsSold"] + 2

    assert difference(totals_before, monthly_totals(staff)) == [(1, 2, order["total"]["amount"])]

    mails = eventually(lambda: store.mails_to(account["email"]), until=bool)
    assert [order["number"] in mail["subject"] + mail["text"] for mail in mails] == [True]
    # Pressing again, as impatient people do, changes nothing
    press(checkout["payUrl"], "pay")
    assert difference(totals_before, monthly_totals(staff)) == [(1, 2, order["total"]["amount"])]


def difference(
    before: dict[tuple[int, int], tuple[int, int, int]], after: dict[tuple[int, int], tuple[int, int, int]]
) -> list[tuple[int, ...]]:
    """Return by how much each month that changed has changed."""
    changes = [
        tuple(new - old for new, old in zip(sums, before.get(month, (0, 0, 0)), strict=True))
        for month, sums in sorted(after.items())
    ]
    return [change for change in changes if any(change)]


def test_a_payment_that_fails_gives_the_stock_back(store: RunningStore) -> None:
    staff = staff_of(store)
    customer, account = register(store)
    product = find_product(customer, "toraja 200")
    before = staff.ask(STOCK, id=product["id"])["product"]
    totals_before = monthly_totals(staff)
    checkout = place_order(customer, product["id"], 3, "k")
    assert staff.ask(STOCK, id=product["id"])["product"]["stockLevel"]["reserved"] == (
        before["stockLevel"]["reserved"] + 3
    )
    press(checkout["payUrl"], "fail")
    ended = eventually(
        lambda: customer.ask(ORDER, id=checkout["order"]["id"])["order"],
        until=lambda seen: seen["status"] != "PENDING_PAYMENT",
    )
    assert ended["status"] in ("CANCELLED", "EXPIRED")
    assert eventually(lambda: staff.ask(STOCK, id=product["id"])["product"], until=lambda seen: seen == before)
    assert monthly_totals(staff) == totals_before
    eventually(lambda: store.mails_to(account["email"]), until=bool)


def test_a_query_over_five_subgraphs_sends_one_batched_request_to_each(store: RunningStore) -> None:
    staff = staff_of(store)
    staff.ask("{ orders(first: 1) { nodes { id } } }")
    before = store.subgraph_requests()
    nodes = staff.ask(
        """
        {
          orders(first: 25) {
            nodes {
              number
              buyer { name email }
              payment { status amount { amount } }
              lines { quantity product { name price { amount } stockLevel { onHand } availability { available } } }
            }
          }
        }
        """
    )["orders"]["nodes"]
    after = store.subgraph_requests()
    assert len(nodes) == 25
    assert all(node["buyer"]["email"] and node["payment"]["status"] for node in nodes)
    assert all(line["product"]["name"] for node in nodes for line in node["lines"])
    assert all(line["product"]["stockLevel"]["onHand"] >= 0 for node in nodes for line in node["lines"])
    assert {name: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name, 0)} == {
        "inventory": 1,
        "order": 1,
        "payment": 1,
        "product": 1,
        "user": 1,
    }


def test_a_stranger_sees_no_order_of_others_and_no_totals(store: RunningStore) -> None:
    customer, _ = register(store)
    checkout = place_order(customer, find_product(customer, "kintamani 200")["id"], 1, "k")
    stranger, _ = register(store, "Budi Lain")
    query = "query ($id: ID!) { order(id: $id) { number } }"
    assert stranger.ask(query, id=checkout["order"]["id"]) == {"order": None}
    assert store.client.ask(query, id=checkout["order"]["id"]) == {"order": None}
    for client, code in ((stranger, "FORBIDDEN"), (store.client, "UNAUTHENTICATED")):
        refusal = client.execute(TOTALS, **{"from": "2026-01", "to": "2026-02"})
        assert (codes_of(refusal), refusal["data"]) == ([code], None)


def codes_of(response: Json) -> list[Any]:
    return [error["extensions"]["code"] for error in response["errors"]]


def test_orders_of_the_seed_end_before_today(store: RunningStore) -> None:
    # What a test adds is told apart from the seed by its day
    newest = staff_of(store).ask(
        "query ($to: DateTime!) { orders(filter: {placedTo: $to}, first: 1) { nodes { placedAt status } } }",
        to=datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0).isoformat(),
    )["orders"]["nodes"]
    assert len(newest) == 1
