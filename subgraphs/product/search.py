"""Finding products: lists, how many there are of what, and how a word that is being typed may go on."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from heapq import nsmallest

import msgspec

from core.cache import Cache
from core.errors import BadUserInput, Forbidden
from core.identity import Identity
from core.money import Money
from core.paging import Page, PageRequest
from core.scopes import PRODUCTS_WRITE
from subgraphs.product import model
from subgraphs.product.attributes import ProductAttribute, check_attribute_name
from subgraphs.product.facets import Facets, count_facets
from subgraphs.product.model import Product, ProductSort, ProductStatus
from subgraphs.product.pricing import Pricing
from subgraphs.product.search_repository import ProductQuery, SearchRepository
from subgraphs.product.visibility import sees_everything

# Counting takes about 3 us a product, so that beyond this many it is remembered for a while: lists that long are seldom
# looked through to the end, and their counts do not change much in the meantime
BROAD, BROAD_TTL_S = 5000, 30.0
MAX_FILTERED_ATTRIBUTES = 10
MAX_FILTERED_VALUES = 50
MAX_SUGGESTIONS = 20


@dataclass(frozen=True, slots=True)
class AttributeFilter:
    """One attribute, and the values of which a product has one."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductFilter:
    """What a caller wants to see. The status is ACTIVE unless said otherwise."""

    search: str | None = None
    category_id: str | None = None
    price_min: Money | None = None
    price_max: Money | None = None
    attributes: tuple[AttributeFilter, ...] = ()
    in_stock: bool | None = None
    status: ProductStatus | None = None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A search as it may be meant, and how many products have its words; at most 500 are counted."""

    text: str
    product_count: int


class ProductSearch:
    """The use cases on one database."""

    def __init__(self, search: SearchRepository, pricing: Pricing, cache: Cache, *, namespace: str) -> None:
        self._search = search
        self._pricing = pricing
        self._cache = cache
        self._namespace = namespace

    async def list_products(
        self,
        filter_: ProductFilter,
        sort: ProductSort | None,
        page: PageRequest,
        *,
        with_facets: bool = False,
        by: Identity,
    ) -> tuple[Page[Product], "asyncio.Task[Facets] | None"]:
        """Return a page of products: by default the active ones, newest first, or best match first in a search.

        *with_facets* also begins to count what the products that *filter_* finds have: beside the list, for together
        they take as long as the longer one. Counts are exact, of broad filters as of BROAD_TTL_S ago at most.

        Raises:
            BadUserInput: the filter or the order cannot be meant.
            Forbidden: products that are not active are for those who edit them.
        """
        query = _read_filter(filter_, by)
        if sort is ProductSort.RELEVANCE and query.search is None:
            raise BadUserInput("RELEVANCE orders the results of a search; there is none", field="sort")
        chosen = sort or (ProductSort.RELEVANCE if query.search else ProductSort.NEWEST)
        await self._pricing.apply_if_late()
        counting = asyncio.create_task(self._count_facets(query)) if with_facets else None
        try:
            return self._present(await self._search.find_product_page(query, chosen, page)), counting
        except BaseException:
            if counting is not None:
                counting.cancel()
                await asyncio.gather(counting, return_exceptions=True)
            raise

    async def list_products_of(
        self, category_ids: Sequence[str], sort: ProductSort | None, page: PageRequest
    ) -> list[Page[Product]]:
        """Return for each category a page of its active products and of those below it, newest first by default."""
        if sort is ProductSort.RELEVANCE:
            raise BadUserInput("RELEVANCE orders the results of a search; there is none", field="sort")
        await self._pricing.apply_if_late()
        pages = await self._search.find_product_pages(category_ids, sort or ProductSort.NEWEST, page)
        return [self._present(each) for each in pages]

    def _present(self, page: Page[Product]) -> Page[Product]:
        return replace(page, rows=tuple(map(self._pricing.at_present, page.rows)))

    async def _count_facets(self, query: ProductQuery) -> Facets:
        return count_facets(await self._count(query))

    async def _count(self, query: ProductQuery) -> dict[str, int]:
        asked = sha256(msgspec.json.encode(query)).hexdigest()
        key = f"product-facets:{self._namespace}:{asked}"

        async def compute() -> str:
            return msgspec.json.encode(await self._search.count_by_facet_key(query)).decode()

        # Those who ask for the same at once wait for one count, whether or not it is kept afterwards
        text, is_cached = await self._cache.get_or_compute(key, compute, ttl_s=BROAD_TTL_S)
        counts = msgspec.json.decode(text, type=dict[str, int])
        if not is_cached and sum(counts.values()) < BROAD:
            await self._cache.delete(key)
        return counts

    async def suggest(self, text: str, limit: int) -> list[Suggestion]:
        """Return how a search that is being typed may go on: its last word completed, the most frequent first.

        Raises:
            BadUserInput: the text is too long, or *limit* is out of range.
        """
        if not 1 <= limit <= MAX_SUGGESTIONS:
            raise BadUserInput(f"first is {limit}; it must be between 1 and {MAX_SUGGESTIONS}", field="first")
        *words, beginning = model.read_search(text, field="text").beginnings or ("",)
        if not beginning:
            return []
        counts = await self._search.count_completions(tuple(words), beginning)
        best = nsmallest(limit, counts.items(), key=lambda entry: (-entry[1], entry[0]))
        return [Suggestion(" ".join((*words, word)), count) for word, count in best]


def _read_filter(filter_: ProductFilter, by: Identity) -> ProductQuery:
    status = filter_.status or ProductStatus.ACTIVE
    if status is not ProductStatus.ACTIVE and not sees_everything(by):
        raise Forbidden(f"listing {status} products needs {PRODUCTS_WRITE}")
    return ProductQuery(
        status=status,
        search=model.read_search(filter_.search) if filter_.search and filter_.search.strip() else None,
        category_id=filter_.category_id,
        currency=_currency_of(filter_),
        price_min=filter_.price_min.amount if filter_.price_min else None,
        price_max=filter_.price_max.amount if filter_.price_max else None,
        attributes=_read_attributes(filter_.attributes),
        in_stock=filter_.in_stock,
    )


def _currency_of(filter_: ProductFilter) -> str | None:
    currencies = {bound.currency for bound in (filter_.price_min, filter_.price_max) if bound is not None}
    if len(currencies) > 1:
        raise BadUserInput("priceMin and priceMax are in different currencies", field="filter.priceMax")
    return currencies.pop() if currencies else None


def _read_attributes(filters: tuple[AttributeFilter, ...]) -> tuple[tuple[ProductAttribute, ...], ...]:
    if len(filters) > MAX_FILTERED_ATTRIBUTES:
        raise BadUserInput(f"at most {MAX_FILTERED_ATTRIBUTES} attributes are filtered by", field="filter.attributes")
    for position, each in enumerate(filters):
        check_attribute_name(each.name, field=f"filter.attributes.{position}.name")
        if not 1 <= len(each.values) <= MAX_FILTERED_VALUES:
            raise BadUserInput(
                f"an attribute is filtered by 1 to {MAX_FILTERED_VALUES} values",
                field=f"filter.attributes.{position}.values",
            )
    return tuple(
        tuple(ProductAttribute(each.name, value) for value in sorted(set(each.values)))
        for each in sorted(filters, key=lambda each: each.name)
    )
