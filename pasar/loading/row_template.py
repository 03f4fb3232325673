"""Rows with lines as BSON, many that differ in some places only: a third of the cost of encoding each.

Nearly all values in a row of an order have a length that is known: ids, moments, amounts. A template is made from a row
that has marks in their places. Fields that are longer or shorter from row to row are encoded by whoever fills it.
"""

from collections.abc import Mapping, Set
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from bson import encode

if TYPE_CHECKING:
    # It brings Beanie along, and the programs that make rows shall start at once
    from core.mongo import Row

int32 = Struct("<i").pack
int64 = Struct("<q").pack

# An array's own length and its end
_ARRAY_BYTES = 5


class RowTemplate(NamedTuple):
    """The BSON of a row but for its length, with places for values; *fixed_bytes* is its length without these."""

    text: bytes
    fixed_bytes: int

    def fill(self, values: dict[bytes, bytes], lines: bytes, variable_bytes: int) -> bytes:
        """Return the row with *values* by the names of marks and variable fields, and with *lines* as in their array.

        *variable_bytes* are those of the variable fields, the lines not counted.
        """
        values[b"lines"] = lines
        values[b"lines_length"] = int32(len(lines) + _ARRAY_BYTES)
        return int32(self.fixed_bytes + variable_bytes + len(lines)) + self.text % values


def make_template(row: "Row", marks: Mapping[bytes, bytes], variable: Set[str]) -> RowTemplate:
    """Return the template of *row*: with places for *marks*, by name, and for the fields that are *variable*.

    One of these may be `lines`. A mark is as long as any value in its place, and stands nowhere else by chance.
    """
    text = b""
    # The row's own length and its end
    fixed_bytes = 5
    for field, value in row.items():
        if field in variable:
            place = b"%%(%b)b" % field.encode()
            if field == "lines":
                text += b"\x04lines\0%(lines_length)b" + place + b"\0"
                fixed_bytes += len(b"\x04lines\0") + _ARRAY_BYTES
            else:
                text += place
        else:
            element = encode({field: value})[4:-1]
            fixed_bytes += len(element)
            element = _escape(element)
            for mark, key in marks.items():
                element = element.replace(_escape(mark), b"%%(%b)b" % key)
            text += element
    return RowTemplate(text + b"\0", fixed_bytes)


def _escape(text: bytes) -> bytes:
    return text.replace(b"%", b"%%")
