from typing import Any

import pytest

from core.identity import ANONYMOUS, Identity, service_identity
from core.scopes import scopes_of
from subgraphs.user.model import AccountInactive, InvalidCredentials, InvalidRefreshToken
from tests.integration.user.conftest import PASSWORD, UserStore

DEACTIVATE = """
mutation($password: String!) {
  deactivateAccount(password: $password) { __typename ... on AccountDeactivated { message } ... on Problem { code } }
}
"""
SET_STATUS = """
mutation($input: SetAccountStatusInput!) {
  setAccountStatus(input: $input) {
    __typename
    ... on User { id status }
    ... on InvalidInputProblem { field }
    ... on Problem { code }
  }
}
"""
LOGIN = """
mutation($input: LoginInput!) { login(input: $input) { __typename ... on Problem { code message } } }
"""
REQUEST_RESET = 'mutation { requestPasswordReset(email: "ani@example.com") { __typename } }'
ADDRESS = "ani@example.com"


async def deactivate(store: UserStore, by: Identity, password: str = PASSWORD) -> dict[str, Any]:
    result = (await store.data(DEACTIVATE, {"password": password}, by=by))["deactivateAccount"]
    assert isinstance(result, dict)
    return result


async def set_status(
    store: UserStore, user_id: str, status: str, *, by: Identity, reason: str = "chargebacks"
) -> dict[str, Any]:
    given = {"input": {"userId": user_id, "status": status, "reason": reason}}
    result = (await store.data(SET_STATUS, given, by=by))["setAccountStatus"]
    assert isinstance(result, dict)
    return result


async def test_a_deactivated_account_is_logged_out_everywhere_and_stays_out(store: UserStore) -> None:
    _, ani = await store.add("Ani")
    _, budi = await store.add("Budi")
    other = await store.service.log_in(email=ADDRESS, password=PASSWORD)
    assert (await deactivate(store, ani))["__typename"] == "AccountDeactivated"
    assert [cookie.max_age_s for cookie in store.cookies] == [0, 0]
    sessions = (await store.snapshot())["sessions"]
    assert [row["revoked_reason"] for row in sessions] == ["DEACTIVATED", None, "DEACTIVATED"]
    with pytest.raises(InvalidRefreshToken):
        await store.service.refresh(other.refresh_token)
    answer = (await store.data(LOGIN, {"input": {"email": ADDRESS, "password": PASSWORD}}))["login"]
    assert answer == {
        "__typename": "AccountInactiveProblem",
        "code": "ACCOUNT_INACTIVE",
        "message": "this account is deactivated; write to the store to have it back",
    }
    # Who does not know the password learns nothing of it
    with pytest.raises(InvalidCredentials):
        await store.service.log_in(email=ADDRESS, password="a guess")
    assert [mail.subject for mail in await store.mails(ADDRESS)] == ["Your account is deactivated"]
    entries = (await store.snapshot())["audit_entries"]
    assert [(entry["action"], entry["user_id"]) for entry in entries] == [
        ("ACCOUNT_DEACTIVATED", ani.subject),
        ("LOGIN_FAILED", ani.subject),
    ]
    # What is left of the access token changes nothing any more
    assert await store.code(DEACTIVATE, {"password": PASSWORD}, by=ani) == "UNAUTHENTICATED"
    assert (await deactivate(store, budi))["__typename"] == "AccountDeactivated"


async def test_a_session_that_slipped_through_is_not_refreshed(store: UserStore) -> None:
    _, ani = await store.add("Ani")
    tokens = await store.service.log_in(email=ADDRESS, password=PASSWORD)
    await deactivate(store, ani)
    await store.database["sessions"].update_many({}, {"$set": {"revoked_at": None, "revoked_reason": None}})
    before = await store.snapshot()
    with pytest.raises(InvalidRefreshToken):
        await store.service.refresh(tokens.refresh_token)
    assert await store.snapshot() == before


async def test_a_login_does_not_outrun_a_deactivation(store: UserStore, monkeypatch: pytest.MonkeyPatch) -> None:
    _, ani = await store.add("Ani")
    find = store.service._repository.find_credentials

    async def deactivate_after_the_look(email_key: str) -> Any:
        account = await find(email_key)
        await deactivate(store, ani)
        return account

    monkeypatch.setattr(store.service._repository, "find_credentials", deactivate_after_the_look)
    with pytest.raises(InvalidCredentials):
        await store.service.log_in(email=ADDRESS, password=PASSWORD)
    assert [row["revoked_reason"] for row in (await store.snapshot())["sessions"]] == ["DEACTIVATED"]


async def test_an_inactive_account_gets_no_reset(store: UserStore) -> None:
    _, ani = await store.add("Ani")
    await store.data(REQUEST_RESET)
    token = await store.mail_token(ADDRESS)
    await store.data(REQUEST_RESET)
    await deactivate(store, ani)
    assert [mail.subject for mail in await store.mails(ADDRESS)] == [
        "Reset your password",
        "Your account is deactivated",
    ]
    await store.data(REQUEST_RESET)
    assert len(await store.mails(ADDRESS)) == 2
    before = await store.snapshot()
    reset = 'mutation($t: String!) { resetPassword(input: {token: $t, newPassword: "another horse"}) { __typename } }'
    assert await store.data(reset, {"t": token}) == {"resetPassword": {"__typename": "InvalidMailTokenProblem"}}
    assert await store.snapshot() == before


async def test_a_wrong_password_deactivates_nothing(store: UserStore) -> None:
    _, ani = await store.add("Ani")
    before = await store.snapshot()
    assert await deactivate(store, ani, "a guess") == {
        "__typename": "InvalidCredentialsProblem",
        "code": "INVALID_CREDENTIALS",
    }
    assert await store.code(DEACTIVATE, {"password": PASSWORD}) == "UNAUTHENTICATED"
    assert await store.code(DEACTIVATE, {"password": PASSWORD}, by=service_identity("order")) == "FORBIDDEN"
    after = await store.snapshot()
    assert [entry["action"] for entry in after["audit_entries"]] == ["LOGIN_FAILED"]
    assert {**after, "audit_entries": []} == before


async def test_an_administrator_does_not_leave_by_accident(store: UserStore) -> None:
    _, root = await store.add("Root", "ADMIN")
    before = await store.snapshot()
    assert await deactivate(store, root) == {"__typename": "ConflictProblem", "code": "CONFLICT"}
    assert await store.snapshot() == before


async def test_an_administrator_suspends_and_reactivates(store: UserStore) -> None:
    profile, ani = await store.add("Ani")
    _, root = await store.add("Root", "ADMIN")
    tokens = await store.service.log_in(email=ADDRESS, password=PASSWORD)
    assert await set_status(store, profile.id, "SUSPENDED", by=root, reason="  too many  chargebacks ") == {
        "__typename": "User",
        "id": profile.id,
        "status": "SUSPENDED",
    }
    with pytest.raises(AccountInactive, match="suspended"):
        await store.service.log_in(email=ADDRESS, password=PASSWORD)
    with pytest.raises(InvalidRefreshToken):
        await store.service.refresh(tokens.refresh_token)
    assert await store.code(DEACTIVATE, {"password": PASSWORD}, by=ani) == "UNAUTHENTICATED"
    assert (await set_status(store, profile.id, "ACTIVE", by=root, reason="sorry"))["status"] == "ACTIVE"
    assert (await store.service.log_in(email=ADDRESS, password=PASSWORD)).profile.id == profile.id
    # The sessions of before stay ended
    with pytest.raises(InvalidRefreshToken):
        await store.service.refresh(tokens.refresh_token)
    assert [mail.subject for mail in await store.mails(ADDRESS)] == [
        "Your account is suspended",
        "Your account is active again",
    ]
    entries = (await store.snapshot())["audit_entries"]
    assert [(entry["actor_id"], entry["user_id"], entry["details"]) for entry in entries] == [
        (root.subject, root.subject, {}),
        (root.subject, profile.id, {"from": "ACTIVE", "to": "SUSPENDED", "reason": "too many chargebacks"}),
        (root.subject, profile.id, {"from": "SUSPENDED", "to": "ACTIVE", "reason": "sorry"}),
    ]


async def test_a_deactivated_account_can_be_had_back(store: UserStore) -> None:
    profile, ani = await store.add("Ani")
    _, root = await store.add("Root", "ADMIN")
    await deactivate(store, ani)
    assert (await set_status(store, profile.id, "ACTIVE", by=root))["status"] == "ACTIVE"
    assert (await store.service.log_in(email=ADDRESS, password=PASSWORD)).profile.id == profile.id


async def test_a_status_that_it_has_changes_and_tells_nothing(store: UserStore) -> None:
    profile, _ = await store.add("Ani")
    _, root = await store.add("Root", "ADMIN")
    before = await store.snapshot()
    assert (await set_status(store, profile.id, "ACTIVE", by=root))["status"] == "ACTIVE"
    assert await store.snapshot() == before


async def test_what_no_administrator_may_do_changes_nothing(store: UserStore) -> None:
    profile, _ = await store.add("Ani")
    root_profile, root = await store.add("Root", "ADMIN")
    before = await store.snapshot()
    for status in ("DEACTIVATED", "ERASED"):
        refusal = await set_status(store, profile.id, status, by=root)
        assert refusal == {"__typename": "InvalidInputProblem", "field": "status", "code": "BAD_USER_INPUT"}
    for reason in ("", "  ", "x" * 201):
        refusal = await set_status(store, profile.id, "SUSPENDED", by=root, reason=reason)
        assert refusal == {"__typename": "InvalidInputProblem", "field": "reason", "code": "BAD_USER_INPUT"}
    assert (await set_status(store, root_profile.id, "SUSPENDED", by=root))["code"] == "CONFLICT"
    assert (await set_status(store, "usr_none", "SUSPENDED", by=root))["code"] == "NOT_FOUND"
    assert await store.snapshot() == before


async def test_nobody_else_sets_a_status(store: UserStore) -> None:
    profile, ani = await store.add("Ani")
    before = await store.snapshot()
    given = {"input": {"userId": profile.id, "status": "SUSPENDED", "reason": "no"}}
    assert await store.code(SET_STATUS, given, by=ANONYMOUS) == "UNAUTHENTICATED"
    staff = Identity("usr_staff", frozenset({"STAFF"}), scopes_of(["STAFF"]))
    for refused in (ani, staff, service_identity("order"), Identity("usr_x", frozenset({"ADMIN"}))):
        assert await store.code(SET_STATUS, given, by=refused) == "FORBIDDEN"
    assert await store.snapshot() == before
