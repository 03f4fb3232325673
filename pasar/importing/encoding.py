"""Purchases of a file as the BSON of their orders: the same as encoding the rows of `rows.py`, at a fifth of the cost.

Orders of a file are the same bytes but for some places (`pasar/loading/row_template.py`). A test compares what comes
out with the rows.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from bson import encode

from core.money import Money
from pasar.derived_ids import derived_id
from pasar.importing.order_file import Purchase
from pasar.importing.rows import imported_order, number_of
from pasar.loading.row_template import RowTemplate, int32, int64, make_template
from subgraphs.order.bulk import past_order_to_row
from subgraphs.order.past_sums import PastSums

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_LARGEST_INT32 = 2**31 - 1
# What stands in the template where a value will be. As long as a value, and in no row by chance
_ORDER_MARK = "ord_00000000000000marked000000"
_BUYER_MARK = "usr_00000000000000marked111111"
_MOMENT_MARK = datetime(1907, 8, 16, 3, 33, 20, tzinfo=UTC)
_QUANTITY_MARK = 0x7A6B5C11
# Fields that are encoded for themselves
_VARIABLE = frozenset({"buyer_name", "lines", "subtotal_amount", "total_amount"})
# A history has some thousands of products, and customers come again
_KEPT_PRODUCTS, _KEPT_CUSTOMERS = 50_000, 50_000


class Task(NamedTuple):
    """A purchase with its order's id, in values that cost little to hand to another program.

    *placed_ms* are milliseconds since 1970 began, *amount* minor units of the history's currency.
    """

    order_id: str
    customer: str
    placed_ms: int
    quantity: int
    amount: int
    product: str


def to_task(order_id: str, purchase: Purchase) -> Task:
    """Return a purchase as a task."""
    return Task(
        order_id,
        purchase.customer,
        (purchase.placed_at - _EPOCH) // _MILLISECOND,
        purchase.quantity,
        purchase.total.amount,
        purchase.product,
    )


class _Product(NamedTuple):
    """A product's id, and what a line has of it between the line's own id and its quantity."""

    id: str
    named: bytes


class PurchaseEncoder:
    """Encodes purchases of the history *source*, all in one currency. Mutable: remembers customers and products."""

    def __init__(self, source: str, currency: str) -> None:
        self._source = source
        self._currency = currency
        like = Purchase(
            line=1, customer="", placed_at=_MOMENT_MARK, quantity=_QUANTITY_MARK, total=Money(0, currency), product=""
        )
        row = past_order_to_row(imported_order(_ORDER_MARK, source, like))
        row["buyer_id"] = _BUYER_MARK
        self._status: str = row["status"]
        # Of the line's id, around the order's
        self._id_begins, self._id_ends = encode({"id": f"{_ORDER_MARK}-1"})[4:-1].split(_ORDER_MARK.encode())
        self._template: RowTemplate = make_template(
            row,
            {
                _ORDER_MARK.encode(): b"order_id",
                row["number"].encode(): b"number",
                _BUYER_MARK.encode(): b"buyer_id",
                int64((_MOMENT_MARK - _EPOCH) // _MILLISECOND): b"at",
                int32(_QUANTITY_MARK): b"quantity",
            },
            _VARIABLE,
        )
        self._product = lru_cache(_KEPT_PRODUCTS)(self._find_product)
        self._buyer = lru_cache(_KEPT_CUSTOMERS)(self._find_buyer)

    def encode(self, task: Task, sums: PastSums) -> bytes:
        """Return the row of a purchase, and add it to *sums*."""
        order_id, customer, placed_ms, quantity, amount, product_name = task
        product = self._product(product_name)
        buyer_id, buyer_name = self._buyer(customer)
        total = _number(amount)
        pieces = int32(quantity)
        line = b"".join(
            (
                self._id_begins,
                order_id.encode(),
                self._id_ends,
                product.named,
                b"\x10quantity\0",
                pieces,
                _element(b"unit_amount", _number(amount // quantity)),
                _element(b"total_amount", total),
            )
        )
        subtotal_element, total_element = _element(b"subtotal_amount", total), _element(b"total_amount", total)
        values = {
            b"order_id": order_id.encode(),
            b"number": number_of(order_id, placed_ms // 1000).encode(),
            b"buyer_id": buyer_id,
            b"buyer_name": buyer_name,
            b"at": int64(placed_ms),
            b"quantity": pieces,
            b"subtotal_amount": subtotal_element,
            b"total_amount": total_element,
        }
        sums.add_order(
            placed_ms // 1000,
            self._currency,
            self._status,
            quantity,
            amount,
            ((product.id, quantity, amount, ()),),
        )
        return self._template.fill(
            values,
            b"\x030\0" + int32(len(line) + 5) + line + b"\0",
            len(buyer_name) + len(subtotal_element) + len(total_element),
        )

    def _find_product(self, name: str) -> _Product:
        shown = name or self._source
        product_id = derived_id("prd", "import", self._source, shown)
        return _Product(product_id, encode({"product_id": product_id, "name": shown, "sku": shown})[4:-1])

    def _find_buyer(self, name: str) -> tuple[bytes, bytes]:
        buyer_id = derived_id("usr", "import", self._source, name)
        return buyer_id.encode(), encode({"buyer_name": name})[4:-1]


def _number(value: int) -> bytes:
    """Return a number, after the byte that says of which type it is."""
    return b"\x10" + int32(value) if value <= _LARGEST_INT32 else b"\x12" + int64(value)


def _element(name: bytes, number: bytes) -> bytes:
    return number[:1] + name + b"\0" + number[1:]
