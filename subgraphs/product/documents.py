"""The collections of the catalogue and their indexes."""

from datetime import datetime
from typing import ClassVar

from beanie import Document
from pydantic import BaseModel
from pymongo import ASCENDING, DESCENDING, TEXT, IndexModel

from subgraphs.product.facets import facet_key, filter_keys
from subgraphs.product.model import (
    Category,
    Product,
    ProductStatus,
    fold,
    search_words,
)


class StoredMoney(BaseModel):
    """Minor units and their currency."""

    amount: int
    currency: str


class StoredImage(BaseModel):
    """A picture of a product."""

    url: str
    alt_text: str


class StoredAttribute(BaseModel):
    """A property of a product."""

    name: str
    value: str


class CategoryDocument(Document):
    """A category. *path* are the ids from the top down to itself; *name_key* sorts without regard to case."""

    id: str  # type: ignore[assignment]  # Beanie expects an ObjectId; ours are texts
    slug: str
    name: str
    name_key: str
    path: list[str]
    created_at: datetime

    class Settings:
        """Where it is kept."""

        name = "categories"
        indexes: ClassVar = [
            IndexModel("slug", unique=True, name="slug"),
            IndexModel([("name_key", ASCENDING), ("_id", ASCENDING)], name="by_name"),
        ]

    @classmethod
    def from_category(cls, category: Category) -> "CategoryDocument":
        """Return the row of *category*."""
        return cls(
            id=category.id,
            slug=category.slug,
            name=category.name,
            name_key=fold(category.name),
            path=list(category.path),
            created_at=category.created_at,
        )


# One index per sort, so that a page is read in its order from where the last one ended; `status` is always given. The
# price comes last where it is not the order, so that those of another price are passed over without being read
_PRICE = (("price.amount", ASCENDING), ("price.currency", ASCENDING))
_SORTS = (
    ("newest", ("created_at", DESCENDING), ("_id", DESCENDING), *_PRICE),
    ("price", ("price.amount", ASCENDING), ("_id", ASCENDING), ("price.currency", ASCENDING)),
    ("name", ("name_key", ASCENDING), ("_id", ASCENDING), *_PRICE),
    # Not a sort: what facets count is in the index as a whole
    ("facets", ("facet_key", ASCENDING), *_PRICE),
)


class ProductDocument(Document):
    """A product.

    *filter_keys* and *facet_key* are those of facets.py; *words* serve searches by the beginning of a word, the text
    index those by whole words.
    """

    id: str  # type: ignore[assignment]  # Beanie expects an ObjectId; ours are texts
    sku: str
    slug: str
    name: str
    name_key: str
    description: str
    price: StoredMoney
    category_id: str | None
    filter_keys: list[str]
    facet_key: str
    attributes: list[StoredAttribute]
    in_stock: bool | None
    images: list[StoredImage]
    status: ProductStatus
    weight_grams: int
    words: list[str]
    created_at: datetime
    updated_at: datetime
    version: int

    class Settings:
        """Where it is kept."""

        name = "products"
        indexes: ClassVar = [
            IndexModel("sku", unique=True, name="sku"),
            IndexModel("slug", unique=True, name="slug"),
            *(IndexModel([("status", ASCENDING), *keys], name=f"all_{name}") for name, *keys in _SORTS),
            *(
                IndexModel([("filter_keys", ASCENDING), ("status", ASCENDING), *keys], name=f"filtered_{name}")
                for name, *keys in _SORTS
            ),
            IndexModel([("words", ASCENDING), ("status", ASCENDING)], name="words_of_status"),
            # No language: its stemming would fit one of them and mangle the names in the others
            IndexModel(
                [("name", TEXT), ("description", TEXT)],
                weights={"name": 10, "description": 1},
                default_language="none",
                language_override="text_language",
                name="text",
            ),
        ]

    @classmethod
    def from_product(cls, product: Product, category: Category | None) -> "ProductDocument":
        """Return the row of *product*, which stands in *category*."""
        return cls(
            id=product.id,
            sku=product.sku,
            slug=product.slug,
            name=product.name,
            name_key=fold(product.name),
            description=product.description,
            price=StoredMoney(amount=product.price.amount, currency=product.price.currency),
            category_id=product.category_id,
            filter_keys=list(filter_keys(product, category)),
            facet_key=facet_key(product, category),
            attributes=[StoredAttribute(name=each.name, value=each.value) for each in product.attributes],
            in_stock=product.in_stock,
            images=[StoredImage(url=image.url, alt_text=image.alt_text) for image in product.images],
            status=product.status,
            weight_grams=product.weight_grams,
            words=list(search_words(product.name, product.sku)),
            created_at=product.created_at,
            updated_at=product.updated_at,
            version=product.version,
        )


DOCUMENTS: tuple[type[Document], ...] = (CategoryDocument, ProductDocument)
