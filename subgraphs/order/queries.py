"""Queries of the order subgraph."""

from typing import Annotated

import strawberry

from core.paging import read_page_request
from schema.pagination import After, Before, Connection, First, Last
from schema.scalars import DateTime
from subgraphs.order.cart_fields import CartQueries
from subgraphs.order.discount_fields import DiscountQueries
from subgraphs.order.filters import OrdersFilter
from subgraphs.order.order_lists import OrderFilter
from subgraphs.order.tariff_fields import TariffQueries
from subgraphs.order.totals_queries import TotalsQueries
from subgraphs.order.types import (
    BUYERS,
    ChangedOrders,
    Info,
    Order,
    find_order,
    order_connection,
)


@strawberry.type
class Query(TotalsQueries, CartQueries, DiscountQueries, TariffQueries):
    """Root fields."""

    @strawberry.field(
        description="An order by id or number; null if there is none that you may see.", directives=BUYERS
    )
    async def order(
        self,
        info: Info,
        id: Annotated[strawberry.ID | None, strawberry.argument(description="Its id.")] = None,
        number: Annotated[str | None, strawberry.argument(description="Its number; read when no id is given.")] = None,
    ) -> Order | None:
        """Return one order."""
        return await find_order(info.context, id=id, number=number)

    @strawberry.federation.field(requires_scopes=[["orders:read"]], description="All orders, newest first.")
    async def orders(
        self,
        info: Info,
        filter: Annotated[OrdersFilter | None, strawberry.argument(description="Which; all if not given.")] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Order]:
        """Return a page of all orders."""
        page = read_page_request(first, after, last, before)
        wanted = filter.to_filter() if filter is not None else OrderFilter()
        return order_connection(await info.context.service.list_orders(wanted, page, info.context.identity))

    @strawberry.federation.field(
        inaccessible=True, description="How many orders of a user are unpaid or not delivered, for other services."
    )
    async def open_order_count(
        self, info: Info, buyer_id: Annotated[strawberry.ID, strawberry.argument(description="Whose orders.")]
    ) -> int:
        """Return how many orders keep a user's account from being erased."""
        return await info.context.erased_buyers.count_open_orders(buyer_id, info.context.identity)

    @strawberry.federation.field(inaccessible=True, description="Orders by time of change, for other services.")
    async def changed_orders(
        self,
        info: Info,
        since: Annotated[DateTime, strawberry.argument(description="Changed then or later.")],
        until: Annotated[DateTime, strawberry.argument(description="Changed before then.")],
        first: Annotated[int, strawberry.argument(description="How many.")],
        buyer_id: Annotated[strawberry.ID | None, strawberry.argument(description="Of this user only.")] = None,
        after: After = None,
    ) -> ChangedOrders:
        """Return a page of changed orders."""
        page = await info.context.service.list_changed_orders(
            since, until, buyer_id, read_page_request(first, after, None, None), info.context.identity
        )
        return ChangedOrders(
            orders=[Order.from_row(row) for row in page.rows],
            end_cursor=page.cursors[-1] if page.cursors else None,
            has_next_page=page.has_next,
        )
