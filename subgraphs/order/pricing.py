"""What an order costs: goods, discounts, shipping, tax, in that order. Pure, and the same for a preview and an order.

    subtotal        the lines, price times quantity
    - discounts     percentages of what the lines that they cover cost, then amounts of what is left
    + shipping      a method's fee by weight, free from a price of the goods after discounts; less free shipping
    + tax           of goods and shipping after discounts; where it is in the prices already, nothing is added
    = total

Each discount, and the tax at each rate, is rounded once for all that it is of and shared out over the lines
(rounding.py). Neither the order of the lines nor that of the codes makes a difference. docs/pricing.md explains it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.errors import BadUserInput
from core.money import Money
from subgraphs.order.discounts import Discount, DiscountKind
from subgraphs.order.model import OrderLine
from subgraphs.order.rounding import part_of, part_within, share_out
from subgraphs.order.shipping_methods import ShippingMethod, ShippingOffer, offers_of
from subgraphs.order.taxes import TaxZone


@dataclass(frozen=True, slots=True)
class PricedLine:
    """A line with what is taken off it, and its tax: in its price or on top, as the quote's tax says."""

    line: OrderLine
    discount: Money
    tax: Money

    @property
    def total(self) -> Money:
        """Return what the line costs: price times quantity less its discount, without a tax that comes on top."""
        return self.line.total - self.discount


@dataclass(frozen=True, slots=True)
class AppliedDiscount:
    """A discount with what it took off: of the goods, or of the shipping if its kind is FREE_SHIPPING."""

    discount_id: str
    code: str
    kind: DiscountKind
    amount: Money


@dataclass(frozen=True, slots=True)
class TaxPart:
    """The tax at one rate (millionths) of *taxable*, which has the tax in it if the tax is inclusive."""

    rate: int
    taxable: Money
    amount: Money


@dataclass(frozen=True, slots=True)
class AppliedTax:
    """The tax of an order, by rate. *on_shipping* is what of it the shipping has."""

    zone_id: str
    name: str
    is_inclusive: bool
    parts: tuple[TaxPart, ...]
    on_shipping: Money

    @property
    def total(self) -> Money:
        """Return all of it."""
        total = Money(0, self.on_shipping.currency)
        for part in self.parts:
            total += part.amount
        return total


@dataclass(frozen=True, slots=True)
class Quote:
    """Lines and sums that a buyer is asked to pay. *shipping* is the fee before *shipping_discount*.

    *method_id* and *method_name* are None for what was quoted before there were methods.
    """

    lines: tuple[PricedLine, ...]
    shipping: Money
    shipping_discount: Money
    method_id: str | None = None
    method_name: str | None = None
    discounts: tuple[AppliedDiscount, ...] = ()
    tax: AppliedTax | None = None

    @property
    def nothing(self) -> Money:
        """Return zero in its currency."""
        return Money(0, self.shipping.currency)

    @property
    def subtotal(self) -> Money:
        """Return price times quantity of all lines."""
        return _sum([each.line.total for each in self.lines], self.nothing)

    @property
    def discount_total(self) -> Money:
        """Return what the discounts take off, of goods and of shipping."""
        return _sum([each.amount for each in self.discounts], self.nothing)

    @property
    def tax_total(self) -> Money:
        """Return the tax, whether in the prices or on top."""
        return self.nothing if self.tax is None else self.tax.total

    @property
    def tax_on_top(self) -> Money:
        """Return the tax that the buyer pays beside the prices."""
        return self.nothing if self.tax is None or self.tax.is_inclusive else self.tax.total

    @property
    def total(self) -> Money:
        """Return what the buyer pays."""
        return self.subtotal - self.discount_total + self.shipping + self.tax_on_top

    @property
    def quantity(self) -> int:
        """Return how many pieces there are."""
        return sum(each.line.quantity for each in self.lines)


class MethodUnavailable(Exception):
    """No method, or not the one that was asked for, takes the parcel to its address."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a parcel goes, as far as its price depends on it."""

    country: str
    region: str | None = None


def price(
    lines: Sequence[OrderLine],
    destination: Destination,
    *,
    methods: Sequence[ShippingMethod],
    method_id: str | None = None,
    discounts: Sequence[Discount] = (),
    tax_zone: TaxZone | None = None,
) -> Quote:
    """Price *lines*, which are not empty and of which none has the product of another.

    *discounts* are those that apply together (discounts.judge_codes). Without *method_id* the cheapest method is taken.

    Raises:
        BadUserInput: the lines are priced in several currencies, or the sum is beyond what money can hold.
        MethodUnavailable: see there.
    """
    currency = currency_of(lines)
    # In an order of their own, so that units that are left over fall to the same lines however they are listed
    places = sorted(range(len(lines)), key=lambda place: (lines[place].product_id, lines[place].id))
    ordered = [lines[place] for place in places]
    left = [line.total.amount for line in ordered]
    applied: dict[str, int] = {}
    for discount in sorted(discounts, key=lambda each: each.order):
        if discount.kind is not DiscountKind.FREE_SHIPPING:
            applied[discount.id] = _take_off(discount, ordered, left)
    offer = _choose(offers_for(lines, sum(left), destination, methods), method_id)
    free = [each for each in discounts if each.kind is DiscountKind.FREE_SHIPPING]
    for number, discount in enumerate(sorted(free, key=lambda each: each.order)):
        # A second one finds nothing to take off
        applied[discount.id] = offer.fee.amount if number == 0 else 0
    shipping_discount = offer.fee.amount if free else 0
    tax, line_taxes = _tax(ordered, left, offer.fee.amount - shipping_discount, currency, tax_zone)
    priced = [
        PricedLine(line, Money(line.total.amount - rest, currency), Money(line_tax, currency))
        for line, rest, line_tax in zip(ordered, left, line_taxes, strict=True)
    ]
    by_place = dict(zip(places, priced, strict=True))
    quote = Quote(
        lines=tuple(by_place[place] for place in range(len(lines))),
        shipping=offer.fee,
        shipping_discount=Money(shipping_discount, currency),
        method_id=offer.method_id,
        method_name=offer.name,
        discounts=tuple(
            AppliedDiscount(each.id, each.code, each.kind, Money(applied[each.id], currency))
            for each in sorted(discounts, key=lambda each: each.order)
        ),
        tax=tax,
    )
    # Fails here, if at all, and not when it is shown
    _ = quote.total
    return quote


def currency_of(lines: Sequence[OrderLine]) -> str:
    """Return the one currency of *lines*; raise BadUserInput if there are several."""
    currencies = sorted({line.unit_price.currency for line in lines})
    if len(currencies) > 1:
        raise BadUserInput(f"one order cannot mix {' and '.join(currencies)}: order them separately", field="cart")
    return currencies[0]


def offers_for(
    lines: Sequence[OrderLine], goods_amount: int, destination: Destination, methods: Sequence[ShippingMethod]
) -> tuple[ShippingOffer, ...]:
    """Return the ways to send *lines*, cheapest first; *goods_amount* is their price after discounts."""
    weight_grams = sum(line.weight_grams * line.quantity for line in lines)
    return offers_of(methods, destination.country, weight_grams, Money(goods_amount, currency_of(lines)))


def _choose(offers: Sequence[ShippingOffer], method_id: str | None) -> ShippingOffer:
    for offer in offers:
        if method_id is None or offer.method_id == method_id:
            return offer
    raise MethodUnavailable(method_id)


def _take_off(discount: Discount, lines: Sequence[OrderLine], left: list[int]) -> int:
    """Take *discount* off what is *left* of the lines that it covers, and return how much that is."""
    weights = [rest if discount.covers(line) else 0 for line, rest in zip(lines, left, strict=True)]
    covered = sum(weights)
    amount = part_of(covered, discount.rate) if discount.rate is not None else min(discount.amount or 0, covered)
    for place, share in enumerate(share_out(amount, weights)):
        left[place] -= share
    return amount


def _tax(
    lines: Sequence[OrderLine], left: Sequence[int], shipping: int, currency: str, zone: TaxZone | None
) -> tuple[AppliedTax | None, list[int]]:
    """Return the tax, and what of it each line has."""
    shares = [0] * (len(lines) + 1)
    if zone is None:
        return None, shares[:-1]
    amounts = [*left, shipping]
    rates = [*(zone.rate_of(line.category_path) for line in lines), zone.rate if zone.taxes_shipping else 0]
    tax_in: Callable[[int, int], int] = part_within if zone.is_inclusive else part_of
    parts: list[TaxPart] = []
    for rate in sorted(set(rates)):
        weights = [amount if each == rate else 0 for amount, each in zip(amounts, rates, strict=True)]
        taxable = sum(weights)
        amount = tax_in(taxable, rate)
        for place, share in enumerate(share_out(amount, weights)):
            shares[place] += share
        if rate and taxable:
            parts.append(TaxPart(rate, Money(taxable, currency), Money(amount, currency)))
    tax = AppliedTax(zone.id, zone.name, zone.is_inclusive, tuple(parts), Money(shares[-1], currency))
    return tax, shares[:-1]


def _sum(amounts: Sequence[Money], nothing: Money) -> Money:
    total = nothing
    for amount in amounts:
        total += amount
    return total
