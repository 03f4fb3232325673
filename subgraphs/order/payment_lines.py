"""An order's quote as the lines that a payment gateway is sent: whole pieces at whole prices that add up to the total.

None is negative, though some gateways take a discount as one: others refuse it. So a line is sent at what it costs
after its discount, and where that does not divide by its pieces, as two lines a minor unit apart.
"""

from dataclasses import dataclass

from subgraphs.order.pricing import Quote


@dataclass(frozen=True, slots=True)
class PaymentLine:
    """*quantity* pieces at *unit_amount* minor units each."""

    name: str
    quantity: int
    unit_amount: int


def payment_lines(quote: Quote) -> tuple[PaymentLine, ...]:
    """Return lines whose sum is the quote's total; those that cost nothing are left out."""
    lines: list[PaymentLine] = []
    for priced in quote.lines:
        quantity = priced.line.quantity
        unit, dearer = divmod(priced.total.amount, quantity)
        lines.append(PaymentLine(priced.line.name, quantity - dearer, unit))
        lines.append(PaymentLine(priced.line.name, dearer, unit + 1))
    lines.append(PaymentLine("Shipping", 1, (quote.shipping - quote.shipping_discount).amount))
    lines.append(PaymentLine(quote.tax.name if quote.tax else "Tax", 1, quote.tax_on_top.amount))
    return tuple(line for line in lines if line.quantity and line.unit_amount)
