"""The queries by which products are listed, searched, counted and completed; each reads by an index.

Only the order of what a search has found, by relevance or anything else, is no index's: it is sorted in memory.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bson import Regex

from core.mongo import Database, Row
from core.paging import Page, PageRequest, SortOrder, find_computed_page, find_page, find_pages
from subgraphs.product.attributes import ProductAttribute
from subgraphs.product.facets import attribute_key, category_key, stock_key
from subgraphs.product.model import Product, ProductSort, ProductStatus, SearchTerms
from subgraphs.product.repository import PRODUCT_FIELDS, PRODUCTS, product_from_row

_ORDERS: Mapping[ProductSort, SortOrder] = {
    ProductSort.RELEVANCE: (("score", -1), ("_id", 1)),
    ProductSort.NEWEST: (("created_at", -1), ("_id", -1)),
    ProductSort.PRICE_ASC: (("price.amount", 1), ("_id", 1)),
    ProductSort.PRICE_DESC: (("price.amount", -1), ("_id", -1)),
    ProductSort.NAME: (("name_key", 1), ("_id", 1)),
}
# Counts come in one answer, not by the hundred
_ONE_BATCH = 100_000
# A beginning that more products than this share is far from a word: counting on would change no suggestion
MAX_COMPLETED = 500


@dataclass(frozen=True, slots=True)
class ProductQuery:
    """Which products a list holds.

    *price_min* and *price_max* are minor units of *currency*. Of each inner tuple of *attributes*, which are values of
    one attribute, a product has one.
    """

    status: ProductStatus
    search: SearchTerms | None = None
    category_id: str | None = None
    currency: str | None = None
    price_min: int | None = None
    price_max: int | None = None
    attributes: tuple[tuple[ProductAttribute, ...], ...] = ()
    in_stock: bool | None = None

    @property
    def is_filtered(self) -> bool:
        """Tell whether something is filtered by its key."""
        return self.category_id is not None or bool(self.attributes) or self.in_stock is not None


class SearchRepository:
    """Products of one database, as they are looked for."""

    def __init__(self, database: Database) -> None:
        self._products = database[PRODUCTS]

    async def find_product_page(self, query: ProductQuery, sort: ProductSort, page: PageRequest) -> Page[Product]:
        """Return a page of the products that *query* describes. RELEVANCE needs a search."""
        condition = _condition_of(query)
        if sort is ProductSort.RELEVANCE:
            # A product found only by the beginning of a word has no score of its own
            score = {"$ifNull": [{"$meta": "textScore"}, 0.0]}
            found = await find_computed_page(
                self._products, condition, _ORDERS[sort], page, computed={"score": score}, projection=PRODUCT_FIELDS
            )
        else:
            found = await find_page(
                self._products, condition, _ORDERS[sort], page, projection=PRODUCT_FIELDS, hint=_index_for(query, sort)
            )
        return _products_of(found)

    async def find_product_pages(
        self, category_ids: Iterable[str], sort: ProductSort, page: PageRequest
    ) -> list[Page[Product]]:
        """Return for each category the same page of its active products, in one query."""
        found = await find_pages(
            self._products,
            "filter_keys",
            [category_key(id_) for id_ in category_ids],
            _ORDERS[sort],
            page,
            query={"list_status": ProductStatus.ACTIVE},
            projection=PRODUCT_FIELDS,
            hint=_filtered_index(sort),
        )
        return [_products_of(rows) for rows in found]

    async def count_by_facet_key(self, query: ProductQuery) -> dict[str, int]:
        """Return how many products that *query* describes there are of each facet key."""
        condition = _condition_of(query)
        if query.search is None and query.is_filtered:
            # All but the key that the index is entered by is read from the facet key, which the index has, too
            first, *others = condition.pop("$and")
            condition |= first
            if others:
                condition["$and"] = [{"facet_key": pattern} for pattern in _facet_patterns(query)]
        stages = [{"$match": condition}, {"$group": {"_id": "$facet_key", "count": {"$sum": 1}}}]
        if query.search is None:
            index = "filtered_facets" if query.is_filtered else "all_facets"
            cursor = await self._products.aggregate(stages, hint=index, batchSize=_ONE_BATCH)
        else:
            cursor = await self._products.aggregate(stages, batchSize=_ONE_BATCH)
        return {row["_id"]: row["count"] for row in await cursor.to_list()}

    async def count_completions(self, words: tuple[str, ...], beginning: str) -> dict[str, int]:
        """Return the words that begin with *beginning*, and how many active products have each with all of *words*.

        Counts at most MAX_COMPLETED products.
        """
        pattern = _starting_with(beginning)
        both = [{"words": pattern}, *({"words": word} for word in words)]
        cursor = await self._products.aggregate(
            [
                {"$match": {"list_status": ProductStatus.ACTIVE, "$and": both}},
                {"$limit": MAX_COMPLETED},
                {"$project": {"words": 1}},
                {"$unwind": "$words"},
                {"$match": {"words": pattern}},
                {"$group": {"_id": "$words", "count": {"$sum": 1}}},
            ],
            hint="words_of_list",
        )
        return {row["_id"]: row["count"] for row in await cursor.to_list()}


def _products_of(page: Page[Row]) -> Page[Product]:
    return Page(tuple(map(product_from_row, page.rows)), page.cursors, page.has_next, page.has_previous)


def _index_for(query: ProductQuery, sort: ProductSort) -> str | None:
    """Return the index that reads a page in its order; None leaves the choice to the server.

    Left alone it may walk through the whole catalogue in order, and look for the few of one category on the way. With a
    search, what is found is few, and it is sorted.
    """
    if query.search is not None:
        return None
    return _filtered_index(sort) if query.is_filtered else f"all_{_sort_name(sort)}"


def _filtered_index(sort: ProductSort) -> str:
    return f"filtered_{_sort_name(sort)}"


def _sort_name(sort: ProductSort) -> str:
    by_price = sort in (ProductSort.PRICE_ASC, ProductSort.PRICE_DESC)
    return "price" if by_price else "name" if sort is ProductSort.NAME else "newest"


def _condition_of(query: ProductQuery) -> dict[str, Any]:
    condition: dict[str, Any] = {"list_status": query.status}
    keys: list[Any] = [] if query.category_id is None else [category_key(query.category_id)]
    keys += [
        attribute_key(values[0]) if len(values) == 1 else {"$in": [attribute_key(value) for value in values]}
        for values in query.attributes
    ]
    if query.in_stock is not None:
        keys.append(stock_key(query.in_stock))
    if keys:
        # The index is entered by one of them: the first, which is the category where there is one
        condition["$and"] = [{"filter_keys": key} for key in keys]
    if query.currency is not None:
        condition["price.currency"] = query.currency
    bounds = {"$gte": query.price_min, "$lte": query.price_max}
    amount = {operator: bound for operator, bound in bounds.items() if bound is not None}
    if amount:
        condition["price.amount"] = amount
    if query.search is not None:
        condition["$or"] = list(_search_conditions(query.search))
    return condition


def _facet_patterns(query: ProductQuery) -> Iterable[Regex[str]]:
    """Yield what a facet key looks like that has all of a query's attributes and its stock."""
    for values in query.attributes:
        pairs = "|".join(_escape(f"{value.name}={value.value}") for value in values)
        yield Regex(f"\n({pairs})(\n|$)")
    if query.in_stock is not None:
        yield Regex(f"^[^\n]*\n[^\n]*\n{int(query.in_stock)}(\n|$)")


def _search_conditions(search: SearchTerms) -> Iterable[Mapping[str, Any]]:
    if not search.words:
        # Something was typed, and there is no word in it: nothing is found
        yield {"_id": {"$in": []}}
        return
    # In quotes every word must be there; without them, any. For one alone that is the same, and spares the server a
    # second look at each product
    [first, *others] = search.words
    yield {"$text": {"$search": " ".join(f'"{word}"' for word in search.words) if others else first}}
    yield {"words": {"$all": [_starting_with(word) for word in search.beginnings]}}
    if search.code is not None:
        yield {"words": _starting_with(search.code)}


def _starting_with(beginning: str) -> Regex[str]:
    # Anchored and without any flag: a range of the index. A pattern of Python's carries its Unicode flag along, and
    # with one the server looks at every word there is
    return Regex("^" + _escape(beginning))


def _escape(text: str) -> str:
    return "".join(character if character.isalnum() or character == "_" else f"\\{character}" for character in text)
