"""Shorthand for subgraphs in tests."""

from router.composition import SubgraphSchema
from router.composition.ingest import ingest
from router.composition.report import Report
from router.composition.subgraph import Subgraph

IMPORTS = (
    '"@key", "@shareable", "@external", "@requires", "@provides", "@override", "@inaccessible", "@tag",'
    ' "@interfaceObject", "@authenticated", "@requiresScopes", "@policy", "@cost", "@listSize"'
)
LINK = f'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: [{IMPORTS}])\n'


def fed2(name: str, sdl: str) -> SubgraphSchema:
    """Return a Federation 2 subgraph; *sdl* starts on the second line of it."""
    return SubgraphSchema(name, LINK + sdl, f"http://{name}")


def ingested(schema: SubgraphSchema) -> Subgraph:
    """Ingest *schema*, which must be fine."""
    report = Report()
    subgraph = ingest(schema, report)
    assert report.errors == ()
    assert subgraph is not None
    return subgraph
