"""What resolvers get as `info.context`: the caller, the service, and a loader of stock levels."""

from strawberry.dataloader import DataLoader

from core.subgraph import Call
from loaders.entity import entity_loader
from subgraphs.inventory.model import StockLevel
from subgraphs.inventory.service import StockService


class InventoryContext:
    """One request to the subgraph: its loader batches and remembers within it."""

    def __init__(self, call: Call, service: StockService) -> None:
        self.call = call
        self.identity = call.identity
        self.service = service
        self.level_of_product: DataLoader[str, StockLevel | None] = entity_loader(
            service.find_levels, lambda level: level.product_id
        )
