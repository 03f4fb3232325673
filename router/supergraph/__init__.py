"""What planner and executor read from supergraph SDL."""

from router.supergraph.errors import SupergraphError, SupergraphErrorCode
from router.supergraph.reading import read_supergraph
from router.supergraph.supergraph import Supergraph

__all__ = ["Supergraph", "SupergraphError", "SupergraphErrorCode", "read_supergraph"]
