"""The invoice of an order: what was sold to whom, what it cost, and what of it was paid back. Pure."""

from decimal import Decimal

from core.money import Money
from core.mongo import Row
from subgraphs.order.papers.pdf import Paper
from subgraphs.order.papers.seller import Seller


def render_invoice(order: Row, seller: Seller) -> bytes:
    """Return the invoice of an order that has a number, as PDF."""
    currency = order["currency"]

    def show(amount: int) -> str:
        return str(Money(amount, currency))

    def day(name: str) -> str:
        return f"{order[name].astimezone(seller.zone):%Y-%m-%d}"

    recipient = address_lines(order)
    facts = [f"Invoice date: {day('invoiced_at')}", f"Order: {order['number']}", f"Ordered: {day('placed_at')}"]
    if order.get("paid_at"):
        facts.append(f"Paid: {day('paid_at')}")
    lines = [
        (
            *(line["sku"], line["name"], str(line["quantity"])),
            # Before discounts, which stand below
            *(show(line["unit_amount"]), show(line["unit_amount"] * line["quantity"])),
        )
        for line in order["lines"]
    ]
    title = f"Invoice {order['invoice_number']}"
    texts = [seller.name, *seller.address, *recipient, *facts, *(cell for line in lines for cell in line)]
    paper = Paper(title, texts, made_at=order["invoiced_at"])
    paper.text(seller.name, *seller.address)
    paper.heading("Bill to")
    paper.text(*recipient)
    paper.space()
    paper.text(*facts)
    paper.space()
    paper.table((16, 40, 10, 17, 17), "LLRRR", [("SKU", "Product", "Pieces", "Price", "Amount"), *lines])
    paper.space()
    paper.sums([(name, show(amount)) for name, amount in sums_of(order)])
    return paper.render()


def sums_of(order: Row) -> list[tuple[str, int]]:
    """Return the names and amounts below the lines: how they come to the total, and what of it was paid back.

    A tax that prices include stands below the total, of which it is a part.
    """
    total, refunded = order["total_amount"], order.get("refunded_amount") or 0
    method = (order.get("shipping_method") or {}).get("name")
    tax = order.get("tax") or {"parts": [], "is_inclusive": False}
    taxes = [(f"{tax['name']} {_percent(part['rate'])}", part["amount"]) for part in tax["parts"]]
    sums = [
        ("Subtotal", order["subtotal_amount"]),
        *((f"Discount {each['code']}", -each["amount"]) for each in order.get("discounts") or ()),
        (f"Shipping: {method}" if method else "Shipping", order["shipping_amount"]),
        *([] if tax["is_inclusive"] else taxes),
        ("Total", total),
    ]
    if tax["is_inclusive"]:
        sums += [(f"Includes {name}", amount) for name, amount in taxes]
    if refunded:
        sums += [("Refunded", -refunded), ("Total after refunds", total - refunded)]
    return sums


def _percent(rate: int) -> str:
    """Return a rate in millionths as people write it: 11%, 8.25%."""
    return f"{(Decimal(rate) / 10_000).normalize():f}%"


def address_lines(order: Row) -> list[str]:
    """Return the lines of an order's address, or the buyer's name where it has none."""
    address = order.get("shipping_address")
    if not address:
        return [order.get("buyer_name") or order["buyer_id"]]
    place = " ".join(part for part in (address.get("postal_code"), address.get("city")) if part)
    lines = (address.get("recipient"), address.get("line1"), address.get("line2"), place, address.get("region"))
    return [line for line in (*lines, address.get("country")) if line]
