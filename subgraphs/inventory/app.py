"""The inventory subgraph, put together."""

from core.jobs import Job
from core.subgraph import Call, Runtime, Subgraph
from subgraphs.inventory.availability import AvailabilityNews
from subgraphs.inventory.context import InventoryContext
from subgraphs.inventory.documents import DOCUMENTS
from subgraphs.inventory.handlers import build_handlers
from subgraphs.inventory.keeping import StockKeeper
from subgraphs.inventory.reconciling import Reconciler
from subgraphs.inventory.schema import SCHEMA
from subgraphs.inventory.service import StockService
from subgraphs.inventory.waiting import Waiting
from subgraphs.inventory.warehouses import Warehouses

NAME = "inventory"
LAPSE_EVERY_S = 60.0
TELL_EVERY_S = 30.0
RECONCILE_EVERY_S = 24 * 3600.0


def build(runtime: Runtime) -> Subgraph:
    """Return the inventory subgraph on *runtime*."""
    service = StockService(runtime.client, runtime.database, runtime.clock)
    warehouses = Warehouses(runtime.client, runtime.database, runtime.clock)
    keeper = StockKeeper(
        runtime.client, runtime.database, runtime.clock, runtime.peers, stock=service, warehouses=warehouses
    )
    reconciler = Reconciler(runtime.client, runtime.database, runtime.clock)
    waiting = Waiting(runtime.client, runtime.database, runtime.clock, runtime.peers, stock=service)

    def context(call: Call) -> InventoryContext:
        return InventoryContext(call, service, keeper, warehouses, waiting)

    async def prepare() -> None:
        await warehouses.repository.ensure_main()
        await service.repository.put_into_main_warehouse()
        await AvailabilityNews(runtime.database).tell_untold(runtime.client, runtime.clock.now())

    return Subgraph(
        name=NAME,
        schema=SCHEMA,
        runtime=runtime,
        documents=DOCUMENTS,
        context=context,
        handlers=build_handlers(service, waiting),
        prepare=prepare,
        jobs=(
            Job("lapse_reservations", LAPSE_EVERY_S, service.lapse_overdue),
            Job("tell_waiting", TELL_EVERY_S, waiting.tell_waiting),
            Job("reconcile_stock", RECONCILE_EVERY_S, reconciler.reconcile),
        ),
    )
