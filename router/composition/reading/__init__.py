"""Reading: supergraph SDL in, the supergraph that rendering writes out. Whoever composed it, join v0.1 to v0.5.

https://specs.apollo.dev/join/v0.5, https://specs.apollo.dev/link/v1.0, https://specs.apollo.dev/core/v0.2
"""

from graphql import GraphQLSyntaxError, parse

from router.composition.merged import Supergraph
from router.composition.reading.document import read_document
from router.composition.reading.errors import UnreadableSupergraphError
from router.composition.reading.join_v01 import place_value_types
from router.composition.reading.join_v02 import place_members_and_values
from router.composition.render import render_supergraph

__all__ = ["UnreadableSupergraphError", "read_supergraph_model", "rerender_supergraph"]


def rerender_supergraph(sdl: str) -> str:
    """Return the supergraph *sdl* as we write one: join v0.5, definitions sorted. One of ours comes back unchanged.

    Raises:
        UnreadableSupergraphError: as `read_supergraph_model` does.
    """
    return render_supergraph(read_supergraph_model(sdl))


def read_supergraph_model(sdl: str) -> Supergraph:
    """Read supergraph SDL; what its join version left unsaid is said as v0.5 says it.

    Raises:
        UnreadableSupergraphError: *sdl* cannot be parsed, is no supergraph, or one of an unknown join version.
    """
    try:
        document = parse(sdl)
    except GraphQLSyntaxError as error:
        place = error.locations[0] if error.locations else None
        raise UnreadableSupergraphError(
            "INVALID_GRAPHQL", error.message, place.line if place else 1, place.column if place else 1
        ) from error
    read = read_document(document)
    supergraph = read.supergraph
    if read.join_version == (0, 1):
        supergraph = place_value_types(supergraph, read.owners)
    if read.join_version < (0, 3):
        supergraph = place_members_and_values(supergraph)
    return supergraph
