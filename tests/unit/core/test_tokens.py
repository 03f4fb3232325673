import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from core.errors import Unauthenticated
from core.identity import ANONYMOUS, Identity, Role, service_identity
from core.tokens import (
    ASSERTION_TTL_S,
    LEEWAY_S,
    AccessTokenIssuer,
    Algorithm,
    AssertionSigner,
    AssertionVerifier,
    ExpiredToken,
    InvalidToken,
    SigningKey,
    TokenFamily,
    TokenVerifier,
    VerificationKey,
    generate_private_key,
    load_signing_key,
    new_token_id,
    read_key_id,
    read_token_family,
    verification_keys_from_jwks,
)

NOW = datetime(2030, 5, 1, 12, 0, tzinfo=UTC)
TTL_S = 600
ANI = Identity(
    subject="usr_ani", roles=frozenset({Role.STAFF}), scopes=frozenset({"orders:read", "users:read"}), token_id="tok_1"
)
ALGORITHMS: tuple[Algorithm, ...] = ("EdDSA", "RS256", "HS256")
SECRET = b"an internal secret of more than 32 bytes"

# Made once: an RSA key takes a while
KEYS = {algorithm: load_signing_key(generate_private_key(algorithm), algorithm) for algorithm in ALGORITHMS}
ED_KEY = KEYS["EdDSA"]


def issuer_for(key: SigningKey, *, issuer: str = "pasar", audience: str = "pasar") -> AccessTokenIssuer:
    return AccessTokenIssuer(key, issuer, audience, TTL_S)


def verifier_for(*keys: SigningKey) -> TokenVerifier:
    return TokenVerifier(
        [VerificationKey(key.kid, key.algorithm, key.public) for key in keys], issuer="pasar", audience="pasar"
    )


def claims(**changes: Any) -> dict[str, Any]:
    complete = {
        "iss": "pasar",
        "aud": "pasar",
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + TTL_S,
        "jti": "tok_1",
        "sub": "usr_ani",
        "roles": ["STAFF"],
        "scope": "orders:read users:read",
    }
    return {name: value for name, value in {**complete, **changes}.items() if value is not None}


def sign(payload: dict[str, Any], *, key: SigningKey = ED_KEY, headers: dict[str, Any] | None = None) -> str:
    return jwt.encode(payload, key.private, algorithm=key.algorithm, headers={"kid": key.kid, **(headers or {})})


def encode_part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def forge(header: dict[str, Any], payload: dict[str, Any], signature: bytes = b"") -> str:
    """Put a token together by hand, as an attacker's own library would."""
    tail = base64.urlsafe_b64encode(signature).rstrip(b"=").decode()
    return f"{encode_part(header)}.{encode_part(payload)}.{tail}"


def hmac_sha256(header: dict[str, Any], payload: dict[str, Any], secret: bytes) -> bytes:
    algorithm = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    return algorithm.sign(f"{encode_part(header)}.{encode_part(payload)}".encode(), secret)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_an_issued_token_proves_its_identity(algorithm: Algorithm) -> None:
    key = KEYS[algorithm]
    token = issuer_for(key).issue(ANI, now=NOW)
    assert verifier_for(key).verify(token, now=NOW) == ANI


def test_a_hand_made_token_with_all_claims_is_accepted() -> None:
    # So that the refusals below are due to the one thing that each of them changes
    assert verifier_for(ED_KEY).verify(sign(claims()), now=NOW) == ANI


def test_an_identity_without_token_id_gets_a_new_one_each_time() -> None:
    issuer = issuer_for(ED_KEY)
    ids = {verifier_for(ED_KEY).verify(issuer.issue(Identity("usr_ani"), now=NOW), now=NOW).token_id for _ in range(3)}
    assert len(ids) == 3
    assert all(token_id and token_id.startswith("tok_") for token_id in ids)


@pytest.mark.parametrize("algorithm", ["EdDSA", "RS256"])
def test_the_published_keys_verify_what_was_issued(algorithm: Algorithm) -> None:
    issuer = issuer_for(KEYS[algorithm])
    published = json.loads(json.dumps(issuer.jwks()))
    verifier = TokenVerifier(verification_keys_from_jwks(published), issuer="pasar", audience="pasar")
    assert verifier.verify(issuer.issue(ANI, now=NOW), now=NOW) == ANI


@pytest.mark.parametrize("algorithm", ["EdDSA", "RS256"])
def test_the_published_keys_hold_nothing_private(algorithm: Algorithm) -> None:
    (jwk,) = issuer_for(KEYS[algorithm]).jwks()["keys"]
    assert jwk["kid"] == KEYS[algorithm].kid
    assert jwk["alg"] == algorithm
    assert jwk["use"] == "sig"
    assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & set(jwk)


def test_an_hs256_secret_is_never_published() -> None:
    assert issuer_for(KEYS["HS256"]).jwks() == {"keys": []}


def test_published_keys_of_other_kinds_are_passed_over() -> None:
    (good,) = issuer_for(ED_KEY).jwks()["keys"]
    others = [
        {**good, "kid": None},
        {**good, "alg": "HS256", "kid": "hmac"},
        {"kty": "oct", "k": "c2VjcmV0", "alg": "HS256", "kid": "secret"},
        {"kty": "EC", "crv": "P-256", "alg": "ES256", "kid": "curve"},
        {"kty": "RSA", "alg": "RS512", "kid": "other hash"},
    ]
    assert [key.kid for key in verification_keys_from_jwks({"keys": [*others, good]})] == [ED_KEY.kid]
    assert verification_keys_from_jwks({}) == ()


# -- forged ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["none", "None", "NONE", "nOnE", ""])
def test_a_token_without_signature_is_refused(name: str) -> None:
    for header in ({"alg": name, "kid": ED_KEY.kid}, {"alg": name, "typ": "JWT", "kid": ED_KEY.kid}):
        with pytest.raises(InvalidToken):
            verifier_for(ED_KEY).verify(forge(header, claims()), now=NOW)
        with pytest.raises(InvalidToken):
            verifier_for(ED_KEY).verify(forge(header, claims()).rstrip("."), now=NOW)


def public_key_encodings(key: SigningKey) -> list[bytes]:
    public = key.public
    assert not isinstance(public, bytes)
    info = serialization.PublicFormat.SubjectPublicKeyInfo
    encodings = [
        public.public_bytes(serialization.Encoding.PEM, info),
        public.public_bytes(serialization.Encoding.PEM, info).strip(),
        public.public_bytes(serialization.Encoding.DER, info),
    ]
    if isinstance(public, ed25519.Ed25519PublicKey):
        encodings.append(public.public_bytes_raw())
    return encodings


@pytest.mark.parametrize("algorithm", ["EdDSA", "RS256"])
@pytest.mark.parametrize("claimed", ["HS256", "HS384", "HS512"])
def test_the_public_key_does_not_work_as_an_hmac_secret(algorithm: Algorithm, claimed: str) -> None:
    key = KEYS[algorithm]
    header = {"alg": claimed, "typ": "JWT", "kid": key.kid}
    for secret in public_key_encodings(key):
        token = forge(header, claims(), hmac_sha256(header, claims(), secret))
        with pytest.raises(InvalidToken):
            verifier_for(key).verify(token, now=NOW)


def test_the_public_key_does_not_work_as_an_hmac_secret_beside_a_real_hs256_key() -> None:
    header = {"alg": "HS256", "typ": "JWT", "kid": ED_KEY.kid}
    for secret in public_key_encodings(ED_KEY):
        token = forge(header, claims(), hmac_sha256(header, claims(), secret))
        with pytest.raises(InvalidToken):
            verifier_for(ED_KEY, KEYS["HS256"]).verify(token, now=NOW)


def test_a_key_verifies_for_its_own_algorithm_only() -> None:
    rs256 = KEYS["RS256"]
    assert isinstance(rs256.private, rsa.RSAPrivateKey)
    token = jwt.encode(claims(), rs256.private, algorithm="PS256", headers={"kid": rs256.kid})
    with pytest.raises(InvalidToken):
        verifier_for(rs256).verify(token, now=NOW)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_token_of_somebody_elses_key_is_refused(algorithm: Algorithm) -> None:
    stranger = load_signing_key(generate_private_key(algorithm), algorithm)
    as_ours = SigningKey(KEYS[algorithm].kid, algorithm, stranger.private)
    with pytest.raises(InvalidToken):
        verifier_for(KEYS[algorithm]).verify(sign(claims(), key=as_ours), now=NOW)
    with pytest.raises(InvalidToken):
        verifier_for(KEYS[algorithm]).verify(sign(claims(), key=stranger), now=NOW)


@pytest.mark.parametrize(
    "kid",
    [
        "../../../../dev/null",
        "/dev/null",
        "file:///etc/hostname",
        "http://attacker.invalid/key.pem",
        "' UNION SELECT 'secret",
        "",
        " ",
        "0" * 100_000,
        "\x00",
    ],
)
def test_a_kid_is_only_ever_looked_up_among_the_known_keys(kid: str) -> None:
    for secret in (b"", b"\x00" * 32, b"secret" * 8):
        header = {"alg": "HS256", "kid": kid}
        token = forge(header, claims(), hmac_sha256(header, claims(), secret) if secret else b"")
        with pytest.raises(InvalidToken):
            verifier_for(ED_KEY, KEYS["HS256"]).verify(token, now=NOW)
    with pytest.raises(InvalidToken):
        verifier_for(ED_KEY).verify(sign(claims(), headers={"kid": kid}), now=NOW)


@pytest.mark.parametrize("kid", [None, 1, True, ["a"], {"a": "b"}])
def test_a_kid_that_is_no_text_is_refused(kid: Any) -> None:
    header = {"alg": "EdDSA", "kid": kid}
    signing_input = f"{encode_part(header)}.{encode_part(claims())}".encode()
    assert isinstance(ED_KEY.private, ed25519.Ed25519PrivateKey)
    with pytest.raises(InvalidToken):
        verifier_for(ED_KEY).verify(forge(header, claims(), ED_KEY.private.sign(signing_input)), now=NOW)


def test_a_key_inside_the_token_is_not_believed() -> None:
    stranger = load_signing_key(generate_private_key("EdDSA"), "EdDSA")
    (jwk,) = issuer_for(stranger).jwks()["keys"]
    for headers in ({"jwk": jwk}, {"jku": "http://attacker.invalid/jwks.json"}, {"x5u": "http://attacker.invalid"}):
        token = sign(claims(), key=SigningKey(ED_KEY.kid, "EdDSA", stranger.private), headers=headers)
        with pytest.raises(InvalidToken):
            verifier_for(ED_KEY).verify(token, now=NOW)


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "another-shop"},
        {"aud": None},
        {"iss": "another-issuer"},
        {"iss": None},
        {"exp": None},
        {"iat": None},
        {"exp": "tomorrow"},
        {"exp": [1]},
        {"iat": "yesterday"},
        {"sub": 42},
        {"jti": 42},
        {"roles": "ADMIN"},
        {"roles": [1]},
        {"roles": {"ADMIN": True}},
        {"scope": ["orders:read"]},
        {"nbf": "never"},
    ],
    ids=str,
)
def test_a_signed_token_with_wrong_claims_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidToken):
        verifier_for(ED_KEY).verify(sign(claims(**changes)), now=NOW)


@pytest.mark.parametrize("part", [0, 1, 2], ids=["header", "payload", "signature"])
def test_a_token_changed_in_one_place_is_refused(part: int) -> None:
    parts = sign(claims()).split(".")
    changed = parts[part][:-4] + ("AAAA" if parts[part][-4:] != "AAAA" else "BBBB")
    token = ".".join([*parts[:part], changed, *parts[part + 1 :]])
    with pytest.raises(InvalidToken):
        verifier_for(ED_KEY).verify(token, now=NOW)


def test_claims_cannot_be_raised_under_an_old_signature() -> None:
    header, _, signature = sign(claims()).split(".")
    raised = encode_part(claims(roles=["ADMIN"], scope="users:write"))
    with pytest.raises(InvalidToken):
        verifier_for(ED_KEY).verify(f"{header}.{raised}.{signature}", now=NOW)


@pytest.mark.parametrize("token", ["", ".", "..", "...", "a.b.c", "é.é.é", "Bearer x", "\x00", "e30.e30.", "null"])
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(InvalidToken):
        verifier_for(ED_KEY).verify(token, now=NOW)


def test_a_refusal_tells_nothing_but_that_it_is_one() -> None:
    for token in (sign(claims(aud="x")), sign(claims(), headers={"kid": "x"}), "garbage"):
        with pytest.raises(InvalidToken, match=r"^the access token is not valid$") as refusal:
            verifier_for(ED_KEY).verify(token, now=NOW)
        assert isinstance(refusal.value, Unauthenticated)
        assert refusal.value.code == "UNAUTHENTICATED"


# -- time --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("age_s", "is_accepted"),
    [(0, True), (TTL_S - 1, True), (TTL_S + LEEWAY_S - 1, True), (TTL_S + LEEWAY_S, False), (TTL_S * 100, False)],
)
def test_a_token_lives_for_its_time_and_the_leeway(age_s: int, is_accepted: bool) -> None:
    token = issuer_for(ED_KEY).issue(ANI, now=NOW)
    later = NOW + timedelta(seconds=age_s)
    if is_accepted:
        assert verifier_for(ED_KEY).verify(token, now=later) == ANI
    else:
        with pytest.raises(ExpiredToken, match="expired"):
            verifier_for(ED_KEY).verify(token, now=later)


@pytest.mark.parametrize(("ahead_s", "is_accepted"), [(LEEWAY_S, True), (LEEWAY_S + 1, False)])
def test_a_token_from_the_future_is_refused_beyond_the_leeway(ahead_s: int, is_accepted: bool) -> None:
    token = issuer_for(ED_KEY).issue(ANI, now=NOW + timedelta(seconds=ahead_s))
    if is_accepted:
        assert verifier_for(ED_KEY).verify(token, now=NOW) == ANI
    else:
        with pytest.raises(InvalidToken):
            verifier_for(ED_KEY).verify(token, now=NOW)


def test_an_expired_token_of_a_stranger_is_not_called_expired() -> None:
    # Else the answer would tell that the rest of it was right
    stranger = load_signing_key(generate_private_key("EdDSA"), "EdDSA")
    token = sign(claims(exp=1, iat=0), key=SigningKey(ED_KEY.kid, "EdDSA", stranger.private))
    with pytest.raises(InvalidToken) as refusal:
        verifier_for(ED_KEY).verify(token, now=NOW)
    assert not isinstance(refusal.value, ExpiredToken)


@pytest.mark.parametrize("exp", [float("nan"), float("inf")])
def test_a_token_that_never_expires_is_refused(exp: float) -> None:
    with pytest.raises(InvalidToken):
        verifier_for(ED_KEY).verify(sign(claims(exp=exp)), now=NOW)


# -- keys --------------------------------------------------------------------------------------------------------------


def test_a_key_must_fit_its_algorithm() -> None:
    with pytest.raises(ValueError, match="not one for RS256"):
        load_signing_key(generate_private_key("EdDSA"), "RS256")
    with pytest.raises(ValueError, match="not one for EdDSA"):
        load_signing_key(generate_private_key("RS256"), "EdDSA")
    with pytest.raises(ValueError, match="32 bytes"):
        load_signing_key(b"short", "HS256")


def test_a_kid_depends_on_the_key_alone() -> None:
    encoded = generate_private_key("EdDSA")
    assert load_signing_key(encoded, "EdDSA").kid == load_signing_key(encoded, "EdDSA").kid
    assert load_signing_key(encoded, "EdDSA").kid != ED_KEY.kid
    assert SECRET.decode() not in load_signing_key(SECRET, "HS256").kid


# -- assertions between router and subgraphs ---------------------------------------------------------------------------


@pytest.mark.parametrize("identity", [ANI, ANONYMOUS, service_identity("order")], ids=["person", "nobody", "service"])
def test_an_assertion_proves_its_identity_to_the_subgraph_it_names(identity: Identity) -> None:
    assertion = AssertionSigner(SECRET).sign(identity, audience="order", now=NOW)
    assert AssertionVerifier(SECRET, "order").verify(assertion, now=NOW) == identity


def test_an_assertion_for_one_subgraph_is_refused_by_another() -> None:
    assertion = AssertionSigner(SECRET).sign(service_identity("order"), audience="inventory", now=NOW)
    with pytest.raises(InvalidToken):
        AssertionVerifier(SECRET, "payment").verify(assertion, now=NOW)


def test_an_assertion_of_another_installation_is_refused() -> None:
    assertion = AssertionSigner(b"x" * 32).sign(ANI, audience="order", now=NOW)
    with pytest.raises(InvalidToken):
        AssertionVerifier(SECRET, "order").verify(assertion, now=NOW)


def test_an_assertion_is_over_after_its_time() -> None:
    assertion = AssertionSigner(SECRET).sign(ANI, audience="order", now=NOW)
    later = NOW + timedelta(seconds=ASSERTION_TTL_S + LEEWAY_S)
    with pytest.raises(ExpiredToken):
        AssertionVerifier(SECRET, "order").verify(assertion, now=later)


def test_an_access_token_is_no_assertion_and_an_assertion_no_access_token() -> None:
    # Even if somebody had configured one secret for both
    shared = load_signing_key(SECRET, "HS256")
    token = issuer_for(shared, audience="order").issue(ANI, now=NOW)
    with pytest.raises(InvalidToken):
        AssertionVerifier(SECRET, "order").verify(token, now=NOW)
    assertion = AssertionSigner(SECRET).sign(ANI, audience="pasar", now=NOW)
    with pytest.raises(InvalidToken):
        verifier_for(shared).verify(assertion, now=NOW)


def test_an_internal_secret_must_not_be_short() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        AssertionSigner(b"x" * 31)


def test_an_rsa_key_that_is_too_short_is_refused() -> None:
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with pytest.raises(ValueError, match="at least 2048 bits"):
        load_signing_key(short, "RS256")


def test_a_token_names_its_session_and_the_generation_of_its_tokens() -> None:
    first, second = (new_token_id(TokenFamily("ses_1", 12)) for _ in range(2))
    assert first != second
    assert first.startswith("ses_1.12.")
    assert read_token_family(first) == TokenFamily("ses_1", 12)


@pytest.mark.parametrize(
    "token_id",
    [
        None,
        "",
        "tok_1",
        "ses_1.2",
        "ses_1..a",
        "ses_1.2.",
        ".2.a",
        "ses_1.-1.a",
        "ses_1.1e3.a",
        "ses_1.\u00b2.a",
        "a.b.c.d",
    ],
)
def test_a_jti_of_another_kind_names_no_family(token_id: str | None) -> None:
    assert read_token_family(token_id) is None


def test_a_number_of_a_generation_has_an_end() -> None:
    assert read_token_family(f"ses_1.{'9' * 9}.a") == TokenFamily("ses_1", 999_999_999)
    assert read_token_family(f"ses_1.{'9' * 10}.a") is None


@pytest.mark.parametrize(
    ("token", "kid"),
    [
        (forge({"kid": "k1"}, {}), "k1"),
        (forge({"kid": "k" * 2000}, {}), "k" * 2000),
        (forge({"kid": 1}, {}), None),
        (forge({"kid": ["k1"]}, {}), None),
        (forge({}, {}), None),
        ("W10.e30.", None),
        ("", None),
        ("\u00ff.x.y", None),
        ("a", None),
        ("W1tb" * 20_000, None),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_a_key_id_is_read_without_being_believed(token: str, kid: str | None) -> None:
    for _ in range(2):
        assert read_key_id(token) == kid


def test_a_proof_lasts_as_long_as_its_token() -> None:
    proof = verifier_for(ED_KEY).prove(sign(claims()), now=NOW)
    assert proof.identity == ANI
    assert proof.expires_at_s == NOW.timestamp() + TTL_S
