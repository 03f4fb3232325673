"""Where composition finds schemas."""

import socket
from contextlib import closing
from pathlib import Path

import pytest

from pasar import subgraph_sources
from pasar.subgraph_sources import (
    SourceUnusable,
    SubgraphSource,
    parse_source,
    parse_sources,
    read_schemas,
    read_source_list,
)
from router.composition.model import SubgraphSchema
from tests.testkit.canned_server import canned_server


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("order=order.graphql", SubgraphSource("order", "order.graphql")),
        ("order=a/order.graphql@http://o:1/graphql", SubgraphSource("order", "a/order.graphql", "http://o:1/graphql")),
        ("order=a@b.graphql", SubgraphSource("order", "a@b.graphql")),
        ("order=http://o:1/graphql", SubgraphSource("order", "http://o:1/graphql", "http://o:1/graphql")),
    ],
)
def test_a_source_is_a_file_or_a_running_subgraph(text: str, source: SubgraphSource) -> None:
    assert parse_source(text) == source


@pytest.mark.parametrize("text", ["order.graphql", "=x", "order="])
def test_a_source_without_name_or_place_is_refused(text: str) -> None:
    with pytest.raises(SourceUnusable, match="is not NAME=FILE, NAME=URL or NAME=FILE@URL"):
        parse_source(text)


async def test_a_list_in_rovers_form_is_read_relative_to_its_file(tmp_path: Path) -> None:
    (tmp_path / "order.graphql").write_text("type Query { orders: Int }")
    (tmp_path / "list.yaml").write_text(
        "federation_version: =2.9.0\n"
        "subgraphs:\n"
        "  order: {routing_url: 'http://o:1/graphql', schema: {file: order.graphql}}\n"
        "  user: {schema: {subgraph_url: 'http://u:1/graphql'}}\n"
    )
    order, user = read_source_list(tmp_path / "list.yaml")
    assert user == SubgraphSource("user", "http://u:1/graphql", "http://u:1/graphql")
    assert await read_schemas([order]) == (SubgraphSchema("order", "type Query { orders: Int }", "http://o:1/graphql"),)


@pytest.mark.parametrize(
    ("content", "complaint", "line", "column"),
    [
        (
            "subgraphs:\n  order: {schema: {}}",
            ": subgraph order needs schema.file or schema.subgraph_url",
            2,
            10,
        ),
        ("subgraphs:\n  order: nothing", ": subgraph order needs schema.file or schema.subgraph_url", 2, 10),
        ("subgraphs:\n  order: {schema: {file: }}", ": subgraph order needs schema.file or schema.subgraph_url", 2, 10),
        (
            "subgraphs:\n  order:\n    schema: {subgraph_url: order.graphql}",
            ": subgraph order: 'order.graphql' is no http:// or https:// URL",
            3,
            28,
        ),
        ("subgraphs: {a: {schema: {file: a}},\n  a: {schema: {file: b}}}", ": a stands twice", 2, 3),
        ("a: b", " has no map `subgraphs`", 1, 1),
        ("subgraphs: []", " has no map `subgraphs`", 1, 1),
        ("", " has no map `subgraphs`", None, None),
        ("a: [", " is not YAML: expected the node content, but found '<stream end>'", 1, 5),
        ("a: " + "[" * 5000, " is nested too deeply to be read", None, None),
    ],
)
def test_a_list_that_says_nothing_is_refused_where_it_does(
    tmp_path: Path, content: str, complaint: str, line: int | None, column: int | None
) -> None:
    file = tmp_path / "list.yaml"
    file.write_text(content)
    with pytest.raises(SourceUnusable) as unusable:
        read_source_list(file)
    [problem] = unusable.value.problems
    assert (problem.code, problem.message) == ("SUBGRAPH_LIST_INVALID", f"{file}{complaint}")
    assert (problem.location, problem.line, problem.column) == (str(file), line, column)


def test_a_list_may_be_written_with_anchors(tmp_path: Path) -> None:
    (tmp_path / "list.yaml").write_text(
        "base: &base {schema: {file: one.graphql}, routing_url: 'http://b:1/'}\n"
        "subgraphs: {a: *base, b: {<<: *base, routing_url: ~}}\n"
    )
    one = str(tmp_path / "one.graphql")
    assert read_source_list(tmp_path / "list.yaml") == (
        SubgraphSource("a", one, "http://b:1/"),
        SubgraphSource("b", one),
    )


def test_a_list_that_is_not_there_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceUnusable, match=r"none\.yaml cannot be read: No such file or directory"):
        read_source_list(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"a: \xff")
    with pytest.raises(SourceUnusable, match=r"latin\.yaml is not YAML: 'utf-8' codec can't decode byte 0xff"):
        read_source_list(tmp_path / "latin.yaml")


def test_every_argument_that_says_nothing_is_told() -> None:
    with pytest.raises(SourceUnusable) as unusable:
        parse_sources(["a", "b=b.graphql", "=c"])
    assert [(problem.code, problem.location) for problem in unusable.value.problems] == [
        ("SUBGRAPH_ARGUMENT_INVALID", "a"),
        ("SUBGRAPH_ARGUMENT_INVALID", "=c"),
    ]
    assert parse_sources([]) == ()


async def test_every_schema_that_cannot_be_had_is_named(tmp_path: Path) -> None:
    (tmp_path / "latin.graphql").write_bytes(b"type \xff")
    none, latin = str(tmp_path / "none.graphql"), str(tmp_path / "latin.graphql")
    sources = [
        SubgraphSource("a", none),
        SubgraphSource("b", latin),
        SubgraphSource("c", "http://127.0.0.1:1/"),
        SubgraphSource("d", str(tmp_path)),
        SubgraphSource("e", "a\0b"),
        SubgraphSource("f", "http://"),
    ]
    with pytest.raises(SourceUnusable) as unusable:
        await read_schemas(sources)
    assert [(problem.subgraph, problem.message) for problem in unusable.value.problems] == [
        ("a", f"subgraph a: {none} cannot be read: No such file or directory"),
        ("b", f"subgraph b: {latin} is not UTF-8 (byte 5)"),
        ("c", "subgraph c: http://127.0.0.1:1/ does not answer: ClientConnectorError"),
        ("d", f"subgraph d: {tmp_path} cannot be read: Is a directory"),
        ("e", "subgraph e: a\0b cannot be read: embedded null byte"),
        ("f", "subgraph f: http:// does not answer: InvalidUrlClientError"),
    ]
    assert {problem.code for problem in unusable.value.problems} == {"SUBGRAPH_SOURCE_UNUSABLE"}


@pytest.mark.parametrize(
    ("status", "content_type", "body", "complaint"),
    [
        (200, "text/html", "<html>Sign in</html>", "answers HTTP 200 with text/html, not with JSON"),
        (404, "text/plain", "Not Found", "answers HTTP 404 with text/plain, not with JSON"),
        (200, "application/json", "[" * 100_000, "answers HTTP 200 with application/json, not with JSON"),
        (200, "application/json", "", "answers HTTP 200 with application/json, not with JSON"),
        (200, "application/json", '{"data": {}}', "does not tell its schema: HTTP 200, no data._service.sdl"),
        (200, "application/json", '{"data": {"_service": {"sdl": 1}}}', "does not tell its schema: HTTP 200, no"),
        (500, "application/json", "[]", "does not tell its schema: HTTP 500, no data._service.sdl"),
        (
            400,
            "application/graphql-response+json",
            '{"errors": [{"message": "Cannot query field \'_service\' on type \'Query\'."}]}',
            "does not tell its schema: Cannot query field '_service' on type 'Query'.",
        ),
        (
            200,
            "application/json",
            '{"errors": [{"message": "\\u001b[2Jone\\ntwo' + "x" * 300 + '"}]}',
            "does not tell its schema:  [2Jone two" + "x" * 189 + "...",
        ),
    ],
)
async def test_an_answer_that_is_no_schema_is_described(
    status: int, content_type: str, body: str, complaint: str
) -> None:
    with (
        canned_server(body, status=status, content_type=content_type) as url,
        pytest.raises(SourceUnusable) as unusable,
    ):
        await read_schemas([SubgraphSource("order", url, url)])
    [problem] = unusable.value.problems
    assert problem.message.startswith(f"subgraph order: {url} {complaint}")


async def test_a_running_subgraph_tells_its_schema_whatever_content_type_it_says() -> None:
    body = '{"data": {"_service": {"sdl": "type Query { a: Int }"}}}'
    with canned_server(body, content_type="text/plain") as url:
        assert await read_schemas([SubgraphSource("order", url, "http://o:1/")]) == (
            SubgraphSchema("order", "type Query { a: Int }", "http://o:1/"),
        )


async def test_an_answer_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subgraph_sources, "MAX_ANSWER_BYTES", 10)
    too_long = r"subgraph order: .* answers with more than 10 bytes$"
    with canned_server("x" * 11) as url, pytest.raises(SourceUnusable, match=too_long):
        await read_schemas([SubgraphSource("order", url)])


async def test_a_subgraph_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subgraph_sources, "FETCH_TIMEOUT_S", 0.05)
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with pytest.raises(SourceUnusable, match=r"subgraph order: .* does not answer within 0\.05 s$"):
            await read_schemas([SubgraphSource("order", url)])
