"""The product subgraph, put together."""

from core.jobs import Job
from core.subgraph import Call, Runtime, Subgraph
from subgraphs.product.context import ProductContext
from subgraphs.product.documents import DOCUMENTS
from subgraphs.product.handlers import build_handlers
from subgraphs.product.images.media import MediaAddresses, MediaStore, open_media
from subgraphs.product.images.routes import media_routes
from subgraphs.product.images.service import ProductImages
from subgraphs.product.images.uploads import Uploads
from subgraphs.product.schema import SCHEMA
from subgraphs.product.search import ProductSearch
from subgraphs.product.search_repository import SearchRepository
from subgraphs.product.service import CatalogueService

NAME = "product"

# Products of a category that moved are filed anew at once: this is for what a crash has left, and for stragglers
REFILE_EVERY_S = 15.0
# Prices and products that begin to hold: whoever looks before the job has written them down sees them all the same
APPLY_EVERY_S = 2.0
# An hour after they were asked for, and a day after no product has had them
REMOVE_UPLOADS_EVERY_S = 600.0
REMOVE_PICTURES_EVERY_S = 24 * 3600.0


def build_service(runtime: Runtime) -> CatalogueService:
    """Return the catalogue's use cases on *runtime*, also for those that come without GraphQL."""
    media_url = MediaAddresses.from_settings(runtime.settings).public_url
    return CatalogueService(runtime.client, runtime.database, runtime.clock, media_url=media_url)


def build(runtime: Runtime, *, media: MediaStore | None = None) -> Subgraph:
    """Return the product subgraph on *runtime*, with pictures where its settings say unless *media* is given."""
    service = build_service(runtime)
    media = media or open_media(runtime.settings)
    uploads = Uploads(
        runtime.client, runtime.database, runtime.clock, media, catalogue=service.repository, recorder=service.recorder
    )
    images = ProductImages(
        runtime.client,
        runtime.database,
        runtime.clock,
        media,
        uploads,
        catalogue=service.repository,
        categories=service.categories,
        pricing=service.pricing,
        recorder=service.recorder,
    )
    addresses = MediaAddresses.from_settings(runtime.settings)
    search = ProductSearch(
        SearchRepository(runtime.database), service.pricing, runtime.cache, namespace=runtime.database.name
    )

    async def prepare() -> None:
        service.categories.forget()
        await service.repository.complete_rows()

    def context(call: Call) -> ProductContext:
        return ProductContext(call, service, search, images=images, uploads=uploads, media=addresses)

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
            Job("remove_expired_uploads", REMOVE_UPLOADS_EVERY_S, uploads.remove_expired),
            Job("remove_unused_pictures", REMOVE_PICTURES_EVERY_S, images.remove_unused),
        ),
        routes=media_routes(images, uploads),
        prepare=prepare,
    )
