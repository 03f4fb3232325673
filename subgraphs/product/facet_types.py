"""GraphQL types of what a list of products can be narrowed down by."""

from asyncio import Task
from collections.abc import Iterable
from typing import Annotated, Self, TypeAlias

import strawberry
from strawberry.types.nodes import SelectedField, Selection

from core.errors import BadUserInput
from core.money import Money
from schema.money import MoneyType
from schema.ownership import Public
from schema.pagination import Connection
from subgraphs.product.facets import Facets, PriceRange
from subgraphs.product.types import CategoryType, ProductInfo, ProductType

# A page shows a handful, and an object of each costs more than its count
DEFAULT_SHOWN, MAX_SHOWN = 20, 200

HowMany: TypeAlias = Annotated[int, strawberry.argument(description="How many; at most 200.")]


def check_shown(first: int) -> int:
    """Return *first*; raise BadUserInput when it is out of range."""
    if not 0 <= first <= MAX_SHOWN:
        raise BadUserInput(f"first is {first}; it must be between 0 and {MAX_SHOWN}", field="first")
    return first


_PRICES = [Public(because="prices on the shelf fall into it")]


@strawberry.type(description="How many products stand in a category and below it.")
class CategoryFacet:
    """A count of `ProductFacets`."""

    category_id: strawberry.Private[str]
    count: int = strawberry.field(description="How many products.")

    @strawberry.field(description="The category; null if it is gone since.")
    async def category(self, info: ProductInfo) -> CategoryType | None:
        """Load it, with those of the other facets."""
        category = await info.context.category_by_id.load(self.category_id)
        return None if category is None else CategoryType.from_category(category)


@strawberry.type(description="How many products have a value.")
class AttributeValueFacet:
    """A count of `AttributeFacet`."""

    value: str = strawberry.field(description="The value.")
    count: int = strawberry.field(description="How many products.")


@strawberry.type(description="The values of one attribute.")
class AttributeFacet:
    """Counts of `ProductFacets`."""

    counts: strawberry.Private[tuple[tuple[str, int], ...]]
    name: str = strawberry.field(description="The attribute's name.")

    @strawberry.field(description="Its values, the most frequent first.")
    def values(self, first: HowMany = DEFAULT_SHOWN) -> list[AttributeValueFacet]:
        """Show the first."""
        return [AttributeValueFacet(value=value, count=count) for value, count in self.counts[: check_shown(first)]]


@strawberry.type(description="How many products have a price within a range.")
class PriceRangeFacet:
    """A count of `ProductFacets`. Ranges go from 1 to 2, 2 to 5, 5 to 10, and so on tenfold."""

    range: strawberry.Private[PriceRange]
    count: int = strawberry.field(description="How many products.")

    @strawberry.field(name="from", description="The lowest price of the range.", directives=_PRICES)
    def low(self) -> MoneyType:
        """Show the lower bound."""
        return MoneyType.from_money(Money(self.range.low, self.range.currency))

    @strawberry.field(name="to", description="The price at which the next range begins.", directives=_PRICES)
    def high(self) -> MoneyType:
        """Show the upper bound."""
        return MoneyType.from_money(Money(self.range.high, self.range.currency))


@strawberry.type(description="What a list of products can be narrowed down by; counts of all that the filter finds.")
class ProductFacets:
    """Counts beside a list."""

    facets: strawberry.Private[Facets]
    total_count: int = strawberry.field(description="How many products there are, on all pages.")
    attributes: list[AttributeFacet] = strawberry.field(description="Their attributes by name.")
    price_ranges: list[PriceRangeFacet] = strawberry.field(description="Their prices, the lowest range first.")
    in_stock: int = strawberry.field(description="Of how many there are some.")
    sold_out: int = strawberry.field(
        description="Of how many there are none; the rest of the products never had any stock."
    )

    @classmethod
    def from_facets(cls, facets: Facets) -> Self:
        """Show *facets*."""
        return cls(
            facets=facets,
            total_count=facets.total,
            attributes=[AttributeFacet(name=name, counts=values) for name, values in facets.attributes],
            price_ranges=[PriceRangeFacet(range=range_, count=count) for range_, count in facets.price_ranges],
            in_stock=facets.in_stock,
            sold_out=facets.sold_out,
        )

    @strawberry.field(description="Their categories and those above, the most frequent first.")
    def categories(self, first: HowMany = DEFAULT_SHOWN) -> list[CategoryFacet]:
        """Show the first."""
        shown = self.facets.categories[: check_shown(first)]
        return [CategoryFacet(category_id=id_, count=count) for id_, count in shown]


@strawberry.type(name="ProductSearchConnection", description="A page of products, with what there is beside it.")
class ProductSearchConnection(Connection[ProductType]):
    """The connection of `products`."""

    counting: strawberry.Private[Task[Facets] | None]

    @strawberry.field(description="What the list can be narrowed down by.")
    async def facets(self) -> ProductFacets:
        """Wait for the counts; a list whose facets nobody asks for has none."""
        if self.counting is None:
            raise RuntimeError("facets are asked for, and nobody has begun to count them")
        return ProductFacets.from_facets(await self.counting)


def asks_for(fields: Iterable[Selection], name: str) -> bool:
    """Tell whether *name* may be asked for among the fields of a root field, directly or in a fragment."""
    for field in fields:
        for selection in field.selections:
            if isinstance(selection, SelectedField):
                if selection.name == name:
                    return True
            elif asks_for([selection], name):
                return True
    return False


@strawberry.type(description="A search as it may be meant.")
class SearchSuggestion:
    """An answer of `searchSuggestions`."""

    text: str = strawberry.field(description="The search with its last word completed.")
    product_count: int = strawberry.field(description="How many products have its words; beyond 500 it is a part.")
