"""Orders as a file: CSV for spreadsheets, JSON lines for programs. One order per line, read while it is written.

A cell that a spreadsheet would run as a formula (`=`, `+`, `-`, `@`, a tab or a line break in front) begins with an
apostrophe: names and notes are typed by strangers. JSON lines have texts as they are.
"""

import csv
import io
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from core.money import Money
from core.mongo import Row
from subgraphs.order.model import Attention, OrderStatus
from subgraphs.order.order_lists import OrderFilter, plan_list
from subgraphs.order.repository import OrderRepository

# Sent at a time: a few packets
CHUNK_ROWS = 100
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")

_ADDRESS = ("recipient", "phone", "line1", "line2", "city", "region", "postal_code", "country")
_SUMS = ("subtotal", "discount", "shipping", "tax", "total", "refunded")
COLUMNS = (
    *("number", "status", "placed_at", "paid_at", "updated_at", "buyer_id", "buyer_name", "buyer_email"),
    *("currency", *_SUMS, "quantity", "lines", *_ADDRESS, "carriers", "tracking_numbers", "invoice_number", "note"),
)


class ExportFormat(StrEnum):
    """How orders are written; the value ends the file's name."""

    CSV = "csv"
    JSONL = "jsonl"


@dataclass(frozen=True, slots=True)
class OrderExport:
    """Writes orders of one database."""

    orders: OrderRepository

    async def write(self, format_: ExportFormat, wanted: OrderFilter) -> AsyncIterator[str]:
        """Yield the file in parts: all orders that *wanted* finds, in the order of its list."""
        parts = [write_csv([COLUMNS])] if format_ is ExportFormat.CSV else []
        async for row in self.orders.iterate_list(plan_list(wanted)):
            record = record_of(row)
            parts.append(write_csv([cells_of(record)]) if format_ is ExportFormat.CSV else write_json(record))
            if len(parts) >= CHUNK_ROWS:
                yield "".join(parts)
                parts = []
        yield "".join(parts)

    def make_link(self, format_: ExportFormat, wanted: OrderFilter) -> dict[str, Any]:
        """Return what a link to an export says."""
        plan_list(wanted)
        return {
            "format": format_.value,
            "statuses": [status.value for status in wanted.statuses],
            "placed_from": wanted.placed_from and wanted.placed_from.isoformat(),
            "placed_to": wanted.placed_to and wanted.placed_to.isoformat(),
            "buyer_id": wanted.buyer_id,
            "needs_attention": wanted.needs_attention,
            "attentions": [attention.value for attention in wanted.attentions],
            "number": wanted.number,
            "product_id": wanted.product_id,
        }

    def read_link(self, content: Mapping[str, Any]) -> tuple[ExportFormat, OrderFilter]:
        """Read what `make_link` has said."""
        moments = {
            name: datetime.fromisoformat(content[name]) if content[name] else None
            for name in ("placed_from", "placed_to")
        }
        wanted = OrderFilter(
            statuses=tuple(OrderStatus(each) for each in content["statuses"]),
            buyer_id=content["buyer_id"],
            needs_attention=content["needs_attention"],
            attentions=tuple(Attention(each) for each in content["attentions"]),
            number=content["number"],
            product_id=content["product_id"],
            **moments,
        )
        return ExportFormat(content["format"]), wanted


def record_of(order: Row) -> dict[str, Any]:
    """Return what of an order is exported, as JSON values; amounts are decimals as text."""

    def show(amount: int) -> str:
        return f"{Money(amount, order['currency']).decimal:f}"

    address = order.get("shipping_address") or {}
    return {
        "number": order["number"],
        "status": order["status"],
        **{name: _moment(order.get(name)) for name in ("placed_at", "paid_at", "updated_at")},
        **{name: order.get(name) for name in ("buyer_id", "buyer_name", "buyer_email")},
        "currency": order["currency"],
        "subtotal": show(order["subtotal_amount"]),
        "discount": show(order.get("discount_amount") or 0),
        "shipping": show(order["shipping_amount"]),
        "tax": show(order.get("tax_amount") or 0),
        "total": show(order["total_amount"]),
        "refunded": show(order.get("refunded_amount") or 0),
        "quantity": order["quantity"],
        "lines": [
            {
                "product_id": line["product_id"],
                "sku": line["sku"],
                "name": line["name"],
                "quantity": line["quantity"],
                "unit_price": show(line["unit_amount"]),
                "discount": show(line.get("discount_amount") or 0),
                "tax": show(line.get("tax_amount") or 0),
                "total": show(line["total_amount"]),
            }
            for line in order["lines"]
        ],
        "shipping_address": {name: address.get(name) for name in _ADDRESS} if address else None,
        "shipments": [
            {
                "carrier": shipment["carrier"],
                "tracking_number": shipment["tracking_number"],
                "shipped_at": _moment(shipment["shipped_at"]),
                "delivered_at": _moment(shipment.get("delivered_at")),
            }
            for shipment in order["shipments"]
        ],
        "invoice_number": order.get("invoice_number"),
        "note": order.get("note"),
    }


def cells_of(record: Mapping[str, Any]) -> list[str]:
    """Return the cells of an order's line, by COLUMNS."""
    flat: dict[str, Any] = {
        **record,
        **(record["shipping_address"] or {}),
        "lines": "; ".join(f"{line['quantity']} x {line['sku']}" for line in record["lines"]),
        "carriers": "; ".join(shipment["carrier"] for shipment in record["shipments"]),
        "tracking_numbers": "; ".join(shipment["tracking_number"] for shipment in record["shipments"]),
    }
    return [_cell(flat.get(name)) for name in COLUMNS]


def write_csv(rows: list[Any]) -> str:
    """Return rows of cells as lines of CSV."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()


def write_json(record: Mapping[str, Any]) -> str:
    """Return a record as a line."""
    return json.dumps(record, ensure_ascii=False) + "\n"


def guard_formula(text: str) -> str:
    """Return *text* so that a spreadsheet shows it rather than runs it."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case str():
            return guard_formula(value)
        case _:
            return str(value)


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
