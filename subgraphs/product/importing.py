"""Products from outside, one row at a time: a row is written as a whole, with its event, or not at all.

A row is known by its sku: the same again changes nothing. What a row does not say stays as it is, or is as for a new
product.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from core.errors import BadUserInput, Conflict, NotFound
from core.identity import Identity
from core.money import Money
from core.scopes import PRODUCTS_WRITE
from core.subgraph import require_scopes
from subgraphs.product.attributes import ProductAttribute
from subgraphs.product.model import Product, ProductOption, ProductStatus
from subgraphs.product.picture_model import ProductImage
from subgraphs.product.service import CatalogueService, NewProduct, NewVariant, ProductChanges


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductRow:
    """A product as a file describes it; None is what the file does not say.

    *category* and *parent* are a category's slug and the sku of the product that it is a variant of; an empty
    *category* is none.
    """

    sku: str
    name: str | None = None
    slug: str | None = None
    description: str | None = None
    price: Money | None = None
    category: str | None = None
    status: ProductStatus | None = None
    weight_grams: int | None = None
    images: tuple[ProductImage, ...] | None = None
    attributes: tuple[ProductAttribute, ...] | None = None
    options: tuple[ProductOption, ...] | None = None
    parent: str | None = None
    choices: tuple[ProductAttribute, ...] | None = None


class RowOutcome(StrEnum):
    """What became of a row."""

    CREATED = "CREATED"
    UPDATED = "UPDATED"
    UNCHANGED = "UNCHANGED"


class CatalogueImport:
    """Writes rows into one catalogue."""

    def __init__(self, service: CatalogueService) -> None:
        self._service = service

    async def write(self, row: ProductRow, *, by: Identity) -> RowOutcome:
        """Add or change the product of *row*, all of it or nothing.

        Raises:
            BadUserInput: a value is not valid, or a new product lacks its name or price.
            NotFound: there is no such category, or no such product of which it is a variant.
            Conflict: the state of the product does not allow it, or a slug is taken.
        """
        require_scopes(by, PRODUCTS_WRITE)
        found = await self._service.repository.find_products("sku", [row.sku])
        if found:
            return await self._change(found[0], row, by)
        if row.parent:
            await self._add_variant(row, by)
        else:
            await self._add(row, by)
        return RowOutcome.CREATED

    async def _add(self, row: ProductRow, by: Identity) -> None:
        if row.name is None or row.price is None:
            field = "name" if row.name is None else "price"
            raise BadUserInput(f"a new product needs a {field}", field=field)
        new = NewProduct(
            sku=row.sku,
            name=row.name,
            price=row.price,
            slug=row.slug,
            description=row.description or "",
            category_id=await self._find_category(row.category),
            images=row.images or (),
            weight_grams=row.weight_grams or 0,
            attributes=row.attributes or (),
            options=row.options or (),
            status=row.status or ProductStatus.DRAFT,
        )
        await self._service.create_product(new, by=by)

    async def _add_variant(self, row: ProductRow, by: Identity) -> None:
        parents = await self._service.repository.find_products("sku", [row.parent or ""])
        if not parents:
            raise NotFound(f"there is no product with the sku {row.parent}")
        new = NewVariant(
            parent_id=parents[0].id,
            sku=row.sku,
            choices=row.choices or (),
            name=row.name,
            price=row.price,
            weight_grams=row.weight_grams,
            status=row.status,
        )
        await self._service.create_variant(new, by=by)

    async def _change(self, present: Product, row: ProductRow, by: Identity) -> RowOutcome:
        if row.parent:
            await self._check_family(present, row)
        leaves = row.category == "" and present.category_id is not None
        changes: Mapping[str, Any] = {
            "name": row.name,
            "slug": row.slug,
            "description": row.description,
            "price": row.price,
            "images": row.images,
            "weight_grams": row.weight_grams,
            "attributes": row.attributes,
            "options": row.options,
            "status": row.status,
        }
        if present.parent_id is not None:
            # A variant has these from its product
            changes = {name: value for name, value in changes.items() if name != "options" or value}
            category_id, leaves = None, False
        else:
            category_id = await self._find_category(row.category)
        after = await self._service.edit_product(
            present.id, ProductChanges(**changes, category_id=category_id, leave_category=leaves), by=by
        )
        return RowOutcome.UNCHANGED if after.version == present.version else RowOutcome.UPDATED

    async def _check_family(self, present: Product, row: ProductRow) -> None:
        parents = await self._service.repository.find_products("sku", [row.parent or ""])
        if [parent.id for parent in parents] != [present.parent_id]:
            raise Conflict(f"product {row.sku} is no variant of {row.parent}, and does not become one")
        if row.choices is not None and set(row.choices) != set(present.choices):
            raise Conflict(f"variant {row.sku} has other choices, and keeps them")

    async def _find_category(self, slug: str | None) -> str | None:
        if not slug:
            return None
        found = await self._service.repository.find_categories_by_slug([slug])
        if slug not in found:
            raise NotFound(f"there is no category with the slug {slug}")
        return found[slug].id


def row_of(product: Product, *, category: str, parent: str, media_url: str) -> ProductRow:
    """Return *product* as a row; *category* and *parent* are the slug and the sku, empty where there is none.

    The store's own pictures are told by their address below *media_url*.
    """
    row = ProductRow(
        sku=product.sku,
        name=product.name,
        slug=product.slug,
        description=product.description,
        price=product.price,
        status=product.status,
        weight_grams=product.weight_grams,
        images=tuple(ProductImage(each.address(media_url), each.alt_text) for each in product.images),
        attributes=product.attributes,
    )
    if parent:
        return replace(row, parent=parent, choices=product.choices)
    return replace(row, category=category, options=product.options)
