"""Who is asking: from the request's token to an Identity, and from an Identity to what subgraphs are told.

A bearer header wins over the cookie. No token means an anonymous caller; a token that is not valid means 401, never
anonymous: the client believes to be logged in and must learn that it is not.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

from core.identity import ANONYMOUS, Identity
from core.tokens import (
    ASSERTION_TTL_S,
    LEEWAY_S,
    AssertionSigner,
    InvalidToken,
    Proof,
    TokenFamily,
    TokenVerifier,
    read_token_family,
)
from router.config import AuthenticationConfig, ConfigError
from router.errors import Unauthenticated
from router.keys import KeySource, open_key_source
from router.revocations import Revocations, open_revocations
from router.transports.base import RequestContext
from router.transports.http import HeadersFor

ASSERTION_HEADER = "x-pasar-identity"
# Under this prefix the router talks to subgraphs; what a client sends there is dropped
OWN_HEADER_PREFIX = "x-pasar-"

# Assertions of the most recent callers; signing one takes about 20 us, a look-up less than one
MAX_SIGNED = 10_000
# Tokens of the most recent callers, about 1 kB each; verifying one takes about 150 us, a look-up about one
MAX_PROVEN = 10_000

Now: TypeAlias = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the machine's time."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Admitted:
    """Who is asking, and how long that may be believed: until *expires_at_s*, or until *family* is revoked.

    Both are None for a caller without a token.
    """

    identity: Identity
    expires_at_s: float | None = None
    family: TokenFamily | None = None


NOBODY = Admitted(ANONYMOUS)


class Authenticator:
    """Turns tokens into identities. Mutable: remembers valid tokens, and sources of keys and revocations change.

    Only tokens that were valid are remembered, until they expire, the keys change, or too many others came after them.
    """

    def __init__(
        self,
        keys: KeySource | None,
        *,
        cookie_name: str,
        revocations: Revocations | None = None,
        now: Now = utc_now,
    ) -> None:
        self.cookie_name = cookie_name
        self.revocations = revocations
        self.now = now
        self._keys = keys
        self._verifier: TokenVerifier | None = None
        self._proven: dict[str, Admitted] = {}

    async def authenticate(self, authorization: str | None, cookies: Mapping[str, str]) -> Identity:
        """Return who is asking; see `admit`."""
        return (await self.admit(authorization, cookies)).identity

    async def admit(self, authorization: str | None, cookies: Mapping[str, str]) -> Admitted:
        """Return who is asking; NOBODY when there is no token.

        Raises:
            Unauthenticated: the token is malformed, expired, revoked or not one of ours.
        """
        token = self._find_token(authorization, cookies)
        return NOBODY if token is None else await self.verify(token)

    async def verify(self, token: str) -> Admitted:
        """Return whom *token* proves; raise Unauthenticated when it proves nobody."""
        if self._keys is None:
            raise Unauthenticated("this router has no key to verify access tokens with")
        now = self.now()
        admitted = None
        if self._verifier is not None and self._verifier is self._keys.verifier_at_hand(now):
            admitted = self._proven.get(token)
        if admitted is None or admitted.expires_at_s is None or admitted.expires_at_s <= now.timestamp():
            admitted = self._remember(token, await self._prove(self._keys, token, now))
        self.check(admitted)
        return admitted

    def seconds_left(self, expires_at_s: float) -> float:
        """Return after how long a token is refused; negative for one that is."""
        return expires_at_s + LEEWAY_S - self.now().timestamp()

    def refuses(self, admitted: Admitted) -> bool:
        """Tell whether the token that proved *admitted* has been revoked since."""
        return self.revocations is not None and admitted.family is not None and self.revocations.refuse(admitted.family)

    def check(self, admitted: Admitted) -> None:
        """Raise Unauthenticated when the token that proved *admitted* has been revoked since."""
        if self.refuses(admitted):
            raise Unauthenticated("the access token has been revoked")

    async def aclose(self) -> None:
        """Close the connections to the issuer."""
        if self._keys is not None:
            await self._keys.aclose()
        if self.revocations is not None:
            await self.revocations.aclose()

    async def _prove(self, keys: KeySource, token: str, now: datetime) -> Proof:
        verifier = await keys.verifier_for(token, now)
        if verifier is not self._verifier:
            # What another set of keys has proven counts no more
            self._verifier = verifier
            self._proven.clear()
        try:
            return verifier.prove(token, now=now)
        except InvalidToken as invalid:
            raise Unauthenticated(invalid.message) from None

    def _remember(self, token: str, proof: Proof) -> Admitted:
        admitted = Admitted(proof.identity, proof.expires_at_s, read_token_family(proof.identity.token_id))
        self._proven[token] = admitted
        while len(self._proven) > MAX_PROVEN:
            del self._proven[next(iter(self._proven))]
        return admitted

    def _find_token(self, authorization: str | None, cookies: Mapping[str, str]) -> str | None:
        # Cases: no or empty header: the cookie; a bearer header: its token; any other scheme is not ours to judge
        if authorization and authorization.strip():
            scheme, _, token = authorization.strip().partition(" ")
            if scheme.lower() != "bearer" or not token.strip():
                raise Unauthenticated('the Authorization header must be "Bearer <token>"', reason="invalid_request")
            return token.strip()
        return cookies.get(self.cookie_name) or None if self.cookie_name else None


def build_authenticator(
    config: AuthenticationConfig,
    *,
    now: Now = utc_now,
    keys: KeySource | None = None,
    revocations: Revocations | None = None,
) -> Authenticator:
    """Return what *config* describes; raise ConfigError for key files that cannot be used.

    *keys* and *revocations* are those of an issuer in the same process; what *config* names goes before them.
    """
    configured_keys, configured_list = open_key_source(config), open_revocations(config, now=now)
    return Authenticator(
        keys if configured_keys is None else configured_keys,
        cookie_name=config.cookie_name,
        revocations=revocations if configured_list is None else configured_list,
        now=now,
    )


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
