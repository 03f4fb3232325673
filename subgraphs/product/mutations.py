"""What can be changed in the catalogue, by holders of products:write."""

from typing import Annotated, Any, TypeVar

import strawberry

from core.errors import BadUserInput
from core.scopes import PRODUCTS_WRITE
from schema.money import MoneyInput
from schema.scalars import BigInt, CurrencyCode, DateTime
from subgraphs.product.price_model import PriceList
from subgraphs.product.pricing import PriceEntry
from subgraphs.product.problems import (
    ArchiveProductResult,
    CreateCategoryResult,
    CreatePriceListResult,
    CreateProductResult,
    EditCategoryResult,
    EditProductResult,
    EndPriceListResult,
    MoveCategoryResult,
    PublishProductResult,
    SetCategoryAttributesResult,
    SetListPricesResult,
)
from subgraphs.product.service import NewProduct, NewVariant, ProductChanges
from subgraphs.product.types import (
    CategoryAttributeInput,
    CategoryType,
    PriceListType,
    ProductAttributeInput,
    ProductImageInput,
    ProductInfo,
    ProductOptionInput,
    ProductType,
)

T = TypeVar("T")

_WRITERS = [[PRODUCTS_WRITE]]

CategoryId = Annotated[strawberry.ID, strawberry.argument(description="Id of the category.")]
ListCode = Annotated[str, strawberry.argument(description="Code of the price list.")]
ProductId = Annotated[strawberry.ID, strawberry.argument(description="Id of the product.")]


@strawberry.input(description="A new category.")
class CreateCategoryInput:
    """What `createCategory` takes."""

    name: str = strawberry.field(description="Its name.")
    slug: str | None = strawberry.field(default=None, description="Its name in URLs; made of the name if not given.")
    parent_id: strawberry.ID | None = strawberry.field(default=None, description="The category above it.")


@strawberry.input(description="A new product.")
class CreateProductInput:
    """What `createProduct` takes."""

    sku: str = strawberry.field(description="The store's own number for it.")
    name: str = strawberry.field(description="Its name.")
    price: MoneyInput = strawberry.field(description="What one of it costs.")
    slug: str | None = strawberry.field(default=None, description="Its name in URLs; made of the name if not given.")
    description: str = strawberry.field(default="", description="What it is.")
    category_id: strawberry.ID | None = strawberry.field(default=None, description="The category it stands in.")
    images: list[ProductImageInput] = strawberry.field(
        default_factory=list, description="Pictures, the most telling one first."
    )
    weight_grams: int = strawberry.field(default=0, description="What one of it weighs.")
    attributes: list[ProductAttributeInput] = strawberry.field(
        default_factory=list, description="What tells it apart from others."
    )
    options: list[ProductOptionInput] = strawberry.field(
        default_factory=list, description="What there is to choose; `createVariant` adds what is sold."
    )


@strawberry.input(description="Changes to a product; what is not given stays as it is.")
class EditProductInput:
    """What `editProduct` takes."""

    id: strawberry.ID = strawberry.field(description="Id of the product.")
    sku: str | None = strawberry.field(default=strawberry.UNSET, description="The store's own number for it.")
    slug: str | None = strawberry.field(default=strawberry.UNSET, description="Its name in URLs.")
    name: str | None = strawberry.field(default=strawberry.UNSET, description="Its name.")
    description: str | None = strawberry.field(default=strawberry.UNSET, description="What it is.")
    price: MoneyInput | None = strawberry.field(default=strawberry.UNSET, description="What one of it costs.")
    category_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="The category it stands in; null takes it out of its category."
    )
    images: list[ProductImageInput] | None = strawberry.field(
        default=strawberry.UNSET, description="All its pictures; they replace the present ones."
    )
    weight_grams: int | None = strawberry.field(default=strawberry.UNSET, description="What one of it weighs.")
    attributes: list[ProductAttributeInput] | None = strawberry.field(
        default=strawberry.UNSET, description="All its attributes; they replace the present ones."
    )
    options: list[ProductOptionInput] | None = strawberry.field(
        default=strawberry.UNSET, description="All its options; its variants must still fit."
    )

    def to_changes(self) -> ProductChanges:
        """Return it as the service takes it; raise BadUserInput for a null where a value is needed."""
        price = _given(self.price, "price")
        images = _given(self.images, "images")
        attributes = _given(self.attributes, "attributes")
        options = _given(self.options, "options")
        return ProductChanges(
            sku=_given(self.sku, "sku"),
            slug=_given(self.slug, "slug"),
            name=_given(self.name, "name"),
            description=_given(self.description, "description"),
            price=price.to_money() if price is not None else None,
            category_id=None if self.category_id is strawberry.UNSET else self.category_id,
            leave_category=self.category_id is None,
            images=tuple(image.to_image() for image in images) if images is not None else None,
            weight_grams=_given(self.weight_grams, "weightGrams"),
            attributes=tuple(each.to_attribute() for each in attributes) if attributes is not None else None,
            options=tuple(each.to_option() for each in options) if options is not None else None,
        )


@strawberry.input(description="A new variant of a product.")
class CreateVariantInput:
    """What `createVariant` takes."""

    product_id: strawberry.ID = strawberry.field(description="The product with the options.")
    sku: str = strawberry.field(description="The store's own number for it.")
    choices: list[ProductAttributeInput] = strawberry.field(description="One value of each option.")
    name: str | None = strawberry.field(
        default=None, description="Its name; made of the product's name and the choices if not given."
    )
    price: MoneyInput | None = strawberry.field(default=None, description="What one costs; else as the product.")
    weight_grams: int | None = strawberry.field(default=None, description="What one weighs; else as the product.")


@strawberry.input(description="Changes to a category; what is not given stays as it is.")
class EditCategoryInput:
    """What `editCategory` takes."""

    id: strawberry.ID = strawberry.field(description="Id of the category.")
    name: str | None = strawberry.field(default=None, description="Its name.")
    slug: str | None = strawberry.field(
        default=None, description="Its name in URLs; the former one leads to it from then on."
    )


@strawberry.input(description="A new price list.")
class CreatePriceListInput:
    """What `createPriceList` takes."""

    code: str = strawberry.field(description="What it is called by programs, such as SALE_2026.")
    name: str = strawberry.field(description="What it is called by people.")
    currency: CurrencyCode = strawberry.field(description="The currency of its prices.")
    valid_from: DateTime = strawberry.field(description="From when it holds.")
    valid_until: DateTime | None = strawberry.field(default=None, description="From when it holds no more.")
    priority: int = strawberry.field(
        default=0, description="Of two lists that hold at once, the one with the higher wins."
    )


@strawberry.input(description="A product's price in a list.")
class ListPriceInput:
    """An entry of `setListPrices`."""

    product_id: strawberry.ID = strawberry.field(description="The product.")
    amount: BigInt | None = strawberry.field(
        description="The price in minor units of the list's currency; null takes it away."
    )

    def to_entry(self) -> PriceEntry:
        """Return it as the service takes it."""
        return PriceEntry(self.product_id, self.amount)


def _given(value: T | None, field: str) -> T | None:
    """Return *value*, None if it was not given; raise BadUserInput if it was given as null."""
    unset: Any = strawberry.UNSET
    if value is unset:
        return None
    if value is None:
        raise BadUserInput(f"{field} cannot be null; leave it out to keep it as it is", field=field)
    return value


@strawberry.type
class Mutation:
    """The catalogue's changes."""

    @strawberry.federation.mutation(requires_scopes=_WRITERS)
    async def create_category(
        self, info: ProductInfo, input: Annotated[CreateCategoryInput, strawberry.argument(description="The category.")]
    ) -> CreateCategoryResult:
        """Add a category."""
        category = await info.context.service.categories.create_category(
            name=input.name, slug=input.slug, parent_id=input.parent_id, by=info.context.identity
        )
        return CategoryType.from_category(category)

    @strawberry.federation.mutation(requires_scopes=_WRITERS)
    async def edit_category(
        self, info: ProductInfo, input: Annotated[EditCategoryInput, strawberry.argument(description="The changes.")]
    ) -> EditCategoryResult:
        """Change a category's name or slug."""
        category = await info.context.service.categories.edit_category(
            input.id, name=input.name, slug=input.slug, by=info.context.identity
        )
        return CategoryType.from_category(category)

    @strawberry.federation.mutation(requires_scopes=_WRITERS)
    async def move_category(
        self,
        info: ProductInfo,
        id: CategoryId,
        parent_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="The category above it; null puts it at the top.")
        ],
    ) -> MoveCategoryResult:
        """Put a category, with all below it, under another one."""
        category = await info.context.service.categories.move_category(id, parent_id, by=info.context.identity)
        return CategoryType.from_category(category)

    @strawberry.federation.mutation(requires_scopes=_WRITERS)
    async def set_category_attributes(
        self,
        info: ProductInfo,
        id: CategoryId,
        attributes: Annotated[
            list[CategoryAttributeInput], strawberry.argument(description="All of them; they replace its present ones.")
        ],
    ) -> SetCategoryAttributesResult:
        """Say which attributes products of a category and of those below it have."""
        definitions = [each.to_definition() for each in attributes]
        category = await info.context.service.categories.set_attributes(id, definitions, by=info.context.identity)
        return CategoryType.from_category(category)

    @strawberry.federation.mutation(requires_scopes=_WRITERS)
    async def create_variant(
        self, info: ProductInfo, input: Annotated[CreateVariantInput, strawberry.argument(description="The variant.")]
    ) -> CreateProductResult:
        """Add a variant of a product: one value of each of its options, with a sku and stock of its own."""
        new = NewVariant(
            parent_id=input.product_id,
            sku=input.sku,
            choices=tuple(each.to_attribute() for each in input.choices),
            name=input.name,
            price=input.price.to_money() if input.price else None,
            weight_grams=input.weight_grams,
        )
        return ProductType.from_product(await info.context.service.create_variant(new, by=info.context.identity))

    @strawberry.federation.mutation(requires_scopes=_WRITERS)
    async def schedule_product(
        self,
        info: ProductInfo,
        id: ProductId,
        publish_at: Annotated[
            DateTime | None, strawberry.argument(description="When a draft goes on sale; null takes that back.")
        ] = None,
        unpublish_at: Annotated[
            DateTime | None, strawberry.argument(description="When it goes off sale; null takes that back.")
        ] = None,
    ) -> EditProductResult:
        """Say when a product goes on sale and off sale, by itself, with its variants."""
        product = await info.context.service.schedule_product(
            id, publish_at=publish_at, unpublish_at=unpublish_at, by=info.context.identity
        )
        return ProductType.from_product(product)

    @strawberry.federation.mutation(requires_scopes=_WRITERS)
    async def create_price_list(
        self, info: ProductInfo, input: Annotated[CreatePriceListInput, strawberry.argument(description="The list.")]
    ) -> CreatePriceListResult:
        """Add a price list, without prices."""
        new = PriceList(
            code=input.code,
            name=input.name,
            currency=input.currency,
            priority=input.priority,
            valid_from=input.valid_from,
            valid_until=input.valid_until,
        )
        created = await info.context.service.pricing.create_price_list(new, by=info.context.identity)
        return PriceListType.from_price_list(created)

    @strawberry.federation.mutation(requires_scopes=_WRITERS)
    async def set_list_prices(
        self,
        info: ProductInfo,
        code: ListCode,
        prices: Annotated[list[ListPriceInput], strawberry.argument(description="Up to 100, all of them or none.")],
    ) -> SetListPricesResult:
        """Set, change or take away prices of a price list."""
        pricing = info.context.service.pricing
        changed = await pricing.set_prices(code, [each.to_entry() for each in prices], by=info.context.identity)
        return PriceListType.from_price_list(changed)

    @strawberry.federation.mutation(requires_scopes=_WRITERS)
    async def end_price_list(
        self,
        info: ProductInfo,
        code: ListCode,
        at: Annotated[DateTime | None, strawberry.argument(description="When; now if not given.")] = None,
    ) -> EndPriceListResult:
        """Let a price list end, earlier or later than it would have."""
        ended = await info.context.service.pricing.end_price_list(code, at, by=info.context.identity)
        return PriceListType.from_price_list(ended)

    @strawberry.federation.mutation(requires_scopes=_WRITERS)
    async def delete_product(self, info: ProductInfo, id: ProductId) -> ArchiveProductResult:
        """Take a product out of the catalogue, with its variants; `restoreProduct` brings it back."""
        return ProductType.from_product(await info.context.service.delete_product(id, by=info.context.identity))

    @strawberry.federation.mutation(requires_scopes=_WRITERS)
    async def restore_product(self, info: ProductInfo, id: ProductId) -> PublishProductResult:
        """Bring a deleted product back, as it was."""
        return ProductType.from_product(await info.context.service.restore_product(id, by=info.context.identity))

    @strawberry.federation.mutation(requires_scopes=_WRITERS)
    async def create_product(
        self, info: ProductInfo, input: Annotated[CreateProductInput, strawberry.argument(description="The product.")]
    ) -> CreateProductResult:
        """Add a product as a draft; `publishProduct` puts it on sale."""
        new = NewProduct(
            sku=input.sku,
            name=input.name,
            price=input.price.to_money(),
            slug=input.slug,
            description=input.description,
            category_id=input.category_id,
            images=tuple(image.to_image() for image in input.images),
            weight_grams=input.weight_grams,
            attributes=tuple(each.to_attribute() for each in input.attributes),
            options=tuple(each.to_option() for each in input.options),
        )
        return ProductType.from_product(await info.context.service.create_product(new, by=info.context.identity))

    @strawberry.federation.mutation(requires_scopes=_WRITERS)
    async def edit_product(
        self, info: ProductInfo, input: Annotated[EditProductInput, strawberry.argument(description="The changes.")]
    ) -> EditProductResult:
        """Change a product that is not archived. Orders keep the name and price they were placed with."""
        changes = input.to_changes()
        return ProductType.from_product(
            await info.context.service.edit_product(input.id, changes, by=info.context.identity)
        )

    @strawberry.federation.mutation(requires_scopes=_WRITERS)
    async def publish_product(self, info: ProductInfo, id: ProductId) -> PublishProductResult:
        """Put a draft or an archived product on sale; do nothing if it is on sale."""
        return ProductType.from_product(await info.context.service.publish_product(id, by=info.context.identity))

    @strawberry.federation.mutation(requires_scopes=_WRITERS)
    async def archive_product(self, info: ProductInfo, id: ProductId) -> ArchiveProductResult:
        """Take a product off sale; old orders still show it."""
        return ProductType.from_product(await info.context.service.archive_product(id, by=info.context.identity))
