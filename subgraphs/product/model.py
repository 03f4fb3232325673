"""Products and categories: what is valid, which states follow which. Synchronous, no I/O, no clock."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlsplit

from core.errors import BadUserInput, Conflict
from core.money import Money
from subgraphs.product.attributes import AttributeDefinition, ProductAttribute, check_attribute_name, check_value
from subgraphs.product.picture_model import MAX_ALT_TEXT_LENGTH, MAX_IMAGES, MAX_URL_LENGTH, ProductImage
from subgraphs.product.price_model import ListPrice

MAX_NAME_LENGTH = 200
MAX_DESCRIPTION_LENGTH = 20_000
MAX_SLUG_LENGTH = 100
MAX_ATTRIBUTES = 50
MAX_OPTIONS = 5
MAX_OPTION_VALUES = 50
MAX_VARIANTS = 100
# A lorry, in grams: what weighs more was mistyped
MAX_WEIGHT_GRAMS = 40_000_000
# A category's path is stored with every product in it
MAX_CATEGORY_DEPTH = 6


class ProductStatus(StrEnum):
    """Where a product is in its life. Its GraphQL descriptions are in types.py."""

    DRAFT = "DRAFT"
    ACTIVE = "ACTIVE"
    ARCHIVED = "ARCHIVED"


class ProductSort(StrEnum):
    """Orders of a product list."""

    RELEVANCE = "RELEVANCE"
    NEWEST = "NEWEST"
    PRICE_ASC = "PRICE_ASC"
    PRICE_DESC = "PRICE_DESC"
    NAME = "NAME"


@dataclass(frozen=True, slots=True)
class Category:
    """A shelf. *path* holds the ids from the top category down to this one; *attributes* are its own definitions."""

    id: str
    slug: str
    name: str
    path: tuple[str, ...]
    created_at: datetime
    attributes: tuple[AttributeDefinition, ...] = ()

    @property
    def parent_id(self) -> str | None:
        """Return the id of the category above, None at the top."""
        return self.path[-2] if len(self.path) > 1 else None


@dataclass(frozen=True, slots=True)
class ProductOption:
    """What a shopper chooses of a product, such as its size, and the values that there are."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Product:
    """Something for sale, once it is ACTIVE. *version* counts its changes, so that none is lost to another.

    *in_stock* is what the stock announced last, of which the higher *stock_revision* is the later; None before it
    announced anything. With options it is whether any variant on sale is in stock.

    A product with *options* is sold as its variants: products with an id, a sku and a price of their own, so that
    carts, stock and orders know nothing else. A variant has *parent_id*, and in *choices* one value of each option;
    *variant_choices* are the choices of a product's variants on sale, by which it is found.

    *price* is the regular one; *list_prices* hold for a time, and *current_price* is what holds now, where somebody has
    asked (prices.py). A draft goes on sale at *publish_at*, and a product off sale at *unpublish_at*. One that is
    deleted stays for those who bought it, until somebody restores it.
    """

    id: str
    sku: str
    slug: str
    name: str
    description: str
    price: Money
    category_id: str | None
    images: tuple[ProductImage, ...]
    status: ProductStatus
    weight_grams: int
    created_at: datetime
    updated_at: datetime
    version: int = 1
    attributes: tuple[ProductAttribute, ...] = ()
    in_stock: bool | None = None
    stock_revision: int = 0
    parent_id: str | None = None
    options: tuple[ProductOption, ...] = ()
    choices: tuple[ProductAttribute, ...] = ()
    variant_choices: tuple[ProductAttribute, ...] = ()
    deleted_at: datetime | None = None
    list_prices: tuple[ListPrice, ...] = ()
    publish_at: datetime | None = None
    unpublish_at: datetime | None = None
    current_price: Money | None = None

    @property
    def is_sellable(self) -> bool:
        """Tell whether it may be sold: it is on sale, and nothing is left to choose."""
        return self.status is ProductStatus.ACTIVE and self.deleted_at is None and not self.options


def check_product(product: Product) -> Product:
    """Return *product*; raise BadUserInput naming the first field that cannot be accepted."""
    check_name(product.name)
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,63}", product.sku):
        raise BadUserInput("a sku is 1 to 64 letters, digits, dots, dashes, slashes and underscores", field="sku")
    check_slug(product.slug)
    if len(product.description) > MAX_DESCRIPTION_LENGTH:
        raise BadUserInput(f"a description has at most {MAX_DESCRIPTION_LENGTH} characters", field="description")
    if product.price.amount <= 0:
        raise BadUserInput(f"the price is {product.price}; it must be more than zero", field="price")
    if not 0 <= product.weight_grams <= MAX_WEIGHT_GRAMS:
        raise BadUserInput(f"a weight is between 0 and {MAX_WEIGHT_GRAMS} grams", field="weightGrams")
    if len(product.images) > MAX_IMAGES:
        raise BadUserInput(f"a product has at most {MAX_IMAGES} images", field="images")
    for position, image in enumerate(product.images):
        _check_image(image, field=f"images.{position}")
    if len({image.id for image in product.images}) < len(product.images):
        raise BadUserInput("an image is given twice", field="images")
    _check_attributes(product.attributes)
    _check_options(product.options)
    return product


def _check_options(options: tuple[ProductOption, ...]) -> None:
    if len(options) > MAX_OPTIONS:
        raise BadUserInput(f"a product has at most {MAX_OPTIONS} options", field="options")
    for position, option in enumerate(options):
        check_attribute_name(option.name, field=f"options.{position}.name")
        if not 1 <= len(option.values) <= MAX_OPTION_VALUES or len(set(option.values)) < len(option.values):
            raise BadUserInput(
                f"an option has 1 to {MAX_OPTION_VALUES} values, each once", field=f"options.{position}.values"
            )
        for number, value in enumerate(option.values):
            check_value(value, field=f"options.{position}.values.{number}")
    if len({option.name for option in options}) < len(options):
        raise BadUserInput("an option is given twice", field="options")


def check_choices(choices: tuple[ProductAttribute, ...], options: tuple[ProductOption, ...]) -> None:
    """Raise BadUserInput unless *choices* are one value of each of *options*."""
    values = {option.name: option.values for option in options}
    if not values:
        raise BadUserInput("the product has no options to choose from", field="productId")
    if sorted(choice.name for choice in choices) != sorted(values):
        raise BadUserInput(f"a variant has one value of each of: {', '.join(values)}", field="choices")
    for position, choice in enumerate(choices):
        if choice.value not in values[choice.name]:
            raise BadUserInput(
                f"{choice.name} is {choice.value!r}; it must be one of {', '.join(values[choice.name])}",
                field=f"choices.{position}.value",
            )


def choices_on_sale(variants: Iterable[Product]) -> tuple[ProductAttribute, ...]:
    """Return the distinct choices of those of *variants* that are on sale, sorted."""
    found = {choice for variant in variants if variant.is_sellable for choice in variant.choices}
    return tuple(sorted(found, key=lambda choice: (choice.name, choice.value)))


def stock_on_sale(variants: Iterable[Product]) -> bool | None:
    """Return whether any of those of *variants* that are on sale is in stock; None if nothing is known of them."""
    known = [variant.in_stock for variant in variants if variant.is_sellable and variant.in_stock is not None]
    return any(known) if known else None


def delete(product: Product, *, now: datetime) -> Product:
    """Return *product* as deleted since *now*, or since it was."""
    if product.deleted_at is not None:
        return product
    return replace(product, deleted_at=now, updated_at=now, version=product.version + 1)


def restore(product: Product, *, now: datetime) -> Product:
    """Return *product* as it was before it was deleted."""
    if product.deleted_at is None:
        return product
    return replace(product, deleted_at=None, updated_at=now, version=product.version + 1)


def move_path(category: Category, parent: Category | None, depth_below: int) -> tuple[str, ...]:
    """Return the path of *category* under *parent*; *depth_below* is how many levels stand below it.

    Raises:
        Conflict: *parent* stands below the category, or is it.
        BadUserInput: it would be too deep.
    """
    above = parent.path if parent else ()
    if category.id in above:
        raise Conflict(f"category {above[-1]} stands below {category.id}: a category cannot stand below itself")
    if len(above) + 1 + depth_below > MAX_CATEGORY_DEPTH:
        raise BadUserInput(f"categories are nested at most {MAX_CATEGORY_DEPTH} deep", field="parentId")
    return (*above, category.id)


def _check_attributes(attributes: tuple[ProductAttribute, ...]) -> None:
    if len(attributes) > MAX_ATTRIBUTES:
        raise BadUserInput(f"a product has at most {MAX_ATTRIBUTES} attributes", field="attributes")
    for position, attribute in enumerate(attributes):
        check_attribute_name(attribute.name, field=f"attributes.{position}.name")
        check_value(attribute.value, field=f"attributes.{position}.value")
    if len({attribute.name for attribute in attributes}) < len(attributes):
        raise BadUserInput("a product has one value of an attribute", field="attributes")


def _check_image(image: ProductImage, *, field: str) -> None:
    if len(image.alt_text) > MAX_ALT_TEXT_LENGTH:
        raise BadUserInput(f"an alt text has at most {MAX_ALT_TEXT_LENGTH} characters", field=f"{field}.altText")
    if image.picture is not None:
        return
    try:
        url = urlsplit(image.url)
    except ValueError:
        raise BadUserInput("an image needs a URL that starts with http:// or https://", field=f"{field}.url") from None
    # Anything else, above all javascript:, must not reach a page
    if url.scheme not in ("http", "https") or not url.hostname or len(image.url) > MAX_URL_LENGTH:
        raise BadUserInput("an image needs a URL that starts with http:// or https://", field=f"{field}.url")


def check_name(name: str) -> None:
    """Raise BadUserInput unless *name* is a line of text."""
    if not name.strip() or len(name) > MAX_NAME_LENGTH or not name.isprintable():
        raise BadUserInput(f"a name is a line of 1 to {MAX_NAME_LENGTH} characters", field="name")


def check_slug(slug: str) -> None:
    """Raise BadUserInput unless *slug* can stand in a URL as it is."""
    if len(slug) > MAX_SLUG_LENGTH or not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug):
        raise BadUserInput(
            f"a slug is at most {MAX_SLUG_LENGTH} lower-case letters and digits in groups joined by single dashes",
            field="slug",
        )


def child_path(parent: Category | None, id_: str) -> tuple[str, ...]:
    """Return the path of a new category *id_* under *parent*; raise BadUserInput when it would be too deep."""
    path = (*(parent.path if parent else ()), id_)
    if len(path) > MAX_CATEGORY_DEPTH:
        raise BadUserInput(f"categories are nested at most {MAX_CATEGORY_DEPTH} deep", field="parentId")
    return path


def publish(product: Product, *, now: datetime) -> Product:
    """Return *product* as ACTIVE; it may have been a draft or archived. What was scheduled before *now* is over."""
    is_over = product.unpublish_at is not None and product.unpublish_at <= now
    if product.status is ProductStatus.ACTIVE and not is_over:
        return product
    return replace(
        product,
        status=ProductStatus.ACTIVE,
        publish_at=None,
        unpublish_at=None if is_over else product.unpublish_at,
        updated_at=now,
        version=product.version + 1,
    )


def archive(product: Product, *, now: datetime) -> Product:
    """Return *product* as ARCHIVED: no longer for sale, still readable by those who bought it."""
    if product.status is ProductStatus.ARCHIVED:
        return product
    return replace(
        product,
        status=ProductStatus.ARCHIVED,
        publish_at=None,
        unpublish_at=None,
        updated_at=now,
        version=product.version + 1,
    )


def check_editable(product: Product) -> None:
    """Raise Conflict for an archived or deleted product: old orders show it as it was."""
    if product.deleted_at is not None:
        raise Conflict(f"product {product.id} is deleted; restore it first")
    if product.status is ProductStatus.ARCHIVED:
        raise Conflict(f"product {product.id} is ARCHIVED; publish it before editing it")


def slug_from(name: str, *, fallback: str) -> str:
    """Return *name* as a slug, or *fallback* when nothing of it can stand in one (a name in Japanese)."""
    slug = re.sub(r"[^a-z0-9]+", "-", fold(name)).strip("-")[:MAX_SLUG_LENGTH].rstrip("-")
    return slug or fallback.lower().replace("_", "-")


def fold(text: str) -> str:
    """Return *text* without case and accents, as words are compared: `Café` is `cafe`."""
    # Decomposed before, too, for a mathematical A becomes a letter with case only then
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def words_of(*texts: str) -> tuple[str, ...]:
    """Return the distinct folded words of *texts*, sorted."""
    return tuple(sorted({word for text in texts for word in re.findall(r"\w+", fold(text))}))


def search_words(name: str, sku: str) -> tuple[str, ...]:
    """Return what a product is found by when only the beginning of a word was typed."""
    # The whole sku too: someone who types `ab-12` means it as one word
    return tuple(sorted({*words_of(name, sku), fold(sku)}))


MAX_SEARCH_LENGTH = 200
MAX_SEARCH_WORDS = 10


@dataclass(frozen=True, slots=True)
class SearchTerms:
    """What somebody typed.

    *words* must all be found, each as a whole word or as the beginning of one (*beginnings*, folded). *code* is the
    text as a whole where it may be a sku, such as `ab-12`.
    """

    words: tuple[str, ...]
    beginnings: tuple[str, ...]
    code: str | None


def read_search(text: str, *, field: str = "filter.search") -> SearchTerms:
    """Take a search apart; raise BadUserInput when it is too long to be meant.

    Only words are left, so nothing that somebody types is an operator of the text index.
    """
    if len(text) > MAX_SEARCH_LENGTH:
        raise BadUserInput(f"a search has at most {MAX_SEARCH_LENGTH} characters", field=field)
    words = tuple(dict.fromkeys(re.findall(r"\w+", text.casefold())))
    if len(words) > MAX_SEARCH_WORDS:
        raise BadUserInput(f"a search has at most {MAX_SEARCH_WORDS} words", field=field)
    parts = text.split()
    code = fold(parts[0]) if len(parts) == 1 and len(words) > 1 else None
    # Folded before it is taken apart, as the words of products are: of ½, that leaves a 1 and a 2
    return SearchTerms(words, tuple(dict.fromkeys(re.findall(r"\w+", fold(text)))), code)
