"""Supergraphs that other tools composed, join v0.1 to v0.5: read and rendered they mean what they meant."""

from pathlib import Path

import pytest
from graphql import build_ast_schema, lexicographic_sort_schema, parse, print_schema, validate_schema

from router.composition import rerender_supergraph
from router.supergraph import Supergraph, read_supergraph

FOLDER = Path(__file__).parent / "supergraphs"
FILES = sorted(FOLDER.glob("*/*.graphql"))


def name_of(path: Path) -> str:
    return str(path.relative_to(FOLDER).with_suffix(""))


def api_of(supergraph: Supergraph) -> str:
    return print_schema(lexicographic_sort_schema(supergraph.api_schema))


def test_every_join_version_is_there() -> None:
    versions = [path.parent.name for path in FILES]
    assert {version: versions.count(version) for version in sorted(set(versions))} == {
        "v0.1": 3,
        "v0.2": 6,
        "v0.3": 3,
        "v0.4": 3,
        "v0.5": 9,
    }


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_same_api_schema_and_same_subgraphs_after_rendering(path: Path) -> None:
    sdl = path.read_text(encoding="utf-8")
    rendered = rerender_supergraph(sdl)
    before, after = read_supergraph(sdl), read_supergraph(rendered)
    assert after.subgraphs == before.subgraphs
    assert dict(after.types) == dict(before.types)
    assert (after.query_type, after.mutation_type, after.subscription_type) == (
        before.query_type,
        before.mutation_type,
        before.subscription_type,
    )
    assert api_of(after) == api_of(before)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_rendering_is_our_form_of_it_and_valid_graphql(path: Path) -> None:
    rendered = rerender_supergraph(path.read_text(encoding="utf-8"))
    assert rerender_supergraph(rendered) == rendered
    assert validate_schema(build_ast_schema(parse(rendered))) == []
    assert '@link(url: "https://specs.apollo.dev/join/v0.5", for: EXECUTION)' in rendered
