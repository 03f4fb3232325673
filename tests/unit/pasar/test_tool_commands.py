"""`pasar compose`, `check` and `explain`: exit codes, and what goes to which stream."""

import gc
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pasar.cli import app
from pasar.explaining import UnknownCode
from tests.testkit.canned_server import canned_server

SDL = Path(__file__).parents[3] / "schema" / "sdl"
LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@shareable"])\n'
OLD = "type Query { a: Int b: Int }"


def run(*arguments: str) -> tuple[int, str, str]:
    """Run a command and return its exit code, standard output and standard error."""
    result = CliRunner().invoke(app, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def write(folder: Path, **texts: str) -> list[str]:
    """Write subgraphs into *folder* and return them as arguments."""
    for name, text in texts.items():
        (folder / f"{name}.graphql").write_text(text)
    return [f"{name}={folder / f'{name}.graphql'}" for name in texts]


def refusal(*arguments: str) -> list[tuple[str, list[Any]]]:
    """Return code and places of what `compose` refuses, having seen that both formats agree and write no SDL."""
    code, output, text = run("compose", *arguments)
    assert (code, output) == (1, "")
    code, output, rows = run("compose", *arguments, "--format", "json")
    assert (code, output) == (1, "")
    diagnostics = json.loads(rows)
    for diagnostic in diagnostics:
        assert list(diagnostic) == ["code", "message", "severity", "remedy", "locations", "details"]
        assert diagnostic["remedy"]
        assert f"{diagnostic['severity'].lower()} {diagnostic['code']}: {diagnostic['message']}\n" in text
    return [
        (row["code"], [(place["subgraph"], place["line"], place["column"]) for place in row["locations"]])
        for row in diagnostics
    ]


@pytest.mark.parametrize(
    ("sdl", "code", "line", "column"),
    [
        ("type Query {\n  a: Int\n  b(: Int\n}", "INVALID_GRAPHQL", 3, 5),
        ("", "INVALID_GRAPHQL", 1, 1),
        (
            'extend schema @link(url: "https://specs.apollo.dev/federation/v9.9")\ntype Query { a: Int }',
            "UNKNOWN_FEDERATION_LINK_VERSION",
            1,
            16,
        ),
        (
            'extend schema\n  @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@kee"])\n'
            "type Query { a: Int }",
            "INVALID_LINK_DIRECTIVE_USAGE",
            2,
            4,
        ),
        (
            LINK + 'type Query { a: A }\ntype A @key(fields: "b { a { b } }") { b: B! }\ntype B { a: A! }',
            "KEY_INVALID_FIELDS",
            3,
            9,
        ),
        (
            LINK
            + 'type Query { a: A }\ntype A @key(fields: "'
            + "a { " * 3000
            + "id"
            + " }" * 3000
            + '") { a: A id: ID! }',
            "KEY_INVALID_FIELDS",
            3,
            9,
        ),
    ],
    ids=["syntax", "empty", "version", "import", "cyclic-key", "endless-key"],
)
def test_sdl_that_cannot_be_composed_is_told_with_subgraph_line_and_column(
    tmp_path: Path, sdl: str, code: str, line: int, column: int
) -> None:
    assert refusal(*write(tmp_path, order=sdl)) == [(code, [("order", line, column)])]


def test_sdl_that_is_nested_too_deeply_is_told(tmp_path: Path) -> None:
    [order] = write(tmp_path, order="type Query { a: " + "[" * 3000 + "Int" + "]" * 3000 + " }")
    # Where the parser gives up depends on how deep it was called
    [(code, [(subgraph, line, _)])] = refusal(order)
    assert (code, subgraph, line) == ("INVALID_GRAPHQL", "order", 1)


def test_a_place_can_be_opened_from_the_terminal(tmp_path: Path) -> None:
    [order] = write(tmp_path, order="type Query { a: }")
    file = tmp_path / "order.graphql"
    assert run("compose", order) == (
        1,
        "",
        "error INVALID_GRAPHQL: [order] Syntax Error: Expected Name, found '}'.\n"
        f"  at order:1:17 ({file}:1:17)\n"
        "  Correct the SDL at the place shown; the message names the rule.\n",
    )
    assert json.loads(run("compose", order, "--format", "json")[2])[0]["locations"] == [
        {"subgraph": "order", "line": 1, "column": 17, "file": str(file)}
    ]


def test_two_subgraphs_of_one_name_are_refused(tmp_path: Path) -> None:
    order, user = write(tmp_path, order="type Query { a: Int }", user="type Query { b: Int }")
    assert refusal(order, user.replace("user=", "order=", 1)) == [("DUPLICATE_SUBGRAPH_NAME", [("order", 1, 1)])]
    # Also one by argument and one by list; a list with a name twice is refused itself
    (tmp_path / "list.yaml").write_text("subgraphs:\n  order: {schema: {file: user.graphql}}\n")
    assert refusal(order, "--config", str(tmp_path / "list.yaml")) == [("DUPLICATE_SUBGRAPH_NAME", [("order", 1, 1)])]


def test_what_cannot_be_read_is_told_whole(tmp_path: Path) -> None:
    [order] = write(tmp_path, order="type Query { a: Int }")
    assert refusal(order, f"user={tmp_path / 'none.graphql'}", "web=http://127.0.0.1:1/") == [
        ("SUBGRAPH_SOURCE_UNUSABLE", []),
        ("SUBGRAPH_SOURCE_UNUSABLE", []),
    ]
    assert refusal("order.graphql") == [("SUBGRAPH_ARGUMENT_INVALID", [])]
    (tmp_path / "list.yaml").write_text("subgraphs:\n  order: {}\n")
    assert refusal("--config", str(tmp_path / "list.yaml")) == [("SUBGRAPH_LIST_INVALID", [("order", 2, 10)])]
    assert refusal("--config", str(tmp_path / "none.yaml")) == [("SUBGRAPH_LIST_INVALID", [])]
    assert refusal(order, "--output", str(tmp_path / "none" / "s.graphql")) == [("OUTPUT_NOT_WRITTEN", [])]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["list.yaml", "order.graphql"]


@pytest.mark.parametrize("body", ["<html></html>", '{"data": {"_service": null}}'])
def test_a_server_that_is_no_subgraph_is_told(body: str) -> None:
    with canned_server(body) as url:
        assert refusal(f"order={url}") == [("SUBGRAPH_SOURCE_UNUSABLE", [])]


def test_the_sdl_of_a_running_subgraph_has_places_without_a_file() -> None:
    with canned_server('{"data": {"_service": {"sdl": "type Query {"}}}') as url:
        code, output, error = run("compose", f"order={url}")
    assert (code, output) == (1, "")
    assert error.splitlines()[1] == "  at order:1:13"


def test_hints_are_shown_and_change_nothing(tmp_path: Path) -> None:
    subgraphs = write(
        tmp_path,
        order=LINK + '"One." type Query { a: Int @shareable }',
        user=LINK + '"Two." type Query { a: Int @shareable }',
    )
    code, sdl, hints = run("compose", *subgraphs, "--api")
    assert (code, sdl) == (0, '"""One."""\ntype Query {\n  a: Int\n}\n')
    assert hints.startswith("hint INCONSISTENT_DESCRIPTION: ")
    code, same_sdl, rows = run("compose", *subgraphs, "--api", "--format", "json")
    assert (code, same_sdl) == (0, sdl)
    assert [(row["code"], row["severity"]) for row in json.loads(rows)] == [("INCONSISTENT_DESCRIPTION", "HINT")]


def test_json_is_an_empty_array_when_there_is_nothing_to_tell(tmp_path: Path) -> None:
    code, sdl, rows = run("compose", *write(tmp_path, order="type Query { a: Int }"), "--format", "json")
    assert (code, rows) == (0, "[]\n")
    assert sdl.startswith("schema\n")


def test_ten_megabytes_are_composed_or_refused_like_ten_lines(tmp_path: Path) -> None:
    types = "".join(f'"""{"x" * 100_000}"""\ntype T{number} {{ a: Int }}\n' for number in range(100))
    sdl = types + "type Query { " + " ".join(f"t{number}: T{number}" for number in range(100)) + " }\n"
    assert len(sdl) > 10_000_000
    output = tmp_path / "supergraph.graphql"
    assert run("compose", *write(tmp_path, order=sdl), "--output", str(output)) == (0, "", "")
    assert output.stat().st_size > 10_000_000
    assert refusal(*write(tmp_path, order=sdl.rstrip(" }\n") + "\n")) == [("INVALID_GRAPHQL", [("order", 202, 1)])]
    assert gc.isenabled()


def test_check_tells_changes_and_fails_when_one_breaks(tmp_path: Path) -> None:
    write(tmp_path, old=OLD, new="type Query { a: String c(d: Int): Int }")
    old, new = str(tmp_path / "old.graphql"), str(tmp_path / "new.graphql")
    assert run("check", old, new) == (
        1,
        "BREAKING\n"
        "  FIELD_CHANGED_KIND: Field Query.a changed type from Int to String.\n"
        "  FIELD_REMOVED: Field Query.b was removed.\n"
        "\n"
        "SAFE\n"
        "  FIELD_ADDED: Field Query.c was added.\n"
        "\n"
        "2 breaking, 0 dangerous, 1 safe\n",
        "",
    )
    code, output, error = run("check", old, new, "--format", "json")
    assert (code, error) == (1, "")
    assert json.loads(output) == {
        "failed": True,
        "breaking": 2,
        "dangerous": 0,
        "safe": 1,
        "changes": [
            {
                "impact": "BREAKING",
                "code": "FIELD_CHANGED_KIND",
                "message": "Field Query.a changed type from Int to String.",
            },
            {"impact": "BREAKING", "code": "FIELD_REMOVED", "message": "Field Query.b was removed."},
            {"impact": "SAFE", "code": "FIELD_ADDED", "message": "Field Query.c was added."},
        ],
    }
    assert run("check", old, old) == (0, "0 breaking, 0 dangerous, 0 safe\n", "")


@pytest.mark.parametrize(
    ("new", "on_dangerous", "on_breaking"),
    [
        (OLD, 0, 0),
        (OLD.replace("b: Int", "b: Int c: Int"), 0, 0),
        (OLD.replace("a:", "a(c: Int):"), 1, 0),
        (OLD.replace("a: Int", ""), 1, 1),
    ],
    ids=["same", "safe", "dangerous", "breaking"],
)
def test_what_fails_a_check_is_chosen(tmp_path: Path, new: str, on_dangerous: int, on_breaking: int) -> None:
    write(tmp_path, old=OLD, new=new)
    files = (str(tmp_path / "old.graphql"), str(tmp_path / "new.graphql"))
    assert run("check", *files, "--fail-on", "dangerous")[0] == on_dangerous
    assert run("check", *files, "--fail-on", "breaking")[0] == run("check", *files)[0] == on_breaking
    assert run("check", *files, "--fail-on", "none")[0] == 0


def test_a_supergraph_is_checked_by_what_clients_see_of_it(tmp_path: Path) -> None:
    write(tmp_path, api=OLD)
    supergraph = tmp_path / "supergraph.graphql"
    assert run("compose", *write(tmp_path, order=OLD), "--output", str(supergraph)) == (0, "", "")
    assert run("check", str(tmp_path / "api.graphql"), str(supergraph)) == (0, "0 breaking, 0 dangerous, 0 safe\n", "")


def test_a_schema_is_checked_against_the_committed_one(tmp_path: Path) -> None:
    unchanged = (0, "0 breaking, 0 dangerous, 0 safe\n", "")
    assert run("check", "--against", str(SDL)) == unchanged
    assert run("check", "--against", str(SDL / "supergraph.graphql"), str(SDL)) == unchanged
    api = (SDL / "api.graphql").read_text("utf-8")
    assert api.count("\ntype Mutation {") == 1
    write(tmp_path, new=api.replace("\ntype Mutation {", "\ntype Mutation {\n  danceForMe: Int"))
    assert run("check", "--against", str(SDL), str(tmp_path / "new.graphql")) == (
        0,
        "SAFE\n  FIELD_ADDED: Field Mutation.danceForMe was added.\n\n0 breaking, 0 dangerous, 1 safe\n",
        "",
    )


def test_schemas_that_cannot_be_read_are_told_with_file_line_and_column(tmp_path: Path) -> None:
    write(tmp_path, old="type Query {\n  a: }", new="type Query { a: Int @key }")
    old, new, none = (str(tmp_path / f"{name}.graphql") for name in ("old", "new", "none"))
    remedy = "  Hand in API schema SDL or supergraph SDL; `pasar compose` makes either from subgraphs.\n"
    assert run("check", old, new) == (
        2,
        "",
        f"error SCHEMA_INVALID: {old}: Syntax Error: Expected Name, found '}}'.\n  at {old}:2:6\n{remedy}"
        f"error SCHEMA_INVALID: {new}: Unknown directive '@key'.\n  at {new}:1:21\n{remedy}",
    )
    code, output, rows = run("check", none, new, "--format", "json")
    assert (code, output) == (2, "")
    assert [(row["code"], row["locations"]) for row in json.loads(rows)] == [
        ("SCHEMA_UNREADABLE", []),
        ("SCHEMA_INVALID", [{"subgraph": None, "line": 1, "column": 21, "file": new}]),
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("old.graphql",),
        ("a.graphql", "b.graphql", "c.graphql"),
        ("--against", "a.graphql", "b.graphql", "c.graphql"),
        ("a.graphql", "b.graphql", "--fail-on", "safe"),
    ],
)
def test_a_check_of_too_few_or_too_many_schemas_is_not_understood(arguments: tuple[str, ...]) -> None:
    code, output, error = run("check", *arguments)
    assert (code, output) == (2, "")
    assert "Usage:" in error


def test_explain_prints_meaning_example_and_remedy() -> None:
    assert run("explain", "duplicate-subgraph-name") == (
        0,
        "### DUPLICATE_SUBGRAPH_NAME\n\n"
        "Two subgraphs have the same name; the supergraph could not tell them apart.\n\n"
        '```graphql\n# two subgraphs, both called "product"\n```\n\n'
        "**Remedy:** Rename one of them, or hand it in only once.\n",
        "",
    )


def test_explain_alone_lists_all_codes() -> None:
    code, output, error = run("explain")
    assert (code, error) == (0, "")
    assert output.startswith("Errors\n")
    assert "  SUPERGRAPH_NO_JOIN_SPEC" in output


def test_explain_refuses_a_code_that_does_not_exist() -> None:
    result = CliRunner().invoke(app, ["explain", "KEY_INVALID_FIELD"])
    assert (result.exit_code, result.stdout) == (1, "")
    assert isinstance(result.exception, UnknownCode)
