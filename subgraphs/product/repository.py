"""The only queries of the catalogue. Reads take raw rows: through Beanie's models a list costs four times more."""

from collections.abc import Sequence

from core.money import Money
from core.mongo import Database, Row, Session
from subgraphs.product.documents import CategoryDocument, ProductDocument
from subgraphs.product.model import (
    Category,
    Product,
    ProductAttribute,
    ProductImage,
    ProductStatus,
)

CATEGORIES = "categories"
PRODUCTS = "products"

# What only queries need is left where it is
PRODUCT_FIELDS = {"words": 0, "filter_keys": 0, "facet_key": 0}
# Of earlier versions, which nothing reads by any more
_FORMER_INDEXES = frozenset(
    {"newest", "by_price", "by_name", "category_newest", "category_by_price", "category_by_name", "by_word"}
)
# More categories than a person can look through
MAX_CATEGORIES = 1000


class CatalogueRepository:
    """Products and categories in one database."""

    def __init__(self, database: Database) -> None:
        self._products = database[PRODUCTS]
        self._categories = database[CATEGORIES]

    async def find_products(self, field: str, values: Sequence[str]) -> list[Product]:
        """Return the products whose *field* (`_id`, `sku`, `slug`) is one of *values*, in any order and state."""
        rows = await self._products.find({field: {"$in": list(values)}}, PRODUCT_FIELDS).to_list()
        return [product_from_row(row) for row in rows]

    async def find_product(self, id_: str, *, session: Session | None = None) -> Product | None:
        """Return one product in any state."""
        row = await self._products.find_one({"_id": id_}, PRODUCT_FIELDS, session=session)
        return None if row is None else product_from_row(row)

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

    async def complete_rows(self) -> None:
        """Give products that an earlier version wrote what lists filter and count by, and drop its indexes."""
        async for row in self._products.find({"facet_key": {"$exists": False}}):
            product = product_from_row({"attributes": [], "in_stock": None, **row})
            category = None if product.category_id is None else await self.find_category(product.category_id)
            fields = ProductDocument.from_product(product, category).model_dump(
                include={"filter_keys", "facet_key", "attributes", "in_stock"}
            )
            await self._products.update_one({"_id": product.id, "version": product.version}, {"$set": fields})
        for name in set(await self._products.index_information()) & _FORMER_INDEXES:
            await self._products.drop_index(name)

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
        attributes=tuple(ProductAttribute(each["name"], each["value"]) for each in row["attributes"]),
        in_stock=row["in_stock"],
    )


def category_from_row(row: Row) -> Category:
    """Read a row of `categories`."""
    return Category(
        id=row["_id"], slug=row["slug"], name=row["name"], path=tuple(row["path"]), created_at=row["created_at"]
    )
