"""Guessing at passwords: slowed down, counted before the guess is looked at, and never at the owner's cost."""

import asyncio
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from core.mongo import connect
from core.subgraph import CLIENT_ADDRESS_HEADER, Origin
from subgraphs.user.app import build, build_service
from subgraphs.user.audit import AUDIT
from subgraphs.user.model import InvalidCredentials
from subgraphs.user.throttle import THROTTLE, AttemptKind, TooManyAttempts
from tests.integration.user.conftest import PASSWORD, UserStore, cheap_passwords
from tests.testkit.store import MakeRuntime, build_runtime, make_settings

LOGIN = """
mutation($input: LoginInput!) {
  login(input: $input) {
    __typename
    ... on AuthSession { deviceToken user { id } }
    ... on Problem { code message }
    ... on TooManyAttemptsProblem { retryAfterSeconds }
  }
}
"""
STRANGER = "203.0.113.9"
HOME = "198.51.100.4"


async def log_in(
    store: UserStore, *, email: str = "ani@example.com", password: str = "wrong", address: str = STRANGER, **more: str
) -> dict[str, Any]:
    cookie = more.pop("cookie", "")
    headers = {CLIENT_ADDRESS_HEADER: address, **({"cookie": cookie} if cookie else {})}
    variables = {"input": {"email": email, "password": password, **more}}
    result: dict[str, Any] = (await store.data(LOGIN, variables, headers=headers))["login"]
    return result


async def entries(store: UserStore, action: str) -> list[dict[str, Any]]:
    return await store.database[AUDIT].find({"action": action}).sort("_id", 1).to_list()


@pytest.mark.parametrize("email", ["ani@example.com", "nobody@example.com", "not an address"])
async def test_from_the_fifth_failure_on_the_wait_doubles_whether_or_not_the_account_exists(
    store: UserStore, email: str
) -> None:
    await store.add("Ani")
    for _ in range(5):
        assert (await log_in(store, email=email))["code"] == "INVALID_CREDENTIALS"
    for wait_s in (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900):
        assert await log_in(store, email=email) == {
            "__typename": "TooManyAttemptsProblem",
            "code": "TOO_MANY_ATTEMPTS",
            "message": f"too many attempts; try again in {wait_s} s",
            "retryAfterSeconds": wait_s,
        }
        # Not a millisecond early, and asking meanwhile costs nothing more
        store.clock.advance(timedelta(seconds=wait_s, milliseconds=-1))
        assert (await log_in(store, email=email))["retryAfterSeconds"] == 1
        store.clock.advance(milliseconds=1)
        assert (await log_in(store, email=email))["code"] == "INVALID_CREDENTIALS"


async def test_the_right_password_is_refused_as_well_while_the_wait_lasts_and_then_forgives_all(
    store: UserStore,
) -> None:
    await store.add("Ani")
    for _ in range(5):
        await log_in(store)
    assert (await log_in(store, password=PASSWORD))["__typename"] == "TooManyAttemptsProblem"
    store.clock.advance(seconds=1)
    assert (await log_in(store, password=PASSWORD))["__typename"] == "AuthSession"
    for _ in range(4):
        assert (await log_in(store))["code"] == "INVALID_CREDENTIALS"
    assert (await log_in(store, password=PASSWORD))["__typename"] == "AuthSession"


async def test_fifty_guesses_at_the_same_moment_are_five_guesses(store: UserStore) -> None:
    await store.add("Ani")
    results = await asyncio.gather(*(log_in(store) for _ in range(50)))
    assert Counter(result["__typename"] for result in results) == {
        "InvalidCredentialsProblem": 5,
        "TooManyAttemptsProblem": 45,
    }


async def test_attempts_that_reach_the_counter_out_of_order_are_all_let_in(store: UserStore) -> None:
    await store.add("Ani")
    assert (await log_in(store))["code"] == "INVALID_CREDENTIALS"
    # Another machine's clock is behind, or its attempt was overtaken on the way
    store.clock.advance(seconds=-3)
    for _ in range(4):
        assert (await log_in(store))["code"] == "INVALID_CREDENTIALS"
    assert (await log_in(store))["retryAfterSeconds"] == 1


async def test_twenty_people_behind_one_address_log_in_at_the_same_moment(make_runtime: MakeRuntime) -> None:
    # With the machine's clock: each has a moment of its own
    runtime = make_runtime("user")
    subgraph = build(runtime, passwords=cheap_passwords())
    await subgraph.start()
    service = build_service(runtime, passwords=cheap_passwords())
    for number in range(20):
        await service.create_user(email=f"user{number}@example.com", password=PASSWORD, name="User")
    logins = [(f"user{number}@example.com", PASSWORD) for number in range(20)] * 3
    await asyncio.gather(
        *(service.log_in(email=email, password=password, origin=Origin(HOME)) for email, password in logins)
    )
    counters = await runtime.database[THROTTLE].find().to_list()
    assert {row["count"] for row in counters} == {0}


async def test_a_stranger_does_not_keep_the_owner_out(store: UserStore) -> None:
    await store.add("Ani")
    for _ in range(10):
        await log_in(store)
    assert (await log_in(store))["__typename"] == "TooManyAttemptsProblem"
    # From anywhere else the owner gets in, with a device that nobody has seen before
    assert (await log_in(store, password=PASSWORD, address=HOME))["__typename"] == "AuthSession"


@pytest.mark.parametrize("carried", ["token", "cookie"])
async def test_a_known_device_gets_in_even_from_the_strangers_network_while_the_world_guesses(
    store: UserStore, carried: str
) -> None:
    await store.add("Ani")
    if carried == "cookie":
        await log_in(store, password=PASSWORD, transport="COOKIE")
        known = {"cookie": f"pasar_device={store.cookies[-1].value}"}
    else:
        known = {"deviceToken": (await log_in(store, password=PASSWORD))["deviceToken"]}
    await _close_every_gate(store)
    assert (await log_in(store, password=PASSWORD))["__typename"] == "TooManyAttemptsProblem"
    assert (await log_in(store, password=PASSWORD, address=HOME))["__typename"] == "TooManyAttemptsProblem"
    assert (await log_in(store, password=PASSWORD, **known))["__typename"] == "AuthSession"
    # It has a counter of its own: a stolen token guesses no faster than a stranger
    for _ in range(5):
        assert (await log_in(store, **known))["code"] == "INVALID_CREDENTIALS"
    assert (await log_in(store, password=PASSWORD, **known))["retryAfterSeconds"] == 1


async def _close_every_gate(store: UserStore) -> None:
    throttle = store.service.throttle
    for number in range(310):
        try:
            await throttle.admit(AttemptKind.LOGIN, "ani@example.com", Origin(f"192.0.{number // 250}.{number % 250}"))
        except TooManyAttempts:
            break
    for _ in range(5):
        await throttle.admit(AttemptKind.LOGIN, f"{number}@example.com", Origin(STRANGER))
    for number in range(100):
        try:
            await throttle.admit(AttemptKind.LOGIN, f"{number}@example.com", Origin(STRANGER))
        except TooManyAttempts:
            break


async def test_a_network_that_tries_one_password_on_every_account_waits(store: UserStore) -> None:
    await store.add("Ani")
    throttle = store.service.throttle
    for number in range(100):
        await throttle.admit(AttemptKind.LOGIN, f"user{number}@example.com", Origin(STRANGER))
    assert (await log_in(store, password=PASSWORD))["retryAfterSeconds"] == 1
    assert (await log_in(store, password=PASSWORD, address=HOME))["__typename"] == "AuthSession"
    store.clock.advance(hours=1)
    assert (await log_in(store, password=PASSWORD))["__typename"] == "AuthSession"


async def test_an_account_of_ones_own_does_not_wipe_out_guesses_at_others(store: UserStore) -> None:
    await store.add("Mallory")
    throttle = store.service.throttle
    for number in range(99):
        await throttle.admit(AttemptKind.LOGIN, f"user{number}@example.com", Origin(STRANGER))
    for _ in range(3):
        own = await log_in(store, email="mallory@example.com", password=PASSWORD)
        assert own["__typename"] == "AuthSession"
    assert (await log_in(store, email="user1@example.com"))["code"] == "INVALID_CREDENTIALS"
    assert (await log_in(store, email="user2@example.com"))["__typename"] == "TooManyAttemptsProblem"


async def test_addresses_of_one_64_bit_prefix_are_one_network(store: UserStore) -> None:
    await store.add("Ani")
    for number in range(5):
        await log_in(store, address=f"2001:db8:1:2::{number:x}")
    assert (await log_in(store, address="2001:db8:1:2:ffff::1"))["__typename"] == "TooManyAttemptsProblem"
    assert (await log_in(store, address="2001:db8:1:3::1"))["code"] == "INVALID_CREDENTIALS"


async def test_a_refused_attempt_gives_back_what_other_gates_had_counted(store: UserStore) -> None:
    await store.add("Ani")
    for _ in range(4):
        await log_in(store)
    for number in range(96):
        await store.service.throttle.admit(AttemptKind.LOGIN, f"user{number}@example.com", Origin(STRANGER))
    # The network is closed now; these are no guesses at Ani's password
    before = await store.database[THROTTLE].find({"_id": {"$regex": "^LOGIN:(pair|account)"}}).sort("_id").to_list()
    for _ in range(3):
        assert (await log_in(store))["__typename"] == "TooManyAttemptsProblem"
    after = await store.database[THROTTLE].find({"_id": {"$regex": "^LOGIN:(pair|account)"}}).sort("_id").to_list()
    assert [row["count"] for row in after] == [row["count"] for row in before]


async def test_registrations_of_one_network_are_limited(store: UserStore) -> None:
    register = """
    mutation($input: RegisterInput!) {
      register(input: $input) { __typename ... on TooManyAttemptsProblem { retryAfterSeconds } }
    }
    """

    async def register_from(address: str, number: int) -> Any:
        variables = {"input": {"email": f"new{number}@example.com", "password": PASSWORD, "name": "New"}}
        return (await store.data(register, variables, headers={CLIENT_ADDRESS_HEADER: address}))["register"]

    for number in range(30):
        assert (await register_from(STRANGER, number))["__typename"] == "RegistrationAccepted"
    before = await store.snapshot()
    assert await register_from(STRANGER, 30) == {"__typename": "TooManyAttemptsProblem", "retryAfterSeconds": 1}
    assert await store.snapshot() == before
    assert (await register_from(HOME, 31))["__typename"] == "RegistrationAccepted"


async def test_what_succeeds_nearly_always_is_counted_when_it_has_failed_only(store: UserStore) -> None:
    throttle = store.service.throttle
    for _ in range(200):
        await (await throttle.admit(AttemptKind.REFRESH, "", Origin(STRANGER))).succeeded()
    assert await store.database[THROTTLE].count_documents({}) == 0
    for _ in range(100):
        await (await throttle.admit(AttemptKind.REFRESH, "", Origin(STRANGER))).failed()
    with pytest.raises(TooManyAttempts):
        await throttle.admit(AttemptKind.REFRESH, "", Origin(STRANGER))
    await throttle.admit(AttemptKind.REFRESH, "", Origin(HOME))


async def test_a_reset_is_asked_for_four_times_an_hour(store: UserStore) -> None:
    ask = """
    mutation {
      requestPasswordReset(email: "ani@example.com") {
        __typename
        ... on TooManyAttemptsProblem { retryAfterSeconds }
      }
    }
    """

    async def ask_from(address: str) -> Any:
        return (await store.data(ask, headers={CLIENT_ADDRESS_HEADER: address}))["requestPasswordReset"]

    for number in range(4):
        assert await ask_from(f"192.0.2.{number}") == {"__typename": "PasswordResetRequested"}
    before = await store.snapshot()
    assert await ask_from(HOME) == {"__typename": "TooManyAttemptsProblem", "retryAfterSeconds": 1}
    assert await store.snapshot() == before
    store.clock.advance(hours=1)
    assert await ask_from(HOME) == {"__typename": "PasswordResetRequested"}


# -- what is left of it ------------------------------------------------------------------------------------------------


async def test_a_flood_of_guesses_leaves_a_handful_of_entries(store: UserStore) -> None:
    ani, _ = await store.add("Ani")
    for _ in range(20):
        await log_in(store)
        store.clock.advance(minutes=15)
    failed = await entries(store, "LOGIN_FAILED")
    assert [entry["details"]["failures"] for entry in failed] == [1, 2, 4, 8, 16]
    assert {(entry["user_id"], entry["actor_id"], entry["address"]) for entry in failed} == {(ani.id, None, STRANGER)}
    closed = await entries(store, "TOO_MANY_ATTEMPTS")
    assert [entry["details"]["wait_s"] for entry in closed[:4]] == [1, 2, 4, 8]
    assert closed[0]["details"] == {"kind": "LOGIN", "counted_by": "pair", "failures": 5, "wait_s": 1}


async def test_attempts_at_no_account_are_noted_without_the_address_that_was_typed(store: UserStore) -> None:
    await log_in(store, email="nobody@example.com")
    (entry,) = await entries(store, "LOGIN_FAILED")
    assert entry["user_id"] is None
    stored = str([await store.database[name].find().to_list() for name in (AUDIT, THROTTLE)])
    assert "nobody" not in stored
    counters = await store.database[THROTTLE].find().to_list()
    assert not any(STRANGER in str(counter) for counter in counters)


async def test_counters_are_forgotten_by_the_database(store: UserStore) -> None:
    indexes = await store.database[THROTTLE].index_information()
    assert indexes["expires_at_1"]["expireAfterSeconds"] == 0
    await log_in(store)
    for row in await store.database[THROTTLE].find().to_list():
        assert row["expires_at"] > store.clock.now()


async def test_a_device_token_is_for_one_account_and_half_a_year(store: UserStore) -> None:
    await store.add("Ani")
    await store.add("Budi")
    token = (await log_in(store, password=PASSWORD))["deviceToken"]
    devices, now = store.service.devices, store.clock.now()
    assert devices.recognise(token, "ani@example.com", now=now) is not None
    assert devices.recognise(token, "budi@example.com", now=now) is None
    assert devices.recognise(token, "ani@example.com", now=now + timedelta(days=180)) is None
    device_id, expires, signature = token.split(".")
    later = f"{device_id}.{int(expires) + 1}.{signature}"
    other = f"{'0' * 32}.{expires}.{signature}"
    for forged in ("", "x", token[:-1], later, other):
        assert devices.recognise(forged, "ani@example.com", now=now) is None
    # The next login of the same device keeps its identifier
    again = (await log_in(store, password=PASSWORD, deviceToken=token))["deviceToken"]
    assert again.partition(".")[0] == device_id
    assert (await log_in(store, password=PASSWORD, deviceToken="forged"))["deviceToken"].partition(".")[0] != device_id


# -- the same work -----------------------------------------------------------------------------------------------------


class _Commands(CommandListener):
    """Notes the commands that were sent, by name and collection. Mutable."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def started(self, event: CommandStartedEvent) -> None:
        if event.command_name not in ("hello", "ping", "endSessions"):
            self.sent.append(f"{event.command_name} {event.command.get(event.command_name)}")

    def succeeded(self, event: CommandSucceededEvent) -> None:
        pass

    def failed(self, event: CommandFailedEvent) -> None:
        pass


async def test_a_failed_login_sends_the_same_commands_whether_or_not_the_account_exists(
    tmp_path: Path, mongo_uri: str, database_prefix: str
) -> None:
    commands = _Commands()
    client = connect(mongo_uri, listeners=(commands,))
    try:
        settings = make_settings(tmp_path, database_prefix=database_prefix)
        runtime = build_runtime("user", client, settings)
        passwords = cheap_passwords()
        await build(runtime, passwords=passwords).start()
        service = build_service(runtime, passwords=passwords)
        await service.prepare()
        await service.create_user(email="ani@example.com", password=PASSWORD, name="Ani")
        sent: dict[str, list[list[str]]] = {}
        for email in ("ani@example.com", "nobody@example.com"):
            for _ in range(6):
                commands.sent.clear()
                with pytest.raises((InvalidCredentials, TooManyAttempts)):
                    await service.log_in(email=email, password="wrong", origin=Origin(STRANGER))
                sent.setdefault(email, []).append(list(commands.sent))
    finally:
        await client.close()
    assert sent["ani@example.com"] == sent["nobody@example.com"]
    looked_at = [*["findAndModify throttle"] * 3, "find users", "find registrations", "update registrations"]
    assert sent["ani@example.com"] == [
        [*looked_at, "insert audit_entries"],
        [*looked_at, "insert audit_entries"],
        looked_at,
        [*looked_at, "insert audit_entries"],
        # The fifth closes the gate, which is noted; the sixth is refused at the first gate
        [*looked_at, "insert audit_entries"],
        ["findAndModify throttle"],
    ]
