"""What only a split store can show: subgraphs reached past the router, and asked for their schemas."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.identity import Identity, Role
from tests.e2e.test_shopping import codes_of
from tests.testkit.running import Client, RunningStore, pasar, running_store, send


@pytest.fixture(scope="module")
def split_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStore]:
    data: Path = tmp_path_factory.mktemp("split")
    with running_store(data, "--split") as store:
        yield store


def subgraph(store: RunningStore, name: str) -> Client:
    line = next(line for line in store.lines if line.split()[:2] == [name, "pid"])
    return Client(f"{line.split()[-1]}/graphql")


def test_whoever_reaches_a_subgraph_directly_is_a_stranger_whatever_they_say(split_store: RunningStore) -> None:
    entities = "{ _entities(representations: []) { __typename } }"
    staff = pasar("token", "--role", "ADMIN", "--data", str(split_store.data)).stdout.strip()
    for client in (subgraph(split_store, "user"), subgraph(split_store, "user").with_token(staff)):
        refusal = client.execute(entities)
        assert (codes_of(refusal), refusal["data"]) == (["FORBIDDEN"], None)
        assert client.ask("{ me { id } }") == {"me": None}
    commit = (
        subgraph(split_store, "inventory")
        .with_token(staff)
        .execute('mutation { commitStock(orderId: "ord_1") { status } }')
    )
    assert codes_of(commit) in (["FORBIDDEN"], ["UNAUTHENTICATED"])


def test_an_assertion_that_is_forged_or_meant_for_another_subgraph_is_refused(split_store: RunningStore) -> None:
    from core.clock import SystemClock
    from core.tokens import AssertionSigner

    real = AssertionSigner((split_store.data / "keys" / "internal.secret").read_bytes())
    forged = AssertionSigner(b"x" * 48)
    admin, now = Identity("usr_1", frozenset({Role.ADMIN})), SystemClock().now()
    url = subgraph(split_store, "user").url
    for assertion in (forged.sign(admin, audience="user", now=now), real.sign(admin, audience="order", now=now)):
        answer = send(
            url,
            body=b'{"query": "{ __typename }"}',
            headers={"content-type": "application/json", "x-pasar-identity": assertion},
        )
        assert (answer.status, codes_of(answer.json)) == (401, ["UNAUTHENTICATED"])


def test_a_client_cannot_hand_an_identity_through_the_router(split_store: RunningStore) -> None:
    answer = send(
        split_store.client.url,
        body=b'{"query": "{ me { id } }"}',
        headers={"content-type": "application/json", "x-pasar-identity": "nonsense"},
    )
    assert answer.json == {"data": {"me": None}}


def test_running_subgraphs_compose_to_the_supergraph_that_is_served(split_store: RunningStore) -> None:
    names = ("inventory", "order", "payment", "product", "sync", "user")
    sources = [f"{name}={subgraph(split_store, name).url}" for name in names]
    result = pasar("compose", *sources)
    assert result.returncode == 0, result.stderr
    assert result.stdout == (split_store.data / "supergraph.graphql").read_text("utf-8")


def test_secrets_of_the_store_are_for_its_owner_only(split_store: RunningStore) -> None:
    files = sorted(file for file in (split_store.data / "keys").rglob("*") if file.is_file())
    assert [(file.name, oct(file.stat().st_mode & 0o777)) for file in files] == [
        ("internal.secret", "0o600"),
        ("19700101T000000Z.key", "0o600"),
    ]
