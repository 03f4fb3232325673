"""Import products into a store, and export them."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass

from core.errors import DomainError
from core.identity import Identity
from core.scopes import PRODUCTS_WRITE
from pasar.importing.product_file import NumberedRow, RefusedProduct
from pasar.store import Store
from subgraphs.product.app import build_service
from subgraphs.product.importing import CatalogueImport, ProductRow, RowOutcome, row_of

# Whom the audit log names: whoever has the store's shell
OPERATOR = Identity("operator", frozenset(), frozenset({PRODUCTS_WRITE}))
# Rows that are written at the same time; each waits for a majority of the replica set
AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class ImportedProducts:
    """What became of the lines: every line is in exactly one of the four counts."""

    created: int
    updated: int
    unchanged: int
    refused: int


async def import_products(
    store: Store,
    rows: Iterable[NumberedRow | RefusedProduct],
    *,
    on_refused: Callable[[RefusedProduct], None],
    on_progress: Callable[[int], None] = lambda lines: None,
) -> ImportedProducts:
    """Write each row as a whole; *store* has been started. Rows that are refused leave nothing behind.

    Products that others of the file are variants of, or that are there twice, are written before those that follow.
    """
    catalogue = CatalogueImport(build_service(store.subgraphs["product"].runtime))
    outcomes: Counter[RowOutcome | None] = Counter()
    done = 0

    async def write(each: NumberedRow) -> RowOutcome | RefusedProduct:
        try:
            return await catalogue.write(each.row, by=OPERATOR)
        except DomainError as error:
            field = getattr(error, "field", None)
            reason = f"{field}: {error.message}" if field else error.message
            return RefusedProduct(each.line, each.row.sku, error.code, reason)

    async def write_all(waiting: list[NumberedRow]) -> None:
        for result in await asyncio.gather(*map(write, waiting)):
            note(result)
        waiting.clear()

    def note(result: RowOutcome | RefusedProduct) -> None:
        nonlocal done
        done += 1
        if isinstance(result, RefusedProduct):
            outcomes[None] += 1
            on_refused(result)
        else:
            outcomes[result] += 1
        on_progress(done)

    waiting: list[NumberedRow] = []
    for each in rows:
        if isinstance(each, RefusedProduct):
            note(each)
            continue
        # Variants of one product change it, too: at the same time, they would only wait for each other
        busy = {name for other in waiting for name in (other.row.sku, other.row.parent) if name}
        if len(waiting) == AT_ONCE or {each.row.sku, each.row.parent} & busy:
            await write_all(waiting)
        waiting.append(each)
    await write_all(waiting)
    return ImportedProducts(
        created=outcomes[RowOutcome.CREATED],
        updated=outcomes[RowOutcome.UPDATED],
        unchanged=outcomes[RowOutcome.UNCHANGED],
        refused=outcomes[None],
    )


async def export_products(store: Store) -> AsyncIterator[ProductRow]:
    """Yield all products that are not deleted, each after the one that it is a variant of."""
    service = build_service(store.subgraphs["product"].runtime)
    repository = service.repository
    slugs = {category.id: category.slug for category in await repository.find_all_categories()}
    async for family in repository.iterate_families():
        for product in family:
            parent = family[0].sku if product.parent_id else ""
            category = slugs.get(product.category_id or "", "")
            yield row_of(product, category=category, parent=parent, media_url=service.media_url)
