"""Price lists as values."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class PriceList:
    """Prices in *currency* that hold from *valid_from* up to and without *valid_until*; None is without end."""

    code: str
    name: str
    currency: str
    priority: int
    valid_from: datetime
    valid_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class ListPrice:
    """What a product costs by a price list, in minor units of the list's currency."""

    price_list: PriceList
    amount: int
