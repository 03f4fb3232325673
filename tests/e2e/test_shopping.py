"""The whole way of an order, over HTTP and against real servers."""

import json
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
    ... on RegistrationAccepted { message }
    ... on InvalidInputProblem { field message }
  }
}
"""
VERIFY = """
mutation ($input: VerifyEmailInput!) {
  verifyEmail(input: $input) {
    __typename
    ... on AuthSession { accessToken tokenType user { id name email roles } }
    ... on Problem { code message }
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
    """Register somebody new and confirm the address; return a client that speaks for them, and their account."""
    account = {"email": f"{new_id('e2e')}@pasar.example", "password": "korrekte-pferde-batterie", "name": name}
    accepted = store.client.ask(REGISTER, input=account)["register"]
    assert accepted["__typename"] == "RegistrationAccepted", accepted
    given = {"token": mail_token(store, account["email"]), "password": account["password"]}
    session = store.client.ask(VERIFY, input=given)["verifyEmail"]
    assert session["__typename"] == "AuthSession", session
    return store.client.with_token(session["accessToken"]), {**account, **session["user"]}


def mail_token(store: RunningStore, address: str, subject: str = "Confirm your e-mail address") -> str:
    """Return the token of the letter with *subject* to an address, as soon as it is in the mailbox."""

    def look() -> list[str]:
        return [mail["text"] for mail in store.mails_to(address) if mail["subject"] == subject]

    text = eventually(look, until=bool)[0]
    return next(line.removeprefix("Token: ") for line in text.splitlines() if line.startswith("Token: "))


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

    mails = eventually(lambda: store.mails_to(account["email"]), until=lambda seen: len(seen) > 1)
    # After the one with which the address was confirmed
    assert [order["number"] in mail["subject"] + mail["text"] for mail in mails] == [True, False]
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


def test_a_forgotten_password_is_reset_by_mail(store: RunningStore) -> None:
    _, account = register(store)
    ask = """
    mutation ($email: String!) {
      requestPasswordReset(email: $email) { __typename ... on PasswordResetRequested { message } }
    }
    """
    answers = [
        store.client.ask(ask, email=email)["requestPasswordReset"]
        for email in (account["email"], f"{new_id('nobody')}@pasar.example")
    ]
    assert answers[0] == answers[1]
    reset = "mutation ($input: ResetPasswordInput!) { resetPassword(input: $input) { __typename } }"
    given = {
        "token": mail_token(store, account["email"], "Reset your password"),
        "newPassword": "andere-pferde-batterie",
    }
    results = [store.client.ask(reset, input=given)["resetPassword"]["__typename"] for _ in range(2)]
    assert results == ["PasswordChanged", "InvalidMailTokenProblem"]
    again = store.client.log_in(account["email"], "andere-pferde-batterie")
    assert again.ask("{ me { id } }") == {"me": {"id": account["id"]}}
    eventually(
        lambda: [mail["subject"] for mail in store.mails_to(account["email"])],
        until=lambda subjects: "Your password was changed" in subjects,
    )


def test_a_person_reads_all_that_the_store_knows_and_is_forgotten(store: RunningStore) -> None:
    customer, account = register(store)
    order = place_order(customer, find_product(customer, "gayo 200")["id"], 1, "k")["order"]
    password = account["password"]
    erase = "mutation ($p: String!) { eraseAccount(password: $p) { __typename } }"
    assert customer.ask(erase, p=password) == {"eraseAccount": {"__typename": "ConflictProblem"}}
    customer.ask("mutation ($id: ID!) { cancelOrder(id: $id) { __typename } }", id=order["id"])

    customer.ask("mutation ($p: String!) { requestDataExport(password: $p) { __typename } }", p=password)
    count = eventually(
        lambda: customer.ask("{ dataExport { status partCount } }")["dataExport"],
        until=lambda export: export["status"] == "READY",
    )["partCount"]
    parts = [
        json.loads(customer.ask("query ($n: Int!) { dataExport { part(number: $n) } }", n=number)["dataExport"]["part"])
        for number in range(1, count + 1)
    ]
    assert [part["part"] for part in parts] == ["account", "orders", "sync_schedules"]
    assert parts[0]["account"]["email"] == account["email"]
    assert [each["number"] for each in parts[1]["orders"]] == [order["number"]]

    assert customer.ask(erase, p=password) == {"eraseAccount": {"__typename": "AccountErased"}}
    staff = staff_of(store)
    buyer = "query ($id: ID!) { order(id: $id) { buyer { name email } shippingAddress { recipient line1 city } } }"
    assert eventually(
        lambda: staff.ask(buyer, id=order["id"])["order"],
        until=lambda seen: seen["shippingAddress"]["recipient"] != ADDRESS["recipient"],
    ) == {
        "buyer": {"name": "Erased user", "email": None},
        "shippingAddress": {"recipient": "erased", "line1": "erased", "city": "Bandung"},
    }


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
    number = checkout["order"]["number"]
    eventually(
        lambda: [mail["subject"] for mail in store.mails_to(account["email"])],
        until=lambda subjects: any(number in subject for subject in subjects),
    )


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
    # Some of them may be erased, and have no address any more
    assert all(node["buyer"]["name"] and node["payment"]["status"] for node in nodes)
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
