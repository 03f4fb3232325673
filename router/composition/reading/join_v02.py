"""Before join v0.3 a supergraph did not say which subgraph has which union members and enum values: all had all."""

from dataclasses import replace

from router.composition.merged import MergedEnum, MergedType, MergedUnion, Supergraph


def place_members_and_values(supergraph: Supergraph) -> Supergraph:
    """Say of every union member and enum value that each subgraph of its type has it."""
    return replace(supergraph, types={name: _place(merged) for name, merged in supergraph.types.items()})


def _place(merged: MergedType) -> MergedType:
    graphs = tuple(dict.fromkeys(join.graph for join in getattr(merged, "joins", ())))
    match merged:
        case MergedUnion(members=()):
            return replace(merged, members=tuple((graph, member) for graph in graphs for member in merged.types))
        case MergedEnum():
            return replace(
                merged,
                values={name: replace(value, graphs=value.graphs or graphs) for name, value in merged.values.items()},
            )
        case _:
            return merged
