"""What resolvers get as `info.context`: the caller, the use cases, and loaders of stock levels and warehouses."""

from strawberry.dataloader import DataLoader

from core.subgraph import Call
from loaders.entity import entity_loader
from subgraphs.inventory.keeping import StockKeeper
from subgraphs.inventory.model import StockLevel, Warehouse
from subgraphs.inventory.service import StockService
from subgraphs.inventory.waiting import Waiting
from subgraphs.inventory.warehouses import Warehouses


class InventoryContext:
    """One request to the subgraph: its loaders batch and remember within it."""

    def __init__(
        self, call: Call, service: StockService, keeper: StockKeeper, warehouses: Warehouses, waiting: Waiting
    ) -> None:
        self.call = call
        self.identity = call.identity
        self.service = service
        self.keeper = keeper
        self.warehouses = warehouses
        self.waiting = waiting
        self.level_of_product: DataLoader[str, StockLevel | None] = entity_loader(
            service.find_levels, lambda level: level.product_id
        )
        self.warehouse_of_id: DataLoader[str, Warehouse | None] = entity_loader(
            warehouses.repository.find_warehouses, lambda warehouse: warehouse.id
        )
