"""Selections in few short lines."""

import pytest

from pasar.planning.outline import abridge, describe_target, measure_width, outline_selection, shorten, wrap_path
from pasar.planning.requests import read_request
from router.planner.plan import (
    EntityTarget,
    Fetch,
    OperationKind,
    RepresentationField,
    RepresentationFragment,
)

ID = RepresentationField("id", "id")


def outline(document: str, *targets: EntityTarget, width: int = 30, max_lines: int = 20) -> list[str]:
    [part] = read_request(Fetch("a", OperationKind.QUERY, document, targets=targets)).parts
    return outline_selection(part, width, max_lines)


def entities(selection: str) -> str:
    return f"query($representations: [_Any!]!) {{ _entities(representations: $representations) {{ {selection} }} }}"


def test_fields_are_set_like_words() -> None:
    assert outline("{ first second { a b } third fourth fifth sixth }") == [
        "first second { a b } third",
        "fourth fifth sixth",
    ]


def test_what_does_not_fit_into_a_line_is_nested() -> None:
    assert outline("{ id orders(first: 10) { number lines { quantity product { id name } } } last }") == [
        "id",
        "orders(first: 10)",
        "  number",
        "  lines",
        "    quantity",
        "    product { id name }",
        "last",
    ]


def test_aliases_arguments_directives_and_fragments_are_shown() -> None:
    assert outline('{ a: b(x: "é") @include(if: $p) ... on T @skip(if: $q) { c } }', width=60) == [
        'a: b(x: "é") @include(if: $p) ... on T @skip(if: $q) { c }'
    ]


def test_what_is_too_deep_for_the_width_is_left_out() -> None:
    document = "{ " + "deeper { " * 150 + "x" + " }" * 151
    assert outline(document, width=16) == ["deeper", "  deeper", "    deeper"]


def test_the_only_type_asked_about_is_not_repeated() -> None:
    book = EntityTarget(("Book",), "Book", (ID,))
    film = EntityTarget(("Film",), "Film", (ID,))
    assert outline(entities("... on Book { title }"), book) == ["title"]
    assert outline(entities("... on Book @include(if: $p) { title }"), book, width=60) == [
        "... on Book @include(if: $p) { title }"
    ]
    assert outline(entities("... on Book { title } ... on Film { title }"), book, film) == [
        "... on Book { title }",
        "... on Film { title }",
    ]


def test_lines_beyond_the_most_are_counted() -> None:
    assert abridge(["a", "b", "c"], 3) == ["a", "b", "c"]
    assert abridge(["a", "b", "c", "d"], 3) == ["a", "b", "… 2 more lines"]
    assert outline("{ first second third fourth fifth sixth }", width=7, max_lines=3) == [
        "first",
        "second",
        "… 4 more lines",
    ]


@pytest.mark.parametrize(
    ("text", "width", "short"),
    [
        ("orders", 6, "orders"),
        ("orders", 5, "orde…"),
        ("漢字漢字", 8, "漢字漢字"),
        ("漢字漢字", 7, "漢字漢…"),
        ("漢字", 2, "…"),
    ],
)
def test_a_wide_character_takes_two_columns(text: str, width: int, short: str) -> None:
    assert shorten(text, width) == short
    assert measure_width(short) <= width


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (40, ["users.@.reviews.@.product.@.author"]),
        (25, ["users.@.reviews.", "@.product.@.author"]),
        (16, ["….@.reviews.@.", "product.@.author"]),
        (12, ["….@.product.", "@.author"]),
        (5, ["….@.", "auth…"]),
    ],
)
def test_a_path_is_broken_after_dots_and_keeps_its_end(width: int, lines: list[str]) -> None:
    assert wrap_path("users.@.reviews.@.product.@.author", width, 2) == lines
    assert max(map(len, lines)) <= width


def test_a_target_tells_what_is_sent_under_which_name() -> None:
    nested = RepresentationField(
        "size", "_pasar_0", (ID, RepresentationFragment(("A", "B"), (RepresentationField("x", "x"),)))
    )
    assert describe_target(EntityTarget(("Book", "Film"), "Media", (ID, nested))) == (
        "Book|Film as Media { id size: _pasar_0 { id ... on A|B { x } } }"
    )
