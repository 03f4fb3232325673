"""Products as CSV and JSON lines, and what is wrong with a line; no database."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.money import Money
from pasar.importing.product_file import (
    NumberedRow,
    ProductFileUnusable,
    RefusedProduct,
    format_of,
    read_rows,
    render_csv,
    write_json,
)
from pasar.importing.product_format import ProductFormat
from subgraphs.product.attributes import ProductAttribute
from subgraphs.product.importing import ProductRow
from subgraphs.product.model import ProductOption, ProductStatus
from subgraphs.product.picture_model import ProductImage

CSV, JSONL = ProductFormat.CSV, ProductFormat.JSONL


def read(text: str, format_: ProductFormat = CSV) -> list[NumberedRow | RefusedProduct]:
    return list(read_rows(text.splitlines(keepends=True), format_, "IDR"))


def refused(text: str, format_: ProductFormat = CSV) -> list[tuple[int, str, str]]:
    return [(each.line, each.code, each.reason) for each in read(text, format_) if isinstance(each, RefusedProduct)]


FULL = ProductRow(
    sku="SHIRT",
    name='A "good" shirt, cheap',
    slug="shirt",
    description="Two\nlines",
    price=Money(1250, "USD"),
    category="shirts",
    status=ProductStatus.ACTIVE,
    weight_grams=200,
    images=(ProductImage("https://example.org/1.png"), ProductImage("https://example.org/2.png")),
    attributes=(ProductAttribute("fabric", "wool"),),
    options=(ProductOption("colour", ("red", "blue")), ProductOption("size", ("s", "m"))),
)
VARIANT = ProductRow(
    sku="SHIRT-S",
    name="Shirt - s / red",
    slug="shirt-s",
    description="",
    price=Money(1250, "USD"),
    status=ProductStatus.ACTIVE,
    weight_grams=0,
    images=(),
    attributes=(),
    parent="SHIRT",
    choices=(ProductAttribute("colour", "red"), ProductAttribute("size", "s")),
)


def test_what_is_written_as_json_reads_as_the_same() -> None:
    lines = f"{write_json(FULL)}\n{write_json(VARIANT)}\n"
    assert read(lines, JSONL) == [NumberedRow(1, FULL), NumberedRow(2, VARIANT)]


def test_what_is_written_as_csv_reads_as_the_same_with_the_line_it_begins_on() -> None:
    first, second = read(render_csv([FULL, VARIANT]))
    assert first == NumberedRow(2, FULL)
    assert isinstance(second, NumberedRow)
    # The description of the first has two lines
    assert second.line == 4
    empty = {"description": None, "images": None, "attributes": None}
    assert second.row == ProductRow(**{**{name: getattr(VARIANT, name) for name in ProductRow.__slots__}, **empty})


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30))
def test_any_name_comes_through_both_formats(name: str) -> None:
    row = ProductRow(sku="A", name=name)
    for text, format_ in ((write_json(row) + "\n", JSONL), (render_csv([row]), CSV)):
        [each] = list(read_rows([text] if format_ is JSONL else text.splitlines(keepends=True), format_, "IDR"))
        assert isinstance(each, NumberedRow)
        assert each.row.name == name


def test_an_empty_cell_says_nothing_and_a_dash_is_no_category() -> None:
    [each] = read("sku,name,category,attribute:colour\nA,,-,\n")
    assert each == NumberedRow(2, ProductRow(sku="A", category=""))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (",Mug,1,1", "sku: every product needs one"),
        ("A,Mug,1.5,1", "price: 1.5 has more than the 0 decimals of IDR"),
        ("A,Mug,much,1", "price: 'much' is not an amount"),
        ("A,Mug,1,heavy", "weight_grams: 'heavy' is no whole number"),
    ],
)
def test_a_wrong_value_is_refused_with_its_line_and_field(line: str, reason: str) -> None:
    text = f"sku,name,price,weight_grams\nGOOD,Mug,1,1\n{line}\nGOOD-2,Mug,1,1\n"
    assert refused(text) == [(3, "BAD_USER_INPUT", reason)]
    assert len(read(text)) == 3


def test_a_line_that_is_none_is_refused_and_the_rest_is_read() -> None:
    text = 'sku,name\nA\nB,"x"y\nC,\udcff\nD,Mug\n'
    assert [(line, code) for line, code, _ in refused(text)] == [
        (2, "UNREADABLE_ROW"),
        (3, "UNREADABLE_ROW"),
        (4, "UNREADABLE_ROW"),
    ]
    lines = (
        '{"sku": "A"\n[]\n\n"A"\n{"sku": 1}\n{"sku": "A", "colour": "red"}\n{"sku": "A", "price": 1.5}\n{"sku": "D"}\n'
    )
    assert [(line, code) for line, code, _ in refused(lines, JSONL)] == [
        (1, "UNREADABLE_ROW"),
        (2, "UNREADABLE_ROW"),
        (4, "UNREADABLE_ROW"),
        (5, "BAD_USER_INPUT"),
        (6, "BAD_USER_INPUT"),
        (7, "BAD_USER_INPUT"),
    ]


@pytest.mark.parametrize(
    "record",
    [
        {"images": "https://example.org/1.png"},
        {"images": [1]},
        {"attributes": {"size": 1}},
        {"attributes": []},
        {"options": {"size": "s"}},
        {"options": {"size": [1]}},
        {"status": "GONE"},
        {"weight_grams": "1"},
        {"weight_grams": True},
        {"name": 1},
    ],
)
def test_json_of_another_shape_is_refused(record: dict[str, object]) -> None:
    [(line, code, _)] = refused(json.dumps({"sku": "A", **record}), JSONL)
    assert (line, code) == (1, "BAD_USER_INPUT")


@pytest.mark.parametrize("text", ["", "name\nMug\n", "sku,sku\n", "sku,colour\n"])
def test_a_header_that_cannot_be_used_is_refused_as_a_whole(text: str) -> None:
    with pytest.raises(ProductFileUnusable):
        read(text)


def test_the_format_goes_by_the_name_unless_it_is_said() -> None:
    assert format_of("a.CSV", ProductFormat.AUTO) is CSV
    assert format_of("a.jsonl", ProductFormat.AUTO) is JSONL
    assert format_of("a.txt", JSONL) is JSONL
    with pytest.raises(ProductFileUnusable):
        format_of("a.txt", ProductFormat.AUTO)
