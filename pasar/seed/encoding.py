"""Seeded orders and payments as BSON: the same as encoding the rows of `rows.py`, at a third of the cost.

Orders that went the same way are the same bytes but for some places (`pasar/loading/row_template.py`). What is longer
or shorter from order to order (lines, the buyer's name and address) is encoded once and kept. A test compares what
comes out with the rows.
"""

from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from itertools import count
from typing import NamedTuple

from bson import encode

from pasar.loading.row_template import RowTemplate, int32, int64, make_template
from pasar.seed.history import SeededLine, SeededOrder
from pasar.seed.people import Person
from pasar.seed.rows import CARRIERS, address_row, shipment_code, shipping_amount, sold_rows
from subgraphs.order.model import OrderStatus

# What stands in a template where a value will be. As long as a value, and in no row by chance
_ULID_MARK = "00000000000000marked000000"
_BUYER_MARK = "usr_00000000000000marked111111"
_MOMENT_MARKS_S = tuple(-2_000_000_000 + 7919 * place for place in range(5))
_AMOUNT_MARKS = {
    b"quantity": 0x7A6B5C11,
    b"subtotal": 0x7A6B5C22,
    b"shipping": 0x7A6B5C33,
    b"total": 0x7A6B5C44,
}
# Fields that are encoded for themselves
_VARIABLE = frozenset({"buyer_email", "buyer_name", "shipping_address", "lines"})
_KEPT_BUYERS = 50_000


class EncodedSold(NamedTuple):
    """An order and its payment as BSON, with what the order adds to the sums."""

    order: bytes
    payment: bytes
    quantity: int
    amount: int


class _Line(NamedTuple):
    """A line of the order's list, but for the order's id in it, and of the payment's."""

    before_ulid: bytes
    after_ulid: bytes
    paid: bytes
    amount: int
    weight_grams: int


class _Buyer(NamedTuple):
    """What rows say of a buyer."""

    id: bytes
    email: bytes
    name: bytes
    address: bytes


class RowEncoder:
    """Encodes orders that one person packs. Mutable: keeps templates."""

    def __init__(self, packer_id: str) -> None:
        self._packer_id = packer_id
        self._templates: dict[tuple[OrderStatus, int, str], tuple[RowTemplate, RowTemplate]] = {}
        self._lines: dict[tuple[str, int, int], _Line] = {}
        self._buyer = lru_cache(_KEPT_BUYERS)(_encode_buyer)

    def encode(self, seeded: SeededOrder) -> EncodedSold:
        """Encode an order and its payment."""
        order_id, number, person, bought, moves = seeded
        ulid = order_id[4:].encode()
        buyer = self._buyer(person)
        known = self._lines
        lines: list[bytes] = []
        paid_lines: list[bytes] = []
        quantity = subtotal = weight_grams = 0
        for place, one in enumerate(bought):
            product, pieces, _ = one
            line = known.get((product.id, pieces, place))
            if line is None:
                line = known[product.id, pieces, place] = self._encode_line(one, place)
            lines += (line.before_ulid, ulid, line.after_ulid)
            paid_lines.append(line.paid)
            quantity += pieces
            subtotal += line.amount
            weight_grams += line.weight_grams
        shipping = shipping_amount(weight_grams)
        total = subtotal + shipping
        status = moves[-1][0]
        code, city = 0, ""
        if status is OrderStatus.DELIVERED or status is OrderStatus.SHIPPED:
            code, city = shipment_code(number), person.city
        key = (status, code % len(CARRIERS), city)
        templates = self._templates.get(key)
        if templates is None:
            templates = self._templates[key] = self._make_templates(seeded)
        values = {
            b"ulid": ulid,
            b"number": number.encode(),
            b"buyer_id": buyer.id,
            b"buyer_email": buyer.email,
            b"buyer_name": buyer.name,
            b"shipping_address": buyer.address,
            b"quantity": int32(quantity),
            b"subtotal": int32(subtotal),
            b"shipping": int32(shipping),
            b"total": int32(total),
            b"tracking": b"%010d" % code,
        }
        for key_of_moment, (_, at_s) in zip(_MOMENT_KEYS, moves, strict=False):
            values[key_of_moment] = int64(1000 * at_s)
        return EncodedSold(
            templates[0].fill(values, b"".join(lines), len(buyer.email) + len(buyer.name) + len(buyer.address)),
            templates[1].fill(values, b"".join(paid_lines), len(buyer.email) + len(buyer.name)),
            quantity,
            total,
        )

    def _encode_line(self, one: SeededLine, place: int) -> _Line:
        # The lines before it only give it its place
        bought = (one,) * (place + 1)
        now = datetime.fromtimestamp(_MOMENT_MARKS_S[0], UTC)
        buyer = Person(_BUYER_MARK, "", "", (), now, "", "", "", "", "")
        moves = ((OrderStatus.PENDING_PAYMENT, _MOMENT_MARKS_S[0]),)
        rows = sold_rows(SeededOrder(f"ord_{_ULID_MARK}", "", buyer, bought, moves), packer_id=self._packer_id)
        line, paid = rows.order["lines"][place], rows.payment["lines"][place]
        before, after = encode({str(place): line})[4:-1].split(_ULID_MARK.encode())
        return _Line(
            before,
            after,
            encode({str(place): paid})[4:-1],
            line["total_amount"],
            one.quantity * one.product.weight_grams,
        )

    def _make_templates(self, like: SeededOrder) -> tuple[RowTemplate, RowTemplate]:
        """Return the templates of order and payment for all orders that went the way of *like*."""
        carrier = shipment_code(like.number) % len(CARRIERS)
        numbers = (f"ORD-000000-MARK{n:06}" for n in count())
        number = next(number for number in numbers if shipment_code(number) % len(CARRIERS) == carrier)
        moves = tuple((status, at_s) for (status, _), at_s in zip(like.moves, _MOMENT_MARKS_S, strict=False))
        marked = SeededOrder(f"ord_{_ULID_MARK}", number, replace(like.buyer, id=_BUYER_MARK), like.lines, moves)
        rows = sold_rows(marked, packer_id=self._packer_id)
        amounts = {name.decode(): value for name, value in _AMOUNT_MARKS.items()}
        order = rows.order | {
            "quantity": amounts["quantity"],
            "subtotal_amount": amounts["subtotal"],
            "shipping_amount": amounts["shipping"],
            "total_amount": amounts["total"],
        }
        payment = rows.payment | {
            name: amounts["total"] for name in ("amount", "captured_amount") if name in rows.payment
        }
        marks = {
            _ULID_MARK.encode(): b"ulid",
            number.encode(): b"number",
            _BUYER_MARK.encode(): b"buyer_id",
            **{int32(value): name for name, value in _AMOUNT_MARKS.items()},
            **{int64(1000 * at_s): key for at_s, key in zip(_MOMENT_MARKS_S, _MOMENT_KEYS, strict=True)},
        }
        if order["shipments"]:
            marks[order["shipments"][0]["tracking_number"][2:].encode()] = b"tracking"
        return make_template(order, marks, _VARIABLE), make_template(payment, marks, _VARIABLE)


_MOMENT_KEYS = tuple(b"at%d" % place for place in range(len(_MOMENT_MARKS_S)))


def _encode_buyer(person: Person) -> _Buyer:
    return _Buyer(
        person.id.encode(),
        encode({"buyer_email": person.email})[4:-1],
        encode({"buyer_name": person.name})[4:-1],
        encode({"shipping_address": address_row(person)})[4:-1],
    )
