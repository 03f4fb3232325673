"""Use cases of the category tree. Changes of the tree happen one after the other: each writes the tree's one row.

A product keeps the path of its category, by which it is found. So when a category moves, its products are filed anew,
and again until no transaction can be left that had read the category before (OVERLAP): whatever such a one wrote in the
meantime is put right.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime

from core.clock import Clock
from core.errors import Conflict, NotFound
from core.identity import Identity
from core.ids import new_id
from core.mongo import Client, Database, DuplicateKeyError, Session, in_transaction
from core.scopes import PRODUCTS_WRITE
from core.short_memory import ShortMemory
from core.subgraph import require_scopes
from subgraphs.product import attributes, model
from subgraphs.product.attributes import AttributeDefinition, ProductAttribute
from subgraphs.product.category_repository import OVERLAP, CategoryRepository
from subgraphs.product.model import Category, Product
from subgraphs.product.recording import Recorder
from subgraphs.product.repository import CatalogueRepository

# Products that are filed anew before it is looked which come next
REFILING_BATCH = 500


class CategoryTree:
    """The use cases on one database."""

    def __init__(
        self, client: Client, database: Database, clock: Clock, catalogue: CatalogueRepository, recorder: Recorder
    ) -> None:
        self._client = client
        self._clock = clock
        self._catalogue = catalogue
        self._recorder = recorder
        self._repository = CategoryRepository(database)
        self._recent: ShortMemory[str, Category] = ShortMemory(clock)

    async def list_categories(self) -> list[Category]:
        """Return all categories by name."""
        return await self._catalogue.find_all_categories()

    async def find_recent(self, ids: Sequence[str]) -> list[Category]:
        """Return the categories with these ids as they are, or were a moment ago (core/short_memory.py)."""
        known = self._recent.recall()
        unknown = [id_ for id_ in ids if id_ not in known]
        if unknown:
            known |= {each.id: each for each in await self._catalogue.find_categories("_id", unknown)}
        return [known[id_] for id_ in ids if id_ in known]

    def forget(self) -> None:
        """Read all categories anew from now on."""
        self._recent.forget()

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
        now = self._clock.now()

        async def work(session: Session) -> Category:
            await self._repository.take_tree(session=session)
            parent = None if parent_id is None else await self.find(parent_id, session=session)
            category = Category(id_, slug, name, model.child_path(parent, id_), now)
            await self._catalogue.insert_category(category, session=session)
            await self._catalogue.keep_slug("category", None, slug, id_, now=now, session=session)
            await self._recorder.note("CATEGORY_CREATED", id_, by=by, now=now, session=session)
            return category

        return await self._change_with_slug(work, slug)

    async def edit_category(self, id_: str, *, name: str | None, slug: str | None, by: Identity) -> Category:
        """Change name or slug, where given; the former slug leads to the category from then on.

        Raises:
            BadUserInput: name or slug are not valid.
            NotFound: there is no such category.
            Conflict: the slug is taken.
        """
        require_scopes(by, PRODUCTS_WRITE)
        if name is not None:
            name = name.strip()
            model.check_name(name)
        if slug is not None:
            model.check_slug(slug)
        now = self._clock.now()

        async def work(session: Session) -> Category:
            await self._repository.take_tree(session=session)
            before = await self.find(id_, session=session)
            after = replace(before, name=name or before.name, slug=slug or before.slug)
            if after == before:
                return before
            await self._repository.replace_category(after, session=session)
            if after.slug != before.slug:
                await self._catalogue.keep_slug("category", before.slug, after.slug, id_, now=now, session=session)
            await self._recorder.note("CATEGORY_EDITED", id_, by=by, now=now, session=session)
            return after

        return await self._change_with_slug(work, slug or "")

    async def move_category(self, id_: str, parent_id: str | None, *, by: Identity) -> Category:
        """Put a category, with all below it, under another one, or at the top; its products are found there at once.

        Raises:
            NotFound: there is no such category or parent.
            Conflict: the parent stands below the category, or is it.
            BadUserInput: it would be too deep.
        """
        require_scopes(by, PRODUCTS_WRITE)
        now = self._clock.now()

        async def work(session: Session) -> Category:
            await self._repository.take_tree(session=session)
            before = await self.find(id_, session=session)
            parent = None if parent_id is None else await self.find(parent_id, session=session)
            subtree = await self._repository.find_subtree(id_, session=session)
            depth = len(before.path)
            path = model.move_path(before, parent, max(len(each.path) for each in subtree) - depth)
            if path == before.path:
                return before
            for each in subtree:
                moved = replace(each, path=(*path, *each.path[depth:]))
                await self._repository.replace_category(moved, session=session)
            await self._repository.request_refiling(id_, now=now, session=session)
            await self._recorder.note("CATEGORY_MOVED", id_, by=by, now=now, session=session)
            return replace(before, path=path)

        moved = await self._change(work)
        await self._refile(id_)
        return moved

    async def set_attributes(self, id_: str, definitions: Sequence[AttributeDefinition], *, by: Identity) -> Category:
        """Replace what a category itself says of attributes; it holds below it, too, unless they say otherwise.

        Products stay as they are until they are edited, but what is no longer filterable is no longer filtered by.

        Raises:
            BadUserInput: a definition is not valid.
            NotFound: there is no such category.
        """
        require_scopes(by, PRODUCTS_WRITE)
        attributes.check_definitions(definitions)
        now = self._clock.now()

        async def work(session: Session) -> Category:
            await self._repository.take_tree(session=session)
            before = await self.find(id_, session=session)
            after = replace(before, attributes=tuple(definitions))
            if after == before:
                return before
            await self._repository.replace_category(after, session=session)
            await self._repository.request_refiling(id_, now=now, session=session)
            await self._recorder.note("CATEGORY_ATTRIBUTES_SET", id_, by=by, now=now, session=session)
            return after

        changed = await self._change(work)
        await self._refile(id_)
        return changed

    async def find(self, id_: str, *, session: Session | None = None) -> Category:
        """Return a category; raise NotFound."""
        category = await self._catalogue.find_category(id_, session=session)
        if category is None:
            raise NotFound(f"there is no category {id_}")
        return category

    async def definitions_of(self, category: Category | None) -> tuple[AttributeDefinition, ...]:
        """Return what holds of attributes in *category*: what it and those above it say."""
        if category is None:
            return ()
        above = {each.id: each for each in await self._catalogue.find_categories("_id", category.path[:-1])}
        return attributes.inherit(
            [*(above[id_].attributes for id_ in category.path[:-1] if id_ in above), category.attributes]
        )

    async def refile_due(self, now: datetime) -> None:
        """File the products of changed categories anew, until no write of before the change can follow."""
        for category_id, changed_at in await self._repository.find_refilings():
            await self._refile(category_id)
            if changed_at + OVERLAP <= now:
                await self._repository.end_refiling(category_id, changed_at)

    async def _refile(self, category_id: str) -> None:
        subtree = {each.id: each for each in await self._repository.find_subtree(category_id)}
        definitions = {id_: await self.definitions_of(each) for id_, each in subtree.items()}
        after = ""
        while products := await self._repository.find_products_of(sorted(subtree), after, REFILING_BATCH):
            for product in products:
                # Whoever changes it at the same time writes a path, too: of before the move perhaps, so the job follows
                category = subtree[product.category_id or ""]
                await self._repository.refile(_with_filters(product, definitions[category.id]), category)
            after = products[-1].id

    async def _change_with_slug(self, work: Callable[[Session], Awaitable[Category]], slug: str) -> Category:
        try:
            return await self._change(work)
        except DuplicateKeyError:
            raise Conflict(f"the slug {slug} is taken by another category") from None

    async def _change(self, work: Callable[[Session], Awaitable[Category]]) -> Category:
        try:
            return await in_transaction(self._client, work)
        finally:
            # Also when nobody knows whether it was committed
            self._recent.forget()


def _with_filters(product: Product, definitions: Sequence[AttributeDefinition]) -> Product:
    filterable = {each.name: each.filterable for each in definitions}

    def told(attribute: ProductAttribute) -> ProductAttribute:
        return replace(attribute, filterable=filterable.get(attribute.name, True))

    return replace(product, attributes=tuple(told(each) for each in product.attributes))
