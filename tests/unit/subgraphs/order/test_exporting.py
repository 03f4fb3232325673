"""Orders as lines of a file, of which a spreadsheet runs none."""

import csv
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from core.mongo import Row
from subgraphs.order.exporting import COLUMNS, cells_of, guard_formula, record_of, write_csv, write_json

ORDER: Row = {
    "number": "ORD-1",
    "status": "SHIPPED",
    "placed_at": datetime(2027, 3, 1, 3, 0, tzinfo=UTC),
    "paid_at": datetime(2027, 3, 1, 3, 5, tzinfo=UTC),
    "updated_at": datetime(2027, 3, 2, tzinfo=UTC),
    "buyer_id": "usr_ani",
    "buyer_name": '=HYPERLINK("http://evil.example","Ani")',
    "buyer_email": "ani@example.org",
    "currency": "USD",
    "subtotal_amount": 2001,
    "discount_amount": 100,
    "shipping_amount": 500,
    "tax_amount": 30,
    "total_amount": 2401,
    "refunded_amount": 1,
    "quantity": 3,
    "lines": [
        {
            "product_id": "prd_1",
            "sku": "TEA",
            "name": "Tea",
            "quantity": 2,
            "unit_amount": 1000,
            "total_amount": 2000,
        },
        {
            "product_id": "prd_2",
            "sku": "BAG",
            "name": "Bag",
            "quantity": 1,
            "unit_amount": 1,
            "total_amount": 1,
        },
    ],
    "shipping_address": {
        "recipient": "Ani",
        "phone": "+62812",
        "line1": "Jalan 5, no. 3",
        "city": "Bandung",
        "country": "ID",
    },
    "shipments": [{"carrier": "JNE", "tracking_number": "@1", "shipped_at": datetime(2027, 3, 2, tzinfo=UTC)}],
    "note": "Ring\ntwice",
}


def test_a_line_of_csv_has_an_order_and_reads_back() -> None:
    text = write_csv([COLUMNS, cells_of(record_of(ORDER))])
    (row,) = csv.DictReader(text.splitlines(keepends=True))
    expected: dict[str, Any] = dict.fromkeys(COLUMNS, "") | {
        "number": "ORD-1",
        "status": "SHIPPED",
        "placed_at": "2027-03-01T03:00:00.000Z",
        "paid_at": "2027-03-01T03:05:00.000Z",
        "updated_at": "2027-03-02T00:00:00.000Z",
        "buyer_id": "usr_ani",
        "buyer_name": '\'=HYPERLINK("http://evil.example","Ani")',
        "buyer_email": "ani@example.org",
        "currency": "USD",
        "subtotal": "20.01",
        "discount": "1.00",
        "shipping": "5.00",
        "tax": "0.30",
        "total": "24.01",
        "refunded": "0.01",
        "quantity": "3",
        "lines": "2 x TEA; 1 x BAG",
        "recipient": "Ani",
        "phone": "'+62812",
        "line1": "Jalan 5, no. 3",
        "city": "Bandung",
        "country": "ID",
        "carriers": "JNE",
        "tracking_numbers": "'@1",
        "note": "Ring\ntwice",
    }
    assert row == expected


def test_a_json_line_has_texts_as_they_are_and_all_lines() -> None:
    text = write_json(record_of(ORDER))
    assert text.endswith("\n")
    assert text.count("\n") == 1
    record = json.loads(text)
    assert record["buyer_name"] == ORDER["buyer_name"]
    assert [line["total"] for line in record["lines"]] == ["20.00", "0.01"]
    assert record["shipments"] == [
        {"carrier": "JNE", "tracking_number": "@1", "shipped_at": "2027-03-02T00:00:00.000Z", "delivered_at": None}
    ]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"])
def test_no_cell_begins_a_formula(start: str) -> None:
    assert guard_formula(f"{start}1+1") == f"'{start}1+1"


@pytest.mark.parametrize("text", ["", "Ani", "1+1=2", "'quoted"])
def test_other_cells_stay_as_they_are(text: str) -> None:
    assert guard_formula(text) == text


def test_an_order_without_address_or_name_has_empty_cells() -> None:
    bare = {name: value for name, value in ORDER.items() if name not in ("shipping_address", "buyer_name", "note")}
    cells = dict(zip(COLUMNS, cells_of(record_of({**bare, "shipments": []})), strict=True))
    assert (cells["recipient"], cells["buyer_name"], cells["note"], cells["carriers"]) == ("", "", "", "")
