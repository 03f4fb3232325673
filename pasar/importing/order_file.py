"""Read a purchase history: one purchase per line, in columns that the user names. No database, no clock."""

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from itertools import chain
from zoneinfo import ZoneInfo

from core.errors import BadUserInput, PasarError
from core.money import Money, parse_money

MAX_TEXT_LENGTH = 200
# More pieces in one purchase were mistyped
MAX_QUANTITY = 1_000_000
# Before it there was no trade over networks, and most such dates are a zero that was read as a date
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


class Delimiter(StrEnum):
    """What separates columns; `auto` looks at the first line."""

    AUTO = "auto"
    COMMA = "comma"
    SEMICOLON = "semicolon"
    TAB = "tab"
    BLANK = "blank"


_CHARACTERS = {Delimiter.COMMA: ",", Delimiter.SEMICOLON: ";", Delimiter.TAB: "\t"}


class OrderFileUnusable(PasarError):
    """The file as a whole cannot be read: no such column, or not a text."""

    code = "ORDER_FILE_UNUSABLE"


@dataclass(frozen=True, slots=True)
class Columns:
    """Where each value is: a header's name, or a number counted from 1. Empty: the file has no such column."""

    customer: str = "customer"
    date: str = "date"
    quantity: str = "quantity"
    amount: str = "amount"
    product: str = ""
    order_id: str = ""


@dataclass(frozen=True, slots=True)
class FileFormat:
    """How to read the text; *date_format* is one of strptime, empty for ISO 8601 and YYYYMMDD."""

    columns: Columns
    currency: str
    timezone: ZoneInfo
    delimiter: Delimiter = Delimiter.AUTO
    has_header: bool = True
    date_format: str = ""


@dataclass(frozen=True, slots=True)
class Purchase:
    """One line of the file. *total* is what the customer paid for all pieces."""

    line: int
    customer: str
    placed_at: datetime
    quantity: int
    total: Money
    product: str = ""
    order_id: str = ""


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A line that is no purchase, and why."""

    line: int
    reason: str


def read_purchases(lines: Iterable[str], format_: FileFormat, *, now: datetime) -> Iterator[Purchase | RefusedRow]:
    """Yield each line as a purchase or as refused, in the file's order. Empty lines are passed over.

    *lines* come from a file opened with `errors="surrogateescape"`, so that one line that is not UTF-8 costs itself
    only.

    Raises:
        OrderFileUnusable: the file is empty or lacks a column that is named.
    """
    rows = _split_rows(lines, format_.delimiter)
    first = next(rows, None)
    if first is None:
        raise OrderFileUnusable("the file is empty")
    _, first_cells = first
    positions = _find_columns(first_cells, format_)
    remaining = rows if format_.has_header else chain([first], rows)
    for line, cells in remaining:
        if isinstance(cells, str):
            yield RefusedRow(line, cells)
            continue
        try:
            yield _read_purchase(line, cells, positions, len(first_cells), format_, now)
        except BadUserInput as refusal:
            yield RefusedRow(line, refusal.message)


def _split_rows(lines: Iterable[str], delimiter: Delimiter) -> Iterator[tuple[int, list[str] | str]]:
    """Yield line number and cells, or line number and why it cannot be split."""
    numbered = iter(lines)
    first = next((line for line in numbered if line.strip()), None)
    if first is None:
        return
    chosen = _guess_delimiter(first) if delimiter is Delimiter.AUTO else delimiter
    everything = chain([first], numbered)
    if chosen is Delimiter.BLANK:
        for line, text in enumerate(everything, start=1):
            if cells := text.split():
                yield line, cells
        return
    reader = csv.reader(everything, delimiter=_CHARACTERS[chosen], skipinitialspace=True)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield reader.line_num, f"cannot be split into columns: {error}"
            continue
        stripped = [cell.strip() for cell in cells]
        if any(stripped):
            yield reader.line_num, stripped


def _guess_delimiter(line: str) -> Delimiter:
    for delimiter in (Delimiter.TAB, Delimiter.SEMICOLON, Delimiter.COMMA):
        if _CHARACTERS[delimiter] in line:
            return delimiter
    return Delimiter.BLANK


def _find_columns(first: list[str] | str, format_: FileFormat) -> dict[str, int]:
    """Return the position of each column that the file has, by our name for it."""
    if isinstance(first, str):
        raise OrderFileUnusable(f"the first line {first}")
    names = {cell.strip().lower(): position for position, cell in reversed(list(enumerate(first)))}
    positions: dict[str, int] = {}
    for field in Columns.__dataclass_fields__:
        wanted = getattr(format_.columns, field)
        if not wanted:
            continue
        if format_.has_header and wanted.lower() in names:
            positions[field] = names[wanted.lower()]
        elif wanted.isdigit() and 1 <= int(wanted) <= len(first):
            positions[field] = int(wanted) - 1
        else:
            option = f"--{field.replace('_', '-')}"
            known = ", ".join(first) if format_.has_header else f"numbers from 1 to {len(first)}"
            raise OrderFileUnusable(f"there is no column {wanted!r} ({option}); the file has: {known}")
    return positions


def _read_purchase(
    line: int, cells: list[str], positions: dict[str, int], width: int, format_: FileFormat, now: datetime
) -> Purchase:
    if len(cells) != width:
        raise BadUserInput(f"has {len(cells)} columns instead of {width}")
    row = {field: cells[position] for field, position in positions.items()}
    _check_texts(row)
    if not row["customer"]:
        raise BadUserInput("customer is empty")
    if "order_id" in row and not row["order_id"]:
        raise BadUserInput("order id is empty")
    total = parse_money(row["amount"], format_.currency, field="amount")
    if total.amount < 0:
        raise BadUserInput(f"amount {row['amount']} is negative")
    return Purchase(
        line=line,
        customer=row["customer"],
        placed_at=_read_date(row["date"], format_, now),
        quantity=_read_quantity(row["quantity"]),
        total=total,
        product=row.get("product", ""),
        order_id=row.get("order_id", ""),
    )


def _check_texts(row: dict[str, str]) -> None:
    # One look at all of them, which nearly always is enough
    if "".join(row.values()).isprintable() and max(map(len, row.values())) <= MAX_TEXT_LENGTH:
        return
    for field, text in row.items():
        # How undecodable bytes were let through
        if re.search(r"[\udc80-\udcff]", text):
            raise BadUserInput(f"{field} is not UTF-8 text")
        if len(text) > MAX_TEXT_LENGTH or not text.isprintable():
            raise BadUserInput(f"{field} is not a line of at most {MAX_TEXT_LENGTH} characters")


def _read_quantity(text: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,18}", text):
        raise BadUserInput(f"quantity {text!r} is not a whole number")
    quantity = int(text)
    if not 1 <= quantity <= MAX_QUANTITY:
        raise BadUserInput(f"quantity {quantity} is not between 1 and {MAX_QUANTITY}")
    return quantity


def _read_date(text: str, format_: FileFormat, now: datetime) -> datetime:
    try:
        if format_.date_format:
            moment = datetime.strptime(text, format_.date_format)  # noqa: DTZ007  # the zone is added below
        else:
            # Python's reads YYYYMMDD as well, but also weeks and ordinal days, which nobody means here
            if not re.match(r"[0-9]{4}-?[0-9]{2}-?[0-9]{2}(?![0-9])", text):
                raise ValueError
            moment = datetime.fromisoformat(text)
    except ValueError:
        wanted = format_.date_format or "YYYY-MM-DD, YYYYMMDD or with a time"
        raise BadUserInput(f"date {text!r} is not of the form {wanted}") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=format_.timezone)
    # The ends of the calendar cannot be moved to another timezone
    if not EARLIEST.year - 1 < moment.year < 9999:
        raise BadUserInput(f"date {text!r} is {'before 1970' if moment.year < 1970 else 'in the future'}")
    moment = moment.astimezone(UTC)
    if not EARLIEST <= moment <= now:
        raise BadUserInput(f"date {text!r} is {'in the future' if moment > now else 'before 1970'}")
    return moment
