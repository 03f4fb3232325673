"""Orders in MongoDB: every query on them is here. Rows are as documents.OrderRow describes them."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from core.mongo import Database, Row, Session
from core.paging import Page, PageRequest, SortOrder, find_page, find_pages
from subgraphs.order.documents import OrderRow
from subgraphs.order.model import OrderStatus
from subgraphs.order.order_lists import NEWEST_FIRST, ListPlan
from subgraphs.order.order_sums import Range, Selection, sum_products, sum_ranges
from subgraphs.order.rollup import NOTHING, Sums, add

OLDEST_CHANGE_FIRST: SortOrder = [("updated_at", 1), ("_id", 1)]


def order_to_row(order: OrderRow) -> Row:
    """Return the row of *order*, without the fields that are None: partial indexes go by a field being there."""
    row: Row = {"_id": order.id, **order.model_dump(exclude_none=True, exclude={"id"})}
    row["status"] = order.status.value
    row["history"] = [
        {**entry, "status": entry["status"].value, "kind": entry["kind"].value} for entry in row["history"]
    ]
    for line in row["lines"]:
        # As in the rows of before there were any: nothing is asked about a line without categories
        if not line["category_path"]:
            del line["category_path"]
    return row


def _hint_of(plan: ListPlan) -> str | list[tuple[str, int]]:
    return plan.hint if isinstance(plan.hint, str) else list(plan.hint)


class OrderRepository:
    """The queries on orders of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._orders = database["orders"]
        self._sales = database["product_sales"]

    async def insert_order(self, row: Row, *, session: Session) -> Row:
        """Insert an order's row and return it; raise DuplicateKeyError when its id or number is taken."""
        await self._orders.insert_one(row, session=session)
        return row

    async def find_order(self, order_id: str, *, session: Session | None = None) -> Row | None:
        """Return the order with this id."""
        return await self._orders.find_one({"_id": order_id}, session=session)

    async def find_orders(self, field: str, values: Sequence[str]) -> list[Row]:
        """Return the orders whose *field*, `_id` or `number`, is one of *values*."""
        return await self._orders.find({field: {"$in": list(values)}}).to_list()

    async def update_order(
        self,
        row: Row,
        *,
        set_: Mapping[str, Any],
        push: Mapping[str, Any] | None = None,
        unset: Iterable[str] = (),
        session: Session,
    ) -> Row:
        """Change the order that was read as *row* in the same transaction, and return it as it is afterwards."""
        update: dict[str, Any] = {"$set": dict(set_), "$inc": {"version": 1}}
        if push:
            update["$push"] = dict(push)
        if names := tuple(unset):
            update["$unset"] = dict.fromkeys(names, "")
        changed = await self._orders.find_one_and_update(
            {"_id": row["_id"], "version": row["version"]}, update, return_document=True, session=session
        )
        if changed is None:
            # A transaction sees one snapshot, and a writer in between makes it conflict: it cannot come to this
            raise RuntimeError(f"order {row['_id']} changed within a transaction")
        return changed

    async def request_cancel(self, order_id: str, request: Mapping[str, Any]) -> bool:
        """Note on an unpaid order who wants it cancelled; return False when it is not unpaid."""
        result = await self._orders.update_one(
            {"_id": order_id, "status": OrderStatus.PENDING_PAYMENT},
            {"$set": {"cancel_request": dict(request)}, "$inc": {"version": 1}},
        )
        return result.matched_count == 1

    async def find_list_page(self, plan: ListPlan, page: PageRequest) -> Page[Row]:
        """Return a page of a list."""
        query = plan.query
        if page.cursor:
            # The cursor's condition has an $or, which the planner may answer part by part, sorting what it finds: so it
            # is told where the page begins in the index as well
            name, way = plan.order[0]
            begins = "$gte" if (way > 0) is not page.backward else "$lte"
            query = {"$and": [query, {name: {begins: page.cursor[0]}}]}
        return await find_page(self._orders, query, plan.order, page, hint=plan.hint)

    async def iterate_list(self, plan: ListPlan) -> AsyncIterator[Row]:
        """Yield a whole list, however long it is, a few hundred rows at a time."""
        # Closed with the reader, who may go away halfway
        async with self._orders.find(plan.query).sort(list(plan.order)).hint(_hint_of(plan)) as rows:
            async for row in rows:
                yield row

    async def find_buyers_pages(
        self, buyer_ids: Sequence[str], page: PageRequest, query: Mapping[str, Any]
    ) -> list[Page[Row]]:
        """Return for each buyer a page of those of the buyer's orders that *query* finds, newest first; one query."""
        return await find_pages(self._orders, "buyer_id", buyer_ids, NEWEST_FIRST, page, query=query)

    async def find_changed(
        self, since: datetime, until: datetime, buyer_id: str | None, page: PageRequest
    ) -> Page[Row]:
        """Return a page of the orders changed from *since* until before *until*, of one buyer if given."""
        query: dict[str, Any] = {"updated_at": {"$gte": since, "$lt": until}}
        if buyer_id is not None:
            query["buyer_id"] = buyer_id
        return await find_page(self._orders, query, OLDEST_CHANGE_FIRST, page)

    async def find_expire_due(self, now: datetime, limit: int) -> list[Row]:
        """Return unpaid orders whose time is over, longest overdue first."""
        return await self._orders.find({"expire_due_at": {"$lte": now}}).sort("expire_due_at", 1).limit(limit).to_list()

    async def postpone_expiry(self, order_id: str, due_at: datetime) -> None:
        """Look at an unpaid order again at *due_at*."""
        await self._orders.update_one(
            {"_id": order_id, "expire_due_at": {"$exists": True}}, {"$set": {"expire_due_at": due_at}}
        )

    async def find_units_sold(self, product_ids: Sequence[str]) -> list[Row]:
        """Return `{_id, units}` of each product that was ever sold."""
        return await self._sales.find({"_id": {"$in": list(product_ids)}}).to_list()

    async def add_units_sold(self, units: Mapping[str, int], *, session: Session) -> None:
        """Add to the sold pieces of products, with the change of the order that sells them."""
        for product_id, count in sorted(units.items()):
            await self._sales.update_one({"_id": product_id}, {"$inc": {"units": count}}, upsert=True, session=session)

    async def sum_ranges(self, ranges: Sequence[Range], selection: Selection) -> list[Sums]:
        """Return the sums of the selected orders in each of *ranges*.

        It reads one snapshot: an order that changes meanwhile is counted as it was or as it is, never twice or not at
        all.
        """
        async with self._database.client.start_session(snapshot=True) as session:
            return await sum_ranges(self._orders, ranges, selection, session)

    async def sum_products(self, ranges: Sequence[Range], selection: Selection) -> dict[str, Sums]:
        """Return the sums of each product's lines in all *ranges* together, in one snapshot."""
        sums: dict[str, Sums] = {}
        async with self._database.client.start_session(snapshot=True) as session:
            for products in await sum_products(self._orders, ranges, selection, session):
                for product, worth in products.items():
                    sums[product] = add(sums.get(product, NOTHING), worth)
        return sums
