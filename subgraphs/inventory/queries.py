"""What can be asked of the stock."""

from typing import Annotated

import strawberry

from core.paging import read_page_request
from core.scopes import INVENTORY_READ
from schema.pagination import After, Before, Connection, First, Last, connection_arguments
from subgraphs.inventory.types import InventoryInfo, StockLevelType, StockMovement


@strawberry.type
class Query:
    """The stock's root fields."""

    @strawberry.federation.field(requires_scopes=[[INVENTORY_READ]])
    async def stock_levels(
        self,
        info: InventoryInfo,
        lower_than: Annotated[
            int | None, strawberry.argument(description="Only products of which fewer than this are available.")
        ] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[StockLevelType]:
        """List stock levels, the least available first."""
        page = await info.context.service.list_levels(
            lower_than, read_page_request(first, after, last, before), by=info.context.identity
        )
        return Connection(**connection_arguments(page, StockLevelType.from_level))

    @strawberry.federation.field(requires_scopes=[[INVENTORY_READ]])
    async def stock_movements(
        self,
        info: InventoryInfo,
        product_id: Annotated[strawberry.ID, strawberry.argument(description="The product.")],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[StockMovement]:
        """List all that ever changed a product's counters, the newest first."""
        page = await info.context.service.list_movements(
            product_id, read_page_request(first, after, last, before), by=info.context.identity
        )
        return Connection(**connection_arguments(page, StockMovement.from_movement))
