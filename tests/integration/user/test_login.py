from dataclasses import replace

import pytest

from core.settings import Environment, Settings
from core.subgraph import CLIENT_ADDRESS_HEADER, Call
from subgraphs.user.app import build_service
from subgraphs.user.audit import AUDIT
from subgraphs.user.model import InvalidCredentials
from subgraphs.user.passwords import Passwords
from tests.integration.user.conftest import PASSWORD, CountingPasswords, UserStore, cheap_passwords, open_store
from tests.testkit.clock import FixedClock
from tests.testkit.store import MakeRuntime

LOGIN = """
mutation($input: LoginInput!) {
  login(input: $input) {
    __typename
    ... on AuthSession { accessToken refreshToken user { id email roles } }
    ... on InvalidCredentialsProblem { code message }
  }
}
"""


def credentials(**changes: str) -> dict[str, dict[str, str]]:
    return {"input": {"email": "ani@example.com", "password": PASSWORD, **changes}}


@pytest.mark.parametrize("spelling", ["ani@example.com", " ANI@Example.com "])
async def test_a_login_gives_tokens_of_the_account(store: UserStore, spelling: str) -> None:
    profile, _ = await store.add("Ani", "STAFF")
    session = (await store.data(LOGIN, credentials(email=spelling)))["login"]
    assert session["user"] == {"id": profile.id, "email": "ani@example.com", "roles": ["STAFF"]}
    identity = store.identify(session["accessToken"])
    assert identity.subject == profile.id
    assert identity.has_scopes("orders:read", "users:read")
    assert not identity.has_scopes("users:write")


async def test_a_password_typed_in_another_unicode_form_is_the_same(store: UserStore) -> None:
    await store.service.create_user(email="zoe@example.com", password="caf\u00e9 au lait", name="Zoë")
    result = await store.data(LOGIN, credentials(email="zoe@example.com", password="cafe\u0301 au lait"))
    assert result["login"]["__typename"] == "AuthSession"


@pytest.mark.parametrize(
    "changes",
    [
        {"password": "wrong"},
        {"password": ""},
        {"password": PASSWORD + " "},
        {"password": PASSWORD.upper()},
        {"password": "x" * 100_000},
        {"email": "nobody@example.com"},
        {"email": "not an address"},
        {"email": ""},
        {"email": "@"},
        {"email": "ani@" + "x" * 100_000},
    ],
    ids=lambda changes: str(changes)[:40],
)
async def test_wrong_credentials_are_refused_with_one_and_the_same_answer(
    store: UserStore, changes: dict[str, str]
) -> None:
    await store.add("Ani")
    before = await store.snapshot()
    del before[AUDIT]
    assert (await store.data(LOGIN, credentials(**changes)))["login"] == {
        "__typename": "InvalidCredentialsProblem",
        "code": "INVALID_CREDENTIALS",
        "message": "e-mail address or password is wrong",
    }
    after = await store.snapshot()
    assert [entry["action"] for entry in after.pop(AUDIT)] == ["LOGIN_FAILED"]
    assert after == before


async def test_a_login_costs_the_same_work_whether_or_not_the_account_exists(
    store: UserStore,
) -> None:
    await store.add("Ani")
    passwords = CountingPasswords()
    service = build_service(store.subgraph.runtime, passwords=passwords)
    await service.prepare()
    for email in ("ani@example.com", "nobody@example.com", "not an address", ""):
        passwords.work.clear()
        with pytest.raises(InvalidCredentials):
            await service.log_in(email=email, password="wrong")
        # One Argon2 verification each, with the same parameters
        assert passwords.work == ["$argon2id$v=19$m=8,t=1,p=1"], email


async def test_a_login_renews_a_hash_made_with_weaker_parameters(store: UserStore) -> None:
    await store.add("Ani")
    stronger = Passwords(time_cost=2, memory_kib=16, threads=1)
    service = build_service(store.subgraph.runtime, passwords=stronger)
    await service.prepare()
    before = (await store.snapshot())["users"][0]["password_hash"]
    await service.log_in(email="ani@example.com", password=PASSWORD)
    after = (await store.snapshot())["users"][0]["password_hash"]
    assert before.startswith("$argon2id$v=19$m=8,t=1,p=1$")
    assert after.startswith("$argon2id$v=19$m=16,t=2,p=1$")
    await service.log_in(email="ani@example.com", password=PASSWORD)
    assert (await store.snapshot())["users"][0]["password_hash"] == after


async def test_a_login_in_cookies_shows_no_token_to_scripts(store: UserStore) -> None:
    await store.add("Ani")
    response = await store.run(LOGIN, credentials(transport="COOKIE"))
    session = response["data"]["login"]
    assert (session["accessToken"], session["refreshToken"]) == (None, None)
    access, refresh, _ = store.cookies
    assert [(cookie.name, cookie.max_age_s) for cookie in store.cookies] == [
        ("pasar_access", 600),
        ("pasar_refresh", 30 * 86400),
        ("pasar_device", 180 * 86400),
    ]
    for cookie in store.cookies:
        assert (cookie.path, cookie.http_only, cookie.secure, cookie.same_site) == ("/", True, False, "strict")
    assert store.identify(access.value).subject == session["user"]["id"]
    assert access.value not in str(response["data"])
    assert refresh.value not in str(response["data"])
    assert len(response["extensions"]["pasar"]["setCookies"]) == 3


@pytest.mark.parametrize(
    "changes",
    [{"environment": Environment.PRODUCTION}, {"public_url": "https://shop.example"}],
    ids=["production", "https"],
)
async def test_cookies_of_a_real_site_are_bound_to_host_and_https(
    make_runtime: MakeRuntime, store: UserStore, clock: FixedClock, changes: dict[str, object]
) -> None:
    # A copy would keep the base URL that was worked out before
    settings = Settings.model_validate({**store.subgraph.runtime.settings.model_dump(), **changes})
    secure = await open_store(make_runtime, clock, settings)
    await secure.add("Ani")
    await secure.data(LOGIN, credentials(transport="COOKIE"))
    assert [(cookie.name, cookie.secure, cookie.path) for cookie in secure.cookies] == [
        ("__Host-pasar_access", True, "/"),
        ("__Host-pasar_refresh", True, "/"),
        ("__Host-pasar_device", True, "/"),
    ]


async def test_a_session_remembers_how_it_was_opened(store: UserStore) -> None:
    await store.service.create_user(email="ani@example.com", password=PASSWORD, name="Ani")
    await store.data(LOGIN, credentials(transport="COOKIE"), headers={"user-agent": "x" * 1000})
    (session,) = (await store.snapshot())["sessions"]
    assert session["transport"] == "COOKIE"
    assert session["user_agent"] == "x" * 200
    assert session["revoked_at"] is None


async def test_only_the_router_is_believed_about_the_address_of_a_client(store: UserStore) -> None:
    headers = {CLIENT_ADDRESS_HEADER: "203.0.113.7"}
    await store.service.create_user(email="ani@example.com", password=PASSWORD, name="Ani")
    await store.data(LOGIN, credentials(), headers=headers)
    await store.subgraph.execute(LOGIN, credentials(), None, Call(headers=headers))
    sessions = (await store.snapshot())["sessions"]
    assert [session["address"] for session in sessions] == ["203.0.113.7", ""]


async def test_passwords_are_hashed_with_a_salt_of_their_own() -> None:
    passwords = cheap_passwords()
    assert await passwords.hash(PASSWORD) != await passwords.hash(PASSWORD)


async def test_nothing_matches_an_account_that_does_not_exist() -> None:
    passwords = cheap_passwords()
    await passwords.prepare()
    assert await passwords.verify(None, "") is False
    assert await passwords.verify("not a hash", PASSWORD) is False
    assert await passwords.verify(await passwords.hash(PASSWORD), PASSWORD) is True


async def test_identity_of_a_forged_session_is_not_more_than_its_token(store: UserStore) -> None:
    _, ani = await store.add("Ani")
    forged = replace(ani, subject="usr_nobody")
    assert await store.data("{ me { id } }", by=forged) == {"me": None}
