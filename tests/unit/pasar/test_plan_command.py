"""`pasar plan` from its command line to its output."""

import io
import json
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from inline_snapshot import snapshot

from pasar import composing
from pasar.cli import main
from pasar.planning.question import load_supergraph
from router.composition import compose
from router.composition.model import SubgraphSchema

LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@key", "@override"]) '
SUBGRAPHS = {
    "order": 'type Query { orders: [Order] } type Order @key(fields: "id") { id: ID! total: Int product: Product '
    'status: Int } type Product @key(fields: "id") { id: ID! }',
    "product": 'type Product @key(fields: "id") { id: ID! name: String parts: [Product] } type Query { best: Product }',
    "status": 'type Order @key(fields: "id") { id: ID! status: Int @override(from: "order", label: "percent(5)") }',
}


@pytest.fixture(scope="module")
def supergraph(tmp_path_factory: pytest.TempPathFactory) -> str:
    sdl = compose([SubgraphSchema(name, LINK + text, f"http://{name}/") for name, text in SUBGRAPHS.items()])
    assert sdl.supergraph_sdl is not None, sdl.errors
    file = tmp_path_factory.mktemp("graph") / "supergraph.graphql"
    file.write_text(sdl.supergraph_sdl)
    return str(file)


class Run:
    """What a command wrote, and the code it ended with."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capsys = capsys
        self._monkeypatch = monkeypatch

    def __call__(self, *arguments: str, stdin: str = "") -> tuple[int | str | None, str, str]:
        self._monkeypatch.setattr(sys, "argv", ["pasar", "plan", *arguments])
        self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        with pytest.raises(SystemExit) as ended:
            main()
        written = self._capsys.readouterr()
        return ended.value.code, written.out, written.err


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    return Run(capsys, monkeypatch)


def test_text_shows_every_stage_and_counts_the_requests(run: Run, supergraph: str) -> None:
    code, out, err = run("{ orders { total product { name } } }", "--supergraph", supergraph)
    assert (code, err) == (0, "")
    assert out == snapshot("""\
== Operation ==
query
  orders
    total
    product
      name

== Paths ==
Query.orders -> order
  Order.total in order
  Order.product in order
    Product.name -> product

== Fetch graph ==
#0 order: Query { orders { total product { __typename id } } }
#1 product after #0 at orders.@.product: Product { name }

== Optimised fetch graph ==
#0 order: Query { orders { total product { __typename id } } }
#1 product after #0 at orders.@.product: Product { name }

== Plan ==
Sequence
  Fetch(order) { orders { total product { __typename id } } }
  Flatten(orders.@.product)
    Fetch(product) { __typename id } => { ... on Product { name } }

== Requests ==
2 requests, depth 2
""")


def test_json_is_the_plan_of_the_named_operation(run: Run, supergraph: str) -> None:
    document = "query A { orders { id } } query B { best { name } }"
    code, out, err = run("-", "--supergraph", supergraph, "--operation", "B", "--format", "json", stdin=document)
    assert (code, err) == (0, "")
    assert json.loads(out) == {
        "version": 1,
        "operation": {"kind": "query", "name": "B"},
        "labels": [],
        "requests": 1,
        "depth": 1,
        "plan": {
            "kind": "Fetch",
            "subgraph": "product",
            "operation": {"kind": "query", "name": None},
            "document": "{ best { name } }",
            "variables": [],
            "requires": [],
            "representationsVariable": None,
            "renames": [],
            "contexts": [],
        },
    }


def test_svg_goes_into_the_file_and_nothing_to_standard_output(run: Run, supergraph: str, tmp_path: Path) -> None:
    query, output = tmp_path / "query.graphql", tmp_path / "plan.svg"
    query.write_text("query Names { orders { product { name } } }")
    assert run(str(query), "--supergraph", supergraph, "--format", "svg", "--output", str(output)) == (0, "", "")
    title = ElementTree.parse(output).getroot().find("{http://www.w3.org/2000/svg}title")
    assert title is not None
    assert title.text == "Plan of query Names: 2 requests, depth 2"


def test_a_label_decides_who_is_asked(run: Run, supergraph: str) -> None:
    question = ("{ orders { status } }", "--supergraph", supergraph, "--format", "json")
    _, without, _ = run(*question)
    _, active, _ = run(*question, "--label", "percent(5)")
    assert (json.loads(without)["requests"], json.loads(without)["labels"]) == (1, [])
    assert (json.loads(active)["requests"], json.loads(active)["labels"]) == (2, ["percent(5)"])


def test_without_a_supergraph_the_stores_own_is_composed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tuple(SubgraphSchema(name, LINK + text, f"http://{name}/") for name, text in SUBGRAPHS.items())
    monkeypatch.setattr("pasar.planning.question.own_schemas", lambda: own)
    code, out, err = run("{ best { name } }")
    assert (code, err) == (0, "")
    assert out.endswith("== Plan ==\nFetch(product) { best { name } }\n\n== Requests ==\n1 request, depth 1\n")


def test_the_stores_own_graph_plans_an_operation_over_several_subgraphs(run: Run) -> None:
    code, out, _ = run("{ me { name orders(first: 1) { nodes { payment { status } } } } }", "--format", "json")
    assert code == 0
    assert json.loads(out)["requests"] == 3
    assert [schema.name for schema in composing.own_schemas()] == [
        *("inventory", "order", "payment", "product", "sync", "user")
    ]


@pytest.mark.parametrize("format_", ["text", "json", "svg"])
@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("{ none }",), "[GRAPHQL_VALIDATION_FAILED] line 1, column 3: Cannot query field 'none' on type 'Query'.\n"),
        (("{ best {",), "[GRAPHQL_PARSE_FAILED] line 1, column 9: Syntax Error: Expected Name, found <EOF>.\n"),
        (
            ("query A { best { id } }", "--operation", "B"),
            '[OPERATION_RESOLUTION_FAILURE] the document has no operation "B"; --operation can be: A\n',
        ),
        (
            ("{ best { id } }", "--label", "x"),
            "[UNKNOWN_LABEL] no @override of the supergraph has the label 'x'; it has: percent(5)\n",
        ),
        (("none.graphql",), "[QUERY_UNREADABLE] 'none.graphql' is neither a file nor a GraphQL document\n"),
    ],
)
def test_a_refusal_is_one_error_on_standard_error_and_writes_no_file(
    run: Run, supergraph: str, tmp_path: Path, format_: str, arguments: tuple[str, ...], complaint: str
) -> None:
    output = tmp_path / "plan"
    asked = run(*arguments, "--supergraph", supergraph, "--format", format_, "--output", str(output))
    assert asked == (1, "", f"error {complaint}")
    assert not output.exists()


def chain_of_fragments(length: int, selection: str) -> str:
    """Return an operation as deep as *length* times *selection*, which has `...` where the next one belongs."""
    fragments = (
        selection.replace("...", f"...F{number + 1}" if number < length - 1 else "id") for number in range(length)
    )
    return "{ best { ...F0 } }" + "".join(f" fragment F{n} on Product {{ {text} }}" for n, text in enumerate(fragments))


@pytest.mark.parametrize("format_", ["text", "json", "svg"])
def test_an_operation_nested_beyond_validation_is_refused(run: Run, supergraph: str, format_: str) -> None:
    chain = chain_of_fragments(250, "parts { ... }")
    assert run(chain, "--supergraph", supergraph, "--format", format_) == (
        1,
        "",
        "error [GRAPHQL_VALIDATION_FAILED] the document is nested too deeply\n",
    )


@pytest.mark.parametrize("format_", ["text", "json", "svg"])
def test_what_the_planner_refuses_is_told_with_its_code(run: Run, supergraph: str, format_: str) -> None:
    assert run("{ best { __typename: name } }", "--supergraph", supergraph, "--format", format_) == (
        1,
        "",
        "error [RESERVED_ALIAS] name may not be called __typename\n",
    )


@pytest.mark.parametrize("format_", ["text", "json", "svg"])
def test_an_operation_too_deep_for_the_planner_is_refused(
    run: Run, supergraph: str, format_: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhausted(*_: object) -> None:
        raise RecursionError

    monkeypatch.setattr("pasar.planning.showing.plan_operation", exhausted)
    assert run("{ best { id } }", "--supergraph", supergraph, "--format", format_) == (
        1,
        "",
        "error [MAX_DEPTH_LIMIT] the operation is nested too deeply to be planned\n",
    )


def test_an_unwritable_output_is_told(run: Run, supergraph: str, tmp_path: Path) -> None:
    output = tmp_path / "none" / "plan.json"
    assert run("{ best { id } }", "--supergraph", supergraph, "--output", str(output)) == (
        1,
        "",
        f"error [OUTPUT_NOT_WRITTEN] {output} cannot be written: No such file or directory\n",
    )


def test_the_supergraph_file_is_the_one_that_is_read(supergraph: str) -> None:
    assert [subgraph.name for subgraph in load_supergraph(Path(supergraph)).subgraphs] == ["order", "product", "status"]
