"""Invoice and packing slip: what they say, letter by letter."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from core.mongo import Row
from subgraphs.order.papers.invoice import render_invoice, sums_of
from subgraphs.order.papers.packing_slip import render_packing_slip
from subgraphs.order.papers.seller import Seller
from tests.testkit.pdf_text import page_count, texts_of

SELLER = Seller("Toko Teh", ("Jalan Braga 1", "Bandung 40111", "NPWP 01.234"), ZoneInfo("Asia/Jakarta"))


def order_of(**more: Any) -> Row:
    return {
        "number": "ORD-270301-ABC",
        "status": "PAID",
        "buyer_id": "usr_ani",
        "currency": "IDR",
        # Past midnight in Jakarta
        "placed_at": datetime(2027, 2, 28, 18, 0, tzinfo=UTC),
        "paid_at": datetime(2027, 3, 1, 3, 5, tzinfo=UTC),
        "invoiced_at": datetime(2027, 3, 2, tzinfo=UTC),
        "invoice_number": "INV-2027-000001",
        "lines": [
            {
                "id": "l1",
                "sku": "TEA-1",
                "name": "Teh melati",
                "quantity": 2,
                "unit_amount": 10_000,
                "total_amount": 20_000,
            }
        ],
        "subtotal_amount": 20_000,
        "shipping_amount": 12_000,
        "total_amount": 32_000,
        "shipments": [],
        "history": [],
        "shipping_address": {
            "recipient": "Ani Wijaya",
            "phone": "+62 812",
            "line1": "Jalan Merdeka 5",
            "city": "Bandung",
            "postal_code": "40111",
            "country": "ID",
        },
        **more,
    }


def test_an_invoice_says_who_sold_what_to_whom_for_how_much() -> None:
    assert texts_of(render_invoice(order_of(), SELLER)) == [
        "Invoice INV-2027-000001",
        *("Toko Teh", "Jalan Braga 1", "Bandung 40111", "NPWP 01.234"),
        *("Bill to", "Ani Wijaya", "Jalan Merdeka 5", "40111 Bandung", "ID"),
        *("Invoice date: 2027-03-02", "Order: ORD-270301-ABC", "Ordered: 2027-03-01", "Paid: 2027-03-01"),
        *("SKU", "Product", "Pieces", "Price", "Amount"),
        *("TEA-1", "Teh melati", "2", "IDR 10,000", "IDR 20,000"),
        *("Subtotal", "IDR 20,000", "Shipping", "IDR 12,000", "Total", "IDR 32,000"),
    ]


def test_what_was_paid_back_is_on_the_invoice() -> None:
    texts = texts_of(render_invoice(order_of(refunded_amount=5_000), SELLER))
    assert texts[-6:] == ["Total", "IDR 32,000", "Refunded", "IDR -5,000", "Total after refunds", "IDR 27,000"]


APPLIED = [
    {"discount_id": "dsc_1", "code": "TEA", "kind": "PERCENTAGE", "amount": 2_000},
    {"discount_id": "dsc_2", "code": "FREE", "kind": "FREE_SHIPPING", "amount": 12_000},
]


def tax_of(*, is_inclusive: bool) -> dict[str, Any]:
    parts = [
        {"rate": 110_000, "taxable_amount": 18_000, "amount": 1_980},
        {"rate": 82_500, "taxable_amount": 400, "amount": 33},
    ]
    return {"zone_id": "ID", "name": "PPN", "is_inclusive": is_inclusive, "shipping_amount": 0, "parts": parts}


def test_an_invoice_shows_how_discounts_and_taxes_come_to_the_total() -> None:
    order = order_of(
        discounts=APPLIED,
        shipping_method={"id": "shm_1", "name": "Standard"},
        tax=tax_of(is_inclusive=False),
        total_amount=20_013,
        refunded_amount=500,
    )
    sums = sums_of(order)
    assert sums == [
        ("Subtotal", 20_000),
        ("Discount TEA", -2_000),
        ("Discount FREE", -12_000),
        ("Shipping: Standard", 12_000),
        ("PPN 11%", 1_980),
        ("PPN 8.25%", 33),
        ("Total", 20_013),
        ("Refunded", -500),
        ("Total after refunds", 19_513),
    ]
    assert sum(amount for _, amount in sums[:6]) == 20_013


def test_a_tax_that_prices_include_is_a_part_of_the_total() -> None:
    order = order_of(discounts=APPLIED, tax=tax_of(is_inclusive=True), total_amount=18_000)
    sums = sums_of(order)
    assert sums[-3:] == [("Total", 18_000), ("Includes PPN 11%", 1_980), ("Includes PPN 8.25%", 33)]
    assert sum(amount for _, amount in sums[:-3]) == 18_000


def test_the_lines_of_an_invoice_add_up_to_its_subtotal() -> None:
    line = {"id": "l1", "sku": "TEA-1", "name": "Teh", "quantity": 2, "unit_amount": 10_000, "total_amount": 18_000}
    texts = texts_of(render_invoice(order_of(lines=[line], discounts=APPLIED[:1], total_amount=30_000), SELLER))
    amounts = texts[texts.index("TEA-1") :]
    assert amounts[:7] == ["TEA-1", "Teh", "2", "IDR 10,000", "IDR 20,000", "Subtotal", "IDR 20,000"]


def test_a_packing_slip_says_what_is_left_to_be_packed_and_no_price() -> None:
    order = order_of(note="Ring twice (please)\\", shipments=[{"lines": [{"line_id": "l1", "quantity": 1}]}])
    texts = texts_of(render_packing_slip(order, SELLER, now=datetime(2027, 3, 3, tzinfo=UTC)))
    assert texts == [
        "Packing slip ORD-270301-ABC",
        "Toko Teh",
        *("Ship to", "Ani Wijaya", "Jalan Merdeka 5", "40111 Bandung", "ID", "Phone: +62 812"),
        *("Ordered: 2027-03-01", "Printed: 2027-03-03"),
        *("SKU", "Product", "Ordered", "To pack", "TEA-1", "Teh melati", "2", "1"),
        *("The buyer's note", "Ring twice (please)\\"),
    ]


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("Siti Nurhaliza", "Siti Nurhaliza"),
        ("José Müller & Söhne, 5 €", "José Müller & Söhne, 5 €"),
        # Beyond the fonts that every reader has
        ("Nguyễn Văn Đức", "Nguyễn Văn Đức"),
        ("Łukasz Ωmega Иван", "Łukasz Ωmega Иван"),
        # Beyond any font of ours
        ("田中さん", "\ufffd\ufffd\ufffd\ufffd"),
        ("Ani \U0001f375", "Ani \ufffd"),
        ("line\nbreak\x00 \u202eright", "line break right"),
        ("**bold** (not) \\n", "**bold** (not) \\n"),
    ],
)
def test_any_name_is_printed(name: str, printed: str) -> None:
    address = {**order_of()["shipping_address"], "recipient": name}
    pdf = render_invoice(order_of(shipping_address=address), SELLER)
    texts = texts_of(pdf)
    assert texts[texts.index("Bill to") + 1] == printed
    # The letters used, not the font: a paper is some kilobytes
    assert len(pdf) < 60_000


def test_an_order_without_an_address_is_billed_to_its_buyers_name() -> None:
    order = {**order_of(buyer_name="Ani Wijaya"), "shipping_address": None}
    texts = texts_of(render_invoice(order, SELLER))
    assert texts[texts.index("Bill to") + 1] == "Ani Wijaya"
    texts = texts_of(render_invoice({**order, "buyer_name": None}, SELLER))
    assert texts[texts.index("Bill to") + 1] == "usr_ani"


def test_a_long_order_goes_on_on_further_pages_with_every_line() -> None:
    line = order_of()["lines"][0]
    lines = [
        {**line, "sku": f"SKU-{number:03}", "name": "A name that is long enough to be broken " * 3}
        for number in range(120)
    ]
    pdf = render_invoice(order_of(lines=lines), SELLER)
    assert page_count(pdf) > 3
    texts = texts_of(pdf)
    assert [text for text in texts if text.startswith("SKU-")] == [f"SKU-{number:03}" for number in range(120)]


def test_the_same_paper_is_the_same_bytes() -> None:
    assert render_invoice(order_of(), SELLER) == render_invoice(order_of(), SELLER)
