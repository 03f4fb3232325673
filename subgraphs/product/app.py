"""The product subgraph, put together."""

from core.jobs import Job
from core.subgraph import Call, Runtime, Subgraph
from subgraphs.product.context import ProductContext
from subgraphs.product.documents import DOCUMENTS
from subgraphs.product.handlers import build_handlers
from subgraphs.product.schema import SCHEMA
from subgraphs.product.search import ProductSearch
from subgraphs.product.search_repository import SearchRepository
from subgraphs.product.service import CatalogueService

NAME = "product"

# Products of a category that moved are filed anew at once: this is for what a crash has left, and for stragglers
REFILE_EVERY_S = 15.0
# Prices and products that begin to hold: whoever looks before the job has written them down sees them all the same
APPLY_EVERY_S = 2.0


def build_service(runtime: Runtime) -> CatalogueService:
    """Return the catalogue's use cases on *runtime*, also for those that come without GraphQL."""
    return CatalogueService(runtime.client, runtime.database, runtime.clock)


def build(runtime: Runtime) -> Subgraph:
    """Return the product subgraph on *runtime*."""
    service = build_service(runtime)
    search = ProductSearch(
        SearchRepository(runtime.database), service.pricing, runtime.cache, namespace=runtime.database.name
    )

    def context(call: Call) -> ProductContext:
        return ProductContext(call, service, search)

    return Subgraph(
        name=NAME,
        schema=SCHEMA,
        runtime=runtime,
        documents=DOCUMENTS,
        context=context,
        handlers=build_handlers(service),
        jobs=(
            Job("refile_products", REFILE_EVERY_S, service.categories.refile_due),
            Job("apply_schedules", APPLY_EVERY_S, service.pricing.apply_due),
        ),
        prepare=service.repository.complete_rows,
    )
