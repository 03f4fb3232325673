"""A supergraph ready to be served, with what has been read and planned for it so far."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    OperationDefinitionNode,
    parse,
)

from router.authorisation import (
    AuthorisationRules,
    GuardedField,
    Requirement,
    read_authorisation,
)
from router.cache import BoundedCache
from router.config import RouterConfig
from router.cost import CostEstimate, CostRules, read_cost_rules
from router.exchange import Answer
from router.executor.execute import Executor
from router.executor.prepared import PreparedOperation
from router.refusal import Refusals
from router.sharing import SharedExecutions
from router.supergraph.reading import read_supergraph
from router.supergraph.supergraph import Supergraph
from router.transports.base import SubgraphTransport


@dataclass(frozen=True, slots=True, eq=False)
class ReadOperation:
    """An operation that is valid and within the limits. *cost* is None where variables decide it.

    *deferring* are the variables that decide about uses of `@defer`; None where there are none.
    """

    text: str
    document: DocumentNode
    operation: OperationDefinitionNode
    guarded: tuple[GuardedField, ...]
    requirements: frozenset[Requirement]
    cost: CostEstimate | None
    deferring: frozenset[str] | None

    @property
    def name(self) -> str | None:
        """Return the operation's name."""
        return self.operation.name.value if self.operation.name is not None else None


@dataclass(frozen=True, slots=True, eq=False)
class PlannedOperation:
    """An operation with its plan, for all callers who are refused the same fields."""

    prepared: PreparedOperation
    refusals: Refusals | None


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """Everything that belongs to one supergraph; replaced as a whole when a new one is loaded.

    *executions* is None where identical queries do not even share requests to subgraphs.
    """

    supergraph: Supergraph
    executor: Executor
    authorisation: AuthorisationRules
    cost_rules: CostRules
    read_operations: BoundedCache[ReadOperation]
    planned_operations: BoundedCache[PlannedOperation]
    executions: SharedExecutions[Answer] | None


def load_graph(
    supergraph_sdl: str,
    transports: Mapping[str, SubgraphTransport],
    config: RouterConfig,
    executions: SharedExecutions[Answer] | None = None,
) -> Graph:
    """Read *supergraph_sdl* and make everything ready to serve it; raise SupergraphError when it is none.

    *executions* is for transports that share identical requests and note them in the context.
    """
    supergraph = read_supergraph(supergraph_sdl)
    document = parse(supergraph_sdl, no_location=True)
    return Graph(
        supergraph=supergraph,
        executor=Executor(supergraph.api_schema, transports, subgraph_timeout_s=config.timeouts.subgraph_s),
        authorisation=read_authorisation(document),
        cost_rules=read_cost_rules(document),
        read_operations=_new_cache(config),
        planned_operations=_new_cache(config),
        executions=executions,
    )


def _new_cache(config: RouterConfig) -> BoundedCache[Any]:
    # One of two, for operations that are read and for those that are planned, which take about the same
    return BoundedCache(max_entries=config.cache.max_operations, max_bytes=config.cache.max_bytes // 2)
