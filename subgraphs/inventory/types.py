"""The stock's GraphQL types."""

from enum import Enum
from typing import Any, Self

import strawberry
from strawberry import Info

from core.scopes import INVENTORY_READ
from core.subgraph import require_scopes
from schema.ownership import Owned
from schema.problems import Problem
from schema.scalars import DateTime
from subgraphs.inventory.context import InventoryContext
from subgraphs.inventory.model import (
    Movement,
    MovementKind,
    Reservation,
    ReservationStatus,
    Shelf,
    Shortage,
    StockAlert,
    StockLevel,
    Wait,
    Warehouse,
)
from subgraphs.inventory.service import OutOfStock

InventoryInfo = Info[InventoryContext, None]

WAITING = [Owned(by="self")]


@strawberry.enum(description="DENY: no more is sold than is there. ALLOW: up to a limit, more is sold and owed.")
class BackorderPolicy(Enum):
    DENY = "DENY"
    ALLOW = "ALLOW"


strawberry.federation.enum(
    ReservationStatus, inaccessible=True, description="How far an order's claim on the stock has come."
)


strawberry.enum(MovementKind, name="StockMovementKind", description="Why counters changed.")


@strawberry.type(description="What a buyer may know of a product's stock.")
class Availability:
    available: int = strawberry.field(description="How many can be bought now.")
    in_stock: bool = strawberry.field(description="Whether any can be bought now.")
    can_backorder: bool = strawberry.field(
        description="Whether more can be ordered than is available, for delivery when it is there."
    )


@strawberry.type(name="Warehouse", description="A place that stock is in.")
class WarehouseType:
    id: strawberry.ID = strawberry.field(description="Its id, `whs_...`.")
    code: str = strawberry.federation.field(
        requires_scopes=[[INVENTORY_READ]], description="What the store calls it, `MAIN`."
    )
    name: str = strawberry.field(description="Its name.")
    priority: int = strawberry.field(description="Orders take from the one with the lowest number first.")
    created_at: DateTime = strawberry.field(description="When it was opened.")

    @classmethod
    def from_warehouse(cls, warehouse: Warehouse) -> Self:
        return cls(
            id=strawberry.ID(warehouse.id),
            code=warehouse.code,
            name=warehouse.name,
            priority=warehouse.priority,
            created_at=DateTime(warehouse.created_at),
        )


async def load_warehouse(info: InventoryInfo, warehouse_id: str) -> WarehouseType | None:
    """Return the warehouse that a row names; None if it was lost, as from a restored backup."""
    warehouse = await info.context.warehouse_of_id.load(warehouse_id)
    return None if warehouse is None else WarehouseType.from_warehouse(warehouse)


@strawberry.type(description="A product's counters in one warehouse: available = onHand - reserved.")
class WarehouseStock:
    warehouse_id: strawberry.Private[str]
    on_hand: int = strawberry.field(description="Pieces on the shelf; negative where paid ones are still owed.")
    reserved: int = strawberry.field(description="Pieces that are promised to unpaid orders.")
    available: int = strawberry.field(description="Pieces that can be sold; negative where some are owed.")

    @strawberry.field(description="The warehouse.")
    async def warehouse(self, info: InventoryInfo) -> WarehouseType | None:
        return await load_warehouse(info, self.warehouse_id)

    @classmethod
    def from_shelf(cls, shelf: Shelf) -> Self:
        return cls(
            warehouse_id=shelf.warehouse_id,
            on_hand=shelf.on_hand,
            reserved=shelf.reserved,
            available=shelf.available,
        )


@strawberry.type(name="StockLevel", description="A product's counters: available = onHand - reserved.")
class StockLevelType:
    product: "ProductType" = strawberry.field(description="The product.")
    on_hand: int = strawberry.field(description="Pieces on the shelf; negative where paid ones are still owed.")
    reserved: int = strawberry.field(description="Pieces that are promised to unpaid orders.")
    available: int = strawberry.field(description="Pieces that can be sold; negative where some are owed.")
    backorder_policy: BackorderPolicy = strawberry.field(description="Whether more is sold than is there.")
    backorder_limit: int = strawberry.field(description="How many pieces may be owed; 0 where the policy is DENY.")
    low_stock_threshold: int | None = strawberry.field(
        description="Staff is alerted when no more than this are available; never if null."
    )
    is_low: bool = strawberry.field(description="Whether it is at or below its threshold.")
    warehouses: list[WarehouseStock] = strawberry.field(description="The same per warehouse that ever had some.")
    updated_at: DateTime = strawberry.field(description="When it last changed.")

    @classmethod
    def from_level(cls, level: StockLevel) -> Self:
        return cls(
            product=ProductType(id=strawberry.ID(level.product_id)),
            on_hand=level.on_hand,
            reserved=level.reserved,
            available=level.available,
            backorder_policy=BackorderPolicy.ALLOW if level.backorder_limit else BackorderPolicy.DENY,
            backorder_limit=level.backorder_limit,
            low_stock_threshold=level.low_stock_threshold,
            is_low=level.is_low,
            warehouses=[WarehouseStock.from_shelf(shelf) for shelf in level.shelves],
            updated_at=DateTime(level.updated_at),
        )


@strawberry.type(description="A row of the ledger. The sums over all of a product's rows are its counters.")
class StockMovement:
    warehouse_id: strawberry.Private[str]
    id: strawberry.ID = strawberry.field(description="Its id, `mov_...`.")
    product: "ProductType" = strawberry.field(description="The product.")
    kind: MovementKind = strawberry.field(description="Why the counters changed.")
    on_hand: int = strawberry.field(description="How many pieces more are on the shelf; fewer if it is negative.")
    reserved: int = strawberry.field(description="How many pieces more are reserved; fewer if it is negative.")
    order_id: strawberry.ID | None = strawberry.field(description="The order that it was for, if there was one.")
    reason: str | None = strawberry.federation.field(
        requires_scopes=[[INVENTORY_READ]], description="What its author said."
    )
    actor_id: str | None = strawberry.federation.field(
        requires_scopes=[[INVENTORY_READ]], description="Who did it: a user's id, or `service:<name>`."
    )
    at: DateTime = strawberry.field(description="When.")

    @strawberry.field(description="Where.")
    async def warehouse(self, info: InventoryInfo) -> WarehouseType | None:
        return await load_warehouse(info, self.warehouse_id)

    @classmethod
    def from_movement(cls, movement: Movement) -> Self:
        return cls(
            warehouse_id=movement.warehouse_id,
            id=strawberry.ID(movement.id),
            product=ProductType(id=strawberry.ID(movement.product_id)),
            kind=movement.kind,
            on_hand=movement.on_hand,
            reserved=movement.reserved,
            order_id=None if movement.order_id is None else strawberry.ID(movement.order_id),
            reason=movement.reason,
            actor_id=movement.by,
            at=DateTime(movement.at),
        )


@strawberry.type(name="StockAlert", description="A product that has run low, until it is above its threshold again.")
class StockAlertType:
    id: strawberry.ID = strawberry.field(description="Its id, `alr_...`.")
    product: "ProductType" = strawberry.field(description="The product.")
    threshold: int = strawberry.field(description="The threshold that it fell to.")
    available: int = strawberry.field(description="How many were available then.")
    at: DateTime = strawberry.field(description="When.")

    @classmethod
    def from_alert(cls, alert: StockAlert) -> Self:
        return cls(
            id=strawberry.ID(alert.id),
            product=ProductType(id=strawberry.ID(alert.product_id)),
            threshold=alert.threshold,
            available=alert.available,
            at=DateTime(alert.at),
        )


@strawberry.type(description="You are told by mail, once, when a product is available again.")
class BackInStockNotice:
    product: "ProductType" = strawberry.field(description="The product.")
    created_at: DateTime = strawberry.field(description="When you asked for it.")

    @classmethod
    def from_wait(cls, wait: Wait) -> Self:
        return cls(product=ProductType(id=strawberry.ID(wait.product_id)), created_at=DateTime(wait.created_at))


@strawberry.federation.type(name="Product", keys=["id"], description="Something that the store sells.")
class ProductType:
    id: strawberry.ID = strawberry.field(description="Its id, `prd_...`.")
    # Only there when the router brings it, for `purchasable`
    sellable: bool = strawberry.federation.field(
        external=True,
        default=None,
        description="Whether it may be sold, if there are any: it is on sale, and nothing is left to choose.",
    )

    @strawberry.field(description="How many can be bought now; zero for a product without stock.")
    async def availability(self, info: InventoryInfo) -> Availability | None:
        level = await info.context.level_of_product.load(self.id)
        # Pieces that are owed are nothing that can be bought
        available = max(0, level.available) if level else 0
        can_backorder = level is not None and level.sellable > available
        return Availability(available=available, in_stock=available > 0, can_backorder=can_backorder)

    @strawberry.federation.field(
        requires_scopes=[[INVENTORY_READ]], description="Its counters; null for a product that never had stock."
    )
    async def stock_level(self, info: InventoryInfo) -> StockLevelType | None:
        require_scopes(info.context.identity, INVENTORY_READ)
        level = await info.context.level_of_product.load(self.id)
        return None if level is None else StockLevelType.from_level(level)

    @strawberry.federation.field(
        requires=["sellable"],
        description="Whether it may be sold, and is in stock or on backorder; null when that is not known now.",
    )
    async def purchasable(self, info: InventoryInfo) -> bool | None:
        if self.sellable is None:
            return None
        level = await info.context.level_of_product.load(self.id)
        return self.sellable and level is not None and level.sellable > 0

    @classmethod
    def resolve_reference(cls, id: strawberry.ID | None = None, sellable: bool | None = None, **_: Any) -> Self | None:
        if id is None:
            return None
        return cls(id=id) if sellable is None else cls(id=id, sellable=sellable)


@strawberry.federation.type(name="StockReservation", inaccessible=True, description="An order's claim on the stock.")
class ReservationType:
    order_id: strawberry.ID = strawberry.field(description="The order.")
    status: ReservationStatus = strawberry.field(description="How far it has come.")
    expires_at: DateTime = strawberry.field(description="Until when it holds without payment.")

    @classmethod
    def from_reservation(cls, reservation: Reservation) -> Self:
        return cls(
            order_id=strawberry.ID(reservation.order_id),
            status=reservation.status,
            expires_at=DateTime(reservation.expires_at),
        )


@strawberry.federation.type(inaccessible=True, description="A product of which too little is there.")
class StockShortage:
    product_id: strawberry.ID = strawberry.field(description="The product.")
    requested: int = strawberry.field(description="How many were asked for, over all lines.")
    available: int = strawberry.field(description="How many there are.")

    @classmethod
    def from_shortage(cls, shortage: Shortage) -> Self:
        return cls(
            product_id=strawberry.ID(shortage.product_id),
            requested=shortage.requested,
            available=shortage.available,
        )


@strawberry.federation.type(inaccessible=True, description="Too little is in stock; nothing was reserved.")
class OutOfStockProblem(Problem):
    shortages: list[StockShortage] = strawberry.field(description="The products that are short, by id.")

    @classmethod
    def from_error(cls, error: OutOfStock) -> Self:
        return cls(
            code=error.code,
            message=error.message,
            shortages=[StockShortage.from_shortage(shortage) for shortage in error.shortages],
        )
