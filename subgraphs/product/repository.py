"""The only queries of the catalogue. Reads take raw rows: through Beanie's models a list costs four times more."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.money import Money
from core.mongo import Database, Row, Session
from core.paging import Page, PageRequest, SortOrder, find_computed_page, find_page, find_pages
from subgraphs.product.documents import CategoryDocument, ProductDocument
from subgraphs.product.model import (
    Category,
    Product,
    ProductImage,
    ProductSort,
    ProductStatus,
    SearchTerms,
)

CATEGORIES = "categories"
PRODUCTS = "products"

# What only queries need is left where it is
_PRODUCT_FIELDS = {"words": 0, "category_path": 0}
# More categories than a person can look through
MAX_CATEGORIES = 1000

_ORDERS: Mapping[ProductSort, SortOrder] = {
    ProductSort.RELEVANCE: (("score", -1), ("_id", 1)),
    ProductSort.NEWEST: (("created_at", -1), ("_id", -1)),
    ProductSort.PRICE_ASC: (("price.amount", 1), ("_id", 1)),
    ProductSort.PRICE_DESC: (("price.amount", -1), ("_id", -1)),
    ProductSort.NAME: (("name_key", 1), ("_id", 1)),
}


@dataclass(frozen=True, slots=True)
class ProductQuery:
    """Which products a list holds. *price_min* and *price_max* are minor units of *currency*."""

    status: ProductStatus
    search: SearchTerms | None = None
    category_id: str | None = None
    currency: str | None = None
    price_min: int | None = None
    price_max: int | None = None


class CatalogueRepository:
    """Products and categories in one database."""

    def __init__(self, database: Database) -> None:
        self._products = database[PRODUCTS]
        self._categories = database[CATEGORIES]

    async def find_products(self, field: str, values: Sequence[str]) -> list[Product]:
        """Return the products whose *field* (`_id`, `sku`, `slug`) is one of *values*, in any order and state."""
        rows = await self._products.find({field: {"$in": list(values)}}, _PRODUCT_FIELDS).to_list()
        return [product_from_row(row) for row in rows]

    async def find_product(self, id_: str, *, session: Session | None = None) -> Product | None:
        """Return one product in any state."""
        row = await self._products.find_one({"_id": id_}, _PRODUCT_FIELDS, session=session)
        return None if row is None else product_from_row(row)

    async def find_product_page(self, query: ProductQuery, sort: ProductSort, page: PageRequest) -> Page[Product]:
        """Return a page of the products that *query* describes. RELEVANCE needs a search."""
        condition = _condition_of(query)
        if sort is ProductSort.RELEVANCE:
            # A product found only by the beginning of a word has no score of its own
            score = {"$ifNull": [{"$meta": "textScore"}, 0.0]}
            found = await find_computed_page(
                self._products, condition, _ORDERS[sort], page, computed={"score": score}, projection=_PRODUCT_FIELDS
            )
        else:
            found = await find_page(
                self._products, condition, _ORDERS[sort], page, projection=_PRODUCT_FIELDS, hint=_index_for(query, sort)
            )
        return _products_of(found)

    async def find_product_pages(
        self, category_ids: Sequence[str], sort: ProductSort, page: PageRequest
    ) -> list[Page[Product]]:
        """Return for each category the same page of its active products, in one query."""
        found = await find_pages(
            self._products,
            "category_path",
            category_ids,
            _ORDERS[sort],
            page,
            query={"status": ProductStatus.ACTIVE},
            projection=_PRODUCT_FIELDS,
        )
        return [_products_of(rows) for rows in found]

    async def insert_product(self, product: Product, category: Category | None, *, session: Session) -> None:
        """Add *product*; raise DuplicateKeyError when its sku or slug is taken."""
        await ProductDocument.from_product(product, category).insert(session=session)

    async def replace_product(
        self, before: Product, after: Product, category: Category | None, *, session: Session
    ) -> bool:
        """Write *after* if the product is still as *before* says; return whether it was.

        Raises DuplicateKeyError when a new sku or slug is taken.
        """
        row = ProductDocument.from_product(after, category).model_dump(exclude={"id", "created_at"})
        result = await self._products.update_one(
            {"_id": before.id, "version": before.version}, {"$set": row}, session=session
        )
        return result.matched_count == 1

    async def find_categories(self, field: str, values: Sequence[str]) -> list[Category]:
        """Return the categories whose *field* (`_id`, `slug`) is one of *values*, in any order."""
        rows = await self._categories.find({field: {"$in": list(values)}}).to_list()
        return [category_from_row(row) for row in rows]

    async def find_category(self, id_: str) -> Category | None:
        """Return one category."""
        row = await self._categories.find_one({"_id": id_})
        return None if row is None else category_from_row(row)

    async def find_all_categories(self) -> list[Category]:
        """Return the first MAX_CATEGORIES categories by name."""
        rows = await self._categories.find().sort([("name_key", 1), ("_id", 1)]).limit(MAX_CATEGORIES).to_list()
        return [category_from_row(row) for row in rows]

    async def insert_category(self, category: Category, *, session: Session) -> None:
        """Add *category*; raise DuplicateKeyError when its slug is taken."""
        await CategoryDocument.from_category(category).insert(session=session)


def product_from_row(row: Row) -> Product:
    """Read a row of `products`."""
    price = row["price"]
    return Product(
        id=row["_id"],
        sku=row["sku"],
        slug=row["slug"],
        name=row["name"],
        description=row["description"],
        price=Money(price["amount"], price["currency"]),
        category_id=row["category_id"],
        images=tuple(ProductImage(image["url"], image["alt_text"]) for image in row["images"]),
        status=ProductStatus(row["status"]),
        weight_grams=row["weight_grams"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        version=row["version"],
    )


def category_from_row(row: Row) -> Category:
    """Read a row of `categories`."""
    return Category(
        id=row["_id"], slug=row["slug"], name=row["name"], path=tuple(row["path"]), created_at=row["created_at"]
    )


def _products_of(page: Page[Row]) -> Page[Product]:
    return Page(tuple(map(product_from_row, page.rows)), page.cursors, page.has_next, page.has_previous)


def _index_for(query: ProductQuery, sort: ProductSort) -> str | None:
    """Return the index that reads a page in its order; None leaves the choice to the server.

    Left alone it may walk through the whole catalogue in order, and look for the few of one category on the way. With
    a search, or with prices in another order than by price, what is found is few, and sorting it may be the better way.
    """
    by_price = sort in (ProductSort.PRICE_ASC, ProductSort.PRICE_DESC)
    if query.search is not None or ((query.price_min or query.price_max) is not None and not by_price):
        return None
    name = "by_price" if by_price else "by_name" if sort is ProductSort.NAME else "newest"
    return f"category_{name}" if query.category_id is not None else name


def _condition_of(query: ProductQuery) -> dict[str, Any]:
    condition: dict[str, Any] = {"status": query.status}
    if query.category_id is not None:
        condition["category_path"] = query.category_id
    if query.currency is not None:
        condition["price.currency"] = query.currency
    bounds = {"$gte": query.price_min, "$lte": query.price_max}
    amount = {operator: bound for operator, bound in bounds.items() if bound is not None}
    if amount:
        condition["price.amount"] = amount
    if query.search is not None:
        condition["$or"] = list(_search_conditions(query.search))
    return condition


def _search_conditions(search: SearchTerms) -> Iterable[Mapping[str, Any]]:
    if not search.words:
        # Something was typed, and there is no word in it: nothing is found
        yield {"_id": {"$in": []}}
        return
    # In quotes every word must be there; without them, any
    yield {"$text": {"$search": " ".join(f'"{word}"' for word in search.words)}}
    yield {"words": {"$all": [_starting_with(word) for word in search.beginnings]}}
    if search.code is not None:
        yield {"words": _starting_with(search.code)}


def _starting_with(beginning: str) -> re.Pattern[str]:
    # Anchored and case-sensitive: a range of the index
    return re.compile(f"^{re.escape(beginning)}")
