import asyncio

import pytest

from core.identity import Role
from tests.integration.user.conftest import NOW, PASSWORD, UserStore

REGISTER = """
mutation($input: RegisterInput!) {
  register(input: $input) {
    __typename
    ... on AuthSession { accessToken refreshToken tokenType expiresAt user { id name email phone roles createdAt } }
    ... on InvalidInputProblem { code message field }
    ... on EmailTakenProblem { code message }
  }
}
"""


def new_account(**changes: str) -> dict[str, dict[str, str]]:
    return {"input": {"email": "Ani@Example.com", "password": PASSWORD, "name": "  Ani   Wijaya ", **changes}}


async def test_a_customer_registers_and_is_logged_in(store: UserStore) -> None:
    session = (await store.data(REGISTER, new_account()))["register"]
    identity = store.identify(session["accessToken"])
    assert session == {
        "__typename": "AuthSession",
        "accessToken": session["accessToken"],
        "refreshToken": session["refreshToken"],
        "tokenType": "Bearer",
        "expiresAt": "2040-05-01T12:10:00.000Z",
        "user": {
            "id": identity.subject,
            "name": "Ani Wijaya",
            "email": "Ani@Example.com",
            "phone": None,
            "roles": ["CUSTOMER"],
            "createdAt": "2040-05-01T12:00:00.000Z",
        },
    }
    assert identity.roles == {"CUSTOMER"}
    assert identity.scopes == frozenset()
    assert store.cookies == []


async def test_the_password_is_stored_as_argon2id_only(store: UserStore) -> None:
    await store.data(REGISTER, new_account())
    (row,) = (await store.snapshot())["users"]
    assert row["password_hash"].startswith("$argon2id$v=19$")
    assert PASSWORD not in str(await store.snapshot())


async def test_tokens_are_not_stored(store: UserStore) -> None:
    session = (await store.data(REGISTER, new_account()))["register"]
    stored = str(await store.snapshot())
    assert session["accessToken"] not in stored
    assert session["refreshToken"] not in stored


async def test_a_registration_is_announced_with_the_account(store: UserStore) -> None:
    session = (await store.data(REGISTER, new_account()))["register"]
    (event,) = (await store.snapshot())["outbox"]
    assert (event["type"], event["subject"], event["occurred_at"]) == ("UserRegistered", session["user"]["id"], NOW)
    assert event["payload"] == {"user_id": session["user"]["id"], "name": "Ani Wijaya", "roles": ["CUSTOMER"]}


@pytest.mark.parametrize(
    "spelling", ["ani@example.com", "ANI@EXAMPLE.COM", " ani@example.com ", "ani@Example.COM", "a\uff4ei@example.com"]
)
async def test_another_spelling_of_an_address_is_taken(store: UserStore, spelling: str) -> None:
    await store.data(REGISTER, new_account())
    before = await store.snapshot()
    result = (await store.data(REGISTER, new_account(email=spelling)))["register"]
    assert result["__typename"] == "EmailTakenProblem"
    assert result["code"] == "EMAIL_TAKEN"
    assert await store.snapshot() == before


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", ""),
        ("email", "ani"),
        ("email", "ani@localhost"),
        ("email", "ani@example.com\r\nBcc: all@example.com"),
        ("email", "a" * 250 + "@example.com"),
        ("name", " \t "),
        ("name", "x" * 101),
        ("name", "Ani\u202e"),
        ("password", "1234567"),
        ("password", "x" * 257),
        ("password", "ani@example.COM"),
    ],
)
async def test_a_value_that_cannot_be_accepted_is_named_and_nothing_is_written(
    store: UserStore, field: str, value: str
) -> None:
    result = (await store.data(REGISTER, new_account(**{field: value})))["register"]
    assert (result["__typename"], result["code"], result["field"]) == ("InvalidInputProblem", "BAD_USER_INPUT", field)
    assert not any((await store.snapshot()).values())


async def test_fifty_registrations_of_one_address_make_one_account(store: UserStore) -> None:
    spellings = ["ani@example.com", "Ani@Example.com", "ANI@EXAMPLE.COM", "aNi@example.com", "anI@example.com"]
    results = await asyncio.gather(*(store.data(REGISTER, new_account(email=spelling)) for spelling in spellings * 10))
    outcomes = [result["register"]["__typename"] for result in results]
    assert outcomes.count("AuthSession") == 1
    assert outcomes.count("EmailTakenProblem") == 49
    stored = await store.snapshot()
    assert {name: len(rows) for name, rows in stored.items() if rows} == {
        "users": 1,
        "sessions": 1,
        "refresh_tokens": 1,
        "outbox": 1,
    }
    (winner,) = [result["register"] for result in results if result["register"]["__typename"] == "AuthSession"]
    assert store.identify(winner["accessToken"]).subject == stored["users"][0]["_id"]


async def test_accounts_with_other_roles_are_created_by_the_service_only(store: UserStore) -> None:
    admin = await store.service.create_user(
        email="root@example.com", password=PASSWORD, name="Root", roles=[Role.ADMIN, Role.STAFF, Role.STAFF]
    )
    assert admin.roles == ("ADMIN", "STAFF")
    response = await store.run(REGISTER, {"input": {**new_account()["input"], "roles": ["ADMIN"]}})
    assert response["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert len((await store.snapshot())["users"]) == 1
