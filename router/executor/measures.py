"""How the requests of one execution went, and how long they took; kept only where somebody asked."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from router.transports.base import Observation


class RequestState(StrEnum):
    """What became of a request of the plan."""

    OK = "ok"
    #: Answered, with errors of the subgraph's own.
    ERRORS = "errors"
    #: No answer, none in time, or one that cannot be used.
    FAILED = "failed"
    #: Not made: there was nothing to ask about, or a condition left it out.
    SKIPPED = "skipped"
    #: Given up: the response was complete without it.
    UNFINISHED = "unfinished"


@dataclass(slots=True)
class MeasuredRequest:
    """One request that was made. Mutable on purpose: it is noted down while it is under way.

    The times are seconds on the clock of its Measures; *ended_s* is None until the request has ended.
    """

    started_s: float
    representations: int = 0
    state: RequestState = RequestState.UNFINISHED
    ended_s: float | None = None
    observation: Observation = field(default_factory=Observation)


class Measures:
    """The requests of one execution, by their numbers in the plan. Mutable on purpose.

    Args:
        now: a monotonic clock, in seconds; the execution starts at its present time.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self.started_s = now()
        self.requests: dict[int, MeasuredRequest] = {}
        self._now = now

    def elapsed_s(self) -> float:
        """Return how long ago the execution started."""
        return self._now() - self.started_s

    def begin(self, number: int, representations: int) -> MeasuredRequest:
        """Note that a request is made now."""
        request = self.requests[number] = MeasuredRequest(self._now(), representations)
        return request

    def end(self, number: int, *, has_errors: bool) -> None:
        """Note that a request has been answered."""
        request = self.requests[number]
        request.ended_s = self._now()
        request.state = RequestState.ERRORS if has_errors else RequestState.OK

    def fail(self, number: int) -> None:
        """Note that there is no answer to a request, or that the one that came is of no use."""
        request = self.requests.get(number) or self.begin(number, 0)
        if request.ended_s is None:
            request.ended_s = self._now()
        request.state = RequestState.FAILED
