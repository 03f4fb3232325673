"""The only queries of the catalogue. Reads take raw rows: through Beanie's models a list costs four times more."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from core.money import Money
from core.mongo import Database, Row, Session
from subgraphs.product.attributes import AttributeDefinition, AttributeType, ProductAttribute
from subgraphs.product.documents import CategoryDocument, ProductDocument
from subgraphs.product.model import (
    Category,
    Product,
    ProductOption,
    ProductStatus,
)
from subgraphs.product.picture_model import Picture, ProductImage, Rendition
from subgraphs.product.price_model import ListPrice, PriceList

CATEGORIES = "categories"
PRODUCTS = "products"

# What only queries need is left where it is
PRODUCT_FIELDS = {"words": 0, "filter_keys": 0, "facet_key": 0, "list_status": 0, "choice_key": 0, "next_change_at": 0}
# Of earlier versions, which nothing reads by any more
_FORMER_INDEXES = frozenset(
    {"newest", "by_price", "by_name", "category_newest", "category_by_price", "category_by_name", "by_word"}
)
# What rows of earlier versions lack
_NEW_FIELDS: Row = {
    "attributes": [],
    "in_stock": None,
    "parent_id": None,
    "options": [],
    "choices": [],
    "variant_choices": [],
    "deleted_at": None,
    "list_prices": [],
    "publish_at": None,
    "unpublish_at": None,
}
# More categories than a person can look through
MAX_CATEGORIES = 1000


class CatalogueRepository:
    """Products and categories in one database."""

    def __init__(self, database: Database) -> None:
        self._products = database[PRODUCTS]
        self._categories = database[CATEGORIES]
        self._redirects = database["slug_redirects"]

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
        async for row in self._products.find({"regular_price": {"$exists": False}}):
            product = product_from_row({**_NEW_FIELDS, "regular_price": row["price"], **row})
            category = None if product.category_id is None else await self.find_category(product.category_id)
            names = {
                "filter_keys",
                "facet_key",
                "list_status",
                "choice_key",
                "regular_price",
                "next_change_at",
                *_NEW_FIELDS,
            }
            fields = ProductDocument.from_product(product, category).model_dump(include=names)
            await self._products.update_one({"_id": product.id, "version": product.version}, {"$set": fields})
        for name in set(await self._products.index_information()) & _FORMER_INDEXES:
            await self._products.drop_index(name)

    async def find_categories(self, field: str, values: Sequence[str]) -> list[Category]:
        """Return the categories whose *field* (`_id`, `slug`) is one of *values*, in any order."""
        rows = await self._categories.find({field: {"$in": list(values)}}).to_list()
        return [category_from_row(row) for row in rows]

    async def find_variants(self, parent_ids: Sequence[str], *, session: Session | None = None) -> list[Product]:
        """Return the variants of products, in any state, those of one product by their choices."""
        cursor = self._products.find({"parent_id": {"$in": list(parent_ids)}}, PRODUCT_FIELDS, session=session)
        return [product_from_row(row) async for row in cursor.sort([("parent_id", 1), ("choice_key", 1)])]

    async def iterate_families(self, batch: int = 200) -> AsyncIterator[list[Product]]:
        """Yield every product that is not deleted and no variant, by id, each followed by its variants."""
        after = ""
        while True:
            query = {"_id": {"$gt": after}, "parent_id": None, "deleted_at": None}
            rows = await self._products.find(query, PRODUCT_FIELDS).sort("_id", 1).limit(batch).to_list()
            families = {row["_id"]: [product_from_row(row)] for row in rows}
            for variant in await self.find_variants([*families]) if families else []:
                if variant.deleted_at is None:
                    families[variant.parent_id or ""].append(variant)
            for family in families.values():
                yield family
            if len(rows) < batch:
                return
            after = rows[-1]["_id"]

    async def find_by_slug(self, slugs: Sequence[str]) -> dict[str, Product]:
        """Return the products that have these slugs, or had them before, by slug."""
        found = {product.slug: product for product in await self.find_products("slug", slugs)}
        former = await self._find_redirects("product", [slug for slug in slugs if slug not in found])
        by_id = (
            {product.id: product for product in await self.find_products("_id", [*former.values()])} if former else {}
        )
        return found | {slug: by_id[id_] for slug, id_ in former.items() if id_ in by_id}

    async def find_categories_by_slug(self, slugs: Sequence[str]) -> dict[str, Category]:
        """Return the categories that have these slugs, or had them before, by slug."""
        found = {category.slug: category for category in await self.find_categories("slug", slugs)}
        former = await self._find_redirects("category", [slug for slug in slugs if slug not in found])
        by_id = {each.id: each for each in await self.find_categories("_id", [*former.values()])} if former else {}
        return found | {slug: by_id[id_] for slug, id_ in former.items() if id_ in by_id}

    async def _find_redirects(self, kind: str, slugs: Sequence[str]) -> dict[str, str]:
        if not slugs:
            return {}
        rows = self._redirects.find({"_id": {"$in": [f"{kind}/{slug}" for slug in slugs]}})
        return {row["_id"].partition("/")[2]: row["target_id"] async for row in rows}

    async def keep_slug(
        self, kind: str, former: str | None, present: str, target_id: str, *, now: datetime, session: Session
    ) -> None:
        """Make the *former* slug lead to *target_id*, and *present* lead nowhere else."""
        await self._redirects.delete_one({"_id": f"{kind}/{present}"}, session=session)
        if former is not None:
            await self._redirects.update_one(
                {"_id": f"{kind}/{former}"},
                {"$set": {"target_id": target_id, "since": now}},
                upsert=True,
                session=session,
            )

    async def find_category(self, id_: str, *, session: Session | None = None) -> Category | None:
        """Return one category."""
        row = await self._categories.find_one({"_id": id_}, session=session)
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
    price = row["regular_price"]
    return Product(
        id=row["_id"],
        sku=row["sku"],
        slug=row["slug"],
        name=row["name"],
        description=row["description"],
        price=Money(price["amount"], price["currency"]),
        category_id=row["category_id"],
        images=tuple(map(_image_from, row["images"])),
        status=ProductStatus(row["status"]),
        weight_grams=row["weight_grams"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        version=row["version"],
        attributes=_attributes_of(row["attributes"]),
        in_stock=row["in_stock"],
        stock_revision=row.get("stock_revision", 0),
        parent_id=row["parent_id"],
        options=tuple(ProductOption(each["name"], tuple(each["values"])) for each in row["options"]),
        choices=_attributes_of(row["choices"]),
        variant_choices=_attributes_of(row["variant_choices"]),
        deleted_at=row["deleted_at"],
        list_prices=tuple(ListPrice(price_list_from_row(each), each["amount"]) for each in row["list_prices"]),
        publish_at=row["publish_at"],
        unpublish_at=row["unpublish_at"],
    )


def _image_from(row: Row) -> ProductImage:
    picture_id = row.get("picture_id")
    picture = None
    if picture_id is not None:
        picture = Picture(picture_id, tuple(Rendition(each["width"], each["height"]) for each in row["renditions"]))
    return ProductImage(row["url"], row["alt_text"], picture)


def price_list_from_row(row: Row) -> PriceList:
    """Read a row of `price_lists`, or a list in a row of `products`."""
    return PriceList(
        code=row["code"] if "code" in row else row["_id"],
        name=row["name"],
        currency=row["currency"],
        priority=row["priority"],
        valid_from=row["valid_from"],
        valid_until=row["valid_until"],
    )


def category_from_row(row: Row) -> Category:
    """Read a row of `categories`."""
    return Category(
        id=row["_id"],
        slug=row["slug"],
        name=row["name"],
        path=tuple(row["path"]),
        created_at=row["created_at"],
        attributes=tuple(
            AttributeDefinition(
                name=each["name"],
                label=each["label"],
                type=AttributeType(each["type"]),
                options=tuple(each["options"]),
                unit=each["unit"],
                required=each["required"],
                filterable=each["filterable"],
            )
            for each in row.get("attributes", ())
        ),
    )


def _attributes_of(stored: list[Row]) -> tuple[ProductAttribute, ...]:
    return tuple(ProductAttribute(each["name"], each["value"], each["filterable"]) for each in stored)
