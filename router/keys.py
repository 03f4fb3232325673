"""Where the keys come from that access tokens are verified with: files, or an issuer's URL.

A source hands out one verifier as long as the keys stay the same, and another one when they have changed: whoever keeps
what a verifier has proven forgets it with the verifier.
"""

import asyncio
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import aiohttp
import msgspec
import structlog

from core.key_ring import KeyRing
from core.tokens import TokenVerifier, VerificationKey, read_key_id, verification_keys_from_jwks
from router.config import AuthenticationConfig, ConfigError
from router.errors import NotReady

log = structlog.get_logger(__name__)

# A key that is not known may be new: the set is read again, but not more often than this, whatever clients send
MIN_RELOAD_INTERVAL_S = 10.0
JWKS_TIMEOUT_S = 5.0
# How long files are not even looked at when all tokens are of known keys
CHECK_EVERY_S = 2.0


class KeySource(Protocol):
    """Whatever knows the issuer's keys."""

    def verifier_at_hand(self, now: datetime) -> TokenVerifier | None:
        """Return the present verifier; None when the keys have to be read first."""
        ...

    async def verifier_for(self, token: str, now: datetime) -> TokenVerifier:
        """Return a verifier that knows the key of *token*, if the issuer has published it; raise NotReady."""
        ...

    async def aclose(self) -> None:
        """Give back connections."""
        ...


class LocalKeys:
    """Keys of a file with a JSON Web Key Set, and of a ring. Mutable: both are read again when they change."""

    def __init__(
        self,
        config: AuthenticationConfig,
        *,
        jwks_file: Path | None = None,
        ring: KeyRing | None = None,
        check_every_s: float = CHECK_EVERY_S,
    ) -> None:
        self._config = config
        self._jwks_file = jwks_file
        self._ring = ring
        self._check_every_s = check_every_s
        self._published: tuple[VerificationKey, ...] = ()
        self._published_mtime_ns = -1
        self._checked_at_s = float("-inf")
        self._seen: tuple[object, ...] = ()
        self._verifier = _verifier((), config)

    def verifier_at_hand(self, now: datetime) -> TokenVerifier:
        """Return the present verifier."""
        if time.monotonic() - self._checked_at_s >= self._check_every_s:
            self._check(now)
        return self._verifier

    async def verifier_for(self, token: str, now: datetime) -> TokenVerifier:
        """Return the present verifier, after another look at the files when *token* names a key that it does not know.

        A look takes 50 us, less than verifying a signature: whoever makes up keys gains nothing.
        """
        verifier = self.verifier_at_hand(now)
        if verifier.knows_key_of(token):
            return verifier
        self._check(now)
        return self._verifier

    async def aclose(self) -> None:
        """Do nothing: no file is open."""

    def load(self) -> None:
        """Read the file; raise OSError, ValueError or msgspec.DecodeError."""
        if self._jwks_file is not None:
            mtime_ns = self._jwks_file.stat().st_mtime_ns
            if mtime_ns != self._published_mtime_ns:
                jwks = msgspec.json.decode(self._jwks_file.read_bytes(), type=dict)
                self._published, self._published_mtime_ns = verification_keys_from_jwks(jwks), mtime_ns

    def _check(self, now: datetime) -> None:
        self._checked_at_s = time.monotonic()
        try:
            self.load()
        except (OSError, ValueError, msgspec.DecodeError) as error:
            log.error("keys cannot be read; the known ones go on", file=str(self._jwks_file), error=str(error))
        in_ring = () if self._ring is None else self._ring.verifying(now)
        keys = (*self._published, *(VerificationKey(key.kid, key.algorithm, key.public) for key in in_ring))
        # A ring makes its kids of its keys; the kids of a file may be anything
        seen = (self._published_mtime_ns, *(key.kid for key in in_ring))
        if seen != self._seen:
            self._seen, self._verifier = seen, _verifier(keys, self._config)


class JwksReader:
    """Reads an issuer's keys from its URL. Mutable: holds those read last, and keeps them when a read fails."""

    def __init__(self, config: AuthenticationConfig) -> None:
        self._config = config
        self._verifier: TokenVerifier | None = None
        self._published: Any = None
        self._kids: frozenset[str] = frozenset()
        self._read_at_s = float("-inf")
        self._reading = asyncio.Lock()
        self._session: aiohttp.ClientSession | None = None

    def verifier_at_hand(self, now: datetime) -> TokenVerifier | None:
        """Return the present verifier; None when the keys are old or were never read."""
        return self._verifier if time.monotonic() - self._read_at_s <= self._config.jwks_refresh_s else None

    async def verifier_for(self, token: str, now: datetime) -> TokenVerifier:
        """Return a verifier with the issuer's keys, which are read when they are old or *token* names a new one."""
        age_s = time.monotonic() - self._read_at_s
        is_stale = age_s > self._config.jwks_refresh_s
        is_unknown = age_s > MIN_RELOAD_INTERVAL_S and read_key_id(token) not in self._kids
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
                if jwks != self._published:
                    keys = verification_keys_from_jwks(jwks)
                    self._verifier = _verifier(keys, self._config)
                    self._published, self._kids = jwks, frozenset(key.kid for key in keys)
            except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError, ValueError) as error:
                log.warning(
                    "keys could not be read", url=self._config.jwks_url, error=f"{type(error).__name__}: {error}"
                )
            self._read_at_s = time.monotonic()


def open_key_source(config: AuthenticationConfig) -> KeySource | None:
    """Return where *config* says that keys are; None for nowhere. Raise ConfigError for files that cannot be used."""
    if config.jwks_url:
        return JwksReader(config)
    if not config.is_configured:
        return None
    try:
        secrets = config.hs256_secret_file
        ring = None if secrets is None else KeyRing(secrets, "HS256")
        source = LocalKeys(config, jwks_file=config.jwks_file, ring=ring)
        source.load()
    except (OSError, ValueError, msgspec.DecodeError) as unusable:
        raise ConfigError(f"authentication: {unusable}") from None
    return source


def _verifier(keys: Sequence[VerificationKey], config: AuthenticationConfig) -> TokenVerifier:
    accepted = [key for key in keys if key.algorithm in config.algorithms]
    return TokenVerifier(accepted, issuer=config.issuer, audience=config.audience)
