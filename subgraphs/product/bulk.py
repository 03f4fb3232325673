"""Many products at once, for seeds and imports: raw rows, no events, no transaction."""

from collections.abc import Iterable

from core.mongo import Database
from subgraphs.product.documents import CategoryDocument, ProductDocument
from subgraphs.product.model import Category, Product, check_name, check_product, check_slug
from subgraphs.product.repository import CATEGORIES, PRODUCTS

BATCH = 1000


async def insert_categories(database: Database, categories: Iterable[Category]) -> int:
    """Insert *categories* and return how many; raise BadUserInput for an invalid one before anything is written."""
    rows = []
    for category in categories:
        check_name(category.name)
        check_slug(category.slug)
        rows.append(CategoryDocument.from_category(category).model_dump(by_alias=True))
    for start in range(0, len(rows), BATCH):
        await database[CATEGORIES].insert_many(rows[start : start + BATCH], ordered=False)
    return len(rows)


async def insert_products(database: Database, products: Iterable[tuple[Product, Category | None]]) -> int:
    """Insert products, each with its category, and return how many.

    Nothing is announced: whoever calls this also writes the stock (subgraphs/inventory/bulk.py). Raises BadUserInput
    for an invalid product before anything of its batch is written.
    """
    written = 0
    rows = []
    for product, category in products:
        rows.append(ProductDocument.from_product(check_product(product), category).model_dump(by_alias=True))
        if len(rows) == BATCH:
            await database[PRODUCTS].insert_many(rows, ordered=False)
            written, rows = written + len(rows), []
    if rows:
        await database[PRODUCTS].insert_many(rows, ordered=False)
    return written + len(rows)
