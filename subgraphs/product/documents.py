"""The collections of the catalogue and their indexes."""

from dataclasses import replace
from datetime import datetime
from typing import ClassVar

from beanie import Document
from pydantic import BaseModel
from pymongo import ASCENDING, DESCENDING, TEXT, IndexModel

from subgraphs.product.attributes import AttributeDefinition, AttributeType, ProductAttribute
from subgraphs.product.facets import facet_key, filter_keys, list_status
from subgraphs.product.images.documents import IMAGE_DOCUMENTS, StoredRendition
from subgraphs.product.model import (
    Category,
    Product,
    ProductStatus,
    fold,
    search_words,
)
from subgraphs.product.picture_model import ProductImage
from subgraphs.product.price_model import ListPrice, PriceList
from subgraphs.product.prices import next_change, price_at


class StoredMoney(BaseModel):
    """Minor units and their currency."""

    amount: int
    currency: str


class StoredImage(BaseModel):
    """A picture of a product: at *url*, or one of those that the store keeps."""

    url: str
    alt_text: str
    picture_id: str | None
    renditions: list[StoredRendition]

    @classmethod
    def from_image(cls, image: ProductImage) -> "StoredImage":
        """Return it as it is kept."""
        renditions = () if image.picture is None else image.picture.renditions
        return cls(
            url=image.url,
            alt_text=image.alt_text,
            picture_id=None if image.picture is None else image.picture.id,
            renditions=[StoredRendition(width=each.width, height=each.height) for each in renditions],
        )


class StoredAttribute(BaseModel):
    """A property of a product."""

    name: str
    value: str
    filterable: bool = True

    @classmethod
    def from_attribute(cls, attribute: ProductAttribute) -> "StoredAttribute":
        """Return it as it is kept."""
        return cls(name=attribute.name, value=attribute.value, filterable=attribute.filterable)


class StoredListPrice(BaseModel):
    """What a product costs by a price list, with what tells whether it holds."""

    code: str
    name: str
    currency: str
    priority: int
    valid_from: datetime
    valid_until: datetime | None
    amount: int

    @classmethod
    def from_list_price(cls, each: ListPrice) -> "StoredListPrice":
        """Return it as it is kept."""
        return cls(
            code=each.price_list.code,
            name=each.price_list.name,
            currency=each.price_list.currency,
            priority=each.price_list.priority,
            valid_from=each.price_list.valid_from,
            valid_until=each.price_list.valid_until,
            amount=each.amount,
        )


class StoredOption(BaseModel):
    """What a shopper chooses of a product."""

    name: str
    values: list[str]


class StoredDefinition(BaseModel):
    """What a category says of an attribute."""

    name: str
    label: str
    type: AttributeType
    options: list[str]
    unit: str
    required: bool
    filterable: bool

    @classmethod
    def from_definition(cls, each: AttributeDefinition) -> "StoredDefinition":
        """Return it as it is kept."""
        return cls(
            name=each.name,
            label=each.label,
            type=each.type,
            options=list(each.options),
            unit=each.unit,
            required=each.required,
            filterable=each.filterable,
        )


class CategoryDocument(Document):
    """A category. *path* are the ids from the top down to itself; *name_key* sorts without regard to case."""

    id: str  # type: ignore[assignment]  # Beanie expects an ObjectId; ours are texts
    slug: str
    name: str
    name_key: str
    path: list[str]
    created_at: datetime
    attributes: list[StoredDefinition]

    class Settings:
        """Where it is kept."""

        name = "categories"
        indexes: ClassVar = [
            IndexModel("slug", unique=True, name="slug"),
            IndexModel([("name_key", ASCENDING), ("_id", ASCENDING)], name="by_name"),
            IndexModel("path", name="path"),
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
            attributes=[StoredDefinition.from_definition(each) for each in category.attributes],
        )


# One index per sort, so that a page is read in its order from where the last one ended; `list_status` is always given.
# The price comes last where it is not the order, so that those of another price are passed over without being read
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

    *filter_keys*, *facet_key* and *list_status* are those of facets.py; *choice_key* is a variant's choices as one
    text, so that no product has two of the same; *words* serve searches by the beginning of a word, the text index
    those by whole words. *price* is what it cost when the row was written, by which lists are sorted and filtered, and
    *next_change_at* is when that, or the status, changes by itself.
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
    list_status: str
    attributes: list[StoredAttribute]
    in_stock: bool | None
    stock_revision: int
    parent_id: str | None
    choice_key: str | None
    options: list[StoredOption]
    choices: list[StoredAttribute]
    variant_choices: list[StoredAttribute]
    deleted_at: datetime | None
    regular_price: StoredMoney
    list_prices: list[StoredListPrice]
    publish_at: datetime | None
    unpublish_at: datetime | None
    next_change_at: datetime | None
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
            IndexModel("next_change_at", name="next_change"),
            IndexModel("list_prices.code", name="price_list"),
            IndexModel("images.picture_id", partialFilterExpression={"images.picture_id": {"$gt": ""}}, name="picture"),
            IndexModel([("category_id", ASCENDING), ("_id", ASCENDING)], name="category"),
            IndexModel(
                [("parent_id", ASCENDING), ("choice_key", ASCENDING)],
                unique=True,
                partialFilterExpression={"parent_id": {"$gt": ""}},
                name="variants",
            ),
            *(IndexModel([("list_status", ASCENDING), *keys], name=f"all_{name}") for name, *keys in _SORTS),
            *(
                IndexModel([("filter_keys", ASCENDING), ("list_status", ASCENDING), *keys], name=f"filtered_{name}")
                for name, *keys in _SORTS
            ),
            IndexModel([("words", ASCENDING), ("list_status", ASCENDING)], name="words_of_list"),
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
        """Return the row of *product*, which stands in *category*, as it is to be listed at its last change."""
        written_at = product.updated_at
        shown = price_at(product, written_at) or product.price
        return cls(
            id=product.id,
            sku=product.sku,
            slug=product.slug,
            name=product.name,
            name_key=fold(product.name),
            description=product.description,
            price=StoredMoney(amount=shown.amount, currency=shown.currency),
            category_id=product.category_id,
            filter_keys=list(filter_keys(product, category)),
            facet_key=facet_key(replace(product, price=shown), category),
            list_status=list_status(product),
            attributes=[StoredAttribute.from_attribute(each) for each in product.attributes],
            in_stock=product.in_stock,
            stock_revision=product.stock_revision,
            parent_id=product.parent_id,
            choice_key=_choice_key(product),
            options=[StoredOption(name=each.name, values=list(each.values)) for each in product.options],
            choices=[StoredAttribute.from_attribute(each) for each in product.choices],
            variant_choices=[StoredAttribute.from_attribute(each) for each in product.variant_choices],
            deleted_at=product.deleted_at,
            regular_price=StoredMoney(amount=product.price.amount, currency=product.price.currency),
            list_prices=[StoredListPrice.from_list_price(each) for each in product.list_prices],
            publish_at=product.publish_at,
            unpublish_at=product.unpublish_at,
            next_change_at=next_change(product, written_at),
            images=[StoredImage.from_image(image) for image in product.images],
            status=product.status,
            weight_grams=product.weight_grams,
            words=list(search_words(product.name, product.sku)),
            created_at=product.created_at,
            updated_at=product.updated_at,
            version=product.version,
        )


def _choice_key(product: Product) -> str | None:
    if product.parent_id is None:
        return None
    return "\n".join(sorted(f"{each.name}={each.value}" for each in product.choices))


class SlugRedirectDocument(Document):
    """A slug that a product or category had before; its id is `product/<slug>` or `category/<slug>`."""

    id: str  # type: ignore[assignment]  # Beanie expects an ObjectId; ours are texts
    target_id: str
    since: datetime

    class Settings:
        """Where it is kept."""

        name = "slug_redirects"


class RefilingDocument(Document):
    """A category whose products have to be filed anew, because it has moved or says something else of attributes.

    It stays for as long as a transaction lives that may have read the category before, and is looked at until then.
    """

    id: str  # type: ignore[assignment]  # Beanie expects an ObjectId; ours are texts
    changed_at: datetime

    class Settings:
        """Where it is kept."""

        name = "refilings"


class PriceListDocument(Document):
    """A price list; its id is its code. While *is_spreading*, products may have its former end."""

    id: str  # type: ignore[assignment]  # Beanie expects an ObjectId; ours are texts
    name: str
    currency: str
    priority: int
    valid_from: datetime
    valid_until: datetime | None
    is_spreading: bool = False
    version: int = 1

    class Settings:
        """Where it is kept."""

        name = "price_lists"
        indexes: ClassVar = [
            IndexModel("is_spreading", partialFilterExpression={"is_spreading": True}, name="spreading")
        ]

    @classmethod
    def from_price_list(cls, price_list: PriceList) -> "PriceListDocument":
        """Return the row of *price_list*."""
        return cls(
            id=price_list.code,
            name=price_list.name,
            currency=price_list.currency,
            priority=price_list.priority,
            valid_from=price_list.valid_from,
            valid_until=price_list.valid_until,
        )


class TreeDocument(Document):
    """The one row that every change of the category tree writes, so that no two happen at the same time."""

    id: str  # type: ignore[assignment]  # Beanie expects an ObjectId; ours are texts
    version: int

    class Settings:
        """Where it is kept."""

        name = "category_tree"


DOCUMENTS: tuple[type[Document], ...] = (
    CategoryDocument,
    ProductDocument,
    SlugRedirectDocument,
    RefilingDocument,
    PriceListDocument,
    TreeDocument,
    *IMAGE_DOCUMENTS,
)
