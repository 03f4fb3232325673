"""Shipping methods and taxes as GraphQL shows and takes them. Amounts are minor units."""

import strawberry

from core.scopes import TARIFFS_WRITE
from schema.scalars import BigInt, CurrencyCode, DecimalText
from subgraphs.order import shipping_methods as shipping
from subgraphs.order import taxes
from subgraphs.order.rates import parse_percent, show_percent

_SCOPES = [[TARIFFS_WRITE]]


@strawberry.type(description="What parcels of up to a weight cost.")
class WeightBand:
    up_to_grams: int = strawberry.field(description="The weight, included.")
    amount: BigInt = strawberry.field(description="The fee in minor units of the zone's currency.")


@strawberry.type(description="Rates of a shipping method for some countries, in one currency.")
class ShippingZone:
    countries: list[str] = strawberry.field(description="Codes such as ID; empty for everywhere else.")
    currency: CurrencyCode = strawberry.field(description="It is for carts in this currency.")
    bands: list[WeightBand] = strawberry.field(description="By weight; the first that holds a parcel counts.")
    per_kg_beyond: BigInt | None = strawberry.field(
        description="What each started kilogram beyond the last band costs more; heavier parcels are refused if null."
    )
    free_from: BigInt | None = strawberry.field(
        description="From this price of the goods on, after discounts, it is free."
    )


@strawberry.type(description="A way to send parcels.")
class ShippingMethod:
    id: strawberry.ID = strawberry.field(description="Its id, `shm_...`.")
    name: str = strawberry.field(description="What buyers choose by.")
    is_active: bool = strawberry.field(description="Whether buyers can choose it.")
    zones: list[ShippingZone] = strawberry.field(
        description="Where it goes; one that names a country comes before one for everywhere."
    )

    @classmethod
    def from_method(cls, method: shipping.ShippingMethod) -> "ShippingMethod":
        return cls(
            id=strawberry.ID(method.id),
            name=method.name,
            is_active=method.is_active,
            zones=[
                ShippingZone(
                    countries=list(zone.countries),
                    currency=CurrencyCode(zone.currency),
                    bands=[WeightBand(up_to_grams=each.up_to_grams, amount=BigInt(each.amount)) for each in zone.bands],
                    per_kg_beyond=None if zone.per_kg_beyond is None else BigInt(zone.per_kg_beyond),
                    free_from=None if zone.free_from is None else BigInt(zone.free_from),
                )
                for zone in method.zones
            ],
        )


@strawberry.input(description="What parcels of up to a weight cost.")
class WeightBandInput:
    """WeightBand as an input."""

    up_to_grams: int = strawberry.field(description="The weight, included.")
    amount: BigInt = strawberry.field(description="The fee in minor units of the zone's currency.")


@strawberry.input(description="Rates of a shipping method for some countries, in one currency.")
class ShippingZoneInput:
    """ShippingZone as an input."""

    currency: CurrencyCode = strawberry.field(description="It is for carts in this currency.")
    bands: list[WeightBandInput] = strawberry.field(description="By weight, lightest first.")
    countries: list[str] = strawberry.field(
        default_factory=list, description="Codes such as ID; everywhere else if none is given."
    )
    per_kg_beyond: BigInt | None = strawberry.field(
        default=None, description="What each started kilogram beyond the last band costs more; null carries none."
    )
    free_from: BigInt | None = strawberry.field(
        default=None, description="From this price of the goods on, after discounts, it is free."
    )

    def to_zone(self) -> shipping.ShippingZone:
        """Return the zone as the model has it."""
        return shipping.ShippingZone(
            countries=tuple(dict.fromkeys(country.strip().upper() for country in self.countries)),
            currency=self.currency,
            bands=tuple(shipping.WeightBand(band.up_to_grams, band.amount) for band in self.bands),
            per_kg_beyond=self.per_kg_beyond,
            free_from=self.free_from,
        )


@strawberry.input(description="A shipping method, as a whole.")
class SaveShippingMethodInput:
    """What `saveShippingMethod` takes."""

    name: str = strawberry.field(description="What buyers choose by.")
    zones: list[ShippingZoneInput] = strawberry.field(description="Where it goes.")
    id: strawberry.ID | None = strawberry.field(
        default=None, description="The method to replace; a new one if not given."
    )
    is_active: bool = strawberry.field(default=True, description="Whether buyers can choose it.")

    def to_method(self) -> shipping.ShippingMethod:
        """Return the method as the model has it."""
        return shipping.ShippingMethod(
            self.id or "", self.name, tuple(zone.to_zone() for zone in self.zones), self.is_active
        )


@strawberry.type(description="The rate of a category, and of those below it.")
class CategoryTaxRate:
    category_id: strawberry.ID = strawberry.field(description="The category.")
    percent: DecimalText = strawberry.field(description="The rate.")


@strawberry.type(description="What is taxed in a country, or in a region of one.")
class TaxZone:
    id: strawberry.ID = strawberry.field(description="Its country, or country and region.")
    country: str = strawberry.field(description="A code such as ID.")
    region: str | None = strawberry.federation.field(
        requires_scopes=_SCOPES, description="Province or state; null for the whole country."
    )
    name: str = strawberry.field(description="What the tax is called, such as PPN.")
    percent: DecimalText = strawberry.field(description="The rate, where no category says otherwise.")
    is_inclusive: bool = strawberry.field(description="Whether the catalogue's prices have it in them.")
    taxes_shipping: bool = strawberry.field(description="Whether shipping is taxed, too.")
    category_rates: list[CategoryTaxRate] = strawberry.field(description="Other rates; the nearest category decides.")

    @classmethod
    def from_zone(cls, zone: taxes.TaxZone) -> "TaxZone":
        return cls(
            id=strawberry.ID(zone.id),
            country=zone.country,
            region=zone.region,
            name=zone.name,
            percent=DecimalText(show_percent(zone.rate)),
            is_inclusive=zone.is_inclusive,
            taxes_shipping=zone.taxes_shipping,
            category_rates=[
                CategoryTaxRate(category_id=strawberry.ID(category), percent=DecimalText(show_percent(rate)))
                for category, rate in zone.category_rates
            ],
        )


@strawberry.input(description="The rate of a category, and of those below it.")
class CategoryTaxRateInput:
    """CategoryTaxRate as an input."""

    category_id: strawberry.ID = strawberry.field(description="The category.")
    percent: DecimalText = strawberry.field(description="The rate: 0 to 100, up to four decimals.")


@strawberry.input(description="A tax zone, as a whole.")
class SaveTaxZoneInput:
    """What `saveTaxZone` takes."""

    country: str = strawberry.field(description="A code such as ID.")
    name: str = strawberry.field(description="What the tax is called, such as PPN.")
    percent: DecimalText = strawberry.field(description="The rate: 0 to 100, up to four decimals.")
    is_inclusive: bool = strawberry.field(description="Whether the catalogue's prices have it in them.")
    region: str | None = strawberry.field(
        default=None, description="Province or state, as in addresses; the whole country if not given."
    )
    taxes_shipping: bool = strawberry.field(default=True, description="Whether shipping is taxed, too.")
    category_rates: list[CategoryTaxRateInput] = strawberry.field(
        default_factory=list, description="Other rates of categories and those below; the nearest decides."
    )

    def to_zone(self) -> taxes.TaxZone:
        """Return the zone as the model has it."""
        return taxes.TaxZone(
            country=self.country,
            region=self.region,
            name=self.name,
            rate=parse_percent(self.percent, field="percent"),
            is_inclusive=self.is_inclusive,
            taxes_shipping=self.taxes_shipping,
            category_rates=tuple(
                (str(each.category_id), parse_percent(each.percent, field=f"categoryRates.{number}.percent"))
                for number, each in enumerate(self.category_rates)
            ),
        )


@strawberry.type(description="A tax zone is there no more.")
class TaxZoneRemoved:
    """What was removed."""

    id: strawberry.ID = strawberry.field(description="Its id.")
