"""The inventory subgraph, put together."""

from core.jobs import Job
from core.subgraph import Call, Runtime, Subgraph
from subgraphs.inventory.context import InventoryContext
from subgraphs.inventory.documents import DOCUMENTS
from subgraphs.inventory.handlers import build_handlers
from subgraphs.inventory.reconciling import Reconciler
from subgraphs.inventory.schema import SCHEMA
from subgraphs.inventory.service import StockService

NAME = "inventory"
LAPSE_EVERY_S = 60.0
RECONCILE_EVERY_S = 24 * 3600.0


def build(runtime: Runtime) -> Subgraph:
    """Return the inventory subgraph on *runtime*."""
    service = StockService(runtime.client, runtime.database, runtime.clock, runtime.peers)
    reconciler = Reconciler(runtime.client, runtime.database, runtime.clock)

    def context(call: Call) -> InventoryContext:
        return InventoryContext(call, service)

    return Subgraph(
        name=NAME,
        schema=SCHEMA,
        runtime=runtime,
        documents=DOCUMENTS,
        context=context,
        handlers=build_handlers(service),
        jobs=(
            Job("lapse_reservations", LAPSE_EVERY_S, service.lapse_overdue),
            Job("reconcile_stock", RECONCILE_EVERY_S, reconciler.reconcile),
        ),
    )
