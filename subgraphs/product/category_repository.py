"""The queries that change the category tree, and those that file products anew afterwards."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from core.mongo import Database, Session
from subgraphs.product.documents import CategoryDocument, ProductDocument
from subgraphs.product.model import Category, Product
from subgraphs.product.repository import CATEGORIES, PRODUCTS, category_from_row, product_from_row

TREE = "category_tree"
REFILINGS = "refilings"
# MongoDB ends a transaction after a minute, and the driver tries one again for two: what read a category before it
# changed has been written by then, or never
OVERLAP = timedelta(minutes=5)


class CategoryRepository:
    """Categories of one database, as they are changed."""

    def __init__(self, database: Database) -> None:
        self._categories = database[CATEGORIES]
        self._products = database[PRODUCTS]
        self._tree = database[TREE]
        self._refilings = database[REFILINGS]

    async def take_tree(self, *, session: Session) -> None:
        """Make two changes of the tree conflict, so that the second looks at what the first has made of it."""
        await self._tree.update_one({"_id": "tree"}, {"$inc": {"version": 1}}, upsert=True, session=session)

    async def find_subtree(self, category_id: str, *, session: Session | None = None) -> list[Category]:
        """Return a category and all below it, in any order."""
        return [category_from_row(row) async for row in self._categories.find({"path": category_id}, session=session)]

    async def replace_category(self, category: Category, *, session: Session) -> None:
        """Write all of *category*; raise DuplicateKeyError when its slug is taken."""
        row = CategoryDocument.from_category(category).model_dump(exclude={"id", "created_at"})
        await self._categories.update_one({"_id": category.id}, {"$set": row}, session=session)

    async def request_refiling(self, category_id: str, *, now: datetime, session: Session) -> None:
        """Note that the products of a category and of those below it have to be filed anew."""
        await self._refilings.update_one(
            {"_id": category_id}, {"$set": {"changed_at": now}}, upsert=True, session=session
        )

    async def find_refilings(self) -> list[tuple[str, datetime]]:
        """Return the categories whose products have to be filed anew, and when they changed."""
        return [(row["_id"], row["changed_at"]) async for row in self._refilings.find().sort("_id", 1)]

    async def end_refiling(self, category_id: str, changed_at: datetime) -> None:
        """Forget a refiling, unless the category has changed again since *changed_at*."""
        await self._refilings.delete_one({"_id": category_id, "changed_at": changed_at})

    async def find_products_of(self, category_ids: Sequence[str], after: str, limit: int) -> list[Product]:
        """Return products that stand in one of the categories themselves, by id, after the id *after*."""
        query = {"category_id": {"$in": list(category_ids)}, "_id": {"$gt": after}}
        cursor = self._products.find(query).sort("_id", 1).hint("category").limit(limit)
        return [product_from_row(row) async for row in cursor]

    async def refile(self, product: Product, category: Category) -> bool:
        """Write what *product* is found by; return False when it has changed in the meantime."""
        fields = ProductDocument.from_product(product, category).model_dump(
            include={"filter_keys", "facet_key", "attributes"}
        )
        result = await self._products.update_one({"_id": product.id, "version": product.version}, {"$set": fields})
        return result.matched_count == 1
