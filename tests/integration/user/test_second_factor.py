"""The second factor: enrolled, asked for at login, used once, recovered, and taken away."""

import asyncio
import json
from base64 import b32decode
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from core.identity import ANONYMOUS, Identity
from core.mongo import in_transaction
from core.settings import Settings
from core.subgraph import CLIENT_ADDRESS_HEADER, UNKNOWN_ORIGIN
from core.totp import totp_code, totp_counter
from subgraphs.user.model import InvalidRefreshToken, session_of
from subgraphs.user.second_factor.service import CHALLENGE_TTL
from subgraphs.user.sessions import SecondFactorMissing, Tokens
from tests.integration.user.conftest import PASSWORD, UserStore, open_store
from tests.testkit.clock import FixedClock
from tests.testkit.store import MakeRuntime

STATUS = "{ secondFactor { enabledAt recoveryCodesLeft isRequired } }"
ENROL = """
mutation($password: String!) {
  enrolSecondFactor(password: $password) {
    __typename
    ... on SecondFactorEnrolment { uri secret }
    ... on InvalidCredentialsProblem { code message }
    ... on ConflictProblem { code message }
  }
}
"""
CODES = """
    __typename
    ... on RecoveryCodes { codes }
    ... on InvalidCodeProblem { code message }
    ... on ConflictProblem { code message }
"""
CONFIRM = f"mutation($code: String!) {{ confirmSecondFactor(code: $code) {{ {CODES} }} }}"
RENEW = f"""
mutation($password: String!, $code: String!) {{
  renewRecoveryCodes(password: $password, code: $code) {{ {CODES} }}
}}
"""
DISABLE = """
mutation($password: String!, $code: String!) {
  disableSecondFactor(password: $password, code: $code) { __typename ... on SecondFactor { enabledAt } }
}
"""
RESET = "mutation($id: ID!) { resetSecondFactor(userId: $id) { __typename ... on User { id } } }"
LOGIN = """
mutation($email: String!, $password: String!) {
  login(input: {email: $email, password: $password}) {
    __typename
    ... on AuthSession { accessToken }
    ... on SecondFactorRequired { challenge expiresAt }
  }
}
"""
COMPLETE = """
mutation($challenge: String!, $code: String!, $transport: TokenTransport! = BEARER) {
  completeLogin(challenge: $challenge, code: $code, transport: $transport) {
    __typename
    ... on AuthSession { accessToken refreshToken user { email roles } }
    ... on InvalidCodeProblem { code message }
    ... on ChallengeEndedProblem { code message }
  }
}
"""
WRONG_CODE = {
    "__typename": "InvalidCodeProblem",
    "code": "INVALID_CODE",
    "message": "the code is wrong or was used before",
}
ENDED = {
    "__typename": "ChallengeEndedProblem",
    "code": "CHALLENGE_ENDED",
    "message": "log in again: this login took too long, or too many codes were wrong",
}


@dataclass(slots=True)
class Person:
    """Somebody with an authenticator app. Mutable: has a new session after each login."""

    store: UserStore
    email: str
    user_id: str
    identity: Identity
    secret: bytes = b""
    codes: tuple[str, ...] = ()

    def code(self, step: int = 0) -> str:
        """Return what the app shows now, or *step* steps of 30 seconds later."""
        return totp_code(self.secret, totp_counter(self.store.clock.now()) + step)

    def wrong_code(self) -> str:
        right = {self.code(step) for step in (-1, 0, 1)}
        return next(code for code in ("000000", "111111", "222222", "333333") if code not in right)

    async def ask(self, document: str, **variables: Any) -> Any:
        (result,) = (await self.store.data(document, variables, by=self.identity)).values()
        return result

    async def enrol(self) -> None:
        """Go the whole way, and wait until the app shows another code."""
        enrolment = await self.ask(ENROL, password=PASSWORD)
        self.secret = b32decode(enrolment["secret"])
        self.codes = tuple((await self.ask(CONFIRM, code=self.code()))["codes"])
        self.store.clock.advance(seconds=30)

    async def challenge(self) -> str:
        """Log in with the password alone."""
        result = (await self.store.data(LOGIN, {"email": self.email, "password": PASSWORD}))["login"]
        assert result["__typename"] == "SecondFactorRequired", result
        challenge: str = result["challenge"]
        return challenge

    async def complete(self, challenge: str, code: str) -> Any:
        return (await self.store.data(COMPLETE, {"challenge": challenge, "code": code}))["completeLogin"]


async def make(store: UserStore, name: str, *roles: str) -> Person:
    profile, identity = await store.add(name, *roles)
    return Person(store, f"{name.lower()}@example.com", profile.id, identity)


@pytest.fixture
async def ani(store: UserStore) -> Person:
    return await make(store, "Ani")


@pytest.fixture
async def enrolled(ani: Person) -> Person:
    await ani.enrol()
    return ani


async def actions(store: UserStore) -> list[str]:
    return [row["action"] for row in (await store.snapshot())["audit_entries"]]


async def subjects(store: UserStore) -> list[str]:
    return [mail.subject for mail in await store.mails()]


# -- enrolment ---------------------------------------------------------------------------------------------------------


async def test_an_app_is_enrolled_and_counts_once_it_has_shown_a_code(ani: Person, store: UserStore) -> None:
    assert await ani.ask(STATUS) == {"enabledAt": None, "recoveryCodesLeft": 0, "isRequired": False}
    enrolment = await ani.ask(ENROL, password=PASSWORD)
    address = urlsplit(enrolment["uri"])
    assert (address.scheme, address.netloc, address.path) == ("otpauth", "totp", "/pasar:ani@example.com")
    assert parse_qs(address.query)["secret"] == [enrolment["secret"]]
    # Nothing is asked for yet: whoever cannot scan it is not locked out
    assert await ani.ask(STATUS) == {"enabledAt": None, "recoveryCodesLeft": 0, "isRequired": False}
    await store.service.log_in(email=ani.email, password=PASSWORD)

    ani.secret = b32decode(enrolment["secret"])
    codes = (await ani.ask(CONFIRM, code=ani.code()))["codes"]
    assert len(set(codes)) == 10
    assert await ani.ask(STATUS) == {
        "enabledAt": "2040-05-01T12:00:00.000Z",
        "recoveryCodesLeft": 10,
        "isRequired": False,
    }
    assert await actions(store) == ["SECOND_FACTOR_ENABLED"]
    assert await subjects(store) == ["Your account now asks for a code at login"]


async def test_nothing_that_is_stored_shows_the_secret_or_a_code(enrolled: Person, store: UserStore) -> None:
    stored = str(await store.snapshot())
    shown = [enrolled.secret.hex(), enrolled.secret.decode("latin-1"), *enrolled.codes]
    shown += [code.replace("-", "") for code in enrolled.codes]
    assert [text for text in shown if text in stored] == []


async def test_enrolling_needs_the_password_and_changes_nothing_without_it(ani: Person, store: UserStore) -> None:
    before = await store.snapshot()
    for password in ("wrong", "", "x" * 100_000):
        assert (await ani.ask(ENROL, password=password))["__typename"] == "InvalidCredentialsProblem"
    assert await store.code(ENROL, {"password": PASSWORD}, by=ANONYMOUS) == "UNAUTHENTICATED"
    after = await store.snapshot()
    # Noted at the first, the second, the fourth
    assert [entry["action"] for entry in after["audit_entries"]] == ["LOGIN_FAILED"] * 2
    assert {**after, "audit_entries": before["audit_entries"]} == before


async def test_a_second_enrolment_takes_the_place_of_one_that_was_not_confirmed(ani: Person) -> None:
    first = b32decode((await ani.ask(ENROL, password=PASSWORD))["secret"])
    ani.secret = b32decode((await ani.ask(ENROL, password=PASSWORD))["secret"])
    now = totp_counter(ani.store.clock.now())
    assert await ani.ask(CONFIRM, code=totp_code(first, now)) == WRONG_CODE
    assert (await ani.ask(CONFIRM, code=ani.code()))["__typename"] == "RecoveryCodes"


async def test_a_factor_that_counts_is_not_replaced(enrolled: Person, store: UserStore) -> None:
    before = await store.snapshot()
    assert await enrolled.ask(ENROL, password=PASSWORD) == {
        "__typename": "ConflictProblem",
        "code": "CONFLICT",
        "message": "this account has a second factor already",
    }
    assert (await enrolled.ask(CONFIRM, code=enrolled.code()))["message"] == "the second factor counts already"
    assert await store.snapshot() == before


async def test_confirming_without_an_enrolment_or_with_a_wrong_code_changes_nothing(
    ani: Person, store: UserStore
) -> None:
    assert (await ani.ask(CONFIRM, code="123456"))["message"] == "enrol an authenticator app first"
    ani.secret = b32decode((await ani.ask(ENROL, password=PASSWORD))["secret"])
    before = await store.snapshot()
    for code in (ani.wrong_code(), ani.code(-2), ani.code(2), "", "abcde-fghjk"):
        assert await ani.ask(CONFIRM, code=code) == WRONG_CODE
    assert await store.snapshot() == before


async def test_confirming_twice_at_once_gives_one_set_of_codes(ani: Person, store: UserStore) -> None:
    ani.secret = b32decode((await ani.ask(ENROL, password=PASSWORD))["secret"])
    results = await asyncio.gather(*(ani.ask(CONFIRM, code=ani.code()) for _ in range(10)))
    assert sorted(result["__typename"] for result in results) == ["ConflictProblem"] * 9 + ["RecoveryCodes"]
    assert await actions(store) == ["SECOND_FACTOR_ENABLED"]


async def test_a_new_factor_ends_the_sessions_that_were_opened_without_it(ani: Person, store: UserStore) -> None:
    other = await store.service.log_in(email=ani.email, password=PASSWORD)
    await ani.enrol()
    with pytest.raises(InvalidRefreshToken):
        await store.service.refresh(other.refresh_token)
    stored = await store.snapshot()
    assert [row["_id"] for row in stored["revocations"]] == [session_of(other.identity.token_id)]
    assert [row["revoked_reason"] for row in stored["sessions"]] == [None, "SECOND_FACTOR_CHANGED"]


# -- login -------------------------------------------------------------------------------------------------------------


async def test_a_login_is_completed_with_a_code(enrolled: Person, store: UserStore) -> None:
    result = (await store.data(LOGIN, {"email": enrolled.email, "password": PASSWORD}))["login"]
    assert result["expiresAt"] == "2040-05-01T12:05:30.000Z"
    assert store.cookies == []
    assert len((await store.snapshot())["sessions"]) == 1
    session = await enrolled.complete(result["challenge"], enrolled.code())
    assert session["user"] == {"email": enrolled.email, "roles": ["CUSTOMER"]}
    assert store.identify(session["accessToken"]).subject == enrolled.user_id
    assert (await store.service.refresh(session["refreshToken"])).profile.id == enrolled.user_id
    (entry,) = [row for row in (await store.snapshot())["audit_entries"] if row["action"] == "LOGGED_IN"]
    assert (entry["actor_id"], entry["details"]) == (enrolled.user_id, {"second_factor": "app"})


async def test_a_login_is_completed_into_cookies(enrolled: Person, store: UserStore) -> None:
    challenge = await enrolled.challenge()
    variables = {"challenge": challenge, "code": enrolled.code(), "transport": "COOKIE"}
    session = (await store.data(COMPLETE, variables))["completeLogin"]
    assert (session["accessToken"], session["refreshToken"]) == (None, None)
    assert [cookie.name for cookie in store.cookies] == ["pasar_access", "pasar_refresh", "pasar_device"]
    assert (await store.snapshot())["sessions"][-1]["transport"] == "COOKIE"


async def test_a_wrong_password_gets_no_challenge(enrolled: Person, store: UserStore) -> None:
    before = await store.snapshot()
    result = await store.data(LOGIN, {"email": enrolled.email, "password": "wrong"})
    assert result["login"] == {"__typename": "InvalidCredentialsProblem"}
    after = await store.snapshot()
    assert (await actions(store))[len(before["audit_entries"]) :] == ["LOGIN_FAILED"]
    assert {**after, "audit_entries": before["audit_entries"]} == before


async def test_a_code_works_once_in_whatever_login(enrolled: Person, store: UserStore) -> None:
    first, second = await enrolled.challenge(), await enrolled.challenge()
    code = enrolled.code()
    assert (await enrolled.complete(first, code))["__typename"] == "AuthSession"
    assert await enrolled.complete(second, code) == WRONG_CODE
    # Nor does one that was shown before
    assert await enrolled.complete(second, enrolled.code(-1)) == WRONG_CODE
    store.clock.advance(seconds=30)
    assert (await enrolled.complete(second, enrolled.code()))["__typename"] == "AuthSession"


async def test_the_code_that_confirmed_the_app_opens_no_session(ani: Person) -> None:
    ani.secret = b32decode((await ani.ask(ENROL, password=PASSWORD))["secret"])
    await ani.ask(CONFIRM, code=ani.code())
    assert await ani.complete(await ani.challenge(), ani.code()) == WRONG_CODE


async def test_nine_uses_of_one_code_at_once_open_one_session(enrolled: Person, store: UserStore) -> None:
    challenges = [await enrolled.challenge() for _ in range(9)]
    results = await asyncio.gather(*(enrolled.complete(challenge, enrolled.code()) for challenge in challenges))
    assert [result["__typename"] for result in results].count("AuthSession") == 1
    assert len((await store.snapshot())["sessions"]) == 2


async def test_a_challenge_is_met_once(enrolled: Person, store: UserStore) -> None:
    challenge = await enrolled.challenge()
    await enrolled.complete(challenge, enrolled.code())
    store.clock.advance(seconds=30)
    before = await store.snapshot()
    assert await enrolled.complete(challenge, enrolled.code()) == ENDED
    assert await store.snapshot() == before


async def test_a_challenge_takes_five_codes(enrolled: Person, store: UserStore) -> None:
    challenge = await enrolled.challenge()
    for _ in range(5):
        assert await enrolled.complete(challenge, enrolled.wrong_code()) == WRONG_CODE
    before = await store.snapshot()
    assert await enrolled.complete(challenge, enrolled.code()) == ENDED
    assert await store.snapshot() == before
    assert (await actions(store)).count("SECOND_FACTOR_FAILED") == 5
    # The account is not locked
    assert (await enrolled.complete(await enrolled.challenge(), enrolled.code()))["__typename"] == "AuthSession"


async def test_fifty_codes_at_once_are_no_more_than_five(enrolled: Person, store: UserStore) -> None:
    challenge = await enrolled.challenge()
    results = await asyncio.gather(*(enrolled.complete(challenge, enrolled.wrong_code()) for _ in range(50)))
    assert (results.count(WRONG_CODE), results.count(ENDED)) == (5, 45)
    assert (await actions(store)).count("SECOND_FACTOR_FAILED") == 5


@pytest.mark.parametrize("left", [timedelta(milliseconds=1), timedelta()])
async def test_a_challenge_expires(enrolled: Person, store: UserStore, left: timedelta) -> None:
    challenge = await enrolled.challenge()
    store.clock.advance(CHALLENGE_TTL - left)
    result = await enrolled.complete(challenge, enrolled.code())
    assert result["__typename"] == ("AuthSession" if left else "ChallengeEndedProblem")


@pytest.mark.parametrize("challenge", ["", "x", "0" * 64, "x" * 100_000, "\u00ff"])
async def test_an_unknown_challenge_is_over(enrolled: Person, store: UserStore, challenge: str) -> None:
    before = await store.snapshot()
    assert await enrolled.complete(challenge, enrolled.code()) == ENDED
    assert await store.snapshot() == before


async def test_the_stored_hash_is_no_challenge(enrolled: Person, store: UserStore) -> None:
    await enrolled.challenge()
    (row,) = (await store.snapshot())["login_challenges"]
    assert await enrolled.complete(row["_id"], enrolled.code()) == ENDED


async def test_a_challenge_is_good_for_its_own_account(enrolled: Person, store: UserStore) -> None:
    budi = await make(store, "Budi")
    await budi.enrol()
    assert await budi.complete(await enrolled.challenge(), budi.code()) == WRONG_CODE


async def test_a_challenge_does_not_outlive_the_password(enrolled: Person, store: UserStore) -> None:
    challenge = await enrolled.challenge()
    await store.database["users"].update_one({"_id": enrolled.user_id}, {"$set": {"password_hash": "another"}})
    before = await store.snapshot()
    assert await enrolled.complete(challenge, enrolled.code()) == ENDED
    after = await store.snapshot()
    assert (after["sessions"], after["letters"]) == (before["sessions"], before["letters"])


@pytest.mark.parametrize("code", ["", "12345", "x" * 100_000, "\u0661\u0662\u0663\u0664\u0665\u0666", "abcde-fghjk"])
async def test_what_is_no_code_is_a_wrong_one(enrolled: Person, code: str) -> None:
    assert await enrolled.complete(await enrolled.challenge(), code) == WRONG_CODE


async def test_no_other_way_to_a_session_leads_past_the_second_factor(enrolled: Person, store: UserStore) -> None:
    # A letter of confirmation, for example, may open one; the code must not be forgotten there
    sessions = store.service.sessions
    (profile,) = await store.service.find_profiles([enrolled.user_id])
    before = await store.snapshot()

    async def work(session: Any) -> Tokens:
        return await sessions.open(profile, transport="BEARER", origin=UNKNOWN_ORIGIN, session=session)

    with pytest.raises(SecondFactorMissing):
        await in_transaction(store.subgraph.runtime.client, work)
    assert await store.snapshot() == before


# -- many wrong codes --------------------------------------------------------------------------------------------------


async def test_after_ten_wrong_codes_each_further_one_waits_longer(enrolled: Person, store: UserStore) -> None:
    def attempt(challenge: str) -> Any:
        return store.run(COMPLETE, {"challenge": challenge, "code": enrolled.wrong_code()})

    for _ in range(2):
        challenge = await enrolled.challenge()
        for _ in range(5):
            assert (await attempt(challenge))["data"]["completeLogin"] == WRONG_CODE
    for wait_s in (60, 120, 240, 480, 960, 1920, 3840, 3840):
        challenge = await enrolled.challenge()
        (error,) = (await attempt(challenge))["errors"]
        assert error["extensions"] == {"code": "RATE_LIMITED", "retryAfter": wait_s}
        # Not even a right one, and waiting uses up nothing
        before = await store.snapshot()
        refused = await store.run(COMPLETE, {"challenge": challenge, "code": enrolled.codes[0]})
        assert refused["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
        assert await store.snapshot() == before
        store.clock.advance(seconds=wait_s)
        assert (await attempt(await enrolled.challenge()))["data"]["completeLogin"] == WRONG_CODE
    # Somebody knows the password: one letter says so
    assert (await subjects(store)).count("Somebody is trying to log in to your account") == 1
    store.clock.advance(hours=2)
    assert (await enrolled.complete(await enrolled.challenge(), enrolled.code()))["__typename"] == "AuthSession"
    # A right one forgives
    challenge = await enrolled.challenge()
    for _ in range(5):
        assert (await attempt(challenge))["data"]["completeLogin"] == WRONG_CODE


async def test_wrong_codes_of_many_challenges_at_once_are_counted_together(enrolled: Person, store: UserStore) -> None:
    challenges = [await enrolled.challenge() for _ in range(30)]
    responses = await asyncio.gather(
        *(store.run(COMPLETE, {"challenge": challenge, "code": enrolled.wrong_code()}) for challenge in challenges)
    )
    assert sum("errors" not in response for response in responses) == 10


# -- recovery ----------------------------------------------------------------------------------------------------------


async def test_each_recovery_code_opens_one_session_and_the_user_is_told(enrolled: Person, store: UserStore) -> None:
    for number, code in enumerate(enrolled.codes):
        challenge = await enrolled.challenge()
        assert (await enrolled.complete(challenge, code.upper().replace("-", " ")))["__typename"] == "AuthSession"
        assert await enrolled.complete(await enrolled.challenge(), code) == WRONG_CODE
        assert (await enrolled.ask(STATUS))["recoveryCodesLeft"] == 9 - number
    texts = [mail.text for mail in await store.mails() if "recovery" in mail.subject]
    assert ["You have 9 left" in texts[0], "This was the last one" in texts[-1], len(texts)] == [True, True, 10]
    entries = [row for row in (await store.snapshot())["audit_entries"] if row["action"] == "RECOVERY_CODE_USED"]
    assert [row["details"]["codes_left"] for row in entries] == list(range(9, -1, -1))


async def test_nine_uses_of_one_recovery_code_open_one_session(enrolled: Person, store: UserStore) -> None:
    challenges = [await enrolled.challenge() for _ in range(9)]
    results = await asyncio.gather(*(enrolled.complete(challenge, enrolled.codes[0]) for challenge in challenges))
    assert [result["__typename"] for result in results].count("AuthSession") == 1
    assert (await enrolled.ask(STATUS))["recoveryCodesLeft"] == 9


async def test_new_recovery_codes_take_the_place_of_the_old(enrolled: Person, store: UserStore) -> None:
    renewed = (await enrolled.ask(RENEW, password=PASSWORD, code=enrolled.code()))["codes"]
    assert set(renewed).isdisjoint(enrolled.codes)
    assert await enrolled.complete(await enrolled.challenge(), enrolled.codes[0]) == WRONG_CODE
    assert (await enrolled.complete(await enrolled.challenge(), renewed[0]))["__typename"] == "AuthSession"
    assert "RECOVERY_CODES_RENEWED" in await actions(store)


async def test_new_recovery_codes_need_password_and_code(enrolled: Person, store: UserStore) -> None:
    before = (await store.snapshot())["second_factors"][0]["recovery_digests"]
    assert (await enrolled.ask(RENEW, password="wrong", code=enrolled.code()))["__typename"] == (
        "InvalidCredentialsProblem"
    )
    assert await enrolled.ask(RENEW, password=PASSWORD, code=enrolled.wrong_code()) == WRONG_CODE
    assert (await store.snapshot())["second_factors"][0]["recovery_digests"] == before
    budi = await make(store, "Budi")
    assert (await budi.ask(RENEW, password=PASSWORD, code="123456"))["__typename"] == "ConflictProblem"


# -- the end of a factor -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by_recovery_code", [False, True])
async def test_a_factor_is_disabled_with_password_and_code(
    enrolled: Person, store: UserStore, by_recovery_code: bool
) -> None:
    code = enrolled.codes[0] if by_recovery_code else enrolled.code()
    assert await enrolled.ask(DISABLE, password=PASSWORD, code=code) == {
        "__typename": "SecondFactor",
        "enabledAt": None,
    }
    stored = await store.snapshot()
    assert (stored["second_factors"], stored["login_challenges"]) == ([], [])
    assert (await actions(store))[-1] == "SECOND_FACTOR_DISABLED"
    assert (await subjects(store))[-1] == "Your account no longer asks for a code at login"
    assert (await store.service.log_in(email=enrolled.email, password=PASSWORD)).profile.id == enrolled.user_id


async def test_a_factor_is_not_disabled_without_both(enrolled: Person, store: UserStore) -> None:
    before = await store.snapshot()
    for password, code in (("wrong", enrolled.code()), (PASSWORD, enrolled.wrong_code()), (PASSWORD, "")):
        result = await enrolled.ask(DISABLE, password=password, code=code)
        assert result["__typename"] in {"InvalidCredentialsProblem", "InvalidCodeProblem"}
    after = await store.snapshot()
    for name in ("users", "sessions", "revocations", "letters"):
        assert after[name] == before[name]
    assert (await enrolled.ask(STATUS))["enabledAt"] is not None


async def test_a_challenge_of_before_the_factor_was_disabled_is_over(enrolled: Person, store: UserStore) -> None:
    challenge = await enrolled.challenge()
    await enrolled.ask(DISABLE, password=PASSWORD, code=enrolled.code())
    assert await enrolled.complete(challenge, enrolled.codes[0]) == ENDED


async def test_an_administrator_helps_somebody_who_has_lost_everything(enrolled: Person, store: UserStore) -> None:
    root = await make(store, "Root", "ADMIN")
    assert await root.ask(RESET, id=enrolled.user_id) == {"__typename": "User", "id": enrolled.user_id}
    stored = await store.snapshot()
    assert stored["second_factors"] == []
    assert [row["revoked_reason"] for row in stored["sessions"]] == ["SECOND_FACTOR_CHANGED", None]
    entry = stored["audit_entries"][-1]
    assert (entry["action"], entry["actor_id"], entry["user_id"]) == (
        "SECOND_FACTOR_DISABLED",
        root.user_id,
        enrolled.user_id,
    )
    assert (await subjects(store))[-1] == "Your account no longer asks for a code at login"


async def test_nobody_else_resets_a_factor_and_nobody_their_own(enrolled: Person, store: UserStore) -> None:
    root, sari = await make(store, "Root", "ADMIN"), await make(store, "Sari", "STAFF")
    await root.enrol()
    before = await store.snapshot()
    assert await store.code(RESET, {"id": enrolled.user_id}, by=sari.identity) == "FORBIDDEN"
    assert await store.code(RESET, {"id": enrolled.user_id}) == "UNAUTHENTICATED"
    assert (await root.ask(RESET, id=root.user_id))["__typename"] == "ConflictProblem"
    assert (await root.ask(RESET, id=sari.user_id))["__typename"] == "ConflictProblem"
    assert (await root.ask(RESET, id="usr_nobody"))["__typename"] == "NotFoundProblem"
    assert await store.snapshot() == before


async def test_a_token_of_an_ended_session_touches_no_factor(ani: Person, store: UserStore) -> None:
    ani.secret = b32decode((await ani.ask(ENROL, password=PASSWORD))["secret"])
    await store.service.log_out(ani.identity, None)
    before = await store.snapshot()
    for document, variables in (
        (ENROL, {"password": PASSWORD}),
        (CONFIRM, {"code": ani.code()}),
        (RENEW, {"password": PASSWORD, "code": ani.code()}),
        (DISABLE, {"password": PASSWORD, "code": ani.code()}),
    ):
        assert await store.code(document, variables, by=ani.identity) == "UNAUTHENTICATED"
    assert await store.snapshot() == before


async def test_failures_are_recorded_with_where_they_came_from(enrolled: Person, store: UserStore) -> None:
    headers = {"user-agent": "curl/8", CLIENT_ADDRESS_HEADER: "203.0.113.9"}
    variables = {"challenge": await enrolled.challenge(), "code": enrolled.wrong_code()}
    await store.run(COMPLETE, variables, headers=headers)
    entry = (await store.snapshot())["audit_entries"][-1]
    assert (entry["action"], entry["user_id"], entry["actor_id"]) == ("SECOND_FACTOR_FAILED", enrolled.user_id, None)
    assert (entry["address"], entry["user_agent"], entry["details"]) == ("203.0.113.9", "curl/8", {})


# -- roles that need one -----------------------------------------------------------------------------------------------


@pytest.fixture
async def strict(make_runtime: MakeRuntime, clock: FixedClock, store_settings: Settings) -> UserStore:
    settings = store_settings.model_copy(update={"require_second_factor_for": ["ADMIN"]})
    return await open_store(make_runtime, clock, settings)


async def test_an_administrator_without_a_factor_is_a_customer_who_can_enrol_one(strict: UserStore) -> None:
    await strict.service.create_user(email="root@example.com", password=PASSWORD, name="Root", roles=["ADMIN"])
    tokens = await strict.service.log_in(email="root@example.com", password=PASSWORD)
    root = Person(strict, "root@example.com", tokens.profile.id, strict.identify(tokens.access_token))
    assert (root.identity.roles, root.identity.scopes) == (frozenset({"CUSTOMER"}), frozenset())
    assert (await root.ask(STATUS))["isRequired"] is True
    tokens = await strict.service.refresh(tokens.refresh_token)
    assert strict.identify(tokens.access_token).scopes == frozenset()

    await root.enrol()
    tokens = await strict.service.refresh(tokens.refresh_token)
    identity = strict.identify(tokens.access_token)
    assert identity.roles == frozenset({"ADMIN"})
    assert identity.has_scopes("users:write")
    session = await root.complete(await root.challenge(), root.code())
    assert strict.identify(session["accessToken"]).has_scopes("users:write")


async def test_an_administrator_who_disables_it_is_a_customer_again_at_once(strict: UserStore) -> None:
    root = await make(strict, "Root", "ADMIN")
    await root.enrol()
    tokens = await root.complete(await root.challenge(), root.code())
    root.identity = strict.identify(tokens["accessToken"])
    strict.clock.advance(seconds=30)
    await root.ask(DISABLE, password=PASSWORD, code=root.code())
    revoked = {row["_id"]: row["before"] for row in (await strict.snapshot())["revocations"]}
    present = session_of(root.identity.token_id)
    # The session goes on; the access token with the role does not
    assert revoked[present] == 1
    refreshed = await strict.service.refresh(tokens["refreshToken"])
    assert strict.identify(refreshed.access_token).scopes == frozenset()


async def test_roles_that_are_not_named_need_none(strict: UserStore) -> None:
    sari = await make(strict, "Sari", "STAFF")
    assert sari.identity.has_scopes("orders:read")
    assert (await sari.ask(STATUS))["isRequired"] is False


async def test_secrets_of_the_installation_are_replaced_without_losing_a_factor(
    make_runtime: MakeRuntime, clock: FixedClock, store_settings: Settings
) -> None:
    ani = await make(await open_store(make_runtime, clock, store_settings), "Ani")
    await ani.enrol()
    before = (await ani.store.snapshot())["second_factors"][0]["sealed_secret"]
    old = store_settings.internal_secret.get_secret_value()
    changed = store_settings.model_copy(
        update={
            "encryption_secrets": Settings(encryption_secrets=json.loads(f'["{"n" * 40}", "{old}"]')).encryption_secrets
        }
    )
    ani.store = await open_store(make_runtime, clock, changed)
    assert (await ani.complete(await ani.challenge(), ani.code()))["__typename"] == "AuthSession"
    assert (await ani.store.snapshot())["second_factors"][0]["sealed_secret"] != before
    assert (await ani.complete(await ani.challenge(), ani.codes[0]))["__typename"] == "AuthSession"
