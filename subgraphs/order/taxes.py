"""Taxes: rates per zone, a country or a region of one, and per category. No I/O."""

from dataclasses import dataclass

from core.errors import BadUserInput
from subgraphs.order.rounding import WHOLE
from subgraphs.order.shipping_methods import is_country

MAX_CATEGORY_RATES = 200
MAX_REGION = 120


@dataclass(frozen=True, slots=True)
class TaxZone:
    """What is taxed where, and how.

    *region* None is the whole country. *is_inclusive* tells that the catalogue's prices have the tax in them for buyers
    here; else it comes on top. *category_rates* are exceptions to *rate*, in millionths by category id: the nearest
    category of a product decides. Shipping is taxed at *rate* if *taxes_shipping*.
    """

    country: str
    name: str
    rate: int
    is_inclusive: bool
    region: str | None = None
    taxes_shipping: bool = True
    category_rates: tuple[tuple[str, int], ...] = ()

    @property
    def id(self) -> str:
        """Return its id: there is one zone for a country, and one for each region of it."""
        return zone_id(self.country, self.region)

    def rate_of(self, category_path: tuple[str, ...]) -> int:
        """Return the rate for a product that stands in the last of *category_path*."""
        rates = dict(self.category_rates)
        return next((rates[category] for category in reversed(category_path) if category in rates), self.rate)


def zone_id(country: str, region: str | None) -> str:
    """Return the id of a zone; regions are told apart whatever their capitals."""
    return country if region is None else f"{country}/{' '.join(region.casefold().split())}"


def check_zone(zone: TaxZone) -> None:
    """Raise BadUserInput naming the first field that cannot be accepted."""
    if not is_country(zone.country):
        raise BadUserInput(f"{zone.country!r} is not a country code such as ID", field="country")
    if zone.region is not None and not 1 <= len(zone.region) <= MAX_REGION:
        raise BadUserInput(f"a region has 1 to {MAX_REGION} characters", field="region")
    if not 1 <= len(zone.name) <= 60:
        raise BadUserInput("a name has 1 to 60 characters", field="name")
    if not 0 <= zone.rate <= WHOLE:
        raise BadUserInput("a rate is between 0 and 100 percent", field="percent")
    if len(zone.category_rates) > MAX_CATEGORY_RATES:
        raise BadUserInput(f"at most {MAX_CATEGORY_RATES} fit", field="categoryRates")
    seen: set[str] = set()
    for number, (category, rate) in enumerate(zone.category_rates):
        if category in seen:
            raise BadUserInput("this category is there twice", field=f"categoryRates.{number}.categoryId")
        if not 0 <= rate <= WHOLE:
            raise BadUserInput("a rate is between 0 and 100 percent", field=f"categoryRates.{number}.percent")
        seen.add(category)


def find_zone(zones: dict[str, TaxZone], country: str, region: str | None) -> TaxZone | None:
    """Return the zone of an address: its region's, else its country's, else None: nothing is taxed."""
    by_region = zones.get(zone_id(country, region)) if region else None
    return by_region or zones.get(country)
