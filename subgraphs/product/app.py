"""The product subgraph, put together."""

from core.subgraph import Call, Runtime, Subgraph
from subgraphs.product.context import ProductContext
from subgraphs.product.documents import DOCUMENTS
from subgraphs.product.handlers import HANDLERS
from subgraphs.product.schema import SCHEMA
from subgraphs.product.service import CatalogueService

NAME = "product"


def build(runtime: Runtime) -> Subgraph:
    """Return the product subgraph on *runtime*."""
    service = CatalogueService(runtime.client, runtime.database, runtime.clock)

    def context(call: Call) -> ProductContext:
        return ProductContext(call, service)

    return Subgraph(name=NAME, schema=SCHEMA, runtime=runtime, documents=DOCUMENTS, context=context, handlers=HANDLERS)
