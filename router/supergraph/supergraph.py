"""The supergraph: all that planner and executor read."""

from collections.abc import Mapping
from dataclasses import dataclass

from graphql import GraphQLSchema, build_schema

from router.supergraph.errors import SupergraphError, SupergraphErrorCode
from router.supergraph.model import Subgraph, Type
from router.supergraph.subgraph_schema import print_subgraph_schema


# Compared by identity: two readings of one text may differ in nothing, yet comparing them would walk every type.
@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Supergraph:
    """A composed graph: its subgraphs sorted by name, its types, and the schema that clients see."""

    subgraphs: tuple[Subgraph, ...]
    types: Mapping[str, Type]
    query_type: str
    mutation_type: str | None
    subscription_type: str | None
    api_schema: GraphQLSchema

    def subgraph(self, name: str) -> Subgraph:
        """Return the subgraph of this name; raise SupergraphError when there is none."""
        for subgraph in self.subgraphs:
            if subgraph.name == name:
                return subgraph
        raise SupergraphError(SupergraphErrorCode.UNKNOWN_SUBGRAPH, f"there is no subgraph {name}")

    def subgraph_sdl(self, name: str) -> str:
        """Return a subgraph's own schema as the supergraph tells it, external fields and `_entities` included."""
        self.subgraph(name)
        return print_subgraph_schema(name, self.types, (self.query_type, self.mutation_type, self.subscription_type))

    def subgraph_schema(self, name: str) -> GraphQLSchema:
        """Return a subgraph's own schema, against which every document sent to it must be valid."""
        return build_schema(self.subgraph_sdl(name))
