"""Products and their variants: what a variant's change means for the product that it is of."""

from dataclasses import replace

from core.errors import Conflict, NotFound
from core.mongo import Session
from subgraphs.product import model
from subgraphs.product.model import Category
from subgraphs.product.repository import CatalogueRepository


class Families:
    """Keeps products found by what their variants offer."""

    def __init__(self, catalogue: CatalogueRepository) -> None:
        self._catalogue = catalogue

    async def refresh_parent(
        self, parent_id: str, category: Category | None, session: Session, *, is_new: bool = False
    ) -> None:
        """Make a product found by the choices of its variants, in the transaction that changes or adds one of them.

        Raises:
            NotFound: there is no such product.
            Conflict: it has too many variants, or with a new one that they no longer fit.
        """
        parent = await self._catalogue.find_product(parent_id, session=session)
        if parent is None:
            raise NotFound(f"there is no product {parent_id}")
        variants = await self._catalogue.find_variants([parent_id], session=session)
        if len(variants) > model.MAX_VARIANTS:
            raise Conflict(f"product {parent_id} has {model.MAX_VARIANTS} variants already")
        if is_new:
            # As it is now: its options may have changed since the choices were looked at
            model.check_editable(parent)
            for variant in variants:
                model.check_choices(variant.choices, parent.options)
        in_stock = model.stock_on_sale(variants)
        # Written in any case: two changes of one product's variants and options must conflict
        after = replace(
            parent,
            variant_choices=model.choices_on_sale(variants),
            in_stock=parent.in_stock if in_stock is None else in_stock,
            version=parent.version + 1,
        )
        assert await self._catalogue.replace_product(parent, after, category, session=session)
