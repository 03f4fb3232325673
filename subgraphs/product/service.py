"""Use cases of the catalogue. Each change and its event are one transaction."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from core.clock import Clock
from core.errors import BadUserInput, Conflict, NotFound
from core.identity import Identity
from core.ids import new_id
from core.money import Money
from core.mongo import Client, Database, DuplicateKeyError, Session, in_transaction
from core.scopes import PRODUCTS_WRITE
from core.subgraph import require_scopes
from subgraphs.product import model
from subgraphs.product.attributes import ProductAttribute, find_missing, fit_attributes
from subgraphs.product.categories import CategoryTree
from subgraphs.product.events import (
    PRODUCT_ARCHIVED,
    PRODUCT_CREATED,
    PRODUCT_DELETED,
    PRODUCT_EDITED,
    PRODUCT_PUBLISHED,
    PRODUCT_RESTORED,
    PRODUCT_SCHEDULED,
)
from subgraphs.product.families import Families
from subgraphs.product.images.repository import PictureRepository
from subgraphs.product.model import Category, Product, ProductOption, ProductStatus
from subgraphs.product.picture_model import ProductImage, picture_id_in, picture_ids
from subgraphs.product.prices import check_schedule
from subgraphs.product.pricing import Pricing
from subgraphs.product.recording import Recorder
from subgraphs.product.repository import CatalogueRepository

# What the audit log calls what is announced
_AUDITED_AS = {
    PRODUCT_ARCHIVED: "PRODUCT_ARCHIVED",
    PRODUCT_CREATED: "PRODUCT_CREATED",
    PRODUCT_EDITED: "PRODUCT_EDITED",
    PRODUCT_PUBLISHED: "PRODUCT_PUBLISHED",
    PRODUCT_DELETED: "PRODUCT_DELETED",
    PRODUCT_RESTORED: "PRODUCT_RESTORED",
    PRODUCT_SCHEDULED: "PRODUCT_SCHEDULED",
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
    options: tuple[ProductOption, ...] = ()
    status: ProductStatus = ProductStatus.DRAFT


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVariant:
    """A variant as somebody describes it; None is what its product has, or follows from it."""

    parent_id: str
    sku: str
    choices: tuple[ProductAttribute, ...]
    name: str | None = None
    price: Money | None = None
    weight_grams: int | None = None
    status: ProductStatus | None = None


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
    options: tuple[ProductOption, ...] | None = None
    status: ProductStatus | None = None


# What happens to a product's variants along with it
_WITH_VARIANTS: Mapping[str, Callable[..., Product]] = {
    PRODUCT_ARCHIVED: model.archive,
    PRODUCT_PUBLISHED: model.publish,
    PRODUCT_DELETED: model.delete,
    PRODUCT_RESTORED: model.restore,
}


class CatalogueService:
    """The catalogue's use cases on one database."""

    def __init__(self, client: Client, database: Database, clock: Clock, *, media_url: str) -> None:
        self._client = client
        self._clock = clock
        self._pictures = PictureRepository(database)
        self.media_url = media_url
        self.recorder = Recorder(database)
        self.repository = CatalogueRepository(database)
        self._families = Families(self.repository)
        self.pricing = Pricing(client, database, clock, self.repository, self._families, self.recorder)
        self.categories = CategoryTree(client, database, clock, self.repository, self.recorder)

    async def create_product(self, new: NewProduct, *, by: Identity) -> Product:
        """Add a product as a draft.

        Raises:
            BadUserInput: a field is not valid, or an attribute is not what the category wants.
            NotFound: there is no such category.
            Conflict: sku or slug are taken.
        """
        require_scopes(by, PRODUCTS_WRITE)
        id_, now = new_id("prd"), self._clock.now()
        name = new.name.strip()
        images = await self._recognise(new.images)
        product = model.check_product(
            Product(
                id=id_,
                sku=new.sku,
                slug=new.slug if new.slug is not None else model.slug_from(name, fallback=id_),
                name=name,
                description=new.description,
                price=new.price,
                category_id=new.category_id,
                images=images,
                status=new.status,
                weight_grams=new.weight_grams,
                created_at=now,
                updated_at=now,
                attributes=new.attributes,
                options=new.options,
            )
        )
        category = await self._category_of(product)
        product = await self._fit(product, category)
        return await self._insert_with_slug(product, category, by, chosen=new.slug is not None)

    async def create_variant(self, new: NewVariant, *, by: Identity) -> Product:
        """Add a variant: a product of its own, with a sku and stock of its own, on sale if its product is.

        What is not given is as the product has it.

        Raises:
            BadUserInput: a field is not valid, or the choices are not one of each option.
            NotFound: there is no such product.
            Conflict: it is archived, has too many variants or one of these choices, or the sku is taken.
        """
        require_scopes(by, PRODUCTS_WRITE)
        parent = await self._find_product(new.parent_id)
        model.check_editable(parent)
        model.check_choices(new.choices, parent.options)
        id_, now = new_id("prd"), self._clock.now()
        values = " / ".join(choice.value for choice in new.choices)
        name = f"{parent.name[: model.MAX_NAME_LENGTH - len(values) - 3]} - {values}" if new.name is None else new.name
        variant = model.check_product(
            Product(
                id=id_,
                sku=new.sku,
                slug=model.slug_from(name, fallback=id_),
                name=name.strip(),
                description="",
                price=new.price or parent.price,
                category_id=parent.category_id,
                images=(),
                status=new.status or parent.status,
                weight_grams=parent.weight_grams if new.weight_grams is None else new.weight_grams,
                created_at=now,
                updated_at=now,
                parent_id=parent.id,
                publish_at=parent.publish_at,
                unpublish_at=parent.unpublish_at,
                choices=new.choices,
            )
        )
        return await self._insert_with_slug(variant, await self._category_of(parent), by, chosen=False)

    async def _insert_with_slug(
        self, product: Product, category: Category | None, by: Identity, *, chosen: bool
    ) -> Product:
        try:
            await self._insert(product, category, by)
        except DuplicateKeyError as error:
            if chosen or "slug" not in _key_of(error):
                raise _taken(error, product) from None
            # The slug was our choice: two products of one name differ by the end of their ids
            end = f"-{product.id[-8:]}"
            slug = product.slug[: model.MAX_SLUG_LENGTH - len(end)].rstrip("-") + end
            product = replace(product, slug=slug)
            try:
                await self._insert(product, category, by)
            except DuplicateKeyError as again:
                raise _taken(again, product) from None
        return self._show(product)

    async def edit_product(self, id_: str, changes: ProductChanges, *, by: Identity) -> Product:
        """Change the given fields of a product that is not archived.

        Raises:
            BadUserInput: a field is not valid.
            NotFound: there is no such product or category.
            Conflict: it is archived, sku or slug are taken, or somebody else changed it at the same time.
        """
        require_scopes(by, PRODUCTS_WRITE)
        before = await self._find_product(id_)
        chosen: dict[str, Any] = {
            "sku": changes.sku,
            "slug": changes.slug,
            "name": None if changes.name is None else changes.name.strip(),
            "description": changes.description,
            "price": changes.price,
            "category_id": changes.category_id,
            "images": None if changes.images is None else await self._recognise(changes.images),
            "weight_grams": changes.weight_grams,
            "attributes": changes.attributes,
            "options": changes.options,
            "status": changes.status,
        }
        after = replace(before, **{name: value for name, value in chosen.items() if value is not None})
        if changes.leave_category:
            after = replace(after, category_id=None)
        if changes.attributes is not None:
            # Compared as they are kept: 1.50 is no other value than 1.5
            after = await self._fit(after, await self._category_of(after))
        if after == before:
            return self._show(before)
        if after.status is before.status:
            model.check_editable(before)
        event = _event_of(before, after)
        after = replace(after, updated_at=self._clock.now(), version=before.version + 1)
        if after.parent_id is not None and (after.options or after.category_id != before.category_id):
            raise Conflict(f"product {id_} is a variant of {after.parent_id}, which has its options and its category")
        return await self._replace(before, model.check_product(after), event, by)

    async def publish_product(self, id_: str, *, by: Identity) -> Product:
        """Put a product on sale, with its variants; one that is on sale already stays as it is.

        Raises:
            NotFound: there is no such product.
            Conflict: it is deleted, or lacks an attribute that its category requires.
        """
        require_scopes(by, PRODUCTS_WRITE)
        before = await self._find_product(id_)
        if before.deleted_at is not None:
            raise Conflict(f"product {id_} is deleted; restore it first")
        return await self._replace(before, model.publish(before, now=self._clock.now()), PRODUCT_PUBLISHED, by)

    async def archive_product(self, id_: str, *, by: Identity) -> Product:
        """Take a product off sale for good, with its variants; one that is archived already stays as it is."""
        require_scopes(by, PRODUCTS_WRITE)
        before = await self._find_product(id_)
        return await self._replace(before, model.archive(before, now=self._clock.now()), PRODUCT_ARCHIVED, by)

    async def delete_product(self, id_: str, *, by: Identity) -> Product:
        """Take a product and its variants out of the catalogue; old orders still show it, and it can be restored."""
        require_scopes(by, PRODUCTS_WRITE)
        before = await self._find_product(id_)
        return await self._replace(before, model.delete(before, now=self._clock.now()), PRODUCT_DELETED, by)

    async def restore_product(self, id_: str, *, by: Identity) -> Product:
        """Bring a deleted product and its variants back, as they were; one that is not deleted stays as it is."""
        require_scopes(by, PRODUCTS_WRITE)
        before = await self._find_product(id_)
        return await self._replace(before, model.restore(before, now=self._clock.now()), PRODUCT_RESTORED, by)

    async def schedule_product(
        self, id_: str, *, publish_at: datetime | None, unpublish_at: datetime | None, by: Identity
    ) -> Product:
        """Say when a draft goes on sale, and when a product goes off sale, with its variants; None takes it back.

        Raises:
            BadUserInput: it would be off sale before it is on.
            NotFound: there is no such product.
            Conflict: it is archived, is on sale already, or lacks an attribute that its category requires.
        """
        require_scopes(by, PRODUCTS_WRITE)
        check_schedule(publish_at, unpublish_at)
        before = await self._find_product(id_)
        model.check_editable(before)
        if publish_at is not None and before.status is not ProductStatus.DRAFT:
            raise Conflict(f"product {id_} is {before.status}; a draft goes on sale at a time")
        after = replace(before, publish_at=publish_at, unpublish_at=unpublish_at)
        if after == before:
            return self._show(before)
        after = replace(after, updated_at=self._clock.now(), version=before.version + 1)
        return await self._replace(before, after, PRODUCT_SCHEDULED, by)

    def _show(self, product: Product) -> Product:
        return self.pricing.at_present(product)

    async def note_stock_in(self, session: Session, product_id: str, *, in_stock: bool, revision: int) -> None:
        """Note, in the transaction of *session*, whether a product is in stock; one that is gone needs no note.

        What is told late, after something of a higher *revision*, is passed over.
        """
        before = await self.repository.find_product(product_id, session=session)
        if before is None or revision <= before.stock_revision:
            return
        category = await self._category_of(before)
        # Where variants are what is sold, nobody can buy what the product itself has
        shown = before.in_stock if before.options else in_stock
        after = replace(before, in_stock=shown, stock_revision=revision, version=before.version + 1)
        # Whoever changed it after our read makes the write conflict, and the whole is run again
        assert await self.repository.replace_product(before, after, category, session=session)
        if after.parent_id is not None:
            await self._families.refresh_parent(after.parent_id, category, session)

    async def _recognise(self, images: tuple[ProductImage, ...]) -> tuple[ProductImage, ...]:
        """Return *images* with pictures of the store in place of their addresses; other addresses are what they are."""
        ids = [picture_id_in(image.url, self.media_url) for image in images]
        found = await self._pictures.find_pictures([id_ for id_ in ids if id_ is not None]) if any(ids) else {}
        return tuple(
            ProductImage("", image.alt_text, found[id_]) if id_ in found else image
            for id_, image in zip(ids, images, strict=True)
        )

    async def _hold_pictures(self, product: Product, now: datetime, session: Session) -> None:
        """Keep the store's pictures of *product*, which gets them in this transaction."""
        if not await self._pictures.touch(picture_ids(product.images), now=now, session=session):
            raise Conflict("a picture is gone; upload it again")

    async def _find_product(self, id_: str) -> Product:
        product = await self.repository.find_product(id_)
        if product is None:
            raise NotFound(f"there is no product {id_}")
        return product

    async def _category_of(self, product: Product) -> Category | None:
        return None if product.category_id is None else await self.categories.find(product.category_id)

    async def _fit(self, product: Product, category: Category | None) -> Product:
        """Return *product* with attributes as its category wants them; on sale, it has all that are required."""
        if product.parent_id is not None:
            return product
        definitions = await self.categories.definitions_of(category)
        missing = find_missing(product.attributes, definitions)
        will_be_on_sale = product.status is ProductStatus.DRAFT and product.publish_at is not None
        if missing and (product.status is ProductStatus.ACTIVE or will_be_on_sale):
            raise Conflict(f"product {product.id} cannot be on sale without: {', '.join(missing)}")
        return replace(product, attributes=fit_attributes(product.attributes, definitions))

    async def _insert(self, product: Product, category: Category | None, by: Identity) -> None:
        now = product.created_at

        async def work(session: Session) -> None:
            await self.repository.insert_product(product, category, session=session)
            await self._hold_pictures(product, now, session)
            await self.repository.keep_slug("product", None, product.slug, product.id, now=now, session=session)
            if product.parent_id is not None:
                await self._families.refresh_parent(product.parent_id, category, session, is_new=True)
            await self.recorder.announce(PRODUCT_CREATED, product.id, now=now, session=session)
            await self.recorder.note(_AUDITED_AS[PRODUCT_CREATED], product.id, by=by, now=now, session=session)

        await in_transaction(self._client, work)

    async def _replace(self, before: Product, after: Product, event: str, by: Identity) -> Product:
        if after == before:
            return self._show(before)
        category = await self._category_of(after)
        if event in (PRODUCT_EDITED, PRODUCT_PUBLISHED, PRODUCT_SCHEDULED):
            after = await self._fit(after, category)
        now = after.updated_at

        async def work(session: Session) -> Product:
            written = after
            if after.parent_id is None:
                written = await self._change_variants(before, after, event, category, session)
            if not await self.repository.replace_product(before, written, category, session=session):
                raise Conflict(f"product {before.id} was changed by somebody else at the same time; try again")
            if after.images != before.images:
                await self._hold_pictures(after, now, session)
            if after.slug != before.slug:
                await self.repository.keep_slug("product", before.slug, after.slug, after.id, now=now, session=session)
            if after.parent_id is not None:
                await self._families.refresh_parent(after.parent_id, category, session)
            await self.recorder.announce(event, after.id, now=now, session=session)
            details = _changes(before, after)
            await self.recorder.note(_AUDITED_AS[event], after.id, by=by, now=now, session=session, details=details)
            return written

        try:
            return self._show(await in_transaction(self._client, work))
        except DuplicateKeyError as error:
            raise _taken(error, after) from None

    async def _change_variants(
        self, before: Product, after: Product, event: str, category: Category | None, session: Session
    ) -> Product:
        """Do to the variants of a product what is done to it; return *after* with what they are found by."""
        variants = await self.repository.find_variants([after.id], session=session) if before.options else []
        changed = []
        for variant in variants:
            moved = replace(variant, category_id=after.category_id)
            # One that was deleted on its own stays so
            is_concerned = event != PRODUCT_RESTORED or variant.deleted_at == before.deleted_at
            if event in _WITH_VARIANTS and is_concerned:
                moved = _WITH_VARIANTS[event](moved, now=after.updated_at)
            elif event == PRODUCT_SCHEDULED:
                moved = replace(moved, publish_at=after.publish_at, unpublish_at=after.unpublish_at)
            if after.options != before.options:
                try:
                    model.check_choices(variant.choices, after.options)
                except BadUserInput:
                    raise Conflict(f"the variant {variant.sku} has a choice that would no longer be there") from None
            if moved != variant:
                moved = replace(moved, version=variant.version + 1)
                if not await self.repository.replace_product(variant, moved, category, session=session):
                    raise Conflict(f"variant {variant.id} was changed by somebody else at the same time; try again")
                if event in _WITH_VARIANTS:
                    await self.recorder.announce(event, moved.id, now=after.updated_at, session=session)
            changed.append(moved)
        in_stock = model.stock_on_sale(changed)
        return replace(
            after,
            variant_choices=model.choices_on_sale(changed),
            in_stock=after.in_stock if in_stock is None else in_stock,
        )


def _event_of(before: Product, after: Product) -> str:
    """Return what an edit is; raise Conflict for one that would take a product's past away."""
    if after.status is before.status:
        return PRODUCT_EDITED
    if before.deleted_at is not None:
        raise Conflict(f"product {before.id} is deleted; restore it first")
    match after.status:
        case ProductStatus.ACTIVE:
            return PRODUCT_PUBLISHED
        case ProductStatus.ARCHIVED:
            return PRODUCT_ARCHIVED
        case ProductStatus.DRAFT:
            raise Conflict(f"product {before.id} is {before.status}, and no draft any more")


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
    if "choice_key" in _key_of(error):
        chosen = ", ".join(f"{each.name} {each.value}" for each in product.choices)
        return Conflict(f"product {product.parent_id} has a variant with {chosen}")
    if "sku" in _key_of(error):
        return Conflict(f"the sku {product.sku} is taken by another product")
    return Conflict(f"the slug {product.slug} is taken by another product")
