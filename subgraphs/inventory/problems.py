"""Outcomes of the stock's mutations."""

from typing import Annotated, Any, TypeAlias

import strawberry

from schema.problems import ConflictProblem, InvalidInputProblem, NotFoundProblem
from subgraphs.inventory.service import OutOfStock
from subgraphs.inventory.types import OutOfStockProblem, ReservationType, StockLevelType

AdjustStockResult: TypeAlias = Annotated[
    StockLevelType | InvalidInputProblem | NotFoundProblem | ConflictProblem,
    strawberry.union("AdjustStockResult", description="The counters afterwards, or why they did not change."),
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
