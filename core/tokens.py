"""Access tokens for people and identity assertions between router and subgraphs (RFC 7519, RFC 7517, RFC 8037).

An access token is signed by the user subgraph and verified by the router. An assertion is signed by the router (or by a
subgraph calling another) with the installation's internal secret, and names the one subgraph that it is meant for.
"""

import json
import secrets
from base64 import urlsafe_b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from math import isfinite
from typing import Any, Literal, TypeAlias, get_args

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from jwt.algorithms import OKPAlgorithm, RSAAlgorithm

from core.errors import Unauthenticated
from core.identity import Identity
from core.ids import new_id

Algorithm: TypeAlias = Literal["EdDSA", "RS256", "HS256"]
PrivateKey: TypeAlias = ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey | bytes
PublicKey: TypeAlias = ed25519.Ed25519PublicKey | rsa.RSAPublicKey | bytes

# RFC 7518, section 3.2: an HS256 key has at least the size of the hash
MIN_SECRET_BYTES = 32
# RFC 7518, section 3.3
MIN_RSA_BITS = 2048
# An assertion lives just long enough for one request and for a cache of signed assertions to be useful
ASSERTION_TTL_S = 60
# Addressed to it, an assertion asks an issuer for its list of revoked tokens, and is good for nothing else
REVOCATIONS_AUDIENCE = "revocations"
# Longer headers are read each time: whoever makes them up shall not fill the memory
MAX_KEPT_HEADER = 512
# Two machines' clocks may differ by so much
LEEWAY_S = 5


class InvalidToken(Unauthenticated):
    """The token is not one that we accept. The message never says more than a client needs."""


class ExpiredToken(InvalidToken):
    """The token was ours and its time is over: refresh it."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key that signs access tokens; *kid* tells verifiers which one it was."""

    kid: str
    algorithm: Algorithm
    private: PrivateKey

    @property
    def public(self) -> PublicKey:
        """Return what a verifier needs: the public key, or the secret itself for HS256."""
        return self.private if isinstance(self.private, bytes) else self.private.public_key()


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """A key that verifies access tokens, for exactly one algorithm, so that none can be passed off as another."""

    kid: str
    algorithm: Algorithm
    public: PublicKey


def generate_private_key(algorithm: Algorithm) -> bytes:
    """Return a new private key as PEM, or a random secret for HS256."""
    match algorithm:
        case "EdDSA":
            return _to_pem(ed25519.Ed25519PrivateKey.generate())
        case "RS256":
            return _to_pem(rsa.generate_private_key(public_exponent=65537, key_size=2048))
        case "HS256":
            return secrets.token_urlsafe(48).encode()


def load_signing_key(encoded: bytes, algorithm: Algorithm) -> SigningKey:
    """Read a PEM private key, or an HS256 secret.

    Raises:
        ValueError: the key does not fit the algorithm, or is shorter than MIN_SECRET_BYTES or MIN_RSA_BITS.
    """
    if algorithm == "HS256":
        secret = encoded.strip()
        if len(secret) < MIN_SECRET_BYTES:
            raise ValueError(f"an HS256 secret needs at least {MIN_SECRET_BYTES} bytes")
        return SigningKey(_thumbprint(secret), algorithm, secret)
    private = serialization.load_pem_private_key(encoded, password=None)
    expected = ed25519.Ed25519PrivateKey if algorithm == "EdDSA" else rsa.RSAPrivateKey
    if not isinstance(private, expected):
        raise ValueError(f"the key is not one for {algorithm}")
    if isinstance(private, rsa.RSAPrivateKey) and private.key_size < MIN_RSA_BITS:
        raise ValueError(f"an RS256 key needs at least {MIN_RSA_BITS} bits")
    public = private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return SigningKey(_thumbprint(public), algorithm, private)


@dataclass(frozen=True, slots=True)
class AccessTokenIssuer:
    """Signs access tokens with one key. *published* are the others that verifiers must know: the next, the previous."""

    key: SigningKey
    issuer: str
    audience: str
    ttl_s: int
    published: tuple[SigningKey, ...] = ()

    def issue(self, identity: Identity, *, now: datetime) -> str:
        """Return a token for *identity*; its `jti` is the identity's token id or a new one."""
        claims = {
            "iss": self.issuer,
            "aud": self.audience,
            "iat": now,
            "exp": now + timedelta(seconds=self.ttl_s),
            "jti": identity.token_id or new_id("tok"),
            **_identity_claims(identity),
        }
        return jwt.encode(claims, self.key.private, algorithm=self.key.algorithm, headers={"kid": self.key.kid})

    def jwks(self) -> dict[str, Any]:
        """Return the public keys as a JSON Web Key Set; empty for HS256, whose keys are secrets."""
        return {"keys": [jwk for key in (self.key, *self.published) for jwk in _jwks_of(key)]}


def _jwks_of(key: SigningKey) -> list[dict[str, Any]]:
    match key.public:
        case ed25519.Ed25519PublicKey() as public:
            jwk = json.loads(OKPAlgorithm.to_jwk(public))
        case rsa.RSAPublicKey() as public:
            jwk = json.loads(RSAAlgorithm.to_jwk(public))
        case _:
            return []
    return [{**jwk, "kid": key.kid, "alg": key.algorithm, "use": "sig"}]


@dataclass(frozen=True, slots=True)
class Proof:
    """What a valid access token proves: an identity, until *expires_at_s* (seconds since 1970)."""

    identity: Identity
    expires_at_s: float


class TokenVerifier:
    """Verifies access tokens against a fixed set of keys."""

    def __init__(self, keys: Sequence[VerificationKey], *, issuer: str, audience: str) -> None:
        self._keys = {key.kid: key for key in keys}
        self._issuer = issuer
        self._audience = audience

    def verify(self, token: str, *, now: datetime) -> Identity:
        """Return the identity that *token* proves; see `prove` for the errors."""
        return self.prove(token, now=now).identity

    def prove(self, token: str, *, now: datetime) -> Proof:
        """Return the identity that *token* proves, and for how long.

        Raises:
            ExpiredToken: it was valid, once.
            InvalidToken: anything else is wrong with it.
        """
        key = self._key_of(token)
        if key is None:
            raise InvalidToken("the access token is not valid")
        claims = _decode(token, key.public, key.algorithm, issuer=self._issuer, audience=self._audience, now=now)
        identity = _identity_from(claims)
        # Services prove themselves with assertions. Whoever issues tokens to people, this store or another issuer whose
        # roles are its own, must not be able to make one of them a service
        if identity.is_service:
            raise InvalidToken("the access token is not valid")
        return Proof(identity, float(claims["exp"]))

    def knows_key_of(self, token: str) -> bool:
        """Tell whether *token* names one of the keys; it may be worth nothing all the same."""
        return self._key_of(token) is not None

    def _key_of(self, token: str) -> VerificationKey | None:
        kid = read_key_id(token)
        return None if kid is None else self._keys.get(kid)


def read_key_id(token: str) -> str | None:
    """Return the `kid` that *token* claims, without believing it; None when it claims none."""
    header = token.partition(".")[0]
    return _read_key_id(header) if len(header) <= MAX_KEPT_HEADER else _read_key_id.__wrapped__(header)


# All tokens of one key have the same header; reading it takes as long as an HMAC
@lru_cache(maxsize=256)
def _read_key_id(header: str) -> str | None:
    try:
        fields = json.loads(urlsafe_b64decode(f"{header}{'=' * (-len(header) % 4)}"))
    except (ValueError, RecursionError):
        return None
    kid = fields.get("kid") if isinstance(fields, dict) else None
    return kid if isinstance(kid, str) else None


@dataclass(frozen=True, slots=True)
class TokenFamily:
    """The session that an access token belongs to, and the *generation* of its tokens: a number that only grows."""

    session_id: str
    generation: int


def new_token_id(family: TokenFamily) -> str:
    """Return a new access token's `jti`: unique, and it names the family, so that the whole of it can be revoked."""
    return f"{family.session_id}.{family.generation}.{secrets.token_hex(8)}"


def read_token_family(token_id: str | None) -> TokenFamily | None:
    """Return the family that is named by a `jti`; None for tokens made without one."""
    session_id, generation, unique = (*(token_id or "").split(".", 2), "", "")[:3]
    # Not `isdigit`: a superscript two is a digit, and no number
    if not (session_id and unique and generation.isascii() and generation.isdecimal() and len(generation) <= 9):
        return None
    return TokenFamily(session_id, int(generation))


def verification_keys_from_jwks(jwks: Mapping[str, Any]) -> tuple[VerificationKey, ...]:
    """Read the Ed25519 and RS256 keys of a JSON Web Key Set; keys of other kinds are passed over."""
    keys: list[VerificationKey] = []
    for jwk in jwks.get("keys", ()):
        kid, algorithm = jwk.get("kid"), jwk.get("alg")
        if not isinstance(kid, str):
            continue
        if algorithm == "EdDSA" and jwk.get("crv") == "Ed25519":
            public = OKPAlgorithm.from_jwk(json.dumps(jwk))
            if isinstance(public, ed25519.Ed25519PublicKey):
                keys.append(VerificationKey(kid, "EdDSA", public))
        elif algorithm == "RS256" and jwk.get("kty") == "RSA":
            public_rsa = RSAAlgorithm.from_jwk(json.dumps(jwk))
            if isinstance(public_rsa, rsa.RSAPublicKey):
                keys.append(VerificationKey(kid, "RS256", public_rsa))
    return tuple(keys)


@dataclass(frozen=True, slots=True)
class AssertionSigner:
    """Signs the identity assertion that accompanies a request to a subgraph."""

    secret: bytes

    def __post_init__(self) -> None:
        _check_secret(self.secret)

    def sign(self, identity: Identity, *, audience: str, now: datetime) -> str:
        """Return an assertion that only the subgraph *audience* accepts, for ASSERTION_TTL_S seconds."""
        claims: dict[str, Any] = {
            "iss": "pasar-internal",
            "aud": audience,
            "iat": now,
            "exp": now + timedelta(seconds=ASSERTION_TTL_S),
            **_identity_claims(identity),
        }
        if identity.token_id is not None:
            claims["jti"] = identity.token_id
        return jwt.encode(claims, self.secret, algorithm="HS256")


@dataclass(frozen=True, slots=True)
class AssertionVerifier:
    """Verifies assertions addressed to one subgraph."""

    secret: bytes
    audience: str

    def __post_init__(self) -> None:
        _check_secret(self.secret)

    def verify(self, assertion: str, *, now: datetime) -> Identity:
        """Return the asserted identity; raise InvalidToken for anything that our router did not sign."""
        claims = _decode(assertion, self.secret, "HS256", issuer="pasar-internal", audience=self.audience, now=now)
        return _identity_from(claims)


def _check_secret(secret: bytes) -> None:
    # A secret that was forgotten is empty, and with an empty one everybody can sign
    if len(secret) < MIN_SECRET_BYTES:
        raise ValueError(f"the internal secret needs at least {MIN_SECRET_BYTES} bytes")


def _identity_claims(identity: Identity) -> dict[str, Any]:
    claims: dict[str, Any] = {"roles": sorted(identity.roles), "scope": " ".join(sorted(identity.scopes))}
    # An anonymous caller has no subject: RFC 7519 wants `sub` to be a string where it is present
    if identity.subject is not None:
        claims["sub"] = identity.subject
    return claims


def _identity_from(claims: Mapping[str, Any]) -> Identity:
    roles, scope = claims.get("roles", []), claims.get("scope", "")
    if not isinstance(roles, list) or not all(isinstance(role, str) for role in roles) or not isinstance(scope, str):
        raise InvalidToken("the access token is not valid")
    return Identity(
        subject=claims.get("sub"), roles=_role_set(tuple(roles)), scopes=_scope_set(scope), token_id=claims.get("jti")
    )


# Thousands of identities are kept at a time, and all of them have one of a few sets
@lru_cache(maxsize=256)
def _role_set(roles: tuple[str, ...]) -> frozenset[str]:
    return frozenset(roles)


@lru_cache(maxsize=256)
def _scope_set(scope: str) -> frozenset[str]:
    return frozenset(scope.split())


def _decode(
    token: str, key: PublicKey, algorithm: Algorithm, *, issuer: str, audience: str, now: datetime
) -> Mapping[str, Any]:
    assert algorithm in get_args(Algorithm)
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            issuer=issuer,
            audience=audience,
            # Times are compared below, against the clock that was handed in
            options={"require": ["exp", "iat", "iss", "aud"], "verify_exp": False, "verify_iat": False},
        )
    except jwt.InvalidTokenError:
        raise InvalidToken("the access token is not valid") from None
    expires_at, issued_at = claims["exp"], claims["iat"]
    # JSON has no NaN, Python's reader does, and no moment is later than it
    if not all(isinstance(moment, int | float) and isfinite(moment) for moment in (expires_at, issued_at)):
        raise InvalidToken("the access token is not valid")
    if issued_at > now.timestamp() + LEEWAY_S:
        raise InvalidToken("the access token is not valid")
    if expires_at + LEEWAY_S <= now.timestamp():
        raise ExpiredToken("the access token has expired")
    return claims


def _to_pem(private: ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey) -> bytes:
    return private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _thumbprint(encoded: bytes) -> str:
    # A label, not a secret: 64 bits tell an installation's few keys apart
    return sha256(b"pasar-kid:" + encoded).hexdigest()[:16]
