"""Tokens that make use of there being several keys: old ones, ones that name another's, ones that name a file."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from core.identity import Identity
from core.key_ring import ALWAYS, OVERLAP, KeyRing, key_file_name
from core.tokens import AccessTokenIssuer, Algorithm, SigningKey, generate_private_key, load_signing_key
from router.auth import Authenticator, build_authenticator
from router.config import AuthenticationConfig
from router.errors import Unauthenticated
from router.keys import LocalKeys
from tests.testkit.clock import FixedClock

NOW = datetime(2040, 5, 1, 12, 0, tzinfo=UTC)
ADMIN = Identity("usr_admin", frozenset({"ADMIN"}), frozenset({"users:write"}), token_id="ses_1.0.a")
# Over, the previous one that still verifies, the one that signs, the next one
MOMENTS = (ALWAYS, NOW - OVERLAP, NOW - timedelta(minutes=1), NOW + timedelta(minutes=9))


@dataclass(frozen=True, slots=True)
class Ring:
    """A router with four keys in its ring."""

    folder: Path
    authenticator: Authenticator
    over: SigningKey
    previous: SigningKey
    signing: SigningKey
    following: SigningKey

    def issue(self, key: SigningKey) -> str:
        return AccessTokenIssuer(key, "pasar", "pasar", 600).issue(ADMIN, now=NOW)


@pytest.fixture(params=["EdDSA", "RS256", "HS256"])
def ring(request: pytest.FixtureRequest, tmp_path: Path) -> Ring:
    algorithm: Algorithm = request.param
    keys = []
    for moment in MOMENTS:
        content = generate_private_key(algorithm)
        (tmp_path / key_file_name(moment)).write_bytes(content)
        keys.append(load_signing_key(content, algorithm))
    config = AuthenticationConfig(algorithms=[algorithm])
    source = LocalKeys(config, ring=KeyRing(tmp_path, algorithm))
    return Ring(tmp_path, build_authenticator(config, keys=source, now=FixedClock(NOW).now), *keys)


async def test_the_keys_whose_time_it_is_are_believed(ring: Ring) -> None:
    for key in (ring.previous, ring.signing, ring.following):
        assert await ring.authenticator.authenticate(f"Bearer {ring.issue(key)}", {}) == ADMIN


def _b64(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _claims(ring: Ring) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(ring.issue(ring.signing), options={"verify_signature": False})
    return claims


def _by_hmac(ring: Ring, kid: str, secret: bytes) -> str:
    written = f"{_b64({'alg': 'HS256', 'typ': 'JWT', 'kid': kid})}.{_b64(_claims(ring))}"
    return f"{written}.{_b64(hmac.new(secret, written.encode(), hashlib.sha256).digest())}"


def _public(key: SigningKey) -> bytes:
    """Return what anybody can know of a key: its public half, or for a secret its kid."""
    if isinstance(key.public, bytes):
        return key.kid.encode()
    return key.public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


ATTACKS: dict[str, Callable[[Ring], str]] = {
    "a key that is over": lambda ring: ring.issue(ring.over),
    "a key that is over, under the name of the one that signs": lambda ring: ring.issue(
        replace(ring.over, kid=ring.signing.kid)
    ),
    "the key that signs, under the name of the next": lambda ring: ring.issue(
        replace(ring.signing, kid=ring.following.kid)
    ),
    "the next key, under the name of the one before": lambda ring: ring.issue(
        replace(ring.following, kid=ring.previous.kid)
    ),
    "a new key, under the name of the next": lambda ring: ring.issue(
        replace(
            load_signing_key(generate_private_key(ring.signing.algorithm), ring.signing.algorithm),
            kid=ring.following.kid,
        )
    ),
    "HMAC with what is public of the key that signs": lambda ring: _by_hmac(
        ring, ring.signing.kid, _public(ring.signing)
    ),
    "HMAC with what is public of the next key": lambda ring: _by_hmac(
        ring, ring.following.kid, _public(ring.following)
    ),
    "HMAC with nothing": lambda ring: _by_hmac(ring, ring.signing.kid, b""),
    "alg none under the next key's name": lambda ring: (
        f"{_b64({'alg': 'none', 'typ': 'JWT', 'kid': ring.following.kid})}.{_b64(_claims(ring))}."
    ),
    "kid is the name of a file": lambda ring: ring.issue(replace(ring.signing, kid=key_file_name(MOMENTS[2]))),
    "kid is the path of a file": lambda ring: ring.issue(
        replace(ring.signing, kid=str(ring.folder / key_file_name(MOMENTS[2])))
    ),
    "kid leads out of the folder": lambda ring: _by_hmac(ring, "../../../../../../dev/null", b""),
    "kid is a list": lambda ring: f"{_b64({'alg': 'EdDSA', 'kid': [ring.signing.kid]})}.{_b64(_claims(ring))}.AAAA",
    "kid is of immense length": lambda ring: ring.issue(replace(ring.signing, kid=ring.signing.kid + "x" * 10_000)),
}


@pytest.mark.parametrize("attack", ATTACKS)
async def test_a_token_that_plays_keys_off_against_each_other_is_refused(ring: Ring, attack: str) -> None:
    token = ATTACKS[attack](ring)
    for _ in range(2):
        with pytest.raises(Unauthenticated, match="the access token is not valid"):
            await ring.authenticator.authenticate(f"Bearer {token}", {})
    # Nor has it spoilt anything for the others
    assert await ring.authenticator.authenticate(f"Bearer {ring.issue(ring.signing)}", {}) == ADMIN
