import pytest

from router.composition.field_sets import (
    FieldSetSyntaxError,
    SelectedField,
    SelectedFragment,
    format_field_set,
    parse_field_set,
    top_level_fields,
)


def test_field_set_is_read_with_or_without_braces() -> None:
    expected = (SelectedField("id"), SelectedField("maker", (SelectedField("id"),)))
    assert parse_field_set("id maker { id }") == expected
    assert parse_field_set("{ id maker { id } }") == expected


def test_fragments_arguments_aliases_and_directives_are_kept() -> None:
    assert parse_field_set('a: price(currency: "EUR") @skip(if: false) ... on Book { pages }') == (
        SelectedField("price", (), 'currency: "EUR"', "a", ("skip",)),
        SelectedFragment("Book", (SelectedField("pages"),)),
    )


@pytest.mark.parametrize("text", ["", "  ", "{", "id {", "id {}", "...F", "id } fragment F on A { id"])
def test_what_is_no_selection_set_is_refused(text: str) -> None:
    with pytest.raises(FieldSetSyntaxError):
        parse_field_set(text)


@pytest.mark.parametrize(
    "text", ["id", "id sku", "maker { id }", "... on Book { pages }", "... { id }", 'a: price(currency: "EUR")']
)
def test_field_set_is_written_as_it_was_read(text: str) -> None:
    assert format_field_set(parse_field_set(text)) == text


def test_top_level_fields_look_into_fragments_only() -> None:
    names = [field.name for field in top_level_fields(parse_field_set("a { b } ... on T { c ... { d } }"))]
    assert names == ["a", "c", "d"]
