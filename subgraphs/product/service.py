"""Use cases of the catalogue. Each change and its event are one transaction."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from core.audit import announce_privileged
from core.clock import Clock
from core.errors import Conflict, NotFound
from core.identity import Identity
from core.ids import new_id
from core.money import Money
from core.mongo import Client, Database, DuplicateKeyError, Session, in_transaction
from core.scopes import PRODUCTS_WRITE
from core.subgraph import require_scopes
from subgraphs.product import model
from subgraphs.product.events import (
    PRODUCT_ARCHIVED,
    PRODUCT_CREATED,
    PRODUCT_EDITED,
    PRODUCT_PUBLISHED,
    announce_product,
)
from subgraphs.product.model import Category, Product, ProductAttribute, ProductImage, ProductStatus
from subgraphs.product.repository import CatalogueRepository

# What the audit log calls what is announced
_AUDITED_AS = {
    PRODUCT_ARCHIVED: "PRODUCT_ARCHIVED",
    PRODUCT_CREATED: "PRODUCT_CREATED",
    PRODUCT_EDITED: "PRODUCT_EDITED",
    PRODUCT_PUBLISHED: "PRODUCT_PUBLISHED",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewProduct:
    """A product as somebody describes it; without *slug* one is made of the name."""

    sku: str
    name: str
    price: Money
    slug: str | None = None
    description: str = ""
    category_id: str | None = None
    images: tuple[ProductImage, ...] = ()
    weight_grams: int = 0
    attributes: tuple[ProductAttribute, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductChanges:
    """What to change; None leaves a field as it is. *leave_category* takes the product out of its category."""

    sku: str | None = None
    slug: str | None = None
    name: str | None = None
    description: str | None = None
    price: Money | None = None
    category_id: str | None = None
    leave_category: bool = False
    images: tuple[ProductImage, ...] | None = None
    weight_grams: int | None = None
    attributes: tuple[ProductAttribute, ...] | None = None


class CatalogueService:
    """The catalogue's use cases on one database."""

    def __init__(self, client: Client, database: Database, clock: Clock) -> None:
        self._client = client
        self._database = database
        self._clock = clock
        self.repository = CatalogueRepository(database)

    async def list_categories(self) -> list[Category]:
        """Return all categories by name."""
        return await self.repository.find_all_categories()

    async def create_category(self, *, name: str, slug: str | None, parent_id: str | None, by: Identity) -> Category:
        """Add a category, under *parent_id* if given.

        Raises:
            BadUserInput: name or slug are not valid, or it would be too deep.
            NotFound: there is no such parent.
            Conflict: the slug is taken.
        """
        require_scopes(by, PRODUCTS_WRITE)
        id_ = new_id("cat")
        name = name.strip()
        model.check_name(name)
        slug = model.slug_from(name, fallback=id_) if slug is None else slug
        model.check_slug(slug)
        parent = None if parent_id is None else await self._find_category(parent_id)
        category = Category(id_, slug, name, model.child_path(parent, id_), self._clock.now())

        async def work(session: Session) -> None:
            await self.repository.insert_category(category, session=session)
            await self._note("CATEGORY_CREATED", id_, by, category.created_at, session)

        try:
            await in_transaction(self._client, work)
        except DuplicateKeyError:
            raise Conflict(f"the slug {slug} is taken by another category") from None
        return category

    async def create_product(self, new: NewProduct, *, by: Identity) -> Product:
        """Add a product as a draft.

        Raises:
            BadUserInput: a field is not valid.
            NotFound: there is no such category.
            Conflict: sku or slug are taken.
        """
        require_scopes(by, PRODUCTS_WRITE)
        id_, now = new_id("prd"), self._clock.now()
        name = new.name.strip()
        product = model.check_product(
            Product(
                id=id_,
                sku=new.sku,
                slug=new.slug if new.slug is not None else model.slug_from(name, fallback=id_),
                name=name,
                description=new.description,
                price=new.price,
                category_id=new.category_id,
                images=new.images,
                status=ProductStatus.DRAFT,
                weight_grams=new.weight_grams,
                created_at=now,
                updated_at=now,
                attributes=new.attributes,
            )
        )
        category = None if new.category_id is None else await self._find_category(new.category_id)
        try:
            await self._insert(product, category, by)
        except DuplicateKeyError as error:
            if new.slug is not None or "slug" not in _key_of(error):
                raise _taken(error, product) from None
            # The slug was our choice: two products of one name differ by the end of their ids
            end = f"-{id_[-8:]}"
            slug = product.slug[: model.MAX_SLUG_LENGTH - len(end)].rstrip("-") + end
            product = replace(product, slug=slug)
            try:
                await self._insert(product, category, by)
            except DuplicateKeyError as again:
                raise _taken(again, product) from None
        return product

    async def edit_product(self, id_: str, changes: ProductChanges, *, by: Identity) -> Product:
        """Change the given fields of a product that is not archived.

        Raises:
            BadUserInput: a field is not valid.
            NotFound: there is no such product or category.
            Conflict: it is archived, sku or slug are taken, or somebody else changed it at the same time.
        """
        require_scopes(by, PRODUCTS_WRITE)
        before = await self._find_product(id_)
        model.check_editable(before)
        chosen: dict[str, Any] = {
            "sku": changes.sku,
            "slug": changes.slug,
            "name": None if changes.name is None else changes.name.strip(),
            "description": changes.description,
            "price": changes.price,
            "category_id": changes.category_id,
            "images": changes.images,
            "weight_grams": changes.weight_grams,
            "attributes": changes.attributes,
        }
        after = replace(before, **{name: value for name, value in chosen.items() if value is not None})
        if changes.leave_category:
            after = replace(after, category_id=None)
        if after == before:
            return before
        after = replace(after, updated_at=self._clock.now(), version=before.version + 1)
        return await self._replace(before, model.check_product(after), PRODUCT_EDITED, by)

    async def publish_product(self, id_: str, *, by: Identity) -> Product:
        """Put a product on sale; one that is on sale already stays as it is."""
        require_scopes(by, PRODUCTS_WRITE)
        before = await self._find_product(id_)
        return await self._replace(before, model.publish(before, now=self._clock.now()), PRODUCT_PUBLISHED, by)

    async def archive_product(self, id_: str, *, by: Identity) -> Product:
        """Take a product off sale for good; one that is archived already stays as it is."""
        require_scopes(by, PRODUCTS_WRITE)
        before = await self._find_product(id_)
        return await self._replace(before, model.archive(before, now=self._clock.now()), PRODUCT_ARCHIVED, by)

    async def note_stock_in(self, session: Session, product_id: str, *, in_stock: bool) -> None:
        """Note, in the transaction of *session*, whether a product is in stock; one that is gone needs no note."""
        before = await self.repository.find_product(product_id, session=session)
        if before is None or before.in_stock == in_stock:
            return
        category = None if before.category_id is None else await self._find_category(before.category_id)
        after = replace(before, in_stock=in_stock, version=before.version + 1)
        # Whoever changed it after our read makes the write conflict, and the whole is run again
        assert await self.repository.replace_product(before, after, category, session=session)

    async def _find_product(self, id_: str) -> Product:
        product = await self.repository.find_product(id_)
        if product is None:
            raise NotFound(f"there is no product {id_}")
        return product

    async def _find_category(self, id_: str) -> Category:
        category = await self.repository.find_category(id_)
        if category is None:
            raise NotFound(f"there is no category {id_}")
        return category

    async def _insert(self, product: Product, category: Category | None, by: Identity) -> None:
        async def work(session: Session) -> None:
            await self.repository.insert_product(product, category, session=session)
            await self._announce(PRODUCT_CREATED, product.id, product.created_at, session)
            await self._note(_AUDITED_AS[PRODUCT_CREATED], product.id, by, product.created_at, session)

        await in_transaction(self._client, work)

    async def _replace(self, before: Product, after: Product, event: str, by: Identity) -> Product:
        if after == before:
            return before
        # Categories never move, so the path that is written with the product stays right
        category = None if after.category_id is None else await self._find_category(after.category_id)

        async def work(session: Session) -> None:
            if not await self.repository.replace_product(before, after, category, session=session):
                raise Conflict(f"product {before.id} was changed by somebody else at the same time; try again")
            await self._announce(event, after.id, after.updated_at, session)
            await self._note(
                _AUDITED_AS[event], after.id, by, after.updated_at, session, details=_changes(before, after)
            )

        try:
            await in_transaction(self._client, work)
        except DuplicateKeyError as error:
            raise _taken(error, after) from None
        return after

    async def _announce(self, event: str, product_id: str, now: datetime, session: Session) -> None:
        await announce_product(self._database, event, product_id, now=now, session=session)

    async def _note(
        self,
        action: str,
        target: str,
        by: Identity,
        now: datetime,
        session: Session,
        *,
        details: Mapping[str, str] | None = None,
    ) -> None:
        await announce_privileged(
            self._database, action, target, actor_id=by.subject, now=now, session=session, details=details
        )


def _changes(before: Product, after: Product) -> dict[str, str]:
    """Return, for the audit log, which fields changed; of the price, which matters most, also what it was and is."""
    names = sorted(
        each.name
        for each in fields(Product)
        if each.name not in ("updated_at", "version") and getattr(before, each.name) != getattr(after, each.name)
    )
    prices = {"price_before": _show(before.price), "price_after": _show(after.price)} if "price" in names else {}
    return {"fields": " ".join(names), **prices}


def _show(money: Money) -> str:
    return f"{money.decimal:f} {money.currency}"


def _key_of(error: DuplicateKeyError) -> dict[str, object]:
    key: dict[str, object] = (error.details or {}).get("keyPattern", {})
    return key


def _taken(error: DuplicateKeyError, product: Product) -> Conflict:
    if "sku" in _key_of(error):
        return Conflict(f"the sku {product.sku} is taken by another product")
    return Conflict(f"the slug {product.slug} is taken by another product")
