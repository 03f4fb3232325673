"""Who is asking: from the request's token to an Identity, and from an Identity to what subgraphs are told.

A bearer header wins over the cookie. No token means an anonymous caller; a token that is not valid means 401, never
anonymous: the client believes to be logged in and must learn that it is not.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Protocol, TypeAlias

import aiohttp
import jwt
import msgspec
import structlog

from core.identity import ANONYMOUS, Identity
from core.tokens import (
    ASSERTION_TTL_S,
    AssertionSigner,
    InvalidToken,
    TokenVerifier,
    VerificationKey,
    load_signing_key,
    verification_keys_from_jwks,
)
from router.config import AuthenticationConfig, ConfigError
from router.errors import NotReady, Unauthenticated
from router.transports.base import RequestContext
from router.transports.http import HeadersFor

log = structlog.get_logger(__name__)

ASSERTION_HEADER = "x-pasar-identity"
# Under this prefix the router talks to subgraphs; what a client sends there is dropped
OWN_HEADER_PREFIX = "x-pasar-"

# Assertions of the most recent callers; signing one takes about 20 us, a look-up less than one
MAX_SIGNED = 10_000
# A key that is not known may be new: the set is read again, but not more often than this, whatever clients send
MIN_RELOAD_INTERVAL_S = 10.0
JWKS_TIMEOUT_S = 5.0

Now: TypeAlias = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the machine's time."""
    return datetime.now(UTC)


class VerifiesTokens(Protocol):
    """What `core.tokens.TokenVerifier` does."""

    def verify(self, token: str, *, now: datetime) -> Identity:
        """Return the identity that *token* proves; raise InvalidToken."""
        ...


class Authenticator:
    """Turns tokens into identities. Mutable: keys published at a URL are read again from time to time."""

    def __init__(
        self, verifier: VerifiesTokens | None, *, cookie_name: str, jwks: "JwksReader | None" = None, now: Now = utc_now
    ) -> None:
        self.cookie_name = cookie_name
        self._verifier = verifier
        self._jwks = jwks
        self._now = now

    async def authenticate(self, authorization: str | None, cookies: Mapping[str, str]) -> Identity:
        """Return who is asking; ANONYMOUS when there is no token.

        Raises:
            Unauthenticated: the token is malformed, expired or not one of ours.
        """
        token = self._find_token(authorization, cookies)
        if token is None:
            return ANONYMOUS
        return await self.verify(token)

    async def verify(self, token: str) -> Identity:
        """Return the identity that *token* proves; raise Unauthenticated when it proves none."""
        verifier = self._verifier if self._jwks is None else await self._jwks.verifier_for(token)
        if verifier is None:
            raise Unauthenticated("this router has no key to verify access tokens with")
        try:
            return verifier.verify(token, now=self._now())
        except InvalidToken as invalid:
            raise Unauthenticated(invalid.message) from None

    async def aclose(self) -> None:
        """Close the connection to the issuer."""
        if self._jwks is not None:
            await self._jwks.aclose()

    def _find_token(self, authorization: str | None, cookies: Mapping[str, str]) -> str | None:
        # Cases: no or empty header: the cookie; a bearer header: its token; any other scheme is not ours to judge
        if authorization and authorization.strip():
            scheme, _, token = authorization.strip().partition(" ")
            if scheme.lower() != "bearer" or not token.strip():
                raise Unauthenticated('the Authorization header must be "Bearer <token>"', reason="invalid_request")
            return token.strip()
        return cookies.get(self.cookie_name) or None if self.cookie_name else None


class JwksReader:
    """Reads an issuer's keys from its URL. Mutable: holds those read last, and keeps them when a read fails."""

    def __init__(self, config: AuthenticationConfig) -> None:
        self._config = config
        self._verifier: TokenVerifier | None = None
        self._kids: frozenset[str] = frozenset()
        self._read_at_s = float("-inf")
        self._reading = asyncio.Lock()
        self._session: aiohttp.ClientSession | None = None

    async def verifier_for(self, token: str) -> TokenVerifier:
        """Return a verifier with the issuer's keys, which are read when they are old or *token* names a new one."""
        age_s = time.monotonic() - self._read_at_s
        is_stale = age_s > self._config.jwks_refresh_s
        is_unknown = _kid_of(token) not in self._kids and age_s > MIN_RELOAD_INTERVAL_S
        if is_stale or is_unknown:
            await self._read(self._read_at_s)
        if self._verifier is None:
            raise NotReady("the issuer's keys could not be read yet")
        return self._verifier

    async def aclose(self) -> None:
        """Close the connection."""
        if self._session is not None:
            await self._session.close()

    async def _read(self, seen_read_at_s: float) -> None:
        async with self._reading:
            if self._read_at_s != seen_read_at_s:
                # Another request has just read them
                return
            if self._session is None:
                self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=JWKS_TIMEOUT_S))
            try:
                async with self._session.get(self._config.jwks_url) as answer:
                    answer.raise_for_status()
                    jwks = msgspec.json.decode(await answer.read(), type=dict)
                keys = _accepted(verification_keys_from_jwks(jwks), self._config)
            except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError, ValueError) as error:
                log.warning(
                    "keys could not be read", url=self._config.jwks_url, error=f"{type(error).__name__}: {error}"
                )
            else:
                self._verifier = _verifier(keys, self._config)
                self._kids = frozenset(key.kid for key in keys)
            self._read_at_s = time.monotonic()


def build_authenticator(config: AuthenticationConfig, *, now: Now = utc_now) -> Authenticator:
    """Return what *config* describes; raise ConfigError for key files that cannot be used."""
    if config.jwks_url:
        return Authenticator(None, cookie_name=config.cookie_name, jwks=JwksReader(config), now=now)
    keys: list[VerificationKey] = []
    try:
        if config.jwks_file is not None:
            keys += verification_keys_from_jwks(msgspec.json.decode(config.jwks_file.read_bytes(), type=dict))
        if config.hs256_secret_file is not None:
            secret = load_signing_key(config.hs256_secret_file.read_bytes(), "HS256")
            keys.append(VerificationKey(secret.kid, secret.algorithm, secret.public))
    except (OSError, ValueError, msgspec.DecodeError) as unusable:
        raise ConfigError(f"authentication: {unusable}") from None
    verifier = _verifier(_accepted(tuple(keys), config), config) if config.is_configured else None
    return Authenticator(verifier, cookie_name=config.cookie_name, now=now)


def _accepted(keys: tuple[VerificationKey, ...], config: AuthenticationConfig) -> tuple[VerificationKey, ...]:
    return tuple(key for key in keys if key.algorithm in config.algorithms)


def _verifier(keys: tuple[VerificationKey, ...], config: AuthenticationConfig) -> TokenVerifier:
    return TokenVerifier(keys, issuer=config.issuer, audience=config.audience)


def _kid_of(token: str) -> str | None:
    """Return the key id that *token* claims, without believing it."""
    try:
        kid = jwt.get_unverified_header(token).get("kid")
    except jwt.InvalidTokenError:
        return None
    return kid if isinstance(kid, str) else None


class AssertionHeaders:
    """Tells HTTP subgraphs who is asking, in a signed header. Mutable: remembers the assertions of recent callers."""

    def __init__(self, signer: AssertionSigner, *, now: Now = utc_now) -> None:
        self._signer = signer
        self._now = now
        self._signed: dict[tuple[str, Identity], tuple[str, float]] = {}

    def __call__(self, context: RequestContext, subgraph: str) -> Mapping[str, str]:
        """Return the header for one request; it fits `HttpTransport`'s *headers_for*."""
        now = self._now()
        key = (subgraph, context.identity)
        assertion, fresh_until_s = self._signed.get(key, ("", 0.0))
        if fresh_until_s <= now.timestamp():
            assertion = self._signer.sign(context.identity, audience=subgraph, now=now)
            # Half of its life is left for the request itself and for clocks that differ
            self._signed[key] = (assertion, now.timestamp() + ASSERTION_TTL_S / 2)
            while len(self._signed) > MAX_SIGNED:
                del self._signed[next(iter(self._signed))]
        return {ASSERTION_HEADER: assertion}


def build_headers_for(config: AuthenticationConfig, *, now: Now = utc_now) -> HeadersFor | None:
    """Return the callback for HTTP transports; None when no internal secret is configured."""
    secret = config.internal_secret.get_secret_value()
    if not secret:
        return None
    try:
        return AssertionHeaders(AssertionSigner(secret.encode()), now=now)
    except ValueError as too_short:
        raise ConfigError(f"authentication.internal_secret: {too_short}") from None
