"""What an order costs, by example; tests/properties/order has what holds for all of them."""

import pytest

from core.errors import BadUserInput
from core.money import MAX_AMOUNT, Money
from subgraphs.order.payment_lines import PaymentLine, payment_lines
from subgraphs.order.pricing import Destination, MethodUnavailable, Quote, price
from subgraphs.order.shipping_methods import STANDARD, ShippingMethod, ShippingZone, WeightBand
from subgraphs.order.taxes import TaxZone
from tests.unit.subgraphs.order.pricing_fixtures import (
    FLAT,
    FREE,
    JAKARTA,
    amount_off,
    free_shipping,
    line,
    percentage,
)


def idr(amount: int) -> Money:
    return Money(amount, "IDR")


def sums(quote: Quote) -> tuple[int, int, int, int, int]:
    """Return subtotal, discounts, shipping, tax and total."""
    return (
        quote.subtotal.amount,
        quote.discount_total.amount,
        quote.shipping.amount,
        quote.tax_total.amount,
        quote.total.amount,
    )


def test_without_discounts_and_taxes_it_is_lines_and_shipping() -> None:
    quote = price(
        [line("tea", 10_000, 2, weight_grams=400), line("cup", 5000, weight_grams=400)], JAKARTA, methods=[STANDARD]
    )
    # 1.2 kg are two started kilograms
    assert sums(quote) == (25_000, 0, 24_000, 0, 49_000)
    assert (quote.method_id, quote.method_name, quote.quantity) == ("shm_standard", "Standard", 3)
    assert quote.tax is None


def test_percentages_come_first_and_amounts_are_taken_off_what_is_left() -> None:
    codes = [amount_off("MINUS", 5000), percentage("TEN", 10), percentage("HALF", 50)]
    quote = price([line("tea", 10_000, 2)], JAKARTA, methods=[FREE], discounts=codes)
    # 20,000, half of it by HALF, a tenth of the rest by TEN, then 5,000
    assert [(each.code, each.amount.amount) for each in quote.discounts] == [
        ("HALF", 10_000),
        ("TEN", 1000),
        ("MINUS", 5000),
    ]
    assert sums(quote) == (20_000, 16_000, 0, 0, 4000)


def test_a_discount_is_rounded_once_and_shared_out_by_largest_remainder() -> None:
    lines = [line("a", 33), line("b", 33), line("c", 34)]
    quote = price(lines, JAKARTA, methods=[FREE], discounts=[percentage("FIVE", 5)])
    # 5 % of 100 is 5: 1.65, 1.65 and 1.7. Each rounded by itself would be 6
    assert [each.discount.amount for each in quote.lines] == [2, 1, 2]
    assert sums(quote) == (100, 5, 0, 0, 95)


def test_a_discount_covers_its_products_and_the_categories_below_its_own() -> None:
    lines = [
        line("tea", 1000, category_path=("cat_drinks", "cat_tea")),
        line("cup", 1000, category_path=("cat_kitchen",)),
        line("pen", 1000),
    ]
    discount = percentage("SOME", 50, product_ids=("prd_pen",), category_ids=("cat_drinks",))
    quote = price(lines, JAKARTA, methods=[FREE], discounts=[discount])
    assert [each.total.amount for each in quote.lines] == [500, 1000, 500]


def test_an_amount_takes_off_no_more_than_its_lines_cost() -> None:
    lines = [line("tea", 1000), line("cup", 700)]
    quote = price(lines, JAKARTA, methods=[FLAT], discounts=[amount_off("BIG", 5000, product_ids=("prd_tea",))])
    assert [each.total.amount for each in quote.lines] == [0, 700]
    assert sums(quote) == (1700, 1000, 9000, 0, 9700)


def test_free_shipping_takes_off_the_fee_and_a_second_one_nothing() -> None:
    codes = [free_shipping("SHIP2"), free_shipping("SHIP1")]
    quote = price([line("tea", 1000)], JAKARTA, methods=[FLAT], discounts=codes)
    assert [(each.code, each.amount.amount) for each in quote.discounts] == [("SHIP1", 9000), ("SHIP2", 0)]
    assert sums(quote) == (1000, 9000, 9000, 0, 1000)


def test_shipping_is_free_from_a_price_of_the_goods_after_discounts() -> None:
    method = ShippingMethod("shm_a", "A", (ShippingZone((), "IDR", (WeightBand(1000, 500),), free_from=1000),))
    assert price([line("tea", 1000)], JAKARTA, methods=[method]).shipping == idr(0)
    discounted = price([line("tea", 1000)], JAKARTA, methods=[method], discounts=[amount_off("ONE", 1)])
    assert discounted.shipping == idr(500)


def test_the_cheapest_way_is_taken_unless_another_is_asked_for() -> None:
    assert price([line("tea", 1)], JAKARTA, methods=[FLAT, FREE]).method_id == "shm_free"
    assert price([line("tea", 1)], JAKARTA, methods=[FLAT, FREE], method_id="shm_flat").shipping == idr(9000)
    for unknown in ("shm_none", ""):
        with pytest.raises(MethodUnavailable):
            price([line("tea", 1)], JAKARTA, methods=[FLAT, FREE], method_id=unknown)
    with pytest.raises(MethodUnavailable):
        price([line("tea", 1)], JAKARTA, methods=[])


def test_tax_on_top_is_of_goods_and_shipping_after_discounts() -> None:
    zone = TaxZone("ID", "PPN", 110_000, is_inclusive=False)
    quote = price([line("tea", 10_000, 2)], JAKARTA, methods=[FLAT], discounts=[percentage("TEN", 10)], tax_zone=zone)
    # 11 % of 18,000 and of 9,000
    assert sums(quote) == (20_000, 2000, 9000, 2970, 29_970)
    assert quote.tax is not None
    assert (quote.lines[0].tax, quote.tax.on_shipping, quote.tax_on_top) == (idr(1980), idr(990), idr(2970))


def test_tax_in_the_prices_changes_no_total() -> None:
    zone = TaxZone("ID", "PPN", 110_000, is_inclusive=True, taxes_shipping=False)
    quote = price([line("tea", 11_100)], JAKARTA, methods=[FLAT], tax_zone=zone)
    assert sums(quote) == (11_100, 0, 9000, 1100, 20_100)
    assert quote.tax_on_top == idr(0)
    assert quote.tax is not None
    assert quote.tax.on_shipping == idr(0)


def test_the_nearest_category_decides_the_rate_and_each_rate_is_a_part() -> None:
    zone = TaxZone(
        "ID",
        "PPN",
        110_000,
        is_inclusive=False,
        category_rates=(("cat_food", 0), ("cat_wine", 200_000)),
    )
    lines = [
        line("rice", 1000, category_path=("cat_food",)),
        line("wine", 1000, category_path=("cat_food", "cat_wine")),
        line("pen", 1000),
    ]
    quote = price(lines, JAKARTA, methods=[FREE], tax_zone=zone)
    assert [each.tax.amount for each in quote.lines] == [0, 200, 110]
    assert quote.tax is not None
    assert [(part.rate, part.taxable.amount, part.amount.amount) for part in quote.tax.parts] == [
        (110_000, 1000, 110),
        (200_000, 1000, 200),
    ]


def test_currencies_do_not_mix() -> None:
    with pytest.raises(BadUserInput, match="one order cannot mix IDR and USD"):
        price([line("a", 1), line("b", 1, currency="USD")], JAKARTA, methods=[STANDARD])


def test_a_sum_beyond_what_money_can_hold_is_refused() -> None:
    with pytest.raises(BadUserInput, match="too large"):
        price([line("a", MAX_AMOUNT), line("b", MAX_AMOUNT)], JAKARTA, methods=[STANDARD])


def test_cents_are_as_good_as_rupiah() -> None:
    quote = price([line("tea", 1999, currency="USD", weight_grams=100)], Destination("US"), methods=[STANDARD])
    assert quote.total == Money(2499, "USD")


def test_a_gateway_is_sent_whole_pieces_that_add_up() -> None:
    zone = TaxZone("ID", "PPN", 110_000, is_inclusive=False)
    lines = [line("tea", 100, 3), line("cup", 50, 2), line("pen", 10)]
    discounts = [amount_off("PEN", 10, product_ids=("prd_pen",)), amount_off("TEA", 100, product_ids=("prd_tea",))]
    quote = price(lines, JAKARTA, methods=[FLAT], discounts=discounts, tax_zone=zone)
    sent = payment_lines(quote)
    # 200 for three pieces of tea; the pen costs nothing and is left out
    assert sent == (
        PaymentLine("Tea", 1, 66),
        PaymentLine("Tea", 2, 67),
        PaymentLine("Cup", 2, 50),
        PaymentLine("Shipping", 1, 9000),
        PaymentLine("PPN", 1, 1023),
    )
    assert sum(each.quantity * each.unit_amount for each in sent) == quote.total.amount == 10_323


def test_what_costs_nothing_sends_no_line() -> None:
    quote = price([line("tea", 100)], JAKARTA, methods=[FREE], discounts=[percentage("ALL", 100)])
    assert (payment_lines(quote), quote.total) == ((), idr(0))
