"""The list of revoked tokens as a router keeps it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from core.identity import Identity
from core.tokens import (
    REVOCATIONS_AUDIENCE,
    AccessTokenIssuer,
    AssertionVerifier,
    TokenFamily,
    generate_private_key,
    load_signing_key,
)
from router.auth import build_authenticator
from router.config import AuthenticationConfig, ConfigError
from router.errors import Unauthenticated
from router.revocations import FeedUnreadable, Revocation, RevocationPage, Revocations, open_revocations
from router.telemetry import Telemetry
from tests.testkit.clock import FixedClock
from tests.testkit.revocation_feed import MemoryFeed

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SECRET = "s" * 32
LATER = NOON.timestamp() + 900


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOON)


@pytest.fixture
def feed() -> MemoryFeed:
    return MemoryFeed()


@pytest.fixture
def revocations(feed: MemoryFeed, clock: FixedClock) -> Revocations:
    return Revocations(feed, every_s=15, now=clock.now)


async def test_a_session_is_refused_once_it_has_been_read(revocations: Revocations, feed: MemoryFeed) -> None:
    feed.add(Revocation("ses_1", LATER), Revocation("ses_2", LATER, before=3))
    assert not revocations.refuse(TokenFamily("ses_1", 0))
    await revocations.read()
    assert revocations.refuse(TokenFamily("ses_1", 0))
    assert revocations.refuse(TokenFamily("ses_1", 999_999_999))
    assert [revocations.refuse(TokenFamily("ses_2", generation)) for generation in (0, 2, 3, 4)] == [
        True,
        True,
        False,
        False,
    ]
    assert not revocations.refuse(TokenFamily("ses_3", 0))


async def test_each_reading_goes_on_where_the_last_one_ended(revocations: Revocations, feed: MemoryFeed) -> None:
    feed.pages += [RevocationPage(as_of="10"), FeedUnreadable("away"), RevocationPage(as_of="20")]
    for _ in range(4):
        await revocations.read()
    assert feed.asked == ["", "10", "10", "20"]


async def test_what_comes_twice_or_late_takes_nothing_back(revocations: Revocations, feed: MemoryFeed) -> None:
    feed.add(Revocation("ses_1", LATER, before=3))
    feed.add(Revocation("ses_1", LATER, before=2))
    feed.add(Revocation("ses_2", LATER))
    feed.add(Revocation("ses_2", LATER, before=1))
    for _ in range(4):
        await revocations.read()
    assert revocations.refuse(TokenFamily("ses_1", 2))
    assert revocations.refuse(TokenFamily("ses_2", 5))


async def test_while_the_list_is_out_of_reach_the_known_part_goes_on(
    revocations: Revocations, feed: MemoryFeed, clock: FixedClock
) -> None:
    assert revocations.age_s() == float("inf")
    feed.add(Revocation("ses_1", LATER))
    feed.pages.append(FeedUnreadable("away"))
    await revocations.read()
    clock.advance(seconds=15)
    await revocations.read()
    assert revocations.refuse(TokenFamily("ses_1", 0))
    assert (revocations.failures, revocations.age_s(), revocations.count) == (1, 15.0, 1)
    telemetry = Telemetry()
    telemetry.watch_revocations(revocations)
    shown = telemetry.render().decode()
    assert "pasar_router_revocations 1.0\n" in shown
    assert "pasar_router_revocations_age_seconds 15.0\n" in shown
    assert "pasar_router_revocations_failures_total 1.0\n" in shown


async def test_a_revocation_is_forgotten_when_its_last_token_has_expired(
    revocations: Revocations, feed: MemoryFeed, clock: FixedClock
) -> None:
    feed.add(Revocation("ses_1", LATER))
    await revocations.read()
    clock.advance(seconds=899)
    await revocations.read()
    assert revocations.count == 1
    clock.advance(seconds=1)
    await revocations.read()
    assert revocations.count == 0


async def test_who_watches_a_session_is_told_until_they_stop(revocations: Revocations, feed: MemoryFeed) -> None:
    told: list[str] = []
    feed.add(Revocation("ses_2", LATER), Revocation("ses_1", LATER, before=1))
    feed.add(Revocation("ses_1", LATER))
    with revocations.watching(TokenFamily("ses_1", 0), lambda: told.append("one")):
        with revocations.watching(TokenFamily("ses_1", 0), lambda: told.append("other")):
            await revocations.read()
        assert sorted(told) == ["one", "other"]
        await revocations.read()
    assert sorted(told) == ["one", "one", "other"]


async def test_a_token_that_was_valid_a_moment_ago_is_refused_when_its_session_is_revoked(
    tmp_path: Path, revocations: Revocations, feed: MemoryFeed, clock: FixedClock
) -> None:
    issuer = AccessTokenIssuer(load_signing_key(generate_private_key("EdDSA"), "EdDSA"), "pasar", "pasar", 600)
    (tmp_path / "jwks.json").write_text(json.dumps(issuer.jwks()))
    config = AuthenticationConfig(jwks_file=tmp_path / "jwks.json")
    authenticator = build_authenticator(config, now=clock.now, revocations=revocations)
    old, new, other, foreign = (
        issuer.issue(Identity("usr_ani", token_id=token_id), now=NOON)
        for token_id in ("ses_1.0.a", "ses_1.1.b", "ses_2.0.c", "of another kind")
    )
    for token in (old, new, other, foreign):
        assert (await authenticator.authenticate(f"Bearer {token}", {})).subject == "usr_ani"
    feed.add(Revocation("ses_1", LATER, before=1))
    await revocations.read()
    with pytest.raises(Unauthenticated, match="the access token has been revoked") as refusal:
        await authenticator.authenticate(f"Bearer {old}", {})
    assert 'error="invalid_token"' in refusal.value.headers["www-authenticate"]
    for token in (new, other, foreign):
        assert (await authenticator.authenticate(f"Bearer {token}", {})).subject == "usr_ani"


def test_a_configured_list_goes_before_the_one_of_this_process(revocations: Revocations) -> None:
    config = AuthenticationConfig.model_validate(
        {"revocations_url": "http://127.0.0.1:1/", "internal_secret": SECRET, "jwks_url": "http://127.0.0.1:1/"}
    )
    for in_process in (None, revocations):
        chosen = build_authenticator(config, revocations=in_process).revocations
        assert chosen is not None
        assert chosen is not revocations
    assert build_authenticator(AuthenticationConfig(), revocations=revocations).revocations is revocations
    assert build_authenticator(AuthenticationConfig()).revocations is None


def test_a_list_needs_the_secret_that_opens_it() -> None:
    with pytest.raises(ConfigError, match=r"revocations_url needs authentication\.internal_secret"):
        open_revocations(AuthenticationConfig(revocations_url="http://127.0.0.1:1/"), now=lambda: NOON)
    assert open_revocations(AuthenticationConfig(), now=lambda: NOON) is None


async def test_over_http_a_router_says_who_it_is_and_takes_what_it_is_told(clock: FixedClock) -> None:
    answers: list[Any] = [
        {"asOf": "7", "revoked": [{"session": "ses_1", "until": LATER}], "unknown": 1},
        {"asOf": 7},
        "not json",
        None,
    ]
    seen: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        verifier = AssertionVerifier(SECRET.encode(), REVOCATIONS_AUDIENCE)
        seen.append(
            f"{verifier.verify(request.headers['x-pasar-identity'], now=NOON).subject} {request.query['since']}"
        )
        body = answers.pop(0)
        return web.Response(status=503) if body is None else web.json_response(body)

    app = web.Application()
    app.router.add_get("/revoked", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    config = AuthenticationConfig.model_validate(
        {"revocations_url": f"http://{host}:{port}/revoked", "internal_secret": SECRET}
    )
    revocations = open_revocations(config, now=clock.now)
    assert revocations is not None
    try:
        for _ in range(4):
            await revocations.read()
    finally:
        await revocations.aclose()
        await runner.cleanup()
    assert seen == ["service:router ", "service:router 7", "service:router 7", "service:router 7"]
    assert revocations.refuse(TokenFamily("ses_1", 0))
    assert revocations.failures == 3
