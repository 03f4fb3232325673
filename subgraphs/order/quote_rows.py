"""A quote as a checkout's record keeps it, and the order that is made of it."""

from datetime import datetime

from core.money import Money
from core.mongo import Row
from subgraphs.order.discounts import DiscountKind
from subgraphs.order.documents import AddressRow, HistoryRow, LineRow, OrderRow
from subgraphs.order.model import ActorKind, OrderLine, OrderStatus, new_order_number
from subgraphs.order.neighbours import Buyer
from subgraphs.order.pricing import AppliedDiscount, AppliedTax, PricedLine, Quote, TaxPart
from subgraphs.order.pricing_documents import AppliedDiscountRow, ShippingMethodRow, TaxPartRow, TaxRow


def write_quote(quote: Quote) -> Row:
    """Return *quote* as a row."""
    row: Row = {
        "currency": quote.shipping.currency,
        "shipping_amount": quote.shipping.amount,
        "shipping_discount_amount": quote.shipping_discount.amount,
        "shipping_method": {"id": quote.method_id, "name": quote.method_name},
        "lines": [
            {
                "id": priced.line.id,
                "product_id": priced.line.product_id,
                "name": priced.line.name,
                "sku": priced.line.sku,
                "quantity": priced.line.quantity,
                "unit_amount": priced.line.unit_price.amount,
                "category_path": list(priced.line.category_path),
                "discount_amount": priced.discount.amount,
                "tax_amount": priced.tax.amount,
            }
            for priced in quote.lines
        ],
        "discounts": [row.model_dump(mode="json") for row in _discount_rows(quote)],
    }
    tax = _tax_row(quote)
    if tax is not None:
        row["tax"] = tax.model_dump()
    return row


def read_quote(row: Row) -> Quote:
    """Return the quote that *row* records. What is absent is from before it existed, and is nothing."""
    currency = row["currency"]

    def money(amount: int) -> Money:
        return Money(amount, currency)

    lines = tuple(
        PricedLine(
            OrderLine(
                id=line["id"],
                product_id=line["product_id"],
                name=line["name"],
                sku=line["sku"],
                quantity=line["quantity"],
                unit_price=money(line["unit_amount"]),
                category_path=tuple(line.get("category_path", ())),
            ),
            money(line.get("discount_amount", 0)),
            money(line.get("tax_amount", 0)),
        )
        for line in row["lines"]
    )
    method = row.get("shipping_method", {})
    return Quote(
        lines,
        money(row["shipping_amount"]),
        money(row.get("shipping_discount_amount", 0)),
        method.get("id"),
        method.get("name"),
        tuple(
            AppliedDiscount(each["discount_id"], each["code"], DiscountKind(each["kind"]), money(each["amount"]))
            for each in row.get("discounts", ())
        ),
        read_tax(row.get("tax"), currency),
    )


def read_tax(row: Row | None, currency: str) -> AppliedTax | None:
    """Return the tax that an order's or a quote's *row* has."""
    if row is None:
        return None
    parts = tuple(
        TaxPart(part["rate"], Money(part["taxable_amount"], currency), Money(part["amount"], currency))
        for part in row["parts"]
    )
    return AppliedTax(row["zone_id"], row["name"], row["is_inclusive"], parts, Money(row["shipping_amount"], currency))


def write_order(checkout: Row, *, now: datetime) -> OrderRow:
    """Return the order that *checkout* places at *now*, with a new number."""
    quote, buyer = read_quote(checkout["quote"]), Buyer(**checkout["buyer"])
    return OrderRow(
        id=checkout["_id"],
        number=new_order_number(now),
        buyer_id=buyer.id,
        buyer_email=buyer.email,
        buyer_name=buyer.name,
        status=OrderStatus.PENDING_PAYMENT,
        currency=quote.total.currency,
        lines=[_line_row(priced) for priced in quote.lines],
        quantity=quote.quantity,
        subtotal_amount=quote.subtotal.amount,
        shipping_amount=quote.shipping.amount,
        total_amount=quote.total.amount,
        discount_amount=quote.discount_total.amount or None,
        tax_amount=quote.tax_total.amount or None,
        discounts=_discount_rows(quote) or None,
        shipping_method=(
            ShippingMethodRow(id=quote.method_id, name=quote.method_name or "") if quote.method_id else None
        ),
        tax=_tax_row(quote),
        shipping_address=AddressRow(**checkout["address"]),
        note=checkout["note"],
        placed_at=now,
        updated_at=now,
        expires_at=checkout["expires_at"],
        expire_due_at=checkout["expires_at"],
        history=[HistoryRow(status=OrderStatus.PENDING_PAYMENT, at=now, actor=buyer.id, kind=ActorKind.BUYER)],
    )


def _line_row(priced: PricedLine) -> LineRow:
    line = priced.line
    return LineRow(
        id=line.id,
        product_id=line.product_id,
        name=line.name,
        sku=line.sku,
        quantity=line.quantity,
        unit_amount=line.unit_price.amount,
        total_amount=priced.total.amount,
        category_path=list(line.category_path),
        discount_amount=priced.discount.amount or None,
        tax_amount=priced.tax.amount or None,
    )


def _discount_rows(quote: Quote) -> list[AppliedDiscountRow]:
    return [
        AppliedDiscountRow(discount_id=each.discount_id, code=each.code, kind=each.kind, amount=each.amount.amount)
        for each in quote.discounts
    ]


def _tax_row(quote: Quote) -> TaxRow | None:
    tax = quote.tax
    if tax is None:
        return None
    return TaxRow(
        zone_id=tax.zone_id,
        name=tax.name,
        is_inclusive=tax.is_inclusive,
        shipping_amount=tax.on_shipping.amount,
        parts=[
            TaxPartRow(rate=part.rate, taxable_amount=part.taxable.amount, amount=part.amount.amount)
            for part in tax.parts
        ],
    )
