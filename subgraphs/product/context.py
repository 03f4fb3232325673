"""What resolvers get as `info.context`: the caller, the service, and one loader per key of an entity."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from strawberry.dataloader import DataLoader

from core.paging import Page, PageRequest
from core.subgraph import Call
from loaders.entity import entity_loader, list_loader
from subgraphs.product.images.media import MediaAddresses
from subgraphs.product.images.service import ProductImages
from subgraphs.product.images.uploads import Uploads
from subgraphs.product.model import Category, Product, ProductSort
from subgraphs.product.search import ProductSearch
from subgraphs.product.service import CatalogueService

R = TypeVar("R")


class ProductContext:
    """One request to the subgraph: its loaders batch and remember within it."""

    def __init__(
        self,
        call: Call,
        service: CatalogueService,
        search: ProductSearch,
        *,
        images: ProductImages,
        uploads: Uploads,
        media: MediaAddresses,
    ) -> None:
        self.call = call
        self.identity = call.identity
        self.service = service
        self.search = search
        self.images = images
        self.uploads = uploads
        self.media = media
        self._products_of_category: dict[tuple[ProductSort | None, PageRequest], DataLoader[str, Page[Product]]] = {}
        repository = service.repository
        present = service.pricing.at_present

        async def find_products(field: str, values: Sequence[str]) -> list[Product]:
            return [present(product) for product in await repository.find_products(field, values)]

        async def find_by_slug(slugs: Sequence[str]) -> dict[str, Product]:
            return {slug: present(product) for slug, product in (await repository.find_by_slug(slugs)).items()}

        async def find_variants(parent_ids: Sequence[str]) -> list[Product]:
            return [present(product) for product in await repository.find_variants(parent_ids)]

        self.product_by_id: DataLoader[str, Product | None] = entity_loader(
            lambda ids: find_products("_id", ids), lambda product: product.id
        )
        self.product_by_sku: DataLoader[str, Product | None] = entity_loader(
            lambda skus: find_products("sku", skus), lambda product: product.sku
        )
        # A former slug leads to what has another one now
        self.product_by_slug: DataLoader[str, Product | None] = _slug_loader(find_by_slug)
        self.variants_of_product: DataLoader[str, list[Product]] = list_loader(
            find_variants, lambda variant: variant.parent_id or ""
        )
        self.category_by_id: DataLoader[str, Category | None] = entity_loader(
            service.categories.find_recent, lambda category: category.id
        )
        self.category_by_slug: DataLoader[str, Category | None] = _slug_loader(repository.find_categories_by_slug)

    def products_of_category(self, sort: ProductSort | None, page: PageRequest) -> DataLoader[str, Page[Product]]:
        """Return the loader of this page of a category's products: one query however many categories ask for it."""
        loader = self._products_of_category.get((sort, page))
        if loader is None:

            async def load(category_ids: list[str]) -> list[Page[Product]]:
                return await self.search.list_products_of(category_ids, sort, page)

            loader = self._products_of_category[sort, page] = DataLoader(load_fn=load)
        return loader

    async def load_product(self, *, id_: str | None, sku: str | None, slug: str | None) -> Product | None:
        """Load a product by the first key that is given."""
        if id_ is not None:
            return await self.product_by_id.load(id_)
        if sku is not None:
            return await self.product_by_sku.load(sku)
        return None if slug is None else await self.product_by_slug.load(slug)

    async def load_category(self, *, id_: str | None, slug: str | None) -> Category | None:
        """Load a category by the first key that is given."""
        if id_ is not None:
            return await self.category_by_id.load(id_)
        return None if slug is None else await self.category_by_slug.load(slug)


def _slug_loader(find: Callable[[Sequence[str]], Awaitable[dict[str, R]]]) -> DataLoader[str, R | None]:
    async def load(slugs: list[str]) -> list[R | None]:
        found = await find(slugs)
        return [found.get(slug) for slug in slugs]

    return DataLoader(load_fn=load)
