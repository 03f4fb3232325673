"""Expand the shelves into categories and products, each with its first stock."""

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from core.money import Money
from pasar.seed.ids import seeded_id
from pasar.seed.shelves import SHELVES, Line, Shelf, Variant
from subgraphs.inventory.bulk import FIRST_REVISION
from subgraphs.product.model import Category, Product, ProductStatus

CURRENCY = "IDR"
# Prices are rounded to what shops print
PRICE_STEP_RUPIAH = 500
# One product in so many is sold out, and one has been taken off the shelf
SOLD_OUT_EVERY = 25
ARCHIVED_EVERY = 40


@dataclass(frozen=True, slots=True)
class Catalogue:
    """*categories* parents first; *on_hand* units per product id."""

    categories: tuple[Category, ...]
    products: tuple[tuple[Product, Category], ...]
    on_hand: dict[str, int]


def make_catalogue(random: Random, *, opened_at: datetime) -> Catalogue:
    """Return the catalogue of a store that opened at *opened_at*."""
    aisles = {
        name: _category(name, None, random, opened_at) for name in dict.fromkeys(shelf.aisle for shelf in SHELVES)
    }
    shelves = [(shelf, _category(shelf.name, aisles[shelf.aisle], random, opened_at)) for shelf in SHELVES]
    products: list[tuple[Product, Category]] = []
    on_hand: dict[str, int] = {}
    for shelf, category in shelves:
        number = 0
        for line in shelf.lines:
            for variant in line.variants:
                number += 1
                position = len(products) + 1
                product = _product(shelf, line, variant, number, category, random, opened_at)
                if position % ARCHIVED_EVERY == 0:
                    product = replace(product, status=ProductStatus.ARCHIVED)
                on_hand[product.id] = 0 if position % SOLD_OUT_EVERY == 0 else random.randint(20, 400)
                product = replace(product, in_stock=on_hand[product.id] > 0, stock_revision=FIRST_REVISION)
                products.append((product, category))
    return Catalogue((*aisles.values(), *(category for _, category in shelves)), tuple(products), on_hand)


def _category(name: str, parent: Category | None, random: Random, opened_at: datetime) -> Category:
    id_ = seeded_id("cat", random, opened_at)
    return Category(id_, _slug(name), name, (*(parent.path if parent else ()), id_), opened_at)


def _product(
    shelf: Shelf, line: Line, variant: Variant, number: int, category: Category, random: Random, opened_at: datetime
) -> Product:
    name = f"{line.name} {variant.label}".strip()
    price = round(line.price * variant.price / PRICE_STEP_RUPIAH) * PRICE_STEP_RUPIAH
    added_at = opened_at + timedelta(minutes=random.randint(0, 60 * 24 * 5))
    return Product(
        id=seeded_id("prd", random, added_at),
        sku=f"{shelf.code}-{number:03}",
        slug=_slug(name),
        name=name,
        description=line.description,
        price=Money(price, CURRENCY),
        category_id=category.id,
        images=(),
        status=ProductStatus.ACTIVE,
        weight_grams=round(line.weight_grams * variant.weight),
        created_at=added_at,
        updated_at=added_at,
    )


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
