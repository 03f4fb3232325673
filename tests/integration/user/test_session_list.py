"""What people see of their sessions and do about them, and how soon a token of an ended one is refused."""

from typing import Any

import pytest

from core.identity import ANONYMOUS, Identity
from core.subgraph import Origin
from subgraphs.user.model import InvalidRefreshToken, session_of
from subgraphs.user.sessions import Tokens
from tests.integration.user.conftest import PASSWORD, UserStore

SESSIONS = """
query($user: ID) {
  sessions(userId: $user) { id device address transport createdAt lastSeenAt isCurrent }
}
"""
REVOKE = """
mutation($id: ID!) {
  revokeSession(id: $id) { __typename ... on Session { id isCurrent } ... on NotFoundProblem { code } }
}
"""
EVERYWHERE = "mutation($keep: Boolean!) { logoutEverywhere(keepCurrent: $keep) }"

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5"
    " Mobile/15E148 Safari/604.1"
)


async def log_in(
    store: UserStore, name: str, user_agent: str = "", address: str = "", transport: str = "BEARER"
) -> Tokens:
    return await store.service.log_in(
        email=f"{name}@example.com", password=PASSWORD, transport=transport, origin=Origin(address, user_agent)
    )


async def sessions(store: UserStore, by: Identity, user: str | None = None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await store.data(SESSIONS, {"user": user}, by=by))["sessions"]
    return found


async def ids(store: UserStore, by: Identity, user: str | None = None) -> list[str]:
    return [session["id"] for session in await sessions(store, by, user)]


def id_of(tokens: Tokens) -> str:
    session_id = session_of(tokens.identity.token_id)
    assert session_id is not None
    return session_id


@pytest.fixture(autouse=True)
async def _people(store: UserStore) -> None:
    for name in ("ani", "budi"):
        await store.service.create_user(email=f"{name}@example.com", password=PASSWORD, name=name.title())


async def test_a_user_sees_where_they_are_logged_in(store: UserStore) -> None:
    await log_in(store, "budi")
    first = await log_in(store, "ani", FIREFOX, "192.0.2.7", "COOKIE")
    store.clock.advance(hours=1)
    second = await log_in(store, "ani", IPHONE, "2001:db8::7")
    assert await sessions(store, second.identity) == [
        {
            "id": id_of(second),
            "device": "Safari on iPhone",
            "address": "2001:db8::7",
            "transport": "BEARER",
            "createdAt": "2040-05-01T13:00:00.000Z",
            "lastSeenAt": "2040-05-01T13:00:00.000Z",
            "isCurrent": True,
        },
        {
            "id": id_of(first),
            "device": "Firefox on Linux",
            "address": "192.0.2.7",
            "transport": "COOKIE",
            "createdAt": "2040-05-01T12:00:00.000Z",
            "lastSeenAt": "2040-05-01T12:00:00.000Z",
            "isCurrent": False,
        },
    ]


async def test_a_refresh_is_seen_with_the_address_that_it_came_from(store: UserStore) -> None:
    tokens = await log_in(store, "ani", FIREFOX, "192.0.2.7")
    store.clock.advance(minutes=9)
    await store.service.refresh(tokens.refresh_token, origin=Origin("198.51.100.1"))
    (session,) = await sessions(store, tokens.identity)
    assert (session["address"], session["device"]) == ("198.51.100.1", "Firefox on Linux")
    assert (session["createdAt"], session["lastSeenAt"]) == ("2040-05-01T12:00:00.000Z", "2040-05-01T12:09:00.000Z")


async def test_what_has_ended_or_expired_is_not_listed(store: UserStore) -> None:
    await log_in(store, "ani")
    store.clock.advance(days=30)
    ended, present = await log_in(store, "ani"), await log_in(store, "ani")
    await store.service.log_out(ended.identity, None)
    assert await ids(store, present.identity) == [id_of(present)]


async def test_a_user_logs_out_another_device(store: UserStore) -> None:
    lost, present = await log_in(store, "ani"), await log_in(store, "ani")
    result = await store.data(REVOKE, {"id": id_of(lost)}, by=present.identity)
    assert result["revokeSession"] == {"__typename": "Session", "id": id_of(lost), "isCurrent": False}
    assert store.cookies == []
    assert await ids(store, present.identity) == [id_of(present)]
    with pytest.raises(InvalidRefreshToken):
        await store.service.refresh(lost.refresh_token)
    await store.service.refresh(present.refresh_token)
    stored = await store.snapshot()
    assert [row["_id"] for row in stored["revocations"]] == [id_of(lost)]
    (entry,) = stored["audit_entries"]
    assert (entry["action"], entry["details"]) == ("SESSION_REVOKED", {"session_id": id_of(lost)})


async def test_the_present_session_is_revoked_with_its_cookies(store: UserStore) -> None:
    tokens = await log_in(store, "ani")
    result = await store.data(REVOKE, {"id": id_of(tokens)}, by=tokens.identity)
    assert result["revokeSession"]["isCurrent"] is True
    assert [cookie.max_age_s for cookie in store.cookies] == [0, 0]


async def test_sessions_of_others_are_neither_seen_nor_ended(store: UserStore) -> None:
    ani, budi = await log_in(store, "ani"), await log_in(store, "budi")
    _, staff = await store.add("Sari", "STAFF")
    before = await store.snapshot()
    for stranger in (budi.identity, staff):
        assert await store.code(SESSIONS, {"user": ani.profile.id}, by=stranger) == "FORBIDDEN"
        result = await store.data(REVOKE, {"id": id_of(ani)}, by=stranger)
        assert result["revokeSession"] == {"__typename": "NotFoundProblem", "code": "NOT_FOUND"}
    assert await store.code(SESSIONS) == "UNAUTHENTICATED"
    assert await store.code(REVOKE, {"id": id_of(ani)}) == "UNAUTHENTICATED"
    assert await store.code(EVERYWHERE, {"keep": False}) == "UNAUTHENTICATED"
    assert await store.snapshot() == before


async def test_an_administrator_sees_and_ends_them_and_is_recorded(store: UserStore) -> None:
    ani = await log_in(store, "ani")
    root, admin = await store.add("Root", "ADMIN")
    assert await ids(store, admin, ani.profile.id) == [id_of(ani)]
    assert (await store.data(REVOKE, {"id": id_of(ani)}, by=admin))["revokeSession"]["__typename"] == "Session"
    assert await ids(store, admin, ani.profile.id) == []
    entries = (await store.snapshot())["audit_entries"]
    assert [(entry["action"], entry["actor_id"], entry["user_id"]) for entry in entries] == [
        ("LOGGED_IN", root.id, root.id),
        ("SESSION_REVOKED", root.id, ani.profile.id),
    ]


@pytest.mark.parametrize("session_id", ["", "ses_unknown", "$ne"])
async def test_a_session_that_is_not_there_is_not_found(store: UserStore, session_id: str) -> None:
    ani = await log_in(store, "ani")
    before = await store.snapshot()
    result = await store.data(REVOKE, {"id": session_id}, by=ani.identity)
    assert result["revokeSession"]["__typename"] == "NotFoundProblem"
    assert await store.snapshot() == before


async def test_a_session_ends_once(store: UserStore) -> None:
    lost, present = await log_in(store, "ani"), await log_in(store, "ani")
    await store.data(REVOKE, {"id": id_of(lost)}, by=present.identity)
    before = await store.snapshot()
    result = await store.data(REVOKE, {"id": id_of(lost)}, by=present.identity)
    assert result["revokeSession"]["__typename"] == "NotFoundProblem"
    assert await store.snapshot() == before


@pytest.mark.parametrize("keep", [True, False])
async def test_a_user_logs_out_everywhere(store: UserStore, keep: bool) -> None:
    held = [await log_in(store, "ani") for _ in range(3)]
    other = await log_in(store, "budi")
    present = held[-1]
    assert await store.data(EVERYWHERE, {"keep": keep}, by=present.identity) == {"logoutEverywhere": 2 if keep else 3}
    assert [cookie.max_age_s for cookie in store.cookies] == ([] if keep else [0, 0])
    assert await ids(store, present.identity) == ([id_of(present)] if keep else [])
    assert await ids(store, other.identity) == [id_of(other)]
    ended = held[:-1] if keep else held
    stored = await store.snapshot()
    assert [row["_id"] for row in stored["revocations"]] == sorted(id_of(tokens) for tokens in ended)
    (entry,) = stored["audit_entries"]
    assert entry["details"] == {"sessions": len(ended), "kept_current": keep}
    for tokens in ended:
        with pytest.raises(InvalidRefreshToken):
            await store.service.refresh(tokens.refresh_token)


async def test_logging_out_everywhere_without_another_session_changes_nothing(store: UserStore) -> None:
    ani = await log_in(store, "ani")
    before = await store.snapshot()
    assert await store.data(EVERYWHERE, {"keep": True}, by=ani.identity) == {"logoutEverywhere": 0}
    assert await store.snapshot() == before


async def test_a_token_of_an_ended_session_ends_no_others(store: UserStore) -> None:
    # Routers hear of it within seconds; a thief must not use these to lock the owner out
    stolen, present = await log_in(store, "ani"), await log_in(store, "ani")
    await store.data(REVOKE, {"id": id_of(stolen)}, by=present.identity)
    before = await store.snapshot()
    assert await store.code(EVERYWHERE, {"keep": True}, by=stolen.identity) == "UNAUTHENTICATED"
    assert await store.code(REVOKE, {"id": id_of(present)}, by=stolen.identity) == "UNAUTHENTICATED"
    assert await store.snapshot() == before


async def test_a_service_or_a_stranger_has_no_sessions(store: UserStore) -> None:
    assert await store.code(SESSIONS, by=ANONYMOUS) == "UNAUTHENTICATED"
    assert await sessions(store, Identity("usr_nobody")) == []


# -- roles -------------------------------------------------------------------------------------------------------------


async def test_a_change_of_roles_revokes_access_tokens_and_no_session(store: UserStore) -> None:
    before = await log_in(store, "ani")
    _, admin = await store.add("Root", "ADMIN")
    await store.service.set_roles(before.profile.id, ["STAFF"], by=admin)
    (revocation,) = (await store.snapshot())["revocations"]
    assert (revocation["_id"], revocation["before"]) == (id_of(before), 1)
    after = await store.service.refresh(before.refresh_token)
    assert after.identity.token_id is not None
    assert after.identity.token_id.startswith(f"{id_of(before)}.1.")
    assert after.identity.has_scopes("orders:read")
    await store.service.set_roles(before.profile.id, ["CUSTOMER"], by=admin)
    (revocation,) = (await store.snapshot())["revocations"]
    assert revocation["before"] == 2


async def test_roles_that_stay_the_same_revoke_nothing(store: UserStore) -> None:
    ani = await log_in(store, "ani")
    _, admin = await store.add("Root", "ADMIN")
    before = await store.snapshot()
    await store.service.set_roles(ani.profile.id, ["CUSTOMER"], by=admin)
    assert await store.snapshot() == before
