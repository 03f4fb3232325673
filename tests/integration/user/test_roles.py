"""Roles: assigned by administrators only, made up out of scopes, and never without an administrator left."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from core.identity import ANONYMOUS, Identity, service_identity
from core.scopes import ADMIN_SCOPES, ASSIGNABLE_SCOPES, ROLE_SCOPES, USERS_WRITE, scopes_of
from core.tokens import read_token_family
from subgraphs.user.audit import AUDIT
from subgraphs.user.revocations import RevocationList
from tests.integration.user.conftest import PASSWORD, UserStore

STAFF = Identity("usr_staff", frozenset({"STAFF"}), scopes_of(["STAFF"]))
ORDER = service_identity("order")

SET_ROLES = """
mutation($id: ID!, $roles: [String!]!) {
  setRoles(userId: $id, roles: $roles) {
    __typename
    ... on User { id roles scopes }
    ... on Problem { code message }
    ... on InvalidInputProblem { field }
  }
}
"""
CREATE = """
mutation($input: CreateRoleInput!) {
  createRole(input: $input) {
    __typename
    ... on Role { name description scopes isBuiltIn }
    ... on Problem { code message }
    ... on InvalidInputProblem { field }
  }
}
"""
UPDATE = CREATE.replace("createRole", "updateRole").replace("CreateRole", "UpdateRole")
DELETE = """
mutation($name: String!) {
  deleteRole(name: $name) { __typename ... on RoleDeleted { name } ... on Problem { code message } }
}
"""
ROLES = "{ roles { name scopes isBuiltIn } }"
LOGIN = """
mutation($input: LoginInput!) { login(input: $input) { ... on AuthSession { accessToken refreshToken } } }
"""
REFRESH = "mutation($t: String!) { refresh(refreshToken: $t) { ... on AuthSession { accessToken refreshToken } } }"
WAREHOUSE = {"name": "WAREHOUSE", "description": "Counts stock.", "scopes": ["inventory:write", "inventory:read"]}


async def everything(store: UserStore) -> dict[str, Any]:
    return {**await store.snapshot(), "roles": await store.database["roles"].find().sort("_id").to_list()}


async def actions(store: UserStore) -> list[tuple[str, str | None, str | None, dict[str, Any]]]:
    rows = await store.database[AUDIT].find({"action": {"$regex": "^ROLE"}}).sort("_id", 1).to_list()
    return [(row["action"], row["user_id"], row["target"], row["details"]) for row in rows]


# -- assigned ----------------------------------------------------------------------------------------------------------


async def test_an_administrator_assigns_roles(store: UserStore) -> None:
    profile, _ = await store.add("Ani")
    _, admin = await store.add("Root", "ADMIN")
    changed = await store.data(SET_ROLES, {"id": profile.id, "roles": ["STAFF", "CUSTOMER", "STAFF"]}, by=admin)
    assert changed["setRoles"] == {
        "__typename": "User",
        "id": profile.id,
        "roles": ["CUSTOMER", "STAFF"],
        "scopes": sorted(ROLE_SCOPES["STAFF"]),
    }
    event = (await store.snapshot())["outbox"][-1]
    assert (event["type"], event["payload"]) == (
        "UserUpdated",
        {"user_id": profile.id, "name": "Ani", "roles": ["CUSTOMER", "STAFF"]},
    )
    assert await actions(store) == [("ROLES_CHANGED", profile.id, None, {"roles": "CUSTOMER STAFF"})]
    # The same again changes nothing, and so is not noted
    before = await everything(store)
    await store.data(SET_ROLES, {"id": profile.id, "roles": ["CUSTOMER", "STAFF"]}, by=admin)
    assert await everything(store) == before


async def test_nobody_else_assigns_roles(store: UserStore) -> None:
    profile, ani = await store.add("Ani")
    _, staff = await store.add("Sari", "STAFF")
    before = await everything(store)
    asked = {"id": profile.id, "roles": ["ADMIN"]}
    assert await store.code(SET_ROLES, asked) == "UNAUTHENTICATED"
    for refused in (ani, staff, ORDER, Identity("usr_x", frozenset({"ADMIN"}))):
        assert await store.code(SET_ROLES, asked, by=refused) == "FORBIDDEN"
    assert await everything(store) == before


async def test_nobody_changes_their_own_roles(store: UserStore) -> None:
    profile, admin = await store.add("Root", "ADMIN")
    before = await everything(store)
    result = (await store.data(SET_ROLES, {"id": profile.id, "roles": ["CUSTOMER"]}, by=admin))["setRoles"]
    assert (result["__typename"], result["code"]) == ("ConflictProblem", "CONFLICT")
    assert await everything(store) == before


@pytest.mark.parametrize("roles", [[], ["SERVICE"], ["STAFF", "ROOT"], ["staff"], ["\u0410DMIN"]])
async def test_roles_that_cannot_be_are_refused(store: UserStore, roles: list[str]) -> None:
    profile, _ = await store.add("Ani")
    _, admin = await store.add("Root", "ADMIN")
    before = await everything(store)
    refused = (await store.data(SET_ROLES, {"id": profile.id, "roles": roles}, by=admin))["setRoles"]
    assert (refused["__typename"], refused["code"], refused["field"]) == (
        "InvalidInputProblem",
        "BAD_USER_INPUT",
        "roles",
    )
    unknown = (await store.data(SET_ROLES, {"id": "usr_none", "roles": ["STAFF"]}, by=admin))["setRoles"]
    assert (unknown["__typename"], unknown["code"]) == ("NotFoundProblem", "NOT_FOUND")
    assert await everything(store) == before


async def test_the_last_administrator_stays_one(store: UserStore) -> None:
    root, _ = await store.add("Root", "ADMIN")
    # A token that was signed with the store's own key, for an account that does not exist
    outside = Identity("usr_dev", frozenset({"ADMIN"}), scopes_of(["ADMIN"]))
    before = await everything(store)
    refused = (await store.data(SET_ROLES, {"id": root.id, "roles": ["CUSTOMER"]}, by=outside))["setRoles"]
    assert (refused["__typename"], refused["message"]) == (
        "ConflictProblem",
        "this is the last administrator; make somebody else one first",
    )
    assert await everything(store) == before
    await store.add("Second", "ADMIN")
    changed = (await store.data(SET_ROLES, {"id": root.id, "roles": ["CUSTOMER"]}, by=outside))["setRoles"]
    assert changed["__typename"] == "User"


async def test_an_administrator_who_cannot_log_in_is_not_one_who_is_left(store: UserStore) -> None:
    root, _ = await store.add("Root", "ADMIN")
    gone, _ = await store.add("Gone", "ADMIN")
    await store.database["users"].update_one({"_id": gone.id}, {"$set": {"status": "SUSPENDED"}})
    outside = Identity("usr_dev", frozenset({"ADMIN"}), scopes_of(["ADMIN"]))
    refused = (await store.data(SET_ROLES, {"id": root.id, "roles": ["CUSTOMER"]}, by=outside))["setRoles"]
    assert refused["code"] == "CONFLICT"
    assert await store.database["users"].count_documents({"_id": root.id, "roles": "ADMIN"}) == 1


@pytest.mark.parametrize("attempt", range(5))
async def test_two_administrators_who_demote_each_other_at_the_same_moment_leave_one(
    store: UserStore, attempt: int
) -> None:
    first, one = await store.add("One", "ADMIN")
    second, two = await store.add("Two", "ADMIN")
    responses = await asyncio.gather(
        store.run(SET_ROLES, {"id": second.id, "roles": ["CUSTOMER"]}, by=one),
        store.run(SET_ROLES, {"id": first.id, "roles": ["CUSTOMER"]}, by=two),
    )
    assert await store.database["users"].count_documents({"roles": "ADMIN"}) == 1
    # Whoever came second is no administrator any more, whatever the token says
    outcomes = Counter("errors" in response and response["errors"][0]["extensions"]["code"] for response in responses)
    assert outcomes == {False: 1, "FORBIDDEN": 1}
    assert len(await actions(store)) == 1


async def test_ten_administrators_who_demote_each_other_in_a_ring_leave_at_least_one(store: UserStore) -> None:
    admins = [await store.add(f"Admin{number}", "ADMIN") for number in range(10)]
    await asyncio.gather(
        *(
            store.run(SET_ROLES, {"id": admins[(number + 1) % 10][0].id, "roles": ["CUSTOMER"]}, by=identity)
            for number, (_, identity) in enumerate(admins)
        )
    )
    assert await store.database["users"].count_documents({"roles": "ADMIN"}) >= 1


async def test_a_demoted_administrator_cannot_undo_it_with_the_old_token(store: UserStore) -> None:
    fallen, old = await store.add("Fallen", "ADMIN")
    friend, _ = await store.add("Friend")
    _, root = await store.add("Root", "ADMIN")
    await store.data(SET_ROLES, {"id": fallen.id, "roles": ["CUSTOMER"]}, by=root)
    before = await everything(store)
    for document, variables in (
        (SET_ROLES, {"id": friend.id, "roles": ["ADMIN"]}),
        (CREATE, {"input": WAREHOUSE}),
        (UPDATE, {"input": WAREHOUSE}),
        (DELETE, {"name": "WAREHOUSE"}),
    ):
        assert await store.code(document, variables, by=old) == "FORBIDDEN"
    assert await everything(store) == before


# -- made up -----------------------------------------------------------------------------------------------------------


async def test_a_made_up_role_gives_its_scopes_with_the_next_access_token(store: UserStore) -> None:
    _, admin = await store.add("Root", "ADMIN")
    ani, _ = await store.add("Ani")
    credentials = {"input": {"email": "ani@example.com", "password": PASSWORD}}
    session = (await store.data(LOGIN, credentials))["login"]
    assert store.identify(session["accessToken"]).scopes == frozenset()
    created = (await store.data(CREATE, {"input": WAREHOUSE}, by=admin))["createRole"]
    assert created == {
        "__typename": "Role",
        **WAREHOUSE,
        "scopes": ["inventory:read", "inventory:write"],
        "isBuiltIn": False,
    }
    given = await store.data(SET_ROLES, {"id": ani.id, "roles": ["CUSTOMER", "WAREHOUSE"]}, by=admin)
    assert given["setRoles"]["scopes"] == ["inventory:read", "inventory:write"]
    session = (await store.data(REFRESH, {"t": session["refreshToken"]}))["refresh"]
    identity = store.identify(session["accessToken"])
    assert identity.roles == {"CUSTOMER", "WAREHOUSE"}
    assert identity.scopes == {"inventory:read", "inventory:write"}
    assert not identity.is_staff
    changes = {"name": "WAREHOUSE", "scopes": ["inventory:read"]}
    await store.data(UPDATE, {"input": changes}, by=admin)
    session = (await store.data(REFRESH, {"t": session["refreshToken"]}))["refresh"]
    assert store.identify(session["accessToken"]).scopes == {"inventory:read"}
    assert store.identify((await store.data(LOGIN, credentials))["login"]["accessToken"]).scopes == {"inventory:read"}
    assert await actions(store) == [
        ("ROLE_CREATED", None, "WAREHOUSE", {"scopes": "inventory:read inventory:write"}),
        ("ROLES_CHANGED", ani.id, None, {"roles": "CUSTOMER WAREHOUSE"}),
        ("ROLE_UPDATED", None, "WAREHOUSE", {"scopes": "inventory:read"}),
    ]


async def test_only_administrators_make_up_change_and_delete_roles(store: UserStore) -> None:
    _, ani = await store.add("Ani")
    _, admin = await store.add("Root", "ADMIN")
    await store.data(CREATE, {"input": WAREHOUSE}, by=admin)
    before = await everything(store)
    for document, variables in (
        (CREATE, {"input": {**WAREHOUSE, "name": "OTHER"}}),
        (UPDATE, {"input": {"name": "WAREHOUSE", "scopes": ["orders:read"]}}),
        (DELETE, {"name": "WAREHOUSE"}),
    ):
        assert await store.code(document, variables) == "UNAUTHENTICATED"
        for refused in (ani, STAFF, ORDER):
            assert await store.code(document, variables, by=refused) == "FORBIDDEN"
    assert await everything(store) == before
    assert await store.code(ROLES, by=ANONYMOUS) == "UNAUTHENTICATED"
    assert await store.code(ROLES, by=ani) == "FORBIDDEN"
    names = [role["name"] for role in (await store.data(ROLES, by=STAFF))["roles"]]
    assert names == ["CUSTOMER", "STAFF", "ADMIN", "WAREHOUSE"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "warehouse"}, "name"),
        ({"name": "A"}, "name"),
        ({"name": "9LIVES"}, "name"),
        ({"name": "\u0410DMIN"}, "name"),
        ({"name": "STAFF "}, "name"),
        ({"name": "X" * 41}, "name"),
        ({"description": "x" * 201}, "description"),
        ({"description": "\u202eevil"}, "description"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["orders:everything"]}, "scopes"),
        ({"scopes": ["orders:read", ""]}, "scopes"),
        *(({"scopes": ["orders:read", scope]}, "scopes") for scope in sorted(ADMIN_SCOPES)),
    ],
)
async def test_a_role_that_cannot_be_is_refused(store: UserStore, changes: dict[str, Any], field: str) -> None:
    _, admin = await store.add("Root", "ADMIN")
    before = await everything(store)
    refused = (await store.data(CREATE, {"input": {**WAREHOUSE, **changes}}, by=admin))["createRole"]
    assert (refused["__typename"], refused["field"]) == ("InvalidInputProblem", field)
    assert await everything(store) == before


@pytest.mark.parametrize("name", ["CUSTOMER", "STAFF", "ADMIN", "SERVICE"])
async def test_built_in_roles_are_as_they_are(store: UserStore, name: str) -> None:
    _, admin = await store.add("Root", "ADMIN")
    before = await everything(store)
    for field, document, variables in (
        ("createRole", CREATE, {"input": {**WAREHOUSE, "name": name}}),
        ("updateRole", UPDATE, {"input": {"name": name, "scopes": ["orders:read"]}}),
        ("deleteRole", DELETE, {"name": name}),
    ):
        refused = (await store.data(document, variables, by=admin))[field]
        assert (refused["__typename"], refused["message"]) == ("ConflictProblem", f"{name} is built in")
    assert await everything(store) == before


async def test_nobody_gives_away_a_scope_that_they_lack(store: UserStore) -> None:
    _, admin = await store.add("Root", "ADMIN")
    await store.data(CREATE, {"input": WAREHOUSE}, by=admin)
    before = await everything(store)
    assert admin.subject is not None
    narrow = Identity(admin.subject, frozenset({"ADMIN"}), frozenset({"roles:write", "orders:read"}))
    asked = {"name": "WAREHOUSE", "scopes": ["orders:read", "payments:read"]}
    assert await store.code(UPDATE, {"input": asked}, by=narrow) == "FORBIDDEN"
    assert await store.code(CREATE, {"input": {**asked, "name": "NEW"}}, by=narrow) == "FORBIDDEN"
    assert await everything(store) == before


async def test_a_scope_that_a_role_loses_is_lost_to_those_who_are_logged_in(store: UserStore) -> None:
    _, admin = await store.add("Root", "ADMIN")
    await store.data(CREATE, {"input": WAREHOUSE}, by=admin)
    for name in ("Ani", "Budi", "Citra"):
        profile, _ = await store.add(name)
        roles = ["CUSTOMER"] if name == "Citra" else ["WAREHOUSE"]
        await store.data(SET_ROLES, {"id": profile.id, "roles": roles}, by=admin)
    emails = [f"{name}@example.com" for name in ("ani", "ani", "budi", "citra")]
    tokens = [await store.service.log_in(email=email, password=PASSWORD) for email in emails]
    families = [read_token_family(one.identity.token_id) for one in tokens]

    async def refused() -> list[bool]:
        page = await RevocationList(store.database, store.clock).read("")
        before = {entry["session"]: entry["before"] for entry in page["revoked"]}
        return [
            family is not None and family.session_id in before and family.generation < before[family.session_id]
            for family in families
        ]

    # What is only added waits for the next token
    more = [*WAREHOUSE["scopes"], "orders:read"]
    await store.data(UPDATE, {"input": {"name": "WAREHOUSE", "scopes": more, "description": "More."}}, by=admin)
    assert await refused() == [False] * 4
    await store.data(UPDATE, {"input": {"name": "WAREHOUSE", "scopes": ["inventory:read"]}}, by=admin)
    assert await refused() == [True, True, True, False]
    renewed = await store.service.refresh(tokens[0].refresh_token)
    assert renewed.identity.scopes == {"inventory:read"}


async def test_a_name_is_taken_once(store: UserStore) -> None:
    _, admin = await store.add("Root", "ADMIN")
    responses = await asyncio.gather(*(store.data(CREATE, {"input": WAREHOUSE}, by=admin) for _ in range(10)))
    assert Counter(response["createRole"]["__typename"] for response in responses) == {"Role": 1, "ConflictProblem": 9}
    assert len(await actions(store)) == 1


async def test_a_role_that_somebody_has_is_not_deleted(store: UserStore) -> None:
    _, admin = await store.add("Root", "ADMIN")
    await store.data(CREATE, {"input": WAREHOUSE}, by=admin)
    ani, _ = await store.add("Ani")
    budi, _ = await store.add("Budi")
    for profile in (ani, budi):
        await store.data(SET_ROLES, {"id": profile.id, "roles": ["WAREHOUSE"]}, by=admin)
    before = await everything(store)
    refused = (await store.data(DELETE, {"name": "WAREHOUSE"}, by=admin))["deleteRole"]
    assert (refused["code"], refused["message"]) == ("CONFLICT", "2 accounts have the role WAREHOUSE")
    assert await everything(store) == before
    for profile in (ani, budi):
        await store.data(SET_ROLES, {"id": profile.id, "roles": ["CUSTOMER"]}, by=admin)
    deleted = (await store.data(DELETE, {"name": "WAREHOUSE"}, by=admin))["deleteRole"]
    assert deleted == {"__typename": "RoleDeleted", "name": "WAREHOUSE"}
    again = (await store.data(DELETE, {"name": "WAREHOUSE"}, by=admin))["deleteRole"]
    assert again["code"] == "NOT_FOUND"
    missing = (await store.data(UPDATE, {"input": {"name": "WAREHOUSE", "description": "x"}}, by=admin))["updateRole"]
    assert missing["code"] == "NOT_FOUND"


@pytest.mark.parametrize("attempt", range(3))
async def test_a_role_deleted_while_it_is_assigned_is_held_by_nobody(store: UserStore, attempt: int) -> None:
    _, admin = await store.add("Root", "ADMIN")
    ani, _ = await store.add("Ani")
    await store.data(CREATE, {"input": WAREHOUSE}, by=admin)
    await asyncio.gather(
        store.data(SET_ROLES, {"id": ani.id, "roles": ["WAREHOUSE"]}, by=admin),
        store.data(DELETE, {"name": "WAREHOUSE"}, by=admin),
    )
    exists = await store.database["roles"].count_documents({"_id": "WAREHOUSE"})
    held = await store.database["users"].count_documents({"roles": "WAREHOUSE"})
    assert exists == held


async def test_there_are_at_most_a_hundred(store: UserStore) -> None:
    _, admin = await store.add("Root", "ADMIN")
    await store.database["roles"].insert_many(
        [{"_id": f"ROLE_{number}", "description": "", "scopes": ["orders:read"]} for number in range(100)]
    )
    refused = (await store.data(CREATE, {"input": WAREHOUSE}, by=admin))["createRole"]
    assert (refused["code"], refused["message"]) == ("CONFLICT", "there are 100 roles already; delete one first")


async def test_a_stored_scope_of_administrators_is_not_believed(store: UserStore) -> None:
    # As if somebody had written to the database, or a scope had become a matter of administrators
    scopes = ["orders:read", USERS_WRITE, "made:up"]
    await store.database["roles"].insert_one({"_id": "SNEAKY", "description": "", "scopes": scopes})
    ani, _ = await store.add("Ani")
    await store.database["users"].update_one({"_id": ani.id}, {"$set": {"roles": ["SNEAKY", "GONE"]}})
    tokens = await store.service.log_in(email="ani@example.com", password=PASSWORD)
    assert tokens.identity.scopes == {"orders:read"}
    assert (await store.data("{ me { scopes } }", by=tokens.identity))["me"]["scopes"] == ["orders:read"]


def test_the_scopes_of_administrators_cannot_be_assigned() -> None:
    assert frozenset() == ADMIN_SCOPES & ASSIGNABLE_SCOPES
    assert ROLE_SCOPES["ADMIN"] == ADMIN_SCOPES | ASSIGNABLE_SCOPES
    assert ROLE_SCOPES["STAFF"] <= ASSIGNABLE_SCOPES
