"""Outcomes of the stock's mutations."""

from typing import Annotated, Any, TypeAlias

import strawberry

from schema.problems import ConflictProblem, InvalidInputProblem, NotFoundProblem
from subgraphs.inventory.service import OutOfStock
from subgraphs.inventory.types import (
    BackInStockNotice,
    OutOfStockProblem,
    ReservationType,
    StockLevelType,
    WarehouseType,
)

AdjustStockResult: TypeAlias = Annotated[
    StockLevelType | InvalidInputProblem | NotFoundProblem | ConflictProblem,
    strawberry.union("AdjustStockResult", description="The counters afterwards, or why they did not change."),
]
TransferStockResult: TypeAlias = Annotated[
    StockLevelType | InvalidInputProblem | NotFoundProblem | ConflictProblem,
    strawberry.union("TransferStockResult", description="The counters afterwards, or why they did not change."),
]
SetStockPolicyResult: TypeAlias = Annotated[
    StockLevelType | InvalidInputProblem | NotFoundProblem,
    strawberry.union("SetStockPolicyResult", description="The counters, or why the policy was not set."),
]
NotifyWhenInStockResult: TypeAlias = Annotated[
    BackInStockNotice | NotFoundProblem | ConflictProblem,
    strawberry.union("NotifyWhenInStockResult", description="The notice, or why there is none."),
]
CancelBackInStockNoticeResult: TypeAlias = Annotated[
    BackInStockNotice | NotFoundProblem,
    strawberry.union("CancelBackInStockNoticeResult", description="The notice that was cancelled."),
]
CreateWarehouseResult: TypeAlias = Annotated[
    WarehouseType | InvalidInputProblem | ConflictProblem,
    strawberry.union("CreateWarehouseResult", description="The warehouse, or why it was not opened."),
]
UpdateWarehouseResult: TypeAlias = Annotated[
    WarehouseType | InvalidInputProblem | NotFoundProblem,
    strawberry.union("UpdateWarehouseResult", description="The warehouse, or why it did not change."),
]
ReserveStockResult: TypeAlias = Annotated[
    ReservationType | OutOfStockProblem,
    strawberry.federation.union(
        "ReserveStockResult", inaccessible=True, description="The reservation, or what there is too little of."
    ),
]


class _OutOfStockHandler(strawberry.ExceptionHandler[OutOfStock, OutOfStockProblem]):
    def handle(self, exception: OutOfStock, *, field: Any, info: Any) -> OutOfStockProblem:
        return OutOfStockProblem.from_error(exception)


HANDLERS: tuple[strawberry.ExceptionHandler[Any, Any], ...] = (_OutOfStockHandler(),)
