"""Keys are rotated while people log in, ask and refresh: nobody notices."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import jwt
import pytest

from core.key_ring import OVERLAP
from core.settings import Settings
from core.tokens import InvalidToken, TokenVerifier, verification_keys_from_jwks
from pasar.key_rotation import rotate_keys
from pasar.keys import complete_settings
from subgraphs.user.keys import JWKS_MAX_AGE_S, open_issuer
from tests.integration.user.conftest import PASSWORD, UserStore, open_store
from tests.testkit.clock import FixedClock
from tests.testkit.store import MakeRuntime


@dataclass(slots=True)
class LazyVerifier:
    """A router that reads the published keys as seldom as it may. Mutable: *keys* are those it read last."""

    issuer: Any
    clock: FixedClock
    read_at: datetime | None = None
    keys: Sequence[Any] = ()

    def verify(self, token: str) -> str:
        now = self.clock.now()
        if self.read_at is None or now - self.read_at >= timedelta(seconds=JWKS_MAX_AGE_S):
            self.read_at, self.keys = now, verification_keys_from_jwks(self.issuer.at(now).jwks())
        identity = TokenVerifier(self.keys, issuer="pasar", audience="pasar").verify(token, now=now)
        assert identity.subject is not None
        return identity.subject


@pytest.fixture
async def rotating(make_runtime: MakeRuntime, clock: FixedClock, store_settings: Settings) -> UserStore:
    settings = complete_settings(store_settings.model_copy(update={"token_key_file": None}))
    return await open_store(make_runtime, clock, settings)


async def test_nobody_is_logged_out_while_keys_are_rotated(rotating: UserStore, clock: FixedClock) -> None:
    settings = rotating.subgraph.runtime.settings
    profile = await rotating.service.create_user(email="ani@example.com", password=PASSWORD, name="Ani")
    issuer = open_issuer(settings)
    router = LazyVerifier(issuer, clock)
    tokens = [await rotating.service.log_in(email="ani@example.com", password=PASSWORD)]
    kids = set()
    for minute in range(90):
        if minute in (5, 45):
            rotate_keys(settings, now=clock.now())
        clock.advance(minutes=1)
        kids.add(issuer.at(clock.now()).key.kid)
        living = [held for held in tokens if held.access_expires_at > clock.now()]
        assert [router.verify(held.access_token) for held in living] == [profile.id] * len(living)
        # One session lives on refreshes, and a new one is opened each minute
        tokens.append(await rotating.service.refresh(tokens[0].refresh_token))
        tokens[0] = tokens[-1]
        tokens.append(await rotating.service.log_in(email="ani@example.com", password=PASSWORD))
    assert len(kids) == 3
    assert len({jwt.get_unverified_header(held.access_token)["kid"] for held in tokens}) == 3


async def test_what_an_old_key_signs_after_the_overlap_is_refused(rotating: UserStore, clock: FixedClock) -> None:
    settings = rotating.subgraph.runtime.settings
    _, ani = await rotating.add("Ani")
    old = open_issuer(settings).at(clock.now())
    new = rotate_keys(settings, now=clock.now())
    issuer = open_issuer(settings)
    clock.advance(new.signs_from + OVERLAP - timedelta(seconds=1) - clock.now())
    assert LazyVerifier(issuer, clock).verify(old.issue(ani, now=clock.now())) == ani.subject
    clock.advance(seconds=1)
    with pytest.raises(InvalidToken):
        LazyVerifier(issuer, clock).verify(old.issue(ani, now=clock.now()))
