"""Lists of orders: what can be asked for, and the index by which each list is read in its order.

Of several conditions one picks the index, the one that leaves fewest orders; the others are looked at in what it finds.
So no list is sorted in memory, and none reads all orders but the one of all orders. No I/O.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.errors import BadUserInput
from core.paging import SortOrder
from subgraphs.order.documents import NEWEST_INDEX, PRODUCT_INDEX
from subgraphs.order.model import Attention, OrderStatus

NEWEST_FIRST: SortOrder = (("placed_at", -1), ("_id", -1))
# The index of numbers has the number only; a number begins with the day on which it was given out
BY_NUMBER: SortOrder = (("number", -1),)
MAX_NUMBER = 100


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """Which orders somebody wants to see; None and empty mean all.

    *number* is the beginning of a number, or any part of it where *buyer_id* is given: a buyer has not that many.
    """

    statuses: tuple[OrderStatus, ...] = ()
    placed_from: datetime | None = None
    placed_to: datetime | None = None
    buyer_id: str | None = None
    needs_attention: bool = False
    attentions: tuple[Attention, ...] = ()
    number: str | None = None
    product_id: str | None = None


@dataclass(frozen=True, slots=True)
class ListPlan:
    """A query, the order in which it is read, and the index that has both: its name, or its fields."""

    query: Mapping[str, Any]
    order: SortOrder
    hint: str | SortOrder


def plan_list(wanted: OrderFilter) -> ListPlan:
    """Return how a list is read; raise BadUserInput for a number that cannot be one."""
    query = condition_of(wanted)
    if wanted.buyer_id is not None:
        return ListPlan({"buyer_id": wanted.buyer_id, **query}, NEWEST_FIRST, "buyer")
    number = clean_number(wanted.number)
    if number is not None:
        query["number"] = {"$regex": f"^{re.escape(number)}"}
        # By its fields: where orders are sharded, the index has another name
        return ListPlan(query, BY_NUMBER, (("number", 1),))
    if "attention" in query:
        return ListPlan(query, NEWEST_FIRST, "attention")
    if wanted.product_id is not None:
        return ListPlan(query, NEWEST_FIRST, PRODUCT_INDEX)
    return ListPlan(query, NEWEST_FIRST, "status" if wanted.statuses else NEWEST_INDEX)


def condition_of(wanted: OrderFilter) -> dict[str, Any]:
    """Return the query for *wanted* but for its buyer, and for its number unless there is a buyer."""
    query: dict[str, Any] = {}
    if wanted.statuses:
        query["status"] = {"$in": sorted({status.value for status in wanted.statuses})}
    if wanted.attentions:
        # Said for the partial index, which holds only what has any
        query["attention"] = {"$exists": True, "$in": sorted({attention.value for attention in wanted.attentions})}
    elif wanted.needs_attention:
        query["attention"] = {"$exists": True}
    if wanted.product_id is not None:
        query["lines.product_id"] = wanted.product_id
    placed = {"$gte": wanted.placed_from, "$lt": wanted.placed_to}
    placed_at = {operator: moment for operator, moment in placed.items() if moment is not None}
    if placed_at:
        query["placed_at"] = placed_at
    number = clean_number(wanted.number)
    if number is not None and wanted.buyer_id is not None:
        # As an expression, or the index of numbers would seem to serve it
        query["$expr"] = {"$gte": [{"$indexOfCP": ["$number", {"$literal": number}]}, 0]}
    return query


def clean_number(text: str | None) -> str | None:
    """Return what of a number was typed, None for nothing; ours are in capitals, imported ones are left as they are."""
    cleaned = (text or "").strip()
    if len(cleaned) > MAX_NUMBER:
        raise BadUserInput(f"at most {MAX_NUMBER} characters fit", field="filter.number")
    if not cleaned:
        return None
    return cleaned.upper() if cleaned.lower().startswith("ord-") else cleaned
