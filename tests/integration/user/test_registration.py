import asyncio
from typing import Any

import pytest

from core.identity import Role
from subgraphs.user.accounts.postbox import MOST_LETTERS
from subgraphs.user.model import InvalidCredentials
from tests.integration.user.conftest import NOW, PASSWORD, CountingPasswords, UserStore, token_in
from tests.testkit.commands import CommandLog

REGISTER = """
mutation($input: RegisterInput!) {
  register(input: $input) {
    __typename
    ... on RegistrationAccepted { message }
    ... on InvalidInputProblem { code message field }
  }
}
"""
VERIFY = """
mutation($input: VerifyEmailInput!) {
  verifyEmail(input: $input) {
    __typename
    ... on AuthSession {
      accessToken refreshToken tokenType expiresAt user { id name email phone roles status createdAt }
    }
    ... on Problem { code message }
  }
}
"""
ACCEPTED = {
    "register": {
        "__typename": "RegistrationAccepted",
        "message": "A letter is on its way to this address. If nothing comes, register again in an hour.",
    }
}
INVALID_TOKEN = {
    "__typename": "InvalidMailTokenProblem",
    "code": "INVALID_MAIL_TOKEN",
    "message": "the token is not valid: it was used, has expired, or a newer letter was sent",
}


def new_account(**changes: str) -> dict[str, dict[str, str]]:
    return {"input": {"email": "Ani@Example.com", "password": PASSWORD, "name": "  Ani   Wijaya ", **changes}}


async def register(store: UserStore, **changes: str) -> str:
    """Register and return the token that comes by mail."""
    account = new_account(**changes)
    assert await store.data(REGISTER, account) == ACCEPTED
    return await store.mail_token(account["input"]["email"].strip())


async def verify(store: UserStore, token: str, password: str = PASSWORD, **options: Any) -> dict[str, Any]:
    result = (await store.data(VERIFY, {"input": {"token": token, "password": password, **options}}))["verifyEmail"]
    assert isinstance(result, dict)
    return result


async def test_a_customer_registers_confirms_the_address_and_is_logged_in(store: UserStore) -> None:
    session = await verify(store, await register(store))
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
            "status": "ACTIVE",
            "createdAt": "2040-05-01T12:00:00.000Z",
        },
    }
    assert identity.roles == {"CUSTOMER"}
    assert identity.scopes == frozenset()
    assert store.cookies == []
    # And from now on the password is enough
    assert (await store.service.log_in(email="ani@example.com", password=PASSWORD)).profile.id == identity.subject


async def test_the_letter_says_what_to_do_and_nothing_that_a_stranger_typed(store: UserStore) -> None:
    await store.data(REGISTER, new_account(name="WIN at http://spam.example"))
    (mail,) = await store.mails("Ani@Example.com")
    assert mail.subject == "Confirm your e-mail address"
    assert "verifyEmail" in mail.text
    assert "within 24 hours" in mail.text
    assert "http://127.0.0.1:4000/graphql" in mail.text
    assert "spam" not in f"{mail.subject}{mail.text}"
    assert len(token_in(mail)) == 43


async def test_a_confirmation_may_carry_its_tokens_in_cookies(store: UserStore) -> None:
    session = await verify(store, await register(store), transport="COOKIE")
    assert (session["accessToken"], session["refreshToken"]) == (None, None)
    assert [cookie.name for cookie in store.cookies] == ["pasar_access", "pasar_refresh"]


async def test_passwords_and_tokens_are_stored_as_hashes_only(store: UserStore) -> None:
    token = await register(store)
    stored = await store.snapshot()
    (registration,) = stored["registrations"]
    assert registration["password_hash"].startswith("$argon2id$v=19$")
    assert stored["letters"] == []
    session = await verify(store, token)
    assert (await store.snapshot())["users"][0]["password_hash"] == registration["password_hash"]
    everything = f"{stored}{await store.snapshot()}"
    for secret in (PASSWORD, token, session["accessToken"], session["refreshToken"]):
        assert secret not in everything


async def test_a_letter_that_waits_does_not_hold_its_token(store: UserStore) -> None:
    await store.data(REGISTER, new_account())
    waiting = str(await store.snapshot())
    token = await store.mail_token("Ani@Example.com")
    assert token not in waiting


async def test_an_account_is_announced_and_noted_when_it_is_opened(store: UserStore) -> None:
    token = await register(store)
    assert (await store.snapshot())["outbox"] == []
    user = (await verify(store, token))["user"]
    stored = await store.snapshot()
    (event,) = stored["outbox"]
    assert (event["type"], event["subject"], event["occurred_at"]) == ("UserRegistered", user["id"], NOW)
    assert event["payload"] == {"user_id": user["id"], "name": "Ani Wijaya", "roles": ["CUSTOMER"]}
    assert [(entry["action"], entry["user_id"]) for entry in stored["audit_entries"]] == [
        ("ACCOUNT_OPENED", user["id"])
    ]
    assert stored["registrations"] == []


# -- what strangers learn ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spelling", ["ani@example.com", "ANI@EXAMPLE.COM", " ani@example.com ", "ani@Example.COM", "a\uff4ei@example.com"]
)
async def test_a_registered_address_gets_the_same_answer_and_its_holder_a_letter(
    store: UserStore, spelling: str
) -> None:
    await store.service.create_user(email="Ani@Example.com", password=PASSWORD, name="Ani")
    before = await store.snapshot()
    assert await store.data(REGISTER, new_account(email=spelling, name="Eve")) == ACCEPTED
    (mail,) = await store.mails("Ani@Example.com")
    assert mail.subject == "You already have an account"
    assert "Token:" not in mail.text
    assert "Eve" not in mail.text
    after = await store.snapshot()
    assert {name: after[name] for name in ("users", "sessions", "outbox", "mail_tokens")} == {
        name: before[name] for name in ("users", "sessions", "outbox", "mail_tokens")
    }


async def test_nobody_logs_in_before_the_address_is_confirmed(store: UserStore) -> None:
    await store.service.create_user(email="budi@example.com", password=PASSWORD, name="Budi")
    chosen = "chosen by a stranger"
    refusals = []
    for email in ("budi@example.com", "ani@example.com"):
        await store.data(REGISTER, new_account(email=email, password=chosen))
        await store.mails(email)
        with pytest.raises(InvalidCredentials) as refusal:
            await store.service.log_in(email=email, password=chosen)
        refusals.append(str(refusal.value))
    # Or a registration and a login would tell whose addresses are registered
    assert refusals == ["e-mail address or password is wrong"] * 2
    assert (await store.snapshot())["sessions"] == []


async def test_a_registration_takes_the_same_steps_for_every_address(
    counted: tuple[UserStore, CommandLog, CountingPasswords],
) -> None:
    store, log, passwords = counted
    await store.service.create_user(email="known@example.com", password=PASSWORD, name="Known")
    steps = {}
    for email in ("known@example.com", "unknown@example.com"):
        passwords.work.clear()
        passwords.hashes = 0
        log.clear()
        await store.data(REGISTER, new_account(email=email))
        steps[email] = (log.commands.copy(), passwords.hashes, len(passwords.work))
    assert steps["known@example.com"] == steps["unknown@example.com"]
    assert steps["known@example.com"] == (
        ["findAndModify letter_allowances", "insert registrations", "insert letters", "commitTransaction"],
        1,
        0,
    )


async def test_a_failed_login_takes_the_same_steps_for_every_address(
    counted: tuple[UserStore, CommandLog, CountingPasswords],
) -> None:
    store, log, passwords = counted
    await store.service.create_user(email="known@example.com", password=PASSWORD, name="Known")
    chosen = "chosen by a stranger"
    for email in ("known@example.com", "unconfirmed@example.com"):
        await store.data(REGISTER, new_account(email=email, password=chosen))
    await store.accounts.postbox.send_due(store.clock.now())
    steps = {}
    for email in ("known@example.com", "unknown@example.com", "unconfirmed@example.com"):
        passwords.work.clear()
        log.clear()
        with pytest.raises(InvalidCredentials):
            await store.service.log_in(email=email, password=chosen)
        steps[email] = (tuple(log.commands), len(passwords.work))
    assert set(steps.values()) == {(("find users", "find registrations", "update registrations"), 1)}


async def test_a_strangers_registration_leaves_him_no_way_in(store: UserStore) -> None:
    his = await register(store, password="the stranger's own")
    # The owner of the mailbox confirms what came, with the password that she would choose
    assert (await verify(store, his))["__typename"] == "InvalidCredentialsProblem"
    assert (await store.snapshot())["users"] == []
    hers = await register(store)
    assert (await verify(store, hers))["__typename"] == "AuthSession"
    # His attempt is over with it, and his password opens nothing
    assert await verify(store, his, "the stranger's own") == INVALID_TOKEN
    with pytest.raises(InvalidCredentials):
        await store.service.log_in(email="ani@example.com", password="the stranger's own")


async def test_another_attempt_leaves_the_earlier_letter_good(store: UserStore) -> None:
    hers = await register(store)
    await register(store, password="the stranger's own", name="Eve")
    session = await verify(store, hers)
    assert session["user"]["name"] == "Ani Wijaya"


async def test_a_mailbox_gets_no_more_than_a_few_letters_an_hour(store: UserStore) -> None:
    for number in range(MOST_LETTERS + 3):
        assert await store.data(REGISTER, new_account(password=f"number {number} of many")) == ACCEPTED
    assert len(await store.mails("Ani@Example.com")) == MOST_LETTERS
    before = await store.snapshot()
    assert await store.data(REGISTER, new_account()) == ACCEPTED
    after = await store.snapshot()
    assert after["registrations"] == before["registrations"]
    assert after["letters"] == []
    # Others are not affected, and an hour later it gets some again
    await register(store, email="budi@example.com")
    store.clock.advance(hours=1)
    assert (await verify(store, await register(store)))["__typename"] == "AuthSession"


# -- tokens ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", ["", "x", "0" * 43, "x" * 100_000])
async def test_an_unknown_token_confirms_nothing(store: UserStore, token: str) -> None:
    await register(store)
    before = await store.snapshot()
    assert await verify(store, token) == INVALID_TOKEN
    assert await store.snapshot() == before


async def test_the_stored_hash_is_no_token(store: UserStore) -> None:
    await register(store)
    (row,) = (await store.snapshot())["registrations"]
    assert await verify(store, row["token_hash"]) == INVALID_TOKEN


@pytest.mark.parametrize("password", ["", "another password", PASSWORD + " ", "x" * 100_000])
async def test_a_token_without_its_password_opens_nothing(store: UserStore, password: str) -> None:
    token = await register(store)
    before = await store.snapshot()
    assert (await verify(store, token, password))["code"] == "INVALID_CREDENTIALS"
    assert await store.snapshot() == before
    assert (await verify(store, token))["__typename"] == "AuthSession"


async def test_a_token_expires_after_a_day(store: UserStore) -> None:
    token, late = await register(store), await register(store, email="late@example.com")
    store.clock.advance(hours=24, seconds=-1)
    assert (await verify(store, token))["__typename"] == "AuthSession"
    store.clock.advance(seconds=1)
    before = await store.snapshot()
    assert await verify(store, late) == INVALID_TOKEN
    assert await store.snapshot() == before


async def test_a_token_works_once(store: UserStore) -> None:
    token = await register(store)
    await verify(store, token)
    before = await store.snapshot()
    assert await verify(store, token) == INVALID_TOKEN
    assert await store.snapshot() == before


async def test_a_letter_that_is_sent_twice_carries_the_same_token(
    store: UserStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.data(REGISTER, new_account())

    async def lose_the_row(_: str) -> None:
        raise ConnectionError("the process dies after the mail server took the letter")

    repository = store.accounts.postbox._repository
    with monkeypatch.context() as patch:
        patch.setattr(repository, "delete_letter", lose_the_row)
        with pytest.raises(ConnectionError):
            await store.accounts.postbox.send_due(store.clock.now())
    (first,) = await store.mails("Ani@Example.com")
    (registration,) = (await store.snapshot())["registrations"]
    store.clock.advance(minutes=2)
    (again,) = await store.mails("Ani@Example.com")
    assert again == first
    stored = await store.snapshot()
    assert (stored["registrations"], stored["letters"]) == ([registration], [])
    assert (await verify(store, token_in(again)))["__typename"] == "AuthSession"


async def test_whoever_logs_in_too_early_gets_the_letter_again_now_and_then(store: UserStore) -> None:
    first = await register(store)

    async def log_in_in_vain(password: str = PASSWORD) -> int:
        with pytest.raises(InvalidCredentials):
            await store.service.log_in(email="ani@example.com", password=password)
        return len(await store.mails("Ani@Example.com"))

    assert await log_in_in_vain() == 1
    store.clock.advance(minutes=5)
    assert await log_in_in_vain("a guess") == 1
    assert await log_in_in_vain() == 2
    assert await log_in_in_vain() == 2
    second = await store.mail_token("Ani@Example.com")
    assert second != first
    # The newer letter replaces the older one
    assert await verify(store, first) == INVALID_TOKEN
    assert (await verify(store, second))["__typename"] == "AuthSession"


# -- values and races --------------------------------------------------------------------------------------------------


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
        ("password", "Password2040!"),
    ],
)
async def test_a_value_that_cannot_be_accepted_is_named_and_nothing_is_written(
    store: UserStore, field: str, value: str
) -> None:
    result = (await store.data(REGISTER, new_account(**{field: value})))["register"]
    assert (result["__typename"], result["code"], result["field"]) == ("InvalidInputProblem", "BAD_USER_INPUT", field)
    assert not any((await store.snapshot()).values())


async def test_fifty_registrations_of_one_address_make_one_account(
    store: UserStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("subgraphs.user.accounts.postbox.MOST_LETTERS", 50)
    spellings = ["ani@example.com", "Ani@Example.com", "ANI@EXAMPLE.COM", "aNi@example.com", "anI@example.com"]
    results = await asyncio.gather(*(store.data(REGISTER, new_account(email=spelling)) for spelling in spellings * 10))
    assert results == [ACCEPTED] * 50
    tokens = [token_in(mail) for spelling in spellings for mail in await store.mails(spelling)]
    assert len(set(tokens)) == 50
    sessions = await asyncio.gather(*(verify(store, token) for token in tokens))
    (winner,) = [session for session in sessions if session["__typename"] == "AuthSession"]
    assert sessions.count(INVALID_TOKEN) == 49
    stored = await store.snapshot()
    assert {name: len(rows) for name, rows in stored.items() if rows} == {
        "users": 1,
        "sessions": 1,
        "refresh_tokens": 1,
        "audit_entries": 1,
        "outbox": 1,
        "letter_allowances": 1,
    }
    assert store.identify(winner["accessToken"]).subject == stored["users"][0]["_id"]


async def test_fifty_confirmations_with_one_token_make_one_account(store: UserStore) -> None:
    token = await register(store)
    sessions = await asyncio.gather(*(verify(store, token) for _ in range(50)))
    assert sum(session["__typename"] == "AuthSession" for session in sessions) == 1
    assert sessions.count(INVALID_TOKEN) == 49
    stored = await store.snapshot()
    assert [len(stored[name]) for name in ("users", "sessions", "outbox", "audit_entries")] == [1, 1, 1, 1]


async def test_an_address_that_was_taken_meanwhile_is_not_registered_again(store: UserStore) -> None:
    token = await register(store)
    await store.service.create_user(email="ani@example.com", password="made by the store", name="Ani")
    before = await store.snapshot()
    assert await verify(store, token) == INVALID_TOKEN
    assert await store.snapshot() == before


async def test_accounts_with_other_roles_are_created_by_the_service_only(store: UserStore) -> None:
    admin = await store.service.create_user(
        email="root@example.com", password=PASSWORD, name="Root", roles=[Role.ADMIN, Role.STAFF, Role.STAFF]
    )
    assert admin.roles == ("ADMIN", "STAFF")
    response = await store.run(REGISTER, {"input": {**new_account()["input"], "roles": ["ADMIN"]}})
    assert response["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert len((await store.snapshot())["users"]) == 1


async def test_accounts_of_the_store_need_no_letter(store: UserStore) -> None:
    await store.service.create_user(email="root@example.com", password=PASSWORD, name="Root", roles=[Role.ADMIN])
    assert (await store.service.log_in(email="root@example.com", password=PASSWORD)).profile.roles == ("ADMIN",)
    assert await store.mails("root@example.com") == []
