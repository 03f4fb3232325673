"""Shipping methods: zones of countries with rates by weight. No I/O."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import BadUserInput
from core.money import CURRENCY_EXPONENTS, MAX_AMOUNT, Money

MAX_ZONES = 100
MAX_BANDS = 50
MAX_COUNTRIES = 250
MAX_METHODS = 50
# Heavier than any lorry; far below what an integer of the database holds
MAX_GRAMS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class WeightBand:
    """What parcels of up to *up_to_grams*, that weight included, cost: minor units."""

    up_to_grams: int
    amount: int


@dataclass(frozen=True, slots=True)
class ShippingZone:
    """Rates for some countries, or for everywhere if *countries* is empty, in one currency.

    The first band that holds the weight counts. Beyond the last, each started kilogram costs *per_kg_beyond* more; None
    means that nothing heavier is carried. From a price of the goods of *free_from* on, after discounts, it is free.
    """

    countries: tuple[str, ...]
    currency: str
    bands: tuple[WeightBand, ...]
    per_kg_beyond: int | None = None
    free_from: int | None = None

    def fee(self, weight_grams: int, goods: Money) -> Money | None:
        """Return the fee for a parcel with *goods* (their price after discounts); None if it is too heavy."""
        amount = self._amount(weight_grams)
        if amount is None:
            return None
        if self.free_from is not None and goods.amount >= self.free_from:
            amount = 0
        return Money(amount, self.currency)

    def _amount(self, weight_grams: int) -> int | None:
        for band in self.bands:
            if weight_grams <= band.up_to_grams:
                return band.amount
        if self.per_kg_beyond is None:
            return None
        last = self.bands[-1]
        started = -(-(weight_grams - last.up_to_grams) // 1000)
        return last.amount + started * self.per_kg_beyond


@dataclass(frozen=True, slots=True)
class ShippingMethod:
    """A way to send a parcel."""

    id: str
    name: str
    zones: tuple[ShippingZone, ...]
    is_active: bool = True

    def offer(self, country: str, weight_grams: int, goods: Money) -> "ShippingOffer | None":
        """Return what it costs to *country*, None if it does not go there, in this currency, with this weight.

        A zone that names the country comes before one for everywhere.
        """
        if not self.is_active:
            return None
        zones = [zone for zone in self.zones if zone.currency == goods.currency]
        zone = next((zone for zone in zones if country in zone.countries), None)
        zone = zone or next((zone for zone in zones if not zone.countries), None)
        fee = None if zone is None else zone.fee(weight_grams, goods)
        return None if fee is None else ShippingOffer(self.id, self.name, fee)


@dataclass(frozen=True, slots=True)
class ShippingOffer:
    """A method with its fee for one parcel."""

    method_id: str
    name: str
    fee: Money


def offers_of(
    methods: Sequence[ShippingMethod], country: str, weight_grams: int, goods: Money
) -> tuple[ShippingOffer, ...]:
    """Return what all *methods* offer, cheapest first; of equal ones the first by id."""
    offers = (method.offer(country, weight_grams, goods) for method in methods)
    return tuple(sorted((each for each in offers if each), key=lambda each: (each.fee.amount, each.method_id)))


def check_method(method: ShippingMethod) -> None:
    """Raise BadUserInput naming the first field that cannot be accepted."""
    if not 1 <= len(method.name) <= 120:
        raise BadUserInput("a name has 1 to 120 characters", field="name")
    if not 1 <= len(method.zones) <= MAX_ZONES:
        raise BadUserInput(f"there are 1 to {MAX_ZONES} zones", field="zones")
    named: set[tuple[str, str]] = set()
    for number, zone in enumerate(method.zones):
        _check_zone(zone, f"zones.{number}")
        for country in zone.countries or ("",):
            if (country, zone.currency) in named:
                where = f"the {zone.currency} rates for {country or 'everywhere'} are there twice"
                raise BadUserInput(where, field=f"zones.{number}.countries")
            named.add((country, zone.currency))


def _check_zone(zone: ShippingZone, field: str) -> None:
    if zone.currency not in CURRENCY_EXPONENTS:
        raise BadUserInput(f"currency {zone.currency!r} is not supported", field=f"{field}.currency")
    if len(zone.countries) > MAX_COUNTRIES or not all(map(is_country, zone.countries)):
        raise BadUserInput("countries are codes of two letters, such as ID", field=f"{field}.countries")
    if not 1 <= len(zone.bands) <= MAX_BANDS:
        raise BadUserInput(f"there are 1 to {MAX_BANDS} weight bands", field=f"{field}.bands")
    heaviest = 0
    for number, band in enumerate(zone.bands):
        if not heaviest < band.up_to_grams <= MAX_GRAMS:
            raise BadUserInput(
                "each band goes further than the one before, and none beyond 1,000 tons",
                field=f"{field}.bands.{number}.upToGrams",
            )
        heaviest = band.up_to_grams
        _check_amount(band.amount, f"{field}.bands.{number}.amount")
    _check_amount(zone.per_kg_beyond, f"{field}.perKgBeyond")
    _check_amount(zone.free_from, f"{field}.freeFrom")


def _check_amount(amount: int | None, field: str) -> None:
    # Times a million kilograms it must still be money
    if amount is not None and not 0 <= amount <= MAX_AMOUNT // 1_000_000:
        raise BadUserInput(f"an amount is between 0 and {MAX_AMOUNT // 1_000_000}", field=field)


def is_country(text: str) -> bool:
    """Tell whether *text* is written as an ISO 3166 code of two letters."""
    return len(text) == 2 and text.isascii() and text.isalpha() and text.isupper()


# What a new store takes, everywhere: minor units per started kilogram, about the same in every currency
FEE_PER_STARTED_KG = {
    "AUD": 1000,
    "EUR": 500,
    "GBP": 450,
    "IDR": 12_000,
    "JPY": 800,
    "KRW": 4000,
    "MYR": 800,
    "SGD": 500,
    "USD": 500,
    "VND": 30_000,
}
assert FEE_PER_STARTED_KG.keys() == CURRENCY_EXPONENTS.keys()

#: There until the store saves a method under this id: another one beside it is no reason for it to go.
STANDARD = ShippingMethod(
    id="shm_standard",
    name="Standard",
    zones=tuple(
        ShippingZone((), currency, (WeightBand(1000, fee),), per_kg_beyond=fee)
        for currency, fee in FEE_PER_STARTED_KG.items()
    ),
)
