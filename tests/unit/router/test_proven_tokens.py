"""What an authenticator remembers: valid tokens, until they expire, and never beyond the keys that proved them."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.identity import Identity
from core.key_ring import ALWAYS, OVERLAP, KeyRing, key_file_name
from core.tokens import AccessTokenIssuer, Proof, TokenVerifier, generate_private_key, load_signing_key
from router import auth
from router.auth import Authenticator, build_authenticator
from router.config import AuthenticationConfig
from router.errors import Unauthenticated
from router.keys import LocalKeys
from tests.testkit.clock import FixedClock

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
ANI = Identity("usr_ani", frozenset({"STAFF"}), frozenset({"orders:read"}), token_id="ses_1.0.a")


@dataclass
class CountingKeys:
    """One verifier that counts what it is asked. Mutable in *verified*; *verifier* may be replaced."""

    verifier: TokenVerifier
    verified: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        prove = self.verifier.prove

        def counted(token: str, *, now: datetime) -> Proof:
            self.verified.append(token)
            return prove(token, now=now)

        self.verifier.prove = counted  # type: ignore[method-assign]

    def verifier_at_hand(self, now: datetime) -> TokenVerifier:
        return self.verifier

    async def verifier_for(self, token: str, now: datetime) -> TokenVerifier:
        return self.verifier

    async def aclose(self) -> None:
        return None


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOON)


@pytest.fixture
def issuer() -> AccessTokenIssuer:
    return AccessTokenIssuer(load_signing_key(generate_private_key("EdDSA"), "EdDSA"), "pasar", "pasar", 600)


@pytest.fixture
def keys(tmp_path: Path, issuer: AccessTokenIssuer) -> CountingKeys:
    (tmp_path / "jwks.json").write_text(json.dumps(issuer.jwks()))
    source = LocalKeys(AuthenticationConfig(), jwks_file=tmp_path / "jwks.json")
    return CountingKeys(source.verifier_at_hand(NOON))


@pytest.fixture
def authenticator(keys: CountingKeys, clock: FixedClock) -> Authenticator:
    return Authenticator(keys, cookie_name="pasar_access", now=clock.now)


async def test_a_token_is_verified_once_however_it_comes(
    authenticator: Authenticator, keys: CountingKeys, issuer: AccessTokenIssuer
) -> None:
    token = issuer.issue(ANI, now=NOON)
    for _ in range(3):
        assert await authenticator.authenticate(f"Bearer {token}", {}) == ANI
        assert await authenticator.authenticate(None, {"pasar_access": token}) == ANI
    assert keys.verified == [token]


async def test_a_remembered_token_expires_like_any_other(
    authenticator: Authenticator, issuer: AccessTokenIssuer, clock: FixedClock
) -> None:
    token = issuer.issue(ANI, now=NOON)
    assert await authenticator.authenticate(f"Bearer {token}", {}) == ANI
    # The leeway for clocks that differ is the verifier's to give
    clock.advance(seconds=604)
    assert await authenticator.authenticate(f"Bearer {token}", {}) == ANI
    clock.advance(seconds=1)
    with pytest.raises(Unauthenticated, match="the access token has expired"):
        await authenticator.authenticate(f"Bearer {token}", {})


async def test_refused_tokens_are_not_remembered(
    authenticator: Authenticator, keys: CountingKeys, issuer: AccessTokenIssuer
) -> None:
    forged = issuer.issue(ANI, now=NOON)[:-8] + "AAAAAAAA"
    for _ in range(2):
        with pytest.raises(Unauthenticated):
            await authenticator.authenticate(f"Bearer {forged}", {})
    assert keys.verified == [forged, forged]


async def test_only_so_many_tokens_are_remembered(
    authenticator: Authenticator, keys: CountingKeys, issuer: AccessTokenIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth, "MAX_PROVEN", 2)
    first, *others = [issuer.issue(Identity("usr_ani", token_id=f"ses_{n}.0.a"), now=NOON) for n in range(3)]
    for token in (first, *others, *others, first):
        await authenticator.authenticate(f"Bearer {token}", {})
    assert keys.verified == [first, *others, first]


def put_key(folder: Path, signs_from: datetime) -> AccessTokenIssuer:
    content = generate_private_key("EdDSA")
    (folder / key_file_name(signs_from)).write_bytes(content)
    return AccessTokenIssuer(load_signing_key(content, "EdDSA"), "pasar", "pasar", 600)


async def test_a_remembered_token_is_refused_once_its_key_is_gone(tmp_path: Path, clock: FixedClock) -> None:
    old, new = put_key(tmp_path, ALWAYS), put_key(tmp_path, NOON)
    ring = KeyRing(tmp_path, "EdDSA")
    config = AuthenticationConfig()
    source = LocalKeys(config, ring=ring, check_every_s=0)
    authenticator = build_authenticator(config, keys=source, now=clock.now)
    tokens = [issuer.issue(ANI, now=NOON) for issuer in (old, new)]
    for token in tokens:
        assert await authenticator.authenticate(f"Bearer {token}", {}) == ANI
    (tmp_path / key_file_name(ALWAYS)).unlink()
    with pytest.raises(Unauthenticated, match="the access token is not valid"):
        await authenticator.authenticate(f"Bearer {tokens[0]}", {})
    assert await authenticator.authenticate(f"Bearer {tokens[1]}", {}) == ANI


async def test_a_new_key_is_looked_for_when_a_token_names_it(tmp_path: Path) -> None:
    put_key(tmp_path, ALWAYS)
    config = AuthenticationConfig()
    # Were it not for the token, they would be read once an hour
    source = LocalKeys(config, ring=KeyRing(tmp_path, "EdDSA"), check_every_s=3600)
    source.verifier_at_hand(NOON)
    (tmp_path / key_file_name(ALWAYS)).unlink()
    token = put_key(tmp_path, ALWAYS).issue(ANI, now=NOON)
    authenticator = build_authenticator(config, keys=source, now=lambda: NOON)
    assert await authenticator.authenticate(f"Bearer {token}", {}) == ANI


async def test_an_old_key_signs_nothing_any_more_after_the_overlap(tmp_path: Path, clock: FixedClock) -> None:
    # As if it had been stolen from a backup
    old = put_key(tmp_path, ALWAYS)
    put_key(tmp_path, NOON)
    config = AuthenticationConfig()
    source = LocalKeys(config, ring=KeyRing(tmp_path, "EdDSA"), check_every_s=0)
    authenticator = build_authenticator(config, keys=source, now=clock.now)
    clock.advance(OVERLAP - timedelta(seconds=1))
    assert await authenticator.authenticate(f"Bearer {old.issue(ANI, now=clock.now())}", {}) == ANI
    clock.advance(seconds=1)
    with pytest.raises(Unauthenticated, match="the access token is not valid"):
        await authenticator.authenticate(f"Bearer {old.issue(ANI, now=clock.now())}", {})


async def test_a_key_set_in_a_file_is_read_again_when_it_changes(tmp_path: Path, issuer: AccessTokenIssuer) -> None:
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps(issuer.jwks()))
    config = AuthenticationConfig(jwks_file=file)
    source = LocalKeys(config, jwks_file=file, check_every_s=0)
    authenticator = Authenticator(source, cookie_name="", now=lambda: NOON)
    token = issuer.issue(ANI, now=NOON)
    assert await authenticator.authenticate(f"Bearer {token}", {}) == ANI
    file.write_text("half a fi")
    assert await authenticator.authenticate(f"Bearer {token}", {}) == ANI
    # Another issuer's key, under the same name
    other = load_signing_key(generate_private_key("EdDSA"), "EdDSA")
    jwk = AccessTokenIssuer(other, "pasar", "pasar", 600).jwks()["keys"][0]
    file.write_text(json.dumps({"keys": [{**jwk, "kid": issuer.key.kid}]}))
    with pytest.raises(Unauthenticated):
        await authenticator.authenticate(f"Bearer {token}", {})


async def test_a_folder_of_shared_secrets_is_a_ring(tmp_path: Path) -> None:
    issuers = []
    for moment in (ALWAYS, NOON):
        secret = generate_private_key("HS256")
        (tmp_path / key_file_name(moment)).write_bytes(secret)
        issuers.append(AccessTokenIssuer(load_signing_key(secret, "HS256"), "pasar", "pasar", 600))
    config = AuthenticationConfig(hs256_secret_file=tmp_path, algorithms=["HS256"])
    clock = FixedClock(NOON)
    authenticator = build_authenticator(config, now=clock.now)
    for issuer in issuers:
        assert await authenticator.authenticate(f"Bearer {issuer.issue(ANI, now=NOON)}", {}) == ANI
