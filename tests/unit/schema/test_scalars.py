"""Custom scalars through a schema: what is taken, what is given, what is refused."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
import strawberry
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadUserInput
from core.money import MAX_AMOUNT
from schema.build import build_schema
from schema.scalars import BigInt, CurrencyCode, DateTime, DecimalText, YearMonth


@strawberry.type
class Query:
    @strawberry.field
    def big_int(self, value: BigInt) -> BigInt:
        assert type(value) is int
        return value

    @strawberry.field
    def date_time(self, value: DateTime) -> DateTime:
        assert isinstance(value, datetime)
        assert value.tzinfo is UTC
        return value

    @strawberry.field
    def year_month(self, value: YearMonth) -> YearMonth:
        return value

    @strawberry.field
    def currency(self, value: CurrencyCode) -> CurrencyCode:
        return value

    @strawberry.field
    def decimal(self, value: DecimalText) -> DecimalText:
        return value


SCHEMA = build_schema(Query)
TYPES = {
    "bigInt": "BigInt",
    "dateTime": "DateTime",
    "yearMonth": "YearMonth",
    "currency": "CurrencyCode",
    "decimal": "Decimal",
}


def echo(field: str, value: Any) -> Any:
    document = f"query($value: {TYPES[field]}!) {{ {field}(value: $value) }}"
    result = SCHEMA.execute_sync(document, variable_values={"value": value})
    if result.errors:
        cause: BaseException | None = result.errors[0]
        while cause is not None and not isinstance(cause, BadUserInput):
            cause = getattr(cause, "original_error", None)
        assert isinstance(cause, BadUserInput), result.errors
        raise cause
    assert result.data is not None
    return result.data[field]


@pytest.mark.parametrize(
    ("field", "given_", "shown"),
    [
        ("bigInt", MAX_AMOUNT, MAX_AMOUNT),
        ("bigInt", -MAX_AMOUNT, -MAX_AMOUNT),
        ("bigInt", 0, 0),
        ("dateTime", "2026-03-01T10:00:00Z", "2026-03-01T10:00:00.000Z"),
        ("dateTime", "2026-03-01T10:00:00.123456+07:00", "2026-03-01T03:00:00.123Z"),
        ("yearMonth", "2026-11", "2026-11"),
        ("yearMonth", "0001-01", "0001-01"),
        ("currency", "IDR", "IDR"),
        ("decimal", "12.50", "12.50"),
        ("decimal", "-0.1", "-0.1"),
        ("decimal", 12.5, "12.5"),
        ("decimal", 7, "7"),
    ],
)
def test_values_that_are_taken(field: str, given_: Any, shown: Any) -> None:
    assert echo(field, given_) == shown


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("bigInt", MAX_AMOUNT + 1),
        ("bigInt", 1.0),
        ("bigInt", True),
        ("bigInt", "1"),
        ("dateTime", "2026-03-01T10:00:00"),
        ("dateTime", "yesterday"),
        ("dateTime", 1767225600),
        ("dateTime", "0001-01-01T00:00:00+07:00"),
        ("dateTime", "9999-12-31T23:59:59-07:00"),
        ("yearMonth", "2026-13"),
        ("yearMonth", "2026-1"),
        ("yearMonth", "0000-01"),
        ("yearMonth", "٢٠٢٦-11"),
        ("yearMonth", 202611),
        ("currency", "idr"),
        ("currency", "RUPIAH"),
        ("decimal", "1e5"),
        ("decimal", "12,50"),
        ("decimal", "."),
        ("decimal", True),
        ("decimal", 1e300),
        ("decimal", "NaN"),
        ("decimal", "12.50\n"),
    ],
)
def test_values_that_are_refused(field: str, value: Any) -> None:
    with pytest.raises(BadUserInput):
        echo(field, value)


@given(st.sampled_from(sorted(TYPES)), st.one_of(st.text(max_size=40), st.integers(), st.floats(), st.booleans()))
def test_no_value_makes_a_scalar_fail_in_another_way(field: str, value: Any) -> None:
    with suppress(BadUserInput):
        echo(field, value)


def test_literals_are_read_like_variables() -> None:
    result = SCHEMA.execute_sync(
        '{ bigInt(value: 9007199254740991) decimal(value: "1.10") yearMonth(value: "2026-02") }'
    )
    assert result.errors is None
    assert result.data == {"bigInt": MAX_AMOUNT, "decimal": "1.10", "yearMonth": "2026-02"}
