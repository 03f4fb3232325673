"""The packing slip: what goes into the next parcel and where it goes. It shows no prices: it may be a present. Pure."""

from datetime import datetime

from core.mongo import Row
from subgraphs.order.fulfilment import shipped_of
from subgraphs.order.papers.invoice import address_lines
from subgraphs.order.papers.pdf import Paper
from subgraphs.order.papers.seller import Seller


def render_packing_slip(order: Row, seller: Seller, *, now: datetime) -> bytes:
    """Return the packing slip of an order, as PDF: per line what was ordered, and what is left to be packed."""
    shipped = shipped_of(order)
    recipient = address_lines(order)
    phone = (order.get("shipping_address") or {}).get("phone")
    lines = [
        (line["sku"], line["name"], str(line["quantity"]), str(line["quantity"] - shipped[line["id"]]))
        for line in order["lines"]
    ]
    note = order.get("note") or ""
    facts = [
        f"Ordered: {order['placed_at'].astimezone(seller.zone):%Y-%m-%d}",
        f"Printed: {now.astimezone(seller.zone):%Y-%m-%d}",
    ]
    texts = [seller.name, *recipient, phone or "", note, *facts, *(cell for line in lines for cell in line)]
    paper = Paper(f"Packing slip {order['number']}", texts, made_at=now)
    paper.text(seller.name)
    paper.heading("Ship to")
    paper.text(*recipient)
    if phone:
        paper.text(f"Phone: {phone}")
    paper.space()
    paper.text(*facts)
    paper.space()
    paper.table((18, 50, 16, 16), "LLRR", [("SKU", "Product", "Ordered", "To pack"), *lines])
    if note:
        paper.heading("The buyer's note")
        paper.text(note)
    return paper.render()
