"""What a list of products can be narrowed down by: which keys a product is filed under, and how they are counted.

A product's row has two fields for this. *filter_keys* serve filters by index: `c:<category id>` for its category and
each above, `a:<name>=<value>` for each attribute, `s:1` or `s:0` for whether it is in stock. *facet_key* is one text of
everything that is counted, so that the database groups equal products without taking arrays apart and, where nothing
else is asked, without reading the products.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from core.money import Money
from subgraphs.product.attributes import ProductAttribute
from subgraphs.product.model import Category, Product

_LINE = "\n"


@dataclass(frozen=True, slots=True)
class PriceRange:
    """Prices from *low* up to and without *high*, in minor units of *currency*."""

    currency: str
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Facets:
    """How many of the products that a filter finds have what. A category counts what stands below it."""

    total: int
    categories: tuple[tuple[str, int], ...]
    attributes: tuple[tuple[str, tuple[tuple[str, int], ...]], ...]
    price_ranges: tuple[tuple[PriceRange, int], ...]
    in_stock: int
    sold_out: int


def category_key(category_id: str) -> str:
    """Return the filter key of everything in a category and below it."""
    return f"c:{category_id}"


def attribute_key(attribute: ProductAttribute) -> str:
    """Return the filter key of everything with an attribute of this value."""
    return f"a:{attribute.name}={attribute.value}"


def stock_key(in_stock: bool) -> str:
    """Return the filter key of what is in stock, or sold out."""
    return f"s:{int(in_stock)}"


def filter_keys(product: Product, category: Category | None) -> tuple[str, ...]:
    """Return everything that *product*, standing in *category*, is filtered by."""
    return (
        *(category_key(id_) for id_ in (category.path if category else ())),
        *(attribute_key(attribute) for attribute in _counted(product)),
        *(() if product.in_stock is None else (stock_key(product.in_stock),)),
    )


def facet_key(product: Product, category: Category | None) -> str:
    """Return everything that *product*, standing in *category*, is counted by."""
    stock = "" if product.in_stock is None else str(int(product.in_stock))
    price = f"{product.price.currency}:{price_range(product.price).low}"
    # No name and no value has a line break in it
    pairs = (f"{attribute.name}={attribute.value}" for attribute in _counted(product))
    return _LINE.join((price, "/".join(category.path if category else ()), stock, *pairs))


def _counted(product: Product) -> tuple[ProductAttribute, ...]:
    """Return what *product* is found by: its attributes, and what there is to choose, or was chosen."""
    shown = (*(each for each in product.attributes if each.filterable), *product.choices, *product.variant_choices)
    return tuple(dict.fromkeys(shown))


def list_status(product: Product) -> str:
    """Return in which lists *product* stands: variants are found by the product that they are of."""
    if product.deleted_at is not None:
        return "DELETED"
    return f"VARIANT_{product.status}" if product.parent_id is not None else product.status.value


def price_range(price: Money) -> PriceRange:
    """Return the range that *price* falls into: 1 to 2, 2 to 5, 5 to 10, and so on tenfold.

    The same for every list, so that a shopper who narrows it down sees the same ranges with smaller counts.
    """
    return _range_from(price.currency, _low_of(price.amount))


def _low_of(amount: int) -> int:
    power = 10 ** (len(str(amount)) - 1)
    return next(step for step in (5 * power, 2 * power, power, 0) if step <= amount)


def _range_from(currency: str, low: int) -> PriceRange:
    high = low * 5 // 2 if str(low).startswith("2") else max(1, low * 2)
    return PriceRange(currency, low, high)


def count_facets(counts: Mapping[str, int]) -> Facets:
    """Add up how many products there are by facet key.

    The most frequent come first, equal ones by name; price ranges from the lowest.
    """
    in_category: Counter[str] = Counter()
    with_value: defaultdict[str, Counter[str]] = defaultdict(Counter)
    in_range: Counter[tuple[str, int]] = Counter()
    stock: Counter[str] = Counter()
    for key, count in counts.items():
        price, path, in_stock, *pairs = key.split(_LINE)
        currency, low = price.split(":")
        in_range[currency, int(low)] += count
        stock[in_stock] += count
        for id_ in path.split("/") if path else ():
            in_category[id_] += count
        for pair in pairs:
            name, _, value = pair.partition("=")
            with_value[name][value] += count
    return Facets(
        total=sum(counts.values()),
        categories=_by_frequency(in_category),
        attributes=tuple((name, _by_frequency(with_value[name])) for name in sorted(with_value)),
        price_ranges=tuple((_range_from(currency, low), in_range[currency, low]) for currency, low in sorted(in_range)),
        in_stock=stock["1"],
        sold_out=stock["0"],
    )


def _by_frequency(counter: Counter[str]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(counter.items(), key=lambda entry: (-entry[1], entry[0])))
