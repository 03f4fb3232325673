"""What `pasar plan` is asked, and what it refuses."""

import io
import sys
from pathlib import Path

import pytest

from pasar.planning.question import PlanRefused, ask, known_labels, load_supergraph, parse_query, read_query
from router.composition import compose
from router.composition.model import SubgraphSchema

LINK = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@key", "@override", "@shareable"])'
)
ORDER = f'{LINK} type Query {{ orders: [Order] }} type Order @key(fields: "id") {{ id: ID! total: Int status: Int }}'
STATUS = f"""{LINK}
type Order @key(fields: "id") {{ id: ID! status: Int @override(from: "order", label: "percent(5)") note: String }}"""


@pytest.fixture(scope="module")
def supergraph_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    sdl = compose(
        [SubgraphSchema("order", ORDER, "http://o:1/"), SubgraphSchema("status", STATUS, "http://s:1/")]
    ).supergraph_sdl
    assert sdl is not None
    file = tmp_path_factory.mktemp("graph") / "supergraph.graphql"
    file.write_text(sdl)
    return file


def refusal_of(query: str, supergraph_file: Path, *, operation: str | None = None, labels: tuple[str, ...] = ()) -> str:
    with pytest.raises(PlanRefused) as refused:
        ask(load_supergraph(supergraph_file), parse_query(query), operation, labels)
    return f"{refused.value.code} {refused.value.message}"


def test_a_query_is_a_file_or_standard_input_or_the_document_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "query.graphql").write_text("{ orders { id } }")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"{ orders { total } }")))
    assert read_query(str(tmp_path / "query.graphql")) == "{ orders { id } }"
    assert read_query("-") == "{ orders { total } }"
    assert read_query("{ orders { status } }") == "{ orders { status } }"


def test_a_long_document_is_no_file_name() -> None:
    document = "{ orders { " + "id " * 5000 + "} }"
    assert read_query(document) == document


def test_a_file_may_have_a_brace_in_its_name(tmp_path: Path) -> None:
    (tmp_path / "{a}").write_text("{ orders { id } }")
    assert read_query(str(tmp_path / "{a}")) == "{ orders { id } }"


def test_what_is_neither_file_nor_document_is_refused() -> None:
    with pytest.raises(PlanRefused) as refused:
        read_query("query.graphql")
    assert refused.value.code == "QUERY_UNREADABLE"
    assert refused.value.message == "'query.graphql' is neither a file nor a GraphQL document"


def test_bytes_that_are_not_utf8_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "query.graphql"
    file.write_bytes(b"{ \xff }")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"{ \xff }")))
    for query, where in ((str(file), str(file)), ("-", "standard input")):
        with pytest.raises(PlanRefused) as refused:
            read_query(query)
        assert (refused.value.code, refused.value.message) == (
            "QUERY_UNREADABLE",
            f"{where} cannot be read: it is not UTF-8",
        )


def test_text_that_is_not_graphql_is_refused_with_its_place(supergraph_file: Path) -> None:
    assert refusal_of("{ orders {\n  id", supergraph_file) == (
        "GRAPHQL_PARSE_FAILED line 2, column 5: Syntax Error: Expected Name, found <EOF>."
    )


def test_a_document_nested_beyond_the_parser_is_refused(supergraph_file: Path) -> None:
    assert refusal_of("{ a" * 3000, supergraph_file) == (
        "GRAPHQL_PARSE_FAILED line 1, column 601: Syntax Error: Document is nested too deeply. Parsing aborted."
    )


def test_every_fault_of_an_invalid_document_is_told_with_its_place(supergraph_file: Path) -> None:
    assert refusal_of("{\n  orders { totl }\n  none\n}", supergraph_file) == (
        "GRAPHQL_VALIDATION_FAILED line 2, column 12: Cannot query field 'totl' on type 'Order'."
        " Did you mean 'total' or 'note'?\n"
        "line 3, column 3: Cannot query field 'none' on type 'Query'."
    )


def test_fields_that_only_subgraphs_have_are_refused(supergraph_file: Path) -> None:
    assert refusal_of("{ _service { sdl } }", supergraph_file) == (
        "GRAPHQL_VALIDATION_FAILED line 1, column 3: Cannot query field '_service' on type 'Query'."
    )


def test_which_operation_is_meant_has_to_be_clear(supergraph_file: Path) -> None:
    document = "query A { orders { id } } query B { orders { total } }"
    asked = ask(load_supergraph(supergraph_file), parse_query(document), "B")
    assert asked.operation_name == "B"
    assert refusal_of(document, supergraph_file) == (
        "OPERATION_RESOLUTION_FAILURE operationName must name one of several operations; --operation can be: A, B"
    )
    assert refusal_of(document, supergraph_file, operation="C") == (
        'OPERATION_RESOLUTION_FAILURE the document has no operation "C"; --operation can be: A, B'
    )
    assert refusal_of("type A { a: Int }", supergraph_file) == (
        "OPERATION_RESOLUTION_FAILURE the document has no operation"
    )


def test_a_label_that_nothing_asks_about_is_refused(supergraph_file: Path) -> None:
    supergraph = load_supergraph(supergraph_file)
    assert known_labels(supergraph) == {"percent(5)"}
    asked = ask(supergraph, parse_query("{ orders { id } }"), None, ["percent(5)"])
    assert asked.labels == {"percent(5)"}
    assert refusal_of("{ orders { id } }", supergraph_file, labels=("percent(6)",)) == (
        "UNKNOWN_LABEL no @override of the supergraph has the label 'percent(6)'; it has: percent(5)"
    )


def test_a_supergraph_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "broken.graphql").write_text("type Query {\n  a: }")
    (tmp_path / "api.graphql").write_text("type Query { a: Int }")
    (tmp_path / "binary.graphql").write_bytes(b"\xff")
    refusals = {}
    for name in ("none.graphql", "binary.graphql", "broken.graphql", "api.graphql"):
        with pytest.raises(PlanRefused) as refused:
            load_supergraph(tmp_path / name)
        refusals[name] = f"{refused.value.code} {refused.value.message.removeprefix(f'{tmp_path}/')}"
    assert refusals == {
        "none.graphql": "SUPERGRAPH_UNREADABLE none.graphql cannot be read: No such file or directory",
        "binary.graphql": "SUPERGRAPH_UNREADABLE binary.graphql cannot be read: it is not UTF-8",
        "broken.graphql": "SUPERGRAPH_SYNTAX broken.graphql:2:6: Syntax Error: Expected Name, found '}'.",
        "api.graphql": refusals["api.graphql"],
    }
    assert refusals["api.graphql"].startswith("SUPERGRAPH_NO_JOIN_SPEC api.graphql: ")
