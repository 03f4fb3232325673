"""Subscriptions of the order subgraph: live totals, and live orders."""

from collections.abc import AsyncIterator
from typing import Annotated

import strawberry
from strawberry.federation.schema_directives import Authenticated

from subgraphs.order.totals_queries import Subscription as TotalsSubscription
from subgraphs.order.types import BUYERS, Info, Order


@strawberry.type
class Subscription(TotalsSubscription):
    """Root fields that send more than one answer."""

    @strawberry.subscription(
        directives=[Authenticated(), *BUYERS],
        description=(
            "An order at once and then whenever it has changed; without an id each order that changes: yours, or with"
            " orders:read all. An UNAVAILABLE error at its end means that changes were missed: subscribe again."
        ),
    )
    async def order_changed(
        self,
        info: Info,
        id: Annotated[strawberry.ID | None, strawberry.argument(description="Only this order.")] = None,
    ) -> AsyncIterator[Order]:
        """Send orders that have changed."""
        rows = info.context.aftercare.live_orders.watch(id, info.context.identity)
        try:
            async for row in rows:
                yield Order.from_row(row)
        finally:
            await rows.aclose()
