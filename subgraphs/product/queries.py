"""What can be asked of the catalogue."""

from typing import Annotated

import strawberry

from core.errors import BadUserInput
from core.paging import read_page_request
from core.scopes import PRODUCTS_WRITE
from schema.ownership import Public
from schema.pagination import After, Before, First, Last, connection_arguments
from subgraphs.product.facet_types import ProductSearchConnection, SearchSuggestion, asks_for
from subgraphs.product.model import ProductSort
from subgraphs.product.search import ProductFilter
from subgraphs.product.types import CategoryType, PriceListType, ProductFilterInput, ProductInfo, ProductType
from subgraphs.product.visibility import is_visible

# What is not on sale yet is shown to holders of products:write only, whatever the query
_CATALOGUE = [Public(because="a shop shows what it sells")]


@strawberry.type
class Query:
    """The catalogue's root fields."""

    @strawberry.field(directives=_CATALOGUE)
    async def product(
        self,
        info: ProductInfo,
        id: Annotated[strawberry.ID | None, strawberry.argument(description="Its id.")] = None,
        sku: Annotated[str | None, strawberry.argument(description="Its sku.")] = None,
        slug: Annotated[str | None, strawberry.argument(description="Its slug.")] = None,
    ) -> ProductType | None:
        """Find one product by exactly one of its keys. Drafts and archived products need the scope products:write."""
        if (id is not None) + (sku is not None) + (slug is not None) != 1:
            raise BadUserInput("ask for a product by exactly one of id, sku and slug", field="id")
        product = await info.context.load_product(id_=id, sku=sku, slug=slug)
        if product is None or not is_visible(product, info.context.identity):
            return None
        return ProductType.from_product(product)

    @strawberry.field(directives=_CATALOGUE)
    async def products(
        self,
        info: ProductInfo,
        filter: Annotated[
            ProductFilterInput | None, strawberry.argument(description="Which ones; all active ones by default.")
        ] = None,
        sort: Annotated[ProductSort | None, strawberry.argument(description="Their order.")] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> ProductSearchConnection:
        """List products, and count what there is to narrow the list down by."""
        chosen = filter.to_filter() if filter else ProductFilter()
        request = read_page_request(first, after, last, before)
        page, counting = await info.context.search.list_products(
            chosen,
            sort,
            request,
            with_facets=asks_for(info.selected_fields, "facets"),
            by=info.context.identity,
        )
        return ProductSearchConnection(**connection_arguments(page, ProductType.from_product), counting=counting)

    @strawberry.field(directives=_CATALOGUE)
    async def search_suggestions(
        self,
        info: ProductInfo,
        text: Annotated[str, strawberry.argument(description="What was typed so far.")],
        first: Annotated[int, strawberry.argument(description="How many; at most 20.")] = 10,
    ) -> list[SearchSuggestion]:
        """Complete the last word of a search, the most frequent first; words before it must be there as they are."""
        found = await info.context.search.suggest(text, first)
        return [SearchSuggestion(text=each.text, product_count=each.product_count) for each in found]

    @strawberry.field(directives=_CATALOGUE)
    async def categories(self, info: ProductInfo) -> list[CategoryType]:
        """List all categories by name."""
        return [
            CategoryType.from_category(category) for category in await info.context.service.categories.list_categories()
        ]

    @strawberry.federation.field(requires_scopes=[[PRODUCTS_WRITE]])
    async def price_lists(self, info: ProductInfo) -> list[PriceListType]:
        """List all price lists by code."""
        found = await info.context.service.pricing.list_price_lists(by=info.context.identity)
        return [PriceListType.from_price_list(each) for each in found]

    @strawberry.field(directives=_CATALOGUE)
    async def category(
        self,
        info: ProductInfo,
        id: Annotated[strawberry.ID | None, strawberry.argument(description="Its id.")] = None,
        slug: Annotated[str | None, strawberry.argument(description="Its slug.")] = None,
    ) -> CategoryType | None:
        """Find one category by exactly one of its keys."""
        if (id is not None) + (slug is not None) != 1:
            raise BadUserInput("ask for a category by exactly one of id and slug", field="id")
        category = await info.context.load_category(id_=id, slug=slug)
        return None if category is None else CategoryType.from_category(category)
