"""Sessions of a running store, in one process and in many: keys change under them, and what has ended stays out."""

import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest

from core.key_ring import key_file_name
from core.tokens import generate_private_key
from pasar.seed.people import PASSWORD
from tests.e2e.conftest import MODES
from tests.e2e.test_shopping import codes_of
from tests.testkit.running import Client, RunningStore, eventually, pasar, running_store

STAFF = "staff@pasar.example"
LOGIN = """
mutation($email: String!, $password: String!) {
  login(input: {email: $email, password: $password}) { ... on AuthSession { accessToken refreshToken } }
}
"""
REFRESH = """
mutation($token: String!) {
  refresh(refreshToken: $token) { __typename ... on AuthSession { accessToken refreshToken } }
}
"""
ME = "{ me { email } }"


@pytest.fixture(scope="module", params=list(MODES))
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStore]:
    data: Path = tmp_path_factory.mktemp(f"sessions-{request.param}")
    seeded = pasar("seed", "--data", str(data), "--orders", "1")
    assert seeded.returncode == 0, seeded.stderr
    # Otherwise a router reads published keys every five minutes, and a rotation leaves it ten
    with running_store(data, *MODES[request.param], PASAR_ROUTER_AUTHENTICATION__JWKS_REFRESH_S="0.5") as running:
        yield running


def log_in(store: RunningStore) -> dict[str, str]:
    session: dict[str, str] = store.client.ask(LOGIN, email=STAFF, password=PASSWORD)["login"]
    return session


def bearer(store: RunningStore, session: dict[str, str]) -> Client:
    return store.client.with_token(session["accessToken"])


def kid_of(session: dict[str, str]) -> str:
    kid: str = jwt.get_unverified_header(session["accessToken"])["kid"]
    return kid


def run(store: RunningStore, *arguments: str) -> subprocess.CompletedProcess[str]:
    result = pasar(*arguments, "--data", str(store.data))
    assert result.returncode == 0, result.stderr
    return result


def test_an_access_token_of_an_ended_session_is_refused_within_a_minute(store: RunningStore) -> None:
    lost, present = log_in(store), log_in(store)
    listed = bearer(store, present).ask("{ sessions { id device address isCurrent } }")["sessions"]
    assert [session["isCurrent"] for session in listed[:2]] == [True, False]
    assert listed[1]["device"].startswith("Python-urllib")
    assert listed[1]["address"] == "127.0.0.1"
    ended = bearer(store, present).ask(
        "mutation($id: ID!) { revokeSession(id: $id) { __typename } }", id=listed[1]["id"]
    )
    assert ended["revokeSession"]["__typename"] == "Session"
    began_s = time.monotonic()
    refused = eventually(lambda: bearer(store, lost).send(ME), until=lambda answer: answer.status == 401)
    assert time.monotonic() - began_s < 60
    assert refused.json["errors"][0]["message"] == "the access token has been revoked"
    assert bearer(store, present).ask(ME) == {"me": {"email": STAFF}}


def test_the_owner_of_a_session_is_written_to_when_its_refresh_token_comes_twice(store: RunningStore) -> None:
    session = log_in(store)
    first = store.client.ask(REFRESH, token=session["refreshToken"])["refresh"]
    assert first["__typename"] == "AuthSession"
    for token in (session["refreshToken"], first["refreshToken"]):
        assert store.client.ask(REFRESH, token=token)["refresh"]["__typename"] == "InvalidRefreshTokenProblem"
    mails = eventually(lambda: store.mails_to(STAFF), until=bool)
    assert [mail["subject"] for mail in mails] == ["We have ended one of your sessions"]


def test_keys_change_under_running_sessions_and_nobody_is_logged_out(store: RunningStore) -> None:
    session = log_in(store)
    old = kid_of(session)
    assert [line.split()[:2] for line in run(store, "keys", "list").stdout.splitlines()] == [[old, "signs"]]
    # What `pasar keys rotate` does, with seconds instead of its ten minutes
    folder = store.data / "keys" / "token-EdDSA"
    draft = folder / ".draft"
    draft.write_bytes(generate_private_key("EdDSA"))
    draft.rename(folder / key_file_name(datetime.now(UTC) + timedelta(seconds=8)))
    statuses = set()

    def go_on() -> dict[str, str]:
        """Ask, refresh and ask again, as a client in the middle of its work does."""
        nonlocal session
        statuses.add(bearer(store, session).send(ME).status)
        session = dict(store.client.ask(REFRESH, token=session["refreshToken"])["refresh"])
        statuses.add(bearer(store, session).send(ME).status)
        return session

    before = session
    eventually(go_on, until=lambda seen: kid_of(seen) != old)
    # The token of the old key counts as long as it lives
    statuses.add(bearer(store, before).send(ME).status)
    assert statuses == {200}
    states = [line.split()[1] for line in run(store, "keys", "list").stdout.splitlines()]
    assert states == ["verifies", "signs"]
    assert run(store, "keys", "prune").stdout == "no key is over\n"


def test_a_rotation_publishes_first_and_signs_later(store: RunningStore) -> None:
    session = log_in(store)
    assert "signs from" in run(store, "keys", "rotate").stdout
    states = [line.split()[1] for line in run(store, "keys", "list").stdout.splitlines()]
    assert states[-2:] == ["signs", "next"]
    again = pasar("keys", "rotate", "--data", str(store.data))
    assert (again.returncode, "has been added already" in again.stderr) == (1, True)
    assert kid_of(log_in(store)) == kid_of(session)


def test_a_compromised_key_is_refused_and_clients_refresh(store: RunningStore) -> None:
    session = log_in(store)
    run(store, "keys", "rotate", "--compromised")

    refused = eventually(lambda: bearer(store, session).send(ME), until=lambda answer: answer.status == 401)
    assert codes_of(refused.json) == ["UNAUTHENTICATED"]
    renewed = store.client.ask(REFRESH, token=session["refreshToken"])["refresh"]
    assert renewed["__typename"] == "AuthSession"
    answer = eventually(lambda: bearer(store, renewed).send(ME), until=lambda answer: answer.status == 200)
    assert answer.json == {"data": {"me": {"email": STAFF}}}
