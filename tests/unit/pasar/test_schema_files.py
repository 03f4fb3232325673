"""API schemas out of files."""

from pathlib import Path

import pytest
from graphql import print_schema

from pasar.problems import SourceProblem, SourceUnusable
from pasar.schema_files import read_schema, read_schema_file
from router.composition import SubgraphSchema, compose

SDL = Path(__file__).parents[3] / "schema" / "sdl"


def problems_of(sdl: str) -> list[tuple[str, str, int | None, int | None]]:
    with pytest.raises(SourceUnusable) as unusable:
        read_schema(sdl, "new.graphql")
    assert {problem.location for problem in unusable.value.problems} == {"new.graphql"}
    return [(problem.code, problem.message, problem.line, problem.column) for problem in unusable.value.problems]


def test_a_supergraph_is_read_as_what_clients_see_of_it() -> None:
    link = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@inaccessible"])'
    result = compose([SubgraphSchema("order", f"{link} type Query {{ orders: Int internal: Int @inaccessible }}")])
    assert result.supergraph_sdl is not None
    assert print_schema(read_schema(result.supergraph_sdl, "s")) == "type Query {\n  orders: Int\n}"


def test_the_committed_supergraph_and_the_committed_api_schema_are_one_schema() -> None:
    api, supergraph = read_schema_file(SDL / "api.graphql"), read_schema_file(SDL / "supergraph.graphql")
    assert sorted(api.type_map) == sorted(supergraph.type_map)


def test_a_folder_stands_for_its_api_schema_and_else_for_its_supergraph(tmp_path: Path) -> None:
    (tmp_path / "supergraph.graphql").write_text((SDL / "supergraph.graphql").read_text("utf-8"), "utf-8")
    assert "Order" in read_schema_file(tmp_path).type_map
    (tmp_path / "api.graphql").write_text("type Query { a: Int }")
    assert "Order" not in read_schema_file(tmp_path).type_map


def test_a_syntax_error_has_its_place() -> None:
    assert problems_of("type Query {\n  a(: Int\n}") == [
        ("SCHEMA_INVALID", "new.graphql: Syntax Error: Expected Name, found ':'.", 2, 5)
    ]


def test_everything_that_is_not_valid_is_told_at_once() -> None:
    assert problems_of("type Query {\n  a: Zyx\n  b: Int @key\n}") == [
        ("SCHEMA_INVALID", "new.graphql: Unknown type 'Zyx'.", 2, 6),
        ("SCHEMA_INVALID", "new.graphql: Unknown directive '@key'.", 3, 10),
    ]


def test_what_is_valid_sdl_and_yet_no_schema_has_its_place() -> None:
    found = problems_of("type Query { a: Int }\ninterface Node { id: ID! }\ntype Book implements Node { title: Int }")
    assert found == [
        ("SCHEMA_INVALID", "new.graphql: Interface field Node.id expected but Book does not provide it.", 2, 18)
    ]
    assert problems_of("scalar Date") == [
        ("SCHEMA_INVALID", "new.graphql: Query root type must be provided.", None, None)
    ]


def test_a_supergraph_that_the_router_would_refuse_is_refused_with_the_routers_code() -> None:
    sdl = (
        'schema @link(url: "https://specs.apollo.dev/link/v1.0") @link(url: "https://specs.apollo.dev/join/v9.9")'
        " { query: Query }\ntype Query { a: Int }"
    )
    assert problems_of(sdl) == [
        (
            "SUPERGRAPH_UNSUPPORTED_VERSION",
            "new.graphql: join v9.9 is not supported; supported are v0.1, v0.2, v0.3, v0.4, v0.5",
            None,
            None,
        )
    ]


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    (tmp_path / "latin.graphql").write_bytes(b"type \xff")
    (tmp_path / "empty").mkdir()
    for name, complaint in {
        "none.graphql": "cannot be read: No such file or directory",
        "latin.graphql": "is not UTF-8 (byte 5)",
        "empty": "is a folder without api.graphql or supergraph.graphql",
    }.items():
        with pytest.raises(SourceUnusable) as unusable:
            read_schema_file(tmp_path / name)
        path = str(tmp_path / name)
        assert unusable.value.problems == (SourceProblem("SCHEMA_UNREADABLE", f"{path} {complaint}", path),)
