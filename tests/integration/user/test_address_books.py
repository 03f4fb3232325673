import asyncio
from typing import Any

import pytest

from core.identity import ANONYMOUS, Identity, service_identity
from core.scopes import scopes_of
from subgraphs.user.accounts.address_book import MAX_ADDRESSES
from tests.integration.user.conftest import UserStore
from tests.testkit.profiler import recorded_queries

SHOWN = "addresses { id isDefault recipient phone line1 line2 city region postalCode country }"
RESULT = f"""{{
    __typename
    ... on User {{ id {SHOWN} }}
    ... on InvalidInputProblem {{ field }}
    ... on Problem {{ code }}
  }}"""
ADD = f"""mutation($input: AddressInput!, $makeDefault: Boolean! = false) {{
  addAddress(input: $input, makeDefault: $makeDefault) {RESULT}
}}"""
UPDATE = f"mutation($id: ID!, $input: AddressInput!) {{ updateAddress(id: $id, input: $input) {RESULT} }}"
REMOVE = f"mutation($id: ID!) {{ removeAddress(id: $id) {RESULT} }}"
SET_DEFAULT = f"mutation($id: ID!) {{ setDefaultAddress(id: $id) {RESULT} }}"
HOME = {
    "recipient": " Ani  Wijaya ",
    "line1": "Jl. Melati 5",
    "city": "Bandung",
    "postalCode": "40111",
    "country": "id",
    "phone": "+62 812 3456 7890",
    "line2": " ",
}
WORK = {**HOME, "line1": "Jl. Asia Afrika 8", "region": "Jawa Barat"}
STAFF = Identity("usr_staff", frozenset({"STAFF"}), scopes_of(["STAFF"]))


async def call(store: UserStore, document: str, by: Identity, **variables: Any) -> dict[str, Any]:
    """Return the one result of a mutation."""
    (result,) = (await store.data(document, variables, by=by)).values()
    assert isinstance(result, dict)
    return result


async def add(store: UserStore, by: Identity, *, default: bool = False, **changes: Any) -> str:
    """Add an address and return its id."""
    result = await call(store, ADD, by, input={**HOME, **changes}, makeDefault=default)
    assert result["__typename"] == "User", result
    address_id: str = result["addresses"][-1]["id"]
    return address_id


async def book(store: UserStore, by: Identity) -> list[tuple[str, bool]]:
    """Return street and number of one's addresses, and which is the default."""
    me = (await store.data(f"{{ me {{ {SHOWN} }} }}", by=by))["me"]
    return [(address["line1"], address["isDefault"]) for address in me["addresses"]]


async def test_an_address_is_tidied_and_the_first_is_the_default(store: UserStore) -> None:
    profile, ani = await store.add("Ani")
    result = await call(store, ADD, ani, input=HOME)
    assert result == {
        "__typename": "User",
        "id": profile.id,
        "addresses": [
            {
                "id": result["addresses"][0]["id"],
                "isDefault": True,
                "recipient": "Ani Wijaya",
                "phone": "+62 812 3456 7890",
                "line1": "Jl. Melati 5",
                "line2": None,
                "city": "Bandung",
                "region": None,
                "postalCode": "40111",
                "country": "ID",
            }
        ],
    }
    assert result["addresses"][0]["id"].startswith("adr_")


async def test_the_book_changes_in_what_is_asked_only(store: UserStore) -> None:
    _, ani = await store.add("Ani")
    home, work = await add(store, ani), await add(store, ani, line1="Work")
    assert await book(store, ani) == [("Jl. Melati 5", True), ("Work", False)]
    await call(store, SET_DEFAULT, ani, id=work)
    assert await book(store, ani) == [("Jl. Melati 5", False), ("Work", True)]
    await add(store, ani, line1="Parents", default=True)
    assert await book(store, ani) == [("Jl. Melati 5", False), ("Work", False), ("Parents", True)]
    await call(store, UPDATE, ani, id=work, input=WORK)
    assert await book(store, ani) == [("Jl. Melati 5", False), ("Jl. Asia Afrika 8", False), ("Parents", True)]
    await call(store, REMOVE, ani, id=home)
    assert await book(store, ani) == [("Jl. Asia Afrika 8", False), ("Parents", True)]


async def test_without_its_default_a_book_has_another_one_as_long_as_there_is_one(store: UserStore) -> None:
    _, ani = await store.add("Ani")
    home, work = await add(store, ani), await add(store, ani, line1="Work")
    await call(store, REMOVE, ani, id=home)
    assert await book(store, ani) == [("Work", True)]
    await call(store, REMOVE, ani, id=work)
    assert await book(store, ani) == []
    await add(store, ani)
    assert await book(store, ani) == [("Jl. Melati 5", True)]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"recipient": " "}, "input.recipient"),
        ({"line1": ""}, "input.line1"),
        ({"city": ""}, "input.city"),
        ({"postalCode": ""}, "input.postalCode"),
        ({"country": "Indonesia"}, "input.country"),
        ({"country": "1D"}, "input.country"),
        ({"line2": "x" * 121}, "input.line2"),
        ({"phone": "x" * 121}, "input.phone"),
    ],
)
async def test_an_address_that_nothing_can_be_shipped_to_changes_nothing(
    store: UserStore, change: dict[str, str], field: str
) -> None:
    _, ani = await store.add("Ani")
    home = await add(store, ani)
    before = await store.snapshot()
    refusal = {"__typename": "InvalidInputProblem", "field": field, "code": "BAD_USER_INPUT"}
    assert await call(store, ADD, ani, input={**HOME, **change}) == refusal
    assert await call(store, UPDATE, ani, id=home, input={**HOME, **change}) == refusal
    assert await store.snapshot() == before


async def test_an_address_of_somebody_else_is_none(store: UserStore) -> None:
    _, ani = await store.add("Ani")
    _, budi = await store.add("Budi")
    home = await add(store, ani)
    await add(store, budi)
    before = await store.snapshot()
    for address_id in (home, "adr_none", ""):
        for document in (REMOVE, SET_DEFAULT):
            result = await call(store, document, budi, id=address_id)
            assert result == {"__typename": "NotFoundProblem", "code": "NOT_FOUND"}
        assert (await call(store, UPDATE, budi, id=address_id, input=WORK))["__typename"] == "NotFoundProblem"
    assert await store.snapshot() == before


async def test_a_book_has_an_end_also_when_many_are_added_at_once(store: UserStore) -> None:
    _, ani = await store.add("Ani")
    adding = [call(store, ADD, ani, input={**HOME, "line1": f"Number {n}"}) for n in range(MAX_ADDRESSES + 10)]
    results = [result["__typename"] for result in await asyncio.gather(*adding)]
    assert (results.count("User"), results.count("ConflictProblem")) == (MAX_ADDRESSES, 10)
    assert len(await book(store, ani)) == MAX_ADDRESSES
    before = await store.snapshot()
    assert (await call(store, ADD, ani, input=HOME))["code"] == "CONFLICT"
    assert await store.snapshot() == before


async def test_addresses_are_shown_to_their_owner_staff_and_services(store: UserStore) -> None:
    profile, ani = await store.add("Ani")
    _, budi = await store.add("Budi")
    await add(store, ani)
    entities = f"""query($r: [_Any!]!) {{ _entities(representations: $r) {{ ... on User {{ {SHOWN} status }} }} }}"""
    reference = {"r": [{"__typename": "User", "id": profile.id}]}
    for reader, seen in ((ani, 1), (STAFF, 1), (service_identity("order"), 1), (budi, None), (ANONYMOUS, None)):
        (user,) = (await store.data(entities, reference, by=reader))["_entities"]
        assert (user["addresses"] and len(user["addresses"])) == seen, reader
        assert user["status"] == ("ACTIVE" if seen else None)


async def test_the_books_of_many_are_one_query(store: UserStore) -> None:
    for name in ("Ani", "Budi", "Citra"):
        _, identity = await store.add(name)
        await add(store, identity)
    async with recorded_queries(store.database) as queries:
        nodes = (await store.data(f"{{ users {{ nodes {{ {SHOWN} }} }} }}", by=STAFF))["users"]["nodes"]
    assert [len(node["addresses"]) for node in nodes] == [1, 1, 1]
    assert queries == ["users", "users"]


async def test_only_an_account_has_a_book(store: UserStore) -> None:
    await store.add("Ani")
    before = await store.snapshot()
    for identity, code in (
        (ANONYMOUS, "UNAUTHENTICATED"),
        (service_identity("order"), "FORBIDDEN"),
    ):
        for document, variables in (
            (ADD, {"input": HOME}),
            (UPDATE, {"id": "adr_1", "input": HOME}),
            (REMOVE, {"id": "adr_1"}),
            (SET_DEFAULT, {"id": "adr_1"}),
        ):
            assert await store.code(document, variables, by=identity) == code
    assert await store.snapshot() == before


async def test_no_event_and_no_audit_entry_tells_of_addresses(store: UserStore) -> None:
    _, ani = await store.add("Ani")
    await add(store, ani)
    stored = await store.snapshot()
    assert [row["type"] for row in stored["outbox"]] == ["UserRegistered"]
    assert stored["audit_entries"] == []
