"""Plan -> response: `prepare_operation` once per operation, `Executor.execute` once per request."""

from router.executor.execute import DEFAULT_SUBGRAPH_TIMEOUT_S, Executor
from router.executor.incremental import IncrementalResult
from router.executor.prepared import PreparedOperation, prepare_operation
from router.executor.result import ExecutionResult

__all__ = [
    "DEFAULT_SUBGRAPH_TIMEOUT_S",
    "ExecutionResult",
    "Executor",
    "IncrementalResult",
    "PreparedOperation",
    "prepare_operation",
]
