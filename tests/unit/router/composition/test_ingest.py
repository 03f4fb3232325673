import pytest

from router.composition import SourceLocation, SubgraphSchema
from router.composition.ingest import ingest
from router.composition.report import Report
from router.composition.subgraph import ObjectType, has_directive
from tests.unit.router.composition.builders import fed2, ingested


def errors_of(schema: SubgraphSchema) -> list[tuple[str, str]]:
    report = Report()
    ingest(schema, report)
    return [(error.code, error.message) for error in report.errors]


def test_root_types_get_their_standard_names_everywhere() -> None:
    subgraph = ingested(
        SubgraphSchema(
            "a", "schema { query: Q mutation: M }\ntype Q { q: Q u: U }\ntype M { m(i: Int): [Q!]! }\nunion U = Q"
        )
    )
    assert subgraph.roots == {"query": "Q", "mutation": "M"}
    assert sorted(subgraph.types) == ["Mutation", "Query", "U"]
    mutation = subgraph.types["Mutation"]
    assert isinstance(mutation, ObjectType)
    assert str(mutation.fields["m"].type) == "[Query!]!"


def test_definition_and_extensions_become_one_type() -> None:
    subgraph = ingested(
        fed2("a", 'extend type A { y: Int }\ntype A @key(fields: "x") { x: Int }\nextend type A @tag(name: "t")')
    )
    merged = subgraph.types["A"]
    assert isinstance(merged, ObjectType)
    assert list(merged.fields) == ["x", "y"]
    assert merged.has_base
    assert [(use.name, use.on_extension) for use in merged.directives] == [("key", False), ("tag", True)]


def test_directive_on_a_block_holds_for_the_fields_of_that_block() -> None:
    subgraph = ingested(
        fed2("a", "type A @shareable { x: Int }\nextend type A { y: Int }\nextend type A @external { z: Int }")
    )
    merged = subgraph.types["A"]
    assert isinstance(merged, ObjectType)
    marks = {name: [use.name for use in field.directives] for name, field in merged.fields.items()}
    assert marks == {"x": ["shareable"], "y": [], "z": ["external"]}
    assert has_directive(merged.fields["x"], "shareable")


def test_described_element_is_located_at_its_name() -> None:
    subgraph = ingested(SubgraphSchema("a", '"""\nlong\n"""\ntype Query {\n  "short" x: Int\n}'))
    query = subgraph.types["Query"]
    assert isinstance(query, ObjectType)
    assert query.at == SourceLocation("a", 4, 6)
    assert query.fields["x"].at == SourceLocation("a", 5, 11)


@pytest.mark.parametrize(
    ("sdl", "message"),
    [
        ("type Query { x: Int }\ntype Query { y: Int }", "There can be only one type named 'Query'."),
        ("type Query { x: Int x: Int }", "'Query' defines 'x' more than once."),
        ("type Query { x(a: Int, a: Int): Int }", "'x' defines 'a' more than once."),
        ("type Query { x: E } enum E { A A }", "'E' defines 'A' more than once."),
        ("type Query { x: U } type A { a: Int } union U = A | A", "'U' lists the union member 'A' more than once."),
        ("schema { query: Nope } type A { x: Int }", "The query type 'Nope' is not defined."),
        ("schema { query: E } enum E { A }", "The query type 'E' must be an object type."),
        ("schema { query: Q query: Q } type Q { x: Int }", "There can be only one query type in the schema."),
        ("schema { query: Q mutation: Q } type Q { x: Int }", "'Q' is the root type of two operations."),
        ("schema { query: Q } schema { query: Q } type Q { x: Int }", "There can be only one schema definition."),
        (
            "directive @d on FIELD directive @d on FIELD type Query { x: Int }",
            "There can be only one directive named '@d'.",
        ),
        (
            "{ x } type Query { x: Int }",
            "A subgraph's SDL holds definitions only, not operations or fragments.",
        ),
    ],
)
def test_sdl_that_says_things_twice_or_wrong_is_refused(sdl: str, message: str) -> None:
    assert ("INVALID_GRAPHQL", f"[a] {message}") in errors_of(SubgraphSchema("a", sdl))


def test_definition_of_a_federation_directive_may_leave_things_out_but_not_add_any() -> None:
    assert errors_of(fed2("a", "directive @key(fields: String!) repeatable on OBJECT\ntype Query { x: Int }")) == []
    assert errors_of(fed2("a", "directive @shareable(x: Int) on OBJECT | ENUM\ntype Query { x: Int }")) == [
        (
            "DIRECTIVE_DEFINITION_INVALID",
            "[a] The definition of @shareable is not federation's: it has no argument 'x'.",
        ),
        (
            "DIRECTIVE_DEFINITION_INVALID",
            "[a] The definition of @shareable is not federation's: it cannot be applied to ENUM.",
        ),
    ]
