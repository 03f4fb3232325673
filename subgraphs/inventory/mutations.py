"""What can be changed in the stock: adjusted by staff; reserved, released and committed by the store's services."""

from typing import Annotated

import strawberry

from core.scopes import INVENTORY_WRITE
from schema.scalars import DateTime
from subgraphs.inventory.model import StockLine
from subgraphs.inventory.problems import AdjustStockResult, ReserveStockResult
from subgraphs.inventory.types import InventoryInfo, ReservationType, StockLevelType

OrderId = Annotated[strawberry.ID, strawberry.argument(description="Id of the order.")]


@strawberry.input(description="A change of a product's stock.")
class AdjustStockInput:
    """What `adjustStock` takes."""

    product_id: strawberry.ID = strawberry.field(description="Id of the product.")
    delta: int = strawberry.field(description="How many pieces more; fewer if it is negative.")
    reason: str = strawberry.field(description="Why, for the ledger: `delivery 4711`, `broken`.")
    idempotency_key: str = strawberry.field(
        description="Chosen by the caller, once per change: a repetition with the same key changes nothing."
    )


@strawberry.federation.input(inaccessible=True, description="Pieces of one product.")
class ReserveStockLineInput:
    """A line of an order."""

    product_id: strawberry.ID = strawberry.field(description="The product.")
    quantity: int = strawberry.field(description="How many; at least one.")


@strawberry.federation.input(inaccessible=True, description="What an order needs.")
class ReserveStockInput:
    """What `reserveStock` takes."""

    order_id: strawberry.ID = strawberry.field(description="The order, and the key that makes a repetition harmless.")
    lines: list[ReserveStockLineInput] = strawberry.field(
        description="What it needs; lines of the same product are added up."
    )
    expires_at: DateTime = strawberry.field(description="Until when to hold it without payment.")


@strawberry.type
class Mutation:
    """The stock's changes."""

    @strawberry.federation.mutation(requires_scopes=[[INVENTORY_WRITE]])
    async def adjust_stock(
        self, info: InventoryInfo, input: Annotated[AdjustStockInput, strawberry.argument(description="The change.")]
    ) -> AdjustStockResult:
        """Add pieces to a product's stock or take some away; never more than are available."""
        level = await info.context.service.adjust_stock(
            input.product_id,
            input.delta,
            reason=input.reason,
            idempotency_key=input.idempotency_key,
            by=info.context.identity,
        )
        return StockLevelType.from_level(level)

    @strawberry.federation.mutation(inaccessible=True)
    async def reserve_stock(
        self, info: InventoryInfo, input: Annotated[ReserveStockInput, strawberry.argument(description="The order.")]
    ) -> ReserveStockResult:
        """Reserve all lines of an order, or nothing. For the store's own services."""
        reservation = await info.context.service.reserve_stock(
            input.order_id,
            [StockLine(line.product_id, line.quantity) for line in input.lines],
            input.expires_at,
            by=info.context.identity,
        )
        return ReservationType.from_reservation(reservation)

    @strawberry.federation.mutation(inaccessible=True)
    async def release_stock(self, info: InventoryInfo, order_id: OrderId) -> ReservationType | None:
        """Give an unpaid order's pieces back, for good. For the store's own services."""
        reservation = await info.context.service.release_stock(order_id, by=info.context.identity)
        return ReservationType.from_reservation(reservation)

    @strawberry.federation.mutation(inaccessible=True)
    async def commit_stock(self, info: InventoryInfo, order_id: OrderId) -> ReservationType | None:
        """Take a paid order's pieces off the stock; null if it reserved none. For the store's own services."""
        reservation = await info.context.service.commit_stock(order_id, by=info.context.identity)
        return None if reservation is None else ReservationType.from_reservation(reservation)
