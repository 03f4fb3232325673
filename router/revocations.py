"""Access tokens that are refused before they expire, as their issuer tells.

A token is verified without asking anybody, so an issuer that ends a session cannot take back the tokens that are out.
It publishes which ones no longer count, and each router reads that every few seconds into memory: a look-up costs less
than a microsecond, and the list stays short, because a revocation is forgotten once the last token it concerns has
expired. While the list is out of reach the router goes on with what it knows: then a revoked token works until it
expires, as all tokens of issuers without a list do.

The list is JSON: `{"asOf": "...", "revoked": [{"session": "ses_1", "before": 3, "until": 1764000000.0}]}`. Tokens whose
`jti` is `<session>.<number>.<anything>` are refused if their number is less than `before`; without `before`, all are.
`until` is when the entry may be forgotten, in seconds since 1970. `asOf` is handed back as `?since=` with the next
request, which is then answered with what is new; entries may come twice.
"""

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Protocol

import aiohttp
import msgspec
import structlog

from core.identity import service_identity
from core.peers import ASSERTION_HEADER
from core.tokens import REVOCATIONS_AUDIENCE, AssertionSigner, TokenFamily
from router.config import AuthenticationConfig, ConfigError

log = structlog.get_logger(__name__)

READ_TIMEOUT_S = 5.0


class Revocation(msgspec.Struct, frozen=True):
    """Tokens of *session* are refused: those of generations less than *before*, or all."""

    session: str
    until: float
    before: int | None = None


class RevocationPage(msgspec.Struct, frozen=True, rename="camel"):
    """What is new since the last time."""

    as_of: str
    revoked: list[Revocation] = []


class FeedUnreadable(Exception):
    """The list could not be read this time."""


class RevocationFeed(Protocol):
    """The way to the issuer's list."""

    async def read(self, since: str) -> RevocationPage:
        """Return what was revoked since *since*, an earlier page's `as_of`, or all; raise FeedUnreadable."""
        ...

    async def aclose(self) -> None:
        """Give back connections."""
        ...


class HttpRevocationFeed:
    """An issuer's list behind HTTP. Mutable: it keeps a connection."""

    def __init__(self, url: str, signer: AssertionSigner, now: Callable[[], datetime]) -> None:
        self._url = url
        self._signer = signer
        self._now = now
        self._session: aiohttp.ClientSession | None = None

    async def read(self, since: str) -> RevocationPage:
        """Ask, with an assertion that says who we are."""
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=READ_TIMEOUT_S))
        identity = service_identity("router")
        headers = {ASSERTION_HEADER: self._signer.sign(identity, audience=REVOCATIONS_AUDIENCE, now=self._now())}
        try:
            async with self._session.get(self._url, params={"since": since}, headers=headers) as answer:
                answer.raise_for_status()
                return msgspec.json.decode(await answer.read(), type=RevocationPage)
        except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError) as error:
            raise FeedUnreadable(f"{type(error).__name__}: {error}") from error

    async def aclose(self) -> None:
        """Close the connection."""
        if self._session is not None:
            await self._session.close()


class Revocations:
    """The list as one router knows it. Mutable: it is read again and again, and tells those who watch.

    Attributes:
        read_at_s: when it was last read, on the clock *now*; None before the first time.
        failures: how many readings have failed.
    """

    def __init__(self, feed: RevocationFeed, *, every_s: float, now: Callable[[], datetime]) -> None:
        self.read_at_s: float | None = None
        self.failures = 0
        self._feed = feed
        self._every_s = every_s
        self._now = now
        self._since = ""
        self._before: dict[str, int] = {}
        self._until_s: dict[str, float] = {}
        self._watchers: dict[str, set[Callable[[], None]]] = {}

    @property
    def count(self) -> int:
        """Return how many sessions are known to be revoked."""
        return len(self._before)

    def refuse(self, family: TokenFamily) -> bool:
        """Tell whether tokens of *family* have been revoked."""
        before = self._before.get(family.session_id)
        return before is not None and family.generation < before

    def age_s(self) -> float:
        """Return how old the list is, in seconds; infinity before it was first read."""
        return float("inf") if self.read_at_s is None else max(0.0, self._now().timestamp() - self.read_at_s)

    @contextmanager
    def watching(self, family: TokenFamily, tell: Callable[[], None]) -> Iterator[None]:
        """Call *tell* whenever the session of *family* is revoked during the block."""
        watchers = self._watchers.setdefault(family.session_id, set())
        watchers.add(tell)
        try:
            yield
        finally:
            watchers.discard(tell)
            if not watchers:
                self._watchers.pop(family.session_id, None)

    async def keep_reading(self) -> None:
        """Read the list every few seconds, until cancelled."""
        while True:
            await self.read()
            await asyncio.sleep(self._every_s)

    async def read(self) -> None:
        """Read what is new; a failure is logged and leaves the list as it is."""
        try:
            page = await self._feed.read(self._since)
        except FeedUnreadable as error:
            self.failures += 1
            log.warning("revoked tokens could not be read; the known ones go on", error=str(error))
            return
        self._since, self.read_at_s = page.as_of, self._now().timestamp()
        for revocation in page.revoked:
            self._add(revocation)
        self._forget_expired()

    async def aclose(self) -> None:
        """Give back the feed's connections."""
        await self._feed.aclose()

    def _add(self, revocation: Revocation) -> None:
        session = revocation.session
        before = sys.maxsize if revocation.before is None else revocation.before
        if before <= self._before.get(session, -1):
            return
        self._before[session] = before
        self._until_s[session] = max(revocation.until, self._until_s.get(session, 0.0))
        for tell in tuple(self._watchers.get(session, ())):
            tell()

    def _forget_expired(self) -> None:
        now_s = self._now().timestamp()
        for session in [session for session, until_s in self._until_s.items() if until_s <= now_s]:
            del self._before[session], self._until_s[session]


def open_revocations(config: AuthenticationConfig, *, now: Callable[[], datetime]) -> Revocations | None:
    """Return the list that *config* names; None when it names none. Raise ConfigError without an internal secret."""
    if not config.revocations_url:
        return None
    try:
        signer = AssertionSigner(config.internal_secret.get_secret_value().encode())
    except ValueError as too_short:
        raise ConfigError(f"authentication.revocations_url needs authentication.internal_secret: {too_short}") from None
    feed = HttpRevocationFeed(config.revocations_url, signer, now)
    return Revocations(feed, every_s=config.revocations_refresh_s, now=now)
