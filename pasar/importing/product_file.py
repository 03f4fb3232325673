"""Read and write products as CSV or JSON lines. No database.

CSV has one column per field; `attribute:colour` and `choice:size` are columns of their own, images are URLs and options
`size=s|m|l` separated by blanks and semicolons. An empty cell, or a key that is not there, says nothing: an `-` in
`category` says that there is none.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TextIO, TypeVar

from core.errors import BadUserInput, PasarError
from core.money import parse_money
from pasar.importing.product_format import ProductFormat
from subgraphs.product.attributes import ProductAttribute
from subgraphs.product.importing import ProductRow
from subgraphs.product.model import ProductOption, ProductStatus
from subgraphs.product.picture_model import ProductImage

# A line that is longer was not meant as one product
MAX_LINE_LENGTH = 1_000_000
FIELDS = (
    *("sku", "name", "slug", "description", "price", "currency", "category", "status", "weight_grams", "images"),
    *("options", "parent"),
)
ATTRIBUTE, CHOICE = "attribute:", "choice:"
NO_CATEGORY = "-"

T = TypeVar("T")


class ProductFileUnusable(PasarError):
    """The file as a whole cannot be read or written; nothing was imported."""

    code = "PRODUCT_FILE_UNUSABLE"


@dataclass(frozen=True, slots=True)
class NumberedRow:
    """A product and the line of the file on which it begins."""

    line: int
    row: ProductRow


@dataclass(frozen=True, slots=True)
class RefusedProduct:
    """A line that is no product, or that the catalogue refused: *code* is for programs, *reason* a sentence."""

    line: int
    sku: str
    code: str
    reason: str


def format_of(name: str, chosen: ProductFormat) -> ProductFormat:
    """Return the format of a file called *name*; raise ProductFileUnusable when neither tells."""
    if chosen is not ProductFormat.AUTO:
        return chosen
    match name.lower().rpartition(".")[2]:
        case "csv":
            return ProductFormat.CSV
        case "jsonl" | "ndjson":
            return ProductFormat.JSONL
    raise ProductFileUnusable(f"{name} ends neither in .csv nor in .jsonl: say which it is with --format")


def read_rows(lines: Iterable[str], format_: ProductFormat, currency: str) -> Iterator[NumberedRow | RefusedProduct]:
    """Read products; prices without a currency are in *currency*.

    *lines* were decoded as UTF-8 with `surrogateescape`.

    Raises:
        ProductFileUnusable: a CSV file has no header, or one with columns that are none of ours.
    """
    records = _read_csv(lines) if format_ is ProductFormat.CSV else _read_json(lines)
    for line, record in records:
        if isinstance(record, str):
            yield RefusedProduct(line, "", "UNREADABLE_ROW", record)
            continue
        sku = record.get("sku")
        try:
            yield NumberedRow(line, _read_row(record, currency))
        except BadUserInput as error:
            reason = f"{error.field}: {error.message}" if error.field else error.message
            yield RefusedProduct(line, sku if isinstance(sku, str) else "", error.code, reason)


def _read_csv(lines: Iterable[str]) -> Iterator[tuple[int, dict[str, Any] | str]]:
    reader = csv.reader(lines, strict=True)
    try:
        header = [name.strip() for name in next(reader)]
    except (StopIteration, csv.Error):
        raise ProductFileUnusable("the file has no header") from None
    unknown = [name for name in header if name not in FIELDS and not name.startswith((ATTRIBUTE, CHOICE))]
    if unknown or "sku" not in header or len(set(header)) < len(header):
        wrong = f"unknown columns: {', '.join(unknown)}" if unknown else "it needs a column sku, and each column once"
        raise ProductFileUnusable(f"the header cannot be used: {wrong}; known are {', '.join(FIELDS)}")
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, f"the line cannot be split into columns: {error}"
            continue
        if not cells:
            continue
        if len(cells) != len(header):
            yield line, f"the line has {len(cells)} columns instead of {len(header)}"
        elif any("\udc80" <= character <= "\udcff" for cell in cells for character in cell):
            yield line, "the line is not UTF-8 text"
        else:
            yield line, _record_of(dict(zip(header, cells, strict=True)))


def _record_of(cells: Mapping[str, str]) -> dict[str, Any]:
    """Return a CSV line in the form of JSON lines."""
    record: dict[str, Any] = {name: cells[name] for name in FIELDS if cells.get(name)}
    for prefix, name in ((ATTRIBUTE, "attributes"), (CHOICE, "choices")):
        given = {key.removeprefix(prefix): cell for key, cell in cells.items() if key.startswith(prefix) and cell}
        if given:
            record[name] = given
    if "images" in record:
        record["images"] = record["images"].split()
    if "options" in record:
        pairs = (each.partition("=") for each in record["options"].split(";"))
        record["options"] = {name.strip(): values.split("|") for name, _, values in pairs}
    if isinstance(weight := record.get("weight_grams"), str) and weight.strip().isdecimal():
        record["weight_grams"] = int(weight)
    return record


def _read_json(lines: Iterable[str]) -> Iterator[tuple[int, dict[str, Any] | str]]:
    for line, text in enumerate(lines, start=1):
        if not text.strip():
            continue
        if len(text) > MAX_LINE_LENGTH:
            yield line, f"the line has more than {MAX_LINE_LENGTH} characters"
            continue
        try:
            text.encode()
            record = json.loads(text)
        except UnicodeEncodeError:
            yield line, "the line is not UTF-8 text"
        except (ValueError, RecursionError):
            yield line, "the line is not JSON"
        else:
            yield line, record if isinstance(record, dict) else "the line is not a JSON object"


def _read_row(record: Mapping[str, Any], currency: str) -> ProductRow:
    unknown = sorted(set(record) - {*FIELDS, "attributes", "choices"})
    if unknown:
        raise BadUserInput(f"unknown fields: {', '.join(unknown)}")
    sku = _read(record, "sku", str)
    if sku is None:
        raise BadUserInput("every product needs one", field="sku")
    price = record.get("price")
    if price is not None and not isinstance(price, str):
        raise BadUserInput('an amount is a text such as "12.50", for a number may be a little off', field="price")
    status = _read(record, "status", str)
    if status is not None and status not in ProductStatus.__members__:
        raise BadUserInput(f"{status!r} is none of {', '.join(ProductStatus)}", field="status")
    category = _read(record, "category", str)
    return ProductRow(
        sku=sku,
        name=_read(record, "name", str),
        slug=_read(record, "slug", str),
        description=_read(record, "description", str),
        price=None if price is None else parse_money(price, _read(record, "currency", str) or currency),
        category="" if category == NO_CATEGORY else category,
        status=None if status is None else ProductStatus(status),
        weight_grams=_read(record, "weight_grams", int),
        images=_each(record, "images", _read_image),
        attributes=_read_pairs(record, "attributes"),
        options=_read_options(record),
        parent=_read(record, "parent", str),
        choices=_read_pairs(record, "choices"),
    )


def _read(record: Mapping[str, Any], name: str, type_: type[T]) -> T | None:
    value = record.get(name)
    if value is None or (isinstance(value, type_) and not isinstance(value, bool)):
        return value
    raise BadUserInput(f"{value!r} is no {'text' if type_ is str else 'whole number'}", field=name)


def _each(record: Mapping[str, Any], name: str, read: Callable[[Any], T]) -> tuple[T, ...] | None:
    values = _read(record, name, list)
    return None if values is None else tuple(read(value) for value in values)


def _read_image(value: Any) -> ProductImage:
    match value:
        case str():
            return ProductImage(value)
        case {"url": str(url), "alt_text": str(alt_text)}:
            return ProductImage(url, alt_text)
        case {"url": str(url)}:
            return ProductImage(url)
    raise BadUserInput("an image is a URL, or an object with url and alt_text", field="images")


def _read_pairs(record: Mapping[str, Any], name: str) -> tuple[ProductAttribute, ...] | None:
    values = _read(record, name, dict)
    if values is None:
        return None
    if not all(isinstance(value, str) for value in values.values()):
        raise BadUserInput("values are texts", field=name)
    return tuple(ProductAttribute(key, value) for key, value in values.items())


def _read_options(record: Mapping[str, Any]) -> tuple[ProductOption, ...] | None:
    values = _read(record, "options", dict)
    if values is None:
        return None
    for each in values.values():
        if not isinstance(each, list) or not all(isinstance(value, str) for value in each):
            raise BadUserInput("an option has a list of texts", field="options")
    return tuple(ProductOption(name, tuple(each)) for name, each in values.items())


def write_json(row: ProductRow) -> str:
    """Return *row* as a line that reads as the same row."""
    record: dict[str, Any] = {"sku": row.sku, "name": row.name, "slug": row.slug, "description": row.description}
    if row.price is not None:
        record |= {"price": f"{row.price.decimal:f}", "currency": row.price.currency}
    record |= {
        "category": row.category or (None if row.category is None else NO_CATEGORY),
        "status": row.status,
        "weight_grams": row.weight_grams,
        "images": [{"url": each.url, "alt_text": each.alt_text} for each in row.images or ()],
        "attributes": {each.name: each.value for each in row.attributes or ()},
    }
    if row.parent:
        record |= {"parent": row.parent, "choices": {each.name: each.value for each in row.choices or ()}}
    else:
        record["options"] = {each.name: list(each.values) for each in row.options or ()}
    return json.dumps({name: value for name, value in record.items() if value is not None}, ensure_ascii=False)


class CsvWriter:
    """Writes rows as CSV; *attributes* and *choices* are the names that have a column.

    Alternative texts of images have no column: JSON lines keep them.
    """

    def __init__(self, file: TextIO, attributes: Sequence[str], choices: Sequence[str]) -> None:
        self._columns = (*FIELDS, *(ATTRIBUTE + name for name in attributes), *(CHOICE + name for name in choices))
        self._writer = csv.writer(file, lineterminator="\n")
        self._writer.writerow(self._columns)

    def write(self, row: ProductRow) -> None:
        """Write one line."""
        cells = {
            "sku": row.sku,
            "name": row.name,
            "slug": row.slug,
            "description": row.description,
            "price": "" if row.price is None else f"{row.price.decimal:f}",
            "currency": "" if row.price is None else row.price.currency,
            "category": NO_CATEGORY if row.category == "" else row.category,
            "status": row.status,
            "weight_grams": row.weight_grams,
            "images": " ".join(image.url for image in row.images or ()),
            "options": ";".join(f"{each.name}={'|'.join(each.values)}" for each in row.options or ()),
            "parent": row.parent,
            **{ATTRIBUTE + each.name: each.value for each in row.attributes or ()},
            **{CHOICE + each.name: each.value for each in row.choices or ()},
        }
        self._writer.writerow(["" if (value := cells.get(column)) is None else value for column in self._columns])


def render_csv(rows: Iterable[ProductRow]) -> str:
    """Return *rows* as CSV."""
    kept = list(rows)
    text = io.StringIO()
    writer = CsvWriter(
        text,
        sorted({each.name for row in kept for each in row.attributes or ()}),
        sorted({each.name for row in kept for each in row.choices or ()}),
    )
    for row in kept:
        writer.write(row)
    return text.getvalue()
