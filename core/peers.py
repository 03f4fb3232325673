"""How one subgraph asks another: GraphQL with a service identity, one request per batch.

PeerError               the peer refused or failed; its message is for logs
└── PeerUnavailable     it did not answer: trying again is safe for queries, and for commands with an idempotency key
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol, TypeAlias

import aiohttp
import msgspec

from core.clock import Clock
from core.errors import PasarError, Unavailable
from core.identity import Identity
from core.tokens import AssertionSigner

# A peer answers in milliseconds; whoever waits this long has a client that waits, too
PEER_TIMEOUT_S = 10.0
# A host that does not even take a connection in this time gets no more of the caller's
CONNECT_TIMEOUT_S = 2.0
# Below the 5 s after which uvicorn closes an idle connection: one that the peer is closing at this moment fails
KEEPALIVE_S = 3.0

ASSERTION_HEADER = "x-pasar-identity"


class PeerError(PasarError):
    """The peer answered with errors; *codes* are their `extensions.code`, in order."""

    code = "UNAVAILABLE"

    def __init__(self, message: str, *, codes: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.codes = codes


class PeerUnavailable(PeerError, Unavailable):
    """The peer did not answer."""


class Peers(Protocol):
    """The service interface of every other subgraph."""

    async def query(self, subgraph: str, document: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Send one operation as this subgraph's service identity and return `data`; raise PeerError on any error."""
        ...


PeerCall: TypeAlias = Callable[[str, Mapping[str, Any], Identity], Awaitable[dict[str, Any]]]
"""Executes (document, variables, identity) in one subgraph and returns a GraphQL response."""


class InProcessPeers:
    """Peers in the same process. *calls* is filled while the process is put together."""

    def __init__(self, identity: Identity, calls: Mapping[str, PeerCall]) -> None:
        self._identity = identity
        self._calls = calls

    async def query(self, subgraph: str, document: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Call the subgraph's schema directly."""
        call = self._calls.get(subgraph)
        if call is None:
            raise PeerUnavailable(f"subgraph {subgraph} is not part of this process")
        return _data_of(subgraph, await call(document, variables, self._identity))


class HttpPeers:
    """Peers behind HTTP, several URLs each; the next one is tried when a connection cannot be made."""

    def __init__(
        self,
        identity: Identity,
        urls: Mapping[str, tuple[str, ...]],
        *,
        signer: AssertionSigner,
        clock: Clock,
        timeout_s: float = PEER_TIMEOUT_S,
    ) -> None:
        self._identity = identity
        self._urls = urls
        self._signer = signer
        self._clock = clock
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=CONNECT_TIMEOUT_S)
        self._session: aiohttp.ClientSession | None = None
        self._turn = 0

    async def query(self, subgraph: str, document: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Send the operation as an HTTP POST with a signed assertion."""
        urls = self._urls.get(subgraph, ())
        if not urls:
            raise PeerUnavailable(f"no URL is configured for subgraph {subgraph}")
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=self._timeout,
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEPALIVE_S),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        body = msgspec.json.encode({"query": document, "variables": variables})
        assertion = self._signer.sign(self._identity, audience=subgraph, now=self._clock.now())
        headers = {"content-type": "application/json", ASSERTION_HEADER: assertion}
        self._turn += 1
        for attempt in range(len(urls)):
            url = urls[(self._turn + attempt) % len(urls)]
            try:
                async with self._session.post(url, data=body, headers=headers) as answer:
                    response = msgspec.json.decode(await answer.read())
            except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
                # Nothing was sent, so the next URL may safely be tried, also for a command
                continue
            except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError) as error:
                raise PeerUnavailable(f"subgraph {subgraph} did not answer: {type(error).__name__}") from error
            if not isinstance(response, dict):
                raise PeerUnavailable(f"subgraph {subgraph} did not answer with a GraphQL response")
            return _data_of(subgraph, response)
        raise PeerUnavailable(f"subgraph {subgraph} is out of reach at {len(urls)} URLs")

    async def aclose(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()


def _data_of(subgraph: str, response: Mapping[str, Any]) -> dict[str, Any]:
    errors = response.get("errors")
    if errors:
        codes = tuple(str((error.get("extensions") or {}).get("code", "")) for error in errors)
        raise PeerError(f"subgraph {subgraph} refused: {errors[0].get('message')}", codes=codes)
    data = response.get("data")
    if not isinstance(data, dict):
        raise PeerUnavailable(f"subgraph {subgraph} answered without data")
    return data
