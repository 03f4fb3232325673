import asyncio
from typing import Any

import aiohttp
import pytest

from core.identity import ANONYMOUS, Identity, service_identity
from core.key_ring import KeyUnusable
from core.scopes import USERS_READ, scopes_of
from core.subgraph_app import build_subgraph_app
from core.tokens import AssertionVerifier, generate_private_key
from subgraphs.user.app import build
from subgraphs.user.keys import load_token_issuer
from tests.integration.user.conftest import PASSWORD, UserStore, cheap_passwords
from tests.testkit.asgi_server import running_asgi
from tests.testkit.profiler import recorded_queries
from tests.testkit.store import MakeRuntime

USER = "query($id: ID!) { user(id: $id) { id name email phone roles createdAt } }"
ME = "{ me { id name email phone roles } }"
UPDATE = """
mutation($input: UpdateProfileInput!) {
  updateProfile(input: $input) {
    __typename
    ... on User { id name phone }
    ... on InvalidInputProblem { code field }
  }
}
"""
SET_ROLES = """
mutation($id: ID!, $roles: [String!]!) {
  setRoles(userId: $id, roles: $roles) {
    __typename
    ... on User { id roles }
    ... on Problem { code message }
  }
}
"""
ENTITIES = """
query($representations: [_Any!]!) {
  _entities(representations: $representations) { ... on User { id name email phone roles } }
}
"""
STAFF = Identity("usr_staff", frozenset({"STAFF"}), scopes_of(["STAFF"]))
ORDER = service_identity("order")


# -- reading -----------------------------------------------------------------------------------------------------------


async def test_me_is_the_caller_and_nobody_for_others(store: UserStore) -> None:
    profile, ani = await store.add("Ani")
    assert await store.data(ME, by=ani) == {
        "me": {"id": profile.id, "name": "Ani", "email": "ani@example.com", "phone": None, "roles": ["CUSTOMER"]}
    }
    for nobody in (ANONYMOUS, ORDER, Identity("usr_gone")):
        assert await store.data(ME, by=nobody) == {"me": None}


async def test_a_user_is_shown_to_itself_to_staff_and_to_services_only(store: UserStore) -> None:
    profile, ani = await store.add("Ani")
    _, budi = await store.add("Budi")
    for reader in (ani, STAFF, ORDER):
        shown = (await store.data(USER, {"id": profile.id}, by=reader))["user"]
        assert (shown["id"], shown["email"], shown["roles"]) == (profile.id, "ani@example.com", ["CUSTOMER"])
    assert await store.data(USER, {"id": profile.id}, by=budi) == {"user": None}
    assert await store.code(USER, {"id": profile.id}) == "UNAUTHENTICATED"
    assert await store.data(USER, {"id": "usr_none"}, by=STAFF) == {"user": None}


async def test_a_reference_shows_the_name_to_all_and_contact_details_to_few(store: UserStore) -> None:
    profile, ani = await store.add("Ani")
    _, budi = await store.add("Budi")
    await store.data(UPDATE, {"input": {"phone": "+62 812-3456-7890"}}, by=ani)
    reference = {"representations": [{"__typename": "User", "id": profile.id, "unknownKey": 1}]}
    full = {
        "id": profile.id,
        "name": "Ani",
        "email": "ani@example.com",
        "phone": "+6281234567890",
        "roles": ["CUSTOMER"],
    }
    hidden = {"id": profile.id, "name": "Ani", "email": None, "phone": None, "roles": None}
    readers: list[tuple[Identity, dict[str, Any]]] = [
        (ani, full),
        (STAFF, full),
        (ORDER, full),
        (budi, hidden),
        (ANONYMOUS, hidden),
    ]
    for reader, expected in readers:
        assert await store.data(ENTITIES, reference, by=reader) == {"_entities": [expected]}, reader


async def test_many_references_are_one_query(store: UserStore) -> None:
    ids = [(await store.add(f"User{number}"))[0].id for number in range(5)]
    wanted = [*ids, "usr_none", ids[0]]
    references = {"representations": [{"__typename": "User", "id": id_} for id_ in wanted]}
    async with recorded_queries(store.database) as queries:
        found = await store.data(ENTITIES, references, by=ORDER)
    assert [user and user["id"] for user in found["_entities"]] == [*ids, None, ids[0]]
    assert queries == ["users"]


async def test_references_are_for_the_router_only(store: UserStore) -> None:
    profile, ani = await store.add("Ani")
    reference = {"representations": [{"__typename": "User", "id": profile.id}]}
    response = await store.run(ENTITIES, reference, by=ani, trusted=False)
    assert response["data"] is None
    assert response["errors"][0]["extensions"]["code"] == "FORBIDDEN"


USERS = """
query($search: String, $first: Int, $after: String) {
  users(search: $search, first: $first, after: $after) {
    nodes { name email } pageInfo { hasNextPage endCursor }
  }
}
"""


async def test_staff_pages_through_all_users_newest_first(store: UserStore) -> None:
    for name in ("Ani", "Budi", "Citra"):
        await store.add(name)
    first = (await store.data(USERS, {"first": 2}, by=STAFF))["users"]
    assert [node["email"] for node in first["nodes"]] == ["citra@example.com", "budi@example.com"]
    assert first["pageInfo"]["hasNextPage"] is True
    rest = (await store.data(USERS, {"first": 2, "after": first["pageInfo"]["endCursor"]}, by=STAFF))["users"]
    assert [node["name"] for node in rest["nodes"]] == ["Ani"]
    assert rest["pageInfo"]["hasNextPage"] is False


@pytest.mark.parametrize(
    ("search", "names"),
    [
        ("ANI", ["Ani Wijaya"]),
        ("wij", ["Ani Wijaya"]),
        (" ani wij ", ["Ani Wijaya"]),
        ("budi@", ["Budi Santoso"]),
        ("jaya", []),
        (".*", []),
        ("", ["Budi Santoso", "Ani Wijaya"]),
    ],
)
async def test_staff_finds_users_by_the_beginning_of_name_or_address(
    store: UserStore, search: str, names: list[str]
) -> None:
    await store.add("Ani Wijaya")
    await store.add("Budi Santoso")
    found = (await store.data(USERS, {"search": search}, by=STAFF))["users"]["nodes"]
    assert [node["name"] for node in found] == names


async def test_the_search_uses_an_index(store: UserStore) -> None:
    plan = await store.database["users"].find({"search_keys": {"$regex": "^ani"}}).explain()
    assert plan["queryPlanner"]["winningPlan"]["inputStage"]["stage"] == "IXSCAN"


async def test_only_holders_of_the_scope_list_users(store: UserStore) -> None:
    _, ani = await store.add("Ani")
    assert await store.code(USERS, by=ani) == "FORBIDDEN"
    assert await store.code(USERS) == "UNAUTHENTICATED"
    assert await store.code(USERS, {"first": 101}, by=Identity("x", scopes=frozenset({USERS_READ}))) == "BAD_USER_INPUT"


# -- profile -----------------------------------------------------------------------------------------------------------


async def test_a_profile_changes_in_what_is_given_only(store: UserStore) -> None:
    profile, ani = await store.add("Ani")
    steps: list[tuple[dict[str, Any], tuple[str, str | None]]] = [
        ({"phone": "0812 3456 7890"}, ("Ani", "081234567890")),
        ({"name": " Ani  Wijaya "}, ("Ani Wijaya", "081234567890")),
        ({"phone": None}, ("Ani Wijaya", None)),
        ({}, ("Ani Wijaya", None)),
    ]
    for change, expected in steps:
        changed = (await store.data(UPDATE, {"input": change}, by=ani))["updateProfile"]
        assert (changed["id"], changed["name"], changed["phone"]) == (profile.id, *expected)
    events = [row["type"] for row in (await store.snapshot())["outbox"]]
    # The last step changed nothing and so told nothing
    assert events == ["UserRegistered", "UserUpdated", "UserUpdated", "UserUpdated"]
    assert [node["name"] for node in (await store.data(USERS, {"search": "wijaya"}, by=STAFF))["users"]["nodes"]] == [
        "Ani Wijaya"
    ]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"phone": "call me"}, "phone"),
        ({"phone": "12345"}, "phone"),
        ({"phone": "+" + "1" * 16}, "phone"),
        ({"name": "Fine", "phone": ""}, "phone"),
    ],
)
async def test_a_refused_change_changes_nothing(store: UserStore, change: dict[str, Any], field: str) -> None:
    _, ani = await store.add("Ani")
    before = await store.snapshot()
    result = (await store.data(UPDATE, {"input": change}, by=ani))["updateProfile"]
    assert result == {"__typename": "InvalidInputProblem", "code": "BAD_USER_INPUT", "field": field}
    assert await store.snapshot() == before


async def test_a_name_cannot_be_removed(store: UserStore) -> None:
    _, ani = await store.add("Ani")
    before = await store.snapshot()
    assert "errors" in await store.run(UPDATE, {"input": {"name": None}}, by=ani)
    assert await store.snapshot() == before


async def test_an_anonymous_caller_changes_no_profile(store: UserStore) -> None:
    await store.add("Ani")
    before = await store.snapshot()
    assert await store.code(UPDATE, {"input": {"name": "X"}}) == "UNAUTHENTICATED"
    assert await store.code(UPDATE, {"input": {"name": "X"}}, by=Identity("usr_none")) == "NOT_FOUND"
    assert await store.snapshot() == before


async def test_changes_at_the_same_time_are_all_kept(store: UserStore) -> None:
    profile, ani = await store.add("Ani")
    _, admin = await store.add("Root", "ADMIN")
    await asyncio.gather(
        store.data(UPDATE, {"input": {"phone": "0812 3456 7890"}}, by=ani),
        store.data(UPDATE, {"input": {"name": "Ani Wijaya"}}, by=ani),
        store.data(SET_ROLES, {"id": profile.id, "roles": ["STAFF"]}, by=admin),
    )
    row = await store.database["users"].find_one({"_id": profile.id})
    assert row is not None
    assert (row["phone"], row["name"], row["roles"], row["version"]) == (
        "081234567890",
        "Ani Wijaya",
        ["STAFF"],
        4,
    )


# -- keys --------------------------------------------------------------------------------------------------------------


async def test_the_public_keys_are_published_over_http(store: UserStore) -> None:
    app = build_subgraph_app(store.subgraph, AssertionVerifier(b"x" * 32, "user"))
    async with (
        running_asgi(app) as url,
        aiohttp.ClientSession() as session,
        session.get(f"{url}/.well-known/jwks.json") as answer,
    ):
        assert answer.status == 200
        assert answer.headers["cache-control"] == "public, max-age=300"
        assert await answer.json() == load_token_issuer(store.subgraph.runtime.settings).jwks()


async def test_a_subgraph_without_a_usable_key_says_so_and_does_not_start(
    make_runtime: MakeRuntime, store: UserStore, tmp_path: Any
) -> None:
    settings = store.subgraph.runtime.settings
    wrong = tmp_path / "wrong.key"
    wrong.write_bytes(generate_private_key("RS256"))
    cases = [(None, "is not set"), (tmp_path / "none.key", "cannot be read"), (wrong, "not one for EdDSA")]
    for path, sentence in cases:
        runtime = make_runtime("user", settings=settings.model_copy(update={"token_key_file": path}))
        with pytest.raises(KeyUnusable, match=sentence):
            build(runtime, passwords=cheap_passwords())


async def test_accounts_made_by_the_service_can_log_in(store: UserStore) -> None:
    profile = await store.service.create_user(
        email="seller@example.com", password=PASSWORD, name="Seller", roles=["STAFF"]
    )
    tokens = await store.service.log_in(email="seller@example.com", password=PASSWORD)
    assert store.identify(tokens.access_token).subject == profile.id
