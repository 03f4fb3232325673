"""What categories say of attributes, and values that fit; no database."""

import pytest

from core.errors import BadUserInput
from subgraphs.product.attributes import (
    AttributeDefinition,
    AttributeType,
    ProductAttribute,
    check_definitions,
    find_missing,
    fit_attributes,
    inherit,
)

WIDTH = AttributeDefinition("width", "Width", AttributeType.NUMBER, unit="cm", required=True)
COLOUR = AttributeDefinition("colour", "Colour", AttributeType.OPTION, options=("red", "blue"))
NEW = AttributeDefinition("is_new", "New", AttributeType.BOOLEAN)
NOTE = AttributeDefinition("note", "Note", AttributeType.TEXT, filterable=False)
ALL = (COLOUR, NEW, NOTE, WIDTH)


@pytest.mark.parametrize(
    ("name", "given", "kept"),
    [
        ("width", "1.50", "1.5"),
        ("width", "100", "100"),
        ("width", "-0.0", "0"),
        ("width", " 7 ", "7"),
        ("colour", "red", "red"),
        ("is_new", "TRUE", "true"),
        ("note", " as it is ", "as it is"),
    ],
)
def test_values_are_kept_in_one_form(name: str, given: str, kept: str) -> None:
    [fitting] = fit_attributes([ProductAttribute(name, given)], ALL)
    assert (fitting.value, fitting.filterable) == (kept, name != "note")


@pytest.mark.parametrize(
    ("name", "value", "field"),
    [
        ("width", "wide", "attributes.0.value"),
        ("width", "1e5", "attributes.0.value"),
        ("width", "1,5", "attributes.0.value"),
        ("colour", "green", "attributes.0.value"),
        ("colour", "Red", "attributes.0.value"),
        ("is_new", "yes", "attributes.0.value"),
        ("height", "1", "attributes.0.name"),
    ],
)
def test_values_that_do_not_fit_are_refused_by_field(name: str, value: str, field: str) -> None:
    with pytest.raises(BadUserInput) as refused:
        fit_attributes([ProductAttribute(name, value)], ALL)
    assert refused.value.field == field


def test_where_nothing_is_defined_anything_is_fine() -> None:
    assert fit_attributes([ProductAttribute("anything", " at all ")], ()) == (ProductAttribute("anything", " at all "),)


def test_required_ones_that_are_not_there_are_named() -> None:
    assert find_missing([ProductAttribute("colour", "red")], ALL) == ("width",)
    assert find_missing([ProductAttribute("width", "1")], ALL) == ()


def test_the_nearest_category_has_the_last_word() -> None:
    nearer = AttributeDefinition("colour", "Colour", AttributeType.TEXT)
    assert inherit([(COLOUR, WIDTH), (), (nearer,)]) == (nearer, WIDTH)


@pytest.mark.parametrize(
    ("definitions", "field"),
    [
        ([AttributeDefinition("Width", "Width", AttributeType.NUMBER)], "attributes.0.name"),
        ([WIDTH, AttributeDefinition("x", " ", AttributeType.TEXT)], "attributes.1.label"),
        ([AttributeDefinition("x", "X", AttributeType.OPTION)], "attributes.0.options"),
        ([AttributeDefinition("x", "X", AttributeType.TEXT, options=("a",))], "attributes.0.options"),
        ([AttributeDefinition("x", "X", AttributeType.OPTION, options=("a", "a"))], "attributes.0.options"),
        ([AttributeDefinition("x", "X", AttributeType.OPTION, options=("a\n",))], "attributes.0.options.0"),
        ([AttributeDefinition("x", "X", AttributeType.NUMBER, unit="x" * 21)], "attributes.0.unit"),
        ([WIDTH, WIDTH], "attributes"),
        ([AttributeDefinition(f"x{n}", "X", AttributeType.TEXT) for n in range(51)], "attributes"),
    ],
)
def test_definitions_that_cannot_be_are_refused_by_field(definitions: list[AttributeDefinition], field: str) -> None:
    with pytest.raises(BadUserInput) as refused:
        check_definitions(definitions)
    assert refused.value.field == field
