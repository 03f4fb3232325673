"""What is wrong is told with a code, and nothing is half-written."""

import json
from typing import Any

import pytest

from core.ids import new_id
from tests.e2e.test_shopping import REGISTER, STOCK, codes_of, find_product, register, staff_of
from tests.testkit.running import RunningStore, eventually, pasar, send


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{ me { id }", 400, "BAD_REQUEST"),
        (b"[]", 400, "BAD_REQUEST"),
        (b"{}", 400, "BAD_REQUEST"),
        (json.dumps({"query": "{ me { id "}).encode(), 400, "GRAPHQL_PARSE_FAILED"),
        (json.dumps({"query": "{ me { shoeSize } }"}).encode(), 400, "GRAPHQL_VALIDATION_FAILED"),
        (
            json.dumps({"query": "query ($id: ID!) { product(id: $id) { id } }", "variables": {"id": {}}}).encode(),
            400,
            "BAD_USER_INPUT",
        ),
        (
            json.dumps({"query": "{ me { id } }", "variables": {"x": "y" * 2_000_000}}).encode(),
            413,
            "BAD_REQUEST",
        ),
    ],
    ids=["no JSON", "a list", "no query", "does not parse", "unknown field", "wrong variable", "too large"],
)
def test_a_request_that_cannot_be_read_is_refused(store: RunningStore, body: bytes, status: int, code: str) -> None:
    answer = send(
        store.client.url,
        body=body,
        headers={"content-type": "application/json", "accept": "application/graphql-response+json"},
    )
    assert (answer.status, codes_of(answer.json)) == (status, [code])
    assert "data" not in answer.json


@pytest.mark.parametrize("token", ["nonsense", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1c3JfMSJ9."])
def test_a_token_that_is_not_ours_is_refused_and_never_taken_for_anonymous(store: RunningStore, token: str) -> None:
    answer = store.client.with_token(token).send("{ products(first: 1) { nodes { id } } }")
    assert (answer.status, codes_of(answer.json)) == (401, ["UNAUTHENTICATED"])
    assert "data" not in answer.json


def test_a_token_of_another_store_is_refused(store: RunningStore, tmp_path: Any) -> None:
    stranger = pasar("token", "--role", "ADMIN", "--data", str(tmp_path))
    assert stranger.returncode == 0
    answer = store.client.with_token(stranger.stdout.strip()).send("{ me { id } }")
    assert (answer.status, codes_of(answer.json)) == (401, ["UNAUTHENTICATED"])


def test_a_development_token_of_this_store_is_accepted(store: RunningStore) -> None:
    made = pasar("token", "--role", "STAFF", "--data", str(store.data))
    totals = store.client.with_token(made.stdout.strip()).ask(
        '{ monthlyOrderTotals(from: "2020-01", to: "2020-01") { months { orderCount } } }'
    )
    assert totals == {"monthlyOrderTotals": {"months": [{"orderCount": 0}]}}


def test_a_wrong_password_tells_no_more_than_an_unknown_address(store: RunningStore) -> None:
    login = "mutation ($input: LoginInput!) { login(input: $input) { __typename ... on Problem { code message } } }"
    answers = [
        store.client.ask(login, input={"email": email, "password": "not it at all"})["login"]
        for email in ("staff@pasar.example", "nobody@pasar.example")
    ]
    assert (
        answers
        == [
            {
                "__typename": "InvalidCredentialsProblem",
                "code": "INVALID_CREDENTIALS",
                "message": "e-mail address or password is wrong",
            }
        ]
        * 2
    )


def test_a_second_registration_of_an_address_tells_its_holder_and_nobody_else(store: RunningStore) -> None:
    _, account = register(store)
    given = {"email": account["email"].upper(), "password": "korrekte-pferde-batterie", "name": "Somebody Else"}
    new = {**given, "email": f"{new_id('e2e')}@pasar.example"}
    answers = [store.client.ask(REGISTER, input=each)["register"] for each in (given, new)]
    assert answers[0] == answers[1]
    subjects = eventually(
        lambda: [mail["subject"] for mail in store.mails_to(account["email"])], until=lambda seen: len(seen) > 1
    )
    assert subjects == ["You already have an account", "Confirm your e-mail address"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"email": "no address"}, "email"),
        ({"password": "short"}, "password"),
        ({"password": "Password123!"}, "password"),
        ({"name": " "}, "name"),
    ],
)
def test_an_account_with_a_bad_value_is_not_made(store: RunningStore, change: dict[str, str], field: str) -> None:
    good = {"email": f"{new_id('e2e')}@pasar.example", "password": "korrekte-pferde-batterie", "name": "Rina"}
    refusal = store.client.ask(REGISTER, input={**good, **change})["register"]
    assert (refusal["__typename"], refusal["field"]) == ("InvalidInputProblem", field)
    assert store.client.ask(REGISTER, input=good)["register"]["__typename"] == "RegistrationAccepted"


@pytest.mark.parametrize("quantity", [0, -1])
def test_a_quantity_below_one_is_refused_and_the_cart_stays_empty(store: RunningStore, quantity: int) -> None:
    customer, _ = register(store)
    product_id = find_product(customer, "gayo 200")["id"]
    add = (
        "mutation ($id: ID!, $q: Int!) { addToCart(productId: $id, quantity: $q)"
        " { __typename ... on Problem { code } ... on InvalidInputProblem { field } } }"
    )
    assert customer.ask(add, id=product_id, q=quantity)["addToCart"] == {
        "__typename": "InvalidInputProblem",
        "code": "BAD_USER_INPUT",
        "field": "quantity",
    }
    assert customer.ask("{ cart { itemCount } }") == {"cart": {"itemCount": 0}}


def test_an_unknown_product_is_refused_and_the_cart_stays_empty(store: RunningStore) -> None:
    customer, _ = register(store)
    add = 'mutation { addToCart(productId: "prd_nothing", quantity: 1) { __typename } }'
    assert customer.ask(add) == {"addToCart": {"__typename": "NotFoundProblem"}}
    assert customer.ask("{ cart { itemCount } }") == {"cart": {"itemCount": 0}}
    assert customer.ask("{ me { orders(first: 1) { nodes { id } } } }") == {"me": {"orders": {"nodes": []}}}


def test_more_than_there_is_cannot_be_ordered_and_nothing_stays_reserved(store: RunningStore) -> None:
    customer, _ = register(store)
    staff = staff_of(store)
    product = find_product(customer, "toraja 500")
    before = staff.ask(STOCK, id=product["id"])["product"]
    set_quantity = "mutation ($id: ID!, $q: Int!) { addToCart(productId: $id, quantity: $q) { __typename } }"
    too_many = before["stockLevel"]["available"] + 1
    assert customer.ask(set_quantity, id=product["id"], q=too_many)["addToCart"]["__typename"] == "Cart"
    checkout = customer.ask(
        'mutation { checkout(input: {idempotencyKey: "k", shippingAddress: {recipient: "R", line1: "L", city: "C",'
        ' postalCode: "1", country: "ID"}}) { __typename ... on StockShortageProblem {'
        " shortages { requested available } } } }"
    )["checkout"]
    assert checkout == {
        "__typename": "StockShortageProblem",
        "shortages": [{"requested": too_many, "available": before["stockLevel"]["available"]}],
    }
    assert staff.ask(STOCK, id=product["id"])["product"] == before
    assert customer.ask("{ me { orders(first: 1) { nodes { id } } } }") == {"me": {"orders": {"nodes": []}}}


def test_a_price_with_too_many_decimals_makes_no_product(store: RunningStore) -> None:
    staff = staff_of(store)
    create = (
        "mutation ($input: CreateProductInput!) { createProduct(input: $input)"
        " { __typename ... on InvalidInputProblem { field message } } }"
    )
    sku = new_id("SKU")
    given = {"sku": sku, "name": "Kopi", "price": {"decimal": "10.5", "currency": "IDR"}}
    refusal = staff.ask(create, input=given)["createProduct"]
    assert refusal["__typename"] == "InvalidInputProblem"
    assert "10.5 has more than the 0 decimals of IDR" in refusal["message"]
    assert staff.ask("query ($sku: String!) { product(sku: $sku) { id } }", sku=sku) == {"product": None}


def test_an_in_house_operation_is_not_part_of_the_graph(store: RunningStore) -> None:
    staff = staff_of(store)
    for query in (
        'mutation { commitStock(orderId: "ord_1") { status } }',
        "{ _entities(representations: []) { __typename } }",
        "{ _service { sdl } }",
    ):
        answer = staff.send(query)
        assert (answer.status, codes_of(answer.json)) == (400, ["GRAPHQL_VALIDATION_FAILED"])


def test_a_second_store_on_the_same_folder_or_port_is_refused_in_one_sentence(
    store: RunningStore, tmp_path: Any
) -> None:
    port = store.url.rsplit(":", 1)[1]
    same_port = pasar("up", "--data", str(tmp_path), "--port", port)
    assert same_port.returncode == 1
    assert same_port.stderr.splitlines()[-1].startswith(f"error [PORT_TAKEN] port {port} on 127.0.0.1 is taken by")
    same_folder = pasar("up", "--data", str(store.data), "--port", "0")
    assert same_folder.returncode == 1
    assert "error [DATA_FOLDER_LOCKED]" in same_folder.stderr
    # And the first one goes on
    assert store.client.ask("{ __typename }") == {"__typename": "Query"}


def test_a_folder_that_cannot_be_written_is_refused_in_one_sentence(tmp_path: Any) -> None:
    (tmp_path / "file").write_text("")
    result = pasar("up", "--data", str(tmp_path / "file" / "data"), "--port", "0")
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].startswith("error [DATA_FOLDER_NOT_WRITABLE] data folder ")


def test_without_a_mongod_one_sentence_says_what_to_do(tmp_path: Any) -> None:
    missing = tmp_path / "mongod"
    result = pasar("up", "--data", str(tmp_path / "data"), "--port", "0", PASAR_MONGOD_BIN=str(missing))
    assert result.returncode == 1
    assert result.stderr.splitlines() == [
        f"error [MONGOD_UNAVAILABLE] PASAR_MONGOD_BIN is {missing}, which is not an executable file"
    ]
    unreachable = pasar(
        "up",
        "--data",
        str(tmp_path / "data"),
        "--port",
        "0",
        PASAR_MONGODB_URI="mongodb://user:s3cret@127.0.0.1:1/?replicaSet=rs0",
    )
    assert unreachable.returncode == 1
    assert "error [MONGODB_UNUSABLE] the MongoDB of PASAR_MONGODB_URI does not answer" in unreachable.stderr
    assert "s3cret" not in unreachable.stderr
