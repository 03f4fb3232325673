"""What the router tells its operators: numbers in Prometheus' format.

The numbers are plain integers that are put into Prometheus' form when somebody reads them: the client library's own
counters take a lock each time, which was a quarter of what a small query costs the router.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from router.cache import CacheCounts
from router.revocations import Revocations
from router.transports.base import RequestContext, SubgraphRequest, SubgraphResponse, SubgraphTransport, TransportError

# Seconds: an in-process query takes well under 5 ms, and what takes 10 s has lost its user
LATENCY_BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
COST_BOUNDS = (1.0, 5.0, 10.0, 50.0, 100.0, 500.0, 1000.0, 5000.0, 10_000.0, 100_000.0)

METRICS_CONTENT_TYPE = CONTENT_TYPE_LATEST


@dataclass(slots=True)
class Distribution:
    """How many values were at most as large as each bound. Mutable; for one thread."""

    bounds: tuple[float, ...]
    counts: list[int] = field(init=False)
    total: float = 0.0

    def __post_init__(self) -> None:
        self.counts = [0] * (len(self.bounds) + 1)

    def observe(self, value: float) -> None:
        """Count one value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def buckets(self) -> list[tuple[str, float]]:
        """Return the cumulative buckets, as Prometheus wants them."""
        running = 0
        cumulative: list[tuple[str, float]] = []
        for bound, count in zip([*map(str, self.bounds), "+Inf"], self.counts, strict=True):
            running += count
            cumulative.append((bound, running))
        return cumulative


def _latencies() -> "defaultdict[str, Distribution]":
    return defaultdict(lambda: Distribution(LATENCY_BOUNDS_S))


class Telemetry(Collector):
    """The metrics of one router, in a registry of its own so that several can live in one process. Mutable."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(self)
        self._operations: defaultdict[tuple[str, str], int] = defaultdict(int)
        self._operation_seconds = _latencies()
        self._operation_cost = Distribution(COST_BOUNDS)
        self._subgraph_requests: defaultdict[tuple[str, str], int] = defaultdict(int)
        self._subgraph_seconds = _latencies()
        self._in_flight = 0
        self._streams = 0
        self._shared = 0
        self._cache_counts: Callable[[], CacheCounts] = lambda: CacheCounts(0, 0, 0, 0, 0)
        self._revocations: Revocations | None = None

    def watch_cache(self, counts: Callable[[], CacheCounts]) -> None:
        """Show the operation cache's numbers whenever the metrics are read."""
        self._cache_counts = counts

    def watch_revocations(self, revocations: Revocations) -> None:
        """Show how many tokens are known to be revoked, and how old that knowledge is."""
        self._revocations = revocations

    def start_operation(self) -> None:
        """Count one operation that is now under way."""
        self._in_flight += 1

    def finish_operation(self, kind: str, outcome: str, elapsed_s: float) -> None:
        """Count it as finished; *outcome* is `ok` or the first error's code."""
        self._in_flight -= 1
        self._operations[kind, outcome] += 1
        self._operation_seconds[kind].observe(elapsed_s)

    def record_shared(self) -> None:
        """Count one operation that was answered by another one's execution."""
        self._shared += 1

    def record_cost(self, cost: int) -> None:
        """Count an operation's estimated cost."""
        self._operation_cost.observe(cost)

    def record_subgraph_request(self, subgraph: str, outcome: str, elapsed_s: float) -> None:
        """Count one request to a subgraph; *outcome* is `ok`, `errors`, or a transport error's code."""
        self._subgraph_requests[subgraph, outcome] += 1
        self._subgraph_seconds[subgraph].observe(elapsed_s)

    @contextmanager
    def count_stream(self) -> Iterator[None]:
        """Count a subscription for as long as the block lasts."""
        self._streams += 1
        try:
            yield
        finally:
            self._streams -= 1

    def render(self) -> bytes:
        """Return the text of the metrics page."""
        return generate_latest(self.registry)

    def collect(self) -> Iterator[Metric]:
        """Yield every metric in Prometheus' form."""
        operations = CounterMetricFamily(
            "pasar_router_operations",
            "GraphQL operations, by kind and by the first error's code (ok, subgraph_error)",
            labels=["kind", "outcome"],
        )
        for labels, count in sorted(self._operations.items()):
            operations.add_metric(labels, count)
        yield operations
        yield CounterMetricFamily(
            "pasar_router_operations_shared", "Operations answered by another one's execution", self._shared
        )
        yield _histogram(
            "pasar_router_operation_seconds", "Time from a request to its response", "kind", self._operation_seconds
        )
        yield HistogramMetricFamily(
            "pasar_router_operation_cost",
            "Estimated cost of operations",
            buckets=self._operation_cost.buckets(),
            sum_value=self._operation_cost.total,
        )
        requests = CounterMetricFamily(
            "pasar_router_subgraph_requests",
            "Requests to subgraphs, by outcome (ok, errors, or a transport error's code)",
            labels=["subgraph", "outcome"],
        )
        for labels, count in sorted(self._subgraph_requests.items()):
            requests.add_metric(labels, count)
        yield requests
        yield _histogram(
            "pasar_router_subgraph_seconds", "Time of one request to a subgraph", "subgraph", self._subgraph_seconds
        )
        yield GaugeMetricFamily("pasar_router_in_flight", "Operations under way", self._in_flight)
        yield GaugeMetricFamily("pasar_router_streams", "Subscriptions under way", self._streams)
        yield from self._collect_cache()
        if self._revocations is not None:
            yield from _collect_revocations(self._revocations)

    def _collect_cache(self) -> Iterator[Metric]:
        counts = self._cache_counts()
        events = CounterMetricFamily("pasar_router_operation_cache", "Look-ups of planned operations", labels=["event"])
        events.add_metric(["hit"], counts.hits)
        events.add_metric(["miss"], counts.misses)
        events.add_metric(["eviction"], counts.evictions)
        yield events
        yield GaugeMetricFamily("pasar_router_operation_cache_entries", "Operations kept", counts.entries)
        yield GaugeMetricFamily("pasar_router_operation_cache_bytes", "Estimated memory of them", counts.size_bytes)


def _collect_revocations(revocations: Revocations) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "pasar_router_revocations", "Sessions whose access tokens are refused before they expire", revocations.count
    )
    yield GaugeMetricFamily(
        "pasar_router_revocations_age_seconds", "Time since the list of them was last read", revocations.age_s()
    )
    yield CounterMetricFamily(
        "pasar_router_revocations_failures", "Readings of the list that have failed", revocations.failures
    )


def _histogram(
    name: str, documentation: str, label: str, distributions: Mapping[str, Distribution]
) -> HistogramMetricFamily:
    family = HistogramMetricFamily(name, documentation, labels=[label])
    for value, distribution in sorted(distributions.items()):
        family.add_metric([value], buckets=distribution.buckets(), sum_value=distribution.total)
    return family


class MeasuredTransport:
    """A transport that counts and times what goes through it."""

    def __init__(self, subgraph: str, inner: SubgraphTransport, telemetry: Telemetry) -> None:
        self._subgraph = subgraph
        self._inner = inner
        self._telemetry = telemetry

    async def send(self, request: SubgraphRequest, context: RequestContext) -> SubgraphResponse:
        """Send *request* by the transport inside."""
        started_s = perf_counter()
        # What it stays when the client goes away, or the transport has a bug
        outcome = "interrupted"
        try:
            response = await self._inner.send(request, context)
            outcome = "errors" if response.errors else "ok"
            return response
        except TransportError as error:
            outcome = error.code
            raise
        finally:
            self._telemetry.record_subgraph_request(self._subgraph, outcome, perf_counter() - started_s)

    def subscribe(self, request: SubgraphRequest, context: RequestContext) -> AsyncIterator[SubgraphResponse]:
        """Open the subscription of the transport inside; streams are counted by the pipeline."""
        return self._inner.subscribe(request, context)

    async def aclose(self) -> None:
        """Close the transport inside."""
        await self._inner.aclose()


def measure_transports(
    transports: Mapping[str, SubgraphTransport], telemetry: Telemetry
) -> dict[str, SubgraphTransport]:
    """Return *transports*, each of them measured."""
    return {name: MeasuredTransport(name, transport, telemetry) for name, transport in transports.items()}
