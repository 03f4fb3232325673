"""What can be asked of the stock."""

from typing import Annotated

import strawberry

from core.paging import read_page_request
from core.scopes import INVENTORY_READ
from schema.pagination import After, Before, Connection, First, Last, connection_arguments
from subgraphs.inventory.types import (
    WAITING,
    BackInStockNotice,
    InventoryInfo,
    StockAlertType,
    StockLevelType,
    StockMovement,
    WarehouseType,
)


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
    async def stock_alerts(
        self,
        info: InventoryInfo,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[StockAlertType]:
        """List products that are low now, the newest alert first."""
        page = await info.context.keeper.list_alerts(
            read_page_request(first, after, last, before), by=info.context.identity
        )
        return Connection(**connection_arguments(page, StockAlertType.from_alert))

    @strawberry.federation.field(authenticated=True, directives=WAITING)
    async def back_in_stock_notices(self, info: InventoryInfo) -> list[BackInStockNotice]:
        """List the products that you wait for, the newest first; at most 100."""
        waits = await info.context.waiting.list_waits(by=info.context.identity)
        return [BackInStockNotice.from_wait(wait) for wait in waits]

    @strawberry.federation.field(requires_scopes=[[INVENTORY_READ]])
    async def warehouses(self, info: InventoryInfo) -> list[WarehouseType]:
        """List all warehouses, in the order in which orders take from them."""
        found = await info.context.warehouses.list_warehouses(by=info.context.identity)
        return [WarehouseType.from_warehouse(warehouse) for warehouse in found]

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
