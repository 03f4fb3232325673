"""What holds for every order, whatever is in it, whatever is taken off, wherever it goes."""

import random
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from core.money import CURRENCY_EXPONENTS, Money
from subgraphs.order.carts import Cart, add_to_cart
from subgraphs.order.discounts import Discount, DiscountKind
from subgraphs.order.model import OrderLine
from subgraphs.order.payment_lines import payment_lines
from subgraphs.order.pricing import Destination, Quote, price
from subgraphs.order.quote_rows import read_quote, write_quote
from subgraphs.order.rounding import WHOLE
from subgraphs.order.shipping_methods import STANDARD, ShippingMethod, ShippingZone, WeightBand
from subgraphs.order.taxes import TaxZone
from tests.unit.subgraphs.order.pricing_fixtures import NOW

CATEGORIES = ("cat_a", "cat_b", "cat_c")
PRODUCTS = tuple(f"prd_{number}" for number in range(8))
HERE = Destination("ID")


@st.composite
def carts(draw: st.DrawFn, currency: str) -> tuple[OrderLine, ...]:
    products = draw(st.lists(st.sampled_from(PRODUCTS), min_size=1, max_size=8, unique=True))
    return tuple(
        OrderLine(
            id=f"ord_1-{product}",
            product_id=product,
            name=product,
            sku=product,
            quantity=draw(st.integers(1, 999)),
            unit_price=Money(draw(st.integers(0, 10**8) | st.integers(0, 9)), currency),
            weight_grams=draw(st.integers(0, 50_000)),
            category_path=tuple(draw(st.lists(st.sampled_from(CATEGORIES), max_size=3, unique=True))),
        )
        for product in products
    )


@st.composite
def discounts(draw: st.DrawFn, currency: str) -> tuple[Discount, ...]:
    kinds = draw(st.lists(st.sampled_from(DiscountKind), max_size=5))
    return tuple(
        Discount(
            id=f"dsc_{number}",
            code=f"CODE{number}",
            name="x",
            kind=kind,
            rate=draw(st.integers(1, WHOLE)) if kind is DiscountKind.PERCENTAGE else None,
            amount=draw(st.integers(1, 10**9)) if kind is DiscountKind.FIXED_AMOUNT else None,
            currency=currency,
            product_ids=tuple(draw(st.lists(st.sampled_from(PRODUCTS), max_size=2))),
            category_ids=tuple(draw(st.lists(st.sampled_from(CATEGORIES), max_size=2))),
            is_stackable=True,
            valid_from=NOW,
            created_at=NOW,
        )
        for number, kind in enumerate(kinds)
    )


@st.composite
def zones(draw: st.DrawFn) -> TaxZone | None:
    if draw(st.booleans()):
        return None
    return TaxZone(
        "ID",
        "PPN",
        draw(st.integers(0, WHOLE)),
        is_inclusive=draw(st.booleans()),
        taxes_shipping=draw(st.booleans()),
        category_rates=tuple(
            (each, draw(st.integers(0, WHOLE))) for each in draw(st.sets(st.sampled_from(CATEGORIES)))
        ),
    )


@st.composite
def methods(draw: st.DrawFn, currency: str) -> tuple[ShippingMethod, ...]:
    express = ShippingZone(
        (),
        currency,
        (WeightBand(1000, draw(st.integers(0, 10**5))),),
        per_kg_beyond=draw(st.integers(0, 10**4)),
        free_from=draw(st.none() | st.integers(0, 10**9)),
    )
    return (STANDARD, ShippingMethod("shm_express", "Express", (express,)))


@st.composite
def questions(
    draw: st.DrawFn,
) -> tuple[tuple[OrderLine, ...], tuple[Discount, ...], TaxZone | None, tuple[ShippingMethod, ...]]:
    currency = draw(st.sampled_from(sorted(CURRENCY_EXPONENTS)))
    return draw(carts(currency)), draw(discounts(currency)), draw(zones()), draw(methods(currency))


Question = tuple[tuple[OrderLine, ...], tuple[Discount, ...], TaxZone | None, tuple[ShippingMethod, ...]]


def quote_of(question: Question) -> Quote:
    lines, codes, zone, ways = question
    return price(lines, HERE, methods=ways, discounts=codes, tax_zone=zone)


@given(questions())
def test_the_total_is_the_sum_of_its_parts(question: Question) -> None:
    quote = quote_of(question)
    on_top = 0 if quote.tax is None or quote.tax.is_inclusive else 1
    line_totals = sum(each.total.amount for each in quote.lines)
    line_taxes = sum(each.tax.amount for each in quote.lines)
    shipping = quote.shipping.amount - quote.shipping_discount.amount
    shipping_tax = quote.tax.on_shipping.amount if quote.tax else 0
    assert quote.total.amount == line_totals + shipping + on_top * (line_taxes + shipping_tax)
    assert quote.subtotal.amount == sum(each.unit_price.amount * each.quantity for each in question[0])
    off_lines = sum(each.discount.amount for each in quote.lines)
    assert quote.discount_total.amount == off_lines + quote.shipping_discount.amount
    assert quote.tax_total.amount == line_taxes + shipping_tax
    if quote.tax is not None:
        assert sum(part.amount.amount for part in quote.tax.parts) == quote.tax_total.amount
    assert {money.currency for each in quote.lines for money in (each.total, each.tax)} == {quote.total.currency}


@given(questions())
def test_nothing_is_negative_and_no_discount_takes_off_more_than_there_is(question: Question) -> None:
    quote = quote_of(question)
    for each in quote.lines:
        assert 0 <= each.discount.amount <= each.line.total.amount
        assert each.tax.amount >= 0
    assert all(each.amount.amount >= 0 for each in quote.discounts)
    assert 0 <= quote.shipping_discount.amount <= quote.shipping.amount
    assert quote.total.amount >= 0


@given(questions(), st.randoms(use_true_random=False))
def test_neither_the_order_of_lines_nor_that_of_codes_makes_a_difference(
    question: Question, shuffler: random.Random
) -> None:
    lines, codes, zone, ways = question
    shuffled_lines, shuffled_codes = list(lines), list(codes)
    shuffler.shuffle(shuffled_lines)
    shuffler.shuffle(shuffled_codes)
    expected = quote_of(question)
    quote = price(shuffled_lines, HERE, methods=ways[::-1], discounts=shuffled_codes, tax_zone=zone)
    assert [each.line for each in quote.lines] == shuffled_lines
    assert sorted(quote.lines, key=lambda each: each.line.id) == sorted(expected.lines, key=lambda each: each.line.id)
    assert replace(quote, lines=()) == replace(expected, lines=())


@given(st.lists(st.tuples(st.sampled_from(PRODUCTS), st.integers(1, 9)), min_size=1), st.randoms(use_true_random=False))
def test_the_order_in_which_a_cart_was_filled_makes_no_difference(
    additions: list[tuple[str, int]], shuffler: random.Random
) -> None:
    shuffled = list(additions)
    shuffler.shuffle(shuffled)
    tenth = Discount(
        id="dsc_1",
        code="TENTH",
        name="x",
        kind=DiscountKind.PERCENTAGE,
        rate=WHOLE // 10,
        product_ids=PRODUCTS[:5],
        valid_from=NOW,
        created_at=NOW,
    )
    quotes = []
    for each in (additions, shuffled):
        cart = Cart("crt_1", "usr_1")
        for product, quantity in each:
            cart = add_to_cart(cart, product, quantity)
        lines = [
            OrderLine(line.product_id, line.product_id, "x", "x", line.quantity, Money(33, "IDR"), 250)
            for line in cart.lines
        ]
        quotes.append(price(lines, HERE, methods=[STANDARD], discounts=[tenth]))
    first, second = ({each.line.product_id: each for each in quote.lines} for quote in quotes)
    assert first == second
    assert quotes[0].total == quotes[1].total


@given(questions())
def test_prices_with_the_tax_in_them_and_prices_that_it_comes_on_top_of_agree(question: Question) -> None:
    lines, codes, zone, ways = question
    zone = TaxZone("ID", "PPN", 0, is_inclusive=False) if zone is None else replace(zone, is_inclusive=False)
    exclusive = quote_of((lines, codes, zone, ways))
    assert exclusive.tax is not None
    for part in exclusive.tax.parts:
        # Whoever is asked for the gross amount of a part, with the tax in it, finds the same tax
        gross = OrderLine("l", "prd_1", "x", "x", 1, part.taxable + part.amount)
        free = ShippingMethod("shm_free", "Free", (ShippingZone((), gross.unit_price.currency, (WeightBand(1, 0),)),))
        inclusive = price([gross], HERE, methods=[free], tax_zone=TaxZone("ID", "PPN", part.rate, is_inclusive=True))
        assert inclusive.tax_total == part.amount
        assert inclusive.total == gross.unit_price


@given(questions())
def test_a_gateway_is_sent_positive_lines_that_add_up_to_the_total(question: Question) -> None:
    quote = quote_of(question)
    sent = payment_lines(quote)
    assert all(each.quantity > 0 and each.unit_amount > 0 for each in sent)
    assert sum(each.quantity * each.unit_amount for each in sent) == quote.total.amount


@given(questions())
def test_a_quote_that_was_stored_is_read_as_it_was(question: Question) -> None:
    quote = quote_of(question)
    read = read_quote(write_quote(quote))
    # Weights have done their work
    assert read == replace(
        quote, lines=tuple(replace(each, line=replace(each.line, weight_grams=0)) for each in quote.lines)
    )
