"""The list of revoked tokens that routers read from the user subgraph."""

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from starlette.applications import Starlette

from core.identity import Identity, Role, service_identity
from core.key_ring import OVERLAP
from core.mongo import in_transaction
from core.subgraph_app import build_subgraph_app
from core.tokens import REVOCATIONS_AUDIENCE, AssertionSigner, AssertionVerifier, TokenFamily
from router.config import AuthenticationConfig
from router.revocations import open_revocations
from subgraphs.user.model import session_of
from subgraphs.user.revocations import REVOCATIONS_PATH, SETTLING, RevocationList
from subgraphs.user.sessions import Tokens
from tests.integration.user.conftest import NOW, PASSWORD, UserStore
from tests.testkit.asgi_server import running_asgi
from tests.testkit.store import INTERNAL_SECRET


@pytest.fixture
async def url(store: UserStore) -> AsyncIterator[str]:
    app: Starlette = build_subgraph_app(store.subgraph, AssertionVerifier(INTERNAL_SECRET.encode(), "user"))
    async with running_asgi(app) as base:
        yield f"{base}{REVOCATIONS_PATH}"


async def log_in(store: UserStore) -> Tokens:
    return await store.service.log_in(email="ani@example.com", password=PASSWORD)


def family_of(tokens: Tokens) -> TokenFamily:
    session_id = session_of(tokens.identity.token_id)
    assert session_id is not None
    return TokenFamily(session_id, 0)


@pytest.fixture(autouse=True)
async def _ani(store: UserStore) -> None:
    await store.service.create_user(email="ani@example.com", password=PASSWORD, name="Ani")


async def test_a_router_learns_of_a_logout_with_its_next_look(store: UserStore, url: str) -> None:
    config = AuthenticationConfig.model_validate({"revocations_url": url, "internal_secret": INTERNAL_SECRET})
    revocations = open_revocations(config, now=store.clock.now)
    assert revocations is not None
    try:
        first, second = await log_in(store), await log_in(store)
        await revocations.read()
        assert not revocations.refuse(family_of(first))
        await store.service.log_out(first.identity, None)
        store.clock.advance(seconds=15)
        await revocations.read()
        assert revocations.refuse(family_of(first))
        assert not revocations.refuse(family_of(second))
        assert revocations.failures == 0
        # It is needed until the last access token has expired, and no longer
        store.clock.advance(OVERLAP - timedelta(seconds=16))
        await revocations.read()
        assert revocations.refuse(family_of(first))
        store.clock.advance(seconds=1)
        await revocations.read()
        assert revocations.count == 0
    finally:
        await revocations.aclose()


async def test_an_answer_goes_back_by_what_a_transaction_may_take(store: UserStore) -> None:
    revoked = RevocationList(store.database, store.clock)
    tokens = await log_in(store)
    await store.service.log_out(tokens.identity, None)
    at = store.clock.now()

    async def seen(since_s: float) -> list[str]:
        page = await revoked.read(str(int((at.timestamp() + since_s) * 1000)))
        return [entry["session"] for entry in page["revoked"]]

    session_id = session_of(tokens.identity.token_id)
    assert await seen(SETTLING.total_seconds()) == [session_id]
    assert await seen(SETTLING.total_seconds() + 0.001) == []
    assert [entry["session"] for entry in (await revoked.read(""))["revoked"]] == [session_id]


async def test_all_sessions_of_an_account_are_revoked_in_somebody_elses_transaction(store: UserStore) -> None:
    sessions = store.service.sessions
    held = [await log_in(store) for _ in range(3)]
    kept = session_of(held[0].identity.token_id)
    user_id = held[0].profile.id

    async def work(session: Any) -> int:
        return await sessions.revoke_sessions_of(user_id, "PASSWORD_CHANGED", except_session=kept, session=session)

    async def give_up(session: Any) -> None:
        await work(session)
        raise RuntimeError("the rest of the transaction fails")

    before = await store.snapshot()
    with pytest.raises(RuntimeError):
        await in_transaction(store.subgraph.runtime.client, give_up)
    assert await store.snapshot() == before
    assert await in_transaction(store.subgraph.runtime.client, work) == 2
    stored = await store.snapshot()
    assert [row["revoked_reason"] for row in stored["sessions"]] == [None, "PASSWORD_CHANGED", "PASSWORD_CHANGED"]
    assert [(row["_id"], row["before"], row["at"], row["until"]) for row in stored["revocations"]] == [
        (session_of(tokens.identity.token_id), None, NOW, NOW + OVERLAP) for tokens in held[1:]
    ]
    assert await in_transaction(store.subgraph.runtime.client, work) == 0
    assert await store.snapshot() == stored


def assertion(store: UserStore, audience: str, *, secret: str = INTERNAL_SECRET, age_s: int = 0) -> dict[str, str]:
    now = store.clock.now() - timedelta(seconds=age_s)
    signed = AssertionSigner(secret.encode()).sign(service_identity("router"), audience=audience, now=now)
    return {"x-pasar-identity": signed}


async def get(url: str, headers: Mapping[str, str], since: str = "") -> tuple[int, Any]:
    async with aiohttp.ClientSession() as http, http.get(url, params={"since": since}, headers=headers) as answer:
        return answer.status, await answer.json()


async def test_nobody_else_reads_the_list(store: UserStore, url: str) -> None:
    tokens = await log_in(store)
    await store.service.log_out(tokens.identity, None)
    refused = (401, {"error": "this is for the store's routers"})
    for headers in (
        {},
        {"authorization": f"Bearer {tokens.access_token}"},
        {"x-pasar-identity": tokens.access_token},
        {"x-pasar-identity": ""},
        assertion(store, "user"),
        assertion(store, REVOCATIONS_AUDIENCE, secret="x" * 48),
        assertion(store, REVOCATIONS_AUDIENCE, age_s=3600),
        assertion(store, REVOCATIONS_AUDIENCE, age_s=-3600),
    ):
        assert await get(url, headers) == refused
    status, page = await get(url, assertion(store, REVOCATIONS_AUDIENCE))
    assert (status, len(page["revoked"])) == (200, 1)


@pytest.mark.parametrize("since", ["x", "1.5", "9" * 40, "-", "1 or 1"])
async def test_a_since_that_nobody_was_given_is_refused(store: UserStore, url: str, since: str) -> None:
    status, _ = await get(url, assertion(store, REVOCATIONS_AUDIENCE), since)
    assert status == 400


async def test_the_assertion_for_the_list_opens_nothing_else(store: UserStore, url: str) -> None:
    admin = Identity("usr_root", frozenset({Role.ADMIN}))
    signed = AssertionSigner(INTERNAL_SECRET.encode()).sign(admin, audience=REVOCATIONS_AUDIENCE, now=NOW)
    graphql = url.replace(REVOCATIONS_PATH, "/graphql")
    async with (
        aiohttp.ClientSession() as http,
        http.post(graphql, json={"query": "{ me { id } }"}, headers={"x-pasar-identity": signed}) as answer,
    ):
        assert answer.status == 401
