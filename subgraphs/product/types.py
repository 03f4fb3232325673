"""The catalogue's GraphQL types."""

from collections.abc import Iterable
from typing import Annotated, Any, Self

import strawberry
from strawberry import Info

from core.money import Money
from core.paging import read_page_request
from core.scopes import PRODUCTS_WRITE
from core.subgraph import require_scopes
from schema.money import MoneyInput, MoneyType
from schema.ownership import Public
from schema.pagination import After, Before, Connection, First, Last, connection_arguments
from schema.scalars import CurrencyCode, DateTime
from subgraphs.product.attributes import AttributeDefinition, AttributeType, ProductAttribute, inherit
from subgraphs.product.context import ProductContext
from subgraphs.product.model import Category, Product, ProductOption, ProductSort, ProductStatus
from subgraphs.product.picture_model import ProductImage, file_address
from subgraphs.product.price_model import ListPrice, PriceList
from subgraphs.product.search import AttributeFilter, ProductFilter
from subgraphs.product.visibility import is_visible, is_visible_by_reference

strawberry.enum(
    ProductStatus, description="DRAFT is not shown yet, ACTIVE is for sale, ARCHIVED is no longer for sale."
)
strawberry.enum(
    ProductSort,
    description="How products are ordered. RELEVANCE needs a search and is its default; else NEWEST is the default.",
)

strawberry.enum(
    AttributeType,
    description="TEXT is any line, NUMBER such as 12.5, BOOLEAN true or false, OPTION one of those that are listed.",
)

ProductInfo = Info[ProductContext, None]


@strawberry.type(description="A picture in one size.")
class ImageSize:
    url: str = strawberry.field(description="Where it is; what is there never changes.")
    width: int = strawberry.field(description="Its width in pixels.")
    height: int = strawberry.field(description="Its height in pixels.")


@strawberry.type(name="ProductImage", description="A picture of a product.")
class ProductImageType:
    id: strawberry.ID = strawberry.field(description="Its id among the product's pictures, `img_...`.")
    url: str = strawberry.field(description="Where it is: an http or https URL.")
    alt_text: str = strawberry.field(description="What it shows, for those who do not see it.")
    width: int | None = strawberry.field(
        description="Its width in pixels; null for one that the store does not keep itself."
    )
    height: int | None = strawberry.field(
        description="Its height in pixels; null for one that the store does not keep itself."
    )
    sizes: list[ImageSize] = strawberry.field(
        description="The same in all widths that there are, the narrowest first: 160, 320, 640 and 1280 pixels, as far"
        " as it is wider, and its own; empty for one that the store does not keep itself."
    )

    @classmethod
    def from_image(cls, image: ProductImage, media_url: str) -> Self:
        picture = image.picture
        sizes = []
        if picture is not None:
            sizes = [
                ImageSize(url=file_address(media_url, picture.id, each.width), width=each.width, height=each.height)
                for each in picture.renditions
            ]
        return cls(
            id=strawberry.ID(image.id),
            url=image.address(media_url),
            alt_text=image.alt_text,
            width=picture.full.width if picture else None,
            height=picture.full.height if picture else None,
            sizes=sizes,
        )


@strawberry.type(name="ProductAttribute", description="A property by which products are told apart.")
class ProductAttributeType:
    name: str = strawberry.field(description="Its name for programs, such as `screen_size`.")
    value: str = strawberry.field(description="What this product has.")


@strawberry.type(name="ProductOption", description="What there is to choose of a product.")
class ProductOptionType:
    name: str = strawberry.field(description="Its name for programs, such as `size`.")
    values: list[str] = strawberry.field(description="The values that there are.")


@strawberry.type(description="What a category says of an attribute of its products.")
class CategoryAttribute:
    name: str = strawberry.field(description="Its name for programs, such as `screen_size`.")
    label: str = strawberry.field(description="Its name for people.")
    type: AttributeType = strawberry.field(description="What values it has.")
    options: list[str] = strawberry.field(description="The values of one of type OPTION; empty for others.")
    unit: str = strawberry.field(description="What a number counts, such as `cm`; may be empty.")
    required: bool = strawberry.field(description="Whether a product needs it to be on sale.")
    filterable: bool = strawberry.field(description="Whether lists are filtered by it, and facets count it.")

    @classmethod
    def from_definition(cls, each: AttributeDefinition) -> Self:
        return cls(
            name=each.name,
            label=each.label,
            type=each.type,
            options=list(each.options),
            unit=each.unit,
            required=each.required,
            filterable=each.filterable,
        )


@strawberry.federation.type(name="Category", keys=["id", "slug"], description="A shelf of the catalogue.")
class CategoryType:
    category: strawberry.Private[Category]
    id: strawberry.ID = strawberry.field(description="Its id, `cat_...`.")
    slug: str = strawberry.field(description="Its name in URLs; unique.")
    name: str = strawberry.field(description="Its name.")

    @classmethod
    def from_category(cls, category: Category) -> Self:
        return cls(category=category, id=strawberry.ID(category.id), slug=category.slug, name=category.name)

    @strawberry.field(description="Ids of the categories from the top down to this one.")
    def path(self) -> list[strawberry.ID]:
        return [strawberry.ID(each) for each in self.category.path]

    @strawberry.field(description="The category above; null at the top.")
    async def parent(self, info: ProductInfo) -> "CategoryType | None":
        if self.category.parent_id is None:
            return None
        parent = await info.context.category_by_id.load(self.category.parent_id)
        return None if parent is None else CategoryType.from_category(parent)

    @strawberry.field(description="The categories above, from the top down.")
    async def ancestors(self, info: ProductInfo) -> list["CategoryType"]:
        above = await info.context.category_by_id.load_many(list(self.category.path[:-1]))
        return [CategoryType.from_category(each) for each in above if each is not None]

    @strawberry.field(description="What holds of attributes here: what this category and those above say, by name.")
    async def attributes(self, info: ProductInfo) -> list[CategoryAttribute]:
        path = await info.context.category_by_id.load_many(list(self.category.path[:-1]))
        own = [*(each.attributes for each in path if each is not None), self.category.attributes]
        return [CategoryAttribute.from_definition(each) for each in inherit(own)]

    @strawberry.field(description="The active products of this category and of those below it.")
    async def products(
        self,
        info: ProductInfo,
        sort: Annotated[ProductSort | None, strawberry.argument(description="Their order; NEWEST by default.")] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection["ProductType"]:
        loader = info.context.products_of_category(sort, read_page_request(first, after, last, before))
        page = await loader.load(self.category.id)
        info.context.call.rows.take(len(page.rows))
        return Connection(**connection_arguments(page, ProductType.from_product))

    @classmethod
    async def resolve_reference(
        cls, info: ProductInfo, id: strawberry.ID | None = None, slug: str | None = None, **_: Any
    ) -> Self | None:
        category = await info.context.load_category(id_=id, slug=slug)
        return None if category is None else cls.from_category(category)


@strawberry.type(name="PriceList", description="Prices that hold for a time.")
class PriceListType:
    code: str = strawberry.field(
        description="What it is called by programs, such as SALE_2026; unique.",
        directives=[Public(because="it names a list and opens nothing")],
    )
    name: str = strawberry.field(description="What it is called by people.")
    currency: CurrencyCode = strawberry.field(description="The currency of its prices.")
    priority: int = strawberry.field(description="Of two lists that hold at once, the one with the higher wins.")
    valid_from: DateTime = strawberry.field(description="From when it holds.")
    valid_until: DateTime | None = strawberry.field(description="From when it holds no more; null is without end.")

    @classmethod
    def from_price_list(cls, price_list: PriceList) -> Self:
        return cls(
            code=price_list.code,
            name=price_list.name,
            currency=CurrencyCode(price_list.currency),
            priority=price_list.priority,
            valid_from=DateTime(price_list.valid_from),
            valid_until=DateTime(price_list.valid_until) if price_list.valid_until else None,
        )


@strawberry.type(name="ListPrice", description="What a product costs by a price list.")
class ListPriceType:
    price_list: PriceListType = strawberry.field(description="The list.")
    price: MoneyType = strawberry.field(
        description="What one costs while the list holds.", directives=[Public(because="who sees the list sees it")]
    )

    @classmethod
    def from_list_price(cls, each: ListPrice) -> Self:
        price = MoneyType.from_money(Money(each.amount, each.price_list.currency))
        return cls(price_list=PriceListType.from_price_list(each.price_list), price=price)


@strawberry.federation.type(name="Product", keys=["id", "sku", "slug"], description="Something that the store sells.")
class ProductType:
    product: strawberry.Private[Product]
    id: strawberry.ID = strawberry.field(description="Its id, `prd_...`.")
    sku: str = strawberry.field(description="The store's own number for it; unique.")
    slug: str = strawberry.field(description="Its name in URLs; unique.")
    name: str = strawberry.field(description="Its name.")
    description: str = strawberry.field(description="What it is.")
    price: MoneyType = strawberry.field(
        description="What one of it costs now.", directives=[Public(because="it is the price on the shelf")]
    )
    regular_price: MoneyType = strawberry.field(
        description="What one of it costs while no price list says otherwise.",
        directives=[Public(because="it is the price on the shelf")],
    )
    attributes: list[ProductAttributeType] = strawberry.field(description="What tells it apart from others.")
    options: list[ProductOptionType] = strawberry.field(
        description="What there is to choose; if there is anything, its variants are what is sold."
    )
    choices: list[ProductAttributeType] = strawberry.field(description="Of a variant, its value of each option.")
    sellable: bool = strawberry.field(
        description="Whether it may be sold, if there are any: it is on sale, and nothing is left to choose."
    )
    deleted_at: DateTime | None = strawberry.field(description="Since when it is deleted; null if it is not.")
    status: ProductStatus = strawberry.field(description="Whether it is for sale.")
    weight_grams: int = strawberry.field(description="What one of it weighs; 0 if that is unknown or nothing.")
    created_at: DateTime = strawberry.field(description="When it was added.")
    updated_at: DateTime = strawberry.field(description="When it was last changed.")

    @classmethod
    def from_product(cls, product: Product) -> Self:
        return cls(
            product=product,
            id=strawberry.ID(product.id),
            sku=product.sku,
            slug=product.slug,
            name=product.name,
            description=product.description,
            price=MoneyType.from_money(product.current_price or product.price),
            regular_price=MoneyType.from_money(product.price),
            attributes=_attributes(product.attributes),
            options=[ProductOptionType(name=each.name, values=list(each.values)) for each in product.options],
            choices=_attributes(product.choices),
            sellable=product.is_sellable,
            deleted_at=DateTime(product.deleted_at) if product.deleted_at else None,
            status=product.status,
            weight_grams=product.weight_grams,
            created_at=DateTime(product.created_at),
            updated_at=DateTime(product.updated_at),
        )

    @strawberry.field(
        description="What one of it costs now in a currency; null if it has no price in it.",
        directives=[Public(because="it is the price on the shelf")],
    )
    def price_in(
        self, info: ProductInfo, currency: Annotated[CurrencyCode, strawberry.argument(description="The currency.")]
    ) -> MoneyType | None:
        price = info.context.service.pricing.price_in(self.product, currency)
        return None if price is None else MoneyType.from_money(price)

    @strawberry.federation.field(
        requires_scopes=[[PRODUCTS_WRITE]], description="Its prices in price lists, also those to come."
    )
    def list_prices(self, info: ProductInfo) -> list[ListPriceType]:
        require_scopes(info.context.identity, PRODUCTS_WRITE)
        return [ListPriceType.from_list_price(each) for each in self.product.list_prices]

    @strawberry.federation.field(requires_scopes=[[PRODUCTS_WRITE]], description="When a draft goes on sale.")
    def publish_at(self, info: ProductInfo) -> DateTime | None:
        require_scopes(info.context.identity, PRODUCTS_WRITE)
        return DateTime(self.product.publish_at) if self.product.publish_at else None

    @strawberry.federation.field(requires_scopes=[[PRODUCTS_WRITE]], description="When it goes off sale.")
    def unpublish_at(self, info: ProductInfo) -> DateTime | None:
        require_scopes(info.context.identity, PRODUCTS_WRITE)
        return DateTime(self.product.unpublish_at) if self.product.unpublish_at else None

    @strawberry.field(description="Its pictures, the primary one first.")
    def images(self, info: ProductInfo) -> list[ProductImageType]:
        return [ProductImageType.from_image(image, info.context.media.public_url) for image in self.product.images]

    @strawberry.field(description="The picture by which lists show it: the first of its pictures; null if it has none.")
    def primary_image(self, info: ProductInfo) -> ProductImageType | None:
        if not self.product.images:
            return None
        return ProductImageType.from_image(self.product.images[0], info.context.media.public_url)

    @strawberry.field(description="Of a variant, the product that it is of.")
    async def parent(self, info: ProductInfo) -> "ProductType | None":
        if self.product.parent_id is None:
            return None
        parent = await info.context.product_by_id.load(self.product.parent_id)
        if parent is None or not is_visible_by_reference(parent, info.context.identity):
            return None
        return ProductType.from_product(parent)

    @strawberry.field(description="Its variants on sale; for those who edit products, all of them.")
    async def variants(self, info: ProductInfo) -> list["ProductType"]:
        if not self.product.options:
            return []
        variants = await info.context.variants_of_product.load(self.product.id)
        info.context.call.rows.take(len(variants))
        shown = [each for each in variants if is_visible(each, info.context.identity)]
        return [ProductType.from_product(each) for each in shown]

    @strawberry.field(description="The category that it stands in.")
    async def category(self, info: ProductInfo) -> CategoryType | None:
        if self.product.category_id is None:
            return None
        category = await info.context.category_by_id.load(self.product.category_id)
        return None if category is None else CategoryType.from_category(category)

    @classmethod
    async def resolve_reference(
        cls,
        info: ProductInfo,
        id: strawberry.ID | None = None,
        sku: str | None = None,
        slug: str | None = None,
        **_: Any,
    ) -> Self | None:
        product = await info.context.load_product(id_=id, sku=sku, slug=slug)
        if product is None or not is_visible_by_reference(product, info.context.identity):
            return None
        return cls.from_product(product)


@strawberry.input(description="Values of one attribute.")
class AttributeFilterInput:
    name: str = strawberry.field(description="The attribute's name.")
    values: list[str] = strawberry.field(description="Values; a product has one of them.")


@strawberry.input(description="Which products to list.")
class ProductFilterInput:
    search: str | None = strawberry.field(
        default=None, description="Words, or their beginnings, that name, description or sku must hold; all of them."
    )
    category_id: strawberry.ID | None = strawberry.field(
        default=None, description="Only those of this category and of those below it."
    )
    price_min: MoneyInput | None = strawberry.field(
        default=None, description="Only those that cost at least this, in this currency."
    )
    price_max: MoneyInput | None = strawberry.field(
        default=None, description="Only those that cost at most this, in this currency."
    )
    attributes: list[AttributeFilterInput] = strawberry.field(
        default_factory=list, description="Only those that fit all of these."
    )
    in_stock: bool | None = strawberry.field(
        default=None, description="Only those of which there are some, or of which there are none."
    )
    status: ProductStatus | None = strawberry.field(
        default=None, description="ACTIVE by default; the others need the scope products:write."
    )

    def to_filter(self) -> ProductFilter:
        """Return it as the service takes it; raise BadUserInput for a price that is not an amount."""
        return ProductFilter(
            search=self.search,
            category_id=self.category_id,
            price_min=self.price_min.to_money(field="filter.priceMin") if self.price_min else None,
            price_max=self.price_max.to_money(field="filter.priceMax") if self.price_max else None,
            attributes=tuple(AttributeFilter(each.name, tuple(each.values)) for each in self.attributes),
            in_stock=self.in_stock,
            status=self.status,
        )


@strawberry.input(description="A picture of a product.")
class ProductImageInput:
    url: str = strawberry.field(description="Where it is: an http or https URL.")
    alt_text: str = strawberry.field(default="", description="What it shows, for those who do not see it.")

    def to_image(self) -> ProductImage:
        return ProductImage(self.url, self.alt_text)


@strawberry.input(description="A property of a product.")
class ProductAttributeInput:
    name: str = strawberry.field(description="Its name: lower-case letters, digits and underscores.")
    value: str = strawberry.field(description="What the product has.")

    def to_attribute(self) -> ProductAttribute:
        return ProductAttribute(self.name, self.value)


@strawberry.input(description="What there is to choose of a product.")
class ProductOptionInput:
    name: str = strawberry.field(description="Its name: lower-case letters, digits and underscores.")
    values: list[str] = strawberry.field(description="The values that there are.")

    def to_option(self) -> ProductOption:
        return ProductOption(self.name, tuple(self.values))


@strawberry.input(description="What a category says of an attribute of its products.")
class CategoryAttributeInput:
    name: str = strawberry.field(description="Its name: lower-case letters, digits and underscores.")
    label: str = strawberry.field(description="Its name for people.")
    type: AttributeType = strawberry.field(description="What values it has.")
    options: list[str] = strawberry.field(default_factory=list, description="The values of one of type OPTION.")
    unit: str = strawberry.field(default="", description="What a number counts, such as `cm`.")
    required: bool = strawberry.field(default=False, description="Whether a product needs it to be on sale.")
    filterable: bool = strawberry.field(default=True, description="Whether lists are filtered by it.")

    def to_definition(self) -> AttributeDefinition:
        return AttributeDefinition(
            self.name, self.label, self.type, tuple(self.options), self.unit, self.required, self.filterable
        )


def _attributes(attributes: Iterable[ProductAttribute]) -> list[ProductAttributeType]:
    return [ProductAttributeType(name=each.name, value=each.value) for each in attributes]
