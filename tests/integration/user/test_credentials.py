import asyncio
from typing import Any

import pytest

from core.identity import Identity, service_identity
from core.subgraph import CLIENT_ADDRESS_HEADER, Call
from subgraphs.user.accounts.postbox import MOST_LETTERS
from subgraphs.user.model import InvalidCredentials, InvalidRefreshToken
from tests.integration.user.conftest import PASSWORD, CountingPasswords, UserStore, token_in
from tests.testkit.commands import CommandLog

REQUEST_RESET = """
mutation($email: String!) {
  requestPasswordReset(email: $email) { __typename ... on PasswordResetRequested { message } }
}
"""
RESET = """
mutation($input: ResetPasswordInput!) {
  resetPassword(input: $input) {
    __typename
    ... on PasswordChanged { message }
    ... on InvalidInputProblem { field }
    ... on Problem { code }
  }
}
"""
CHANGE = """
mutation($input: ChangePasswordInput!) {
  changePassword(input: $input) {
    __typename
    ... on PasswordChanged { message }
    ... on InvalidInputProblem { field }
    ... on Problem { code }
  }
}
"""
REQUEST_EMAIL = """
mutation($input: RequestEmailChangeInput!) {
  requestEmailChange(input: $input) {
    __typename
    ... on EmailChangeRequested { message }
    ... on InvalidInputProblem { field }
    ... on Problem { code }
  }
}
"""
CONFIRM_EMAIL = """
mutation($token: String!) {
  confirmEmailChange(token: $token) { __typename ... on User { id email } ... on Problem { code } }
}
"""
REQUESTED = {
    "requestPasswordReset": {
        "__typename": "PasswordResetRequested",
        "message": "If this address has an account, a letter is on its way to it. At most five are sent in an hour.",
    }
}
NEW_PASSWORD = "another horse battery"
INVALID_TOKEN = {"__typename": "InvalidMailTokenProblem", "code": "INVALID_MAIL_TOKEN"}
INVALID_PASSWORD = {"__typename": "InvalidCredentialsProblem", "code": "INVALID_CREDENTIALS"}
ADDRESS = "ani@example.com"


async def ask_for_reset(store: UserStore, email: str = ADDRESS) -> str:
    """Ask for a reset and return the token that comes by mail."""
    assert await store.data(REQUEST_RESET, {"email": email}) == REQUESTED
    return await store.mail_token(ADDRESS)


async def reset(store: UserStore, token: str, password: str = NEW_PASSWORD) -> dict[str, Any]:
    result = (await store.data(RESET, {"input": {"token": token, "newPassword": password}}))["resetPassword"]
    assert isinstance(result, dict)
    return result


async def change(store: UserStore, by: Identity, *, old: str = PASSWORD, new: str = NEW_PASSWORD) -> dict[str, Any]:
    given = {"input": {"currentPassword": old, "newPassword": new}}
    result = (await store.data(CHANGE, given, by=by))["changePassword"]
    assert isinstance(result, dict)
    return result


async def ask_for_email(
    store: UserStore, by: Identity, new: str = "new@example.com", password: str = PASSWORD
) -> dict[str, Any]:
    given = {"input": {"newEmail": new, "password": password}}
    result = (await store.data(REQUEST_EMAIL, given, by=by))["requestEmailChange"]
    assert isinstance(result, dict)
    return result


async def confirm_email(store: UserStore, by: Identity, token: str) -> dict[str, Any]:
    result = (await store.data(CONFIRM_EMAIL, {"token": token}, by=by))["confirmEmailChange"]
    assert isinstance(result, dict)
    return result


async def can_log_in(store: UserStore, password: str, email: str = ADDRESS) -> bool:
    try:
        await store.service.log_in(email=email, password=password)
    except InvalidCredentials:
        return False
    return True


async def ends(store: UserStore) -> list[str | None]:
    """Return why each session is over, oldest first."""
    sessions = await store.database["sessions"].find().sort("_id", 1).to_list()
    return [session["revoked_reason"] for session in sessions]


# -- resetting a password ----------------------------------------------------------------------------------------------


async def test_a_forgotten_password_is_reset_and_all_sessions_end(store: UserStore) -> None:
    await store.add("Ani")
    before = await store.service.log_in(email=ADDRESS, password=PASSWORD)
    token = await ask_for_reset(store, " ANI@example.com ")
    assert await reset(store, token) == {
        "__typename": "PasswordChanged",
        "message": "Your password is changed, and all sessions have ended. Log in with it.",
    }
    assert await ends(store) == ["PASSWORD_RESET"] * 2
    with pytest.raises(InvalidRefreshToken):
        await store.service.refresh(before.refresh_token)
    assert not await can_log_in(store, PASSWORD)
    assert await can_log_in(store, NEW_PASSWORD)
    asked, told = await store.mails(ADDRESS)
    assert (asked.subject, told.subject) == ("Reset your password", "Your password was changed")
    assert "All sessions have ended." in told.text
    actions = [entry["action"] for entry in (await store.snapshot())["audit_entries"]]
    # The last is the login with the old password
    assert actions == ["PASSWORD_RESET_REQUESTED", "PASSWORD_RESET", "LOGIN_FAILED"]


async def test_the_audit_log_knows_from_where_a_reset_was_asked_for(store: UserStore) -> None:
    profile, _ = await store.add("Ani")
    headers = {CLIENT_ADDRESS_HEADER: "192.0.2.7", "user-agent": "curl/8"}
    call = Call(trusted=True, headers=headers)
    await store.subgraph.execute(REQUEST_RESET, {"email": ADDRESS}, None, call)
    await store.mails(ADDRESS)
    (entry,) = (await store.snapshot())["audit_entries"]
    assert (entry["user_id"], entry["address"], entry["user_agent"]) == (profile.id, "192.0.2.7", "curl/8")
    assert entry["actor_id"] is None


@pytest.mark.parametrize("email", ["nobody@example.com", "no address", "", "x" * 100_000])
async def test_who_has_no_account_gets_the_same_answer_and_no_letter(store: UserStore, email: str) -> None:
    await store.add("Ani")
    before = await store.snapshot()
    assert await store.data(REQUEST_RESET, {"email": email}) == REQUESTED
    assert await store.mails(email) == []
    after = await store.snapshot()
    assert {**after, "letter_allowances": []} == before


async def test_a_request_takes_the_same_steps_for_every_address(
    counted: tuple[UserStore, CommandLog, CountingPasswords],
) -> None:
    store, log, passwords = counted
    await store.service.create_user(email="known@example.com", password=PASSWORD, name="Known")
    passwords.hashes = 0
    steps = []
    for email in ("known@example.com", "unknown@example.com"):
        log.clear()
        await store.data(REQUEST_RESET, {"email": email})
        steps.append(log.commands.copy())
    expected = ["findAndModify throttle", "findAndModify letter_allowances", "insert letters", "commitTransaction"]
    assert steps == [expected] * 2
    assert (passwords.hashes, passwords.work) == (0, [])


async def test_a_token_is_in_the_mail_alone(store: UserStore) -> None:
    await store.add("Ani")
    await store.data(REQUEST_RESET, {"email": ADDRESS})
    waiting = str(await store.snapshot())
    token = await store.mail_token(ADDRESS)
    assert token not in waiting
    assert token not in str(await store.snapshot())
    (row,) = (await store.snapshot())["mail_tokens"]
    assert await reset(store, row["token_hash"]) == INVALID_TOKEN


async def test_a_token_works_once(store: UserStore) -> None:
    await store.add("Ani")
    token = await ask_for_reset(store)
    await reset(store, token)
    before = await store.snapshot()
    assert await reset(store, token, "yet another battery") == INVALID_TOKEN
    assert await store.snapshot() == before


async def test_of_fifty_uses_of_one_token_one_works(store: UserStore) -> None:
    await store.add("Ani")
    token = await ask_for_reset(store)
    passwords = [f"horse number {number}" for number in range(50)]
    results = await asyncio.gather(*(reset(store, token, password) for password in passwords))
    (won,) = [number for number, result in enumerate(results) if result["__typename"] == "PasswordChanged"]
    assert results.count(INVALID_TOKEN) == 49
    assert await can_log_in(store, passwords[won])
    assert not await can_log_in(store, passwords[(won + 1) % 50])
    assert len([mail for mail in await store.mails(ADDRESS) if mail.subject == "Your password was changed"]) == 1


async def test_a_token_expires_after_an_hour(store: UserStore) -> None:
    await store.add("Ani")
    token = await ask_for_reset(store)
    store.clock.advance(hours=1)
    before = await store.snapshot()
    assert await reset(store, token) == INVALID_TOKEN
    assert await store.snapshot() == before


async def test_a_letter_that_could_not_be_sent_in_time_is_not_sent(store: UserStore) -> None:
    await store.add("Ani")
    await store.data(REQUEST_RESET, {"email": ADDRESS})
    store.clock.advance(hours=1)
    assert await store.mails(ADDRESS) == []
    stored = await store.snapshot()
    assert (stored["letters"], stored["mail_tokens"], stored["audit_entries"]) == ([], [], [])


async def test_a_newer_token_replaces_the_older_one(store: UserStore) -> None:
    await store.add("Ani")
    first = await ask_for_reset(store)
    second = await ask_for_reset(store)
    assert await reset(store, first) == INVALID_TOKEN
    assert (await reset(store, second))["__typename"] == "PasswordChanged"


async def test_a_changed_password_makes_tokens_worthless_also_those_on_their_way(store: UserStore) -> None:
    _, ani = await store.add("Ani")
    token = await ask_for_reset(store)
    await store.data(REQUEST_RESET, {"email": ADDRESS})
    await ask_for_email(store, ani)
    assert (await change(store, ani))["__typename"] == "PasswordChanged"
    assert await reset(store, token, "yet another battery") == INVALID_TOKEN
    subjects = [mail.subject for mail in await store.mails(ADDRESS)]
    assert subjects == ["Reset your password", "Your e-mail address is about to change", "Your password was changed"]
    assert await store.mails("new@example.com") == []
    assert (await store.snapshot())["mail_tokens"] == []


@pytest.mark.parametrize("password", ["short", "x" * 257, ADDRESS, "Password123"])
async def test_a_password_that_cannot_be_leaves_the_token_good(store: UserStore, password: str) -> None:
    await store.add("Ani")
    token = await ask_for_reset(store)
    before = await store.snapshot()
    refusal = await reset(store, token, password)
    assert refusal == {"__typename": "InvalidInputProblem", "code": "BAD_USER_INPUT", "field": "newPassword"}
    assert await store.snapshot() == before
    assert (await reset(store, token))["__typename"] == "PasswordChanged"


async def test_a_token_of_another_purpose_resets_nothing(store: UserStore) -> None:
    _, ani = await store.add("Ani")
    await ask_for_email(store, ani)
    token = await store.mail_token("new@example.com")
    before = await store.snapshot()
    assert await reset(store, token) == INVALID_TOKEN
    assert await store.snapshot() == before


async def test_a_mailbox_gets_no_more_than_a_few_letters_an_hour(store: UserStore) -> None:
    await store.add("Ani")
    for _ in range(MOST_LETTERS + 3):
        await store.data(REQUEST_RESET, {"email": ADDRESS})
        # As long as one has to wait before asking for the last of them
        store.clock.advance(seconds=8)
    mails = await store.mails(ADDRESS)
    assert len(mails) == MOST_LETTERS
    # Nobody is locked out by it: the last letter is good until another one may be sent
    store.clock.advance(minutes=59, seconds=-8 * (MOST_LETTERS + 3))
    assert (await reset(store, token_in(mails[-1])))["__typename"] == "PasswordChanged"
    store.clock.advance(minutes=1)
    assert (await reset(store, await ask_for_reset(store), PASSWORD))["__typename"] == "PasswordChanged"


async def test_a_login_with_the_old_password_does_not_outrun_a_reset(
    store: UserStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.add("Ani")
    token = await ask_for_reset(store)
    find = store.service._repository.find_credentials

    async def reset_after_the_look(email_key: str) -> Any:
        account = await find(email_key)
        monkeypatch.undo()
        await reset(store, token)
        return account

    # The account is read with the old password, then it is reset, and only then the session would be opened
    monkeypatch.setattr(store.service._repository, "find_credentials", reset_after_the_look)
    with pytest.raises(InvalidCredentials):
        await store.service.log_in(email=ADDRESS, password=PASSWORD)
    assert await ends(store) == ["PASSWORD_RESET"]


# -- changing a password -----------------------------------------------------------------------------------------------


async def test_a_changed_password_ends_all_sessions_but_ones_own(store: UserStore) -> None:
    _, ani = await store.add("Ani")
    await store.add("Budi")
    await store.service.log_in(email=ADDRESS, password=PASSWORD)
    assert await change(store, ani) == {
        "__typename": "PasswordChanged",
        "message": "Your password is changed, and all other sessions have ended.",
    }
    # Ani's own, Budi's, and Ani's other one
    assert await ends(store) == [None, None, "PASSWORD_CHANGED"]
    assert await can_log_in(store, NEW_PASSWORD)
    assert not await can_log_in(store, PASSWORD)
    (told,) = await store.mails(ADDRESS)
    assert "All other sessions have ended." in told.text
    entry, failed = (await store.snapshot())["audit_entries"]
    assert failed["action"] == "LOGIN_FAILED"
    assert (entry["action"], entry["actor_id"], entry["user_id"], entry["details"]) == (
        "PASSWORD_CHANGED",
        ani.subject,
        ani.subject,
        {},
    )


async def test_a_wrong_password_changes_nothing(store: UserStore) -> None:
    _, ani = await store.add("Ani")
    before = await store.snapshot()
    for wrong in ("a guess", "", "x" * 100_000):
        assert await change(store, ani, old=wrong) == INVALID_PASSWORD
        store.clock.advance(seconds=1)
        assert await ask_for_email(store, ani, password=wrong) == INVALID_PASSWORD
    # Whoever guesses with somebody's access token is slowed down like anybody who guesses
    assert await change(store, ani) == {"__typename": "TooManyAttemptsProblem", "code": "TOO_MANY_ATTEMPTS"}
    after = await store.snapshot()
    assert {entry["action"] for entry in after["audit_entries"]} == {"LOGIN_FAILED", "TOO_MANY_ATTEMPTS"}
    assert {**after, "audit_entries": []} == before


@pytest.mark.parametrize("password", ["short", "x" * 257, ADDRESS, "qwertyuiop", PASSWORD])
async def test_a_new_password_that_cannot_be_changes_nothing(store: UserStore, password: str) -> None:
    _, ani = await store.add("Ani")
    before = await store.snapshot()
    refusal = await change(store, ani, new=password)
    assert refusal == {"__typename": "InvalidInputProblem", "code": "BAD_USER_INPUT", "field": "newPassword"}
    assert await store.snapshot() == before


async def test_of_two_changes_at_the_same_time_one_wins(store: UserStore) -> None:
    _, ani = await store.add("Ani")
    results = await asyncio.gather(*(change(store, ani, new=f"horse number {number}") for number in range(10)))
    (won,) = [number for number, result in enumerate(results) if result["__typename"] == "PasswordChanged"]
    # More at once than anybody tries: some have to wait
    outcomes = {result["__typename"] for number, result in enumerate(results) if number != won}
    assert outcomes <= {"InvalidCredentialsProblem", "TooManyAttemptsProblem"}
    assert await can_log_in(store, f"horse number {won}")


@pytest.mark.parametrize(
    ("document", "variables"),
    [
        (CHANGE, {"input": {"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD}}),
        (REQUEST_EMAIL, {"input": {"newEmail": "new@example.com", "password": PASSWORD}}),
        (CONFIRM_EMAIL, {"token": "a guess"}),
    ],
)
async def test_only_an_account_changes_itself(store: UserStore, document: str, variables: dict[str, Any]) -> None:
    await store.add("Ani")
    before = await store.snapshot()
    assert await store.code(document, variables) == "UNAUTHENTICATED"
    assert await store.code(document, variables, by=service_identity("order")) == "FORBIDDEN"
    assert await store.code(document, variables, by=Identity("usr_none")) == "NOT_FOUND"
    assert await store.snapshot() == before


# -- changing the e-mail address ---------------------------------------------------------------------------------------


async def test_an_address_is_changed_once_the_new_one_is_confirmed(store: UserStore) -> None:
    profile, ani = await store.add("Ani")
    assert (await ask_for_email(store, ani, " New@Example.com "))["__typename"] == "EmailChangeRequested"
    (told,) = await store.mails(ADDRESS)
    assert told.subject == "Your e-mail address is about to change"
    assert "new@example.com" not in told.text.lower()
    assert await can_log_in(store, PASSWORD)

    changed = await confirm_email(store, ani, await store.mail_token("New@Example.com"))
    assert changed == {"__typename": "User", "id": profile.id, "email": "New@Example.com"}
    assert not await can_log_in(store, PASSWORD)
    assert await can_log_in(store, PASSWORD, "new@example.com")
    assert None in await ends(store)
    assert set(await ends(store)) == {None}
    for address in (ADDRESS, "New@Example.com"):
        assert (await store.mails(address))[-1].subject == "Your e-mail address was changed"
    stored = await store.snapshot()
    assert stored["users"][0]["search_keys"] == ["ani", "new@example.com"]
    assert [entry["action"] for entry in stored["audit_entries"]] == [
        "EMAIL_CHANGE_REQUESTED",
        "EMAIL_CHANGED",
        "LOGIN_FAILED",
    ]
    assert "example.com" not in str(stored["audit_entries"]) + str(stored["outbox"])


async def test_a_token_is_for_the_session_of_its_account_only(store: UserStore) -> None:
    _, ani = await store.add("Ani")
    _, budi = await store.add("Budi")
    await ask_for_email(store, ani)
    token = await store.mail_token("new@example.com")
    before = await store.snapshot()
    assert await confirm_email(store, budi, token) == INVALID_TOKEN
    assert await confirm_email(store, ani, "a guess") == INVALID_TOKEN
    assert await store.snapshot() == before
    assert (await confirm_email(store, ani, token))["__typename"] == "User"
    assert await confirm_email(store, ani, token) == INVALID_TOKEN


async def test_a_taken_address_gets_the_same_answer_and_its_holder_a_letter(store: UserStore) -> None:
    _, ani = await store.add("Ani")
    await store.add("Budi")
    assert await ask_for_email(store, ani, "BUDI@example.com") == await ask_for_email(store, ani)
    (mail,) = await store.mails("budi@example.com")
    assert mail.subject == "You already have an account"
    assert "Token:" not in mail.text
    assert [row["new_email"] for row in (await store.snapshot())["mail_tokens"]] == ["new@example.com"]


async def test_an_address_that_was_taken_meanwhile_is_not_given(store: UserStore) -> None:
    _, ani = await store.add("Ani")
    await ask_for_email(store, ani)
    token = await store.mail_token("new@example.com")
    await store.service.create_user(email="NEW@example.com", password=PASSWORD, name="Faster")
    before = await store.snapshot()
    assert await confirm_email(store, ani, token) == {"__typename": "ConflictProblem", "code": "EMAIL_TAKEN"}
    assert await store.snapshot() == before


async def test_of_accounts_that_want_one_address_one_gets_it(store: UserStore) -> None:
    tokens = []
    for number in range(MOST_LETTERS):
        _, identity = await store.add(f"User{number}")
        await ask_for_email(store, identity)
        tokens.append((identity, await store.mail_token("new@example.com")))
    results = await asyncio.gather(*(confirm_email(store, identity, token) for identity, token in tokens))
    assert sorted(result["__typename"] for result in results) == ["ConflictProblem"] * 4 + ["User"]
    rows = (await store.snapshot())["users"]
    assert [row["email"] for row in rows].count("new@example.com") == 1


async def test_the_old_mailbox_resets_nothing_after_a_change(store: UserStore) -> None:
    _, ani = await store.add("Ani")
    old = await ask_for_reset(store)
    await store.data(REQUEST_RESET, {"email": ADDRESS})
    await ask_for_email(store, ani)
    await confirm_email(store, ani, await store.mail_token("new@example.com"))
    before = await store.snapshot()
    assert await reset(store, old) == INVALID_TOKEN
    assert {**await store.snapshot(), "letters": []} == {**before, "letters": []}
    assert (await store.mails("new@example.com"))[-1].subject == "Your e-mail address was changed"


async def test_a_change_ends_registrations_with_the_new_address(store: UserStore) -> None:
    _, ani = await store.add("Ani")
    await store.accounts.registrations.register(email="new@example.com", password=NEW_PASSWORD, name="Other")
    await ask_for_email(store, ani)
    await confirm_email(store, ani, await store.mail_token("new@example.com"))
    assert (await store.snapshot())["registrations"] == []


@pytest.mark.parametrize("new", ["", "no address", ADDRESS, f" {ADDRESS} "])
async def test_an_address_that_cannot_be_changes_nothing(store: UserStore, new: str) -> None:
    _, ani = await store.add("Ani")
    before = await store.snapshot()
    refusal = await ask_for_email(store, ani, new)
    assert refusal == {"__typename": "InvalidInputProblem", "code": "BAD_USER_INPUT", "field": "newEmail"}
    assert await store.snapshot() == before


async def test_another_spelling_of_the_own_address_may_be_taken(store: UserStore) -> None:
    _, ani = await store.add("Ani")
    await ask_for_email(store, ani, "Ani@Example.com")
    changed = await confirm_email(store, ani, await store.mail_token("Ani@Example.com"))
    assert changed["email"] == "Ani@Example.com"
    assert await can_log_in(store, PASSWORD)


async def test_a_confirmation_expires_after_a_day(store: UserStore) -> None:
    _, ani = await store.add("Ani")
    await ask_for_email(store, ani)
    token = await store.mail_token("new@example.com")
    store.clock.advance(hours=24)
    before = await store.snapshot()
    assert await confirm_email(store, ani, token) == INVALID_TOKEN
    assert await store.snapshot() == before
