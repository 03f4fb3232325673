import asyncio
from datetime import timedelta
from typing import Any

import pytest

from core.identity import ANONYMOUS, Identity
from core.subgraph import CLIENT_ADDRESS_HEADER, Origin
from subgraphs.user.model import InvalidRefreshToken
from tests.integration.user.conftest import NOW, PASSWORD, UserStore

REFRESH = """
mutation($token: String, $transport: TokenTransport! = BEARER) {
  refresh(refreshToken: $token, transport: $transport) {
    __typename
    ... on AuthSession { accessToken refreshToken expiresAt user { id name email roles } }
    ... on InvalidRefreshTokenProblem { code message }
  }
}
"""
LOGOUT = "mutation($token: String) { logout(refreshToken: $token) }"
REFUSED = {
    "__typename": "InvalidRefreshTokenProblem",
    "code": "INVALID_REFRESH_TOKEN",
    "message": "the refresh token is not valid; log in again",
}


async def log_in(store: UserStore, email: str = "ani@example.com") -> tuple[Identity, str]:
    """Return the identity and the refresh token of a new session."""
    tokens = await store.service.log_in(email=email, password=PASSWORD)
    return store.identify(tokens.access_token), tokens.refresh_token


@pytest.fixture(autouse=True)
async def _ani(store: UserStore) -> None:
    await store.service.create_user(email="ani@example.com", password=PASSWORD, name="Ani")


async def refresh(store: UserStore, token: str | None, **options: Any) -> dict[str, Any]:
    result: dict[str, Any] = (await store.data(REFRESH, {"token": token, **options}))["refresh"]
    return result


async def test_a_refresh_gives_new_tokens_of_the_same_session(store: UserStore) -> None:
    before, token = await log_in(store)
    store.clock.advance(hours=1)
    session = await refresh(store, token)
    after = store.identify(session["accessToken"])
    assert after.subject == before.subject == session["user"]["id"]
    assert session["user"]["email"] == "ani@example.com"
    assert session["expiresAt"] == "2040-05-01T13:10:00.000Z"
    assert session["refreshToken"] != token
    assert before.token_id is not None
    assert after.token_id is not None
    assert after.token_id != before.token_id
    assert after.token_id.partition(".")[0] == before.token_id.partition(".")[0]
    (stored,) = (await store.snapshot())["sessions"]
    assert stored["last_used_at"] == NOW + timedelta(hours=1)
    assert stored["expires_at"] == NOW + timedelta(days=30, hours=1)


async def test_a_chain_of_refreshes_goes_on_beyond_the_life_of_one_token(store: UserStore) -> None:
    _, token = await log_in(store)
    for _ in range(4):
        store.clock.advance(days=20)
        token = (await refresh(store, token))["refreshToken"]
    assert len((await store.snapshot())["sessions"]) == 1


async def test_a_second_use_of_a_refresh_token_ends_the_whole_family(store: UserStore) -> None:
    _, first = await log_in(store)
    second = (await refresh(store, first))["refreshToken"]
    third = (await refresh(store, second))["refreshToken"]
    store.clock.advance(minutes=1)

    assert await refresh(store, first) == REFUSED

    (session,) = (await store.snapshot())["sessions"]
    assert session["revoked_at"] == NOW + timedelta(minutes=1)
    assert session["revoked_reason"] == "REUSE"
    before = await store.snapshot()
    for token in (first, second, third):
        assert await refresh(store, token) == REFUSED
    assert await store.snapshot() == before


async def test_a_second_use_leaves_other_sessions_of_the_account_alone(store: UserStore) -> None:
    _, stolen = await log_in(store)
    _, other = await log_in(store)
    await refresh(store, stolen)
    assert await refresh(store, stolen) == REFUSED
    assert (await refresh(store, other))["__typename"] == "AuthSession"


async def test_fifty_uses_of_one_refresh_token_make_one_new_token_and_one_ended_family(store: UserStore) -> None:
    _, token = await log_in(store)
    results = await asyncio.gather(*(refresh(store, token) for _ in range(50)))
    won = [result for result in results if result["__typename"] == "AuthSession"]
    assert len(won) == 1
    assert results.count(REFUSED) == 49
    stored = await store.snapshot()
    assert len(stored["refresh_tokens"]) == 2
    assert [session["revoked_reason"] for session in stored["sessions"]] == ["REUSE"]
    assert [row["_id"] for row in stored["revocations"]] == [stored["sessions"][0]["_id"]]
    assert [row["action"] for row in stored["audit_entries"]] == ["SESSION_REUSED"]
    assert [letter["to"] for letter in stored["letters"]] == ["ani@example.com"]
    assert await refresh(store, won[0]["refreshToken"]) == REFUSED
    assert await store.snapshot() == stored


async def test_the_user_is_told_of_a_second_use(store: UserStore) -> None:
    firefox = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
    tokens = await store.service.log_in(
        email="ani@example.com", password=PASSWORD, origin=Origin("192.0.2.7", user_agent=firefox)
    )
    await refresh(store, tokens.refresh_token)
    store.clock.advance(minutes=1)
    thief = {"user-agent": "curl/8", CLIENT_ADDRESS_HEADER: "203.0.113.9"}
    response = await store.run(REFRESH, {"token": tokens.refresh_token}, headers=thief)
    assert response["data"]["refresh"] == REFUSED

    (entry,) = (await store.snapshot())["audit_entries"]
    assert (entry["action"], entry["user_id"], entry["actor_id"]) == ("SESSION_REUSED", tokens.profile.id, None)
    assert (entry["address"], entry["user_agent"]) == ("203.0.113.9", "curl/8")
    assert tokens.refresh_token not in str(await store.snapshot())

    for _ in range(2):
        (mail,) = await store.mails()
        assert (mail.to, mail.subject) == ("ani@example.com", "We have ended one of your sessions")
        assert "began on 1 May 2040 (Firefox on Windows)" in mail.text


@pytest.mark.parametrize("token", ["", "x", "0" * 64, "x" * 100_000, None])
async def test_an_unknown_refresh_token_is_refused(store: UserStore, token: str | None) -> None:
    await log_in(store)
    before = await store.snapshot()
    assert await refresh(store, token) == REFUSED
    assert await store.snapshot() == before


async def test_the_stored_hash_is_no_refresh_token(store: UserStore) -> None:
    await log_in(store)
    (row,) = (await store.snapshot())["refresh_tokens"]
    assert await refresh(store, row["_id"]) == REFUSED


@pytest.mark.parametrize(
    ("age", "accepted"), [(timedelta(days=30) - timedelta(seconds=1), True), (timedelta(days=30), False)]
)
async def test_a_refresh_token_expires(store: UserStore, age: timedelta, accepted: bool) -> None:
    _, token = await log_in(store)
    store.clock.advance(age)
    before = await store.snapshot()
    result = await refresh(store, token)
    assert (result["__typename"] == "AuthSession") is accepted
    assert (await store.snapshot() == before) is not accepted


async def test_a_refresh_brings_the_roles_that_the_account_has_now(store: UserStore) -> None:
    identity, token = await log_in(store)
    _, admin = await store.add("Root", "ADMIN")
    assert identity.subject is not None
    await store.service.set_roles(identity.subject, ["STAFF"], by=admin)
    session = await refresh(store, token)
    assert session["user"]["roles"] == ["STAFF"]
    assert store.identify(session["accessToken"]).has_scopes("orders:read")


async def test_a_refresh_of_a_removed_account_is_refused(store: UserStore) -> None:
    _, token = await log_in(store)
    await store.database["users"].delete_many({})
    assert await refresh(store, token) == REFUSED


async def test_a_failed_refresh_uses_nothing_up(store: UserStore) -> None:
    identity, token = await log_in(store)
    await store.service.log_out(identity, None)
    before = await store.snapshot()
    with pytest.raises(InvalidRefreshToken):
        await store.service.refresh(token)
    assert await store.snapshot() == before


# -- cookies -----------------------------------------------------------------------------------------------------------


def cookie_header(token: str) -> dict[str, str]:
    return {"cookie": f"theme=dark; pasar_refresh={token}; other=1"}


async def test_a_refresh_by_cookie_is_answered_with_cookies_whatever_is_asked(store: UserStore) -> None:
    # A script that runs on the page could otherwise get at tokens that it cannot read from the cookie
    _, token = await log_in(store)
    response = await store.run(REFRESH, {"transport": "BEARER"}, headers=cookie_header(token))
    session = response["data"]["refresh"]
    assert (session["accessToken"], session["refreshToken"]) == (None, None)
    access, new = store.cookies
    assert (access.name, new.name) == ("pasar_access", "pasar_refresh")
    assert new.value != token
    assert new.value not in str(response["data"])
    assert (await refresh(store, new.value))["__typename"] == "AuthSession"


async def test_a_refresh_token_in_the_request_goes_before_the_cookie(store: UserStore) -> None:
    _, in_request = await log_in(store)
    _, in_cookie = await log_in(store)
    session = (await store.data(REFRESH, {"token": in_request}, headers=cookie_header(in_cookie)))["refresh"]
    assert session["refreshToken"] is not None
    assert store.cookies == []
    assert (await refresh(store, in_cookie))["__typename"] == "AuthSession"


async def test_a_refused_cookie_is_removed(store: UserStore) -> None:
    assert (await store.data(REFRESH, headers=cookie_header("unknown")))["refresh"] == REFUSED
    assert [(cookie.name, cookie.value, cookie.max_age_s) for cookie in store.cookies] == [
        ("pasar_access", "", 0),
        ("pasar_refresh", "", 0),
    ]


@pytest.mark.parametrize("header", ["", ";;;", "pasar_refresh", "pasar_refresh=", "a b c=;\x00", '="'])
async def test_a_strange_cookie_header_is_no_token(store: UserStore, header: str) -> None:
    assert (await store.data(REFRESH, headers={"cookie": header}))["refresh"] == REFUSED


# -- logout ------------------------------------------------------------------------------------------------------------


async def test_a_logout_ends_the_session_of_the_access_token(store: UserStore) -> None:
    identity, token = await log_in(store)
    _, other = await log_in(store)
    assert await store.data(LOGOUT, by=identity) == {"logout": True}
    assert [cookie.max_age_s for cookie in store.cookies] == [0, 0]
    assert await refresh(store, token) == REFUSED
    assert (await refresh(store, other))["__typename"] == "AuthSession"
    sessions = (await store.snapshot())["sessions"]
    assert [session["revoked_reason"] for session in sessions] == ["LOGOUT", None]


async def test_a_logout_with_an_older_access_token_ends_the_session_too(store: UserStore) -> None:
    identity, token = await log_in(store)
    newer = (await refresh(store, token))["refreshToken"]
    assert await store.data(LOGOUT, by=identity) == {"logout": True}
    assert await refresh(store, newer) == REFUSED


async def test_a_logout_works_with_the_refresh_token_alone(store: UserStore) -> None:
    for way in ({"token": "argument"}, {"token": None}):
        _, token = await log_in(store)
        if way["token"]:
            assert await store.data(LOGOUT, {"token": token}) == {"logout": True}
        else:
            assert await store.data(LOGOUT, headers=cookie_header(token)) == {"logout": True}
        assert await refresh(store, token) == REFUSED


async def test_a_second_logout_says_that_there_was_nothing_to_end(store: UserStore) -> None:
    identity, token = await log_in(store)
    await store.data(LOGOUT, by=identity)
    before = await store.snapshot()
    assert await store.data(LOGOUT, {"token": token}, by=identity) == {"logout": False}
    assert await store.snapshot() == before


@pytest.mark.parametrize(
    "by",
    [
        ANONYMOUS,
        Identity("usr_x", token_id="tok_1"),
        Identity("usr_x", token_id=None),
        Identity("usr_x", token_id="ses_x.1"),
    ],
)
async def test_a_logout_without_a_session_ends_nothing(store: UserStore, by: Identity) -> None:
    await log_in(store)
    before = await store.snapshot()
    assert await store.data(LOGOUT, {"token": "unknown"}, by=by) == {"logout": False}
    assert await store.snapshot() == before
