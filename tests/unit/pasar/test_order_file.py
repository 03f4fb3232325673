"""Reading a purchase history: each broken line costs itself only."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.money import Money
from pasar.importing.order_file import (
    Columns,
    Delimiter,
    FileFormat,
    OrderFileUnusable,
    Purchase,
    RefusedRow,
    read_purchases,
)

NOW = datetime(2026, 11, 24, tzinfo=UTC)
FORMAT = FileFormat(Columns(), "USD", ZoneInfo("UTC"))


def read(text: str, format_: FileFormat = FORMAT) -> list[Purchase | RefusedRow]:
    return list(read_purchases(text.splitlines(keepends=True), format_, now=NOW))


def reasons(text: str, format_: FileFormat = FORMAT) -> list[tuple[int, str]]:
    return [(row.line, row.reason) for row in read(text, format_) if isinstance(row, RefusedRow)]


def test_a_csv_file_becomes_purchases_with_their_line_numbers() -> None:
    assert read("customer,date,quantity,amount\nc1,1997-01-01,2,11.77\n\nc2,19970102,1,5\n") == [
        Purchase(2, "c1", datetime(1997, 1, 1, tzinfo=UTC), 2, Money(1177, "USD")),
        Purchase(4, "c2", datetime(1997, 1, 2, tzinfo=UTC), 1, Money(500, "USD")),
    ]


def test_columns_separated_by_blanks_are_recognised() -> None:
    columns = Columns("customer_id", "date", "number_of_cds", "dollar_value")
    text = " customer_id  date number_of_cds  dollar_value\r\n 00001 19970101  1   11.77\r\n"
    assert read(text, replace(FORMAT, columns=columns)) == [
        Purchase(2, "00001", datetime(1997, 1, 1, tzinfo=UTC), 1, Money(1177, "USD"))
    ]


def test_columns_may_be_numbers_and_the_header_may_be_absent() -> None:
    format_ = replace(FORMAT, columns=Columns("2", "1", "4", "3", product="5"), has_header=False)
    assert read("1997-01-01;c1;11.77;2;Abbey Road\n", format_) == [
        Purchase(1, "c1", datetime(1997, 1, 1, tzinfo=UTC), 2, Money(1177, "USD"), "Abbey Road")
    ]


def test_a_day_begins_in_the_timezone_that_is_given() -> None:
    format_ = replace(FORMAT, timezone=ZoneInfo("Asia/Jakarta"))
    rows = read("customer,date,quantity,amount\nc,2026-01-01,1,1\nc,2026-01-01T00:00:00Z,1,1\n", format_)
    assert [row.placed_at.isoformat() for row in rows if isinstance(row, Purchase)] == [
        "2025-12-31T17:00:00+00:00",
        "2026-01-01T00:00:00+00:00",
    ]


def test_a_date_format_of_ones_own_is_used() -> None:
    format_ = replace(FORMAT, date_format="%d.%m.%Y")
    assert reasons("customer,date,quantity,amount\nc,31.12.2020,1,1\nc,2020-12-31,1,1\n", format_) == [
        (3, "date '2020-12-31' is not of the form %d.%m.%Y")
    ]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("c,2026-01-01,0,1", "quantity 0 is not between 1 and 1000000"),
        ("c,2026-01-01,-3,1", "quantity -3 is not between 1 and 1000000"),
        ("c,2026-01-01,1.5,1", "quantity '1.5' is not a whole number"),
        ("c,2026-01-01,,1", "quantity '' is not a whole number"),
        ("c,2026-01-01,1,1.234", "1.234 has more than the 2 decimals of USD"),
        ("c,2026-01-01,1,-2", "amount -2 is negative"),
        ("c,2026-01-01,1,abc", "'abc' is not an amount"),
        ("c,2026-01-01,1,NaN", "'NaN' is not an amount"),
        ("c,2026-01-01,1,1e99", "'1e99' is not an amount"),
        ("c,2026-02-30,1,1", "date '2026-02-30' is not of the form YYYY-MM-DD, YYYYMMDD or with a time"),
        ("c,2026-W01-1,1,1", "date '2026-W01-1' is not of the form YYYY-MM-DD, YYYYMMDD or with a time"),
        ("c,2026-11-25,1,1", "date '2026-11-25' is in the future"),
        ("c,1969-12-31,1,1", "date '1969-12-31' is before 1970"),
        ("c,0001-01-01,1,1", "date '0001-01-01' is before 1970"),
        ("c,9999-12-31,1,1", "date '9999-12-31' is in the future"),
        (",2026-01-01,1,1", "customer is empty"),
        ("c,2026-01-01,1", "has 3 columns instead of 4"),
        ("c,2026-01-01,1,1,1", "has 5 columns instead of 4"),
        ("c\x07,2026-01-01,1,1", "customer is not a line of at most 200 characters"),
        ("c\udce9,2026-01-01,1,1", "customer is not UTF-8 text"),
    ],
)
def test_a_broken_line_is_refused_with_its_reason_and_its_neighbours_are_read(row: str, reason: str) -> None:
    rows = read(f"customer,date,quantity,amount\na,2026-01-01,1,1\n{row}\nb,2026-01-01,1,1\n")
    assert [row.customer if isinstance(row, Purchase) else (row.line, row.reason) for row in rows] == [
        "a",
        (3, reason),
        "b",
    ]


def test_a_cell_that_never_ends_is_refused() -> None:
    text = f'customer,date,quantity,amount\n"{"x" * 200_000}",2026-01-01,1,1\nb,2026-01-01,1,1\n'
    first, second = read(text)
    assert first == RefusedRow(2, "cannot be split into columns: field larger than field limit (131072)")
    assert isinstance(second, Purchase)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("\n \n", "the file is empty"),
        ("id,date,quantity,amount\n", r"there is no column 'customer' \(--customer\); the file has: id, date,"),
    ],
)
def test_a_file_that_cannot_be_read_at_all_is_refused(text: str, message: str) -> None:
    with pytest.raises(OrderFileUnusable, match=message):
        read(text)


@given(st.text(max_size=300), st.sampled_from(list(Delimiter)))
def test_whatever_a_line_holds_it_is_a_purchase_or_refused(text: str, delimiter: Delimiter) -> None:
    format_ = replace(FORMAT, columns=Columns("1", "1", "1", "1"), has_header=False, delimiter=delimiter)

    def rows() -> Iterator[Purchase | RefusedRow]:
        try:
            yield from read_purchases([text], format_, now=NOW)
        except OrderFileUnusable:
            return

    # One column cannot be a customer, a date and an amount at once, except by a number that is a year
    assert all(isinstance(row, RefusedRow) or row.quantity >= 1 for row in rows())
