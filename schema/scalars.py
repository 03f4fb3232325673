"""Custom scalars."""

import re
from datetime import UTC, date, datetime
from typing import Any, NewType

import strawberry
from strawberry.types.scalar import ScalarDefinition

from core.errors import BadUserInput
from core.money import MAX_AMOUNT

BigInt = NewType("BigInt", int)
"""An integer beyond GraphQL's 32 bits."""

DateTime = NewType("DateTime", datetime)
"""An aware moment; naive input is refused."""

Date = NewType("Date", date)
"""A day of a calendar, `2026-11-24`."""

YearMonth = NewType("YearMonth", str)
"""A calendar month, `2026-11`."""

CurrencyCode = NewType("CurrencyCode", str)
"""An ISO 4217 code, `IDR`."""

DecimalText = NewType("DecimalText", str)
"""A decimal number as text, `12.50`, so that no reader rounds it."""


def _parse_big_int(value: Any) -> int:
    # bool is an int in Python, and a float or a text is not an integer in GraphQL
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > MAX_AMOUNT:
        raise BadUserInput(f"{value!r} is not an integer between -(2^53-1) and 2^53-1")
    return value


def _parse_date_time(value: Any) -> datetime:
    if not isinstance(value, str):
        raise BadUserInput("a DateTime is a text such as 2026-03-01T10:00:00Z")
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise BadUserInput(f"{value!r} is not a date and time such as 2026-03-01T10:00:00Z") from None
    if moment.tzinfo is None:
        raise BadUserInput(f"{value!r} lacks its offset from UTC: add Z or +07:00")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        # Year 1 or 9999, on the wrong side of its offset
        raise BadUserInput(f"{value!r} is out of range") from None


def _serialize_date_time(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _parse_date(value: Any) -> date:
    # fromisoformat alone takes 20261124 and 2026-W48-2, too
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise BadUserInput(f"{value!r} is not a date such as 2026-11-24")


def _parse_year_month(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", value) or value < "0001":
        raise BadUserInput(f"{value!r} is not a month such as 2026-11")
    return value


def _parse_currency_code(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Z]{3}", value):
        raise BadUserInput(f"{value!r} is not a currency code such as IDR")
    return value


def _parse_decimal(value: Any) -> str:
    # A number literal is taken by its JSON text; a float has lost its decimals already, yet 12.5 is what people type
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise BadUserInput(f'{value!r} is not a decimal number such as "12.50"')
    text = repr(value) if isinstance(value, float) else str(value)
    if not re.fullmatch(r"-?[0-9]{1,16}(\.[0-9]{1,16})?", text):
        raise BadUserInput(f'{text!r} is not a decimal number such as "12.50"')
    return text


SCALARS: dict[object, ScalarDefinition] = {
    BigInt: strawberry.scalar(
        name="BigInt",
        description="An integer between -(2^53-1) and 2^53-1, as a JSON number.",
        serialize=int,
        parse_value=_parse_big_int,
    ),
    DateTime: strawberry.scalar(
        name="DateTime",
        description="A moment in UTC, such as 2026-03-01T10:00:00.000Z (RFC 3339).",
        specified_by_url="https://scalars.graphql.org/andimarek/date-time.html",
        serialize=_serialize_date_time,
        parse_value=_parse_date_time,
    ),
    Date: strawberry.scalar(
        name="Date",
        description="A day of a calendar, such as 2026-11-24.",
        specified_by_url="https://scalars.graphql.org/andimarek/local-date.html",
        serialize=date.isoformat,
        parse_value=_parse_date,
    ),
    YearMonth: strawberry.scalar(
        name="YearMonth",
        description="A calendar month, such as 2026-11.",
        serialize=str,
        parse_value=_parse_year_month,
    ),
    CurrencyCode: strawberry.scalar(
        name="CurrencyCode",
        description="An ISO 4217 currency code, such as IDR.",
        specified_by_url="https://www.iso.org/iso-4217-currency-codes.html",
        serialize=str,
        parse_value=_parse_currency_code,
    ),
    DecimalText: strawberry.scalar(
        name="Decimal",
        description='A decimal number as text, such as "12.50".',
        serialize=str,
        parse_value=_parse_decimal,
    ),
}
"""For `StrawberryConfig(scalar_map=SCALARS)` of every subgraph."""
