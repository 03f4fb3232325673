"""Keyset paging: a page starts after a row's sort values, so it stays right while rows are added and costs no skip."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeAlias, TypeVar

import msgspec
from pymongo.asynchronous.collection import AsyncCollection

from core.errors import BadUserInput
from core.mongo import Row

DEFAULT_PAGE_SIZE = 20
MAX_PAGE_SIZE = 100

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

R = TypeVar("R")
R2 = TypeVar("R2")

SortOrder: TypeAlias = Sequence[tuple[str, int]]
"""Fields with 1 or -1; the last one is unique (`_id`) and none is ever absent."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """A page of *limit* rows, after *cursor* or, when *backward*, before it. The cursor holds a row's sort values."""

    limit: int
    backward: bool = False
    cursor: tuple[Any, ...] | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[R]):
    """Rows in the asked order, each with its cursor."""

    rows: tuple[R, ...]
    cursors: tuple[str, ...]
    has_next: bool
    has_previous: bool


def read_page_request(first: int | None, after: str | None, last: int | None, before: str | None) -> PageRequest:
    """Check Relay's four arguments.

    Raises:
        BadUserInput: both directions at once, a count out of 0..MAX_PAGE_SIZE, or a cursor that is not ours.
    """
    if (first is not None or after is not None) and (last is not None or before is not None):
        raise BadUserInput("ask either with first/after or with last/before", field="first")
    backward = last is not None or before is not None
    name, count, cursor = ("last", last, before) if backward else ("first", first, after)
    limit = DEFAULT_PAGE_SIZE if count is None else count
    if not 0 <= limit <= MAX_PAGE_SIZE:
        raise BadUserInput(f"{name} is {limit}; it must be between 0 and {MAX_PAGE_SIZE}", field=name)
    if cursor is None:
        return PageRequest(limit, backward)
    return PageRequest(limit, backward, decode_cursor(cursor, field="before" if backward else "after"))


async def find_page(
    collection: AsyncCollection[Row],
    query: Mapping[str, Any],
    order: SortOrder,
    page: PageRequest,
    *,
    projection: Mapping[str, Any] | None = None,
    hint: str | SortOrder | None = None,
) -> Page[Row]:
    """Return one page of the rows that *query* finds; one query, with one row more to see whether others follow.

    *projection* must keep the fields of *order*. *hint* is the index to use where several could serve
    the order: its name, or its fields.
    """
    direction = _direction(order, page)
    if page.limit == 0:
        return _empty(direction, page)
    cursor = collection.find(_condition(query, direction, page), projection).sort(direction).limit(page.limit + 1)
    if hint is not None:
        cursor = cursor.hint(hint if isinstance(hint, str) else list(hint))
    rows = await cursor.to_list()
    return _page_of(rows, order, page)


async def find_pages(
    collection: AsyncCollection[Row],
    field: str,
    values: Sequence[str],
    order: SortOrder,
    page: PageRequest,
    *,
    query: Mapping[str, Any] | None = None,
    projection: Mapping[str, Any] | None = None,
    hint: str | None = None,
) -> list[Page[Row]]:
    """Return for each of *values* the page of the rows whose *field* has that value; one query for all of them.

    *query* limits all the lists further. *hint* is the index of a single list; those of several are cut by a pipeline,
    which takes the server twice as long for one.

    Each list is cut inside the database, so the answer holds at most a page per value, however long the lists are.
    """
    if len(set(values)) == 1:
        asked_once = {**(query or {}), field: values[0]}
        single = await find_page(collection, asked_once, order, page, projection=projection, hint=hint)
        return [single] * len(values)
    direction = _direction(order, page)
    condition = _condition(query or {}, direction, page)
    if page.limit == 0:
        return [_empty(direction, page) for _ in values]
    stages: list[Mapping[str, Any]] = [{"$match": condition}, {"$sort": dict(direction)}, {"$limit": page.limit + 1}]
    if projection is not None:
        stages.append({"$project": projection})
    lookup = {
        "from": collection.name,
        "localField": "value",
        "foreignField": field,
        "pipeline": stages,
        "as": "rows",
    }
    asked = {"$documents": [{"value": value} for value in dict.fromkeys(values)]}
    cursor = await collection.database.aggregate([asked, {"$lookup": lookup}])
    pages = {row["value"]: _page_of(row["rows"], order, page) async for row in cursor}
    return [pages[value] for value in values]


async def find_computed_page(
    collection: AsyncCollection[Row],
    query: Mapping[str, Any],
    order: SortOrder,
    page: PageRequest,
    *,
    computed: Mapping[str, Any],
    projection: Mapping[str, Any] | None = None,
) -> Page[Row]:
    """Return one page like `find_page`, ordered by fields that *computed* (aggregation expressions) adds to each row.

    No index can serve such an order: the server looks at every row that *query* finds.
    """
    direction = _direction(order, page)
    if page.limit == 0:
        return _empty(direction, page)
    stages: list[Mapping[str, Any]] = [{"$match": query}, {"$set": computed}]
    if page.cursor is not None:
        stages.append({"$match": _after(direction, page.cursor)})
    stages += [{"$sort": dict(direction)}, {"$limit": page.limit + 1}]
    if projection is not None:
        stages.append({"$project": projection})
    rows = await (await collection.aggregate(stages)).to_list()
    return _page_of(rows, order, page)


def _direction(order: SortOrder, page: PageRequest) -> SortOrder:
    # Backwards is the same list read from the other end
    return [(name, -way if page.backward else way) for name, way in order]


def _condition(query: Mapping[str, Any], direction: SortOrder, page: PageRequest) -> Mapping[str, Any]:
    if page.cursor is None:
        return query
    return {"$and": [query, _after(direction, page.cursor)]}


def _empty(direction: SortOrder, page: PageRequest) -> Page[Row]:
    # A cursor of another list is refused all the same
    _condition({}, direction, page)
    return Page((), (), has_next=False, has_previous=False)


def _page_of(rows: list[Row], order: SortOrder, page: PageRequest) -> Page[Row]:
    more = len(rows) > page.limit
    rows = rows[: page.limit]
    if page.backward:
        rows.reverse()
    names = [name for name, _ in order]
    cursors = tuple(encode_cursor([_value_at(row, name) for name in names]) for row in rows)
    came_from_elsewhere = page.cursor is not None
    return Page(
        tuple(rows),
        cursors,
        has_next=came_from_elsewhere if page.backward else more,
        has_previous=more if page.backward else came_from_elsewhere,
    )


def encode_cursor(values: Sequence[Any]) -> str:
    """Write sort values as an opaque text."""
    tagged = [{"ms": _milliseconds(value)} if isinstance(value, datetime) else value for value in values]
    return base64.urlsafe_b64encode(msgspec.json.encode(tagged)).decode().rstrip("=")


def decode_cursor(cursor: str, *, field: str = "after") -> tuple[Any, ...]:
    """Read a cursor; raise BadUserInput when it is not one of ours."""
    try:
        tagged = msgspec.json.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), type=list[Any])
        return tuple(_untag(value) for value in tagged)
    except (binascii.Error, ValueError, TypeError, OverflowError, RecursionError, msgspec.DecodeError):
        raise BadUserInput("the cursor is not one that this list gave out", field=field) from None


def _milliseconds(moment: datetime) -> int:
    # Whole ones, as BSON keeps them: seconds as a float are a little off, and the page would begin with the wrong row
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def _untag(value: Any) -> Any:
    match value:
        case {"ms": int() as milliseconds}:
            return _EPOCH + timedelta(milliseconds=milliseconds)
        case list() | dict():
            raise TypeError
        case int() if not -(2**63) <= value < 2**63:
            # BSON cannot hold it, so no row ever had it
            raise OverflowError
        case _:
            return value


def _after(direction: SortOrder, cursor: tuple[Any, ...]) -> Mapping[str, Any]:
    if len(cursor) != len(direction):
        raise BadUserInput("the cursor belongs to a list in another order", field="after")
    # (a, b) > (x, y) written out: a > x, or a = x and b > y
    alternatives: list[Mapping[str, Any]] = []
    equal: dict[str, Any] = {}
    for (name, way), value in zip(direction, cursor, strict=True):
        alternatives.append({**equal, name: {"$gt" if way > 0 else "$lt": value}})
        equal[name] = value
    return {"$or": alternatives}


def _value_at(row: Row, name: str) -> Any:
    value: Any = row
    for part in name.split("."):
        value = value[part]
    return value
