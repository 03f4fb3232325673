import pytest

from router.composition import SubgraphSchema
from router.composition.ingest import ingest
from router.composition.links import parse_link_url
from router.composition.report import Report
from router.composition.subgraph import Family, ObjectType, Subgraph


def read(sdl: str) -> tuple[Subgraph, list[tuple[str, str]]]:
    report = Report()
    subgraph = ingest(SubgraphSchema("a", sdl), report)
    assert subgraph is not None
    return subgraph, [(error.code, error.message) for error in report.errors]


def directives_on_x(sdl: str) -> list[tuple[str, str, Family]]:
    subgraph, errors = read(sdl)
    assert errors == []
    query = subgraph.types["Query"]
    assert isinstance(query, ObjectType)
    return [(use.name, use.written, use.family) for use in query.fields["x"].directives]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://specs.apollo.dev/federation/v2.9", ("https://specs.apollo.dev/federation", "federation", (2, 9))),
        ("https://example.com/a/b/audit/v1.0/", ("https://example.com/a/b/audit", "audit", (1, 0))),
        ("https://example.com/audit", ("https://example.com/audit", "audit", None)),
        ("https://example.com", ("https://example.com", "", None)),
        ("audit/v1.0", None),
        ("", None),
    ],
)
def test_url_of_a_specification_is_taken_apart(url: str, expected: object) -> None:
    assert parse_link_url(url) == expected


def test_imported_directive_means_what_it_is_imported_as() -> None:
    imports = '{name: "@shareable", as: "@ours"}'
    sdl = f'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: [{imports}])'
    assert directives_on_x(f"{sdl}\ntype Query {{ x: Int @ours @shareable }}") == [
        ("shareable", "ours", Family.FEDERATION),
        ("shareable", "shareable", Family.CUSTOM),
    ]


def test_directive_that_is_not_imported_has_the_namespace() -> None:
    sdl = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", as: "fed", import: ["@tag"])'
    assert directives_on_x(f'{sdl}\ntype Query {{ x: Int @fed__shareable @tag(name: "t") @deprecated }}') == [
        ("shareable", "fed__shareable", Family.FEDERATION),
        ("tag", "tag", Family.FEDERATION),
        ("deprecated", "deprecated", Family.BUILT_IN),
    ]


def test_schema_without_a_federation_link_speaks_federation_1() -> None:
    subgraph, errors = read('type Query { x: Int @tag(name: "t") }')
    assert errors == []
    assert subgraph.version == (1, 0)
    assert subgraph.is_federation_1


def test_wrong_link_does_not_cause_errors_about_everything_that_it_would_have_brought() -> None:
    sdl = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.1", import: ["@key", "@interfaceObject"])'
    subgraph, errors = read(f'{sdl}\ntype Query {{ x: M }}\ntype M @key(fields: "id") @interfaceObject {{ id: ID }}')
    assert errors == [
        (
            "INVALID_LINK_DIRECTIVE_USAGE",
            "[a] @interfaceObject cannot be imported: federation v2.1 has no such directive.",
        )
    ]
    assert [use.family for use in subgraph.types["M"].directives] == [Family.FEDERATION, Family.FEDERATION]


def test_types_of_a_linked_specification_are_not_the_subgraphs_own() -> None:
    sdl = 'schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "FieldSet"]) { query: Query }'
    subgraph, errors = read(
        f"{sdl}\nscalar FieldSet\nscalar federation__Scope\nenum link__Purpose {{ SECURITY }}\ntype Query {{ x: Int }}"
    )
    assert errors == []
    assert list(subgraph.types) == ["Query"]
