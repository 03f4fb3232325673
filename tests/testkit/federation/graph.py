"""A federated graph in a test: fake subgraphs behind the real planner and executor, and a monolith of the same data.

`router answer == monolith answer` is what the whole router is for; `ask` gives both.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias

from graphql import (
    DocumentNode,
    ExecutionResult,
    ExperimentalIncrementalExecutionResults,
    execute_sync,
    experimental_execute_incrementally,
    parse,
    validate,
)

from router.composition import SubgraphSchema, compose
from router.executor import ExecutionResult as RouterResult
from router.executor import Executor, PreparedOperation, prepare_operation
from router.planner import Plan, plan_operation
from router.supergraph import Supergraph, read_supergraph
from router.transports.base import RequestContext
from tests.testkit.federation.contexts import Placed
from tests.testkit.federation.monolith import resolve_in_world, resolve_type
from tests.testkit.federation.subgraph import FakeSubgraph, root_field
from tests.testkit.federation.world import World, WorldObject

Path: TypeAlias = tuple[str | int, ...]

FEDERATION_LINK = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@requires", "@provides",'
    ' "@external", "@shareable", "@inaccessible", "@override", "@interfaceObject", "@extends", "@tag", "@context",'
    ' "@fromContext"])\n'
)


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: *errors* are where errors stand, sorted; *messages* what they say."""

    data: Any
    errors: tuple[Path, ...]
    messages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of one operation: both answers, the plan, the requests per subgraph, and what subgraphs refused."""

    router: Answer
    monolith: Answer
    plan: Plan
    requests: Mapping[str, int]
    violations: tuple[str, ...]
    result: RouterResult


@dataclass(frozen=True, slots=True)
class InParts:
    """What became of an operation with `@defer`: all parts. *monolith* is None where the router sent one answer."""

    router: list[Any]
    monolith: list[Any] | None
    plan: Plan


@dataclass(slots=True)
class FederatedGraph:
    """A supergraph with a world behind it. Mutable on purpose: its subgraphs count their requests."""

    supergraph: Supergraph
    world: World
    subgraphs: dict[str, FakeSubgraph] = field(init=False)
    executor: Executor = field(init=False)

    def __post_init__(self) -> None:
        self.subgraphs = {
            each.name: FakeSubgraph(each.name, self.supergraph, self.world) for each in self.supergraph.subgraphs
        }
        transports = {name: subgraph.transport() for name, subgraph in self.subgraphs.items()}
        self.executor = Executor(self.supergraph.api_schema, transports)

    def prepare(self, document: DocumentNode) -> PreparedOperation:
        """Plan and prepare the only operation of *document*."""
        return prepare_operation(self.supergraph.api_schema, plan_operation(self.supergraph, document), document, None)

    async def ask(self, query: str | DocumentNode, variables: Mapping[str, Any] | None = None) -> Asked:
        """Ask the router and the monolith the same; the operation must be valid."""
        document = parse(query) if isinstance(query, str) else query
        problems = validate(self.supergraph.api_schema, document)
        assert not problems, [each.message for each in problems]
        self._forget()
        prepared = self.prepare(document)
        result = await self.executor.execute(prepared, variables or {}, RequestContext())
        counts = Counter({name: len(each.requests) for name, each in self.subgraphs.items() if each.requests})
        return Asked(
            router=_answer_of(result),
            monolith=self.ask_monolith(document, variables),
            plan=prepared.plan,
            requests=dict(sorted(counts.items())),
            violations=self.violations(),
            result=result,
        )

    async def ask_in_parts(self, document: DocumentNode, variables: Mapping[str, Any] | None = None) -> InParts:
        """Ask the router and the monolith, both of which may send what is deferred later."""
        self._forget()
        prepared = self.prepare(document)
        result = await self.executor.execute_incrementally(prepared, variables or {}, RequestContext())
        if isinstance(result, RouterResult):
            return InParts([result.to_response()], None, prepared.plan)
        parts = [part async for part in result.parts]
        return InParts(parts, await self._ask_monolith_in_parts(document, variables or {}), prepared.plan)

    async def _ask_monolith_in_parts(self, document: DocumentNode, variables: Mapping[str, Any]) -> list[Any]:
        result = experimental_execute_incrementally(
            self.supergraph.api_schema,
            document,
            variable_values=dict(variables),
            field_resolver=partial(_resolve_field, self),
            type_resolver=resolve_type,
        )
        if isinstance(result, ExecutionResult):
            return [result.formatted]
        assert isinstance(result, ExperimentalIncrementalExecutionResults)
        return [result.initial_result.formatted, *[part.formatted async for part in result.subsequent_results]]

    async def ask_for_events(
        self, document: DocumentNode, variables: Mapping[str, Any] | None = None
    ) -> list[tuple[Answer, Answer]]:
        """Subscribe at the router, and return its answer and the monolith's for each event."""
        self._forget()
        prepared = self.prepare(document)
        stream = self.executor.subscribe(prepared, variables or {}, RequestContext())
        results = [result async for result in stream]
        type_name = self.supergraph.subscription_type
        assert type_name is not None
        events = list(self.world.events(type_name, root_field(document)))
        return [
            (_answer_of(result), self.ask_monolith(document, variables, root=event))
            for result, event in zip(results, events, strict=True)
        ]

    def violations(self) -> tuple[str, ...]:
        """Return what the subgraphs refused since the last question."""
        return tuple(each for name in sorted(self.subgraphs) for each in self.subgraphs[name].violations)

    def _forget(self) -> None:
        for subgraph in self.subgraphs.values():
            subgraph.requests.clear()
            subgraph.violations.clear()

    def ask_monolith(
        self, document: DocumentNode, variables: Mapping[str, Any] | None = None, *, root: WorldObject | None = None
    ) -> Answer:
        """Execute *document* over one schema that has everything; *root* is the event of a subscription."""
        result = execute_sync(
            self.supergraph.api_schema,
            document,
            root_value=None if root is None else Placed(root),
            variable_values=dict(variables or {}),
            field_resolver=partial(_resolve_field, self),
            type_resolver=resolve_type,
        )
        assert isinstance(result, ExecutionResult)
        return _answer(result.data, ((tuple(each.path or ()), each.message) for each in result.errors or ()))


def _resolve_field(graph: FederatedGraph, source: Any, info: Any, /, **arguments: Any) -> Any:
    return resolve_in_world(graph.supergraph, graph.world, source, info, arguments)


def compose_graph(
    subgraphs: Mapping[str, str], data: Mapping[str, Mapping[str, Any]] | World, *, adds_link: bool = True
) -> FederatedGraph:
    """Compose *subgraphs* (SDL by name, the federation link is added) and put *data* behind them."""
    prefix = FEDERATION_LINK if adds_link else ""
    composed = compose([SubgraphSchema(name, prefix + sdl) for name, sdl in subgraphs.items()])
    assert composed.supergraph_sdl is not None, composed.errors
    supergraph = read_supergraph(composed.supergraph_sdl)
    return FederatedGraph(supergraph, data if isinstance(data, World) else World.read(data))


def null_places(answer: Answer) -> frozenset[Path]:
    """Return the places in the data that are null because of an error: where each error came to rest."""
    return frozenset(_rests_at(answer.data, path) for path in answer.errors)


def _rests_at(data: Any, path: Path) -> Path:
    for length, element in enumerate(path):
        if data is None:
            return path[:length]
        data = data.get(element) if isinstance(data, dict) else data[element]
    return path


def _answer_of(result: RouterResult) -> Answer:
    return _answer(result.data, ((tuple(each.get("path", ())), each["message"]) for each in result.errors))


def _answer(data: Any, errors: Iterable[tuple[Path, str]]) -> Answer:
    ordered = sorted(errors, key=lambda error: [(isinstance(each, int), str(each)) for each in error[0]])
    return Answer(data, tuple(path for path, _ in ordered), tuple(message for _, message in ordered))
