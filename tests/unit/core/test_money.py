from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadUserInput
from core.money import CURRENCY_EXPONENTS, MAX_AMOUNT, Money, parse_money

currencies = st.sampled_from(sorted(CURRENCY_EXPONENTS))
amounts = st.integers(-MAX_AMOUNT, MAX_AMOUNT)


@given(amounts, currencies)
def test_what_is_shown_reads_back_as_the_same_amount(amount: int, currency: str) -> None:
    money = Money(amount, currency)
    assert parse_money(f"{money.decimal:f}", currency) == money
    assert parse_money(money.decimal, currency) == money


@given(st.decimals(allow_nan=False, allow_infinity=False), currencies)
def test_a_decimal_is_read_exactly_or_refused(value: Decimal, currency: str) -> None:
    numerator, denominator = value.as_integer_ratio()
    scaled, rest = divmod(numerator * 10 ** CURRENCY_EXPONENTS[currency], denominator)
    try:
        money = parse_money(value, currency)
    except BadUserInput:
        assert (
            rest != 0 or abs(scaled) > MAX_AMOUNT or abs(value.adjusted()) >= 40 or not -40 <= exponent_of(value) < 40
        )
    else:
        assert (money.amount, rest) == (scaled, 0)


def exponent_of(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)
    return exponent


@given(st.text(max_size=60), currencies)
def test_no_text_makes_it_fail_in_another_way(text: str, currency: str) -> None:
    with suppress(BadUserInput):
        parse_money(text, currency)


@pytest.mark.parametrize(
    ("text", "currency", "amount"),
    [
        ("12.50", "USD", 1250),
        ("12.5", "USD", 1250),
        ("12.500000", "USD", 1250),
        ("-0.01", "USD", -1),
        ("-0", "USD", 0),
        ("+7", "USD", 700),
        (" 7 ", "USD", 700),
        ("15000", "IDR", 15000),
        ("15000.00", "IDR", 15000),
        ("90071992547409.91", "USD", MAX_AMOUNT),
        (Decimal("1E+2"), "IDR", 100),
    ],
)
def test_amounts(text: str | Decimal, currency: str, amount: int) -> None:
    assert parse_money(text, currency) == Money(amount, currency)


@pytest.mark.parametrize(
    ("text", "currency", "message"),
    [
        ("12.505", "USD", "12.505 has more than the 2 decimals of USD"),
        ("0.5", "IDR", "0.5 has more than the 0 decimals of IDR"),
        # Decimal's arithmetic would round this to 1.00
        ("1.00000000000000000000000000000000000001", "USD", "decimals of USD"),
        ("90071992547409.92", "USD", "amount 90071992547409.92 is too large"),
        ("1", "XXX", "currency 'XXX' is not supported"),
        ("", "USD", "'' is not an amount"),
        ("1_000", "USD", "'1_000' is not an amount"),
        ("1e3", "USD", "'1e3' is not an amount"),
        ("1,000", "USD", "'1,000' is not an amount"),
        ("٣", "USD", "is not an amount"),
        (".5", "USD", "'.5' is not an amount"),
        ("NaN", "USD", "'NaN' is not an amount"),
        ("Infinity", "USD", "'Infinity' is not an amount"),
        (Decimal("NaN"), "USD", "is not an amount"),
        (Decimal("1E+999999"), "USD", "is not an amount"),
        (Decimal("1E-999999"), "USD", "is not an amount"),
    ],
)
def test_what_is_not_an_amount_is_refused(text: str | Decimal, currency: str, message: str) -> None:
    with pytest.raises(BadUserInput) as caught:
        parse_money(text, currency, field="filter.priceMin")
    assert message in caught.value.message
    assert caught.value.field == "filter.priceMin"


@given(st.integers(-(10**12), 10**12), st.integers(-(10**12), 10**12), st.integers(0, 1000))
def test_sums_and_products_are_those_of_the_minor_units(first: int, second: int, quantity: int) -> None:
    one, other = Money(first, "USD"), Money(second, "USD")
    assert (one + other).amount == first + second
    assert (one - other).amount == first - second
    assert (one * quantity).amount == first * quantity


def test_two_currencies_do_not_mix() -> None:
    with pytest.raises(ValueError, match="cannot combine USD and IDR"):
        Money(1, "USD") + Money(1, "IDR")
    with pytest.raises(ValueError, match="cannot combine IDR and USD"):
        Money(1, "IDR") - Money(1, "USD")


def test_an_amount_beyond_what_json_holds_is_refused() -> None:
    with pytest.raises(BadUserInput):
        Money(MAX_AMOUNT, "IDR") + Money(1, "IDR")
    with pytest.raises(BadUserInput):
        Money(MAX_AMOUNT, "IDR") * 2
    with pytest.raises(BadUserInput):
        Money(1, "usd")


def test_it_is_shown_with_its_currencys_decimals() -> None:
    assert str(Money(123456789, "USD")) == "USD 1,234,567.89"
    assert str(Money(150000, "IDR")) == "IDR 150,000"
    assert str(Money(-5, "USD")) == "USD -0.05"
