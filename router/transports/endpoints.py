"""The URLs of one subgraph: which one gets the next request."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

#: Long enough for a restarting replica not to cost every request a failed attempt, short enough to be missed little.
DEFAULT_REST_S = 5.0


@dataclass(slots=True, eq=False)
class Endpoint:
    """One URL. Mutable on purpose: it counts the requests under way and remembers until when it rests."""

    url: str
    pending: int = 0
    rests_until_s: float = 0.0


class Endpoints:
    """Balances requests over the URLs of one subgraph: the one with the fewest requests under way is next.

    Mutable on purpose. It reads no clock: `now_s` is on whichever clock the caller uses throughout.
    """

    def __init__(self, urls: Iterable[str], *, rest_s: float = DEFAULT_REST_S) -> None:
        self._endpoints = [Endpoint(url) for url in urls]
        if not self._endpoints:
            raise ValueError("a subgraph needs at least one URL")
        self._rest_s = rest_s
        self._turn = 0

    def __len__(self) -> int:
        return len(self._endpoints)

    def choose(self, now_s: float, *, tried: Collection[Endpoint] = ()) -> Endpoint | None:
        """Return the endpoint for the next attempt, or None when all have been *tried*.

        1. One that does not rest, with the fewest requests under way; among equals they take turns.
        2. If all rest, the one that has rested longest: an answer is possible only by asking somebody.
        """
        candidates = [endpoint for endpoint in self._in_turn() if endpoint not in tried]
        if not candidates:
            return None
        awake = [endpoint for endpoint in candidates if endpoint.rests_until_s <= now_s]
        if awake:
            return min(awake, key=_pending)
        return min(candidates, key=_rests_until_s)

    def rest(self, endpoint: Endpoint, now_s: float) -> None:
        """Let *endpoint* rest: it could not be reached."""
        endpoint.rests_until_s = now_s + self._rest_s

    def _in_turn(self) -> list[Endpoint]:
        if len(self._endpoints) == 1:
            return self._endpoints
        self._turn = (self._turn + 1) % len(self._endpoints)
        return self._endpoints[self._turn :] + self._endpoints[: self._turn]


def _pending(endpoint: Endpoint) -> int:
    return endpoint.pending


def _rests_until_s(endpoint: Endpoint) -> float:
    return endpoint.rests_until_s
