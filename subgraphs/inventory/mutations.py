"""What can be changed in the stock: adjusted by staff; reserved, released and committed by the store's services."""

from typing import Annotated

import strawberry

from core.errors import BadUserInput
from core.scopes import INVENTORY_WRITE
from schema.scalars import DateTime
from subgraphs.inventory.keeping import Adjustment, Transfer
from subgraphs.inventory.model import MAIN_WAREHOUSE, StockLine, StockPolicy
from subgraphs.inventory.problems import (
    AdjustStockResult,
    CancelBackInStockNoticeResult,
    CreateWarehouseResult,
    NotifyWhenInStockResult,
    ReserveStockResult,
    SetStockPolicyResult,
    TransferStockResult,
    UpdateWarehouseResult,
)
from subgraphs.inventory.types import (
    WAITING,
    BackInStockNotice,
    BackorderPolicy,
    InventoryInfo,
    ReservationType,
    StockLevelType,
    WarehouseType,
)
from subgraphs.inventory.warehouses import WarehouseChanges

ProductId = Annotated[strawberry.ID, strawberry.argument(description="Id of the product.")]
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
    warehouse_id: strawberry.ID = strawberry.field(
        default=strawberry.ID(MAIN_WAREHOUSE), description="Where; the main warehouse if not given."
    )


@strawberry.input(description="Pieces that go from one warehouse to another.")
class TransferStockInput:
    """What `transferStock` takes."""

    product_id: strawberry.ID = strawberry.field(description="Id of the product.")
    quantity: int = strawberry.field(description="How many; at least one.")
    from_warehouse_id: strawberry.ID = strawberry.field(description="Where they are taken from.")
    to_warehouse_id: strawberry.ID = strawberry.field(description="Where they go.")
    reason: str = strawberry.field(description="Why, for the ledger.")
    idempotency_key: str = strawberry.field(
        description="Chosen by the caller, once per transfer: a repetition with the same key changes nothing."
    )


@strawberry.input(description="How a product is sold and watched; it replaces what was set before.")
class SetStockPolicyInput:
    """What `setStockPolicy` takes."""

    product_id: strawberry.ID = strawberry.field(description="Id of the product.")
    backorder: BackorderPolicy = strawberry.field(description="Whether more is sold than is there.")
    backorder_limit: int = strawberry.field(default=0, description="How many pieces may be owed, with ALLOW.")
    low_stock_threshold: int | None = strawberry.field(
        default=None, description="Alert staff when no more than this are available; never if null."
    )


@strawberry.input(description="A new warehouse.")
class CreateWarehouseInput:
    """What `createWarehouse` takes."""

    code: str = strawberry.field(description="What the store calls it: A-Z, 0-9, - and _.")
    name: str = strawberry.field(description="Its name.")
    priority: int = strawberry.field(
        default=100, description="0 to 1000: orders take from the one with the lowest number first."
    )


@strawberry.input(description="Changes to a warehouse; what is not given stays as it is.")
class UpdateWarehouseInput:
    """What `updateWarehouse` takes."""

    id: strawberry.ID = strawberry.field(description="Id of the warehouse.")
    name: str | None = strawberry.field(default=None, description="Its name.")
    priority: int | None = strawberry.field(default=None, description="0 to 1000.")


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
        adjustment = Adjustment(input.product_id, input.delta, input.reason, input.idempotency_key, input.warehouse_id)
        level = await info.context.keeper.adjust_stock(adjustment, by=info.context.identity)
        return StockLevelType.from_level(level)

    @strawberry.federation.mutation(requires_scopes=[[INVENTORY_WRITE]])
    async def transfer_stock(
        self,
        info: InventoryInfo,
        input: Annotated[TransferStockInput, strawberry.argument(description="The transfer.")],
    ) -> TransferStockResult:
        """Move pieces of a product from one warehouse to another; never more than are available there."""
        transfer = Transfer(
            input.product_id,
            input.quantity,
            input.from_warehouse_id,
            input.to_warehouse_id,
            input.reason,
            input.idempotency_key,
        )
        level = await info.context.keeper.transfer_stock(transfer, by=info.context.identity)
        return StockLevelType.from_level(level)

    @strawberry.federation.mutation(requires_scopes=[[INVENTORY_WRITE]])
    async def create_warehouse(
        self,
        info: InventoryInfo,
        input: Annotated[CreateWarehouseInput, strawberry.argument(description="The warehouse.")],
    ) -> CreateWarehouseResult:
        """Open a warehouse."""
        warehouse = await info.context.warehouses.create_warehouse(
            input.code, input.name, input.priority, by=info.context.identity
        )
        return WarehouseType.from_warehouse(warehouse)

    @strawberry.federation.mutation(requires_scopes=[[INVENTORY_WRITE]])
    async def update_warehouse(
        self,
        info: InventoryInfo,
        input: Annotated[UpdateWarehouseInput, strawberry.argument(description="The changes.")],
    ) -> UpdateWarehouseResult:
        """Rename a warehouse, or have orders take from it earlier or later."""
        changes = WarehouseChanges(input.name, input.priority)
        warehouse = await info.context.warehouses.update_warehouse(input.id, changes, by=info.context.identity)
        return WarehouseType.from_warehouse(warehouse)

    @strawberry.federation.mutation(requires_scopes=[[INVENTORY_WRITE]])
    async def set_stock_policy(
        self,
        info: InventoryInfo,
        input: Annotated[SetStockPolicyInput, strawberry.argument(description="The policy.")],
    ) -> SetStockPolicyResult:
        """Say whether more of a product is sold than is there, and when staff is alerted that it runs low."""
        if (input.backorder is BackorderPolicy.ALLOW) != (input.backorder_limit > 0):
            raise BadUserInput("ALLOW needs a limit, and DENY has none", field="backorderLimit")
        policy = StockPolicy(input.backorder_limit, input.low_stock_threshold)
        level = await info.context.keeper.set_policy(input.product_id, policy, by=info.context.identity)
        return StockLevelType.from_level(level)

    @strawberry.federation.mutation(authenticated=True, directives=WAITING)
    async def notify_when_in_stock(self, info: InventoryInfo, product_id: ProductId) -> NotifyWhenInStockResult:
        """Be told by mail, once, when a product is available again."""
        wait = await info.context.waiting.subscribe(product_id, by=info.context.identity)
        return BackInStockNotice.from_wait(wait)

    @strawberry.federation.mutation(authenticated=True, directives=WAITING)
    async def cancel_back_in_stock_notice(
        self, info: InventoryInfo, product_id: ProductId
    ) -> CancelBackInStockNoticeResult:
        """Wait for a product no longer."""
        wait = await info.context.waiting.unsubscribe(product_id, by=info.context.identity)
        return BackInStockNotice.from_wait(wait)

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
