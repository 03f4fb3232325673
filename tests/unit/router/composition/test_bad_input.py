"""Whatever is handed in: a diagnostic with a place, never an exception."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from router.composition import SourceLocation, SubgraphSchema, compose
from tests.composition_cases.generate import generate_subgraphs
from tests.unit.router.composition.builders import LINK, fed2

DAMAGE = "{}()[]@:!\"'#$ \nabTypekeyfields0"


def only_error(*subgraphs: SubgraphSchema) -> tuple[str, str, SourceLocation]:
    result = compose(subgraphs)
    assert result.supergraph_sdl is None
    assert result.api_sdl is None
    assert len(result.errors) == 1, result.errors
    (error,) = result.errors
    return error.code, error.message, error.locations[0]


def test_unparsable_sdl_is_shown_where_it_stops_making_sense() -> None:
    code, message, at = only_error(SubgraphSchema("shop", "type Query {\n  a: Int\n  b )\n}\n"))
    assert (code, at) == ("INVALID_GRAPHQL", SourceLocation("shop", 3, 5))
    assert message == "[shop] Syntax Error: Expected ':', found ')'."


@pytest.mark.parametrize("sdl", ["", "   \n", "# nothing\n", "\ufeff", "\x00", "}" * 10])
def test_sdl_without_definitions_is_a_syntax_error(sdl: str) -> None:
    code, _, at = only_error(SubgraphSchema("shop", sdl))
    assert (code, at.subgraph, at.line >= 1, at.column >= 1) == ("INVALID_GRAPHQL", "shop", True, True)


def test_deeply_nested_sdl_is_refused() -> None:
    nested = "[" * 100_000 + "Int" + "]" * 100_000
    code, message, _ = only_error(SubgraphSchema("shop", f"type Query {{ a: {nested} }}"))
    assert code == "INVALID_GRAPHQL"
    assert message == "[shop] Syntax Error: Document is nested too deeply. Parsing aborted."


def test_unknown_federation_version_is_shown_at_its_link() -> None:
    sdl = 'extend schema\n  @link(url: "https://specs.apollo.dev/federation/v3.1")\ntype Query { a: Int }\n'
    code, message, at = only_error(SubgraphSchema("shop", sdl))
    assert (code, at) == ("UNKNOWN_FEDERATION_LINK_VERSION", SourceLocation("shop", 2, 4))
    assert "v2.0 to v2.12" in message


def test_two_subgraphs_of_one_name_are_refused() -> None:
    code, message, _ = only_error(fed2("shop", "type Query { a: Int }"), fed2("shop", "type Query { b: Int }"))
    assert (code, message) == ("DUPLICATE_SUBGRAPH_NAME", "There are several subgraphs called 'shop'.")


@pytest.mark.parametrize("name", ["", "_"])
def test_name_that_a_supergraph_cannot_hold_is_refused(name: str) -> None:
    assert only_error(fed2(name, "type Query { a: Int }"))[0] == "INVALID_SUBGRAPH_NAME"


def test_nothing_to_compose_is_an_error() -> None:
    result = compose([])
    assert [error.code for error in result.errors] == ["NO_QUERIES"]


def test_keys_that_select_each_other_in_a_circle_end_in_a_verdict() -> None:
    a = fed2(
        "a",
        'type Query { a: A }\ntype A @key(fields: "b { a { b { id } } }") { b: B! x: Int }\n'
        'type B @key(fields: "a { b { id } }") { id: ID! a: A! }\n',
    )
    b = fed2(
        "b",
        'type A @key(fields: "b { a { b { id } } }") { b: B! y: Int }\n'
        'type B @key(fields: "a { b { id } }") { id: ID! a: A! z: Int }\n',
    )
    assert [error.code for error in compose([a, b]).errors] == []


def test_requirements_in_a_circle_are_unsatisfiable() -> None:
    a = fed2(
        "a",
        'type Query { p: P }\ntype P @key(fields: "id") { id: ID! a: Int @requires(fields: "b") b: Int @external }\n',
    )
    b = fed2("b", 'type P @key(fields: "id") { id: ID! b: Int @requires(fields: "a") a: Int @external }\n')
    assert [error.code for error in compose([a, b]).errors] == ["SATISFIABILITY_ERROR"] * 2


def test_field_set_with_a_named_fragment_is_refused() -> None:
    code, message, at = only_error(fed2("a", 'type Query { p: P }\ntype P @key(fields: "...F") { id: ID! }\n'))
    assert (code, at) == ("KEY_INVALID_FIELDS", SourceLocation("a", 3, 9))
    assert message == "[a] On P, @key(fields: '...F') cannot be read: it cannot spread the fragment 'F'."


def test_ten_megabytes_of_descriptions_compose() -> None:
    text = "x" * 100_000
    sdl = "".join(f'"""{text}"""\ntype T{number} {{ a: Int }}\n' for number in range(100))
    result = compose([fed2("big", "type Query { a: Int }\n" + sdl)])
    assert result.errors == ()
    assert result.supergraph_sdl is not None
    assert len(result.supergraph_sdl) > 10_000_000


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(
    seed=st.integers(0, 10_000),
    position=st.floats(0, 1),
    length=st.integers(0, 12),
    inserted=st.text(DAMAGE, max_size=8),
)
def test_damaged_sdl_never_raises(seed: int, position: float, length: int, inserted: str) -> None:
    first, *others = generate_subgraphs(seed)
    at = int(position * len(first.sdl))
    damaged = SubgraphSchema(first.name, first.sdl[:at] + inserted + first.sdl[at + length :], first.url)
    result = compose([damaged, *others])
    assert (result.supergraph_sdl is None) == bool(result.errors)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(text=st.text(max_size=60))
def test_any_text_as_sdl_never_raises(text: str) -> None:
    result = compose([SubgraphSchema("a", LINK + text), fed2("b", "type Query { a: Int }")])
    assert (result.supergraph_sdl is None) == bool(result.errors)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(text=st.text("{}()[]@:!$ .,abonid\n\\", max_size=20))
def test_any_text_as_field_set_never_raises(text: str) -> None:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    sdl = f'type Query {{ a: A }}\ntype A @key(fields: "{escaped}") {{ id: ID! a: A }}\n'
    result = compose([fed2("a", sdl)])
    assert (result.supergraph_sdl is None) == bool(result.errors)
